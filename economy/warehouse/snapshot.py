"""The snapshot: a small DuckDB file that makes the parts one database.

It holds the dimension tables (customers, models, accounts, lots, sheets and their lines,
costs, keys, unpriced events), and *views* over exactly the parts that the manifest names.
So it is small, quick to rebuild whole, and never disagrees with the parts.

DuckDB lets one process write a file and then shuts out even readers. The snapshot is
therefore built beside and renamed into place; nobody writes it afterwards. Readers that
have the old one open keep it, as its parts stay where they are.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from economy.catalog.costs import from_document as cost_book_from
from economy.pricing.sheet import from_document as sheet_from
from economy.quantities import INDEX_BY_KEY, QUANTITIES
from economy.units import instant_text
from economy.warehouse.feeds import CHUNK_ROWS, FEEDS, Feed
from economy.warehouse.manifest import Manifest, put_in_place

SNAPSHOT_NAME = "warehouse.duckdb"

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """A table of the ledger that is copied whole: its query there and its columns here."""

    name: str
    select: str
    schema: pa.Schema


def _schema(texts: str = "", integers: str = "") -> pa.Schema:
    fields = [pa.field(name, pa.string()) for name in texts.split()]
    return pa.schema(fields + [pa.field(name, pa.int64()) for name in integers.split()])


DIMENSIONS = (
    Dimension(
        "customers",
        "SELECT name, customer_id, created_us FROM customers ORDER BY customer_id",
        _schema("customer", "customer_id created_us"),
    ),
    Dimension(
        "models",
        "SELECT name, provider, model_id FROM models ORDER BY model_id",
        _schema("model provider", "model_id"),
    ),
    Dimension(
        "sources",
        "SELECT name, source_id FROM sources ORDER BY source_id",
        _schema("source", "source_id"),
    ),
    Dimension(
        "accounts",
        "SELECT name, CASE unit WHEN 1 THEN 'CR' WHEN 2 THEN 'USD' ELSE 'QUOTA' END, account_id, "
        "debits_pending, debits_posted, credits_pending, credits_posted "
        "FROM accounts ORDER BY account_id",
        _schema(
            "account unit",
            "account_id debits_pending debits_posted credits_pending credits_posted",
        ),
    ),
    Dimension(
        "lots",
        "SELECT origin, account_id, customer_id, basis_num, basis_den, expires_us, opened_us, "
        "spent_ucr, spent_rounding_ucr FROM lots ORDER BY account_id",
        _schema(
            "origin",
            "account_id customer_id basis_num basis_den expires_us opened_us "
            "spent_ucr spent_rounding_ucr",
        ),
    ),
    Dimension(
        "top_ups",
        "SELECT pack, top_up_id, customer_id, paid_nusd, credits_ucr, lot_account, effective_us, "
        "recorded_us FROM top_ups ORDER BY top_up_id",
        _schema(
            "pack",
            "top_up_id customer_id paid_nusd credits_ucr lot_account effective_us recorded_us",
        ),
    ),
    Dimension(
        "pool_keys",
        "SELECT name, provider, valued_on, scheme, key_id, owner_id, quota_nusd, capacity_ucr, "
        "fee_ucr, share_ucr, capacity_nusd, served_quota_nusd, relieved_ucr, relieved_nusd, "
        "contributed_us FROM pool_keys ORDER BY key_id",
        _schema(
            "key provider valued_on scheme",
            "key_id owner_id quota_nusd capacity_ucr fee_ucr share_ucr capacity_nusd "
            "served_quota_nusd relieved_ucr relieved_nusd contributed_us",
        ),
    ),
    Dimension(
        "unpriced",
        "SELECT s.name, u.event_id, u.customer, u.model, u.reason, u.quantities, u.effective_us, "
        "u.recorded_us FROM unpriced_events u JOIN sources s USING (source_id) "
        "ORDER BY u.effective_us, u.event_key",
        _schema("source event_id customer model reason quantities", "effective_us recorded_us"),
    ),
)

SHEETS = _schema(
    "sheet_id sha256 author publisher effective_from",
    "version effective_us until_us recorded_us credit_value_nusd",
)
PRICE_LINES = _schema(
    "model price_key per direction markup demand_factor",
    "version above_input_tokens price_ucr increment_ucr cost_version",
)
COST_LINES = _schema(
    "model provider cost_key per source",
    "cost_version from_us above_input_tokens cost_nusd",
)


def build_snapshot(connection: sqlite3.Connection, folder: Path, manifest: Manifest) -> Path:
    """Build ``warehouse.duckdb`` for ``manifest`` beside the old one and put it in place.

    ``connection`` is the read transaction that the manifest's parts were written from.
    """
    building = folder / f"{SNAPSHOT_NAME}.building"
    building.unlink(missing_ok=True)
    snapshot = duckdb.connect(str(building))
    try:
        for dimension in DIMENSIONS:
            _fill(snapshot, dimension.name, dimension.schema, connection.execute(dimension.select))
        _fill_rows(snapshot, "sheets", SHEETS, _sheets(connection))
        _fill_rows(snapshot, "price_lines", PRICE_LINES, _price_lines(connection))
        _fill_rows(snapshot, "cost_lines", COST_LINES, _cost_lines(connection))
        for feed in FEEDS:
            snapshot.execute(_parts_view(feed, folder, manifest))
        snapshot.execute(marts_sql())
        _note_origin(snapshot, folder, manifest)
    finally:
        snapshot.close()
    final = folder / SNAPSHOT_NAME
    put_in_place(building, final)
    return final


def marts_sql() -> str:
    """The documented views of the warehouse (``marts.sql``)."""
    return (resources.files("economy.warehouse") / "marts.sql").read_text(encoding="utf-8")


def _fill(
    snapshot: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, cursor: sqlite3.Cursor
) -> None:
    """Create a table and copy a query's rows into it, a chunk at a time."""
    _fill_rows(snapshot, name, schema, ())
    while rows := cursor.fetchmany(CHUNK_ROWS):
        _append(snapshot, name, schema, rows)


def _fill_rows(
    snapshot: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: Sequence[Row]
) -> None:
    columns = ", ".join(
        f'"{field.name}" {"VARCHAR" if pa.types.is_string(field.type) else "BIGINT"}'
        for field in schema
    )
    snapshot.execute(f"CREATE TABLE {name} ({columns})")
    if rows:
        _append(snapshot, name, schema, rows)


def _append(
    snapshot: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: Sequence[Row]
) -> None:
    arrays = [
        pa.array(c, type=f.type) for c, f in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    snapshot.register("chunk", pa.Table.from_arrays(arrays, schema=schema))
    snapshot.execute(f"INSERT INTO {name} SELECT * FROM chunk")
    snapshot.unregister("chunk")


def _sheets(connection: sqlite3.Connection) -> list[Row]:
    """Published sheets with the half-open period ``[effective_us, until_us)`` of each."""
    rows = connection.execute(
        "SELECT sheet_id, sha256, author, publisher, version, effective_us, "
        "lead(effective_us) OVER (ORDER BY effective_us), recorded_us, body "
        "FROM sheets ORDER BY effective_us"
    )
    return [
        (*texts, instant_text(from_us), version, from_us, until_us, recorded_us, value)
        for *texts, version, from_us, until_us, recorded_us, body in rows
        for value in (json.loads(body)["credit_value_nusd"],)
    ]


def _price_lines(connection: sqlite3.Connection) -> list[Row]:
    """Every price of every published sheet: a row for a model, tier and price key."""
    found: list[Row] = []
    for version, body in connection.execute("SELECT version, body FROM sheets ORDER BY version"):
        for line in sheet_from(json.loads(body), f"sheet version {version}").lines:
            tiers = [(0, line.prices_ucr)]
            tiers += [(tier.above_input_tokens, tier.prices_ucr) for tier in line.tiers]
            found += [
                (
                    line.model,
                    key,
                    _per(key),
                    line.direction,
                    None if line.markup is None else str(line.markup),
                    None if line.demand_factor is None else str(line.demand_factor),
                    version,
                    above,
                    price,
                    line.increment_ucr,
                    line.cost_version,
                )
                for above, prices in tiers
                for key, price in sorted(prices.items())
            ]
    return found


def _cost_lines(connection: sqlite3.Connection) -> list[Row]:
    """Every cost of every cost book version: a row for a model, date, tier and key."""
    found: list[Row] = []
    for version, body in connection.execute(
        "SELECT cost_version, body FROM cost_books ORDER BY cost_version"
    ):
        for entry in cost_book_from(json.loads(body)).entries:
            tiers = [(0, entry.prices_nusd)]
            tiers += [(tier.above_input_tokens, tier.prices_nusd) for tier in entry.tiers]
            found += [
                (
                    entry.model,
                    entry.provider,
                    key,
                    _per(key),
                    entry.source,
                    version,
                    entry.from_us,
                    above,
                    cost,
                )
                for above, prices in tiers
                for key, cost in sorted(prices.items())
            ]
    return found


def _per(key: str) -> str:
    """The unit that a price or cost is for: ``mtok``, ``minute``, ``image``, ``request``."""
    return "mtok" if key == "blended" else QUANTITIES[INDEX_BY_KEY[key]].unit


def _parts_view(feed: Feed, folder: Path, manifest: Manifest) -> str:
    """The view ``<feed>_parts`` over exactly the manifest's parts, with their ``day``."""
    parts = manifest.parts_of(feed.name)
    if parts:
        files = ", ".join(_quoted(str((folder / part.path).resolve())) for part in parts)
        body = (
            f"SELECT * FROM read_parquet([{files}], "
            "hive_partitioning = true, hive_types = {'day': DATE})"
        )
    else:
        columns = ", ".join(f"NULL::{_duckdb_type(f.type)} AS {f.name}" for f in feed.schema)
        body = f"SELECT {columns}, NULL::DATE AS day WHERE false"
    return f"CREATE VIEW {feed.name}_parts AS {body}"


def _note_origin(snapshot: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """One row that says what this snapshot was made from, and where it must stand."""
    journal, charges = manifest.mark("journal"), manifest.mark("charges")
    snapshot.execute(
        "CREATE TABLE snapshot AS SELECT $1::VARCHAR AS folder, $2::VARCHAR AS manifest_sha256, "
        "$3::BIGINT AS published_us, make_timestamp($3::BIGINT) AS published_at, "
        "$4::BIGINT AS journal_batch, $5::BIGINT AS journal_rows, "
        "$6::BIGINT AS charge_batch, $7::BIGINT AS charge_rows",
        [
            str(folder.resolve()),
            manifest.sha256,
            manifest.published_us,
            journal.batch,
            journal.rows,
            charges.batch,
            charges.rows,
        ],
    )


def _duckdb_type(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_binary(kind):
        return "BLOB"
    return "VARCHAR" if pa.types.is_string(kind) else "BIGINT"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
