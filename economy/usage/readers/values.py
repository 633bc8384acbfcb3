"""Cells into numbers: whole columns at once, and by name only what is wrong.

Every function takes a column as the file has it (bytes from a CSV, any plain type from
Parquet), marks its unusable rows in a :class:`Faults`, and returns a value for every
row; a marked row's value means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from economy.errors import RowError

MAX_NAME_LENGTH: Final = 200

_SHOWN: Final = 80
_WHOLE: Final = r"^-?[0-9]{1,18}(\.0*)?$"
_DECIMAL: Final = r"^-?[0-9]{1,15}(\.[0-9]*)?$"

Mask = NDArray[np.bool_]
Message = str | Callable[[str], str]


class Faults:
    """The rows of a chunk that cannot be used, each with the first fault found."""

    def __init__(self, n: int) -> None:
        self.bad: Mask = np.zeros(n, dtype=np.bool_)
        self._found: dict[int, tuple[str, str, str]] = {}

    def add(self, where: Mask, field: str, message: Message, shown: Any = None) -> None:
        """Mark rows ``where``; ``shown`` is the column that the message quotes from."""
        new = np.flatnonzero(where & ~self.bad)
        self.bad[new] = True
        for i in new.tolist():
            value = "" if shown is None else _text_of(shown[i])
            fault = message if isinstance(message, str) else message(value)
            self._found[i] = (field, fault, value[:_SHOWN])

    def errors(self, row: NDArray[np.int64]) -> list[RowError]:
        """The faults in file order, with the file's own row numbers."""
        return [RowError(int(row[i]), *self._found[i]) for i in sorted(self._found)]


def is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def plain(column: Any) -> Any:
    """A dictionary-encoded column decoded, one of nothing as text; others as they are."""
    if pa.types.is_null(column.type):
        return pc.cast(column, pa.string())
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def trimmed(column: Any, field: str, faults: Faults) -> tuple[Any, Mask]:
    """A column as text without outer blanks, and which rows are empty."""
    if not is_text(column.type):
        column = pc.cast(column, pa.large_string())
    else:
        column, broken = cast_each(column, pa.large_string())
        faults.add(broken, field, "is not UTF-8 text")
    text = pc.utf8_trim_whitespace(column)
    return text, mask_of(pc.fill_null(pc.equal(pc.binary_length(text), 0), True))


def names(column: Any, field: str, faults: Faults) -> Any:
    """A column of names or ids as Arrow text; every row must have one."""
    text, empty = trimmed(plain(column), field, faults)
    faults.add(empty, field, "the value is missing")
    faults.add(
        mask_of(pc.greater(pc.utf8_length(text), MAX_NAME_LENGTH)),
        field,
        f"is longer than {MAX_NAME_LENGTH} characters",
        text,
    )
    return text


def counts(
    column: Any, field: str, faults: Faults, *, most: int, empty_is_zero: bool
) -> NDArray[np.int64]:
    """A column of whole numbers from 0 to ``most``. ``12.0`` is whole, ``12.5`` is not."""
    column = shown = plain(column)
    if pa.types.is_integer(column.type):
        empty = mask_of(pc.is_null(column))
        # An unsigned column may exceed int64; beyond the bound it is absurd all the same.
        if pa.types.is_uint64(column.type):
            column = pc.min_element_wise(column, pa.scalar(most + 1, pa.uint64()))
        number = numpy_of(pc.cast(column, pa.int64()), np.int64)
    elif pa.types.is_floating(column.type):
        value = numpy_of(column, np.float64, null=np.nan)
        empty = np.isnan(value)
        beyond = np.abs(value) > most
        faults.add(~empty & ~beyond & (value != np.rint(value)), field, _why_not_whole, column)
        number = nearest_whole(np.where(empty, 0.0, np.clip(value, -1.0, most + 1.0)))
    else:
        text, empty = trimmed(column, field, faults)
        whole = pc.match_substring_regex(text, _WHOLE)
        faults.add(~mask_of(whole) & ~empty, field, _why_not_whole, text)
        digits = pc.if_else(whole, text, "0")
        if has_part(digits, "."):
            digits = pc.replace_substring_regex(digits, r"\..*$", "")
        number = numpy_of(pc.cast(digits, pa.int64()), np.int64)
    if not empty_is_zero:
        faults.add(empty, field, "the value is missing")
    _bounded(number, field, faults, shown, most=most)
    return number


def milliseconds(
    column: Any, field: str, faults: Faults, *, most_s: int, empty_is_zero: bool
) -> NDArray[np.int64]:
    """A column of decimal seconds from 0 to ``most_s``, to the nearest millisecond."""
    column = plain(column)
    if is_number(column.type) and not pa.types.is_decimal(column.type):
        value = numpy_of(pc.cast(column, pa.float64(), safe=False), np.float64, null=np.nan)
        empty = np.isnan(value)
    else:
        text, empty = trimmed(column, field, faults)
        decimal = pc.match_substring_regex(text, _DECIMAL)
        faults.add(~mask_of(decimal) & ~empty, field, "is not a number of seconds", text)
        value = numpy_of(pc.cast(pc.if_else(decimal, text, "0"), pa.float64()), np.float64)
    if not empty_is_zero:
        faults.add(empty, field, "the value is missing")
    ms = nearest_whole(np.where(empty, 0.0, np.clip(value, -1.0, most_s + 1.0)) * 1000)
    # A hair below zero is negative too, though it rounds to none.
    faults.add(value < 0, field, "is negative", column)
    _bounded(ms, field, faults, column, most=most_s * 1000, unit=" ms")
    return ms


def _bounded(
    number: NDArray[np.int64], field: str, faults: Faults, shown: Any, *, most: int, unit: str = ""
) -> None:
    faults.add(number < 0, field, "is negative", shown)
    faults.add(number > most, field, f"is absurd: more than {most:,}{unit} in one request", shown)


def cast_each(column: Any, kind: Any) -> tuple[Any, Mask]:
    """Cast a column; a cell that cannot be cast becomes null and is marked.

    Arrow refuses a whole column for one bad cell, so a refused column is halved until
    the bad cells stand alone: quick when they are few.
    """
    failed = np.zeros(len(column), dtype=np.bool_)
    parts: list[Any] = []

    def cast(start: int, n: int) -> None:
        try:
            parts.append(pc.cast(column.slice(start, n), kind))
        except pa.ArrowException:
            if n == 1:
                failed[start] = True
                parts.append(pa.nulls(1, kind))
            else:
                cast(start, n // 2)
                cast(start + n // 2, n - n // 2)

    cast(0, len(column))
    return (parts[0] if len(parts) == 1 else pa.concat_arrays(parts)), failed


def has_part(text: Any, part: str) -> bool:
    return bool(pc.any(pc.match_substring(text, part)).as_py())


def nearest_whole(value: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(value).astype(np.int64)


def mask_of(column: Any) -> Mask:
    return numpy_of(column, np.bool_)


def numpy_of(column: Any, kind: type, null: Any = 0) -> NDArray[Any]:
    if column.null_count:
        column = pc.fill_null(column, kind(null))
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=kind)


def _text_of(cell: Any) -> str:
    """A cell as a person would know it again."""
    try:
        value = cell.as_py()
    except (OverflowError, ValueError):
        value = cell.value  # A timestamp beyond Python's calendar: its bare number.
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _why_not_whole(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return "is not a whole number"
    if not number.is_finite():
        return "is not a whole number"
    if number != number.to_integral_value():
        return "is not a whole number: nobody uses a part of a token or piece"
    return "is absurd" if number.adjusted() >= 18 else "is not written in plain digits"
