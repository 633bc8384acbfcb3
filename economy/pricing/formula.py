"""From cost to price: ``cost x (1 + markup) x demand factor / value of a Credit``.

GPT-4 costs $0.03 per 1K tokens and a Credit is worth $0.01. At a markup of 35 % and a
demand factor of 1.0 that is 0.03 x 1.35 / 0.01 = 4.05 Cr per 1K; at 20 % and 0.8 it is
2.88 Cr (below cost), at 50 % and 1.5 it is 6.75 Cr. The result is put on the policy's
price grid (a multiple of so many Credits per 1,000 tokens, minute, image or request).

*Markup* is profit over cost, *margin* is profit over revenue: GPT-4 sold at 5 Cr has a
markup of 66.67 % and a margin of 40 %. (Rules, sections 2 and 7.)
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from economy.catalog.costs import CostEntry
from economy.catalog.rates import BLENDED
from economy.errors import BadInput, invariant
from economy.policy import Policy, Rounding
from economy.pricing.sheet import Direction, PriceLine, TierPrices
from economy.quantities import INDEX_BY_KEY, MAX_PRICE, N_TOKEN_QUANTITIES
from economy.units import UCR_PER_CREDIT, div_ceil, div_floor, div_half_even

POWER_DIGITS = 40
"""A fractional power is irrational; so many digits are far more than any price has."""


def price_ucr(
    cost_nusd: int,
    markup: Fraction,
    demand_factor: Fraction,
    *,
    credit_value_nusd: int,
    grid_ucr_per_unit: int,
    direction: Direction = "half_even",
) -> int:
    """The price in ucr of what costs ``cost_nusd``, a multiple of the grid.

    The unit is whatever the cost is for; the grid is in ucr for that same unit.
    """
    invariant(credit_value_nusd > 0, "a Credit is worth something")
    invariant(grid_ucr_per_unit > 0, "a price grid has a step")
    exact = cost_nusd * (1 + markup) * demand_factor * UCR_PER_CREDIT / credit_value_nusd
    if exact < 0:
        raise BadInput("a price below zero", field="markup", value=str(markup))
    divide = {"up": div_ceil, "down": div_floor, "half_even": div_half_even}[direction]
    steps = divide(exact.numerator, exact.denominator * grid_ucr_per_unit)
    price = steps * grid_ucr_per_unit
    if price > MAX_PRICE:
        raise BadInput("a price beyond reason", field="price_ucr", value=price)
    return price


def markup_of(price_ucr: int, cost_nusd: int, credit_value_nusd: int) -> Fraction:
    """Profit over cost at the Credit's value; a cost of zero has no markup (BadInput)."""
    if cost_nusd == 0:
        raise BadInput("what costs nothing has no markup", field="cost_nusd", value=0)
    return Fraction(price_ucr * credit_value_nusd, UCR_PER_CREDIT * cost_nusd) - 1


def margin_of(price_ucr: int, cost_nusd: int, credit_value_nusd: int) -> Fraction:
    """Profit over revenue at the Credit's value; a price of zero has no margin (BadInput)."""
    if price_ucr == 0:
        raise BadInput("what is sold for nothing has no margin", field="price_ucr", value=0)
    return 1 - Fraction(UCR_PER_CREDIT * cost_nusd, price_ucr * credit_value_nusd)


def passed_through_markup(markup: Fraction, r: Fraction, theta: Fraction) -> Fraction:
    """The markup after a cost move by the factor ``r``, of which ``theta`` is passed on.

    ``1 + markup' = (1 + markup) r^(theta - 1)``: theta 1 keeps the markup (the price moves
    by r), theta 0 keeps the price. Exact for a whole theta, else to 40 digits.
    """
    if r <= 0:
        raise BadInput("a cost moves by a factor above zero", field="r", value=str(r))
    power = theta - 1
    if power.denominator == 1:
        factor = r**power.numerator
    else:
        context = Context(prec=POWER_DIGITS)
        base = context.divide(Decimal(r.numerator), Decimal(r.denominator))
        exponent = context.divide(Decimal(power.numerator), Decimal(power.denominator))
        factor = Fraction(context.power(base, exponent))
    return (1 + markup) * factor - 1


def grid_ucr_for(key: str, grid_ucr: int) -> int:
    """The policy's grid (per 1,000 tokens, minute, image, request) per unit of a price key."""
    is_token = key == BLENDED or INDEX_BY_KEY[key] < N_TOKEN_QUANTITIES
    return grid_ucr * 1_000 if is_token else grid_ucr


def line_from_cost(
    entry: CostEntry,
    markup: Fraction,
    demand_factor: Fraction,
    policy: Policy,
    *,
    rounding: Rounding | None = None,
    cost_version: int = 0,
) -> PriceLine:
    """The formula applied to every price of a cost entry, tier by tier.

    A blended cost makes a blended line. ``rounding`` overrides the policy's.
    """

    def priced(costs_nusd: dict[str, int]) -> dict[str, int]:
        return {
            key: price_ucr(
                cost_nusd,
                markup,
                demand_factor,
                credit_value_nusd=policy.credit.reference_value_nusd,
                grid_ucr_per_unit=grid_ucr_for(key, policy.pricing.grid_ucr),
                direction=policy.pricing.grid_direction,
            )
            for key, cost_nusd in costs_nusd.items()
        }

    rule = rounding or policy.pricing.rounding
    return PriceLine(
        model=entry.model,
        prices_ucr=priced(entry.prices_nusd),
        increment_ucr=rule.increment_ucr,
        direction=rule.direction,
        tiers=tuple(
            TierPrices(tier.above_input_tokens, priced(tier.prices_nusd)) for tier in entry.tiers
        ),
        cost_version=cost_version,
        markup=markup,
        demand_factor=demand_factor,
    )
