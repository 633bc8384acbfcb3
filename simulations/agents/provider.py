"""The provider: moves its prices by the scenario's written schedule.

A process that sleeps until the next move and enters the new cost in the cost book, from
that instant on. The operator learns of it then, not before. (Drawn jump processes and the
replay of the real record are other ways to make the same schedule.)
"""

from __future__ import annotations

import simpy

from simulations.agents.operator import answer_move
from simulations.clock import MARKET, Process, instant_us, moment
from simulations.market import Market
from simulations.scenario import Answer, Scenario


def provide(env: simpy.Environment, market: Market, scenario: Scenario, answer: Answer) -> Process:
    """Move costs in the order of time; each move sets off the operator's answer."""
    schedule = sorted(
        scenario.provider_moves,
        key=lambda move: (scenario.horizon.tick_of(move.day, move.hour), move.model),
    )
    for move in schedule:
        tick = scenario.horizon.tick_of(move.day, move.hour)
        yield env.timeout(moment(tick, MARKET) - env.now)
        market.move_cost(move, instant_us(scenario.horizon, tick))
        env.process(answer_move(env, market, scenario, answer, move))
