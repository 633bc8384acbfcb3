"""Lint: one line that breaks each rule, and what must not be told."""

from __future__ import annotations

from fractions import Fraction

import pytest

from economy.catalog.costs import CostBook, CostEntry, CostTier, LeftOut
from economy.policy import load_policy
from economy.pricing.formula import line_from_cost
from economy.pricing.lint import blocked, lint
from economy.pricing.sheet import PriceLine, PriceSheet, TierPrices
from economy.units import parse_credits, parse_usd

POLICY = load_policy("sound")
COSTS = {"input": "2.5", "output": "10", "cached_input": "0.25"}
CHAT = CostEntry("chat", "p", 0, {key: parse_usd(usd) for key, usd in COSTS.items()})
BLENDED = CostEntry("blended", "p", 0, {"blended": parse_usd("30")})
LATER = CostEntry("blended", "p", 100, {"blended": parse_usd("60")})
BOOK = CostBook([CHAT, BLENDED, LATER], [LeftOut("peaky", "p", "by the hour")])


def stored(model: str, *tiers: TierPrices, **prices_cr: str) -> PriceLine:
    prices = {key: parse_credits(price) for key, price in prices_cr.items()}
    return PriceLine(model, prices, 1_000, "up", tiers=tiers, stored=True)


def found(line: PriceLine, at_us: int = 0, book: CostBook = BOOK) -> list[tuple[str, str]]:
    findings = lint(PriceSheet("s", parse_usd("0.01"), (line,)), book, at_us, POLICY)
    assert all(finding.model == line.model for finding in findings)
    return [(finding.level, finding.rule) for finding in findings]


def chat(**changed: str) -> PriceLine:
    prices = {"input": "337.5", "output": "1350", "cached_input": "33.75"} | changed
    return stored("chat", **{key: price for key, price in prices.items() if price})


@pytest.mark.parametrize(
    ("line", "findings"),
    [
        (chat(), []),
        (chat(input="240"), [("blocked", "below-cost")]),
        (chat(input="250"), [("warning", "markup")]),
        (chat(output="499"), [("blocked", "price-to-cost")]),
        (chat(output="20001"), [("blocked", "price-to-cost")]),
        (chat(output="20000"), [("warning", "markup")]),
        (chat(output="1.35"), [("blocked", "unit-slip"), ("blocked", "input-at-output")]),
        (chat(output="1350000"), [("blocked", "unit-slip")]),
        (chat(input="1350"), [("blocked", "input-at-output"), ("warning", "markup")]),
        (chat(cached_input=""), [("blocked", "no-cached-price"), ("warning", "markup")]),
        (chat(audio="1"), [("blocked", "no-cost")]),
        (stored("blended", blended="4050"), []),
        (stored("blended", blended="2880"), [("blocked", "below-cost")]),
        (stored("nobody", input="1"), [("blocked", "no-cost")]),
        # A blended line over split costs is exempt from two rules, and compared with each
        # cost: 1,350 Cr is 54 times cached input, 5.4 times input, 1.35 times output.
        (stored("chat", blended="1350"), [("blocked", "price-to-cost"), ("warning", "markup")]),
    ],
)
def test_each_rule(line: PriceLine, findings: list[tuple[str, str]]) -> None:
    assert found(line) == findings


def test_costs_are_those_of_the_instant_at_which_the_sheet_holds() -> None:
    line = stored("blended", blended="4050")
    assert found(line, at_us=99) == []
    assert found(line, at_us=100) == [("blocked", "below-cost")]


def test_a_tier_that_the_line_lacks_is_sold_below_cost() -> None:
    tier = CostTier(200_000, {"input": parse_usd("5"), "output": parse_usd("15")})
    entry = CostEntry("m", "p", 0, {"input": parse_usd("2.5"), "output": parse_usd("10")}, (tier,))
    book = CostBook([entry])
    flat = stored("m", input="337.5", output="1350")
    assert found(flat, book=book) == [("blocked", "below-cost")]
    both = stored(
        "m",
        TierPrices(200_000, {"input": parse_credits("675"), "output": parse_credits("2025")}),
        input="337.5",
        output="1350",
    )
    assert found(both, book=book) == []


@pytest.mark.parametrize(
    ("markup", "factor", "findings"),
    [
        ("0.20", "1.5", []),
        ("0.50", "0.8", []),
        ("0.51", "1", [("warning", "markup")]),
        ("0.5", "1.51", [("warning", "demand-factor")]),
        ("0.19", "1.6", [("warning", "markup"), ("warning", "demand-factor")]),
        ("0.20", "0.8", [("blocked", "below-cost")]),
    ],
)
def test_formula_lines_are_warned_by_their_parameters(
    markup: str, factor: str, findings: list[tuple[str, str]]
) -> None:
    """At 20 % and 1.5 the price is 80 % over cost, and still within the usual ranges."""
    assert found(line_from_cost(CHAT, Fraction(markup), Fraction(factor), POLICY)) == findings


def test_messages_name_the_price_the_cost_and_the_reason() -> None:
    lines = (chat(input="240"), stored("peaky", input="1"))
    findings = lint(PriceSheet("s", parse_usd("0.01"), lines), BOOK, 0, POLICY)
    assert findings[0].message == (
        "sold below cost: input per mtok at 240 Cr, cost $2.5 (markup -4 %)"
    )
    assert findings[1].message.endswith("by the hour")
    assert blocked(findings) == findings
