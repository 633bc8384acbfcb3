"""Published sheets over time: periods without gaps, and a past that nobody reprices."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from economy.errors import BadInput, Conflict, InvariantBroken, NotFound
from economy.pricing.book import Epoch, PriceBook, load_price_book, publish_sheet
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.state.clock import FixedClock
from economy.state.database import Database
from economy.units import BEGINNING_OF_TIME_US, END_OF_TIME_US

NOW_US = 1_000_000


def sheet(name: str, **prices_ucr: int) -> PriceSheet:
    lines = [PriceLine(model, {"blended": ucr}, 1, "up") for model, ucr in prices_ucr.items()]
    return PriceSheet(name, 10_000_000, tuple(lines))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database.create(tmp_path / "e.sqlite", FixedClock(NOW_US))
    with database.unit() as unit:
        assert publish_sheet(unit, sheet("genesis", a=1, b=1), None, "system", "system") == 1
    return database


def test_periods_are_half_open_and_a_scheduled_sheet_stays(database: Database) -> None:
    with database.unit() as unit:
        assert publish_sheet(unit, sheet("later", a=3), NOW_US + 900, "ann", "bob") == 2
        assert publish_sheet(unit, sheet("sooner", a=2, b=1), NOW_US + 500, "ann", "bob") == 3
    with database.reading() as connection:
        book = load_price_book(connection)
    times = [BEGINNING_OF_TIME_US, NOW_US + 499, NOW_US + 500, NOW_US + 899, NOW_US + 900]
    assert [book.sheet_at(t).version for t in times] == [1, 1, 3, 3, 2]
    assert book.line_at("b", NOW_US + 900) is None
    assert book.models() == ("a", "b")
    change = book.next_change("a", NOW_US)
    assert change is not None
    assert change[0] == NOW_US + 500
    # The line of b stays as it is in version 3 and is withdrawn by version 2.
    assert book.next_change("b", NOW_US) == (NOW_US + 900, None)
    assert book.next_change("a", NOW_US + 900) is None


def test_a_withdrawn_model_ends_its_rows(database: Database) -> None:
    with database.unit() as unit:
        publish_sheet(unit, sheet("two", a=2), NOW_US + 500, "ann", "bob")
    with database.reading() as connection:
        table = load_price_book(connection).table(["b", "a", "never"])
    assert table.offset.tolist() == [0, 2, 4, 4]
    assert table.increment.tolist() == [1, 0, 1, 1]
    assert table.version.tolist() == [1, 2, 1, 2]


def test_at_once_means_the_recorded_instant(database: Database) -> None:
    with database.unit() as unit:
        publish_sheet(unit, sheet("now", a=9), None, "ann", "bob")
        recorded_us = unit.recorded_us
    with database.reading() as connection:
        assert load_price_book(connection).epochs[-1].effective_us == recorded_us


def test_the_past_and_a_taken_instant_are_refused(database: Database) -> None:
    with database.unit() as unit:
        with pytest.raises(BadInput, match="never changes in the past"):
            publish_sheet(unit, sheet("p", a=1), unit.recorded_us - 1, "ann", "bob")
        with pytest.raises(BadInput, match="never starts"):
            publish_sheet(unit, sheet("p", a=1), END_OF_TIME_US, "ann", "bob")
        publish_sheet(unit, sheet("p", a=1), NOW_US + 500, "ann", "bob")
        with pytest.raises(Conflict, match="version 2 starts at that very instant"):
            publish_sheet(unit, sheet("q", a=1), NOW_US + 500, "ann", "bob")


def test_the_first_sheet_holds_from_the_beginning(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "new.sqlite", FixedClock(NOW_US))
    with database.unit() as unit, pytest.raises(BadInput, match="from the beginning of time"):
        publish_sheet(unit, sheet("g", a=1), NOW_US, "system", "system")


def test_a_published_sheet_cannot_be_edited(database: Database) -> None:
    with (
        pytest.raises(sqlite3.IntegrityError, match="never changes"),
        database.unit() as unit,
    ):
        unit.connection.execute("UPDATE sheets SET body = '{}'")


def test_a_body_that_is_not_what_was_published_stops_everything(database: Database) -> None:
    with database.unit() as unit:
        unit.connection.execute("DROP TRIGGER sheets_are_append_only_u")
        unit.connection.execute(
            "UPDATE sheets SET body = replace(body, '\"blended\":1', '\"blended\":2')"
        )
    with database.reading() as connection, pytest.raises(InvariantBroken, match="was published"):
        load_price_book(connection)


def test_an_empty_book_has_no_price() -> None:
    with pytest.raises(NotFound, match="no price sheet"):
        PriceBook(()).sheet_at(0)


def test_epochs_out_of_order_are_a_bug() -> None:
    with pytest.raises(InvariantBroken):
        PriceBook((Epoch(1, 5, sheet("a", a=1)), Epoch(2, 5, sheet("b", a=1))))
