"""The two append-only tables that a warehouse copies, and how a chunk becomes columns.

Journal and charges grow in numbered batches without a gap, and each batch has a hash. So
"what is new" is a number, "is it the same ledger" is a hash, and both tables publish
through one piece of code that is told the difference by a :class:`Feed`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from economy.errors import invariant
from economy.units import US_PER_DAY

PART_SCHEMA_VERSION = 1
CHUNK_ROWS = 50_000
"""Rows held at once while copying, and so the size of a Parquet row group."""


@dataclass(frozen=True)
class Feed:
    """One append-only table: its name, keys, batch table, columns and checked sums."""

    name: str
    row_id: str
    batch: str
    batch_table: str
    batch_rows: str
    batch_hash: str
    columns: tuple[tuple[str, pa.DataType], ...]
    sums: tuple[str, ...]
    """Columns whose totals stand in the manifest and are compared with the ledger."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of a part: those of the table, and when the ledger learned it."""
        fields = [pa.field(name, kind, nullable=False) for name, kind in self.columns]
        fields.append(pa.field("recorded_us", pa.int64(), nullable=False))
        metadata = {"feed": self.name, "schema_version": str(PART_SCHEMA_VERSION)}
        return pa.schema(fields, metadata=metadata)


def _int64(*names: str) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple((name, pa.int64()) for name in names)


JOURNAL = Feed(
    name="journal",
    row_id="seq",
    batch="batch",
    batch_table="journal_batches",
    batch_rows="transfers",
    batch_hash="hash",
    columns=(
        *_int64("seq", "batch"),
        ("id", pa.binary(16)),
        *_int64("debit_account", "credit_account", "amount", "flags", "code", "reference"),
        *_int64("pending_seq", "expires_us", "effective_us"),
    ),
    sums=("seq", "debit_account", "credit_account", "amount"),
)

CHARGES = Feed(
    name="charges",
    row_id="charge_id",
    batch="charge_batch",
    batch_table="charge_batches",
    batch_rows="charges",
    batch_hash="charges_sha256",
    columns=(
        *_int64("charge_id", "charge_batch"),
        ("event_key", pa.binary(16)),
        *_int64("source_id"),
        ("event_id", pa.string()),
        *_int64("customer_id", "model_id", "effective_us"),
        *_int64("input_tokens", "output_tokens", "cached_input_tokens"),
        *_int64("cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens"),
        *_int64("audio_ms", "images", "requests", "status"),
        *_int64("unrounded_ucr", "rated_ucr", "charge_ucr", "rounding_ucr"),
        *_int64("basis_usage_nusd", "basis_rounding_nusd", "list_cost_nusd", "paid_cost_nusd"),
        *_int64("key_id", "hold_id", "sheet_version", "cost_version"),
    ),
    sums=(
        *("charge_id", "input_tokens", "output_tokens", "unrounded_ucr", "rated_ucr"),
        *("charge_ucr", "rounding_ucr", "basis_usage_nusd", "basis_rounding_nusd"),
        *("list_cost_nusd", "paid_cost_nusd"),
    ),
)

FEEDS = (JOURNAL, CHARGES)

DAY_US_SQL = f"effective_us - ((effective_us % {US_PER_DAY}) + {US_PER_DAY}) % {US_PER_DAY}"
"""SQLite: the first instant of the UTC day of ``effective_us``, before 1970 too."""


@dataclass(frozen=True, slots=True)
class Span:
    """Rows ``after_id < id <= last_id`` of a feed, which are whole batches."""

    first_batch: int
    last_batch: int
    after_id: int
    last_id: int
    rows: int
    last_hash: str


def span_after(connection: sqlite3.Connection, feed: Feed, batch: int, row_id: int) -> Span | None:
    """What the ledger holds beyond ``batch`` (whose last row is ``row_id``), if anything.

    Checks that the batches follow without a gap and that they own exactly these rows.
    """
    first, last, batches, rows = connection.execute(
        f"SELECT min({feed.batch}), max({feed.batch}), count(*), sum({feed.batch_rows}) "
        f"FROM {feed.batch_table} WHERE {feed.batch} > ?",
        (batch,),
    ).fetchone()
    last_id, found = connection.execute(
        f"SELECT max({feed.row_id}), count(*) FROM {feed.name} WHERE {feed.row_id} > ?", (row_id,)
    ).fetchone()
    if batches == 0:
        invariant(found == 0, f"every row of {feed.name} belongs to a batch")
        return None
    invariant(first == batch + 1 and last == batch + batches, f"batches of {feed.name} have no gap")
    invariant(found == rows, f"the batches of {feed.name} own exactly its rows")
    last_id = row_id if last_id is None else last_id
    return Span(first, last, row_id, last_id, rows, batch_hash(connection, feed, last))


def batch_hash(connection: sqlite3.Connection, feed: Feed, batch: int) -> str:
    """The ledger's hash of one batch, in hex; empty if it has no such batch."""
    row = connection.execute(
        f"SELECT {feed.batch_hash} FROM {feed.batch_table} WHERE {feed.batch} = ?", (batch,)
    ).fetchone()
    return "" if row is None else bytes(row[0]).hex()


def read_by_day(
    connection: sqlite3.Connection, feed: Feed, span: Span
) -> Iterator[tuple[int, pa.Table]]:
    """The rows of ``span`` as ``(first instant of the day, chunk)``, day after day.

    SQLite sorts (in temporary files when it must), so one chunk is all that is held here
    and one part is open at a time, however many days a log touches.
    """
    names = ", ".join(f"r.{name}" for name, _ in feed.columns)
    cursor = connection.execute(
        f"SELECT {DAY_US_SQL} AS day_us, {names}, b.recorded_us "
        f"FROM {feed.name} r JOIN {feed.batch_table} b ON b.{feed.batch} = r.{feed.batch} "
        f"WHERE r.{feed.row_id} > ? AND r.{feed.row_id} <= ? ORDER BY day_us, r.{feed.row_id}",
        (span.after_id, span.last_id),
    )
    schema = feed.schema
    while rows := cursor.fetchmany(CHUNK_ROWS):
        for day_us, chunk in _split_days(rows):
            yield day_us, _table(chunk, schema)


def exact_sum(column: pa.ChunkedArray | pa.Array) -> int:
    """The sum of an int64 column as an exact integer, however large."""
    values = np.asarray(column, dtype=np.int64)
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def _split_days(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Sequence[tuple[Any, ...]]]]:
    """Cut rows that are sorted by their first field into runs of equal ones."""
    days = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(rows)]
    for start, stop in pairwise(cuts):
        yield int(days[start]), rows[start:stop]


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True))[1:]
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
