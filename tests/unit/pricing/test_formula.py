"""The formula on the price grid, tier by tier, and its two inverses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.catalog.costs import CostEntry, CostTier
from economy.errors import BadInput
from economy.policy import load_policy
from economy.pricing.formula import (
    grid_ucr_for,
    line_from_cost,
    margin_of,
    markup_of,
    passed_through_markup,
    price_ucr,
)
from economy.pricing.sheet import TierPrices
from economy.units import parse_credits, parse_usd

POLICY = load_policy("founding")
CENT_NUSD = POLICY.credit.reference_value_nusd


def at_cent(cost_nusd: int, markup: str, grid_ucr: int, direction: str = "half_even") -> int:
    return price_ucr(
        cost_nusd,
        Fraction(markup),
        Fraction(1),
        credit_value_nusd=CENT_NUSD,
        grid_ucr_per_unit=grid_ucr,
        direction=direction,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("direction", "price_cr"), [("half_even", "8"), ("up", "9"), ("down", "8")]
)
def test_the_grid_rounds_as_it_is_told(direction: str, price_cr: str) -> None:
    """$0.05 at 2/3 is 8.333 Cr."""
    assert at_cent(parse_usd("0.05"), "2/3", 1_000_000, direction) == parse_credits(price_cr)


def test_ties_go_to_the_even_multiple() -> None:
    assert [at_cent(parse_usd(usd), "0", 1_000_000) for usd in ("0.025", "0.035")] == [
        parse_credits("2"),
        parse_credits("4"),
    ]


def test_the_grid_is_per_thousand_tokens_minute_image_request() -> None:
    grid = POLICY.pricing.grid_ucr
    keys = ("blended", "input", "reasoning", "audio", "image", "request")
    assert [grid_ucr_for(key, grid) // grid for key in keys] == [1_000, 1_000, 1_000, 1, 1, 1]


def test_a_line_prices_every_key_of_every_tier_and_remembers_its_inputs() -> None:
    entry = CostEntry(
        "m",
        "p",
        0,
        {"input": parse_usd("0.15"), "output": parse_usd("0.6"), "audio": parse_usd("0.006")},
        tiers=(CostTier(200_000, {"input": parse_usd("0.3"), "output": parse_usd("1.2")}),),
    )
    line = line_from_cost(entry, Fraction("0.35"), Fraction("1.1"), POLICY, cost_version=7)
    # 0.15 x 1.35 x 1.1 / 0.01 = 22.275 Cr a million, on the grid of 0.1: 22.3.
    assert line.prices_ucr == {
        "input": parse_credits("22.3"),
        "output": parse_credits("89.1"),
        "audio": parse_credits("0.891"),
    }
    assert line.tiers == (
        TierPrices(200_000, {"input": parse_credits("44.6"), "output": parse_credits("178.2")}),
    )
    assert (line.cost_version, line.markup, line.demand_factor) == (
        7,
        Fraction("0.35"),
        Fraction("1.1"),
    )
    assert not line.stored
    assert (line.increment_ucr, line.direction) == (1_000_000, "up")


@given(st.integers(1, 10**13), st.integers(1, 10**13))
def test_markup_and_margin_are_one_profit(price: int, cost: int) -> None:
    """Law: cost x markup == revenue x margin, the profit."""
    markup, margin = markup_of(price, cost, CENT_NUSD), margin_of(price, cost, CENT_NUSD)
    assert cost * markup == Fraction(price * CENT_NUSD, 10**6) * margin
    assert margin == markup / (1 + markup)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: markup_of(1, 0, CENT_NUSD), "no markup"),
        (lambda: margin_of(0, 1, CENT_NUSD), "no margin"),
        (lambda: at_cent(1, "-2", 1), "below zero"),
        (lambda: at_cent(10**18, "0", 1), "beyond reason"),
        (lambda: passed_through_markup(Fraction(0), Fraction(0), Fraction(1)), "above zero"),
    ],
)
def test_what_has_no_answer_is_refused(call: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        call()  # type: ignore[operator]
