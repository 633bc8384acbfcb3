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

from economy.state import Unit

LOOK_UP_AT_ONCE = 8_000


@dataclass(frozen=True, slots=True)
class Novelty:
    """Positions of a batch's events: ``new`` ones, ``repeats``, and ``clashes``."""

    new: NDArray[np.int64]
    repeats: NDArray[np.int64]
    clashes: NDArray[np.int64]


def sift(
    connection: sqlite3.Connection,
    keys: list[bytes],
    contents: list[bytes],
    usable: NDArray[np.int64],
) -> Novelty:
    """Sort those of a batch's events that are ``usable`` into new, repeated and clashing ones.

    The first of several rows with one id counts; the others repeat it or clash with it.
    """
    known = known_contents(connection, keys)
    new: list[int] = []
    repeats: list[int] = []
    clashes: list[int] = []
    for i in usable.tolist():
        key, content = keys[i], contents[i]
        seen = known.get(key)
        if seen is None:
            known[key] = content
            new.append(i)
        else:
            (repeats if seen == content else clashes).append(i)
    return Novelty(*(np.array(part, dtype=np.int64) for part in (new, repeats, clashes)))


def known_contents(connection: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, bytes]:
    """Content hashes of those of ``keys`` that the store knows."""
    known: dict[bytes, bytes] = {}
    for start in range(0, len(keys), LOOK_UP_AT_ONCE):
        some = keys[start : start + LOOK_UP_AT_ONCE]
        marks = ",".join("?" * len(some))
        known.update(
            connection.execute(
                f"SELECT event_key, content FROM event_keys WHERE event_key IN ({marks})", some
            )
        )
    return known


def remember(unit: Unit, keys: list[bytes], contents: list[bytes]) -> None:
    """Keep the identity of events that were taken, charged or not."""
    unit.connection.executemany(
        "INSERT INTO event_keys VALUES (?, ?)", sorted(zip(keys, contents, strict=True))
    )


def source_id(unit: Unit, name: str) -> int:
    """The number of a source, given to it when it is first seen."""
    unit.connection.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (name,))
    row = unit.connection.execute("SELECT source_id FROM sources WHERE name = ?", (name,))
    return int(row.fetchone()[0])
