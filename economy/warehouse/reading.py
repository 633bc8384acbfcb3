"""Reading the snapshot: locked down, one statement, and never a stale file.

Two properties of DuckDB shape this module. Connections of one process to one path share
one instance, so a reader that stays open would keep every later reader on the old snapshot
after a publish; each connection here is therefore an instance of its own, with the
snapshot attached read-only. And ``COPY ... TO`` may write into an allowed folder even then
(``EXPLAIN ANALYZE`` would run it, too), so text from a person passes :func:`query`, which
takes exactly one SELECT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from economy.errors import BadInput, Conflict, NotFound
from economy.warehouse.feeds import FEEDS
from economy.warehouse.snapshot import SNAPSHOT_NAME

Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query. Integers stay integers, however large."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def as_dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def open_snapshot(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can read the snapshot and its parts, and nothing else.

    Close it when done. Raises :class:`NotFound` before the first publish,
    :class:`Conflict` if the folder was moved (views name their parts by full path), and
    :class:`BadInput` if the file is damaged.
    """
    path = folder / SNAPSHOT_NAME
    if not path.exists():
        raise NotFound(
            "nothing was published to the warehouse yet",
            where=str(folder),
            way_out="Publish it with: economy warehouse publish",
        )
    connection = duckdb.connect()
    try:
        _attach(connection, path)
        connection.execute("USE warehouse")
        _check_stands_here(connection, folder)
        allowed = ", ".join(_quoted(str((folder / feed.name).resolve())) for feed in FEEDS)
        connection.execute(f"SET allowed_directories = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        connection.execute(f"ATTACH {_quoted(str(path.resolve()))} AS warehouse (READ_ONLY)")
    except duckdb.Error as error:
        raise BadInput(
            f"the snapshot cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            way_out="Make it anew with: economy warehouse publish",
        ) from None


def query(folder: Path, sql: str, parameters: Parameters = ()) -> Answer:
    """The rows of one SELECT over the snapshot.

    Raises :class:`BadInput` for anything that is not exactly one such statement, and for
    a statement that fails; the message is DuckDB's own.
    """
    with open_snapshot(folder) as connection:
        try:
            check_one_select(connection, sql)
            connection.execute(sql, parameters)
            columns = tuple(str(column[0]) for column in connection.description or ())
            return Answer(columns, connection.fetchall())
        except duckdb.Error as error:
            raise BadInput(f"the query failed: {error}", field="sql") from None


def check_one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse text that is not exactly one SELECT."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise BadInput("exactly one statement is taken", field="sql", value=len(statements))
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise BadInput(
            "only SELECT is taken: the warehouse is a copy for reading",
            field="sql",
            value=str(kind).rpartition(".")[2],
        )


def _check_stands_here(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    row = connection.execute("SELECT folder FROM snapshot").fetchone()
    if row is None or row[0] != str(folder.resolve()):
        raise Conflict(
            "the warehouse was moved since it was published",
            where=str(folder),
            way_out="Publish it again with: economy warehouse publish",
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
