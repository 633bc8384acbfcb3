"""Laws of the ledger, over random batches that collide on purpose.

One law of agreement: kernel compiled, kernel as plain Python, the SQLite store and the plain
model give the same results and the same totals. And those of the books: they balance in each
unit, no limit is ever broken, the journal replays to the balances, ids count once.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import economy.compiled
from economy.ledger import kernel
from economy.ledger.batch import (
    MAX_BATCH,
    AccountFlag,
    BatchResult,
    Code,
    Result,
    TransferBatch,
    TransferBuilder,
    TransferFlag,
)
from economy.ledger.stores import MemoryLedger, SqliteLedger, memory
from economy.ledger.verify import verify
from economy.state import Database, FixedClock
from tests.properties.ledger_model import MOST, Account, Model, Transfer

ACCOUNTS = {
    "cash:a.cr": AccountFlag.NONE,
    "lot:1.cr": AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    "lot:2.cr": AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    "pool:a.cr": AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
    "cash:b.usd": AccountFlag.NONE,
    "cash:c.usd": AccountFlag.NONE,
}
"""Ids 1 to 6 in every store."""

F = TransferFlag
PATHS = [(1, 2), (1, 2), (1, 3), (2, 1), (2, 1), (2, 3), (3, 1), (4, 1), (4, 1), (1, 4), (5, 6)]
"""Debit and credit of sensible moves: funding lots and pool, spending from them, USD."""

KINDS = [F.NONE] * 6 + [F.PENDING] * 6 + [F.POST] * 5 + [F.VOID] * 3
TIES = [F.NONE] * 9 + [F.LINKED] * 2 + [F.BALANCING_DEBIT, F.BALANCING_CREDIT]


@st.composite
def batches(draw: st.DrawFn) -> list[list[Transfer]]:
    """One to four batches of transfers that mostly make sense; about one in four is twisted.

    A twist may be a repeat, faithful or not. What no batch may hold (a void of a part, an
    expiry without a hold) is never drawn: that is misuse, not a result.
    """
    work: list[list[Transfer]] = []
    earlier: list[Transfer] = []
    for _ in range(draw(st.integers(1, 4))):
        work.append([])
        for _ in range(draw(st.integers(1, 16))):
            t = draw(sensible(earlier))
            if draw(st.integers(0, 3)) == 0:
                t = draw(twisted(t, earlier))
            work[-1].append(t)
            earlier.append(t)
    return work


@st.composite
def sensible(draw: st.DrawFn, earlier: list[Transfer]) -> Transfer:
    kind = draw(st.sampled_from(KINDS))
    holds = [t for t in earlier if t.flags & F.PENDING]
    if not holds and kind in (F.POST, F.VOID):
        kind = F.PENDING
    resolving = kind in (F.POST, F.VOID)
    debit, credit = (0, 0) if resolving else draw(st.sampled_from(PATHS))
    tie = draw(st.sampled_from(TIES))
    amount = draw(st.sampled_from([1, 2, 3, 5, 8, 20]))
    if resolving:
        tie &= F.LINKED
        amount = 0 if kind == F.VOID else draw(st.sampled_from([0, 0, 1, 2]))
    return Transfer(
        id=(draw(st.integers(0, 2)), len(earlier) + 1),
        debit=debit,
        credit=credit,
        amount=amount,
        flags=kind | tie,
        code=Code.OTHER,
        reference=0,
        pending=draw(st.sampled_from(holds)).id if resolving else (0, 0),
        expires_us=draw(st.sampled_from([0, 0, 25])) if kind == F.PENDING else 0,
        effective_us=5,
    )


@st.composite
def twisted(draw: st.DrawFn, t: Transfer, earlier: list[Transfer]) -> Transfer:
    accounts = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, MOST])
    known_ids = st.sampled_from([(0, 0), (2, -1), *(e.id for e in earlier)])
    twist = draw(st.integers(0, 7))
    if twist in (0, 1) and earlier:
        t = draw(st.sampled_from(earlier))
        if twist == 1:
            changes = [{"reference": 7}, {"effective_us": 6}, {"flags": F.NONE, "expires_us": 0}]
            t = replace(t, **draw(st.sampled_from(changes)))  # type: ignore[arg-type]
    elif twist == 2:
        t = replace(t, id=draw(known_ids))
    elif twist == 3:
        t = replace(t, debit=draw(accounts))
    elif twist == 4:
        t = replace(t, credit=draw(accounts))
    elif twist == 5:
        amounts = [-1, 0] if t.flags & F.VOID else [-1, 0, 100, MOST - 9, MOST]
        t = replace(t, amount=draw(st.sampled_from(amounts)))
    elif twist == 6:
        t = replace(t, pending=draw(known_ids))
    elif not t.flags & F.VOID:
        t = replace(t, flags=t.flags | draw(st.sampled_from([F.POST, F.PENDING, F(48)])))
    return t


def columns(rows: list[Transfer]) -> TransferBatch:
    builder = TransferBuilder()
    for t in rows:
        builder.add(
            t.id,
            t.debit,
            t.credit,
            t.amount,
            code=Code(t.code),
            effective_us=t.effective_us,
            flags=t.flags,
            reference=t.reference,
            pending_id=t.pending,
            expires_us=t.expires_us,
        )
    return builder.build()


@pytest.fixture(scope="module")
def plain_kernel() -> ModuleType:
    """The kernel's own source, loaded once more without a compiler."""
    with mock.patch.object(economy.compiled, "PURE_PYTHON", True):
        spec = importlib.util.spec_from_file_location("plain_kernel", str(kernel.__file__))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    assert not hasattr(module.execute, "signatures")
    return module


@pytest.fixture(scope="module")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "economy.sqlite"
    database = Database.create(path, FixedClock(0))
    with database.unit() as unit:
        open_all(SqliteLedger(unit))
    database.close()  # What is committed stands in the one file that will be copied.
    return path


def open_all(ledger: MemoryLedger | SqliteLedger) -> None:
    for expected, (name, flags) in enumerate(ACCOUNTS.items(), start=1):
        assert ledger.open_accounts([name], flags=flags).tolist() == [expected]


def in_memory(journal: str = "full") -> MemoryLedger:
    ledger = MemoryLedger("full" if journal == "full" else "totals")
    open_all(ledger)
    return ledger


def the_model() -> Model:
    unit = {"cr": 1, "usd": 2}
    return Model(
        {
            number: Account(unit[name.rsplit(".", 1)[1]], flags)
            for number, (name, flags) in enumerate(ACCOUNTS.items(), start=1)
        }
    )


@contextmanager
def copied(path: Path, clock: FixedClock) -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, folder)
        database = Database(Path(folder) / path.name, clock)
        try:
            yield database
        finally:
            database.close()


def totals(ledger: MemoryLedger | SqliteLedger) -> list[tuple[int, ...]]:
    table = ledger.balances(np.arange(1, len(ACCOUNTS) + 1, dtype=np.int64))
    return [tuple(row) for row in table.tolist()]


def assert_books_balance(ledger: MemoryLedger) -> None:
    table = ledger.accounts[1:]
    for unit in (1, 2):
        rows = table[table[:, kernel.UNIT] == unit].tolist()
        assert sum(row[0] for row in rows) == sum(row[2] for row in rows)
        assert sum(row[1] for row in rows) == sum(row[3] for row in rows)
    for row in table.tolist():
        assert min(row[:4]) >= 0
        if row[kernel.FLAGS] & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS:
            assert row[0] + row[1] <= row[3]
        if row[kernel.FLAGS] & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS:
            assert row[2] + row[3] <= row[1]


def assert_same(one: BatchResult, other: BatchResult) -> None:
    assert one.codes.tolist() == other.codes.tolist()
    assert one.amounts.tolist() == other.amounts.tolist()
    assert one.seqs.tolist() == other.seqs.tolist()


@given(batches())
def test_the_kernel_does_what_the_model_says(work: list[list[Transfer]]) -> None:
    """Law: the kernel is the model; after every batch, books balance within their limits."""
    ledger, model = in_memory(), the_model()
    for number, rows in enumerate(work, start=1):
        result = ledger.execute(columns(rows), now_us=10 * number)
        said = model.execute(rows, 10 * number)
        assert [Result(code) for code in result.codes.tolist()] == said
        assert totals(ledger) == [a.totals() for a in model.accounts.values()]
        assert_books_balance(ledger)
    assert ledger.transfers == len(model.transfers)


@given(batches())
def test_compiled_or_not_the_kernel_is_the_same(
    plain_kernel: ModuleType, work: list[list[Transfer]]
) -> None:
    """Law: numba changes nothing but the time it takes."""
    compiled, plain = in_memory(), in_memory()
    for number, rows in enumerate(work, start=1):
        result = compiled.execute(columns(rows), now_us=10 * number)
        with mock.patch.object(memory, "kernel", plain_kernel):
            assert_same(result, plain.execute(columns(rows), now_us=10 * number))
    assert (compiled.accounts == plain.accounts).all()
    assert (compiled.rows == plain.rows).all()


@given(batches())
@settings(max_examples=40)
def test_stores_agree_down_to_the_hash(empty_books: Path, work: list[list[Transfer]]) -> None:
    """Law: whatever the store, results, balances, journal and chain are the same.

    SQLite also checks limits and ids by itself, and ``verify`` replays the journal.
    """
    ledger = in_memory()
    clock = FixedClock(1)
    with copied(empty_books, clock) as database:
        for number, rows in enumerate(work, start=1):
            clock.move_to(10 * number)
            with database.unit() as unit:
                stored = SqliteLedger(unit)
                result = stored.execute(columns(rows))
                assert_same(ledger.execute(columns(rows), now_us=unit.recorded_us), result)
                assert totals(stored) == totals(ledger)
        with database.reading() as connection:
            links = connection.execute("SELECT * FROM journal_batches ORDER BY batch").fetchall()
            report = verify(connection)
    assert [(b.batch, b.first_seq, b.transfers, b.recorded_us, b.hash) for b in ledger.batches] == (
        links
    )
    assert report.ok, report.faults
    assert report.transfers == ledger.transfers


@given(batches())
def test_replaying_the_journal_gives_the_balances(work: list[list[Transfer]]) -> None:
    """Law: what the journal says is all that has happened."""
    ledger = in_memory()
    for number, rows in enumerate(work, start=1):
        ledger.execute(columns(rows), now_us=10 * number)
    replayed = {n: [0, 0, 0, 0] for n in range(1, len(ACCOUNTS) + 1)}
    held: dict[int, int] = {}
    for row in ledger.rows.tolist():
        seq, _, _, debit, credit, amount, flags, _, _, pending_seq, _, _ = row
        if flags & F.PENDING:
            held[seq] = amount
            replayed[debit][0] += amount
            replayed[credit][2] += amount
            continue
        released = held.pop(pending_seq) if pending_seq else 0
        moved = 0 if flags & F.VOID else amount
        replayed[debit][0] -= released
        replayed[credit][2] -= released
        replayed[debit][1] += moved
        replayed[credit][3] += moved
    assert [tuple(row) for row in replayed.values()] == totals(ledger)
    assert [row[0] for row in ledger.rows.tolist()] == list(range(1, ledger.transfers + 1))


@given(batches())
def test_repeating_a_batch_changes_nothing(work: list[list[Transfer]]) -> None:
    """Law: an id counts once; what was accepted alone answers ``EXISTS`` when repeated."""
    ledger = in_memory()
    for number, rows in enumerate(work, start=1):
        unlinked = [t for t in rows if not t.flags & F.LINKED]
        first = ledger.execute(columns(unlinked), now_us=10 * number)
        before = ledger.accounts.copy()
        accepted = [t for t, code in zip(unlinked, first.codes, strict=True) if code == Result.OK]
        again = ledger.execute(columns(accepted), now_us=10 * number)
        assert again.codes.tolist() == [Result.EXISTS] * len(accepted)
        assert (ledger.accounts == before).all()


@given(batches())
def test_the_totals_journal_judges_like_the_full_one(work: list[list[Transfer]]) -> None:
    """Law: within its window, a ledger that keeps totals answers like one that keeps all."""
    full, short = in_memory("full"), in_memory("totals")
    for number, rows in enumerate(work, start=1):
        assert_same(
            full.execute(columns(rows), now_us=10 * number),
            short.execute(columns(rows), now_us=10 * number),
        )
    assert (full.accounts == short.accounts).all()
    assert short.batches == []


def test_a_whole_batch_of_traffic_compiled_and_plain(plain_kernel: ModuleType) -> None:
    """The same law at full length: holds, posts, voids, chains and refusals mixed."""
    compiled, plain = MemoryLedger(), MemoryLedger()
    for ledger in (compiled, plain):
        ledger.open_account("issuance:sale.cr")
        ledger.open_account("clearing:usage.cr")
        ledger.open_range("lot:", 200, ".cr")
    draw = np.random.default_rng(5)
    n = MAX_BATCH
    fund = TransferBatch.zeros(n)
    fund.id_hi[:], fund.id_lo[:] = 1, np.arange(1, n + 1)
    fund.debit[:], fund.credit[:] = 1, draw.integers(3, 203, n)
    fund.amount[:], fund.code[:] = draw.integers(1, 50, n), Code.TOP_UP
    spend = TransferBatch.zeros(n)
    spend.id_hi[:], spend.id_lo[:] = 2, draw.permutation(n) + 1
    kind = draw.choice([0, 0, 2, 2, 4, 8, 1, 16], n)
    resolving = (kind == 4) | (kind == 8)
    spend.flags[:], spend.code[:] = kind, Code.CHARGE
    spend.debit[:] = np.where(resolving, 0, draw.integers(3, 203, n))
    spend.credit[:] = np.where(resolving, 0, 2)
    spend.amount[:] = np.where(resolving, 0, draw.integers(1, 400, n))
    spend.pending_hi[:] = np.where(resolving, 2, 0)
    # Each resolution names a transfer some places before it: often a hold, often open.
    back = np.maximum(np.arange(n) - draw.integers(1, 4, n), 0)
    spend.pending_lo[:] = np.where(resolving, spend.id_lo[back], 0)
    seen: set[int] = set()
    for now_us, batch in ((1, fund), (2, spend), (3, spend)):
        result = compiled.execute(batch, now_us=now_us)
        with mock.patch.object(memory, "kernel", plain_kernel):
            assert_same(result, plain.execute(batch, now_us=now_us))
        seen.update(result.codes.tolist())
    assert (compiled.accounts == plain.accounts).all()
    assert compiled.batches[-1].hash == plain.batches[-1].hash
    # A comparison of two ledgers that refuse everything would be worth nothing.
    assert {
        Result.OK,
        Result.LINKED_EVENT_FAILED,
        Result.EXISTS,
        Result.PENDING_TRANSFER_NOT_PENDING,
        Result.PENDING_TRANSFER_ALREADY_POSTED,
        Result.EXCEEDS_CREDITS,
    } <= seen
