"""The operator: answers a provider's move after a review lag.

The lag is what it takes to notice, decide, and get a second pair of eyes on the sheet;
until then the old price meets the new cost. The answers to the founding shock are fixed
prices (rules, section 7), GPT-4 at a new cost of $0.05 per 1K:

    pass on   5 -> 8   markup 60 %
    part      5 -> 6   markup 20 %
    absorb    5 -> 5   markup  0 %

An answer that names no price for the moved model absorbs: no sheet is published, so no
customer can see any difference from a world in which the provider never moved.
"""

from __future__ import annotations

import simpy

from simulations.clock import PHASES_PER_TICK, Process, instant_us, tick_at
from simulations.market import Market
from simulations.scenario import Answer, ProviderMove, Scenario


def answer_move(
    env: simpy.Environment,
    market: Market,
    scenario: Scenario,
    answer: Answer,
    move: ProviderMove,
) -> Process:
    """After the lag, publish the answer's price for the moved model, if it has one."""
    lag_ticks = scenario.horizon.tick_of(0, scenario.operator.review_lag_hours)
    yield env.timeout(lag_ticks * PHASES_PER_TICK)
    prices_ucr = answer.prices_ucr.get(move.model)
    if prices_ucr is not None:
        market.reprice(move.model, prices_ucr, instant_us(scenario.horizon, tick_at(env.now)))
