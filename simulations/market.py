"""What buyers meet: the price book and cost book in force, and the shares they lead to.

A market begins with the scenario's prices and costs. The provider moves a cost, the operator
publishes a sheet; both become dated entries of the same books that production reads, and
from them come the rate tables of the meter and the integer thresholds of the choice.

The *effective* price of a model is the mean charge of a typical request (a buyer of scale
1), rounding included: 128 x 128 equally likely pairs of input and output, rated by the meter
itself. Example: GPT-4 at 5 Cr per 1K in whole Credits costs a conversation request 7.8 Cr
in the mean, of which half a Credit is rounding; at 8 Cr it is 12.1, so the rise that
buyers feel is 56 %, not 60 %.
"""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from economy.catalog.costs import CostBook, CostEntry
from economy.catalog.rates import RateTable
from economy.errors import invariant
from economy.policy import Policy
from economy.pricing.book import Epoch, PriceBook
from economy.pricing.sheet import PriceLine, PriceSheet, from_document
from economy.quantities import INPUT, N_QUANTITIES, OUTPUT
from economy.rating.rate import RateStatus, rate
from economy.units import BEGINNING_OF_TIME_US
from simulations.agents.choice import probabilities, thresholds
from simulations.agents.tokens import bin_means
from simulations.scenario import Model, ProviderMove, Scenario, Tokens, rounding_of

TYPICAL_BINS = 128
"""Input and output of a typical request are taken at so many points each."""


class Market:
    """The books in force, and what follows from them; changed only by its two methods."""

    def __init__(self, scenario: Scenario, policy: Policy) -> None:
        self._scenario = scenario
        self._policy = policy
        self.models = tuple(model.name for model in scenario.models)
        self.providers = tuple(sorted({model.provider for model in scenario.models}))
        self.provider_of = np.array(
            [self.providers.index(model.provider) for model in scenario.models], dtype=np.int64
        )
        sheet = PriceSheet(
            sheet_id=scenario.name,
            credit_value_nusd=policy.credit.reference_value_nusd,
            lines=tuple(
                self._line(model, model.price_ucr)
                for model in sorted(scenario.models, key=lambda model: model.name)
            ),
        )
        self.price_book = PriceBook((Epoch(1, BEGINNING_OF_TIME_US, sheet),))
        self.cost_book = CostBook(
            CostEntry(model.name, model.provider, BEGINNING_OF_TIME_US, dict(model.cost_nusd))
            for model in scenario.models
        )
        self.costs: RateTable = self.cost_book.table(self.models, cost_version=1)
        self._opening = mean_charges(sheet.canonical_json, self.models, scenario.tokens)
        self._take_prices()

    @property
    def opening_charge_ucr(self) -> float:
        """Mean charge of a served request at the opening prices and shares."""
        shares = [model.share for model in self._scenario.models]
        return sum(s * charge for s, charge in zip(shares, self._opening, strict=True))

    def move_cost(self, move: ProviderMove, at_us: int) -> None:
        """The provider's new cost holds from ``at_us``."""
        entry = CostEntry(
            move.model, self._scenario.model(move.model).provider, at_us, dict(move.cost_nusd)
        )
        self.cost_book = self.cost_book.with_entries([entry])
        self.costs = self.cost_book.table(self.models, cost_version=len(self.cost_book))

    def reprice(self, model: str, prices_ucr: dict[str, int], at_us: int) -> None:
        """A sheet with the model's new prices holds from ``at_us``."""
        last = self.price_book.epochs[-1]
        invariant(last.effective_us <= at_us, "sheets are published in the order of time")
        line = self._line(self._scenario.model(model), prices_ucr)
        epoch = Epoch(last.version + 1, at_us, last.sheet.with_lines({model: line}))
        # Two answers at one instant make one sheet: an epoch has no length zero.
        before = (
            self.price_book.epochs if last.effective_us < at_us else (self.price_book.epochs[:-1])
        )
        self.price_book = PriceBook((*before, epoch))
        self._take_prices()

    def _take_prices(self) -> None:
        scenario = self._scenario
        sheet = self.price_book.epochs[-1].sheet
        self.prices: RateTable = self.price_book.table(self.models)
        self.effective_ucr = mean_charges(sheet.canonical_json, self.models, scenario.tokens)
        self.chances = probabilities(
            [model.share for model in scenario.models],
            scenario.choice.outside_share,
            scenario.choice.elasticity,
            self.effective_ucr,
            self._opening,
        )
        self.limits = thresholds(self.chances)

    def _line(self, model: Model, prices_ucr: dict[str, int]) -> PriceLine:
        increment_ucr, direction = rounding_of(model, self._policy)
        return PriceLine(model.name, dict(prices_ucr), increment_ucr, direction, stored=True)


@lru_cache(maxsize=64)
def mean_charges(sheet_json: str, models: tuple[str, ...], tokens: Tokens) -> tuple[float, ...]:
    """Mean charge (ucr, rounding included) of a typical request to each model of a sheet."""
    sheet = from_document(json.loads(sheet_json))
    prices = PriceBook((Epoch(1, BEGINNING_OF_TIME_US, sheet),)).table(models)
    # The meter wants a cost too; what it costs the platform does not move the buyer.
    free = CostBook(
        CostEntry(model, "none", BEGINNING_OF_TIME_US, {"blended": 0}) for model in models
    ).table(models, cost_version=1)
    pairs = TYPICAL_BINS * TYPICAL_BINS
    quantities = np.zeros((pairs, N_QUANTITIES), dtype=np.int64)
    inputs = np.ceil(bin_means(tokens.input, TYPICAL_BINS)).astype(np.int64)
    outputs = np.ceil(bin_means(tokens.output, TYPICAL_BINS)).astype(np.int64)
    quantities[:, INPUT] = np.repeat(inputs, TYPICAL_BINS)
    quantities[:, OUTPUT] = np.tile(outputs, TYPICAL_BINS)
    times_us = np.zeros(pairs, dtype=np.int64)
    means = []
    for index in range(len(models)):
        rated = rate(np.full(pairs, index, dtype=np.int32), times_us, quantities, prices, free)
        invariant(bool((rated.status == RateStatus.OK).all()), "a typical request can be rated")
        means.append(int(rated.charge_ucr.sum()) / pairs)
    return tuple(means)
