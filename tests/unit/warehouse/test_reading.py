"""The snapshot is read locked down, fresh, and one SELECT at a time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from economy.errors import BadInput, Conflict, NotFound
from economy.warehouse import open_snapshot, publish, query
from tests.unit.warehouse.books import Books, Spent


@pytest.fixture
def books(tmp_path: Path) -> Books:
    books = Books(tmp_path)
    books.charge([Spent(), Spent(status=2, rated_ucr=8_000_000)])
    return books


@pytest.fixture
def folder(books: Books, tmp_path: Path) -> Path:
    publish(books.database, tmp_path / "warehouse")
    return tmp_path / "warehouse"


def test_before_the_first_publish_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="economy warehouse publish"):
        query(tmp_path / "nothing", "SELECT 1")


def test_a_folder_that_was_moved_says_so(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(Conflict, match="was moved"):
        query(tmp_path / "elsewhere", "SELECT 1")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1; SELECT 2",
        "COPY (SELECT 1) TO '{folder}/journal/x.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/journal/x.csv'",
        "INSERT INTO customers VALUES ('x', 9, 9)",
        "SET lock_configuration = false",
        "ATTACH '{folder}/journal/x.duckdb'",
        "PRAGMA database_list",
        "SELEC 1",
    ],
)
def test_anything_but_one_select_is_refused(folder: Path, sql: str) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(BadInput):
        query(folder, sql.format(folder=folder))
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('{folder}/../economy.sqlite')",
        "SELECT * FROM read_text('{folder}/manifest.json')",
        "WITH gone AS (DELETE FROM customers RETURNING *) SELECT * FROM gone",
    ],
)
def test_a_select_reads_the_parts_and_changes_nothing(folder: Path, sql: str) -> None:
    with pytest.raises(BadInput, match="the query failed"):
        query(folder, sql.format(folder=folder))
    assert query(folder, "SELECT count(*) FROM customers").rows == [(2,)]


def test_a_reader_that_stays_open_does_not_hold_others_back(books: Books, folder: Path) -> None:
    """DuckDB shares one instance per path in a process: a trap this module steps around."""
    with open_snapshot(folder) as old:
        books.charge([Spent()])
        publish(books.database, folder)
        assert query(folder, "SELECT count(*) FROM charges").rows == [(3,)]
        old.execute("SELECT count(*) FROM charges")
        assert old.fetchall() == [(2,)]
        with pytest.raises(duckdb.Error):
            old.execute("SET enable_external_access = true")


def test_dimensions_name_what_the_parts_number(folder: Path) -> None:
    assert query(folder, "SELECT DISTINCT customer, model, provider, source FROM charges").rows == [
        ("ana", "gpt-4", "openai", "test")
    ]
    assert query(folder, "SELECT DISTINCT debit, credit, unit FROM journal").rows == [
        ("clearing:usage.cr", "revenue:usage.cr", "CR")
    ]
    assert query(
        folder, "SELECT price_ucr, per, direction FROM price_lines WHERE model = 'gpt-4'"
    ).rows == [(5_000_000_000, "mtok", "up")]
    assert query(
        folder, "SELECT cost_nusd, per, provider FROM cost_lines WHERE model = 'gpt-4'"
    ).rows == [(30_000_000_000, "mtok", "openai")]
    assert query(folder, "SELECT effective_from, until_us FROM sheets").rows == [
        ("beginning", None)
    ]
    assert query(folder, "SELECT customer, reason, source FROM unpriced").rows == [
        ("ana", "unknown", "test")
    ]
    assert query(folder, "SELECT journal_rows, charge_rows FROM snapshot").rows == [(2, 2)]


def test_a_charge_under_an_unknown_sheet_is_an_error_and_not_nothing(
    books: Books, folder: Path
) -> None:
    books.charge([Spent(sheet_version=7)])
    publish(books.database, folder)
    with pytest.raises(BadInput, match="pins a price sheet that is not here"):
        query(folder, "FROM layer_usd")


def test_a_damaged_snapshot_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"no database" * 1_000)
    with pytest.raises(BadInput, match="economy warehouse publish"):
        open_snapshot(tmp_path)
