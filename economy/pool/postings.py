"""The postings of a contributed key (rules, section 9): when it comes, and as it serves."""

from __future__ import annotations

from typing import NamedTuple

from economy.ledger import accounts
from economy.ledger.legs import Leg
from economy.pool.keys import PoolKey
from economy.units import END_OF_TIME_US


class KeyRelief(NamedTuple):
    """What one key's service used up, as sums: see :class:`economy.pool.relief.Relief`."""

    quota_nusd: int
    relief_ucr: int
    earned_ucr: int
    fee_ucr: int
    paid_nusd: int


def earned_lot(key: PoolKey) -> str:
    """The lot that the key's owner earns on."""
    return accounts.lot_name(key.owner_id, "earned", key.share_basis, END_OF_TIME_US)


def contribution_postings(key: PoolKey) -> list[Leg]:
    """The quota; for ``upfront`` also the Credits and the USD that are owed for them."""
    quota = Leg(accounts.pool_quota(key.name), accounts.escrow_quota(key.owner_id), key.quota_nusd)
    if key.scheme == "on_use":
        return [quota]
    pool = accounts.pool_cr(key.name)
    capacity = accounts.capacity_usd(key.name)
    return [
        quota,
        Leg(pool, earned_lot(key), key.share_ucr),
        Leg(pool, accounts.FEE_CONTRIBUTION, key.fee_ucr),
        Leg(capacity, accounts.PAYABLE_CONTRIBUTORS, key.capacity_nusd),
    ]


def service_postings(key: PoolKey, used: KeyRelief) -> list[Leg]:
    """Quota comes out of escrow; capacity is used up, or earned as it serves."""
    quota = Leg(accounts.escrow_quota(key.owner_id), accounts.pool_quota(key.name), used.quota_nusd)
    if key.scheme == "upfront":
        return [
            quota,
            Leg(accounts.CAPACITY_USED, accounts.pool_cr(key.name), used.relief_ucr),
            Leg(accounts.EXPENSE_CAPACITY, accounts.capacity_usd(key.name), used.paid_nusd),
        ]
    return [
        quota,
        Leg(accounts.CAPACITY_USED, earned_lot(key), used.earned_ucr),
        Leg(accounts.CAPACITY_USED, accounts.FEE_CONTRIBUTION, used.fee_ucr),
        Leg(accounts.EXPENSE_CAPACITY, accounts.PAYABLE_CONTRIBUTORS, used.paid_nusd),
    ]
