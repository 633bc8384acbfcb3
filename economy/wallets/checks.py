"""Laws between wallets and the ledger, for ``verify``: each returns the faults it finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Final

from economy.ledger import AccountFlag, UnitCode, accounts
from economy.ledger.reading import credit_balance


def lots_are_their_accounts(connection: sqlite3.Connection) -> list[str]:
    """A lot's account has the lot's name, the unit CR and the limit that forbids overdraft."""
    wanted = (int(UnitCode.CR), int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS))
    rows = connection.execute(
        "SELECT l.account_id, l.customer_id, l.origin, l.basis_num, l.basis_den, l.expires_us, "
        "a.name, a.unit, a.flags FROM lots l LEFT JOIN accounts a USING (account_id)"
    )
    faults = []
    for account_id, customer_id, origin, num, den, expires_us, name, unit, flags in rows:
        expected = accounts.lot_name(customer_id, origin, Fraction(num, den), expires_us)
        if name != expected:
            faults.append(f"lot {account_id} is {expected}, its account {name}")
        elif (unit, flags) != wanted:
            faults.append(f"{name} has unit {unit} and limits {flags}, a lot has {wanted}")
    strays = connection.execute(
        "SELECT name FROM accounts WHERE name LIKE 'lot:%' "
        "AND account_id NOT IN (SELECT account_id FROM lots) LIMIT 5"
    )
    return faults + [f"{name} is an account without a lot" for (name,) in strays]


def spent_equals_debits(connection: sqlite3.Connection) -> list[str]:
    """What a lot has spent is what left its account, and at most what came in."""
    rows = connection.execute(
        "SELECT a.name, l.spent_ucr, a.debits_posted, a.credits_posted FROM lots l "
        "JOIN accounts a USING (account_id) "
        "WHERE l.spent_ucr <> a.debits_posted OR l.spent_ucr > a.credits_posted"
    )
    return [
        f"{name} has spent {spent} ucr, its account says {debits} of {credits}"
        for name, spent, debits, credits in rows
    ]


def purchased_equals_top_ups(connection: sqlite3.Connection) -> list[str]:
    """Purchased lots hold what packs granted; cash and issuance say the same."""
    rows = connection.execute(
        "SELECT a.name, a.credits_posted, coalesce(t.credits_ucr, 0) FROM lots l "
        "JOIN accounts a USING (account_id) LEFT JOIN (SELECT lot_account, sum(credits_ucr) AS "
        "credits_ucr FROM top_ups GROUP BY lot_account) t ON t.lot_account = l.account_id "
        "WHERE l.origin = 'purchased' AND a.credits_posted <> coalesce(t.credits_ucr, 0)"
    )
    faults = [f"{name} was granted {got} ucr, top-ups say {wanted}" for name, got, wanted in rows]
    paid_nusd, credits_ucr = connection.execute(
        "SELECT coalesce(sum(paid_nusd), 0), coalesce(sum(credits_ucr), 0) FROM top_ups"
    ).fetchone()
    for name, wanted in (
        (accounts.CASH_CLEARING, paid_nusd),
        (accounts.ISSUANCE_SALE, credits_ucr),
    ):
        got = -credit_balance(connection, name)
        if got != wanted:
            faults.append(f"{name} holds {got}, top-ups say {wanted}")
    return faults


def deferred_revenue_is_unspent_basis(connection: sqlite3.Connection) -> list[str]:
    """Deferred revenue is what was paid for packs, less what spent Credits have released."""
    (paid_nusd,) = connection.execute("SELECT coalesce(sum(paid_nusd), 0) FROM top_ups").fetchone()
    released_nusd = sum(_released_nusd(connection, "purchased"))
    got = credit_balance(connection, accounts.DEFERRED_REVENUE)
    if got == paid_nusd - released_nusd:
        return []
    return [
        f"{accounts.DEFERRED_REVENUE} holds {got} nusd; {paid_nusd} were paid and "
        f"{released_nusd} released"
    ]


CHECKS: Final[tuple[tuple[str, Callable[[sqlite3.Connection], list[str]]], ...]] = (
    ("lots and their accounts agree", lots_are_their_accounts),
    ("lots have spent what left them", spent_equals_debits),
    ("purchased lots and top-ups agree", purchased_equals_top_ups),
    ("deferred revenue is the unspent basis", deferred_revenue_is_unspent_basis),
)


def _released_nusd(connection: sqlite3.Connection, origin: str) -> Iterator[int]:
    rows = connection.execute(
        "SELECT spent_ucr, basis_num, basis_den FROM lots WHERE origin = ?", (origin,)
    )
    return (spent * num // den for spent, num, den in rows)
