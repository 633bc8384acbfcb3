"""Publishing is exactly once, restartable at any step, and checkable."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from economy.errors import Conflict, InvariantBroken
from economy.warehouse import compare, lag, publish, query
from economy.warehouse import feeds as feeds_module
from tests.unit.warehouse.books import DAY_US, NOON_US, Books, Spent


class Interrupted(Exception):
    """Stands for a power cut."""


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


def three_days() -> list[Spent]:
    return [Spent(effective_us=NOON_US + day * DAY_US) for day in (2, 0, 1, 0)]


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def counts(folder: Path) -> tuple[int, int]:
    row = query(folder, "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM charges)")
    return row.rows[0][0], row.rows[0][1]


def test_an_empty_ledger_publishes_an_empty_warehouse(books: Books, folder: Path) -> None:
    report = publish(books.database, folder)
    assert (report.added, report.parts) == ({"journal": 0, "charges": 0}, 0)
    assert counts(folder) == (0, 0)
    assert query(folder, "FROM layer_usd").rows == []
    assert compare(books.database, folder) == []


def test_rows_go_to_the_day_they_happened(books: Books, folder: Path) -> None:
    books.charge(three_days())
    books.charge([Spent(effective_us=-1)])  # The last microsecond of 1969.
    report = publish(books.database, folder)
    assert report.added == {"journal": 5, "charges": 5}
    assert {f for f in files(folder) if f.startswith("charges/")} == {
        "charges/day=1969-12-31/b1-2.parquet",
        "charges/day=2026-03-01/b1-2.parquet",
        "charges/day=2026-03-02/b1-2.parquet",
        "charges/day=2026-03-03/b1-2.parquet",
    }
    answer = query(folder, "SELECT day::VARCHAR, count(*) FROM charges GROUP BY day ORDER BY day")
    assert answer.rows == [
        ("1969-12-31", 1),
        ("2026-03-01", 2),
        ("2026-03-02", 1),
        ("2026-03-03", 1),
    ]


def test_publishing_again_adds_only_what_is_new(books: Books, folder: Path) -> None:
    books.charge(three_days())
    publish(books.database, folder)
    first = files(folder)
    assert publish(books.database, folder).parts_added == 0
    assert files(folder) == first
    books.charge([Spent()])
    assert lag(books.database, folder) == {"journal": 1, "charges": 1}
    report = publish(books.database, folder)
    assert report.added == {"journal": 1, "charges": 1}
    assert report.rows == {"journal": 5, "charges": 5}
    assert lag(books.database, folder) == {"journal": 0, "charges": 0}
    assert compare(books.database, folder) == []


def test_it_may_be_interrupted_at_any_step(tmp_path: Path) -> None:
    """Law: whatever step is cut short, the next publish comes to the same end."""
    books = Books(tmp_path / "plain")
    books.charge(three_days())
    steps: list[str] = []
    publish(books.database, tmp_path / "plain" / "warehouse", steps.append)
    assert len(steps) == 3 + 2 * (3 + 3)  # Two feeds, three days, written and put in place.
    for number, fatal in enumerate(steps):
        books = Books(tmp_path / str(number))
        folder = tmp_path / str(number) / "warehouse"
        books.charge([Spent()])
        publish(books.database, folder)
        books.charge(three_days())

        def cut(step: str, fatal: str = fatal) -> None:
            if step == fatal:
                raise Interrupted(step)

        with pytest.raises(Interrupted):
            publish(books.database, folder, cut)
        # A reader meanwhile sees the old state or the new one, whole.
        assert counts(folder) == (1, 1)
        report = publish(books.database, folder)
        assert report.rows == {"journal": 5, "charges": 5}, fatal
        assert counts(folder) == (5, 5), fatal
        assert compare(books.database, folder) == [], fatal
        assert not [name for name in files(folder) if "building" in name], fatal
        named = {
            part["path"] for part in json.loads((folder / "manifest.json").read_text())["parts"]
        }
        assert {name for name in files(folder) if name.endswith(".parquet")} == named, fatal


def test_chunks_smaller_than_a_day_make_one_part(
    books: Books, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds_module, "CHUNK_ROWS", 2)
    books.charge([Spent(effective_us=NOON_US + i) for i in range(5)])
    report = publish(books.database, folder)
    assert report.parts == 2
    part = pq.ParquetFile(folder / "charges/day=2026-03-01/b1-1.parquet")
    assert (part.metadata.num_rows, part.metadata.num_row_groups) == (5, 3)
    assert compare(books.database, folder) == []


def test_only_one_publisher_runs_at_a_time(books: Books, folder: Path) -> None:
    def second(step: str) -> None:
        if step == "manifest":
            with pytest.raises(Conflict, match="another publish is running"):
                publish(books.database, folder)

    publish(books.database, folder, second)


def test_another_ledger_is_not_appended(books: Books, folder: Path, tmp_path: Path) -> None:
    books.charge([Spent(), Spent()])
    books.charge([Spent()])
    publish(books.database, folder)
    other = Books(tmp_path / "other")
    other.charge([Spent()])
    with pytest.raises(Conflict, match="another ledger"):
        publish(other.database, folder)


def test_a_lost_part_is_told_and_not_papered_over(books: Books, folder: Path) -> None:
    books.charge([Spent()])
    publish(books.database, folder)
    (folder / "journal/day=2026-03-01/b1-1.parquet").unlink()
    with pytest.raises(Conflict, match="missing or was changed"):
        publish(books.database, folder)


def test_a_row_without_a_batch_stops_the_publish(books: Books, folder: Path) -> None:
    books.charge([Spent()])
    with books.database.unit() as unit:
        unit.connection.execute("UPDATE charge_batches SET charges = 2")
    with pytest.raises(InvariantBroken, match="own exactly its rows"):
        publish(books.database, folder)


def test_agreement_finds_a_changed_byte(books: Books, folder: Path) -> None:
    books.charge([Spent()])
    publish(books.database, folder)
    part = folder / "charges/day=2026-03-01/b1-1.parquet"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    found = compare(books.database, folder)
    assert [d.what for d in found] == ["bytes of charges/day=2026-03-01/b1-1.parquet"]


def test_agreement_finds_a_changed_ledger(books: Books, folder: Path) -> None:
    books.charge([Spent()])
    publish(books.database, folder)
    forged = sqlite3.connect(books.database.path)
    forged.execute("DROP TRIGGER charges_are_append_only_u")
    forged.execute("UPDATE charges SET list_cost_nusd = list_cost_nusd + 1")
    forged.commit()
    forged.close()
    found = compare(books.database, folder)
    assert {(d.day, d.what, d.ledger - d.warehouse) for d in found} == {
        ("2026-03-01", "sum of list_cost_nusd", 1)
    }


def test_sums_beyond_64_bits_are_compared_exactly(books: Books, folder: Path) -> None:
    huge = 2**62 + 1
    books.charge([Spent(charge_ucr=huge, unrounded_ucr=huge) for _ in range(5)])
    publish(books.database, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [p["sums"]["amount"] for p in manifest["parts"] if p["feed"] == "journal"] == [5 * huge]
    assert compare(books.database, folder) == []
