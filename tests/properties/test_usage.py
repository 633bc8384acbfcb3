"""Laws of reading: columns decide as one row alone would, whatever the form of the file."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.policy import UsageRules
from economy.quantities import CACHED_INPUT, INPUT, OUTPUT, REASONING
from economy.units import US_PER_SECOND, instant_text
from economy.usage.batch import ReadReport
from economy.usage.maps import map_from
from economy.usage.readers.table import read_usage

MOST = 1_000_000
RULES = UsageRules(
    max_tokens_per_request=MOST, max_audio_s_per_request=3_600, charge_failed_requests=False
)
FIELDS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
COLUMNS = ("event_id", "time", "customer", "model", *FIELDS)
FIRST_US, LAST_US = 946_684_800 * US_PER_SECOND, 7_258_118_400 * US_PER_SECOND


@dataclass(frozen=True)
class Row:
    time: str
    tokens: tuple[str, ...]


times = st.one_of(
    st.integers(FIRST_US, LAST_US - 1).map(instant_text),
    st.sampled_from(["", "soon", "1999-12-31T23:59:59Z", "2026-02-29T00:00:00Z", "2026-01-01"]),
)
tokens = st.one_of(
    st.integers(0, 3_000).map(str),
    st.sampled_from(["", "-1", "1.0", "1.5", "x", str(MOST), str(MOST + 1), "9" * 40, " 7 "]),
)
tables = st.lists(st.builds(Row, times, st.tuples(*[tokens] * 4)), min_size=1, max_size=30)


def accepted(row: Row) -> list[int] | None:
    """The simplest reading of one row: disjoint tokens, or None where it must be refused."""
    if (
        row.time == ""
        or not row.time.endswith("Z")
        or row.time[:4] == "1999"
        or "02-29" in row.time
    ):
        return None
    numbers = []
    for field, cell in zip(FIELDS, row.tokens, strict=True):
        text = cell.strip().removesuffix(".0")
        if text == "" and field in ("cached_input_tokens", "reasoning_tokens"):
            text = "0"
        if not text.isdigit() or int(text) > MOST:
            return None
        numbers.append(int(text))
    given_in, given_out, cached, reasoning = numbers
    if cached > given_in or reasoning > given_out or given_in + given_out > MOST:
        return None
    return [given_in - cached, given_out - reasoning, cached, reasoning]


def _leap_safe(rows: list[Row]) -> list[Row]:
    # A true 29 February is a good time; the oracle above only knows the false one.
    return [row for row in rows if "02-29" not in row.time or row.time.startswith("2026")]


def write(path: Path, rows: list[Row]) -> Path:
    records = [
        (f"e{i}", row.time, f"c{i % 3}", f"m{i % 2}", *row.tokens) for i, row in enumerate(rows, 1)
    ]
    if path.suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(records)
        path.write_text(text.getvalue(), encoding="utf-8")
    else:
        columns = zip(COLUMNS, zip(*records, strict=True), strict=True)
        pq.write_table(pa.table({name: list(cells) for name, cells in columns}), path)
    return path


def read(path: Path, batch_rows: int) -> tuple[dict[int, tuple[object, ...]], ReadReport]:
    report = ReadReport()
    events: dict[int, tuple[object, ...]] = {}
    for batch in read_usage(path, None, RULES, report, batch_rows):
        wanted = batch.quantities[:, [INPUT, OUTPUT, CACHED_INPUT, REASONING]]
        assert batch.quantities.sum() == wanted.sum()
        for i, row in enumerate(batch.row.tolist()):
            events[row] = (
                batch.event_id[i],
                int(batch.effective_us[i]),
                batch.customers[batch.customer[i]],
                batch.models[batch.model[i]],
                wanted[i].tolist(),
            )
    return events, report


@given(rows=tables.map(_leap_safe).filter(bool), batch_rows=st.integers(1, 40))
@settings(max_examples=60)
def test_a_table_is_read_as_its_rows_are_one_by_one(rows: list[Row], batch_rows: int) -> None:
    """CSV = Parquet = each row alone; every row is delivered or refused, and never both."""
    with tempfile.TemporaryDirectory() as folder:
        by_form = [
            read(write(Path(folder) / f"log.{form}", rows), batch_rows)
            for form in ("csv", "parquet")
        ]
    expected = {i: tokens for i, row in enumerate(rows, 1) if (tokens := accepted(row)) is not None}
    for events, report in by_form:
        assert {row: event[-1] for row, event in events.items()} == expected
        refused = [error.row for error in report.errors]
        assert sorted([*events, *refused]) == list(range(1, len(rows) + 1))
        assert (report.read, report.rejected) == (len(rows), len(refused))
        for row, event in events.items():
            assert event[0] == f"e{row}"
            assert event[2:4] == (f"c{row % 3}", f"m{row % 2}")
    assert by_form[0][0] == by_form[1][0]
    assert by_form[0][1].errors == by_form[1][1].errors


@given(
    at_us=st.lists(st.integers(FIRST_US, LAST_US - 1), min_size=1, max_size=20),
    unit=st.sampled_from([("s", 10**6), ("ms", 10**3), ("us", 1)]),
    start_us=st.integers(FIRST_US, FIRST_US + 10**15),
)
@settings(max_examples=60)
def test_times_keep_their_instant_in_every_form(
    at_us: list[int], unit: tuple[str, int], start_us: int
) -> None:
    """Number, timestamp and text of one instant are read as the same microsecond."""
    name, us = unit
    ticks = [(t - start_us) // us for t in at_us]
    expected = [start_us + tick * us for tick in ticks]
    inside = [i for i, t in enumerate(expected) if FIRST_US <= t < LAST_US]
    expected = [expected[i] for i in inside]
    if not expected:
        return
    ticks = [ticks[i] for i in inside]
    document = {
        "schema_version": 1,
        "source": "x",
        "columns": {"time": "t", "images": "n"},
        "constants": {"model": "m", "customer": "c"},
    }
    numbered = {**document, "time": {"unit": name, "start": instant_text(start_us)}}
    forms = [
        (numbered, pa.array(ticks, pa.int64())),
        (numbered, pa.array([str(tick) for tick in ticks])),
        (document, pa.array(expected, pa.timestamp("us", "UTC"))),
        (document, pa.array([instant_text(t) for t in expected])),
    ]
    for doc, column in forms:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.parquet"
            pq.write_table(pa.table({"t": column, "n": [1] * len(expected)}), path)
            report = ReadReport()
            (batch,) = read_usage(path, map_from(doc, "test"), RULES, report)
        assert batch.effective_us.tolist() == expected
        assert report.errors == []
