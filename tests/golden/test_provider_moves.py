"""Golden: what the founding answers to a provider's move are, the rules, section 7."""

from __future__ import annotations

from fractions import Fraction

import pytest

from economy.pricing.formula import markup_of, passed_through_markup, price_ucr
from economy.units import UCR_PER_CREDIT, parse_credits, parse_usd

OLD_NUSD, NEW_NUSD = parse_usd("0.03"), parse_usd("0.05")
CENT_NUSD = parse_usd("0.01")
MARKUP = markup_of(parse_credits("5"), OLD_NUSD, CENT_NUSD)
MOVE = Fraction(NEW_NUSD, OLD_NUSD)


@pytest.mark.parametrize(
    ("price_cr", "markup"),
    [("8", "0.6"), ("6", "0.2"), ("7", "0.4"), ("5", "0")],
    ids=["pass on", "absorb part", "absorb less", "absorb all"],
)
def test_fixed_prices_after_the_rise(price_cr: str, markup: str) -> None:
    """ "pass on 5 -> 8 (markup 60 %), absorb part 5 -> 6 (20 %) or 7 (40 %), absorb all
    5 -> 5 (0 %)" """
    assert markup_of(parse_credits(price_cr), NEW_NUSD, CENT_NUSD) == Fraction(markup)


@pytest.mark.parametrize(
    ("theta", "price_cr"), [("1", 8), ("0.5", 6), ("0", 5)], ids=["pass on", "part", "absorb"]
)
def test_pass_through_on_a_grid_of_whole_credits(theta: str, price_cr: int) -> None:
    """ "before the grid, 1 + markup' = (1 + markup) r^(theta - 1)" """
    markup = passed_through_markup(MARKUP, MOVE, Fraction(theta))
    price = price_ucr(
        NEW_NUSD,
        markup,
        Fraction(1),
        credit_value_nusd=CENT_NUSD,
        grid_ucr_per_unit=UCR_PER_CREDIT,
    )
    assert price == price_cr * UCR_PER_CREDIT


@pytest.mark.parametrize("move", [MOVE, 1 / MOVE, Fraction(1, 2), Fraction(2)])
def test_the_ends_are_exact_for_rises_and_cuts(move: Fraction) -> None:
    """ "Cuts are as common as rises: every tool works for both": theta 1 keeps the markup,
    theta 0 keeps the price."""
    assert passed_through_markup(MARKUP, move, Fraction(1)) == MARKUP
    kept = passed_through_markup(MARKUP, move, Fraction(0))
    assert OLD_NUSD * move * (1 + kept) == OLD_NUSD * (1 + MARKUP)


def test_half_passed_twice_is_one_move() -> None:
    """Two moves by the square root, half passed on, are one whole move, half passed on."""
    half = Fraction(1, 2)
    root = Fraction(3, 2)
    twice = passed_through_markup(passed_through_markup(MARKUP, root, half), root, half)
    once = passed_through_markup(MARKUP, root * root, half)
    assert abs(twice - once) < Fraction(1, 10**35)
    assert passed_through_markup(MARKUP, Fraction(9, 4), half) == pytest.approx(
        float((1 + MARKUP) / Fraction(3, 2) - 1), abs=1e-15
    )
