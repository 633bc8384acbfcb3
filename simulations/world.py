"""Everything that both engines start from: the same world, drawn once, owned by neither.

A world is one replication under one answer. It holds what is exogenous (the population,
the occasions of each tick and their marks), what everybody shares (the market and the
ledger), and the recording. What an engine adds is only *how* buyers are stepped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from economy.errors import invariant
from economy.policy import Pack, Policy
from economy.pool.contribution import redemption_basis, value_contribution
from economy.pool.keys import PoolKey
from economy.units import int64
from simulations.agents.arrivals import Candidates, draw_candidates, mean_occasions
from simulations.agents.population import Population, draw_population
from simulations.agents.tokens import token_table
from simulations.agents.top_ups import top_up_marks
from simulations.books import Books
from simulations.clock import instant_us
from simulations.market import Market
from simulations.recording import Recording, TickTotals
from simulations.scenario import Answer, Scenario

I64 = NDArray[np.int64]
TickHook = Callable[[int, Books], None]
"""Called after each tick is closed, with its number and the books."""


class World:
    """One replication of a scenario under one answer, at its opening."""

    def __init__(
        self, scenario: Scenario, policy: Policy, answer: Answer, seed: int, replication: int
    ) -> None:
        self.scenario = scenario
        self.policy = policy
        self.answer = answer
        self.seed = seed
        self.replication = replication
        self.packs: tuple[Pack, ...] = tuple(
            sorted(policy.packs, key=lambda pack: (pack.price_nusd, pack.name))
        )
        self.market = Market(scenario, policy)
        self.population: Population = draw_population(
            scenario,
            self.packs,
            mean_charge_ucr=self.market.opening_charge_ucr,
            credit_value_nusd=policy.credit.reference_value_nusd,
            seed=seed,
            replication=replication,
        )
        self.mean_occasions = mean_occasions(scenario)
        self.input_entries: I64 = token_table(scenario.tokens.input)
        self.output_entries: I64 = token_table(scenario.tokens.output)
        self.keys = tuple(
            self._pool_key(number) for number in range(len(scenario.contributed_keys))
        )
        self.key_of_provider = {key.provider: row for row, key in enumerate(self.keys)}
        self.books = Books(
            scenario.buyers.count * len(self.packs), self.market.providers, self.keys
        )
        self.books.contribute(scenario.horizon.start_us)
        self._liability_ucr = 0
        self._deferred_nusd = 0
        self.recording = Recording(self.market.models, scenario.horizon.ticks)

    def candidates(self, tick: int) -> Candidates:
        """The occasions of a tick, in canonical order."""
        return draw_candidates(
            self.population,
            mean=float(self.mean_occasions[tick]),
            burst_shape=self.scenario.buyers.burst_shape,
            seed=self.seed,
            replication=self.replication,
            tick=tick,
        )

    def top_up_marks(self, tick: int) -> I64:
        return top_up_marks(len(self.population), self.seed, self.replication, tick)

    def totals(self) -> TickTotals:
        """Empty totals for a tick."""
        return TickTotals(len(self.market.models), len(self.market.providers), len(self.keys))

    def close_tick(self, tick: int, totals: TickTotals) -> None:
        """Post the platform's legs and write the tick's row.

        The stocks are carried on from the flows; each day they must be the ledger's.
        """
        horizon = self.scenario.horizon
        self.books.close_tick(totals, instant_us(horizon, tick))
        self._liability_ucr += totals.top_up_ucr - totals.charge_ucr
        self._deferred_nusd += totals.top_up_nusd - totals.revenue_basis_nusd
        self.recording.write(tick, totals, self._liability_ucr, self._deferred_nusd)
        if (tick + 1) % horizon.ticks_per_day == 0:
            invariant(
                (self._liability_ucr, self._deferred_nusd)
                == (self.books.liability_ucr(), self.books.deferred_nusd()),
                "what flowed in and out of the lots is what the ledger says they hold",
            )

    def _pool_key(self, number: int) -> PoolKey:
        """A contributed key at its terms, by the same valuation as production."""
        wanted = self.scenario.contributed_keys[number]
        at_us = self.scenario.horizon.start_us
        line = self.market.price_book.line_at(wanted.valued_on, at_us)
        cost = self.market.cost_book.at(wanted.valued_on, at_us)
        assert line is not None and cost is not None  # The scenario prices all its models.
        valuation = value_contribution(self.policy, wanted.quota_nusd, line, cost)
        return PoolKey(
            key_id=number + 1,
            name=f"key{number + 1}",
            owner_id=self.scenario.buyers.count + number + 1,
            provider=wanted.provider,
            valued_on=wanted.valued_on,
            scheme=self.policy.contribution.scheme,
            quota_nusd=wanted.quota_nusd,
            capacity_ucr=valuation.capacity_ucr,
            fee_ucr=valuation.fee_ucr,
            share_ucr=valuation.share_ucr,
            capacity_nusd=int64(int(valuation.share_ucr * redemption_basis(self.policy))),
            rate=valuation.rate,
            contributed_us=at_us,
        )
