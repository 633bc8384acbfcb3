"""What a screen shows is the exact amount, shortened only where it says so."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import money
from economy.units import BEGINNING_OF_TIME_US, INT64_MAX, parse_credits, parse_usd


@pytest.mark.parametrize(
    ("value_ucr", "text"),
    [
        (12_450_000_000, "12,450"),
        (7_500_000, "7.5"),
        (1, "0.000001"),
        (0, "0"),
        (-33_327_000_000, "−33,327"),
        (132_252_675_000, "132,252.675"),
    ],
)
def test_credits_are_exact_and_grouped(value_ucr: int, text: str) -> None:
    assert money.credits(value_ucr) == text


def test_credits_may_be_shortened() -> None:
    assert money.credits(6_671_760, digits=2) == "6.67"


@pytest.mark.parametrize(
    ("value_nusd", "text"),
    [
        (45_000_000, "$0.045"),
        (60_750_000, "$0.06075"),
        (1_890_000_000_000, "$1,890.00"),
        (-390_000_000_000, "−$390.00"),
        (1_322_526_750_000, "$1,322.53"),
        (0, "$0.00"),
        (-1, "$0.00"),
    ],
)
def test_dollars_show_cents_from_a_dollar_on(value_nusd: int, text: str) -> None:
    assert money.usd(value_nusd) == text


def test_dollars_can_be_exact() -> None:
    assert money.usd(1_322_526_750_001, exact=True) == "$1,322.526750001"


@given(st.integers(-INT64_MAX, INT64_MAX))
def test_exact_text_reads_back_to_the_same_amount(value: int) -> None:
    plain = money.credits(value).replace(",", "").replace(money.MINUS, "-")
    assert parse_credits(plain) == value
    plain = money.usd(value, exact=True).replace(",", "").replace("$", "").replace(money.MINUS, "-")
    assert parse_usd(plain) == value


def test_rates_are_percent() -> None:
    assert money.percent(Fraction(2, 3)) == "66.67 %"
    assert money.percent(Fraction(3, 8)) == "37.5 %"
    assert money.percent(None) == money.NOTHING


def test_a_dollar_sign_starts_no_formula() -> None:
    assert money.markdown("$5 and $3") == r"\$5 and \$3"


def test_differences_carry_their_sign() -> None:
    assert money.signed_usd(19_250_000) == "+$0.01925"
    assert money.signed_credits(-1_000_000) == "−1"
    assert money.signed_percent(Fraction(1, 5)) == "+20 %"
    assert money.signed_percent(None) == money.NOTHING


def test_tokens_are_priced_by_the_million_and_shown_by_the_thousand() -> None:
    assert money.price(5_000_000_000, "mtok") == "5"
    assert money.price(13_500_000, "mtok") == "0.0135"
    assert money.price(2_000_000, "minute") == "2"


def test_times_are_utc_and_the_beginning_has_none() -> None:
    assert money.time(0) == "1970-01-01 00:00:00 UTC"
    assert money.time(BEGINNING_OF_TIME_US) == money.NOTHING
