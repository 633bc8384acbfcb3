"""Intervals against values from the tables."""

import pytest

from economy.errors import BadInput
from simulations.statistics import paired_interval, t_interval


def test_t_interval_of_known_values():
    # Two-sided 95 % quantile of t with 9 degrees of freedom: 2.262157.
    interval = t_interval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert interval.mean == 5.5
    assert interval.sd == pytest.approx(3.0276504)
    assert interval.half_width == pytest.approx(2.262157 * 3.0276504 / 10**0.5, rel=1e-6)
    assert not interval.crosses_zero


def test_paired_interval_sees_what_the_levels_hide():
    interval = paired_interval([10, 12, 11], [7, 10, 8])
    assert interval.mean == pytest.approx(8 / 3)
    assert interval.low == pytest.approx(1.2325, abs=1e-3)
    assert interval.high == pytest.approx(4.1009, abs=1e-3)
    assert not interval.crosses_zero
    alone = t_interval([10, 12, 11])
    other = t_interval([7, 10, 8])
    assert alone.low is not None and other.high is not None and alone.low < other.high


@pytest.mark.parametrize(
    ("values", "crosses"),
    [([1, -1, 2], True), ([5, 6, 7], False), ([-5, -6, -7], False), ([0, 0, 0], True)],
)
def test_an_interval_says_whether_the_sign_is_known(values, crosses):
    assert t_interval(values).crosses_zero is crosses


def test_one_value_has_no_spread_and_no_sign():
    interval = t_interval([42])
    assert (interval.mean, interval.sd, interval.low, interval.high) == (42, None, None, None)
    assert interval.crosses_zero


def test_misuse_is_told():
    with pytest.raises(BadInput, match="at least one value"):
        t_interval([])
    with pytest.raises(BadInput, match="2 against 3"):
        paired_interval([1, 2], [1, 2, 3])
    with pytest.raises(BadInput, match="confidence"):
        t_interval([1, 2], confidence=1.0)


def test_large_nano_dollar_sums_keep_their_small_difference():
    big = 4_000_000_000_000_000_001
    assert paired_interval([big, big], [big - 1, big - 1]).mean == 1
