"""The cohort engine: all buyers as columns, one SimPy process, one step a tick.

A step, in the canonical order of the reference engine:

1. short buyers top up (one loop over columns decides, the ledger books);
2. the occasions of the tick are drawn, the logit's integer thresholds pick a model for each
   or the outside option;
3. the meter rates the requests in columns;
4. requests take their charge from lots in order, all or nothing (`plan_spend`); what a
   balance cannot pay is refused, and its buyer feels short;
5. lots release their USD basis, contributed keys are relieved, platform keys cost;
6. the ledger books one sum a lot; the tick closes with the platform's legs.

Steps 3-5 are the functions that production charges an import with.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import simpy
from numpy.typing import NDArray

from economy.errors import invariant
from economy.pool.relief import PLATFORM, key_columns, relieve
from economy.quantities import INPUT, N_QUANTITIES, OUTPUT
from economy.rating.rate import Rated, RateStatus, rate
from economy.wallets.spending import SpendPlan, plan_spend, release_basis
from simulations.agents.arrivals import Candidates
from simulations.agents.choice import choose
from simulations.agents.provider import provide
from simulations.agents.tokens import tokens_of
from simulations.agents.top_ups import NO_PACK, budget_is_renewed, choose_packs, notice_limit
from simulations.clock import BUYERS, Process, instant_us, moment
from simulations.recording import Recording, TickTotals
from simulations.world import TickHook, World

I64 = NDArray[np.int64]


class Cohort:
    """All buyers' state in columns. Slot ``i * packs + k`` is buyer i's k-th lot."""

    def __init__(self, world: World) -> None:
        self.world = world
        n, packs = len(world.population), len(world.packs)
        self.refused = np.zeros(n, dtype=np.bool_)
        self.budget_left_nusd: I64 = np.zeros(n, dtype=np.int64)
        self.lot_offset: I64 = np.arange(0, (n + 1) * packs, packs, dtype=np.int64)
        self.available_ucr: I64 = np.zeros(n * packs, dtype=np.int64)
        self.lot_pack: I64 = np.full(n * packs, NO_PACK, dtype=np.int64)
        self.basis_num: I64 = np.zeros(n * packs, dtype=np.int64)
        self.basis_den: I64 = np.ones(n * packs, dtype=np.int64)
        self.spent_ucr: I64 = np.zeros(n * packs, dtype=np.int64)
        self.spent_rounding_ucr: I64 = np.zeros(n * packs, dtype=np.int64)
        self.keys = key_columns(world.keys)
        self._key_of_model = np.array(
            [
                world.key_of_provider.get(world.market.providers[provider], PLATFORM)
                for provider in world.market.provider_of.tolist()
            ],
            dtype=np.int64,
        )
        self._pack_price = np.array([pack.price_nusd for pack in world.packs], dtype=np.int64)
        self._pack_credits = np.array([pack.credits_ucr for pack in world.packs], dtype=np.int64)
        self._pack_num = np.array([pack.basis.numerator for pack in world.packs], dtype=np.int64)
        self._pack_den = np.array([pack.basis.denominator for pack in world.packs], dtype=np.int64)

    def step(self, tick: int) -> TickTotals:
        """All that buyers do in one tick."""
        totals = self.world.totals()
        at_us = instant_us(self.world.scenario.horizon, tick)
        self._top_up(tick, totals)
        candidates = self.world.candidates(tick)
        model = choose(self.world.market.limits, candidates.choice_mark)
        asked = np.flatnonzero(model < len(self.world.market.models))
        totals.occasions = len(candidates)
        totals.requests = len(asked)
        if len(asked):
            self._serve(candidates, asked, model[asked], at_us, totals)
        return totals

    def _top_up(self, tick: int, totals: TickTotals) -> None:
        world, population = self.world, self.world.population
        if budget_is_renewed(world.scenario, tick):
            self.budget_left_nusd[:] = population.budget_nusd
        packs_a_buyer = len(world.packs)
        chosen = choose_packs(
            self.available_ucr.reshape(-1, packs_a_buyer),
            population.low_water_ucr,
            self.refused,
            self.budget_left_nusd,
            world.top_up_marks(tick),
            notice_limit(world.scenario, tick),
            population.pack_limits,
            self._pack_price,
        )
        buyer = np.flatnonzero(chosen != NO_PACK)
        if not len(buyer):
            return
        pack = chosen[buyer]
        slots = self.lot_pack.reshape(-1, packs_a_buyer)[buyer]
        # The slot of this pack if it was bought before, else the first free one.
        slot = np.argmax((slots == pack[:, None]) | (slots == NO_PACK), axis=1)
        lot = buyer * packs_a_buyer + slot
        self.lot_pack[lot] = pack
        self.basis_num[lot] = self._pack_num[pack]
        self.basis_den[lot] = self._pack_den[pack]
        self.available_ucr[lot] += self._pack_credits[pack]
        self.budget_left_nusd[buyer] -= self._pack_price[pack]
        self.refused[buyer] = False
        totals.top_ups = len(buyer)
        totals.top_up_ucr = int(self._pack_credits[pack].sum())
        totals.top_up_nusd = int(self._pack_price[pack].sum())
        world.books.top_up(lot, self._pack_credits[pack], totals.top_up_nusd)

    def _serve(
        self,
        candidates: Candidates,
        asked: I64,
        model: I64,
        at_us: int,
        totals: TickTotals,
    ) -> None:
        market = self.world.market
        buyer = candidates.buyer[asked]
        quantities = self._quantities(candidates, asked, buyer)
        rated = rate(
            model.astype(np.int32),
            np.full(len(asked), at_us, dtype=np.int64),
            quantities,
            market.prices,
            market.costs,
        )
        invariant(bool((rated.status == RateStatus.OK).all()), "a simulated request can be rated")
        plan = plan_spend(
            buyer, rated.charge_ucr, rated.unrounded_ucr, self.lot_offset, self.available_ucr
        )
        self.refused[buyer[~plan.accepted]] = True
        served = np.flatnonzero(plan.accepted)
        totals.served = len(served)
        totals.refused = len(asked) - len(served)
        totals.tokens = int(quantities[served].sum()) if len(served) else 0
        self._take_credits(plan, totals)
        self._bear_costs(model[served], rated, served, totals)

    def _quantities(self, candidates: Candidates, asked: I64, buyer: I64) -> I64:
        world = self.world
        quantities = np.zeros((len(asked), N_QUANTITIES), dtype=np.int64)
        quantities[:, INPUT] = tokens_of(
            world.input_entries, candidates.input_mark[asked], world.population.input_scale[buyer]
        )
        quantities[:, OUTPUT] = tokens_of(
            world.output_entries,
            candidates.output_mark[asked],
            world.population.output_scale[buyer],
        )
        return quantities

    def _take_credits(self, plan: SpendPlan, totals: TickTotals) -> None:
        released = release_basis(
            plan, self.basis_num, self.basis_den, self.spent_ucr, self.spent_rounding_ucr
        )
        totals.charge_ucr = int(plan.leg_amount_ucr.sum())
        totals.rounding_ucr = int(plan.leg_rounding_ucr.sum())
        totals.usage_nusd = int(released.leg_usage_nusd.sum())
        totals.rounding_nusd = int(released.leg_rounding_nusd.sum())
        lots, place = np.unique(plan.leg_lot, return_inverse=True)
        amounts = np.zeros(len(lots), dtype=np.int64)
        np.add.at(amounts, place, plan.leg_amount_ucr)
        self.world.books.charge(lots, amounts)

    def _bear_costs(self, model: I64, rated: Rated, served: I64, totals: TickTotals) -> None:
        """List and paid cost of served requests (``model`` is theirs), by who served them."""
        market = self.world.market
        cost = rated.cost_nusd[served]
        relief = relieve(self._key_of_model[model], cost, self.keys)
        totals.list_cost_nusd = int(cost.sum())
        totals.paid_cost_nusd = int(relief.paid_nusd.sum())
        models = len(market.models)
        totals.served_by_model = np.bincount(model, minlength=models).tolist()
        totals.charge_by_model = sums_by(model, rated.charge_ucr[served], models).tolist()
        totals.list_cost_by_model = sums_by(model, cost, models).tolist()
        on_platform = relief.served_by == PLATFORM
        totals.platform_cost_by_provider = sums_by(
            market.provider_of[model[on_platform]], cost[on_platform], len(market.providers)
        ).tolist()
        if len(self.keys):
            row = relief.served_by[~on_platform]
            columns = (
                relief.quota_nusd,
                relief.relief_ucr,
                relief.earned_ucr,
                relief.fee_ucr,
                relief.paid_nusd,
            )
            by_key = [sums_by(row, column[~on_platform], len(self.keys)) for column in columns]
            totals.relief_by_key = np.stack(by_key, axis=1).tolist()


def sums_by(group: I64, values: I64, groups: int) -> I64:
    """Exact sums of ``values`` by ``group`` (bincount with weights would go through floats)."""
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, group, values)
    return sums


def run_cohort(
    world: World,
    on_tick: TickHook | None = None,
    on_day: Callable[[int], None] | None = None,
) -> Recording:
    """Run a world to its horizon. ``on_day`` may raise to cancel between days."""
    env = simpy.Environment()
    cohort = Cohort(world)
    env.process(provide(env, world.market, world.scenario, world.answer))
    env.process(_live(env, cohort, on_tick, on_day))
    env.run()
    return world.recording


def _live(
    env: simpy.Environment,
    cohort: Cohort,
    on_tick: TickHook | None,
    on_day: Callable[[int], None] | None,
) -> Process:
    world = cohort.world
    horizon = world.scenario.horizon
    for tick in range(horizon.ticks):
        yield env.timeout(moment(tick, BUYERS) - env.now)
        world.close_tick(tick, cohort.step(tick))
        if on_tick is not None:
            on_tick(tick, world.books)
        if on_day is not None and (tick + 1) % horizon.ticks_per_day == 0:
            on_day(tick // horizon.ticks_per_day)
