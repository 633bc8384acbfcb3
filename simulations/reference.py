"""The reference engine: one SimPy process a buyer, one request at a time, plain integers.

Slow and obvious, the judge of the cohort engine. A buyer wakes every tick, tops up if it is
short, and then lives through its own occasions in sequence: chooses by comparing its mark
with the thresholds, has the request rated by fractions (``rate_one``, ``cost_one``), pays from
its lots in order or is refused. Each payment is booked at once, a linked chain over lots.

Money is computed here a second time, on purpose: basis release and key relief are written
as their definitions (floors from the lot's or key's beginning) with Python integers. If
the two engines differ by a micro-credit in any account of any tick, one of them is wrong.

It shares with the cohort engine what must be the same for a comparison: the world (streams,
population, market), the books' postings, and the canonical order. Buyers are woken in
account order because each schedules its next tick in its turn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import simpy

from economy.errors import invariant
from economy.pool.keys import PoolKey
from economy.quantities import INPUT, N_QUANTITIES, OUTPUT
from economy.rating.rate import RateStatus, cost_one, rate_one
from economy.units import div_floor
from simulations.agents.population import PACK_MARK_RANGE
from simulations.agents.provider import provide
from simulations.agents.tokens import MAX_TOKENS, SCALE_ONE
from simulations.agents.top_ups import budget_is_renewed, notice_limit
from simulations.clock import BUYERS, CLOSING, MARKET, Process, instant_us, moment
from simulations.recording import Recording, TickTotals
from simulations.world import TickHook, World


@dataclass(slots=True)
class Occasion:
    """One candidate with its marks."""

    choice_mark: int
    input_mark: int
    output_mark: int


@dataclass(slots=True)
class Lot:
    """Credits of one pack kind; ``slot`` is its place in the books' range."""

    pack: int
    slot: int
    basis: Fraction
    available_ucr: int = 0
    spent_ucr: int = 0
    spent_rounding_ucr: int = 0


@dataclass(slots=True)
class Key:
    """A contributed key as it serves: totals from its beginning."""

    terms: PoolKey
    served_nusd: int = 0
    relieved_ucr: int = 0
    earned_ucr: int = 0
    paid_nusd: int = 0

    def serve(self, cost_nusd: int) -> list[int]:
        """Quota, relief, earned, fee and paid of one request (rules, sections 4 and 9)."""
        terms = self.terms
        self.served_nusd += cost_nusd
        relieved = min(int(self.served_nusd * terms.rate), terms.capacity_ucr)
        if terms.scheme == "upfront":
            earned = fee = 0
            paid = div_floor(relieved * terms.capacity_nusd, terms.capacity_ucr)
        else:
            earned = div_floor(relieved * terms.share_ucr, terms.capacity_ucr)
            fee = (relieved - self.relieved_ucr) - (earned - self.earned_ucr)
            paid = int(earned * terms.share_basis)
        step = [
            cost_nusd,
            relieved - self.relieved_ucr,
            earned - self.earned_ucr,
            fee,
            paid - self.paid_nusd,
        ]
        self.relieved_ucr, self.earned_ucr, self.paid_nusd = relieved, earned, paid
        return step


@dataclass(slots=True)
class Stage:
    """What all processes of a run share."""

    world: World
    keys: list[Key]
    totals: TickTotals
    marks: list[int] = field(default_factory=list)
    occasions: dict[int, list[Occasion]] = field(default_factory=dict)
    input_entries: list[int] = field(default_factory=list)
    output_entries: list[int] = field(default_factory=list)


class Buyer:
    """One buyer: its lots, its budget, and whether it was refused."""

    def __init__(self, number: int, world: World) -> None:
        population = world.population
        self.number = number
        self.input_scale = int(population.input_scale[number])
        self.output_scale = int(population.output_scale[number])
        self.low_water_ucr = int(population.low_water_ucr[number])
        self.budget_nusd = int(population.budget_nusd[number])
        self.pack_limits: list[int] = population.pack_limits[number].tolist()
        self.budget_left_nusd = 0
        self.was_refused = False
        self.lots: list[Lot] = []

    def live(self, env: simpy.Environment, stage: Stage) -> Process:
        for tick in range(stage.world.scenario.horizon.ticks):
            yield env.timeout(moment(tick, BUYERS) - env.now)
            at_us = instant_us(stage.world.scenario.horizon, tick)
            self.top_up(stage, tick, at_us)
            for occasion in stage.occasions.get(self.number, ()):
                self.meet(stage, occasion, at_us)

    def top_up(self, stage: Stage, tick: int, at_us: int) -> None:
        world = stage.world
        if budget_is_renewed(world.scenario, tick):
            self.budget_left_nusd = self.budget_nusd
        balance_ucr = sum(lot.available_ucr for lot in self.lots)
        if balance_ucr >= self.low_water_ucr and not self.was_refused:
            return
        attention, taste = divmod(stage.marks[self.number], PACK_MARK_RANGE)
        if attention >= notice_limit(world.scenario, tick):
            return
        wanted = bisect_right(self.pack_limits, taste)
        affordable = [
            pack
            for pack in range(wanted + 1)
            if world.packs[pack].price_nusd <= self.budget_left_nusd
        ]
        if not affordable:
            return
        chosen = affordable[-1]
        pack = world.packs[chosen]
        lot = self._lot_of(chosen, pack.basis, len(world.packs))
        lot.available_ucr += pack.credits_ucr
        self.budget_left_nusd -= pack.price_nusd
        self.was_refused = False
        stage.totals.top_ups += 1
        stage.totals.top_up_ucr += pack.credits_ucr
        stage.totals.top_up_nusd += pack.price_nusd
        world.books.top_up(np.array([lot.slot]), np.array([pack.credits_ucr]), pack.price_nusd)
        world.books.settle(at_us)

    def meet(self, stage: Stage, occasion: Occasion, at_us: int) -> None:
        """One occasion: choose, be rated, pay or be refused."""
        totals, market = stage.totals, stage.world.market
        totals.occasions += 1
        model = bisect_right(market.limits.tolist(), occasion.choice_mark)
        if model == len(market.models):
            return
        totals.requests += 1
        quantities = [0] * N_QUANTITIES
        quantities[INPUT] = _scaled(stage.input_entries[occasion.input_mark], self.input_scale)
        quantities[OUTPUT] = _scaled(stage.output_entries[occasion.output_mark], self.output_scale)
        line = market.price_book.line_at(market.models[model], at_us)
        entry = market.cost_book.at(market.models[model], at_us)
        assert line is not None and entry is not None  # A market prices all its models.
        rated = rate_one(line, quantities)
        costed = cost_one(entry, quantities)
        invariant(
            rated.status is RateStatus.OK and costed.status is RateStatus.OK,
            "a simulated request can be rated",
        )
        if sum(lot.available_ucr for lot in self.lots) < rated.charge_ucr:
            self.was_refused = True
            totals.refused += 1
            return
        self._pay(stage, rated.charge_ucr, rated.unrounded_ucr, at_us)
        totals.served += 1
        totals.tokens += sum(quantities)
        totals.served_by_model[model] += 1
        totals.charge_by_model[model] += rated.charge_ucr
        totals.list_cost_by_model[model] += costed.cost_nusd
        totals.list_cost_nusd += costed.cost_nusd
        _bear_cost(stage, model, costed.cost_nusd)

    def _pay(self, stage: Stage, charge_ucr: int, unrounded_ucr: int, at_us: int) -> None:
        """Take the charge from the lots in order: usage first, rounding from the last ones."""
        totals = stage.totals
        left, usage_left = charge_ucr, min(charge_ucr, unrounded_ucr)
        slots, amounts = [], []
        for lot in self.lots:
            amount = min(left, lot.available_ucr)
            if amount == 0:
                continue
            usage = min(amount, usage_left)
            left -= amount
            usage_left -= usage
            rounding = amount - usage
            released = int((lot.spent_ucr + amount) * lot.basis) - int(lot.spent_ucr * lot.basis)
            of_rounding = int((lot.spent_rounding_ucr + rounding) * lot.basis) - int(
                lot.spent_rounding_ucr * lot.basis
            )
            lot.available_ucr -= amount
            lot.spent_ucr += amount
            lot.spent_rounding_ucr += rounding
            totals.charge_ucr += amount
            totals.rounding_ucr += rounding
            totals.usage_nusd += released - of_rounding
            totals.rounding_nusd += of_rounding
            slots.append(lot.slot)
            amounts.append(amount)
        stage.world.books.charge(
            np.array(slots, dtype=np.int64), np.array(amounts, dtype=np.int64), linked=True
        )
        stage.world.books.settle(at_us)

    def _lot_of(self, pack: int, basis: Fraction, packs: int) -> Lot:
        for lot in self.lots:
            if lot.pack == pack:
                return lot
        self.lots.append(Lot(pack, self.number * packs + len(self.lots), basis))
        return self.lots[-1]


def _bear_cost(stage: Stage, model: int, cost_nusd: int) -> None:
    """By the contributed key of the provider while its quota lasts, else by the platform."""
    totals, market = stage.totals, stage.world.market
    provider = int(market.provider_of[model])
    row = stage.world.key_of_provider.get(market.providers[provider])
    if (
        row is not None
        and cost_nusd <= stage.keys[row].terms.quota_nusd - stage.keys[row].served_nusd
    ):
        step = stage.keys[row].serve(cost_nusd)
        totals.relief_by_key[row] = [
            sum_so_far + part
            for sum_so_far, part in zip(totals.relief_by_key[row], step, strict=True)
        ]
        totals.paid_cost_nusd += step[-1]
    else:
        totals.platform_cost_by_provider[provider] += cost_nusd
        totals.paid_cost_nusd += cost_nusd


def _scaled(entry: int, scale: int) -> int:
    return min(-(-entry * scale // SCALE_ONE), MAX_TOKENS)


def run_reference(
    world: World,
    on_tick: TickHook | None = None,
    on_day: Callable[[int], None] | None = None,
) -> Recording:
    """Run a world to its horizon. ``on_day`` may raise to cancel between days."""
    env = simpy.Environment()
    stage = Stage(
        world,
        [Key(key) for key in world.keys],
        world.totals(),
        input_entries=world.input_entries.tolist(),
        output_entries=world.output_entries.tolist(),
    )
    env.process(provide(env, world.market, world.scenario, world.answer))
    env.process(_draw(env, stage))
    for number in range(len(world.population)):
        env.process(Buyer(number, world).live(env, stage))
    env.process(_close(env, stage, on_tick, on_day))
    env.run()
    return world.recording


def _draw(env: simpy.Environment, stage: Stage) -> Process:
    """Nature: hands out the marks and occasions of each tick, by buyer, in sequence."""
    world = stage.world
    for tick in range(world.scenario.horizon.ticks):
        yield env.timeout(moment(tick, MARKET) - env.now)
        stage.marks = world.top_up_marks(tick).tolist()
        stage.occasions = {}
        candidates = world.candidates(tick)
        for buyer, *marks in zip(
            candidates.buyer.tolist(),
            candidates.choice_mark.tolist(),
            candidates.input_mark.tolist(),
            candidates.output_mark.tolist(),
            strict=True,
        ):
            stage.occasions.setdefault(buyer, []).append(Occasion(*marks))


def _close(
    env: simpy.Environment,
    stage: Stage,
    on_tick: TickHook | None,
    on_day: Callable[[int], None] | None,
) -> Process:
    world = stage.world
    horizon = world.scenario.horizon
    for tick in range(horizon.ticks):
        yield env.timeout(moment(tick, CLOSING) - env.now)
        world.close_tick(tick, stage.totals)
        stage.totals = world.totals()
        if on_tick is not None:
            on_tick(tick, world.books)
        if on_day is not None and (tick + 1) % horizon.ticks_per_day == 0:
            on_day(tick // horizon.ticks_per_day)
