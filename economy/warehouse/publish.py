"""Publishing: copy what is new in the ledger to the warehouse, exactly once.

The order of the steps is what makes it restartable. Whatever step is interrupted, the next
publish starts from the last finished one and comes to the same end::

    1  clear     remove files that no manifest names (an interrupted publish left them)
    2  write     one Parquet part for each feed and UTC day, under a temporary name
    3  part      sync and rename each part; still no manifest names it
    4  manifest  replace manifest.json by rename: now, and at once, all parts count
    5  snapshot  build warehouse.duckdb beside, rename it into place

Everything is read in one SQLite read transaction, so parts, accounts and lots show the same
moment while charging goes on. One publisher runs at a time.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from economy.errors import Conflict, invariant
from economy.state import Database
from economy.units import day_text
from economy.warehouse.feeds import (
    FEEDS,
    Feed,
    Span,
    batch_hash,
    exact_sum,
    read_by_day,
    span_after,
)
from economy.warehouse.manifest import (
    REBUILD,
    Manifest,
    Mark,
    Part,
    load_manifest,
    put_in_place,
    save_manifest,
)
from economy.warehouse.snapshot import build_snapshot

LOCK_NAME = "publishing.lock"
_HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What one publish added, and what the warehouse holds now."""

    added: dict[str, int]
    """New rows by feed."""
    parts_added: int
    rows: dict[str, int]
    """All rows by feed."""
    parts: int
    snapshot: Path


def publish(
    database: Database, folder: Path, announce: Callable[[str], None] | None = None
) -> PublishReport:
    """Bring the warehouse in ``folder`` up to the ledger as it is now.

    ``announce`` is told the name of each step before it happens (for a progress bar).
    Raises :class:`Conflict` if another publish runs, or if the warehouse was published
    from another ledger or has lost a part.
    """
    tell = announce or _quietly
    folder.mkdir(parents=True, exist_ok=True)
    with _one_publisher(folder), database.reading() as connection:
        before = load_manifest(folder)
        _check_continues(connection, folder, before)
        tell("clear")
        _clear_leftovers(folder, before)
        marks, parts = dict(before.marks), list(before.parts)
        added = {}
        for feed in FEEDS:
            mark = before.mark(feed.name)
            span = span_after(connection, feed, mark.batch, mark.row_id)
            added[feed.name] = 0 if span is None else span.rows
            if span is not None:
                parts += _write_parts(connection, folder, feed, span, tell)
                marks[feed.name] = Mark(
                    span.last_batch, span.last_id, mark.rows + span.rows, span.last_hash
                )
        manifest = Manifest(marks, tuple(parts), database.clock.now_us())
        tell("manifest")
        save_manifest(folder, manifest)
        tell("snapshot")
        snapshot = build_snapshot(connection, folder, manifest)
    return PublishReport(
        added=added,
        parts_added=len(parts) - len(before.parts),
        rows={feed.name: manifest.mark(feed.name).rows for feed in FEEDS},
        parts=len(parts),
        snapshot=snapshot,
    )


def _quietly(_step: str) -> None:
    """Nobody listens."""


@contextmanager
def _one_publisher(folder: Path) -> Iterator[None]:
    """Hold the folder for one publisher: a lock that the system drops if we die.

    SQLite's own file lock is used for it, because it is the same on every system.
    """
    lock = sqlite3.connect(folder / LOCK_NAME, timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise Conflict(
                "another publish is running", where=str(folder), way_out="Let it finish first"
            ) from None
        yield
    finally:
        lock.close()


def _check_continues(connection: sqlite3.Connection, folder: Path, manifest: Manifest) -> None:
    """Refuse to append to a copy of another ledger, or to one with a part missing."""
    for feed in FEEDS:
        mark = manifest.mark(feed.name)
        if mark.batch and batch_hash(connection, feed, mark.batch) != mark.hash:
            raise Conflict(
                f"the warehouse holds the {feed.name} of another ledger",
                where=str(folder),
                field="batch",
                value=mark.batch,
                way_out=REBUILD,
            )
    for part in manifest.parts:
        path = folder / part.path
        if not path.exists() or path.stat().st_size != part.bytes:
            raise Conflict(
                "a part of the warehouse is missing or was changed",
                where=str(path),
                way_out=REBUILD,
            )


def _clear_leftovers(folder: Path, manifest: Manifest) -> None:
    """Remove what an interrupted publish left: files that the manifest does not name."""
    named = {folder / part.path for part in manifest.parts}
    for feed in FEEDS:
        for path in (folder / feed.name).glob("day=*/*"):
            if path not in named:
                path.unlink()
    for path in folder.glob("*.building*"):
        path.unlink()


def _write_parts(
    connection: sqlite3.Connection,
    folder: Path,
    feed: Feed,
    span: Span,
    tell: Callable[[str], None],
) -> list[Part]:
    """Write the rows of ``span``, one part a day; returns the parts, all in place."""
    parts: list[Part] = []
    writing: _PartWriter | None = None
    for day_us, chunk in read_by_day(connection, feed, span):
        day = day_text(day_us)
        if writing is None or writing.day != day:
            if writing is not None:
                parts.append(writing.finish(tell))
            tell(f"write {feed.name} {day}")
            writing = _PartWriter(folder, feed, day, span)
        writing.add(chunk)
    if writing is not None:
        parts.append(writing.finish(tell))
    invariant(sum(part.rows for part in parts) == span.rows, "every row goes to one part")
    return parts


class _PartWriter:
    """One part while it is being written, under a temporary name."""

    def __init__(self, folder: Path, feed: Feed, day: str, span: Span) -> None:
        self.day = day
        self._feed = feed
        self._folder = folder
        self._path = (
            folder / feed.name / f"day={day}" / f"b{span.first_batch}-{span.last_batch}.parquet"
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._building = self._path.with_suffix(".building")
        self._writer = pq.ParquetWriter(self._building, feed.schema, compression="zstd")
        self._rows = 0
        self._sums = dict.fromkeys(feed.sums, 0)

    def add(self, chunk: pa.Table) -> None:
        self._writer.write_table(chunk)
        self._rows += chunk.num_rows
        for name in self._feed.sums:
            self._sums[name] += exact_sum(chunk[name])

    def finish(self, tell: Callable[[str], None]) -> Part:
        self._writer.close()
        sha256 = file_sha256(self._building, sync=True)
        tell(f"part {self._feed.name} {self.day}")
        size = self._building.stat().st_size
        put_in_place(self._building, self._path)
        return Part(
            feed=self._feed.name,
            day=self.day,
            path=self._path.relative_to(self._folder).as_posix(),
            rows=self._rows,
            bytes=size,
            sha256=sha256,
            sums=self._sums,
        )


def file_sha256(path: Path, *, sync: bool = False) -> str:
    """SHA-256 of a file in hex; ``sync`` also puts its bytes on the disk."""
    digest = hashlib.sha256()
    with path.open("rb+" if sync else "rb") as file:
        while block := file.read(_HASH_CHUNK_BYTES):
            digest.update(block)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()
