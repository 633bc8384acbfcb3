"""SQLite as the embedded store: connections, units of work, migrations."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from economy.errors import BadInput, EconomyError
from economy.state.clock import Clock, SystemClock

BUSY_TIMEOUT_S = 30.0
CACHE_KIB = 65_536


@dataclass(frozen=True, slots=True)
class Unit:
    """One open transaction. ``recorded_us`` is its place on the recorded time axis."""

    connection: sqlite3.Connection
    recorded_us: int


class Database:
    """The workspace's database file. One instance may be shared by threads.

    Connections are kept for the next unit: to open one costs more than a small commit, and
    to close the last one makes SQLite fold its log into the file.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self.clock: Clock = clock or SystemClock()
        self._idle: list[tuple[int, sqlite3.Connection]] = []

    @classmethod
    def create(cls, path: Path, clock: Clock | None = None) -> Database:
        """Create the file if needed and bring its schema up to date; safe to repeat."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"a workspace cannot be made here: {error.strerror}",
                where=str(path.parent),
                way_out="Name a folder that you may write to",
            ) from None
        database = cls(path, clock)
        database.migrate()
        return database

    @classmethod
    def open(cls, path: Path, clock: Clock | None = None) -> Database:
        """Open an existing workspace; refuse a missing file or a newer schema."""
        if not path.exists():
            raise BadInput(
                "there is no workspace here",
                where=str(path.parent),
                way_out="Create one with: economy init",
            )
        return cls.create(path, clock)

    def connect(self) -> sqlite3.Connection:
        """A new connection in autocommit mode, durable (WAL, synchronous=FULL)."""
        try:
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return connection

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A unit of work: ``BEGIN IMMEDIATE``, then commit, or roll back on any error."""
        with self._connection() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
            yield Unit(connection, self._next_recorded_us(connection))
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the committed state; writers go on meanwhile."""
        with self._connection() as connection:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
            connection.execute("PRAGMA query_only=OFF")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """An idle connection or a new one; it is kept only if its use ended well."""
        connection = self._take_idle() or self.connect()
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # A full disk makes SQLite roll back by itself.
                connection.execute("ROLLBACK")
            connection.close()
            raise
        self._idle.append((os.getpid(), connection))

    def _take_idle(self) -> sqlite3.Connection | None:
        """A connection that this process opened: one must never cross a fork."""
        while self._idle:
            try:
                owner, connection = self._idle.pop()
            except IndexError:  # Another thread was faster.
                return None
            if owner == os.getpid():
                return connection
        return None

    def close(self) -> None:
        """Close the idle connections; the database can be used again afterwards."""
        while (connection := self._take_idle()) is not None:
            connection.close()

    def migrate(self) -> None:
        """Apply every numbered migration that the file has not seen, in order."""
        scripts = sorted(
            (
                entry
                for entry in resources.files("economy.state.migrations").iterdir()
                if entry.name.endswith(".sql")
            ),
            key=lambda entry: entry.name,
        )
        newest = int(scripts[-1].name.split("_")[0])
        connection = self.connect()
        try:
            version = self._schema_version(connection)
            if version > newest:
                raise BadInput(
                    f"the workspace has schema {version}, this program knows up to {newest}",
                    where=str(self.path),
                    way_out="Use the newer program that wrote it",
                )
            if version == newest:
                return
            connection.execute("BEGIN IMMEDIATE")
            version = self._schema_version(connection)
            for script in scripts:
                number = int(script.name.split("_")[0])
                if number > version:
                    for statement in _statements(script.read_text(encoding="utf-8")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            connection.close()

    def _schema_version(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def _next_recorded_us(self, connection: sqlite3.Connection) -> int:
        """The clock's time, but later than any recorded before: it never goes back."""
        last_us = int(connection.execute("SELECT last_recorded_us FROM store_time").fetchone()[0])
        recorded_us = max(self.clock.now_us(), last_us + 1)
        connection.execute("UPDATE store_time SET last_recorded_us = ?", (recorded_us,))
        return recorded_us

    def _unusable(self, error: sqlite3.Error) -> EconomyError:
        return BadInput(
            f"the database cannot be used: {error}",
            where=str(self.path),
            way_out="Check that the file is whole, writable and not held by another program",
        )


def _statements(script: str) -> Iterator[str]:
    """Split a migration into statements, keeping trigger bodies whole."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError("the migration ends inside a statement")
