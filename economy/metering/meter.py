"""What a charge is priced with: prices, costs and names, read once per unit of work."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from economy.catalog.costs import CostBook
from economy.catalog.rates import RateTable
from economy.catalog.store import Aliases, load_aliases, load_cost_book, model_ids
from economy.policy import Policy
from economy.pricing.book import PriceBook, load_price_book
from economy.usage.batch import UsageBatch

I64 = NDArray[np.int64]

NO_PROVIDER = "none"
"""Stands where a priced model has no cost; its events are unpriced, so nothing is booked on it."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Price book and cost book as the database holds them now, in columns as well.

    ``model_ids`` gives the stored number of each name; ``costs`` and ``prices`` have their
    models in the same order (``costs`` is laid out for the models of ``prices``).
    """

    policy: Policy
    book: PriceBook
    cost_version: int
    cost_book: CostBook
    aliases: Aliases
    prices: RateTable
    costs: RateTable
    model_ids: dict[str, int]
    model_number: I64
    """Stored number of each model of ``prices``; 0 where no published sheet has it."""
    providers: list[str]
    provider_of: NDArray[np.int32]
    """Position in ``providers`` of each model of ``prices``."""
    _pinned: dict[int, Meter] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, connection: sqlite3.Connection, policy: Policy) -> Meter:
        cost_version, cost_book = load_cost_book(connection)
        return cls.of(
            load_price_book(connection),
            policy=policy,
            cost_version=cost_version,
            cost_book=cost_book,
            aliases=load_aliases(connection),
            model_ids=model_ids(connection),
        )

    @classmethod
    def of(
        cls,
        book: PriceBook,
        *,
        policy: Policy,
        cost_version: int,
        cost_book: CostBook,
        aliases: Aliases,
        model_ids: dict[str, int],
    ) -> Meter:
        """Lay out a price book and a cost book in columns."""
        prices = book.table(book.models())
        provider = [cost_book.provider(model) or NO_PROVIDER for model in prices.models]
        providers = sorted(set(provider))
        return cls(
            policy=policy,
            book=book,
            cost_version=cost_version,
            cost_book=cost_book,
            aliases=aliases,
            prices=prices,
            costs=cost_book.table(prices.models, cost_version),
            model_ids=model_ids,
            model_number=np.array([model_ids.get(model, 0) for model in prices.models], np.int64),
            providers=providers,
            provider_of=np.array([providers.index(name) for name in provider], np.int32),
        )

    def under(self, book: PriceBook) -> Meter:
        """This meter with other prices: a what-if is the same economy with another sheet."""
        return Meter.of(
            book,
            policy=self.policy,
            cost_version=self.cost_version,
            cost_book=self.cost_book,
            aliases=self.aliases,
            model_ids=self.model_ids,
        )

    def pinned(self, connection: sqlite3.Connection, cost_version: int) -> Meter:
        """This meter with the cost book of an earlier version, as a hold has pinned it."""
        if cost_version == self.cost_version:
            return self
        if cost_version not in self._pinned:
            _, cost_book = load_cost_book(connection, cost_version)
            costs = cost_book.table(self.prices.models, cost_version)
            self._pinned[cost_version] = replace(
                self, cost_version=cost_version, cost_book=cost_book, costs=costs
            )
        return self._pinned[cost_version]

    def models_of(self, usage: UsageBatch) -> NDArray[np.int32]:
        """Each event's position in ``prices.models``, -1 where the name means nothing."""
        return self.aliases.positions(
            usage.models, usage.model, usage.effective_us, self.prices.models
        )


class MeterSource:
    """Meters for one workspace; a meter is read anew only when prices or costs changed."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        # One attribute, so that a thread never sees the stamp of one meter with another.
        self._latest: tuple[tuple[int, ...], Meter] | None = None

    def load(self, connection: sqlite3.Connection) -> Meter:
        """The meter of the state that ``connection`` sees."""
        stamp: tuple[int, ...] = connection.execute(
            "SELECT coalesce((SELECT max(version) FROM sheets), 0),"
            " coalesce((SELECT max(cost_version) FROM cost_books), 0),"
            " (SELECT count(*) FROM models), (SELECT count(*) FROM aliases)"
        ).fetchone()
        latest = self._latest
        if latest is not None and latest[0] == stamp:
            return latest[1]
        meter = Meter.load(connection, self.policy)
        # All four only grow: a reader of an older state must not put its meter in place.
        if latest is None or latest[0] < stamp:
            self._latest = (stamp, meter)
        return meter
