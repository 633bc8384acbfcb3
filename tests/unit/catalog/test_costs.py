"""The cost book: history, overlay, versions by content, and files that a person wrote."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from economy.catalog.costs import CostBook, CostEntry, CostTier, LeftOut, from_document
from economy.catalog.files import load_costs
from economy.catalog.rates import NOT_PRICED, RateRow, build_rate_table, price_columns
from economy.catalog.store import load_cost_book, save_cost_book
from economy.errors import BadInput, InvariantBroken, NotFound
from economy.state.clock import FixedClock
from economy.state.database import Database
from economy.units import BEGINNING_OF_TIME_US, INT64_MAX, parse_instant, parse_usd

DECEMBER_US = parse_instant("2026-12-01T00:00:00Z")
OLD = CostEntry("gpt-4", "openai", BEGINNING_OF_TIME_US, {"blended": 30})
NEW = CostEntry("gpt-4", "openai", DECEMBER_US, {"blended": 50})
OTHER = CostEntry("other", "x", 5, {"input": 1}, (CostTier(9, {"input": 2}),), "s", ("web",))


def test_the_entry_in_force_is_the_last_that_has_begun() -> None:
    book = CostBook([NEW, OTHER, OLD])
    assert book.models() == ("gpt-4", "other")
    assert book.history("gpt-4") == (OLD, NEW)
    assert book.at("gpt-4", DECEMBER_US - 1) == OLD
    assert book.at("gpt-4", DECEMBER_US) == NEW
    assert book.at("other", 4) is None
    assert book.at("unknown", 0) is None
    assert book.provider("gpt-4") == "openai"
    assert book.provider("unknown") is None


def test_an_overlay_replaces_whole_histories_and_gaps() -> None:
    snapshot = CostBook([OLD, NEW, OTHER], [LeftOut("late", "x", "by the hour")])
    hand = CostBook(
        [CostEntry("gpt-4", "openai", 0, {"blended": 40}), CostEntry("late", "x", 0, {"input": 1})]
    )
    book = snapshot.overlay(hand)
    assert [entry.prices_nusd for entry in book.history("gpt-4")] == [{"blended": 40}]
    assert book.history("other") == (OTHER,)
    assert book.left_out == ()


def test_further_entries_join_a_history() -> None:
    moved = CostEntry("gpt-4", "openai", DECEMBER_US, {"blended": 60})
    assert CostBook([OLD]).with_entries([NEW]).history("gpt-4") == (OLD, NEW)
    assert CostBook([OLD, NEW]).with_entries([moved]).history("gpt-4") == (OLD, moved)


def test_a_book_is_its_content_whatever_the_order() -> None:
    book, same = CostBook([OLD, NEW, OTHER]), CostBook([OTHER, NEW, OLD])
    assert book.sha256 == same.sha256
    assert book != CostBook([OLD, NEW])
    assert from_document(json.loads(book.canonical_json)) == book


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (CostEntry("m", "p", 0, {}), "no price"),
        (CostEntry("m", "p", 0, {"inptu": 1}), "unknown price key"),
        (CostEntry("m", "p", 0, {"input": -1}), "negative"),
        (CostEntry("m", "p", 0, {"input": 1.5}), "integer"),  # type: ignore[dict-item]
        (CostEntry("m", "p", 0, {"input": 1}, (CostTier(0, {"input": 1}),)), "above zero"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(entry: CostEntry, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        CostBook([entry])


def test_two_costs_from_one_instant_are_refused() -> None:
    with pytest.raises(BadInput, match="same instant"):
        CostBook([OLD, OLD])


def test_columns_of_a_book() -> None:
    table = CostBook([OLD, NEW, OTHER]).table(["other", "none", "gpt-4"], cost_version=3)
    assert table.offset.tolist() == [0, 1, 1, 3]
    assert table.from_us.tolist() == [5, BEGINNING_OF_TIME_US, DECEMBER_US]
    assert table.prices[0, :, 0].tolist() == [1, 2]
    assert table.tier_above.tolist() == [[-1, 9], [-1, INT64_MAX], [-1, INT64_MAX]]
    assert table.version.tolist() == [3, 3, 3]
    assert table.prices.dtype == np.int64
    assert table.index() == {"other": 0, "none": 1, "gpt-4": 2}


def test_price_columns_fall_back_only_within_their_kind() -> None:
    assert price_columns({"blended": 7}) == [7] * 6 + [NOT_PRICED, NOT_PRICED, 0]
    assert price_columns({"input": 1, "output": 2}) == [1, 2, 1, 1, 1, 2, -1, -1, 0]
    assert price_columns({"input": 1, "cache_write_5m": 3})[4] == 3
    assert price_columns({"audio": 5, "request": 6}) == [-1] * 6 + [5, -1, 6]


def test_rows_out_of_order_are_a_bug() -> None:
    rows = [RateRow(from_us=2, version=1, prices=[1] * 9), RateRow(from_us=1, version=2)]
    with pytest.raises(InvariantBroken, match="ascend"):
        build_rate_table(["m"], [rows])


def test_the_same_content_has_the_same_version(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "e.sqlite", FixedClock(1))
    first, second = CostBook([OLD]), CostBook([OLD, NEW])
    with database.unit() as unit:
        with pytest.raises(NotFound, match="no cost book"):
            load_cost_book(unit.connection)
        versions = [save_cost_book(unit, book) for book in (first, second, first)]
    assert versions == [1, 2, 1]
    with database.reading() as connection:
        assert load_cost_book(connection) == (2, second)
        assert load_cost_book(connection, 1) == (1, first)
        with pytest.raises(NotFound):
            load_cost_book(connection, 9)


FILE = """
schema_version = 1

[[costs]]
model = "m"
provider = "p"
from = "2026-12-01T00:00:00Z"
usd_per_1k_tokens = { input = "0.001", output = "0.002" }
usd_per_minute = "0.006"
usd_per_request = "0.01"

[[costs.tiers]]
above_input_tokens = 200000
usd_per_mtok = { input = "2", output = "4" }
"""


def test_a_file_in_the_units_that_a_person_writes(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    (entry,) = load_costs(tmp_path).entries
    assert entry.from_us == DECEMBER_US
    assert entry.prices_nusd == {
        "input": parse_usd("1"),
        "output": parse_usd("2"),
        "audio": parse_usd("0.006"),
        "request": parse_usd("0.01"),
    }
    assert entry.tiers == (CostTier(200_000, {"input": parse_usd("2"), "output": parse_usd("4")}),)
    assert entry.source == "mine.toml"


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ('input = "0.001"', "input = 0.001", "costs.0.usd_per_1k_tokens.input", 0.001),
        ('input = "0.001"', 'input = "-1"', "costs.0.usd_per_1k_tokens.input", "-1"),
        ('input = "0.001"', 'inptu = "1"', "costs.0.usd_per_1k_tokens.inptu.[key]", "inptu"),
        ('provider = "p"', 'provider = "p"\npeak = "1"', "costs.0.peak", "1"),
        ("00:00:00Z", "00:00:00", "costs.0.from", "2026-12-01T00:00:00"),
        ("schema_version = 1", "schema_version = 2", "schema_version", 2),
        ('usd_per_minute = "0.006"', 'usd_per_mtok = {input = "1"}', "costs.0", None),
        ('output = "0.002"', 'blended = "1"', "costs.0", None),
    ],
)
def test_a_bad_file_names_file_key_and_value(
    tmp_path: Path, old: str, new: str, field: str, value: object
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(FILE.replace(old, new, 1))
    with pytest.raises(BadInput) as caught:
        load_costs(file)
    assert caught.value.where == str(file)
    assert (caught.value.field, caught.value.value) == (field, value)


def test_a_model_in_two_files_or_twice_in_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FILE)
    (tmp_path / "b.toml").write_text(FILE)
    with pytest.raises(BadInput, match="two files"):
        load_costs(tmp_path)
    twice = tmp_path / "c.toml"
    twice.write_text(FILE + FILE.replace("schema_version = 1", ""))
    with pytest.raises(BadInput, match="same instant") as caught:
        load_costs(twice)
    assert str(twice) in str(caught.value)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no TOML file"):
        load_costs(tmp_path)
