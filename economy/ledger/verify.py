"""Verify: recompute the books from the journal and say where they break.

Nothing here uses the kernel. The journal is read once, in order, and each law is checked
in plain integers on the way or at the end:

=============  ==========================================================================
law            what must hold
=============  ==========================================================================
chain          each batch's rows hash, with the link before, to the link that is stored
gapless        batches and transfers are numbered from 1 without holes; time never goes back
accounts       both accounts exist, differ and have one unit; the amount is positive
hold           a post or void resolves an open hold of the same accounts, a post not after
               it has lapsed nor for more than was held, a void for all of it
limit          after each transfer, what an account's flags forbid has not happened
balance        replaying the journal gives the four totals that each account shows
pending        the table of holds says what the journal says
conservation   in each unit, all debits equal all credits, posted and pending apart
=============  ==========================================================================

Rooms above add laws of their own as ``checks`` (lots, capacity, charges): a name and a
function that lists what is wrong. A changed byte in a row breaks *chain* at its batch, and
mostly one of the other laws at the very transfer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from economy.chain import GENESIS_HASH
from economy.ledger.batch import AccountFlag, TransferFlag, UnitCode
from economy.ledger.ids import id_halves
from economy.ledger.journal import JOURNAL_COLUMNS, JournalBatch, batch_hash

MAX_FAULTS = 100
"""Faults that one report lists; books with more are not read to the end."""

Check = tuple[str, Callable[[sqlite3.Connection], list[str]]]

_OPEN, _POSTED, _VOIDED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken law. ``seq`` is the first transfer concerned, where one can be named."""

    seq: int | None
    law: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnitTotals:
    """All accounts of one unit, summed, as the balance sheet shows them."""

    unit: UnitCode
    accounts: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was read and what was wrong with it; ``faults`` are in the order of discovery."""

    ok: bool
    batches: int
    transfers: int
    faults: list[Fault]
    totals: list[UnitTotals]

    @property
    def first_broken_seq(self) -> int | None:
        """Where reading the journal first met a fault; what follows may be its consequence."""
        return next((fault.seq for fault in self.faults if fault.seq is not None), None)


def verify(connection: sqlite3.Connection, checks: Sequence[Check] = ()) -> VerifyReport:
    """Check every law over one consistent view; ``connection`` is only read."""
    replay = _Replay(_accounts(connection))
    batches = transfers = 0
    last = JournalBatch(0, 1, 0, 0, GENESIS_HASH)
    for batch in _batches(connection):
        rows = _rows(connection, batch)
        _check_link(replay, last, batch, rows)
        for row in rows:
            replay.apply(row, batch.recorded_us)
        batches, transfers, last = batches + 1, transfers + len(rows), batch
        if replay.full:
            break
    else:
        _check_tail(replay, connection, last)
        replay.close(connection)
    for law, check in checks:
        for detail in check(connection):
            replay.fault(None, law, detail)
    faults = replay.faults
    return VerifyReport(not faults, batches, transfers, faults, _totals(connection))


@dataclass(slots=True)
class _Account:
    name: str
    unit: int
    flags: int
    shown: tuple[int, int, int, int]
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    def within_limits(self) -> bool:
        debits = self.debits_pending + self.debits_posted
        credits = self.credits_pending + self.credits_posted
        if self.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS and debits > self.credits_posted:
            return False
        limited = bool(self.flags & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
        return not (limited and credits > self.debits_posted)

    def replayed(self) -> tuple[int, int, int, int]:
        return (
            self.debits_pending,
            self.debits_posted,
            self.credits_pending,
            self.credits_posted,
        )


@dataclass(slots=True)
class _Hold:
    stored_id: bytes
    debit: int
    credit: int
    amount: int
    expires_us: int
    state: int = _OPEN
    posted_amount: int = 0


@dataclass(slots=True)
class _Replay:
    """The books as the journal tells them, and the faults found in telling."""

    accounts: dict[int, _Account]
    holds: dict[int, _Hold] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.faults) >= MAX_FAULTS

    def fault(self, seq: int | None, law: str, detail: str) -> None:
        self.faults.append(Fault(seq, law, detail))

    def apply(self, row: tuple[Any, ...], recorded_us: int) -> None:
        """Book one journal row; a row that cannot be meant is named and left out."""
        seq, _, stored_id, debit_id, credit_id, amount, flags = row[:7]
        debit, credit = self.accounts.get(debit_id), self.accounts.get(credit_id)
        if debit is None or credit is None or debit is credit:
            return self.fault(seq, "accounts", f"between accounts {debit_id} and {credit_id}")
        if debit.unit != credit.unit:
            return self.fault(seq, "accounts", f"{debit.name} and {credit.name} differ in unit")
        if amount <= 0:
            return self.fault(seq, "accounts", f"an amount of {amount}")
        if flags & TransferFlag.PENDING:
            self.holds[seq] = _Hold(stored_id, debit_id, credit_id, amount, row[10])
            debit.debits_pending += amount
            credit.credits_pending += amount
        elif flags & (TransferFlag.POST | TransferFlag.VOID):
            self._resolve(row, recorded_us, debit, credit)
        else:
            debit.debits_posted += amount
            credit.credits_posted += amount
        for account in (debit, credit):
            if not account.within_limits():
                self.fault(seq, "limit", f"{account.name} stands at {account.replayed()}")
        return None

    def _resolve(
        self, row: tuple[Any, ...], recorded_us: int, debit: _Account, credit: _Account
    ) -> None:
        seq, amount, posting, pending_seq = row[0], row[5], row[6] & TransferFlag.POST, row[9]
        hold = self.holds.get(pending_seq)
        if hold is None or hold.state != _OPEN:
            return self.fault(seq, "hold", f"resolves {pending_seq}, which is no open hold")
        if (hold.debit, hold.credit) != (row[3], row[4]):
            return self.fault(seq, "hold", f"has other accounts than its hold {pending_seq}")
        if amount > hold.amount or (not posting and amount != hold.amount):
            return self.fault(seq, "hold", f"moves {amount} of {hold.amount} held")
        if posting and hold.expires_us and hold.expires_us <= recorded_us:
            self.fault(seq, "hold", f"posts hold {pending_seq} after it has lapsed")
        debit.debits_pending -= hold.amount
        credit.credits_pending -= hold.amount
        hold.state = _POSTED if posting else _VOIDED
        if posting:
            hold.posted_amount = amount
            debit.debits_posted += amount
            credit.credits_posted += amount
        return None

    def close(self, connection: sqlite3.Connection) -> None:
        """What the tables show at the end, against what the journal has told."""
        for account in self.accounts.values():
            if account.shown != account.replayed():
                detail = f"{account.name} shows {account.shown}, its transfers {account.replayed()}"
                self.fault(None, "balance", detail)
        shown = {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT seq, id, state, posted_amount FROM pending_transfers"
            )
        }
        for seq in sorted(shown.keys() | self.holds.keys()):
            hold = self.holds.get(seq)
            told = None if hold is None else (hold.stored_id, hold.state, hold.posted_amount)
            if shown.get(seq) != told:
                self.fault(seq, "pending", f"the table of holds differs from the journal at {seq}")
        for total in _totals(connection):
            if (total.debits_posted, total.debits_pending) != (
                total.credits_posted,
                total.credits_pending,
            ):
                self.fault(None, "conservation", f"debits and credits differ: {total}")


def _check_link(
    replay: _Replay, last: JournalBatch, batch: JournalBatch, rows: list[tuple[Any, ...]]
) -> None:
    """The batch follows the one before, is whole, and hashes to its link.

    The next batch is judged from the stored hash, so that one fault stays one fault.
    """
    first_seq = last.first_seq + last.transfers
    if batch.batch != last.batch + 1 or batch.first_seq != first_seq:
        detail = f"batch {batch.batch} from {batch.first_seq} follows batch {last.batch}"
        replay.fault(first_seq, "gapless", detail)
    if batch.recorded_us < last.recorded_us:
        replay.fault(batch.first_seq, "gapless", f"batch {batch.batch} was recorded earlier")
    expected = range(batch.first_seq, batch.first_seq + batch.transfers)
    if [row[0] for row in rows] != list(expected):
        present = {row[0] for row in rows}
        missing = next(seq for seq in expected if seq not in present)
        replay.fault(missing, "gapless", f"the transfer is missing from batch {batch.batch}")
    stray = next((row[0] for row in rows if row[1] != batch.batch), None)
    if stray is not None:
        replay.fault(stray, "gapless", f"the transfer does not name its batch {batch.batch}")
    if batch_hash(last.hash, batch.batch, batch.recorded_us, _canonical(rows)) != batch.hash:
        detail = f"batch {batch.batch}, of {batch.transfers} transfers, does not hash to its link"
        replay.fault(batch.first_seq, "chain", detail)


def _check_tail(replay: _Replay, connection: sqlite3.Connection, last: JournalBatch) -> None:
    end = last.first_seq + last.transfers
    stray = connection.execute(
        "SELECT min(seq) FROM journal WHERE seq >= ? OR seq < 1", (end,)
    ).fetchone()[0]
    if stray is not None:
        replay.fault(stray, "gapless", "the transfer belongs to no batch of the chain")


def _canonical(rows: list[tuple[Any, ...]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows as :data:`JOURNAL_COLUMNS`: without the batch, the id in halves."""
    table = np.empty((len(rows), len(JOURNAL_COLUMNS)), dtype=np.int64)
    if rows:
        columns = list(zip(*rows, strict=True))
        table[:, 0] = columns[0]
        table[:, 1], table[:, 2] = id_halves(columns[2])
        for target, column in enumerate(columns[3:], start=3):
            table[:, target] = column
    return table


def _batches(connection: sqlite3.Connection) -> Iterator[JournalBatch]:
    rows = connection.execute(
        "SELECT batch, first_seq, transfers, recorded_us, hash FROM journal_batches ORDER BY batch"
    )
    for row in rows:
        yield JournalBatch(*row)


def _rows(connection: sqlite3.Connection, batch: JournalBatch) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT seq, batch, id, debit_account, credit_account, amount, flags, code, reference,"
        " pending_seq, expires_us, effective_us FROM journal WHERE seq >= ? AND seq < ?"
        " ORDER BY seq",
        (batch.first_seq, batch.first_seq + batch.transfers),
    ).fetchall()


def _accounts(connection: sqlite3.Connection) -> dict[int, _Account]:
    rows = connection.execute(
        "SELECT account_id, name, unit, flags, debits_pending, debits_posted, credits_pending,"
        " credits_posted FROM accounts"
    )
    return {row[0]: _Account(row[1], row[2], row[3], row[4:8]) for row in rows}


def _totals(connection: sqlite3.Connection) -> list[UnitTotals]:
    """Sums by unit in Python integers: SQL's would overflow before the money does."""
    sums: dict[int, list[int]] = {}
    rows = connection.execute(
        "SELECT unit, debits_pending, debits_posted, credits_pending, credits_posted FROM accounts"
    )
    for unit, *totals in rows:
        line = sums.setdefault(unit, [0] * 5)
        line[0] += 1
        for at, total in enumerate(totals, start=1):
            line[at] += total
    return [UnitTotals(UnitCode(unit), *sums[unit]) for unit in sorted(sums)]
