"""Who has been here before: an event is charged at most once.

An event's identity is (source, event id), kept as a 128-bit hash; a second hash over
its content tells a repeat (nothing to do) from a clash (somebody reused an id, an error
of that row). Both are compared with the store inside the unit of work that charges.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy.quantities import QUANTITIES
from economy.state import Unit

I64 = NDArray[np.int64]

LOOK_UP_AT_ONCE = 8_000


@dataclass(frozen=True, slots=True)
class Novelty:
    """Positions of a batch's events.

    ``fresh`` are to be rated: new ones, and those of ``waiting`` that were queued without a
    price before. ``repeats`` change nothing, ``clashes`` reuse an id for other content.
    """

    fresh: I64
    waiting: frozenset[int]
    repeats: list[int]
    clashes: list[int]


def sift(
    connection: sqlite3.Connection, keys: list[bytes], contents: list[bytes], usable: I64
) -> Novelty:
    """Sort those of a batch's events that are ``usable``.

    The first of several rows with one id counts; the others repeat it or clash with it.
    """
    known = known_contents(connection, keys)
    queued = _contents_in(connection, "unpriced_events", keys)
    fresh: list[int] = []
    waiting: set[int] = set()
    repeats: list[int] = []
    clashes: list[int] = []
    for i in usable.tolist():
        key, content = keys[i], contents[i]
        seen = known.get(key)
        if seen is not None:
            (repeats if seen == content else clashes).append(i)
        elif queued.get(key, content) != content:
            clashes.append(i)
        else:
            if key in queued:
                waiting.add(i)
            known[key] = content
            fresh.append(i)
    return Novelty(np.array(fresh, dtype=np.int64), frozenset(waiting), repeats, clashes)


def known_contents(connection: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, bytes]:
    """Content hashes of those of ``keys`` that were charged, refused or let go for free."""
    return _contents_in(connection, "event_keys", keys)


def charge_of(connection: sqlite3.Connection, key: bytes) -> int | None:
    """The number of the charge that an event has become."""
    row = connection.execute(
        "SELECT charge_id FROM event_keys WHERE event_key = ?", (key,)
    ).fetchone()
    return None if row is None else int(row[0])


def settled_live(connection: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, tuple[int, ...]]:
    """Those of ``keys`` that were metered live: customer id, then the quantities charged.

    A gateway's own log tells its live requests again with times of its own, so they are
    recognised by customer and quantities.
    """
    found: dict[bytes, tuple[int, ...]] = {}
    for key in keys:
        row = connection.execute(
            f"SELECT customer_id, {', '.join(q.name for q in QUANTITIES)} FROM charges"
            " WHERE hold_id > 0 AND charge_id ="
            " (SELECT charge_id FROM event_keys WHERE event_key = ?)",
            (key,),
        ).fetchone()
        if row is not None:
            found[key] = tuple(row)
    return found


def remember(unit: Unit, keys: list[bytes], contents: list[bytes], first_charge_id: int) -> None:
    """Keep the identity of events that became charges, numbered from ``first_charge_id``."""
    rows = zip(keys, contents, range(first_charge_id, first_charge_id + len(keys)), strict=True)
    unit.connection.executemany(
        "INSERT INTO event_keys (event_key, content, charge_id) VALUES (?, ?, ?)", sorted(rows)
    )


def _contents_in(
    connection: sqlite3.Connection, table: str, keys: list[bytes]
) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), LOOK_UP_AT_ONCE):
        some = keys[start : start + LOOK_UP_AT_ONCE]
        marks = ",".join("?" * len(some))
        found.update(
            connection.execute(
                f"SELECT event_key, content FROM {table} WHERE event_key IN ({marks})", some
            )
        )
    return found


def source_id(unit: Unit, name: str) -> int:
    """The number of a source, given to it when it is first seen."""
    unit.connection.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (name,))
    row = unit.connection.execute("SELECT source_id FROM sources WHERE name = ?", (name,))
    return int(row.fetchone()[0])
