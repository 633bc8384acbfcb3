"""What staff may see: both layers, sheets with what they earn, and the Lab's questions.

Markup is profit over cost, margin is profit over revenue; every field says which. A ratio
that does not exist (over zero, or without a cost to compare) is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from economy.catalog.costs import CostBook, CostEntry
from economy.catalog.rates import BLENDED
from economy.economy import Economy
from economy.errors import NotFound
from economy.identity import Actor, require
from economy.pricing.formula import margin_of, markup_of
from economy.pricing.sheet import Direction, PriceLine, PriceSheet
from economy.quantities import INDEX_BY_KEY, QUANTITIES
from economy.units import BEGINNING_OF_TIME_US, END_OF_TIME_US
from economy.views.whatif import Terms, UsageColumns, load_usage
from economy.warehouse.agreement import lag
from economy.warehouse.layers import (
    AdminLayer,
    AdminRow,
    CustomerRow,
    admin_layer,
    admin_layer_by_day,
    customer_layer,
)
from economy.warehouse.reading import query
from economy.warehouse.snapshot import SNAPSHOT_NAME

INCREMENT: Final = "increment"
"""Stands for the rounding step where a price key stands otherwise."""

Period = Literal["superseded", "in_force", "scheduled"]


@dataclass(frozen=True, slots=True)
class KeyDepth:
    """What is left of a contributed key."""

    key: str
    provider: str
    owner: str
    scheme: str
    quota_nusd: int
    left_quota_nusd: int
    capacity_ucr: int
    left_capacity_ucr: int


@dataclass(frozen=True, slots=True)
class LayersView:
    """Both layers of ``[from_us, to_us)``, as the snapshot of ``published_us`` has them.

    ``behind`` counts ledger rows by feed that were not published yet.
    """

    credits: tuple[CustomerRow, ...]
    usd: AdminLayer
    by_day: tuple[tuple[str, AdminRow], ...]
    keys: tuple[KeyDepth, ...]
    published_us: int
    behind: dict[str, int]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A published sheet and the half-open time that it covers (``until_us`` None: open)."""

    version: int
    sheet_id: str
    sha256: str
    effective_us: int
    until_us: int | None
    period: Period
    author: str
    publisher: str
    recorded_us: int
    lines: int


@dataclass(frozen=True, slots=True)
class SheetDiff:
    """One price that two sheets do not share; None where a sheet has no such price.

    ``key`` is a price key, or ``increment`` for the rounding of the request: its step and,
    in that row alone, its direction. Markup and margin are of the new price, or of the old
    one where it goes away.
    """

    model: str
    key: str
    unit: str
    above_input_tokens: int
    old_ucr: int | None
    new_ucr: int | None
    change: Fraction | None
    markup: Fraction | None
    margin: Fraction | None
    old_direction: Direction | None = None
    new_direction: Direction | None = None


def layers(
    economy: Economy,
    actor: Actor,
    from_us: int = BEGINNING_OF_TIME_US,
    to_us: int = END_OF_TIME_US,
) -> LayersView:
    """Credits and the USD beneath, for staff."""
    _staff_only(actor)
    folder = economy.warehouse_dir
    depth = query(
        folder,
        "SELECT key, provider, owner, scheme, quota_nusd, left_quota_nusd, capacity_ucr, "
        "left_capacity_ucr FROM pool_depth ORDER BY key",
    )
    return LayersView(
        credits=tuple(customer_layer(folder, None, from_us, to_us)),
        usd=admin_layer(folder, from_us, to_us),
        by_day=tuple(admin_layer_by_day(folder, from_us, to_us)),
        keys=tuple(KeyDepth(*row) for row in depth.rows),
        published_us=query(folder, "SELECT published_us FROM snapshot").rows[0][0],
        behind=lag(economy.database, folder),
    )


def sheets(economy: Economy, actor: Actor) -> list[SheetRow]:
    """Published sheets, the newest period first."""
    _staff_only(actor)
    now_us = economy.clock.now_us()
    with economy.database.reading() as connection:
        rows = connection.execute(
            "SELECT version, sheet_id, sha256, effective_us, "
            "lead(effective_us) OVER (ORDER BY effective_us), author, publisher, recorded_us, "
            "json_array_length(body, '$.lines') FROM sheets ORDER BY effective_us DESC"
        ).fetchall()
    return [
        SheetRow(
            version, sheet_id, sha256, from_us, until_us, _period(from_us, until_us, now_us), *rest
        )
        for version, sheet_id, sha256, from_us, until_us, *rest in rows
    ]


def difference(economy: Economy, actor: Actor, old: PriceSheet, new: PriceSheet) -> list[SheetDiff]:
    """Every price that differs between two sheets, by model, at today's costs."""
    _staff_only(actor)
    _, costs = economy.cost_book()
    return sheet_difference(old, new, costs, economy.clock.now_us())


def sheet_difference(
    old: PriceSheet, new: PriceSheet, costs: CostBook, at_us: int
) -> list[SheetDiff]:
    """The pure part of :func:`difference`."""
    models = sorted({line.model for line in (*old.lines, *new.lines)})
    return [
        row
        for model in models
        for row in _line_difference(
            model, old.line(model), new.line(model), costs.at(model, at_us), new.credit_value_nusd
        )
    ]


def lab_terms(economy: Economy, actor: Actor, version: int | None = None) -> Terms:
    """Where the Lab starts: a published sheet (the one in force) and today's costs."""
    _staff_only(actor)
    now_us = economy.clock.now_us()
    book = economy.price_book()
    if not book.epochs:
        raise NotFound("there are no prices yet", way_out="Set them up with: economy init")
    epoch = book.sheet_at(now_us) if version is None else book.published(version)
    cost_version, costs = economy.cost_book()
    return Terms(economy.policy, epoch.sheet, cost_version, costs, now_us)


def lab_usage(
    economy: Economy,
    actor: Actor,
    from_us: int = BEGINNING_OF_TIME_US,
    to_us: int = END_OF_TIME_US,
) -> UsageColumns:
    """The served requests of a period, read once per publish and shared by all readers."""
    _staff_only(actor)
    folder = economy.warehouse_dir
    snapshot = folder / SNAPSHOT_NAME
    written_ns = snapshot.stat().st_mtime_ns if snapshot.exists() else 0
    return _loaded(folder, written_ns, from_us, to_us)


@lru_cache(maxsize=2)
def _loaded(folder: Path, _written_ns: int, from_us: int, to_us: int) -> UsageColumns:
    """A publish replaces the snapshot, and with its time the key of what is kept here."""
    return load_usage(folder, from_us, to_us)


def _staff_only(actor: Actor) -> None:
    require(actor, "business", "analyst", "admin")


def _period(from_us: int, until_us: int | None, now_us: int) -> Period:
    if from_us > now_us:
        return "scheduled"
    return "in_force" if until_us is None or until_us > now_us else "superseded"


def _line_difference(
    model: str,
    old: PriceLine | None,
    new: PriceLine | None,
    cost: CostEntry | None,
    credit_value_nusd: int,
) -> Iterator[SheetDiff]:
    before, after = _prices(old), _prices(new)
    costs = {} if cost is None else _costs(cost)
    for above, key in sorted(before.keys() | after.keys(), key=_reading_order):
        old_ucr, new_ucr = before.get((above, key)), after.get((above, key))
        turned = key == INCREMENT and old and new and old.direction != new.direction
        if old_ucr == new_ucr and not turned:
            continue
        price_ucr = old_ucr if new_ucr is None else new_ucr
        cost_nusd = costs.get((above, key), costs.get((0, key)))
        yield SheetDiff(
            model=model,
            key=key,
            unit=_unit(key),
            above_input_tokens=above,
            old_ucr=old_ucr,
            new_ucr=new_ucr,
            change=Fraction(new_ucr, old_ucr) - 1 if old_ucr and new_ucr is not None else None,
            markup=markup_of(price_ucr, cost_nusd, credit_value_nusd)
            if price_ucr is not None and cost_nusd
            else None,
            margin=margin_of(price_ucr, cost_nusd, credit_value_nusd)
            if price_ucr and cost_nusd is not None
            else None,
            old_direction=old.direction if old and key == INCREMENT else None,
            new_direction=new.direction if new and key == INCREMENT else None,
        )


def _prices(line: PriceLine | None) -> dict[tuple[int, str], int]:
    """Everything that a line sets, by (tier, key); the rounding step is one of them."""
    if line is None:
        return {}
    prices = {(0, key): price for key, price in line.prices_ucr.items()}
    for tier in line.tiers:
        prices |= {(tier.above_input_tokens, key): price for key, price in tier.prices_ucr.items()}
    return prices | {(0, INCREMENT): line.increment_ucr}


def _costs(entry: CostEntry) -> dict[tuple[int, str], int]:
    costs = {(0, key): cost for key, cost in entry.prices_nusd.items()}
    for tier in entry.tiers:
        costs |= {(tier.above_input_tokens, key): cost for key, cost in tier.prices_nusd.items()}
    return costs


def _reading_order(place: tuple[int, str]) -> tuple[int, int]:
    above, key = place
    return above, {BLENDED: -1, INCREMENT: len(QUANTITIES)}.get(key, INDEX_BY_KEY.get(key, 0))


def _unit(key: str) -> str:
    if key == INCREMENT:
        return "request"
    return "mtok" if key == BLENDED else QUANTITIES[INDEX_BY_KEY[key]].unit
