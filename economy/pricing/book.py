"""The price book: which price sheet holds when.

Published sheets are epochs on the effective axis. Each covers the half-open period from
its ``effective_us`` to the next one's, so gaps and overlaps cannot be written::

    version 1  genesis           from the beginning of time
    version 3  "winter sale"     from 2026-12-01T00:00:00Z
    version 2  "gpt-4 moves"     from 2026-12-24T00:00:00Z   (published earlier, scheduled)

A request at 2026-12-23T23:59:59Z is at version 3; one second later at version 2. A
price that has been in force never changes: a sheet may start now or later, and never
at an instant that another sheet has taken.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from economy.catalog.rates import RateRow, RateTable, build_rate_table, price_columns
from economy.errors import BadInput, Conflict, NotFound, invariant
from economy.pricing.sheet import PriceLine, PriceSheet, check_sheet, from_document
from economy.state.database import Unit
from economy.units import BEGINNING_OF_TIME_US, END_OF_TIME_US, instant_text


@dataclass(frozen=True, slots=True)
class Epoch:
    """A published sheet and the instant it starts to hold."""

    version: int
    effective_us: int
    sheet: PriceSheet


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All published sheets, ascending in ``effective_us``; the first holds from the beginning."""

    epochs: tuple[Epoch, ...]

    def __post_init__(self) -> None:
        starts = [epoch.effective_us for epoch in self.epochs]
        invariant(starts == sorted(set(starts)), "epochs ascend in time")

    def sheet_at(self, time_us: int) -> Epoch:
        """The epoch in force at an instant."""
        starts = [epoch.effective_us for epoch in self.epochs]
        position = bisect_right(starts, time_us)
        if position == 0:
            raise NotFound("no price sheet holds", field="time", value=instant_text(time_us))
        return self.epochs[position - 1]

    def published(self, version: int) -> Epoch:
        """The epoch of one version, which a charge pins."""
        for epoch in self.epochs:
            if epoch.version == version:
                return epoch
        raise NotFound("no such published price sheet", field="version", value=version)

    def line_at(self, model: str, time_us: int) -> PriceLine | None:
        """The model's line in force at an instant, or None if it has no price then."""
        return self.sheet_at(time_us).sheet.line(model)

    def next_change(self, model: str, time_us: int) -> tuple[int, PriceLine | None] | None:
        """The next instant at which the model's line differs, and the line (None: withdrawn)."""
        current = self.line_at(model, time_us)
        for epoch in self.epochs:
            if epoch.effective_us > time_us:
                line = epoch.sheet.line(model)
                if line != current:
                    return epoch.effective_us, line
        return None

    def models(self) -> tuple[str, ...]:
        """Every model that any sheet prices, sorted."""
        return tuple(sorted({line.model for epoch in self.epochs for line in epoch.sheet.lines}))

    def table(self, models: Sequence[str]) -> RateTable:
        """The book in columns, for these models in this order.

        Every sheet makes a row, also where the price stays: a charge pins the version.
        A sheet that drops a model makes a row that prices nothing.
        """
        return build_rate_table(models, [self._rows(model) for model in models])

    def _rows(self, model: str) -> list[RateRow]:
        rows: list[RateRow] = []
        for epoch in self.epochs:
            line = epoch.sheet.line(model)
            if line is not None:
                rows.append(_row(line, epoch))
            elif rows:
                rows.append(RateRow(from_us=epoch.effective_us, version=epoch.version))
        return rows


def _row(line: PriceLine, epoch: Epoch) -> RateRow:
    return RateRow(
        from_us=epoch.effective_us,
        version=epoch.version,
        prices=line.price_columns(),
        tiers=[(tier.above_input_tokens, price_columns(tier.prices_ucr)) for tier in line.tiers],
        increment=line.increment_ucr,
        direction=line.direction,
    )


def load_price_book(connection: sqlite3.Connection) -> PriceBook:
    """The book as it is published; each body is checked against its stored hash."""
    epochs = []
    for version, sha256, effective_us, body in connection.execute(
        "SELECT version, sha256, effective_us, body FROM sheets ORDER BY effective_us"
    ):
        sheet = from_document(json.loads(body), f"published sheet {version}")
        invariant(sheet.sha256 == sha256, f"published sheet {version} is what was published")
        epochs.append(Epoch(int(version), int(effective_us), sheet))
    return PriceBook(tuple(epochs))


def publish_sheet(
    unit: Unit, sheet: PriceSheet, effective_us: int | None, author: str, publisher: str
) -> int:
    """Put a sheet in force from ``effective_us`` (None: at once); returns its version.

    The first sheet of a workspace holds from the beginning of time. Later ones start at
    ``unit.recorded_us`` or after it: the past is not repriced.
    """
    check_sheet(sheet, f"sheet {sheet.sheet_id}")
    (newest,) = unit.connection.execute("SELECT COALESCE(MAX(version), 0) FROM sheets").fetchone()
    if newest == 0:
        effective_us = BEGINNING_OF_TIME_US if effective_us is None else effective_us
        if effective_us != BEGINNING_OF_TIME_US:
            raise BadInput(
                "the first sheet holds from the beginning of time",
                field="effective_us",
                value=instant_text(effective_us),
            )
    else:
        effective_us = unit.recorded_us if effective_us is None else effective_us
        _check_start(unit, effective_us)
    unit.connection.execute(
        "INSERT INTO sheets (version, sheet_id, sha256, effective_us, recorded_us, author,"
        " publisher, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            newest + 1,
            sheet.sheet_id,
            sheet.sha256,
            effective_us,
            unit.recorded_us,
            author,
            publisher,
            sheet.canonical_json,
        ),
    )
    return int(newest) + 1


def _check_start(unit: Unit, effective_us: int) -> None:
    now = instant_text(unit.recorded_us)
    if effective_us < unit.recorded_us:
        raise BadInput(
            "a price never changes in the past",
            field="effective_us",
            value=instant_text(effective_us),
            way_out=f"Choose {now} or later",
        )
    if effective_us >= END_OF_TIME_US:
        raise BadInput("a sheet that never starts", field="effective_us", value=effective_us)
    taken = unit.connection.execute(
        "SELECT version FROM sheets WHERE effective_us = ?", (effective_us,)
    ).fetchone()
    if taken is not None:
        raise Conflict(
            f"version {taken[0]} starts at that very instant",
            field="effective_us",
            value=instant_text(effective_us),
            way_out="Choose another instant",
        )
