"""Lots: Credits of one customer, one origin, one USD basis and one expiry.

A lot *is* a ledger account; what never changes about it stands in the ``lots`` table and
in the account's name. Equal lots are the same account: a customer's second Pro pack
joins the first. What is left of a lot is the account's balance and stands nowhere else;
the table counts what was spent, because the basis is released from the beginning of a
lot (see :mod:`economy.wallets.spending`).

Spend order is policy: soonest expiry, then origin (promotion, referral, purchased,
earned), then the oldest lot. An expired lot pays for nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from economy.errors import BadInput, invariant
from economy.ledger import Ledger
from economy.ledger.accounts import lot_name
from economy.policy import Origin, Policy
from economy.state.database import Unit
from economy.units import END_OF_TIME_US, int64

I64 = NDArray[np.int64]

ORIGINS: Final[tuple[Origin, ...]] = ("promotion", "referral", "purchased", "earned")
"""An origin's code in columns is its position here."""
PROMOTION, REFERRAL, PURCHASED, EARNED = range(len(ORIGINS))
ORIGIN_CODE: Final[dict[str, int]] = {origin: code for code, origin in enumerate(ORIGINS)}


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot. ``basis`` is nusd per ucr ($0.009 a Credit is 9); earned lots have one too."""

    account_id: int
    customer_id: int
    origin: Origin
    basis: Fraction
    expires_us: int
    opened_us: int
    spent_ucr: int = 0
    spent_rounding_ucr: int = 0


@dataclass(frozen=True, slots=True)
class LotColumns:
    """Lots of ``C`` customers as columns (CSR): (L,) int64 each, customer after customer.

    Customer ``customer_ids[c]`` owns rows ``offset[c] .. offset[c + 1] - 1``, in spend order.
    ``available`` is ucr that may still be taken, ``basis_num / basis_den`` nusd per ucr.
    ``spent`` and ``spent_rounding`` are ucr since the lot was opened; they and
    ``available`` are advanced in place by the functions of :mod:`economy.wallets.spending`.
    """

    customer_ids: I64
    offset: I64
    account: I64
    available: I64
    basis_num: I64
    basis_den: I64
    spent: I64
    spent_rounding: I64
    origin: I64

    def __len__(self) -> int:
        return len(self.account)


def open_lot(
    unit: Unit,
    ledger: Ledger,
    customer_id: int,
    origin: Origin,
    basis: Fraction,
    *,
    expires_us: int = END_OF_TIME_US,
) -> Lot:
    """The lot with these four properties, opened if it is new. Moves nothing."""
    if basis < 0:
        raise BadInput("a basis may not be negative", field="basis", value=str(basis))
    if basis == 0 and origin in ("purchased", "earned"):
        raise BadInput(f"a lot of origin {origin} has USD behind it", field="basis", value="0")
    account_id = ledger.open_account(lot_name(customer_id, origin, basis, expires_us))
    unit.connection.execute(
        "INSERT INTO lots (account_id, customer_id, origin, basis_num, basis_den, expires_us, "
        "opened_us) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id) DO NOTHING",
        (
            account_id,
            customer_id,
            origin,
            int64(basis.numerator),
            int64(basis.denominator),
            expires_us,
            unit.recorded_us,
        ),
    )
    row = unit.connection.execute(
        "SELECT account_id, customer_id, origin, basis_num, basis_den, expires_us, opened_us, "
        "spent_ucr, spent_rounding_ucr FROM lots WHERE account_id = ?",
        (account_id,),
    ).fetchone()
    return _lot(row)


def lots_of(connection: sqlite3.Connection, customer_id: int) -> list[Lot]:
    """All lots of a customer, empty and expired ones too, oldest first."""
    rows = connection.execute(
        "SELECT account_id, customer_id, origin, basis_num, basis_den, expires_us, opened_us, "
        "spent_ucr, spent_rounding_ucr FROM lots WHERE customer_id = ? ORDER BY account_id",
        (customer_id,),
    )
    return [_lot(row) for row in rows]


def lots_in_spend_order(
    connection: sqlite3.Connection, customer_ids: I64, policy: Policy, now_us: int
) -> LotColumns:
    """The lots of these customers that can pay at ``now_us``, in the policy's spend order.

    ``customer_ids`` (C,) are distinct; their order is kept. A customer without such a lot
    has no rows. Lots with nothing available are left out.
    """
    wanted = np.asarray(customer_ids, dtype=np.int64)
    invariant(len(np.unique(wanted)) == len(wanted), "each customer is asked for once")
    rows = connection.execute(
        f"SELECT {_COLUMNS}, l.customer_id, l.expires_us, l.opened_us FROM lots l "
        "JOIN accounts a USING (account_id) "
        "WHERE l.customer_id IN (SELECT value FROM json_each(?)) AND l.expires_us > ? "
        f"AND {_AVAILABLE} > 0",
        (json.dumps(wanted.tolist()), now_us),
    ).fetchall()
    table = _table(rows)
    account, customer, expires_us, opened_us = table[:, 0], *table[:, 7:].T

    place = {customer_id: i for i, customer_id in enumerate(wanted.tolist())}
    owner = np.array([place[customer_id] for customer_id in customer.tolist()], dtype=np.int64)
    rank = np.array([policy.spending.order.index(origin) for origin in ORIGINS], dtype=np.int64)
    # lexsort takes the most significant key last.
    order = np.lexsort((account, opened_us, rank[table[:, 6]], expires_us, owner))
    counts = np.bincount(owner, minlength=len(wanted))
    return _lot_columns(wanted, np.concatenate(([0], np.cumsum(counts))), table[order])


def lots_of_accounts(connection: sqlite3.Connection, accounts: Sequence[int]) -> LotColumns:
    """These lots of *one* customer, in the order given: those that a hold has touched.

    Empty and expired ones too: what was held before a lot expired may still be posted.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS}, l.customer_id FROM lots l JOIN accounts a USING (account_id) "
        "WHERE l.account_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(accounts)),),
    ).fetchall()
    by_account = {row[0]: row for row in rows}
    invariant(set(by_account) == set(accounts), "a hold names lots that exist")
    table = _table([by_account[account] for account in accounts])
    owners = np.unique(table[:, 7])
    invariant(len(owners) <= 1, "a hold is on the lots of one customer")
    return _lot_columns(owners, np.array([0, len(table)][: len(owners) + 1]), table)


def save_spent(unit: Unit, lots: LotColumns) -> None:
    """Write back ``spent`` and ``spent_rounding``."""
    unit.connection.executemany(
        "UPDATE lots SET spent_ucr = ?1, spent_rounding_ucr = ?2 "
        "WHERE account_id = ?3 AND (spent_ucr, spent_rounding_ucr) <> (?1, ?2)",
        list(
            zip(
                lots.spent.tolist(),
                lots.spent_rounding.tolist(),
                lots.account.tolist(),
                strict=True,
            )
        ),
    )


_AVAILABLE = "(a.credits_posted - a.debits_posted - a.debits_pending)"
_COLUMNS = (
    f"l.account_id, {_AVAILABLE}, l.basis_num, l.basis_den, l.spent_ucr, l.spent_rounding_ucr, "
    "CASE l.origin "
    + " ".join(f"WHEN '{origin}' THEN {code}" for origin, code in ORIGIN_CODE.items())
    + " END"
)


def _table(rows: list[tuple[int, ...]]) -> I64:
    width = len(rows[0]) if rows else 10
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def _lot_columns(customer_ids: I64, offset: I64, table: I64) -> LotColumns:
    account, available, num, den, spent, spent_rounding, origin = (
        np.ascontiguousarray(table[:, i]) for i in range(7)
    )
    return LotColumns(
        customer_ids=customer_ids,
        offset=offset.astype(np.int64),
        account=account,
        available=available,
        basis_num=num,
        basis_den=den,
        spent=spent,
        spent_rounding=spent_rounding,
        origin=origin,
    )


def _lot(row: tuple[int, int, Origin, int, int, int, int, int, int]) -> Lot:
    account_id, customer_id, origin, num, den, *rest = row
    return Lot(account_id, customer_id, origin, Fraction(num, den), *rest)
