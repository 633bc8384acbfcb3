"""Agents against closed forms: tokens, choice, arrivals, sizes, top-ups."""

import math

import numpy as np
import pytest

from simulations.agents.arrivals import draw_candidates, mean_occasions
from simulations.agents.choice import MARK_RANGE, choose, probabilities, thresholds
from simulations.agents.population import WEIGHT_RANGE, draw_population
from simulations.agents.tokens import (
    BINS,
    MAX_TOKENS,
    bin_means,
    buyer_scales,
    token_table,
    tokens_of,
)
from simulations.agents.top_ups import NO_PACK, choose_packs
from simulations.scenario import TokenTable, load_scenario

# Tokens -------------------------------------------------------------------------------


def test_bin_means_keep_the_mean_of_the_lognormal():
    table = TokenTable(mu=6.6333, sigma=0.9852)
    assert bin_means(table, BINS).mean() == pytest.approx(math.exp(6.6333 + 0.9852**2 / 2))


@pytest.mark.parametrize(("price", "expected"), [(1, 1.77485), (2, 2.97229), (5, 6.67176)])
def test_the_mean_rounded_charge_meets_its_closed_form(price, expected):
    """Model, section 9: E[ceil X] = sum_k P(X > k), X = p T / 1000, 1e-4 on tables."""
    entries = token_table(TokenTable(mu=6.6333, sigma=0.9852))
    assert np.ceil(price * entries / 1000).mean() == pytest.approx(expected, abs=1e-4)


def test_between_buyer_spread_is_part_of_the_whole():
    """Scales have mean 1 and carry their part of sigma: the pooled spread stays."""
    table = TokenTable(mu=6.0, sigma=1.0, between_buyer_sd=0.6)
    scales = buyer_scales(table, np.random.default_rng(1).standard_normal(200_000)) / 1024
    within = np.log(bin_means(table, BINS))
    assert scales.mean() == pytest.approx(1, abs=0.01)
    assert np.log(scales).std() == pytest.approx(0.6, abs=0.01)
    assert math.hypot(within.std(), 0.6) == pytest.approx(1.0, abs=0.002)
    assert bin_means(table, BINS).mean() == pytest.approx(math.exp(6.5))


def test_written_quantiles_are_linear_between():
    table = TokenTable(quantiles=(0, 10, 10, 40))
    assert bin_means(table, 6).tolist() == pytest.approx([2.5, 7.5, 10, 10, 17.5, 32.5])


def test_tokens_are_whole_bounded_and_scaled():
    entries = np.array([1, 1000, MAX_TOKENS])
    marks, scale = np.array([0, 1, 1, 2]), np.array([512, 1024, 1536, 2048])
    assert tokens_of(entries, marks, scale).tolist() == [1, 1000, 1500, MAX_TOKENS]


# Choice -------------------------------------------------------------------------------

SHARES, OUTSIDE, OPENING = [0.5, 0.3, 0.2], 0.4, [8e6, 6e6, 2e6]


def chances(prices, elasticity=-1.1):
    return np.array(probabilities(SHARES, OUTSIDE, elasticity, prices, OPENING))


def test_opening_prices_give_the_opening_shares():
    assert chances(OPENING) == pytest.approx(np.array(SHARES) * 0.6)


def test_elasticities_of_the_logit():
    """Own -b (1 - P), cross b P, all prices together -b s_0 (model, section 3)."""
    b, step, base = 1.1 / OUTSIDE, 1e-6, chances(OPENING)
    dearer = [OPENING[0] * (1 + step), *OPENING[1:]]
    slopes = (np.log(chances(dearer)) - np.log(base)) / math.log1p(step)
    assert slopes[0] == pytest.approx(-b * (1 - base[0]), rel=1e-4)
    assert slopes[1:] == pytest.approx(b * base[0], rel=1e-4)
    together = chances([price * (1 + step) for price in OPENING])
    slope = math.log(together.sum() / base.sum()) / math.log1p(step)
    assert slope == pytest.approx(-1.1, rel=1e-4)


def test_other_models_keep_their_ratio():
    """Independence of irrelevant alternatives, which plain logit has."""
    moved, base = chances([16e6, 6e6, 2e6]), chances(OPENING)
    assert moved[1] / moved[2] == pytest.approx(base[1] / base[2])


def test_marks_fall_to_models_by_integer_thresholds():
    limits = thresholds([0.25, 0.15, 0.10])
    assert limits.tolist() == [2**30, round(0.4 * MARK_RANGE), 2**31]
    marks = np.array([0, 2**30 - 1, 2**30, 2_000_000_000, 2**31 - 1, 2**31, MARK_RANGE - 1])
    assert choose(limits, marks).tolist() == [0, 0, 1, 2, 2, 3, 3]


# Arrivals and sizes -------------------------------------------------------------------


@pytest.fixture(scope="module")
def shock():
    return load_scenario("gpt4_shock")


def population_of(scenario, replication=0):
    packs = tuple(sorted(scenario.policy().packs, key=lambda pack: pack.price_nusd))
    return draw_population(
        scenario,
        packs,
        mean_charge_ucr=8e6,
        credit_value_nusd=10_000_000,
        seed=1,
        replication=replication,
    )


def test_the_horizon_asks_as_much_as_the_scenario_says(shock):
    """5 served a day of 2,000 buyers at half outside is 20,000 occasions a day."""
    by_day = mean_occasions(shock).reshape(-1, 24).sum(axis=1)
    assert by_day[:28].mean() == pytest.approx(20_000)
    assert by_day[0] > by_day[5]  # The start is a Monday; Saturdays are calmer.


def test_counts_are_negative_binomial_and_go_to_buyers_by_size(shock):
    """Gamma-mixed Poisson: variance m + m^2 / shape. Given all, buyers are binomial."""
    population, m, shape = population_of(shock), 400.0, 5.0
    counts, largest = [], int(np.argmax(np.diff(population.weight_until, prepend=0)))
    hits = 0
    for tick in range(3_000):
        drawn = draw_candidates(
            population, mean=m, burst_shape=shape, seed=3, replication=0, tick=tick
        )
        counts.append(len(drawn))
        hits += int((drawn.buyer == largest).sum())
        assert (np.diff(drawn.buyer) >= 0).all()
    assert np.mean(counts) == pytest.approx(m, rel=0.03)
    assert np.var(counts) == pytest.approx(m + m**2 / shape, rel=0.1)
    share = np.diff(population.weight_until, prepend=0)[largest] / WEIGHT_RANGE
    assert hits / sum(counts) == pytest.approx(share, rel=0.02)


def test_whales_are_the_model(shock):
    sizes = np.sort(np.diff(population_of(shock).weight_until, prepend=0) / WEIGHT_RANGE)
    assert sizes.sum() == pytest.approx(1)
    assert sizes[-20:].sum() > 0.25
    assert sizes[:1000].sum() < 0.05


# Top-ups ------------------------------------------------------------------------------


def packs_of(**changed):
    """One buyer at the packs Starter, Pro, Volume, Enterprise (10, 90, 100, 800 dollars)."""
    given = {
        "balance": 0,
        "low_water": 100,
        "refused": False,
        "budget": 1_000,
        "mark": (0x2000 << 16) + 40_000,
        "notice": 16_384,
    } | changed
    return choose_packs(
        np.array([[given["balance"], 0]]),
        np.array([given["low_water"]]),
        np.array([given["refused"]]),
        np.array([given["budget"]]),
        np.array([given["mark"]]),
        given["notice"],
        np.array([[10_000, 30_000, 50_000, 65_536]]),
        np.array([10, 90, 100, 800]),
    ).tolist()[0]


@pytest.mark.parametrize(
    ("changed", "pack"),
    [
        ({}, 2),
        ({"balance": 100}, NO_PACK),
        ({"balance": 99}, 2),
        ({"balance": 100, "refused": True}, 2),
        ({"notice": 0x2000}, NO_PACK),
        ({"budget": 99}, 1),
        ({"budget": 50}, 0),
        ({"budget": 9}, NO_PACK),
        ({"mark": 65_535}, 3),
        ({"mark": 0}, 0),
        ({"mark": 10_000}, 1),
    ],
)
def test_who_tops_up_and_by_which_pack(changed, pack):
    assert packs_of(**changed) == pack
