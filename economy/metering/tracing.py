"""The story of one request: its hold, every transfer, its charge."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from economy.errors import BadInput, NotFound
from economy.ledger import Code
from economy.ledger.reading import HistoryRow, history_of_reference
from economy.metering.booking import ChargeStatus
from economy.metering.events import charge_of
from economy.metering.holds import Hold, find_hold
from economy.quantities import QUANTITIES
from economy.usage.keys import event_key


@dataclass(frozen=True, slots=True)
class TracedCharge:
    """A row of the charges table with its names, as staff see it."""

    charge_id: int
    charge_batch: int
    customer: str
    model: str
    provider: str
    key: str | None
    status: ChargeStatus
    effective_us: int
    quantities: dict[str, int]
    unrounded_ucr: int
    rated_ucr: int
    charge_ucr: int
    rounding_ucr: int
    basis_usage_nusd: int
    basis_rounding_nusd: int
    list_cost_nusd: int
    paid_cost_nusd: int
    sheet_version: int
    cost_version: int


@dataclass(frozen=True, slots=True)
class Trace:
    """``hold`` is None for imported usage. ``transfers`` are the request's own, oldest first;
    ``platform_legs`` belong to the whole batch that it was booked in."""

    source: str
    event_id: str
    hold: Hold | None
    charge: TracedCharge | None
    transfers: list[HistoryRow]
    platform_legs: list[HistoryRow]


_QUANTITIES = ", ".join(quantity.name for quantity in QUANTITIES)


def trace(connection: sqlite3.Connection, event_id: str, source: str | None = None) -> Trace:
    """Find a request by its event id; ``source`` tells apart ids that two sources use."""
    named = [
        (event_key(name, event_id), name)
        for (name,) in connection.execute("SELECT name FROM sources ORDER BY source_id")
        if source in (None, name)
    ]
    matching = [
        (key, name)
        for key, name in named
        if charge_of(connection, key) is not None or find_hold(connection, key) is not None
    ]
    if not matching:
        raise NotFound("no such request", field="event_id", value=event_id)
    if len(matching) > 1:
        raise BadInput(
            f"{len(matching)} sources use this event id",
            field="event_id",
            value=event_id,
            way_out=f"Name one of {', '.join(name for _, name in matching)} with --source",
        )
    key, name = matching[0]
    hold = find_hold(connection, key)
    charge_id = charge_of(connection, key)
    charge = None if charge_id is None else _charge(connection, charge_id)
    transfers: list[HistoryRow] = []
    legs: list[HistoryRow] = []
    if hold is not None:
        codes = (Code.HOLD, Code.SETTLE, Code.RELEASE)
        transfers += history_of_reference(connection, codes, hold.hold_id)
    if charge is not None:
        transfers += history_of_reference(connection, (Code.CHARGE,), charge.charge_id)
        legs = history_of_reference(connection, (Code.PLATFORM_LEGS,), charge.charge_batch)
    return Trace(name, event_id, hold, charge, transfers, legs)


def _charge(connection: sqlite3.Connection, charge_id: int) -> TracedCharge:
    row = connection.execute(
        "SELECT c.charge_id, c.charge_batch, u.name, m.name, m.provider, k.name, c.status,"
        " c.effective_us, c.unrounded_ucr, c.rated_ucr, c.charge_ucr, c.rounding_ucr,"
        " c.basis_usage_nusd, c.basis_rounding_nusd, c.list_cost_nusd, c.paid_cost_nusd,"
        f" c.sheet_version, c.cost_version, {_QUANTITIES}"
        " FROM charges c JOIN customers u USING (customer_id) JOIN models m USING (model_id)"
        " LEFT JOIN pool_keys k USING (key_id) WHERE c.charge_id = ?",
        (charge_id,),
    ).fetchone()
    names = [quantity.name for quantity in QUANTITIES]
    return TracedCharge(
        *row[:6],
        ChargeStatus(row[6]),
        row[7],
        dict(zip(names, row[18:], strict=True)),
        *row[8:18],  # type: ignore[call-arg]  # Ten columns, in order.
    )
