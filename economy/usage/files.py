"""Files of rows as a stream of column chunks: Parquet, or CSV with a header.

A CSV is UTF-8; its fields are parted by commas, or, when the header has none, by
semicolons or tabs.

Only the columns asked for are read. Each chunk carries the row numbers of its rows,
counted from 1 as in a spreadsheet without its header (blank lines are not rows), and
the rows that are not even a row: lines of a CSV with too few or too many fields.

What cannot be a table at all (missing, empty, truncated, compressed, not text) is
:class:`~economy.errors.BadInput` before the first chunk; only damage in the middle of
a Parquet file is found later, when its page is reached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from economy.errors import BadInput, RowError

_PARQUET_MAGIC: Final = b"PAR1"
_PARQUET_SUFFIXES: Final = (".parquet", ".pq")
_COMPRESSED: Final = {
    b"\x1f\x8b": "gzip",
    b"PK": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
}
_HEAD_BYTES: Final = 1 << 16
_CSV_BLOCK_BYTES: Final = 1 << 22
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file: their numbers, their columns by name, and lines that are no rows."""

    row: NDArray[np.int64]
    columns: dict[str, Any]
    ragged: list[RowError]


@dataclass(frozen=True, slots=True)
class TableFile:
    """An opened file: its column names, the Arrow type of each, and how to read it."""

    path: Path
    names: list[str]
    types: dict[str, Any]
    delimiter: str | None
    """What parts the fields of a CSV; None for Parquet."""

    def chunks(self, wanted: Sequence[str], batch_rows: int) -> Iterator[Chunk]:
        """The ``wanted`` columns, at most ``batch_rows`` rows at a time."""
        if self.delimiter is None:
            return _parquet_chunks(self.path, list(wanted), batch_rows)
        return _csv_chunks(self.path, list(wanted), batch_rows, self.delimiter)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with _opened(path) as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def open_table(path: Path) -> TableFile:
    """Look at ``path`` and say what it holds; Parquet is known by its first bytes."""
    with _opened(path) as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip():
        raise BadInput("the file is empty", where=str(path))
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise BadInput(f"is compressed ({name})", where=str(path), way_out="Unpack it first")
    if head.startswith(_PARQUET_MAGIC):
        return _open_parquet(path)
    if path.suffix.lower() in _PARQUET_SUFFIXES:
        raise BadInput("is not a Parquet file", where=str(path), way_out="Write the file again")
    return _open_csv(path, head)


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path)) from None


def _open_parquet(path: Path) -> TableFile:
    with _parquet(path) as file:
        schema = file.schema_arrow
        if file.metadata.num_rows == 0:
            raise BadInput("the file has no rows", where=str(path))
        return TableFile(path, schema.names, {f.name: f.type for f in schema}, None)


def _parquet(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged_parquet(path, error) from None


def _damaged_parquet(path: Path, error: Exception) -> BadInput:
    return BadInput(
        f"is a truncated or damaged Parquet file: {_first_line(error)}",
        where=str(path),
        way_out="Copy or write the file again",
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(". ")


def _parquet_chunks(path: Path, wanted: list[str], batch_rows: int) -> Iterator[Chunk]:
    first = 1
    with _parquet(path) as file:
        batches = file.iter_batches(batch_size=batch_rows, columns=wanted)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _damaged_parquet(path, error) from None
            if batch is None:
                return
            row = np.arange(first, first + len(batch), dtype=np.int64)
            first += len(batch)
            yield Chunk(row, {name: batch.column(name) for name in wanted}, [])


def _open_csv(path: Path, head: bytes) -> TableFile:
    lines = [line for line in head.splitlines() if line.strip()]
    no_rows = BadInput("the file has a header and no rows", where=str(path))
    try:
        if b"\0" in head:
            raise UnicodeError
        header = lines[0].decode("utf-8-sig")
        if len(lines) == 1 and len(head) < _HEAD_BYTES:
            raise no_rows
        delimiter = next((mark for mark in ",;\t" if mark in header), ",")
        names: list[str] = _csv_reader(path, None, delimiter, _Ragged()).schema.names
    except UnicodeError:
        raise BadInput(
            "is neither Parquet nor UTF-8 text",
            where=str(path),
            way_out="Write it as CSV in UTF-8, or as Parquet",
        ) from None
    if next(_csv_chunks(path, names[:1], 1, delimiter), None) is None:
        raise no_rows
    return TableFile(path, names, {name: pa.binary() for name in names}, delimiter)


@dataclass(slots=True)
class _Ragged:
    """Lines that do not have the header's number of fields, as the parser meets them."""

    rows: list[int] = field(default_factory=list)
    new: list[RowError] = field(default_factory=list)

    def __call__(self, line: Any) -> str:
        # The parser counts the header as line 1, so data row 1 is its line 2.
        self.rows.append(line.number - 1)
        fault = f"has {line.actual_columns} fields where the header has {line.expected_columns}"
        self.new.append(RowError(line.number - 1, "row", fault, line.text[:80]))
        return "skip"

    def taken(self) -> list[RowError]:
        new, self.new = self.new, []
        return new

    def row_numbers(self, first_kept: int, n: int) -> NDArray[np.int64]:
        """Row numbers of ``n`` kept rows, of which ``first_kept`` came before.

        The j-th skipped row has ``rows[j] - 1 - j`` kept rows before it, so a kept
        row's number is its own position plus the skipped rows that it comes after.
        """
        kept = np.arange(first_kept, first_kept + n, dtype=np.int64)
        skipped = np.asarray(self.rows, dtype=np.int64)
        kept_before = skipped - 1 - np.arange(len(skipped), dtype=np.int64)
        return kept + 1 + np.searchsorted(kept_before, kept, side="right")


def _csv_reader(path: Path, wanted: list[str] | None, delimiter: str, ragged: _Ragged) -> Any:
    try:
        return pacsv.open_csv(
            path,
            # One thread: only then does the parser know the number of a line.
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=ragged, newlines_in_values=True
            ),
            # Bytes, not text or numbers: one bad cell must not lose its whole block.
            convert_options=pacsv.ConvertOptions(
                include_columns=wanted,
                column_types={name: pa.binary() for name in wanted or ()},
            ),
        )
    except (pa.ArrowException, OSError) as error:
        raise _broken_csv(path, error) from None


def _broken_csv(path: Path, error: Exception) -> BadInput:
    return BadInput(
        f"cannot be read as CSV: {_first_line(error)}",
        where=str(path),
        way_out="Look for a quote that is never closed",
    )


def _csv_chunks(path: Path, wanted: list[str], batch_rows: int, delimiter: str) -> Iterator[Chunk]:
    ragged = _Ragged()
    kept = 0
    reader = _csv_reader(path, wanted, delimiter, ragged)
    while True:
        try:
            block = reader.read_next_batch()
        except StopIteration:
            break
        except (pa.ArrowException, OSError) as error:
            raise _broken_csv(path, error) from None
        for start in range(0, len(block), batch_rows):
            part = block.slice(start, batch_rows)
            row = ragged.row_numbers(kept, len(part))
            kept += len(part)
            columns = {name: part.column(name) for name in wanted}
            yield Chunk(row, columns, ragged.taken())
    if ragged.new:
        none = {name: pa.array([], pa.binary()) for name in wanted}
        yield Chunk(np.zeros(0, dtype=np.int64), none, ragged.taken())
