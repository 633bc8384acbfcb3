"""Exact money and time at the border: what is read, what is refused, how it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from economy.errors import BadInput, InvariantBroken
from economy.units import (
    BEGINNING_OF_TIME_US,
    END_OF_TIME_US,
    INT64_MAX,
    credits_text,
    day_text,
    div_ceil,
    div_floor,
    div_half_even,
    instant_text,
    instant_us,
    int64,
    mul_div_floor,
    parse_credits,
    parse_instant,
    parse_rate,
    parse_usd,
    usd_text,
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "floor", "ceil", "half_even"),
    [
        (7, 2, 3, 4, 4),  # 3.5: the even neighbour is above.
        (5, 2, 2, 3, 2),  # 2.5: the even neighbour is below.
        (-5, 2, -3, -2, -2),
        (-7, 2, -4, -3, -4),
        (-1, 3, -1, 0, 0),
        (6, 3, 2, 2, 2),
        (0, 9, 0, 0, 0),
        (2**80 + 1, 2**80, 1, 2, 1),  # Python integers: no overflow on the way.
    ],
)
def test_each_division_rounds_as_its_name_says(
    numerator: int, denominator: int, floor: int, ceil: int, half_even: int
) -> None:
    assert div_floor(numerator, denominator) == floor
    assert div_ceil(numerator, denominator) == ceil
    assert div_half_even(numerator, denominator) == half_even


@pytest.mark.parametrize("divide", [div_floor, div_ceil, div_half_even])
@pytest.mark.parametrize("denominator", [0, -3])
def test_a_denominator_that_is_not_positive_is_a_bug(divide: Any, denominator: int) -> None:
    with pytest.raises(InvariantBroken):
        divide(1, denominator)


def test_a_product_beyond_64_bits_is_divided_exactly() -> None:
    # 2e9 tokens at 5,000 Cr per million tokens: the product, 1e19, is beyond int64.
    assert mul_div_floor(2_000_000_000, 5_000_000_000, 1_000_000) == 10_000_000_000_000


@pytest.mark.parametrize("value", [INT64_MAX, -INT64_MAX - 1, 0])
def test_the_whole_int64_range_fits(value: int) -> None:
    assert int64(value) == value


@pytest.mark.parametrize("value", [INT64_MAX + 1, -INT64_MAX - 2])
def test_beyond_int64_is_an_error_and_never_wraps(value: int) -> None:
    with pytest.raises(BadInput, match="64-bit"):
        int64(value)
    with pytest.raises(BadInput, match="64-bit"):
        mul_div_floor(value, 1, 1)


@pytest.mark.parametrize(
    ("text", "ucr"),
    [("7.5", 7_500_000), ("0.000001", 1), ("-3", -3_000_000), (5, 5_000_000), (" 1e3 ", 10**9)],
)
def test_credits_as_a_person_writes_them(text: object, ucr: int) -> None:
    assert parse_credits(text) == ucr


@pytest.mark.parametrize(("text", "nusd"), [("0.03", 30_000_000), ("500", 5 * 10**11)])
def test_dollars_as_a_person_writes_them(text: object, nusd: int) -> None:
    assert parse_usd(text) == nusd


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (0.03, "float"),
        (5.0, "float"),  # Refused even where the float happens to be right.
        (True, "float"),
        ("3 cents", "not a decimal"),
        ("", "not a decimal"),
        ("NaN", "finite"),
        ("Infinity", "finite"),
        ("0.0000000001", "finer than a nano-dollar"),
        ("9223372036.854775808", "64-bit"),
        ("1e999999999", "places"),  # As a fraction this would fill the memory.
        ("1e-999999999", "places"),
        (None, "not a number"),
        ([], "not a number"),
    ],
)
def test_what_is_not_an_exact_amount_is_refused_by_field(value: object, fault: str) -> None:
    with pytest.raises(BadInput, match=fault) as caught:
        parse_usd(value, "price_usd")
    assert caught.value.field == "price_usd"


def test_a_decimal_with_more_digits_than_the_default_precision_is_not_rounded() -> None:
    """Decimal arithmetic rounds to 28 digits; an exact parser must not let that happen."""
    with pytest.raises(BadInput, match="finer than a micro-credit"):
        parse_credits("1234567890.000000000000000000000000001")


def test_a_rate_is_an_exact_fraction() -> None:
    assert parse_rate("0.35") == Fraction(7, 20)
    assert parse_rate(Decimal("0.1")) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("nusd", "text"),
    [
        (45_000_000, "0.045"),
        (60_750_000, "0.06075"),
        (1, "0.000000001"),
        (-390 * 10**9, "-390"),
        (0, "0"),
        (INT64_MAX, "9223372036.854775807"),
    ],
)
def test_dollars_are_told_exactly(nusd: int, text: str) -> None:
    assert usd_text(nusd) == text


def test_credits_are_told_exactly() -> None:
    assert credits_text(7_500_000) == "7.5"
    assert credits_text(74_997_000_000) == "74997"


def test_an_instant_with_any_offset_is_the_same_instant() -> None:
    utc = parse_instant("2026-01-31T09:30:00Z")
    assert utc == parse_instant("2026-01-31T17:30:00+08:00")
    assert utc == instant_us(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    assert instant_text(utc) == "2026-01-31T09:30:00Z"
    assert day_text(utc) == "2026-01-31"


@pytest.mark.parametrize(
    ("text", "fault"),
    [("2026-01-31T09:30:00", "zone"), ("yesterday", "not a time"), ("2026-13-01", "not a time")],
)
def test_a_time_that_could_mean_two_instants_is_refused(text: str, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        parse_instant(text, "from")


def test_the_ends_of_time_have_names() -> None:
    assert instant_text(BEGINNING_OF_TIME_US) == "beginning"
    assert instant_text(END_OF_TIME_US) == "end"


def test_instants_before_1970_keep_their_day_and_fraction() -> None:
    assert instant_text(-1) == "1969-12-31T23:59:59.999999Z"
    assert day_text(-1) == "1969-12-31"
