"""Laws of exact numbers: the divisions, and reading back what was written."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from economy.units import (
    INT64_MAX,
    credits_text,
    div_ceil,
    div_floor,
    div_half_even,
    instant_text,
    mul_div_floor,
    parse_credits,
    parse_instant,
    parse_usd,
    usd_text,
)

numerators = st.integers(-(2**100), 2**100)
denominators = st.integers(1, 2**80)
amounts = st.integers(-INT64_MAX - 1, INT64_MAX)
# Year 1 to year 9999: what a calendar can write.
instants = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)


@given(numerators, denominators)
def test_floor_and_ceil_are_the_nearest_integers_around(n: int, d: int) -> None:
    """Law: floor <= n/d <= ceil, less than one apart, equal only when d divides n."""
    low, high = div_floor(n, d), div_ceil(n, d)
    assert low <= Fraction(n, d) <= high
    assert high - low == (0 if n % d == 0 else 1)


@given(numerators, denominators)
def test_ceil_mirrors_floor(n: int, d: int) -> None:
    """Law: ceil(x) = -floor(-x)."""
    assert div_ceil(n, d) == -div_floor(-n, d)


@given(numerators, denominators)
def test_half_even_is_nearest_with_even_ties(n: int, d: int) -> None:
    """Law: the distance is at most a half, and at exactly a half the result is even."""
    nearest = div_half_even(n, d)
    distance = abs(Fraction(n, d) - nearest)
    assert distance <= Fraction(1, 2)
    if distance == Fraction(1, 2):
        assert nearest % 2 == 0


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**20))
def test_ties_are_even_for_every_odd_half(n: int, d: int) -> None:
    """Law: (2k+1)/2 in any terms rounds to an even number (random draws rarely tie)."""
    assert div_half_even((2 * n + 1) * d, 2 * d) % 2 == 0


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30), st.integers(0, 10**15))
def test_cumulative_floors_close_to_the_whole(steps: list[int], total: int) -> None:
    """Law: what is spread over many steps by cumulative floors sums to the whole exactly."""
    whole = sum(steps)
    if whole == 0:
        return
    spent, released = 0, 0
    for step in steps:
        before = mul_div_floor(total, spent, whole)
        spent += step
        share = mul_div_floor(total, spent, whole) - before
        assert share >= 0
        released += share
    assert released == total


@given(amounts)
def test_amounts_are_read_back_as_they_were_written(amount: int) -> None:
    """Law: parse(format(x)) = x over the whole int64 range, and no exponent is written."""
    assert parse_credits(credits_text(amount)) == amount
    assert parse_usd(usd_text(amount)) == amount
    assert "e" not in usd_text(amount).lower()


@given(instants)
def test_instants_are_read_back_as_they_were_written(time_us: int) -> None:
    """Law: parse(format(t)) = t to the microsecond."""
    assert parse_instant(instant_text(time_us)) == time_us
