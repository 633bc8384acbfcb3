"""The platform's own legs of a batch of charges (rules, section 9), from the batch's sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from economy.ledger import accounts
from economy.ledger.legs import Leg


class Released(NamedTuple):
    """USD basis that spent Credits set free, for their usage and for their rounding."""

    usage_nusd: int
    rounding_nusd: int


NOTHING = Released(0, 0)


def charge_postings(charge_ucr: int, rounding_ucr: int) -> list[Leg]:
    """What lots paid moves on from clearing: the price to usage, the rest to rounding."""
    return [
        Leg(accounts.CLEARING_USAGE, accounts.REVENUE_USAGE_CR, charge_ucr - rounding_ucr),
        Leg(accounts.CLEARING_USAGE, accounts.REVENUE_ROUNDING_CR, rounding_ucr),
    ]


def basis_postings(bought: Released, earned: Released = NOTHING) -> list[Leg]:
    """USD behind spent Credits becomes revenue.

    Bought Credits were owed as service, earned ones as money to the contributor; what was
    given away has no basis.
    """
    return [
        Leg(owed, revenue, amount)
        for owed, released in (
            (accounts.DEFERRED_REVENUE, bought),
            (accounts.PAYABLE_CONTRIBUTORS, earned),
        )
        for revenue, amount in (
            (accounts.REVENUE_USAGE_USD, released.usage_nusd),
            (accounts.REVENUE_ROUNDING_USD, released.rounding_nusd),
        )
    ]


def provider_postings(cost_nusd: Mapping[str, int]) -> list[Leg]:
    """What calls on the platform's own keys cost, by provider."""
    return [
        Leg(accounts.expense_provider(provider), accounts.PAYABLE_PROVIDERS, cost)
        for provider, cost in cost_nusd.items()
    ]
