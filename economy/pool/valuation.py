"""What a contributed quota is worth in Credits (rules, section 4).

A quota buys whole *price units* of the model that it is valued on (1K tokens, a minute,
an image, a request); each unit is worth the price that the platform asks for it::

    floor($500 / $0.03) = 16,666 units x 5 Cr = 83,330 Cr of capacity
    fee 10 %: 8,333 Cr, the contributor's share 74,997 Cr
    valuation rate 5 Cr / $0.03 = 1/6 ucr per nusd, 166.67 Cr per quota dollar

A policy may cap the share: at $0.90 per quota dollar, redeemed at $0.009 a Credit, the
contributor gets 100 Cr per dollar served, which is 60 % of 166.67 and not 90 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from economy.catalog.costs import CostEntry
from economy.errors import BadInput
from economy.pricing.sheet import PriceLine
from economy.quantities import INDEX_BY_KEY, QUANTITIES
from economy.units import NUSD_PER_USD, int64, usd_text

MAX_QUOTA_NUSD = 10_000_000 * NUSD_PER_USD
"""A larger quota is a slip of units, not a key somebody would lend."""

_VALUED_BY = ("input", "audio", "image", "request")
"""Which price stands for the model, the first that both sheet and cost book have."""
_TOKENS_PER_UNIT = 1_000


@dataclass(frozen=True, slots=True)
class Valuation:
    """A quota in Credits. ``capacity_ucr == fee_ucr + share_ucr``.

    ``units`` are whole price units, ``rate`` is ucr of capacity per nusd of quota served.
    """

    units: int
    capacity_ucr: int
    fee_ucr: int
    share_ucr: int
    rate: Fraction


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Cost and price of one price unit of a model, by its price ``key``."""

    key: str
    cost_nusd: Fraction
    price_ucr: Fraction


def unit_price(line: PriceLine, entry: CostEntry) -> UnitPrice:
    """The price unit that a model is valued by.

    1K blended or *input* tokens, else a minute, an image, a request. Where a line sets several
    prices, input's price over input's cost stands for all. Raises :class:`BadInput` if sheet
    and cost book share no price above zero.
    """
    for key in _VALUED_BY:
        price = _price(line.prices_ucr, key)
        cost = _price(entry.prices_nusd, key)
        if price > 0 and cost > 0:
            per = QUANTITIES[INDEX_BY_KEY[key]].per
            scale = _TOKENS_PER_UNIT if key == "input" else per
            return UnitPrice(key, Fraction(cost * scale, per), Fraction(price * scale, per))
    raise BadInput(
        "a key cannot be valued on a model without a cost and a price for the same unit",
        field="model",
        value=line.model,
        way_out="Value it on a model of the provider that has both",
    )


def value_quota(
    quota_nusd: int,
    cost_nusd_per_unit: int | Fraction,
    price_ucr_per_unit: int | Fraction,
    fee: Fraction,
) -> Valuation:
    """Value a quota: whole units at the platform's price, less the fee.

    The share is rounded down to a micro-credit. Raises :class:`BadInput` for a quota of
    nothing, of less than a unit, or beyond :data:`MAX_QUOTA_NUSD`.
    """
    _check_quota(quota_nusd)
    if cost_nusd_per_unit <= 0 or price_ucr_per_unit <= 0:
        raise BadInput("a unit's cost and price must be above zero", field="cost_nusd_per_unit")
    if not 0 <= fee <= 1:
        raise BadInput(
            "the contribution fee is a part of the whole",
            field="contribution.fee",
            value=str(fee),
            way_out='Write it between "0" and "1" in the policy',
        )
    units = Fraction(quota_nusd) // Fraction(cost_nusd_per_unit)
    capacity_ucr = int64(int(units * Fraction(price_ucr_per_unit)))
    if capacity_ucr == 0:
        raise BadInput(
            "the quota does not buy one unit of the model",
            field="quota_nusd",
            value=quota_nusd,
            way_out=f"Contribute at least ${usd_text(-(-cost_nusd_per_unit // 1))}",
        )
    share_ucr = int(capacity_ucr * (1 - fee))
    return Valuation(
        units=units,
        capacity_ucr=capacity_ucr,
        fee_ucr=capacity_ucr - share_ucr,
        share_ucr=share_ucr,
        rate=Fraction(price_ucr_per_unit) / Fraction(cost_nusd_per_unit),
    )


def limit_share(
    valuation: Valuation,
    redemption_basis: Fraction,
    cap_usd_per_quota_usd: Fraction | None,
) -> Valuation:
    """The valuation with the share that may really be paid out at ``redemption_basis``.

    ``redemption_basis`` is nusd per ucr ($0.009 a Credit is 9). Under a cap, the share of a
    relieved Credit is at most ``cap / (rate x basis)``; what the contributor does not get
    is fee. The share is also rounded down until its USD is whole nano-dollars, so that
    share and USD close to zero together.
    """
    share_ucr = valuation.share_ucr
    if cap_usd_per_quota_usd is not None and redemption_basis > 0:
        largest_part = cap_usd_per_quota_usd / (valuation.rate * redemption_basis)
        share_ucr = min(share_ucr, int(valuation.capacity_ucr * largest_part))
    share_ucr -= share_ucr % redemption_basis.denominator
    return replace(valuation, share_ucr=share_ucr, fee_ucr=valuation.capacity_ucr - share_ucr)


def _price(prices: dict[str, int], key: str) -> int:
    blended = prices.get("blended", 0) if key == "input" else 0
    return prices.get(key, blended)


def _check_quota(quota_nusd: int) -> None:
    if quota_nusd <= 0:
        raise BadInput(
            "a quota must be above zero",
            field="quota_nusd",
            value=quota_nusd,
            way_out="Read what is left on the key at its provider, in USD",
        )
    if quota_nusd > MAX_QUOTA_NUSD:
        raise BadInput(
            f"a quota is at most ${usd_text(MAX_QUOTA_NUSD)}",
            field="quota_nusd",
            value=quota_nusd,
            way_out="Check the unit: it is dollars of the provider's quota",
        )
