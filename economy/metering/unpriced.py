"""Events that nobody can price yet: kept, listed, never priced by guess and never $0."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy.state import Unit
from economy.usage.batch import UsageBatch


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """How many events of one model wait, for what reason, since when."""

    model: str
    reason: str
    events: int
    first_us: int
    last_us: int


def queue_unpriced(
    unit: Unit,
    source: int,
    events: UsageBatch,
    positions: NDArray[np.int64],
    *,
    event_key: list[bytes],
    reasons: list[str],
) -> None:
    """Keep the events at ``positions`` whole, so that they can be rated later."""
    unit.connection.executemany(
        "INSERT INTO unpriced_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                event_key[i],
                source,
                events.event_id[i],
                events.customers[events.customer[i]],
                events.models[events.model[i]],
                reason,
                int(events.effective_us[i]),
                json.dumps(events.quantities[i].tolist()),
                unit.recorded_us,
            )
            for i, reason in zip(positions.tolist(), reasons, strict=True)
        ],
    )


def unpriced_models(connection: sqlite3.Connection) -> list[UnpricedModel]:
    """What waits for a price, most events first."""
    rows = connection.execute(
        "SELECT model, reason, count(*), min(effective_us), max(effective_us)"
        " FROM unpriced_events GROUP BY model, reason ORDER BY count(*) DESC, model"
    )
    return [UnpricedModel(*row) for row in rows]
