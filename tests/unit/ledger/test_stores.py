"""What both stores promise, and what only one of them has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from economy.errors import BadInput, Conflict, NotFound
from economy.ledger import (
    AccountFlag,
    Code,
    Ledger,
    MemoryLedger,
    Result,
    SqliteLedger,
    TransferBatch,
    TransferFlag,
    kernel,
)
from economy.state import Database, FixedClock


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.create(tmp_path / "economy.sqlite", FixedClock(1_000))


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, database: Database) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with database.unit() as unit:
        yield SqliteLedger(unit)


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def singles(
    n: int, *, hi: int, debit: int = 1, credit: int = 2, amount: int = 1, first_lo: int = 1
) -> TransferBatch:
    batch = TransferBatch.zeros(n)
    batch.id_hi[:], batch.id_lo[:] = hi, np.arange(first_lo, first_lo + n)
    batch.debit[:], batch.credit[:], batch.amount[:] = debit, credit, amount
    batch.code[:] = Code.OTHER
    return batch


def one(flags: TransferFlag = TransferFlag.NONE, **parts: int) -> TransferBatch:
    batch = singles(1, hi=parts.pop("hi", 1))
    batch.flags[:] = flags
    for name, value in parts.items():
        getattr(batch, name)[:] = value
    return batch


def test_opening_is_idempotent_and_follows_the_chart(ledger: Ledger) -> None:
    ids = ledger.open_accounts(["cash.cr", "lot:1.cr", "cash.cr"])
    assert ids.tolist() == [1, 2, 1]
    assert ledger.open_accounts(["lot:1.cr", "due.usd"]).tolist() == [2, 3]
    assert ledger.open_account("cash.cr") == ledger.account_id("cash.cr") == 1
    assert ledger.names(i64(3, 1)) == ["due.usd", "cash.cr"]
    overdrawn = ledger.execute(singles(1, hi=1, debit=2, credit=1))
    assert overdrawn.codes.tolist() == [Result.EXCEEDS_CREDITS]


def test_other_limits_for_an_open_account_are_a_conflict(ledger: Ledger) -> None:
    ledger.open_accounts(["lot:1.cr"])
    with pytest.raises(Conflict, match="other limits"):
        ledger.open_accounts(["lot:1.cr"], flags=AccountFlag.NONE)
    same = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    assert ledger.open_accounts(["lot:1.cr"], flags=same).tolist() == [1]


def test_unknown_accounts_and_units_raise(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger.account_id("cash.cr")
    for misuse in (ledger.balances, ledger.names):
        with pytest.raises(NotFound):
            misuse(i64(1))
    with pytest.raises(BadInput, match="ends with its unit"):
        ledger.open_account("cash")


def test_many_accounts_and_a_sparse_batch(ledger: Ledger) -> None:
    """More names than fit one look-up; few of them in the batch, many in the next."""
    ids = ledger.open_accounts([f"a{i}.cr" for i in range(1_201)])
    assert ids.tolist() == list(range(1, 1_202))
    assert ledger.execute(singles(1, hi=1, debit=3, credit=1_200, amount=7)).all_ok
    many = singles(600, hi=2)
    many.debit[:], many.credit[:] = ids[:600], ids[600:1_200]
    assert ledger.execute(many).all_ok
    table = ledger.balances(ids)
    assert table[2].tolist() == [0, 8, 0, 0]
    assert table[1_199].tolist() == [0, 0, 0, 8]
    assert table.sum(axis=0).tolist() == [0, 607, 0, 607]


def test_an_old_id_is_recognised_among_newer_ones(ledger: Ledger) -> None:
    ledger.open_accounts(["cash.cr", "due.cr"])
    for hi in (5, 9, 7):
        assert ledger.execute(singles(700, hi=hi)).all_ok
    assert set(ledger.execute(singles(700, hi=7)).codes.tolist()) == {Result.EXISTS}
    newer_and_older = singles(2, hi=9, first_lo=700)
    assert ledger.execute(newer_and_older).codes.tolist() == [Result.EXISTS, Result.OK]
    assert ledger.execute(one(hi=9, id_lo=-1)).all_ok  # The largest id of its time.
    assert ledger.execute(one(hi=9, id_lo=2**63 - 1)).all_ok
    for known_lo in (-1, 2**63 - 1):
        assert ledger.execute(one(hi=9, id_lo=known_lo)).codes.tolist() == [Result.EXISTS]
    assert ledger.balance(1).debits_posted == 2_103


def test_a_hold_is_resolved_in_a_later_batch(ledger: Ledger) -> None:
    ledger.open_accounts(["cash.cr", "due.cr"])
    ledger.execute(one(TransferFlag.PENDING, amount=10))
    assert ledger.balance(1).debits_pending == 10
    post = one(TransferFlag.POST, hi=2, debit=0, credit=0, amount=4, pending_hi=1, pending_lo=1)
    assert ledger.execute(post).seqs.tolist() == [2]
    again = one(TransferFlag.VOID, hi=3, debit=0, credit=0, amount=0, pending_hi=1, pending_lo=1)
    assert ledger.execute(again).codes.tolist() == [Result.PENDING_TRANSFER_ALREADY_POSTED]
    assert ledger.balances(i64(1, 2)).tolist() == [[0, 4, 0, 0], [0, 0, 0, 4]]


def test_columns_that_are_views_or_read_only_are_taken(ledger: Ledger) -> None:
    ledger.open_accounts(["cash.cr", "due.cr"])
    batch = singles(6, hi=1)
    every_other = TransferBatch(
        *(np.ascontiguousarray(getattr(batch, n))[::2] for n in TransferBatch.__dataclass_fields__)
    )
    every_other.amount.flags.writeable = False
    assert ledger.execute(every_other).all_ok
    assert ledger.balance(1).debits_posted == 3


# SQLite alone ---------------------------------------------------------------------------


def test_what_is_raised_undoes_the_whole_unit(database: Database) -> None:
    with database.unit() as unit:
        SqliteLedger(unit).open_accounts(["cash.cr", "due.cr"])

    def fail() -> None:
        with database.unit() as unit:
            assert SqliteLedger(unit).execute(singles(3, hi=1)).all_ok
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        fail()
    with database.unit() as unit:
        assert SqliteLedger(unit).balance(1).debits_posted == 0
        assert SqliteLedger(unit).execute(singles(3, hi=1)).seqs.tolist() == [1, 2, 3]


def test_a_batch_of_refusals_writes_nothing(database: Database) -> None:
    with database.unit() as unit:
        ledger = SqliteLedger(unit)
        ledger.open_accounts(["lot:1.cr", "due.cr"])
        ledger.execute(singles(5, hi=1))
        for table in ("journal", "journal_batches", "pending_transfers"):
            count = unit.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert count == 0


def test_sqlite_guards_the_books_by_itself(database: Database) -> None:
    """The tables refuse what the kernel would, whoever writes to them."""
    with database.unit() as unit:
        ledger = SqliteLedger(unit)
        ledger.open_accounts(["cash.cr", "lot:1.cr"])
        ledger.execute(singles(1, hi=1))
        for statement in (
            "UPDATE journal SET amount = 2",
            "DELETE FROM journal",
            "DELETE FROM journal_batches",
            "UPDATE accounts SET debits_posted = 5 WHERE account_id = 2",
            "INSERT INTO journal SELECT 2, batch, id, 1, 2, 1, 0, 9, 0, 0, 0, 0 FROM journal",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                unit.connection.execute(statement)


# Memory alone ---------------------------------------------------------------------------


def test_a_range_of_accounts() -> None:
    ledger = MemoryLedger()
    ledger.open_account("cash.cr")
    first = ledger.open_range("lot:", 100_000, ".cr")
    assert first == 2
    assert ledger.account_id("lot:99999.cr") == ledger.open_account("lot:99999.cr") == 100_001
    assert ledger.names(i64(1, 2, 100_001)) == ["cash.cr", "lot:0.cr", "lot:99999.cr"]
    assert ledger.open_account("lot:07.cr") == 100_002  # Not a name of the range.
    for missing in ("lot:100000.cr", "lot:-1.cr", "lot:x.cr", "lot:.cr"):
        with pytest.raises(NotFound):
            ledger.account_id(missing)
    limits = ledger.accounts[first : first + 100_000, kernel.FLAGS]
    assert (limits == AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS).all()


def test_a_range_does_not_hide_open_accounts() -> None:
    ledger = MemoryLedger()
    ledger.open_account("lot:3.cr")
    with pytest.raises(Conflict):
        ledger.open_range("lot:", 5, ".cr")
    ledger.open_range("pool:", 5, ".cr")
    with pytest.raises(Conflict):
        ledger.open_range("pool:", 7, ".cr")
    with pytest.raises(BadInput):
        ledger.open_range("other:", 0, ".cr")


def test_recorded_time_does_not_go_back() -> None:
    ledger = MemoryLedger()
    ledger.open_accounts(["cash.cr", "due.cr"])
    ledger.execute(singles(1, hi=1), now_us=10)
    with pytest.raises(BadInput, match="does not go back"):
        ledger.execute(singles(1, hi=2), now_us=9)
    ledger.execute(singles(1, hi=2))
    assert [b.recorded_us for b in ledger.batches] == [10, 10]


def windowed(hours: int) -> MemoryLedger:
    """Ticks of 1,000 transfers, one a microsecond; it remembers ten of them."""
    ledger = MemoryLedger("totals", remember_us=10)
    ledger.open_accounts(["cash.cr", "due.cr"])
    ledger.execute(one(TransferFlag.PENDING, hi=0, id_lo=77, amount=5), now_us=0)
    for tick in range(1, hours + 1):
        assert ledger.execute(singles(1_000, hi=tick), now_us=tick).all_ok
    return ledger


def test_a_totals_ledger_forgets_and_does_not_grow() -> None:
    ledger = windowed(200)
    assert ledger.transfers == 200_001
    assert ledger.balance(1).debits_posted == 200_000
    assert 10_000 < len(ledger.rows) < 40_000


def test_within_its_window_a_totals_ledger_knows_repeats() -> None:
    ledger = windowed(100)
    assert set(ledger.execute(singles(1_000, hi=90)).codes.tolist()) == {Result.EXISTS}
    changed = singles(1_000, hi=95, amount=2)
    different = {Result.EXISTS_WITH_DIFFERENT_FIELDS}
    assert set(ledger.execute(changed).codes.tolist()) == different


def test_an_id_from_before_the_window_is_refused_and_never_taken_twice() -> None:
    ledger = windowed(100)
    with pytest.raises(BadInput, match="from before what this ledger remembers"):
        ledger.execute(singles(1, hi=89))
    assert ledger.transfers == 100_001
    no_id = ledger.execute(one(hi=0, id_lo=0))
    assert no_id.codes.tolist() == [Result.ID_MUST_NOT_BE_ZERO]


def test_open_holds_outlive_the_window_and_resolved_ones_do_not() -> None:
    ledger = windowed(100)
    post = {"debit": 0, "credit": 0, "amount": 0, "pending_hi": 0, "pending_lo": 77}
    assert ledger.execute(one(TransferFlag.POST, hi=101, **post), now_us=101).all_ok
    assert ledger.balance(1).debits_posted == 100_005
    gone = ledger.execute(one(TransferFlag.POST, hi=102, **post), now_us=102)
    assert gone.codes.tolist() == [Result.PENDING_TRANSFER_NOT_FOUND]


def test_there_are_two_journals() -> None:
    with pytest.raises(BadInput, match='"full" or "totals"'):
        MemoryLedger("none")  # type: ignore[arg-type]
