"""The forecast is the simulation's own demand, bounded, with the stated elasticity today."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dashboards.forecast import ELASTICITY_DEFAULT, OUTSIDE_SHARE, volumes

ONE = {"gpt-4": 1.0}
THREE = {"gpt-4": 0.5, "claude-3": 0.3, "llama-3": 0.2}


def volume(ratio: Fraction, elasticity: float = ELASTICITY_DEFAULT) -> float:
    return volumes(ONE, {"gpt-4": ratio}, elasticity)["gpt-4"]


def test_today_is_today() -> None:
    assert volumes(THREE, {}) == pytest.approx(dict.fromkeys(THREE, 1.0))


@pytest.mark.parametrize("elasticity", [-0.1, -1.1, -1.8])
def test_all_prices_together_move_demand_by_the_elasticity(elasticity: float) -> None:
    step = Fraction(1, 100_000)

    def total(ratio: Fraction) -> float:
        moved = volumes(THREE, dict.fromkeys(THREE, ratio), elasticity)
        return sum(THREE[model] * moved[model] for model in THREE)

    slope = (total(1 + step) - total(1 - step)) / float(2 * step)
    assert slope == pytest.approx(elasticity, rel=1e-6)


def test_a_doubled_price_leaves_a_good_third() -> None:
    assert volume(Fraction(2)) == pytest.approx(0.35748, abs=1e-5)


def test_volume_falls_with_the_price_and_stays_bounded() -> None:
    found = [volume(Fraction(n, 4)) for n in range(0, 41)]
    assert found == sorted(found, reverse=True)
    assert found[0] <= 1 / (1 - OUTSIDE_SHARE)
    assert found[-1] > 0


def test_buyers_move_to_the_neighbours_of_a_dearer_model() -> None:
    moved = volumes(THREE, {"gpt-4": Fraction(2)})
    assert moved["gpt-4"] < 1 < moved["claude-3"]
    assert moved["claude-3"] == pytest.approx(moved["llama-3"])


def test_nobody_reacts_at_elasticity_zero() -> None:
    assert [volume(Fraction(n), 0.0) for n in (0, 1, 5)] == [1.0, 1.0, 1.0]
