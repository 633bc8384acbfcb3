"""Laws between contributed keys and the ledger, for ``verify``: each returns its faults."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from economy.ledger import accounts
from economy.pool.keys import PoolKey, keys


def keys_are_relieved_by_what_they_served(connection: sqlite3.Connection) -> list[str]:
    """A key's capacity and USD follow from the quota it has served, and from nothing else."""
    faults = []
    for key in keys(connection):
        relieved_ucr = min(key.capacity_ucr, int(key.served_quota_nusd * key.rate))
        if key.scheme == "upfront":
            relieved_nusd = relieved_ucr * key.capacity_nusd // key.capacity_ucr
        else:
            relieved_nusd = int(key.earned_ucr * key.share_basis)
        if (key.relieved_ucr, key.relieved_nusd) != (relieved_ucr, relieved_nusd):
            faults.append(
                f"{key.name} has served {key.served_quota_nusd} nusd, so {relieved_ucr} ucr and "
                f"{relieved_nusd} nusd are relieved, not {key.relieved_ucr} and {key.relieved_nusd}"
            )
    return faults


def keys_are_their_accounts(connection: sqlite3.Connection) -> list[str]:
    """What the ledger keeps for each key and owner is what the key has left."""
    pool = keys(connection)
    wanted: dict[str, int] = defaultdict(int)
    for key in pool:
        wanted[accounts.pool_quota(key.name)] = key.left_nusd
        wanted[accounts.escrow_quota(key.owner_id)] -= key.left_nusd
        if key.scheme == "upfront":
            wanted[accounts.pool_cr(key.name)] = key.capacity_ucr - key.relieved_ucr
            wanted[accounts.capacity_usd(key.name)] = key.capacity_nusd - key.relieved_nusd
        wanted[accounts.CAPACITY_USED] += key.relieved_ucr
        wanted[accounts.EXPENSE_CAPACITY] += key.relieved_nusd
        wanted[accounts.FEE_CONTRIBUTION] -= _fee_so_far_ucr(key)
    return list(_differences(connection, wanted))


def earned_lots_are_what_keys_earned(connection: sqlite3.Connection) -> list[str]:
    """An owner's earned lots were granted what the owner's keys have earned."""
    wanted: dict[int, int] = defaultdict(int)
    for key in keys(connection):
        wanted[key.owner_id] += key.earned_ucr
    granted = dict(
        connection.execute(
            "SELECT l.customer_id, sum(a.credits_posted) FROM lots l "
            "JOIN accounts a USING (account_id) WHERE l.origin = 'earned' GROUP BY l.customer_id"
        ).fetchall()
    )
    return [
        f"the earned lots of customer {owner} were granted {granted.get(owner, 0)} ucr, "
        f"the keys earned {wanted.get(owner, 0)}"
        for owner in sorted(wanted.keys() | granted.keys())
        if granted.get(owner, 0) != wanted.get(owner, 0)
    ]


def contributors_are_owed_what_is_unspent(connection: sqlite3.Connection) -> list[str]:
    """What contributors are owed is what keys have paid, less what spent earned Credits release."""
    paid_nusd = sum(
        key.capacity_nusd if key.scheme == "upfront" else key.relieved_nusd
        for key in keys(connection)
    )
    rows = connection.execute(
        "SELECT spent_ucr, basis_num, basis_den FROM lots WHERE origin = 'earned'"
    )
    released_nusd = sum(spent * num // den for spent, num, den in rows)
    return list(
        _differences(connection, {accounts.PAYABLE_CONTRIBUTORS: released_nusd - paid_nusd})
    )


CHECKS: Final[tuple[tuple[str, Callable[[sqlite3.Connection], list[str]]], ...]] = (
    ("keys are relieved by what they served", keys_are_relieved_by_what_they_served),
    ("keys and their accounts agree", keys_are_their_accounts),
    ("earned lots are what keys earned", earned_lots_are_what_keys_earned),
    ("contributors are owed what is unspent", contributors_are_owed_what_is_unspent),
)


def _fee_so_far_ucr(key: PoolKey) -> int:
    if key.scheme == "upfront":
        return key.fee_ucr
    return key.relieved_ucr - key.earned_ucr


def _differences(connection: sqlite3.Connection, wanted: dict[str, int]) -> Iterator[str]:
    """Accounts whose debit balance is not the wanted one (credit-normal ones are negative)."""
    for name, balance in wanted.items():
        row = connection.execute(
            "SELECT debits_posted - credits_posted FROM accounts WHERE name = ?", (name,)
        ).fetchone()
        got = int(row[0]) if row else 0
        if got != balance:
            yield f"{name} holds {got}, the pool says {balance}"
