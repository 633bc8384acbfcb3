"""Do the ledger and its copy say the same? Counts and sums per feed and day, and file hashes.

The ledger may be ahead of the last publish, so both are compared up to the warehouse's
mark. Three accounts of the same days must agree: the SQLite rows, the Parquet rows as a
reader of the snapshot sees them, and the sums that the manifest noted while writing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from economy.state import Database
from economy.units import day_text
from economy.warehouse.feeds import DAY_US_SQL, FEEDS, Feed
from economy.warehouse.manifest import Manifest, load_manifest
from economy.warehouse.publish import file_sha256
from economy.warehouse.reading import open_snapshot

Totals = dict[str, tuple[int, ...]]
"""By day: number of rows, then the sum of each column in ``feed.sums``."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that two accounts of the same rows do not share."""

    feed: str
    day: str
    what: str
    ledger: int
    warehouse: int


def compare(database: Database, folder: Path) -> list[Difference]:
    """Every difference between ledger and warehouse, up to the last publish; [] is well.

    A part whose bytes changed counts as a difference in ``bytes of <path>``.
    """
    manifest = load_manifest(folder)
    differences = list(_changed_parts(folder, manifest))
    if differences:  # A damaged part may not be readable at all.
        return differences
    with database.reading() as ledger, open_snapshot(folder) as snapshot:
        for feed in FEEDS:
            ours = _ledger_totals(ledger, feed, manifest.mark(feed.name).row_id)
            differences += _different(feed, ours, _snapshot_totals(snapshot, feed))
            differences += _different(feed, ours, _noted_totals(manifest, feed))
    return differences


def lag(database: Database, folder: Path) -> dict[str, int]:
    """Rows by feed that the ledger has and the warehouse has not yet."""
    manifest = load_manifest(folder)
    with database.reading() as ledger:
        return {
            feed.name: int(
                ledger.execute(
                    f"SELECT count(*) FROM {feed.name} WHERE {feed.row_id} > ?",
                    (manifest.mark(feed.name).row_id,),
                ).fetchone()[0]
            )
            for feed in FEEDS
        }


def _changed_parts(folder: Path, manifest: Manifest) -> Iterator[Difference]:
    for part in manifest.parts:
        path = folder / part.path
        if not path.exists():
            yield Difference(part.feed, part.day, f"bytes of {part.path}", part.bytes, 0)
        elif file_sha256(path) != part.sha256:
            size = path.stat().st_size
            yield Difference(part.feed, part.day, f"bytes of {part.path}", part.bytes, size)


def _ledger_totals(ledger: sqlite3.Connection, feed: Feed, last_id: int) -> Totals:
    # SQLite adds in 64 bits: the two halves of each column are added apart.
    halves = ", ".join(f"sum({name} >> 32), sum({name} & 4294967295)" for name in feed.sums)
    rows = ledger.execute(
        f"SELECT {DAY_US_SQL} AS day_us, count(*), {halves} FROM {feed.name} "
        f"WHERE {feed.row_id} <= ? GROUP BY day_us",
        (last_id,),
    )
    return {
        day_text(day_us): (
            count,
            *((high << 32) + low for high, low in zip(parts[::2], parts[1::2], strict=True)),
        )
        for day_us, count, *parts in rows
    }


def _snapshot_totals(snapshot: duckdb.DuckDBPyConnection, feed: Feed) -> Totals:
    sums = ", ".join(f"sum({name})" for name in feed.sums)
    snapshot.execute(f"SELECT day, count(*), {sums} FROM {feed.name} GROUP BY day")
    return {day.isoformat(): tuple(totals) for day, *totals in snapshot.fetchall()}


def _noted_totals(manifest: Manifest, feed: Feed) -> Totals:
    totals: Totals = {}
    for part in manifest.parts_of(feed.name):
        noted = (part.rows, *(part.sums[name] for name in feed.sums))
        before = totals.get(part.day, (0,) * len(noted))
        totals[part.day] = tuple(a + b for a, b in zip(before, noted, strict=True))
    return totals


def _different(feed: Feed, ours: Totals, theirs: Totals) -> Iterator[Difference]:
    names = ("rows", *(f"sum of {name}" for name in feed.sums))
    nothing = (0,) * len(names)
    for day in sorted(ours.keys() | theirs.keys()):
        pairs = zip(names, ours.get(day, nothing), theirs.get(day, nothing), strict=True)
        for name, ledger, warehouse in pairs:
            if ledger != warehouse:
                yield Difference(feed.name, day, name, ledger, warehouse)
