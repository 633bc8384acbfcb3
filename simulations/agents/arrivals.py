"""When buyers have an occasion to ask: a bursty Poisson stream with a daily profile.

In a tick, the number of occasions of the whole market is Poisson with mean
``buyers * rate * tick / day * hourly * weekly * G / (1 - outside share)``, where ``G`` is
Gamma with mean 1 (bursts that all feel [D]: counts then have variance
``m + m^2 / shape``, negative binomial). Each occasion belongs to buyer i with probability
size_i: by the colouring theorem that equals independent Poisson streams a buyer, given G.

The division by ``1 - outside share`` makes this the *maximal* rate; the logit thins it
(:mod:`simulations.agents.choice`). No price enters, so occasions and their marks are
common to all answers.

Canonical order: by buyer, then by sequence within the buyer. Marks are independent of
everything, so giving them out after sorting changes no distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy.units import US_PER_DAY
from simulations.agents.choice import MARK_RANGE
from simulations.agents.population import WEIGHT_RANGE, Population
from simulations.agents.tokens import BINS
from simulations.scenario import Scenario
from simulations.streams import Purpose, stream

I64 = NDArray[np.int64]

EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday, weekday 3 of a week that begins on Monday."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The occasions of one tick as columns in canonical order, all int64 (m).

    ``buyer`` ascending; ``choice_mark`` below 2^32; ``input_mark, output_mark`` below 2^16.
    """

    buyer: I64
    choice_mark: I64
    input_mark: I64
    output_mark: I64

    def __len__(self) -> int:
        return len(self.buyer)


def mean_occasions(scenario: Scenario) -> NDArray[np.float64]:
    """Expected occasions of each tick of the horizon, before bursts; float64 (ticks)."""
    horizon, buyers = scenario.horizon, scenario.buyers
    hourly = np.asarray(buyers.hourly_profile) / np.mean(buyers.hourly_profile)
    weekly = np.asarray(buyers.weekly_profile) / np.mean(buyers.weekly_profile)
    tick = np.arange(horizon.ticks)
    first_weekday = horizon.start_us // US_PER_DAY + EPOCH_WEEKDAY
    weekday = (first_weekday + tick // horizon.ticks_per_day) % 7
    hour = tick % horizon.ticks_per_day * horizon.tick_minutes // 60
    served_a_tick = buyers.count * buyers.requests_per_day / horizon.ticks_per_day
    means: NDArray[np.float64] = hourly[hour] * weekly[weekday]
    return means * served_a_tick / (1 - scenario.choice.outside_share)


def draw_candidates(
    population: Population,
    *,
    mean: float,
    burst_shape: float,
    seed: int,
    replication: int,
    tick: int,
) -> Candidates:
    """The occasions of one tick: how many, whose, and their marks."""
    arrivals = stream(seed, replication, Purpose.ARRIVALS, tick)
    burst = arrivals.standard_gamma(burst_shape) / burst_shape
    count = int(arrivals.poisson(mean * burst))
    places = arrivals.integers(0, WEIGHT_RANGE - 1, count)
    places.sort()
    buyer = np.searchsorted(population.weight_until, places, side="right")
    choice = stream(seed, replication, Purpose.CHOICE, tick)
    tokens = stream(seed, replication, Purpose.TOKENS, tick)
    return Candidates(
        buyer=buyer,
        choice_mark=choice.integers(0, MARK_RANGE, count, dtype=np.uint32).astype(np.int64),
        input_mark=tokens.integers(0, BINS, count, dtype=np.uint16).astype(np.int64),
        output_mark=tokens.integers(0, BINS, count, dtype=np.uint16).astype(np.int64),
    )
