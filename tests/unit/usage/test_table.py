"""Reading CSV and Parquet logs: what is taken, what is refused, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from economy.errors import BadInput
from economy.policy import UsageRules
from economy.quantities import AUDIO, CACHE_WRITE_5M, CACHED_INPUT, IMAGE, INPUT, OUTPUT, REASONING
from economy.units import parse_instant
from economy.usage import files
from economy.usage.batch import MAX_ERRORS_KEPT, EventStatus, ReadReport, UsageBatch
from economy.usage.files import file_sha256
from economy.usage.maps import ColumnMap, load_map, map_from
from economy.usage.readers.table import read_usage

RULES = UsageRules(
    max_tokens_per_request=10_000_000, max_audio_s_per_request=86_400, charge_failed_requests=False
)
NOON = "2026-01-31T12:00:00Z"
NOON_US = parse_instant(NOON)
HEADER = "event_id,time,customer,model,input_tokens,output_tokens"


def read(
    path: Path, column_map: ColumnMap | None = None, batch_rows: int = 50_000
) -> tuple[list[UsageBatch], ReadReport]:
    report = ReadReport()
    return list(read_usage(path, column_map, RULES, report, batch_rows)), report


def one(path: Path, column_map: ColumnMap | None = None) -> UsageBatch:
    batches, report = read(path, column_map)
    assert report.errors == []
    (batch,) = batches
    return batch


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, header: str = HEADER, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    def write(**columns: Any) -> Path:
        n = len(next(iter(columns.values())))
        own = {
            "time": pa.array([NOON_US] * n, pa.timestamp("us", "UTC")),
            "customer": ["acme"] * n,
            "model": ["gpt-4"] * n,
            "input_tokens": [1] * n,
            "output_tokens": [1] * n,
        }
        path = tmp_path / "log.parquet"
        pq.write_table(pa.table(own | columns), path)
        return path

    return write


def refused(path: Path, column_map: ColumnMap | None = None) -> tuple[int, str, str, str]:
    """Row, field, message and value of the only row error, which spared row 1."""
    batches, report = read(path, column_map)
    assert [row for batch in batches for row in batch.row.tolist()] == [1]
    assert (report.read, report.rejected) == (2, 1)
    (error,) = report.errors
    return error.row, error.field, error.message, error.value


def test_a_row_of_our_own_columns(csv: Callable[..., Path]) -> None:
    header = HEADER + ",cached_input_tokens,cache_write_5m_tokens,reasoning_tokens,images,extra"
    batch = one(csv(f"r-1,{NOON},acme,gpt-4,1000,500,400,100,200,3,ignored", header=header))
    assert batch.source == "own"
    assert batch.event_id == ["r-1"]
    assert batch.effective_us.tolist() == [NOON_US]
    assert batch.customers == ["acme"]
    assert batch.models == ["gpt-4"]
    assert batch.status.tolist() == [EventStatus.OK]
    # Input includes cached reads and writes, output includes reasoning: here they are apart.
    expected = {
        INPUT: 500,
        CACHED_INPUT: 400,
        CACHE_WRITE_5M: 100,
        OUTPUT: 300,
        REASONING: 200,
        IMAGE: 3,
    }
    assert {i: q for i, q in enumerate(batch.quantities[0].tolist()) if q} == expected


GOOD = f"r-1,{NOON},acme,gpt-4,1000,500,,,"
BAD_CELLS = [
    (f"r-2,{NOON},acme,gpt-4,abc,5,,,", "input_tokens", "is not a whole number", "abc"),
    (f"r-2,{NOON},acme,gpt-4,0x10,5,,,", "input_tokens", "is not a whole number", "0x10"),
    (f"r-2,{NOON},acme,gpt-4,nan,5,,,", "input_tokens", "is not a whole number", "nan"),
    (f"r-2,{NOON},acme,gpt-4,1e3,5,,,", "input_tokens", "is not written in plain digits", "1e3"),
    (f"r-2,{NOON},acme,gpt-4,-1,5,,,", "input_tokens", "is negative", "-1"),
    (f"r-2,{NOON},acme,gpt-4,1,12.5,,,", "output_tokens", "is not a whole number", "12.5"),
    (f"r-2,{NOON},acme,gpt-4,,5,,,", "input_tokens", "the value is missing", ""),
    (f"r-2,{NOON},acme,gpt-4,10000001,5,,,", "input_tokens", "is absurd", "10000001"),
    (f"r-2,{NOON},acme,gpt-4,{10**30},5,,,", "input_tokens", "is absurd", str(10**30)),
    (f"r-2,{NOON},acme,gpt-4,1e999999999,5,,,", "input_tokens", "is absurd", "1e999999999"),
    (f"r-2,{NOON},acme,gpt-4,6000000,6000000,,,", "input_tokens", "all tokens together", ""),
    (f"r-2,{NOON},acme,gpt-4,10,5,11,,", "cached_input_tokens", "cached input", "11"),
    (f"r-2,{NOON},acme,gpt-4,10,5,,86401,", "audio_seconds", "is absurd", "86401"),
    (f"r-2,{NOON},acme,gpt-4,10,5,,-0.0001,", "audio_seconds", "is negative", "-0.0001"),
    (f"r-2,{NOON},acme,gpt-4,10,5,,long,", "audio_seconds", "is not a number of", "long"),
    (f"r-2,{NOON},acme,gpt-4,10,5,,,maybe", "status", "is none of ok, failed", "maybe"),
    (f"r-2,{NOON}, ,gpt-4,10,5,,,", "customer", "the value is missing", ""),
    (f"r-2,{NOON},acme,,10,5,,,", "model", "the value is missing", ""),
    (f",{NOON},acme,gpt-4,10,5,,,", "event_id", "the value is missing", ""),
    (f"{'x' * 201},{NOON},acme,gpt-4,10,5,,,", "event_id", "is longer than 200", ""),
    ("r-2,,acme,gpt-4,10,5,,,", "time", "the value is missing", ""),
    ("r-2,yesterday,acme,gpt-4,10,5,,,", "time", "not a time", "yesterday"),
    ("r-2,2026-02-30T12:00:00Z,acme,gpt-4,10,5,,,", "time", "not a time", ""),
    ("r-2,2026-01-31T12:00:00,acme,gpt-4,10,5,,,", "time", "a time without a time zone", ""),
    ("r-2,1769860800,acme,gpt-4,10,5,,,", "time", "not a time", "1769860800"),
    ("r-2,1999-12-31T23:59:59Z,acme,gpt-4,10,5,,,", "time", "is outside the years", ""),
    ("r-2,2200-01-01T00:00:00Z,acme,gpt-4,10,5,,,", "time", "is outside the years", ""),
    (f"r-2,{NOON},acme", "row", "has 3 fields where the header has 9", ""),
    (f"r-2,{NOON},acme,gpt-4,10,5,,,,,", "row", "has 11 fields where the header has 9", ""),
]


@pytest.mark.parametrize(("line", "field", "message", "value"), BAD_CELLS)
def test_a_bad_row_is_told_and_its_neighbour_is_read(
    csv: Callable[..., Path], line: str, field: str, message: str, value: str
) -> None:
    header = HEADER + ",cached_input_tokens,audio_seconds,status"
    row, got_field, got_message, got_value = refused(csv(GOOD, line, header=header))
    assert (row, got_field) == (2, field)
    assert got_message.startswith(message)
    assert got_value.startswith(value)


def test_a_row_with_two_faults_is_one_rejected_row(csv: Callable[..., Path]) -> None:
    row, field, _, _ = refused(csv(f"a,{NOON},acme,m,1,1", "b,never,,m,x,-1"))
    assert (row, field) == (2, "time")


def test_text_that_is_not_utf8_spoils_its_row_only(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = f"a,{NOON},acme,m,1,1\nb,{NOON},\xe9,m,1,1\n"
    path.write_bytes(f"{HEADER}\n{rows}".encode("latin-1"))
    assert refused(path)[:3] == (2, "customer", "is not UTF-8 text")


def test_whole_floats_are_counts_and_fractions_are_not(
    csv: Callable[..., Path], parquet: Callable[..., Path]
) -> None:
    assert one(csv(f"a,{NOON},acme,m,12.0,3.")).quantities[0, :2].tolist() == [12, 3]
    assert refused(parquet(input_tokens=[12.0, 12.5]))[:2] == (2, "input_tokens")
    assert refused(parquet(input_tokens=[12.0, float("nan")]))[2] == "the value is missing"
    assert refused(parquet(input_tokens=[12.0, float("inf")]))[2].startswith("is absurd")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([7, 2**64 - 1], pa.uint64()),
        pa.array([7, -1], pa.int8()),
        pa.array([7, None], pa.int32()),
        pa.array([7.0, -1.0], pa.float32()),
        pa.array([Decimal("7.00"), Decimal("7.10")]),
        pa.array(["7", "seven"]),
        pa.array(["7", "seven"]).dictionary_encode(),
        pa.array([b"7", b"\xff"]),
    ],
    ids=lambda column: str(column.type),
)
def test_counts_of_any_type(parquet: Callable[..., Path], column: Any) -> None:
    path = parquet(input_tokens=column)
    row, field, _, value = refused(path)
    assert (row, field) == (2, "input_tokens")
    assert value in ("", "-1", "-1.0", "7.10", "seven", str(2**64 - 1))
    assert read(path)[0][0].quantities[0, INPUT] == 7


def test_an_empty_cell_of_an_optional_column_means_none(parquet: Callable[..., Path]) -> None:
    batch = one(
        parquet(
            cached_input_tokens=pa.array([None, 1], pa.int64()),
            reasoning_tokens=pa.array([None, None], pa.null()),
            audio_seconds=pa.array([None, 0.0015]),
            status=[None, "FAILED"],
        )
    )
    assert batch.quantities[:, CACHED_INPUT].tolist() == [0, 1]
    assert batch.quantities[:, AUDIO].tolist() == [0, 2]
    assert batch.status.tolist() == [EventStatus.OK, EventStatus.FAILED]


def test_event_ids_are_made_of_file_hash_and_row(csv: Callable[..., Path]) -> None:
    header = HEADER.removeprefix("event_id,")
    path = csv(f"{NOON},acme,m,1,1", f"{NOON},acme,m,-1,1", f"{NOON},acme,m,1,1", header=header)
    batches, _ = read(path)
    prefix = file_sha256(path)[:12]
    assert batches[0].event_id == [f"{prefix}:1", f"{prefix}:3"]


def test_repeated_ids_are_all_delivered(csv: Callable[..., Path]) -> None:
    assert one(csv(*[f"same,{NOON},acme,m,1,1"] * 3)).event_id == ["same"] * 3


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.parquet", b"", "the file is empty"),
        ("a.csv", b"\n \n", "the file is empty"),
        ("a.csv", HEADER.encode() + b"\n", "a header and no rows"),
        ("a.csv", HEADER.encode(), "a header and no rows"),
        ("a.csv", HEADER.encode() + b"\n\n \n", "a header and no rows"),
        ("a.csv", HEADER.encode("utf-16"), "neither Parquet nor UTF-8 text"),
        ("a.csv", bytes(range(256)), "neither Parquet nor UTF-8 text"),
        ("a.csv", b"\x1f\x8b\x08\x00", r"compressed \(gzip\)"),
        ("a.csv", b"time,customer,model,input_tokens\n1,2,3,4\n", "field output_tokens.*missing"),
        ("a.csv", f"{HEADER},time\n1,2,3,4,5,6,7\n".encode(), "two columns have this name"),
        ("a.parquet", b"PA", "is not a Parquet file"),
        ("a.parquet", b"PAR1 and nothing else", "truncated or damaged Parquet"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_once(
    tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=fault) as caught:
        read_usage(path, None, RULES, ReadReport())
    assert str(path) in caught.value.message


def test_what_is_not_a_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(BadInput, match="cannot be read"):
            read_usage(path, None, RULES, ReadReport())


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated_parquet(parquet: Callable[..., Path], part: float) -> None:
    path = parquet(input_tokens=np.arange(5_000))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(BadInput, match="truncated or damaged Parquet"):
        read_usage(path, None, RULES, ReadReport())


def test_parquet_without_rows(parquet: Callable[..., Path]) -> None:
    with pytest.raises(BadInput, match="has no rows"):
        read_usage(parquet(event_id=pa.array([], pa.string())), None, RULES, ReadReport())


def test_a_missing_column_is_named_and_the_present_ones_listed(csv: Callable[..., Path]) -> None:
    with pytest.raises(BadInput) as caught:
        read_usage(csv("1,2", header="when,who"), None, RULES, ReadReport())
    assert caught.value.field == "time"
    assert "The file has when, who" in (caught.value.way_out or "")


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("input_tokens", pa.array([True])),
        ("input_tokens", pa.array([[1]])),
        ("customer", pa.array([1.5])),
        ("time", pa.array([datetime(2026, 1, 31, tzinfo=UTC).date()])),
        ("time", pa.array([1_769_860_800])),
        ("time", pa.array([datetime(2026, 1, 31)])),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_a_column_whose_type_fits_no_row_is_told_once(
    parquet: Callable[..., Path], field: str, column: Any
) -> None:
    with pytest.raises(BadInput, match=f"{field} cannot be read from type") as caught:
        read_usage(parquet(**{field: column}), None, RULES, ReadReport())
    assert caught.value.field == field


def test_semicolons_tabs_and_a_byte_order_mark(csv: Callable[..., Path]) -> None:
    line = f"r-1,{NOON},acme,gpt-4,1,1"
    for mark in ";\t":
        path = csv(line.replace(",", mark), header="\ufeff" + HEADER.replace(",", mark))
        assert one(path).event_id == ["r-1"]


def test_quoted_commas_and_newlines_belong_to_the_cell(csv: Callable[..., Path]) -> None:
    path = csv(f'a,{NOON},"Smith, Inc.\nof York",m,1,1', f"b,{NOON},acme,m,1,1")
    batch = one(path)
    assert batch.customers == ["Smith, Inc.\nof York", "acme"]
    assert batch.row.tolist() == [1, 2]


def test_row_numbers_survive_ragged_and_blank_lines_across_blocks(
    csv: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are counted as in the file, blank lines apart, whatever was skipped before."""
    monkeypatch.setattr(files, "_CSV_BLOCK_BYTES", 512)
    lines, ragged, negative = [], [], []
    for row in range(1, 401):
        if row % 7 == 0:
            ragged.append(row)
            lines.append(f"{row},too,few")
        elif row % 11 == 0:
            negative.append(row)
            lines.append(f"{row},{NOON},acme,m,-1,1")
        else:
            lines.append(f"{row},{NOON},acme,m,1,1")
        if row % 13 == 0:
            lines.append("")
    batches, report = read(csv(*lines), batch_rows=5)
    assert len(batches) > 5
    for batch in batches:
        assert batch.event_id == [str(row) for row in batch.row.tolist()]
    assert sorted(e.row for e in report.errors if e.field == "row") == ragged
    assert [e.row for e in report.errors if e.field == "input_tokens"] == negative
    assert report.read == 400
    assert report.rejected == len(ragged) + len(negative)


def test_damage_inside_parquet_is_told_when_reached(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    n = 200_000
    rng = np.random.default_rng(1)
    table = pa.table(
        {
            "time": pa.array(np.full(n, NOON_US), pa.timestamp("us", "UTC")),
            "customer": ["acme"] * n,
            "model": ["m"] * n,
            "input_tokens": rng.integers(0, 9_000, n),
            "output_tokens": rng.integers(0, 9_000, n),
        }
    )
    pq.write_table(table, path, row_group_size=50_000, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    start = int(len(content) * 0.7)
    content[start : start + 40_000] = bytes(40_000)
    path.write_bytes(content)
    report = ReadReport()
    stream = read_usage(path, None, RULES, report)
    assert len(next(stream)) == 50_000
    with pytest.raises(BadInput, match="truncated or damaged Parquet"):
        list(stream)


def test_errors_kept_are_bounded_and_rejected_rows_are_all_counted(
    csv: Callable[..., Path],
) -> None:
    n = MAX_ERRORS_KEPT + 5
    batches, report = read(csv(*[f"a,{NOON},acme,m,-1,1"] * n))
    assert batches == []
    assert (report.read, report.rejected, len(report.errors)) == (n, n, MAX_ERRORS_KEPT)


TIMED: dict[str, Any] = {
    "schema_version": 1,
    "source": "timed",
    "columns": {"time": "t", "input_tokens": "n"},
    "constants": {"model": "m", "customer": "c"},
}


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ({}, "2026-01-31T20:00:00+08:00", NOON),
        ({}, "2026-01-31 12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ({"zone": "UTC"}, "2026-01-31T12:00:00", NOON),
        ({"zone": "+08:00"}, "2026-01-31T20:00:00", NOON),
        ({"zone": "Asia/Shanghai"}, "2026-01-31T20:00:00", NOON),
        ({"zone": "Asia/Shanghai"}, "2026-01-31T12:00:00Z", NOON),
        ({"unit": "s"}, str(NOON_US // 10**6), NOON),
        ({"unit": "s"}, f"{NOON_US // 10**6}.25", "2026-01-31T12:00:00.25Z"),
        ({"unit": "ms"}, str(NOON_US // 10**3), NOON),
        ({"unit": "us"}, str(NOON_US), NOON),
        ({"unit": "ns"}, str(NOON_US * 1000 + 999), NOON),
        ({"unit": "ms", "start": NOON}, "1500", "2026-01-31T12:00:01.5Z"),
    ],
)
def test_the_map_says_how_times_are_written(
    csv: Callable[..., Path], form: dict[str, str], cell: str, expected: str
) -> None:
    column_map = map_from({**TIMED, "time": form}, "test")
    batch = one(csv(f"{cell},1", header="t,n"), column_map)
    assert batch.effective_us.tolist() == [parse_instant(expected)]


@pytest.mark.parametrize(
    ("form", "cell", "fault"),
    [
        ({"zone": "Europe/Berlin"}, "2026-03-29T02:30:00", "does not name one instant"),
        ({"zone": "Europe/Berlin"}, "2026-10-25T02:30:00", "does not name one instant"),
        ({"unit": "s"}, str(NOON_US), "is outside the years"),
        ({"unit": "s"}, "9" * 19, "is outside the years"),
        ({"unit": "ns"}, "9" * 25, "is not a number of ns"),
        ({"unit": "ms"}, NOON, "is not a number of ms"),
        ({"unit": "ms"}, "", "the value is missing"),
    ],
)
def test_times_that_the_map_cannot_mean(
    csv: Callable[..., Path], form: dict[str, str], cell: str, fault: str
) -> None:
    column_map = map_from({**TIMED, "time": form}, "test")
    batches, report = read(csv(f"{cell},1", f"{cell},1", header="t,n"), column_map)
    assert batches == []
    assert [(e.row, e.field) for e in report.errors] == [(1, "time"), (2, "time")]
    assert all(fault in e.message for e in report.errors)


@pytest.mark.parametrize(
    ("form", "column"),
    [
        ({"zone": "UTC"}, pa.array([NOON_US * 1000], pa.timestamp("ns"))),
        ({"zone": "+08:00"}, pa.array([NOON_US + 8 * 3_600_000_000], pa.timestamp("us"))),
        ({}, pa.array([NOON_US // 1000], pa.timestamp("ms", "Asia/Shanghai"))),
        ({"unit": "ms"}, pa.array([NOON_US // 1000])),
        ({"unit": "s"}, pa.array([NOON_US / 1e6])),
        ({"unit": "us"}, pa.array([NOON_US], pa.uint64())),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_times_of_any_type(tmp_path: Path, form: dict[str, str], column: Any) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"t": column, "n": [1]}), path)
    batch = one(path, map_from({**TIMED, "time": form}, "test"))
    assert batch.effective_us.tolist() == [NOON_US]


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_timestamp_beyond_the_calendar_spoils_its_row_only(
    parquet: Callable[..., Path], unit: str, zone: str | None
) -> None:
    now = NOON_US * 1000 if unit == "ns" else NOON_US if unit == "us" else NOON_US // 1000
    path = parquet(time=pa.array([now, 2**63 - 1], pa.timestamp(unit, zone)))
    document = load_map("own").model_dump(by_alias=True, exclude_none=True)
    local = map_from({**document, "time": {"zone": "Asia/Shanghai"}}, "test")
    assert refused(path, local)[:3] == (2, "time", "is outside the years 2000 to 2200")


def test_counts_that_do_not_overlap_are_taken_as_they_are(csv: Callable[..., Path]) -> None:
    """Raw Anthropic counts: input without cached tokens, so cached may be the larger."""
    document = {
        **TIMED,
        "columns": {"time": "t", "input_tokens": "n", "cached_input_tokens": "c"},
        "overlap": {"input_includes_cached": False},
    }
    batch = one(csv(f"{NOON},10,400", header="t,n,c"), map_from(document, "test"))
    assert batch.quantities[0, [INPUT, CACHED_INPUT]].tolist() == [10, 400]


def test_the_conversation_trace_is_taken_whole(shared_data: Path) -> None:
    """Every request of the trace on gpt-4, dealt to customers among whom one is a whale."""
    path = shared_data / "traces" / "azure_llm_2023_conv.parquet"
    batches, report = read(path, load_map("azure_llm_2023"))
    assert (report.read, report.rejected) == (19_366, 0)
    assert {model for batch in batches for model in batch.models} == {"gpt-4"}
    assert sum(int(batch.quantities.sum()) for batch in batches) == 26_450_535
    customer = np.concatenate([batch.customer for batch in batches])
    share = np.bincount(customer, minlength=300) / len(customer)
    assert share.argmax() == 0
    assert share[0] == pytest.approx(0.304, abs=0.01)
    again = np.concatenate(
        [batch.customer for batch in read(path, load_map("azure_llm_2023"), 999)[0]]
    )
    assert (again == customer).all()


def test_the_mooncake_trace_has_its_cached_input_apart(shared_data: Path) -> None:
    path = shared_data / "traces" / "mooncake_conversation.parquet"
    batches, report = read(path, load_map("mooncake"))
    total = np.sum([batch.quantities.sum(axis=0) for batch in batches], axis=0)
    assert (report.read, report.rejected) == (12_031, 0)
    assert total[CACHED_INPUT] / (total[INPUT] + total[CACHED_INPUT]) == pytest.approx(
        0.3736, abs=1e-4
    )
