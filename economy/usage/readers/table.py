"""CSV and Parquet logs: rows of a table, one request each.

The project's own columns (``data/maps/own.toml``; a column of another name is ignored):

=======================  ========  ====================================================
column                   needed    meaning
=======================  ========  ====================================================
``time``                 yes       RFC 3339 with a zone, or a Parquet timestamp with one
``customer``, ``model``  yes       names, at most 200 characters
``input_tokens``         yes       all input, cached reads and cache writes included
``output_tokens``        yes       all output, reasoning included
``event_id``             no        the log's id; else ``<file hash, 12 digits>:<row>``
``cached_input_tokens``  no        input read from a cache
``cache_write_5m_tokens``  no      input written to a cache for five minutes
``cache_write_1h_tokens``  no      input written to a cache for an hour
``reasoning_tokens``     no        output that nobody sees
``audio_seconds``        no        decimal seconds, kept to the millisecond
``images``, ``requests``  no       pieces, for models priced by them
``status``               no        ``ok`` or ``failed``
=======================  ========  ====================================================

Any other log needs a column map (:mod:`economy.usage.maps`). Quantities leave here
disjoint: of 1,000 input tokens with 400 cached, the event has 600 and 400.

A row with a fault is left out and told with its number, its field and what is wrong;
the first fault of a row is enough to refuse it. Rows that share an event id are all
delivered: what a repeat means is not a reader's question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from economy.errors import BadInput
from economy.policy import UsageRules
from economy.quantities import INDEX_BY_NAME, MAX_QUANTITY, N_QUANTITIES, N_TOKEN_QUANTITIES
from economy.usage.batch import EventStatus, ReadReport, UsageBatch
from economy.usage.files import Chunk, TableFile, file_sha256, open_table
from economy.usage.maps import (
    COUNT_FIELDS,
    QUANTITY_FIELDS,
    TOKEN_FIELDS,
    ColumnMap,
    StatusWords,
    load_map,
    shipped_maps_for,
)
from economy.usage.readers.times import instants
from economy.usage.readers.values import (
    Faults,
    Mask,
    counts,
    is_number,
    is_text,
    milliseconds,
    names,
    plain,
    trimmed,
)
from economy.usage.sizes import cumulative_shares, customer_names, uniform_by_row

_CACHE_FIELDS = ("cached_input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def read_usage(
    path: Path,
    column_map: ColumnMap | None,
    rules: UsageRules,
    report: ReadReport,
    batch_rows: int = 50_000,
) -> Iterator[UsageBatch]:
    """Stream the usable rows of ``path`` in batches of at most ``batch_rows``.

    ``column_map`` None means the project's own columns. A file that cannot be used at
    all is :class:`BadInput` at the call, before any batch; rows that cannot be used
    are noted in ``report`` as the stream advances.
    """
    column_map = column_map or load_map("own")
    file = open_table(path)
    fields = _fields_of(file, column_map)
    for field, column in fields.items():
        _check_type(file, field, column, column_map)
    needs_hash = "event_id" not in fields or column_map.customers is not None
    reader = _RowReader(column_map, rules, fields, file_sha256(path) if needs_hash else "")
    return _stream(reader, file.chunks(list(fields.values()), batch_rows), report)


def _stream(
    reader: _RowReader, chunks: Iterator[Chunk], report: ReadReport
) -> Iterator[UsageBatch]:
    for chunk in chunks:
        report.read += len(chunk.row) + len(chunk.ragged)
        faults = Faults(len(chunk.row))
        batch = reader.read(chunk, faults)
        errors = chunk.ragged + faults.errors(chunk.row)
        report.reject(sorted(errors, key=lambda error: error.row))
        if len(batch):
            yield batch


def _fields_of(file: TableFile, column_map: ColumnMap) -> dict[str, str]:
    """Field -> column for the columns that this file has; a needed one must be there."""
    found = {}
    for field, column in column_map.columns.by_field().items():
        if file.names.count(column) > 1:
            raise BadInput("two columns have this name", where=str(file.path), field=column)
        if column in file.names:
            found[field] = column
        elif field not in column_map.optional:
            has = ", ".join(file.names[:20])
            fitting = shipped_maps_for(file.names)
            mend = (
                f"The shipped map {fitting[0]} fits: --map {fitting[0]}"
                if fitting
                else f"The file has {has}. A column map says which of them is which (--map)"
            )
            raise BadInput(
                "the column is missing", where=str(file.path), field=column, way_out=mend
            )
    return found


def _check_type(file: TableFile, field: str, column: str, column_map: ColumnMap) -> None:
    """A Parquet column whose type fits no row is told once, not for every row."""
    kind = file.types[column]
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return  # Nothing in it: its rows say so, where a value is needed.
    mend = "Write the column as another type"
    if field == "time":
        fits = is_text(kind) or pa.types.is_timestamp(kind)
        if pa.types.is_timestamp(kind) and kind.tz is None and column_map.time.zone is None:
            fits, mend = False, 'State their zone in the map: [time] zone = "UTC"'
        if is_number(kind) and not pa.types.is_decimal(kind):
            fits, mend = column_map.time.unit is not None, 'State [time] unit = "ms" in the map'
    elif field in QUANTITY_FIELDS:
        fits = is_text(kind) or is_number(kind)
    else:
        fits = is_text(kind) or bool(pa.types.is_integer(kind))
    if not fits:
        raise BadInput(
            f"{field} cannot be read from type {kind}",
            where=str(file.path),
            field=column,
            way_out=mend,
        )


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Chunks into batches, by one map and one set of rules."""

    column_map: ColumnMap
    rules: UsageRules
    fields: dict[str, str]
    sha256: str

    def read(self, chunk: Chunk, faults: Faults) -> UsageBatch:
        """The usable rows of ``chunk``; the others are marked in ``faults``.

        Columns are checked in the order in which a reader of the file would.
        """
        cells = {field: chunk.columns[column] for field, column in self.fields.items()}
        event_id = names(cells["event_id"], "event_id", faults) if "event_id" in cells else None
        effective_us = instants(cells["time"], self.column_map.time, faults)
        who = {f: names(cells[f], f, faults) for f in ("customer", "model") if f in cells}
        quantities = self._quantities(cells, len(chunk.row), faults)
        status = _status(cells.get("status"), self.column_map.status, len(chunk.row), faults)

        good = np.flatnonzero(~faults.bad)
        row = chunk.row[good]
        who = {field: text.take(pa.array(good)) for field, text in who.items()}
        customer, customers = self._customers(who.get("customer"), row)
        model, models = _coded(who.get("model"), self.column_map.constants.model, len(row))
        return UsageBatch(
            source=self.column_map.source,
            event_id=self._event_ids(event_id, good, row),
            effective_us=effective_us[good],
            customer=customer,
            customers=customers,
            model=model,
            models=models,
            quantities=quantities[good],
            status=status[good],
            row=row,
        )

    def _event_ids(
        self, event_id: Any, good: NDArray[np.int64], row: NDArray[np.int64]
    ) -> list[str]:
        if event_id is None:
            prefix = self.sha256[:12]
            return [f"{prefix}:{r}" for r in row.tolist()]
        taken: list[str] = event_id.take(pa.array(good)).to_pylist()
        return taken

    def _customers(self, text: Any, row: NDArray[np.int64]) -> tuple[NDArray[np.int32], list[str]]:
        crowd = self.column_map.customers
        if crowd is None:
            return _coded(text, self.column_map.constants.customer, len(row))
        drawn = uniform_by_row(int(self.sha256[:16], 16), row)
        shares = cumulative_shares(crowd.count, crowd.sigma)
        code = np.searchsorted(shares, drawn, side="right").astype(np.int32)
        return code, customer_names(crowd.count)

    def _quantities(self, cells: dict[str, Any], n: int, faults: Faults) -> NDArray[np.int64]:
        """Disjoint quantities, ``(n, N_QUANTITIES)``."""
        stated = {field: np.zeros(n, dtype=np.int64) for field in COUNT_FIELDS}
        for field in COUNT_FIELDS:
            constant = getattr(self.column_map.constants, field, None)
            if constant is not None:
                stated[field][:] = constant
            elif field in cells:
                is_token = field in TOKEN_FIELDS
                stated[field] = counts(
                    cells[field],
                    field,
                    faults,
                    most=self.rules.max_tokens_per_request if is_token else MAX_QUANTITY,
                    empty_is_zero=field in self.column_map.optional,
                )
        self._separate(stated, faults)
        quantities = np.zeros((n, N_QUANTITIES), dtype=np.int64)
        for field, number in stated.items():
            quantities[:, INDEX_BY_NAME[field]] = number
        if "audio_seconds" in cells:
            quantities[:, INDEX_BY_NAME["audio_ms"]] = milliseconds(
                cells["audio_seconds"],
                "audio_seconds",
                faults,
                most_s=self.rules.max_audio_s_per_request,
                empty_is_zero="audio_seconds" in self.column_map.optional,
            )
        most = self.rules.max_tokens_per_request
        total = quantities[:, :N_TOKEN_QUANTITIES].sum(axis=1)
        message = f"all tokens together are absurd: more than {most:,} in one request"
        faults.add(total > most, "input_tokens", message, pa.array(total))
        return quantities

    def _separate(self, stated: dict[str, NDArray[np.int64]], faults: Faults) -> None:
        """Take overlapping counts out of those that include them."""
        overlap = self.column_map.overlap
        if overlap.input_includes_cached:
            cached = np.sum([stated[field] for field in _CACHE_FIELDS], axis=0)
            faults.add(
                cached > stated["input_tokens"],
                "cached_input_tokens",
                "cached input (reads and writes) is more than the input that includes it",
                pa.array(cached),
            )
            stated["input_tokens"] = stated["input_tokens"] - cached
        if overlap.output_includes_reasoning:
            faults.add(
                stated["reasoning_tokens"] > stated["output_tokens"],
                "reasoning_tokens",
                "reasoning is more than the output that includes it",
                pa.array(stated["reasoning_tokens"]),
            )
            stated["output_tokens"] = stated["output_tokens"] - stated["reasoning_tokens"]


def _coded(text: Any, constant: str | None, n: int) -> tuple[NDArray[np.int32], list[str]]:
    """Names as int32 codes and the list that they index."""
    if text is None:
        return np.zeros(n, dtype=np.int32), [constant or ""]
    encoded = pc.dictionary_encode(text)
    return np.asarray(encoded.indices, dtype=np.int32), encoded.dictionary.to_pylist()


def _status(column: Any, words: StatusWords, n: int, faults: Faults) -> NDArray[np.int8]:
    """An empty status is a success: most logs only list what was served."""
    if column is None:
        return np.full(n, EventStatus.OK, dtype=np.int8)
    text, empty = trimmed(plain(column), "status", faults)
    lower = pc.utf8_lower(text)
    ok = _is_one_of(lower, words.ok)
    failed = _is_one_of(lower, words.failed)
    known = ", ".join((*words.ok, *words.failed))
    faults.add(~ok & ~failed & ~empty, "status", f"is none of {known}", text)
    return np.where(failed, EventStatus.FAILED, EventStatus.OK).astype(np.int8)


def _is_one_of(text: Any, words: tuple[str, ...]) -> Mask:
    wanted = pa.array([word.lower() for word in words], text.type)
    return np.asarray(pc.is_in(text, wanted).to_numpy(zero_copy_only=False), dtype=np.bool_)
