"""Events that nobody can price yet: kept, listed, never priced by guess and never $0.

Imported again, a waiting event is tried again: once its model has a price, or its name an
alias, it is charged and leaves the queue.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from economy.state import Unit
from economy.usage.batch import EventStatus, UsageBatch


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """How many events of one model wait, for what reason, since when."""

    model: str
    reason: str
    events: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event that waits: its position in the batch, its identity, and why."""

    position: int
    event_key: bytes
    content: bytes
    reason: str


def queue_unpriced(unit: Unit, source: int, events: UsageBatch, waiting: list[Waiting]) -> None:
    """Keep events whole, so that they can be rated once there is a price."""
    unit.connection.executemany(
        "INSERT INTO unpriced_events (event_key, content, source_id, event_id, customer, model,"
        " reason, effective_us, quantities, failed, recorded_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.event_key,
                one.content,
                source,
                events.event_id[one.position],
                events.customers[events.customer[one.position]],
                events.models[events.model[one.position]],
                one.reason,
                int(events.effective_us[one.position]),
                json.dumps(events.quantities[one.position].tolist()),
                int(events.status[one.position] == EventStatus.FAILED),
                unit.recorded_us,
            )
            for one in waiting
        ],
    )


def leave_queue(unit: Unit, event_keys: list[bytes]) -> None:
    """These events have a price now and became charges."""
    unit.connection.executemany(
        "DELETE FROM unpriced_events WHERE event_key = ?", [(key,) for key in event_keys]
    )


def unpriced_models(connection: sqlite3.Connection) -> list[UnpricedModel]:
    """What waits for a price, most events first."""
    rows = connection.execute(
        "SELECT model, reason, count(*), min(effective_us), max(effective_us)"
        " FROM unpriced_events GROUP BY model, reason ORDER BY count(*) DESC, model"
    )
    return [UnpricedModel(*row) for row in rows]
