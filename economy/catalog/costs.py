"""The cost book: what providers charge, over time.

An entry says what one model costs from an instant on, until the model's next entry::

    gpt-4, openai, from the beginning   {"blended": 30_000_000_000}   $0.03 per 1K tokens
    gpt-4, openai, from 2026-12-01      {"blended": 50_000_000_000}   $0.05 per 1K tokens

Prices are nano-dollars for ``per`` units (see :mod:`economy.quantities`), exact. What a
provider charges for and this release cannot meter (web searches, audio *tokens*) is
kept by name in ``unsupported``; models that cannot be rated at all stand in
``left_out`` with the reason. Neither is ever a cost of zero.

A book is immutable. Its SHA-256 over canonical JSON is its identity: the store gives
the same version to the same content, and a charge pins that version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from economy.catalog.rates import BLENDED, RateRow, RateTable, build_rate_table, price_columns
from economy.errors import BadInput
from economy.quantities import INDEX_BY_KEY, MAX_PRICE

SCHEMA_VERSION = 1
MAX_TIERS = 4


@dataclass(frozen=True, slots=True)
class CostTier:
    """Costs of the whole request when its input exceeds ``above_input_tokens``."""

    above_input_tokens: int
    prices_nusd: dict[str, int]


@dataclass(frozen=True, slots=True)
class CostEntry:
    """What ``model`` costs at ``provider`` from ``from_us`` on."""

    model: str
    provider: str
    from_us: int
    prices_nusd: dict[str, int]
    tiers: tuple[CostTier, ...] = ()
    source: str = ""
    unsupported: tuple[str, ...] = ()
    """Provider's price keys that no metered quantity stands for."""

    @property
    def blended(self) -> bool:
        return BLENDED in self.prices_nusd

    def prices_at(self, input_tokens: int) -> dict[str, int]:
        """The costs that hold for a request with that much input in all."""
        prices = self.prices_nusd
        for tier in self.tiers:
            if input_tokens > tier.above_input_tokens:
                prices = tier.prices_nusd
        return prices


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that the source knows and this book does not price, and why."""

    model: str
    provider: str
    reason: str


class CostBook:
    """All entries, sorted by model and time; no two of one model at one instant."""

    def __init__(self, entries: Iterable[CostEntry], left_out: Iterable[LeftOut] = ()) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: (entry.model, entry.from_us)))
        self.left_out = tuple(sorted(left_out, key=lambda gap: gap.model))
        self._by_model: dict[str, list[CostEntry]] = {}
        for entry in self.entries:
            _check_entry(entry)
            history = self._by_model.setdefault(entry.model, [])
            if history and history[-1].from_us == entry.from_us:
                raise BadInput(
                    "a model has two costs from the same instant", field="model", value=entry.model
                )
            history.append(entry)

    def models(self) -> tuple[str, ...]:
        """Every model with a cost, sorted."""
        return tuple(self._by_model)

    def history(self, model: str) -> tuple[CostEntry, ...]:
        """The entries of one model, oldest first; empty if it is unknown."""
        return tuple(self._by_model.get(model, ()))

    def at(self, model: str, time_us: int) -> CostEntry | None:
        """The entry in force, or None: unknown model, or no cost yet."""
        current = None
        for entry in self._by_model.get(model, ()):
            if entry.from_us > time_us:
                break
            current = entry
        return current

    def provider(self, model: str) -> str | None:
        """Who serves the model (by its newest entry)."""
        history = self._by_model.get(model)
        return history[-1].provider if history else None

    def overlay(self, other: CostBook) -> CostBook:
        """This book with the whole history of each model of ``other`` put in place."""
        kept = [entry for entry in self.entries if entry.model not in other._by_model]
        gaps = [gap for gap in self.left_out if gap.model not in other._by_model]
        return CostBook((*kept, *other.entries), (*gaps, *other.left_out))

    def with_entries(self, entries: Iterable[CostEntry]) -> CostBook:
        """This book with further dated moves; an entry at a known instant replaces it."""
        merged = {(entry.model, entry.from_us): entry for entry in self.entries}
        merged |= {(entry.model, entry.from_us): entry for entry in entries}
        return CostBook(merged.values(), self.left_out)

    def table(self, models: Sequence[str], cost_version: int) -> RateTable:
        """The book in columns, for these models in this order (unknown ones: no rows)."""
        return build_rate_table(
            models,
            [
                [
                    RateRow(
                        from_us=entry.from_us,
                        version=cost_version,
                        prices=price_columns(entry.prices_nusd),
                        tiers=[
                            (tier.above_input_tokens, price_columns(tier.prices_nusd))
                            for tier in entry.tiers
                        ],
                    )
                    for entry in self._by_model.get(model, ())
                ]
                for model in models
            ],
        )

    @cached_property
    def canonical_json(self) -> str:
        """The document that the hash is taken over: sorted keys, no spaces, no floats."""
        return json.dumps(to_document(self), sort_keys=True, separators=(",", ":"))

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CostBook) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def to_document(book: CostBook) -> dict[str, Any]:
    """The book as plain JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "entries": [
            {
                "model": entry.model,
                "provider": entry.provider,
                "from_us": entry.from_us,
                "prices_nusd": entry.prices_nusd,
                "tiers": [
                    {
                        "above_input_tokens": tier.above_input_tokens,
                        "prices_nusd": tier.prices_nusd,
                    }
                    for tier in entry.tiers
                ],
                "source": entry.source,
                "unsupported": list(entry.unsupported),
            }
            for entry in book.entries
        ],
        "left_out": [
            {"model": gap.model, "provider": gap.provider, "reason": gap.reason}
            for gap in book.left_out
        ],
    }


def from_document(document: dict[str, Any], where: str = "cost book") -> CostBook:
    """The inverse of :func:`to_document`."""
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BadInput("unknown schema version", where=where, field="schema_version", value=version)
    try:
        return CostBook(
            [
                CostEntry(
                    model=entry["model"],
                    provider=entry["provider"],
                    from_us=entry["from_us"],
                    prices_nusd=dict(entry["prices_nusd"]),
                    tiers=tuple(
                        CostTier(tier["above_input_tokens"], dict(tier["prices_nusd"]))
                        for tier in entry["tiers"]
                    ),
                    source=entry["source"],
                    unsupported=tuple(entry["unsupported"]),
                )
                for entry in document["entries"]
            ],
            [LeftOut(gap["model"], gap["provider"], gap["reason"]) for gap in document["left_out"]],
        )
    except KeyError as error:
        raise BadInput("a key is missing", where=where, field=str(error.args[0])) from None


def _check_entry(entry: CostEntry) -> None:
    where = f"cost of {entry.model}"
    if not entry.prices_nusd:
        raise BadInput("a cost entry has no price", where=where)
    starts = [tier.above_input_tokens for tier in entry.tiers]
    if starts != sorted(set(starts)) or any(start <= 0 for start in starts):
        raise BadInput("context tiers must start at growing sizes above zero", where=where)
    if len(starts) > MAX_TIERS:
        raise BadInput(f"more than {MAX_TIERS} context tiers", where=where)
    for prices in (entry.prices_nusd, *(tier.prices_nusd for tier in entry.tiers)):
        for key, price in prices.items():
            if key != BLENDED and key not in INDEX_BY_KEY:
                raise BadInput("unknown price key", where=where, field=key, value=price)
            if isinstance(price, bool) or not isinstance(price, int):
                raise BadInput(
                    "a cost is an integer of nano-dollars", where=where, field=key, value=price
                )
            if not 0 <= price <= MAX_PRICE:
                raise BadInput(
                    "a cost is negative or beyond reason", where=where, field=key, value=price
                )
