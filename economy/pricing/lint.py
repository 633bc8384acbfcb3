"""What a price sheet says that cannot be meant, or that somebody should look at.

Each line is compared with the cost of its model, price by price and at every context
tier. A *blocked* finding stops the sheet on its way to production; a *warning* is shown
and recorded. The rules, and a line that breaks each:

================== ======= ======================================================
rule               level   example
================== ======= ======================================================
no-cost            blocked a model, or a priced quantity, that the cost book lacks
unit-slip          blocked 5 Cr per million tokens instead of per thousand
price-to-cost      blocked price under half the cost, or over twenty times it
below-cost         blocked GPT-4 at 2.88 Cr per 1K, which costs 3
input-at-output    blocked $2.50 in, $10 out, and both sold at 13.5 Cr
no-cached-price    blocked cached input costs a tenth, the line has no price for it
markup             warning GPT-4 at 5 Cr: 66.67 % is outside the usual 20-50 %
demand-factor      warning a factor of 1.8 is outside the usual 0.8-1.5
================== ======= ======================================================

A formula line is warned by its parameters, a stored one by price / cost - 1. Of the first
four only the gravest is told for a price. Blended lines are exempt from the two rules
about kinds of tokens. (Negative prices never get this far: a sheet refuses them.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from economy.catalog.costs import CostBook, CostEntry
from economy.catalog.rates import NOT_PRICED, price_columns
from economy.policy import Policy
from economy.pricing.formula import markup_of
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.quantities import CACHED_INPUT, INPUT, OUTPUT, QUANTITIES
from economy.units import credits_text, usd_text

Level = Literal["warning", "blocked"]

LOWEST_PRICE_TO_COST: Final = Fraction(1, 2)
HIGHEST_PRICE_TO_COST: Final = Fraction(20)
UNIT_SLIP: Final = 1_000
CLEARLY_DEARER: Final = Fraction(5, 4)
"""Output this much dearer than input is no accident of the price grid."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one model's line breaks, in words."""

    model: str
    level: Level
    rule: str
    message: str


def lint(sheet: PriceSheet, cost_book: CostBook, at_us: int, policy: Policy) -> tuple[Finding, ...]:
    """Everything to say about a sheet against the costs at an instant, line by line.

    ``at_us`` is the instant at which the sheet is to hold, so a scheduled sheet meets the
    costs that are announced for then.
    """
    return tuple(
        finding
        for line in sheet.lines
        for finding in _lint_line(line, cost_book, at_us, policy, sheet.credit_value_nusd)
    )


def blocked(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that stop a sheet."""
    return tuple(finding for finding in findings if finding.level == "blocked")


@dataclass(frozen=True, slots=True)
class _Pair:
    """One price of a line beside its cost, at one size of the input."""

    label: str
    price_ucr: int
    cost_nusd: int
    markup: Fraction


def _lint_line(
    line: PriceLine, book: CostBook, at_us: int, policy: Policy, credit_value_nusd: int
) -> Iterator[Finding]:
    entry = book.at(line.model, at_us)
    if entry is None:
        reasons = [gap.reason for gap in book.left_out if gap.model == line.model]
        why = reasons[0] if reasons else "the cost book does not know the model"
        yield Finding(line.model, "blocked", "no-cost", f"no cost to compare with: {why}")
        return
    pairs, without_cost = _pairs(line, entry, credit_value_nusd)
    if without_cost:
        labels = ", ".join(without_cost)
        yield Finding(line.model, "blocked", "no-cost", f"priced, but without a cost: {labels}")
    broken: dict[str, list[str]] = {rule: [] for rule in _SAID}
    sound: list[_Pair] = []
    for pair in pairs:
        rule = _gravest(pair)
        if rule is None:
            sound.append(pair)
        else:
            broken[rule].append(_told(pair))
    for rule, told in broken.items():
        if told:
            yield Finding(line.model, "blocked", rule, f"{_SAID[rule]}: {'; '.join(told)}")
    if not line.blended:
        yield from _lint_tokens(line, entry)
    yield from _lint_parameters(line, sound, policy)


_SAID: Final = {
    "unit-slip": "looks like a slip by 1,000",
    "price-to-cost": "price over cost is outside 0.5 to 20",
    "below-cost": "sold below cost",
}


def _pairs(
    line: PriceLine, entry: CostEntry, credit_value_nusd: int
) -> tuple[list[_Pair], list[str]]:
    """All (price, cost) pairs worth comparing, and the labels of prices without a cost.

    Sizes at which either side changes its prices are looked at one by one; a quantity
    that costs and is charged the same as at the size before is not told again.
    """
    sizes = {0}
    sizes |= {tier.above_input_tokens + 1 for tier in line.tiers}
    sizes |= {tier.above_input_tokens + 1 for tier in entry.tiers}
    pairs: list[_Pair] = []
    without_cost: list[str] = []
    seen: set[tuple[int, int, int]] = set()
    for size in sorted(sizes):
        stated = line.prices_at(size).keys() | entry.prices_at(size).keys()
        both_blended = line.blended and entry.blended
        prices = price_columns(line.prices_at(size))
        costs = price_columns(entry.prices_at(size))
        for j, (price, cost) in enumerate(zip(prices, costs, strict=True)):
            # What neither side states falls back on both, and is told where they state it;
            # blended against blended is one comparison, not six.
            told = QUANTITIES[j].key in stated or (both_blended and j == 0)
            if not told or price == NOT_PRICED or (j, price, cost) in seen:
                continue
            seen.add((j, price, cost))
            label = "any" if both_blended and j == 0 else QUANTITIES[j].key
            label += f" per {QUANTITIES[j].unit}"
            label += f" above {size - 1:,} input tokens" if size else ""
            if cost == NOT_PRICED:
                without_cost.append(label)
            elif cost > 0:
                markup = markup_of(price, cost, credit_value_nusd)
                pairs.append(_Pair(label, price, cost, markup))
    return pairs, without_cost


def _gravest(pair: _Pair) -> str | None:
    ratio = 1 + pair.markup
    usual = (LOWEST_PRICE_TO_COST, HIGHEST_PRICE_TO_COST)
    if usual[0] <= ratio <= usual[1]:
        return "below-cost" if ratio < 1 else None
    for slipped in (ratio * UNIT_SLIP, ratio / UNIT_SLIP):
        if usual[0] <= slipped <= usual[1]:
            return "unit-slip"
    return "price-to-cost"


def _told(pair: _Pair) -> str:
    price, cost = credits_text(pair.price_ucr), usd_text(pair.cost_nusd)
    return f"{pair.label} at {price} Cr, cost ${cost} (markup {_percent(pair.markup)})"


def _lint_tokens(line: PriceLine, entry: CostEntry) -> Iterator[Finding]:
    prices, costs = line.price_columns(), price_columns(entry.prices_nusd)
    charged_alike = prices[INPUT] >= prices[OUTPUT] > 0
    if charged_alike and costs[OUTPUT] >= CLEARLY_DEARER * costs[INPUT] > 0:
        yield Finding(
            line.model,
            "blocked",
            "input-at-output",
            "input is charged like output, though output costs"
            f" {costs[OUTPUT] / costs[INPUT]:.3g} times as much",
        )
    costs_less = NOT_PRICED < costs[CACHED_INPUT] < costs[INPUT]
    if costs_less and "cached_input" not in line.prices_ucr:
        yield Finding(
            line.model,
            "blocked",
            "no-cached-price",
            "cached input costs less than input, and the line has no price for it",
        )


def _lint_parameters(line: PriceLine, pairs: list[_Pair], policy: Policy) -> Iterator[Finding]:
    usual = policy.pricing.markup_range
    span = f"outside the usual {_percent(usual.low)} to {_percent(usual.high)}"
    if not line.stored and line.markup is not None:
        if not usual.holds(line.markup):
            yield Finding(line.model, "warning", "markup", f"{_percent(line.markup)} is {span}")
    else:
        odd = [pair for pair in pairs if not usual.holds(pair.markup)]
        if odd:
            told = "; ".join(_told(pair) for pair in odd)
            yield Finding(line.model, "warning", "markup", f"{span}: {told}")
    factors = policy.pricing.demand_factor_range
    if line.demand_factor is not None and not factors.holds(line.demand_factor):
        low, high = float(factors.low), float(factors.high)
        yield Finding(
            line.model,
            "warning",
            "demand-factor",
            f"{float(line.demand_factor):g} is outside the usual {low:g} to {high:g}",
        )


def _percent(rate: Fraction) -> str:
    return f"{float(rate * 100):.4g} %"
