"""Looking at the books: an account's history, a reference's history, the trial balance.

These read what is committed and decide nothing. A page of history ends with a ``seq`` that
the next page continues after::

    page = history(connection, lot, limit=50)
    rest = history(connection, lot, limit=50, after_seq=page[-1].seq)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from economy.errors import BadInput, NotFound
from economy.ledger.batch import Balance, Code, TransferFlag, UnitCode

MAX_PAGE = 10_000
"""Most rows of history in one page."""

_HISTORY_SQL = (
    "SELECT j.seq, j.batch, b.recorded_us, j.effective_us, j.id, d.name, c.name, d.unit,"
    " j.amount, j.flags, j.code, j.reference, j.pending_seq, j.expires_us"
    " FROM journal j"
    " JOIN journal_batches b ON b.batch = j.batch"
    " JOIN accounts d ON d.account_id = j.debit_account"
    " JOIN accounts c ON c.account_id = j.credit_account"
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One accepted transfer. ``amount`` is in micro-units of ``unit`` (ucr or nusd).

    ``pending_seq`` is the hold that a post or void resolved, 0 for any other transfer.
    """

    seq: int
    batch: int
    recorded_us: int
    effective_us: int
    transfer_id: bytes
    debit: str
    credit: str
    unit: UnitCode
    amount: int
    flags: TransferFlag
    code: Code
    reference: int
    pending_seq: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account with its totals, for the trial balance."""

    account_id: int
    name: str
    unit: UnitCode
    balance: Balance


def history(
    connection: sqlite3.Connection, account_id: int, limit: int = 100, after_seq: int = 0
) -> list[HistoryRow]:
    """Transfers that touched the account, oldest first, after ``after_seq``."""
    known = connection.execute("SELECT 1 FROM accounts WHERE account_id = ?", (account_id,))
    if known.fetchone() is None:
        raise NotFound("there is no such account", field="account_id", value=account_id)
    where = "WHERE (j.debit_account = ? OR j.credit_account = ?)"
    return _page(connection, where, (account_id, account_id), limit, after_seq)


def history_of_reference(
    connection: sqlite3.Connection,
    codes: Sequence[Code],
    reference: int,
    limit: int = 100,
    after_seq: int = 0,
) -> list[HistoryRow]:
    """Transfers of one charge, hold, top-up or contribution, oldest first.

    The codes say which kind of thing ``reference`` numbers.
    """
    marks = ", ".join("?" * len(codes))
    where = f"WHERE j.reference = ? AND j.code IN ({marks})"
    return _page(connection, where, (reference, *(int(c) for c in codes)), limit, after_seq)


def account_named(connection: sqlite3.Connection, name: str) -> int:
    """The number of the account of this name."""
    row = connection.execute("SELECT account_id FROM accounts WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(
            "there is no such account",
            field="account",
            value=name,
            way_out="For one request's story name its event: economy ledger history --event ID",
        )
    return int(row[0])


def credit_balance(connection: sqlite3.Connection, name: str) -> int:
    """Posted credits less debits of an account; 0 if it was never opened."""
    row = connection.execute(
        "SELECT credits_posted - debits_posted FROM accounts WHERE name = ?", (name,)
    ).fetchone()
    return int(row[0]) if row else 0


def balances_of(connection: sqlite3.Connection, account_ids: Sequence[int]) -> list[TrialRow]:
    """These accounts with their totals, in this order."""
    rows = connection.execute(
        f"{_TRIAL_SQL} WHERE account_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(account_ids)),),
    )
    found = {row[0]: _trial_row(row) for row in rows}
    for account_id in account_ids:
        if account_id not in found:
            raise NotFound("there is no such account", field="account_id", value=account_id)
    return [found[account_id] for account_id in account_ids]


def trial_balance(connection: sqlite3.Connection) -> list[TrialRow]:
    """Every account with its four totals, by unit and name."""
    return [_trial_row(row) for row in connection.execute(f"{_TRIAL_SQL} ORDER BY unit, name")]


_TRIAL_SQL = (
    "SELECT account_id, name, unit, debits_pending, debits_posted, credits_pending,"
    " credits_posted FROM accounts"
)


def _trial_row(row: tuple[Any, ...]) -> TrialRow:
    return TrialRow(row[0], row[1], UnitCode(row[2]), Balance(*row[3:]))


def _page(
    connection: sqlite3.Connection,
    where: str,
    values: tuple[int, ...],
    limit: int,
    after_seq: int,
) -> list[HistoryRow]:
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"a page has 1 to {MAX_PAGE} rows", field="limit", value=limit)
    rows = connection.execute(
        f"{_HISTORY_SQL} {where} AND j.seq > ? ORDER BY j.seq LIMIT ?",
        (*values, after_seq, limit),
    )
    return [
        HistoryRow(
            seq=row[0],
            batch=row[1],
            recorded_us=row[2],
            effective_us=row[3],
            transfer_id=row[4],
            debit=row[5],
            credit=row[6],
            unit=UnitCode(row[7]),
            amount=row[8],
            flags=TransferFlag(row[9]),
            code=Code(row[10]),
            reference=row[11],
            pending_seq=row[12],
            expires_us=row[13],
        )
        for row in rows
    ]
