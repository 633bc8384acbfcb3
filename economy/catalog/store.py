"""The catalogue in the database: versions of the cost book, model ids, aliases.

A cost version is one whole book. Saving the same content again gives the version it
already has, so importing an unchanged snapshot changes nothing. An *alias* is another
name of a model, and dated: ``sonnet-latest`` may be repointed, and yesterday's request
is still yesterday's model.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from economy.catalog.costs import CostBook, from_document
from economy.errors import BadInput, Conflict, NotFound, invariant
from economy.state.database import Unit
from economy.units import BEGINNING_OF_TIME_US, instant_text


def save_cost_book(unit: Unit, book: CostBook) -> int:
    """Keep a book; returns its version, the old one if the content is known."""
    known = unit.connection.execute(
        "SELECT cost_version FROM cost_books WHERE sha256 = ?", (book.sha256,)
    ).fetchone()
    if known is not None:
        return int(known[0])
    unit.connection.execute(
        "INSERT INTO cost_books (cost_version, recorded_us, sha256, body)"
        " SELECT COALESCE(MAX(cost_version), 0) + 1, ?, ?, ? FROM cost_books",
        (unit.recorded_us, book.sha256, book.canonical_json),
    )
    return int(unit.connection.execute("SELECT MAX(cost_version) FROM cost_books").fetchone()[0])


def load_cost_book(
    connection: sqlite3.Connection, version: int | None = None
) -> tuple[int, CostBook]:
    """A stored book and its version; the newest unless one is named."""
    row = connection.execute(
        "SELECT cost_version, sha256, body FROM cost_books"
        " WHERE ?1 IS NULL OR cost_version = ?1 ORDER BY cost_version DESC LIMIT 1",
        (version,),
    ).fetchone()
    if row is None:
        raise NotFound(
            "no such cost book" if version is not None else "no cost book is stored yet",
            field="cost_version",
            value=version,
            way_out="Set up prices first: economy init",
        )
    book = from_document(json.loads(row[2]), f"cost book {row[0]}")
    invariant(book.sha256 == row[1], f"cost book {row[0]} is what was stored")
    return int(row[0]), book


def register_models(unit: Unit, models: Mapping[str, str]) -> dict[str, int]:
    """Give each model (name to provider) an id, new ones the next; returns all ids."""
    unit.connection.executemany(
        "INSERT INTO models (name, provider) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET provider = excluded.provider"
        " WHERE provider <> excluded.provider",
        sorted(models.items()),
    )
    return model_ids(unit.connection)


def model_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """Ids of all registered models by name."""
    return {
        str(name): int(model_id)
        for model_id, name in connection.execute("SELECT model_id, name FROM models")
    }


def model_providers(connection: sqlite3.Connection) -> dict[str, str]:
    """Providers of all registered models by name."""
    return dict(connection.execute("SELECT name, provider FROM models"))


def set_alias(unit: Unit, alias: str, model: str, from_us: int = BEGINNING_OF_TIME_US) -> None:
    """Let ``alias`` mean ``model`` from an instant on; what it meant before stays."""
    if not alias.strip():
        raise BadInput("an alias is empty", field="alias", value=alias)
    if unit.connection.execute("SELECT 1 FROM models WHERE name = ?", (model,)).fetchone() is None:
        raise NotFound("an alias names an unknown model", field=f"alias {alias}", value=model)
    old = unit.connection.execute(
        "SELECT model FROM aliases WHERE alias = ? AND from_us = ?", (alias, from_us)
    ).fetchone()
    if old is not None and old[0] != model:
        raise Conflict(
            f"the alias means {old[0]} from {instant_text(from_us)} already",
            field=f"alias {alias}",
            value=model,
            way_out="Repoint it from a later time",
        )
    unit.connection.execute(
        "INSERT OR IGNORE INTO aliases (alias, from_us, model) VALUES (?, ?, ?)",
        (alias, from_us, model),
    )


def load_aliases(connection: sqlite3.Connection) -> Aliases:
    """All names that usage may use for a model."""
    models = [str(name) for (name,) in connection.execute("SELECT name FROM models")]
    return Aliases(models, connection.execute("SELECT alias, from_us, model FROM aliases"))


class Aliases:
    """Names of models as logs write them: exact, else in any case, else an alias.

    A name that differs from two models only by case is ambiguous and is neither.
    """

    def __init__(self, models: Iterable[str], aliases: Iterable[tuple[str, int, str]]) -> None:
        self._exact = frozenset(models)
        self._any_case: dict[str, str | None] = {}
        for model in sorted(self._exact):
            folded = model.casefold()
            self._any_case[folded] = None if folded in self._any_case else model
        self._dated: dict[str, list[tuple[int, str]]] = {}
        for alias, from_us, model in sorted(aliases, key=lambda row: row[1]):
            self._dated.setdefault(alias.casefold(), []).append((from_us, model))

    def resolve(self, name: str, time_us: int) -> str | None:
        """The model that ``name`` means at an instant, or None."""
        current = None
        for from_us, model in self.meanings(name):
            if from_us <= time_us:
                current = model
        return current

    def meanings(self, name: str) -> tuple[tuple[int, str], ...]:
        """Everything that ``name`` ever means: (from, model), ascending in time."""
        name = name.strip()
        model = name if name in self._exact else self._any_case.get(name.casefold())
        if model is not None:
            return ((BEGINNING_OF_TIME_US, model),)
        return tuple(self._dated.get(name.casefold(), ()))

    def positions(
        self,
        names: Sequence[str],
        code: NDArray[np.int32],
        effective_us: NDArray[np.int64],
        models: Sequence[str],
    ) -> NDArray[np.int32]:
        """Where each event's model stands in ``models`` (n, int32); -1 if nowhere.

        ``code`` (n) indexes ``names`` as the log wrote them. Few names have more than one
        meaning, so whole columns are mapped at once and only those are looked at in time.
        """
        index = {model: i for i, model in enumerate(models)}
        # One entry more than names: a code of -1 reads it and stays unknown.
        first = np.full(len(names) + 1, -1, dtype=np.int32)
        repointed: dict[int, tuple[tuple[int, str], ...]] = {}
        for c, name in enumerate(names):
            meanings = self.meanings(name)
            if meanings and meanings[0][0] == BEGINNING_OF_TIME_US:
                first[c] = index.get(meanings[0][1], -1)
            if len(meanings) > 1 or (meanings and meanings[0][0] != BEGINNING_OF_TIME_US):
                repointed[c] = meanings
        position = first[code]
        for c, meanings in repointed.items():
            for from_us, model in meanings:
                position[(code == c) & (effective_us >= from_us)] = index.get(model, -1)
        return position
