"""The unit of work, recorded time and migrations of the one transactional database."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from economy.errors import BadInput
from economy.state.clock import FixedClock, SystemClock
from economy.state.database import Database

NOON_US = 1_769_860_800_000_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON_US)


@pytest.fixture
def database(tmp_path: Path, clock: FixedClock) -> Database:
    return Database.create(tmp_path / "economy.sqlite", clock)


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row[0] for row in connection.execute("SELECT name FROM customers ORDER BY 1")]


def add(connection: sqlite3.Connection, name: str) -> None:
    connection.execute("INSERT INTO customers (name, created_us) VALUES (?, 0)", (name,))


def test_a_unit_of_work_commits_as_a_whole(database: Database) -> None:
    with database.unit() as unit:
        add(unit.connection, "alice")
        add(unit.connection, "bob")
        assert names(database) == []  # Nobody sees half a unit.
    assert names(database) == ["alice", "bob"]


@pytest.mark.parametrize("error", [BadInput("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_any_error_rolls_the_whole_unit_back(database: Database, error: BaseException) -> None:
    with pytest.raises(type(error)), database.unit() as unit:
        add(unit.connection, "alice")
        raise error
    assert names(database) == []


def test_an_error_is_told_even_when_the_store_has_already_rolled_back(database: Database) -> None:
    """A full disk makes SQLite roll back by itself; the cause must not be hidden by ours."""
    with pytest.raises(ZeroDivisionError), database.unit() as unit:
        unit.connection.execute("ROLLBACK")
        raise ZeroDivisionError


def test_a_unit_that_failed_does_not_hold_the_lock(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.unit():
        raise ZeroDivisionError
    with database.unit() as unit:
        add(unit.connection, "alice")
    assert names(database) == ["alice"]


def test_recorded_time_is_the_clocks(database: Database) -> None:
    with database.unit() as unit:
        assert unit.recorded_us == NOON_US


def test_recorded_time_goes_on_when_the_clock_stands_still(database: Database) -> None:
    seen = []
    for _ in range(3):
        with database.unit() as unit:
            seen.append(unit.recorded_us)
    assert seen == [NOON_US, NOON_US + 1, NOON_US + 2]


def test_recorded_time_never_goes_back_even_if_the_machines_clock_does(database: Database) -> None:
    with database.unit() as unit:
        first_us = unit.recorded_us
    earlier = Database.open(database.path, FixedClock(NOON_US - 3_600_000_000))
    with earlier.unit() as unit:
        assert unit.recorded_us > first_us


def test_recorded_time_of_a_unit_that_failed_is_not_kept(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.unit():
        raise ZeroDivisionError
    with database.unit() as unit:
        assert unit.recorded_us == NOON_US


def test_two_writers_take_turns(database: Database) -> None:
    n_writers, n_units = 2, 10
    seen: list[int] = []

    def write(writer: int) -> None:
        for i in range(n_units):
            with database.unit() as unit:
                add(unit.connection, f"customer-{writer}-{i}")
                seen.append(unit.recorded_us)

    writers = [threading.Thread(target=write, args=(w,)) for w in range(n_writers)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(names(database)) == n_writers * n_units
    assert len(set(seen)) == n_writers * n_units
    assert seen == sorted(seen)


def test_reading_is_one_view_and_writes_nothing(database: Database) -> None:
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (0,)
        with database.unit() as unit:
            add(unit.connection, "alice")
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            add(connection, "bob")
    assert names(database) == ["alice"]


def test_the_store_is_durable(database: Database) -> None:
    connection = database.connect()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_migrations_may_be_repeated(database: Database) -> None:
    with database.unit() as unit:
        add(unit.connection, "alice")
    database.migrate()
    assert names(Database.create(database.path)) == ["alice"]


def test_two_programs_may_create_the_same_workspace_at_once(tmp_path: Path) -> None:
    path = tmp_path / "economy.sqlite"
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def create() -> None:
        start.wait()
        try:
            Database.create(path)
        except BaseException as error:
            errors.append(error)

    creators = [threading.Thread(target=create) for _ in range(4)]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join()
    assert errors == []
    assert names(Database.open(path)) == []


def test_a_migration_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "economy.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE journal (x)")  # In the way of the first migration.
    connection.commit()
    connection.close()
    with pytest.raises(BadInput, match="cannot be used"):
        Database.create(path)
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert tables == [("journal",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    connection.close()


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    connection = database.connect()
    connection.execute("PRAGMA user_version=999")
    connection.close()
    with pytest.raises(BadInput, match="schema 999") as caught:
        Database.open(database.path)
    assert caught.value.where == str(database.path)


def test_a_missing_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="economy init"):
        Database.open(tmp_path / "economy.sqlite")
    assert list(tmp_path.iterdir()) == []  # Looking creates nothing.


def test_a_file_that_is_no_database_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "economy.sqlite"
    path.write_bytes(b"time,customer,model\n" * 100)
    with pytest.raises(BadInput, match="cannot be used"):
        Database.open(path)
    assert path.read_bytes().startswith(b"time,customer")


def test_a_home_that_is_a_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder", encoding="utf-8")
    with pytest.raises(BadInput):
        Database.create(tmp_path / "home" / "economy.sqlite")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET amount = 0",
        "DELETE FROM journal",
        "UPDATE journal_batches SET transfers = 1",
        "DELETE FROM journal_batches",
    ],
)
def test_sql_itself_keeps_the_journal_append_only(database: Database, statement: str) -> None:
    with database.unit() as unit:
        unit.connection.execute(
            "INSERT INTO journal_batches VALUES (1, 1, 1, ?, zeroblob(32))", (unit.recorded_us,)
        )
        unit.connection.execute(
            "INSERT INTO journal (seq, batch, id, debit_account, credit_account, amount, flags,"
            " code, reference, effective_us) VALUES (1, 1, zeroblob(16), 1, 2, 5, 0, 1, 1, 0)"
        )
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.unit() as unit:
        unit.connection.execute(statement)


@pytest.mark.parametrize(
    ("flags", "debits", "credits"), [(1, 6, 5), (2, 5, 6)], ids=["overdrawn", "overpaid"]
)
def test_sql_itself_refuses_a_balance_beyond_its_limit(
    database: Database, flags: int, debits: int, credits: int
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"), database.unit() as unit:
        unit.connection.execute(
            "INSERT INTO accounts (name, unit, flags, debits_posted, credits_posted)"
            " VALUES ('a.cr', 1, ?, ?, ?)",
            (flags, debits, credits),
        )


def test_a_fixed_clock_refuses_to_go_back(clock: FixedClock) -> None:
    clock.advance(1)
    assert clock.now_us() == NOON_US + 1_000_000
    with pytest.raises(ValueError, match="does not go back"):
        clock.move_to(NOON_US)


def test_the_system_clock_tells_microseconds_since_1970() -> None:
    earlier = SystemClock().now_us()
    assert earlier > NOON_US - 10 * 365 * 86_400_000_000
    assert SystemClock().now_us() >= earlier
