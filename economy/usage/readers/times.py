"""Times into microseconds UTC: RFC 3339, timestamps with or without a zone, numbers.

A time says its zone itself, or the column map says it for the whole file; nothing is
taken for UTC by default. A year before 2000 or from 2200 on is a wrong unit or a wrong
clock, not a time at which somebody used a model.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from economy.errors import EconomyError, invariant
from economy.units import instant_text, parse_instant
from economy.usage.maps import TimeForm
from economy.usage.readers.values import (
    Faults,
    cast_each,
    has_part,
    is_text,
    mask_of,
    nearest_whole,
    numpy_of,
    plain,
    trimmed,
)

EARLIEST_US: Final = parse_instant("2000-01-01T00:00:00Z")
LATEST_US: Final = parse_instant("2200-01-01T00:00:00Z")
_TICKS: Final = r"^-?[0-9]{1,19}(\.[0-9]*)?$"
_OFFSET: Final = r"(Z|[+-][0-9]{2}:[0-9]{2})"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT: Final = rf"^{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]+)?{_OFFSET}?$"
_HAS_ZONE: Final = rf"{_OFFSET}$"
_OUTSIDE: Final = "is outside the years 2000 to 2200"
_NS_PER_UNIT: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def instants(column: Any, form: TimeForm, faults: Faults) -> NDArray[np.int64]:
    """A column of times as microseconds UTC, between the years 2000 and 2200."""
    column = plain(column)
    if pa.types.is_timestamp(column.type):
        faults.add(mask_of(pc.is_null(column)), "time", "the value is missing")
        if column.type.tz is None:
            invariant(form.zone is not None, "a naive column was refused when the file was opened")
            column = _in_zone(column, form.zone or "", faults)
        ticks = numpy_of(pc.cast(column, pa.int64()), np.int64)
        return _from_ticks(ticks, column.type.unit, 0, faults, column)
    if is_text(column.type):
        text, empty = trimmed(column, "time", faults)
        faults.add(empty, "time", "the value is missing")
        if form.unit is None:
            return _from_text(text, form.zone, faults)
        number = pc.match_substring_regex(text, _TICKS)
        faults.add(~mask_of(number), "time", f"is not a number of {form.unit}", text)
        text = pc.if_else(number, text, "0")
        column = pc.cast(text, pa.float64()) if has_part(text, ".") else text
    faults.add(mask_of(pc.is_null(column)), "time", "the value is missing")
    invariant(form.unit is not None, "a number of no unit was refused when the file was opened")
    unit = form.unit or ""
    if pa.types.is_floating(column.type):
        return _from_float(column, unit, form.start_us, faults)
    whole, broken = cast_each(column, pa.int64())
    faults.add(broken, "time", _OUTSIDE, column)
    return _from_ticks(numpy_of(whole, np.int64), unit, form.start_us, faults, column)


def _from_ticks(
    ticks: NDArray[np.int64], unit: str, start_us: int, faults: Faults, shown: Any
) -> NDArray[np.int64]:
    """Ticks of ``unit`` since ``start_us``; bounds are checked first, so nothing wraps."""
    ns = _NS_PER_UNIT[unit]
    low = -(-(EARLIEST_US - start_us) * 1000 // ns)
    high = -(-(LATEST_US - start_us) * 1000 // ns)
    outside = (ticks < low) | (ticks >= high)
    faults.add(outside, "time", _OUTSIDE, shown)
    safe = np.where(outside, 0, ticks)
    return start_us + (safe * (ns // 1000) if ns >= 1000 else safe // 1000)


def _from_float(column: Any, unit: str, start_us: int, faults: Faults) -> NDArray[np.int64]:
    scaled = numpy_of(column, np.float64, null=np.nan) * (_NS_PER_UNIT[unit] / 1000)
    faults.add(np.isnan(scaled), "time", "the value is missing")
    with np.errstate(invalid="ignore"):
        inside = (scaled >= EARLIEST_US - start_us) & (scaled < LATEST_US - start_us)
    faults.add(~inside, "time", _OUTSIDE, column)
    return start_us + nearest_whole(np.where(inside, scaled, 0.0))


def _from_text(text: Any, zone: str | None, faults: Faults) -> NDArray[np.int64]:
    """RFC 3339; finer than a microsecond is cut off."""
    formed = pc.match_substring_regex(text, _INSTANT)
    zoned = pc.match_substring_regex(text, _HAS_ZONE)
    faults.add(~mask_of(formed), "time", _why_not_instant, text)
    if zone is None:
        faults.add(mask_of(formed) & ~mask_of(zoned), "time", _why_not_instant, text)
    text = pc.if_else(formed, text, None)
    if pc.any(pc.match_substring_regex(text, r"\.[0-9]{7}")).as_py():
        text = pc.replace_substring_regex(text, r"(\.[0-9]{6})[0-9]+", r"\1")
    aware, broken = cast_each(pc.if_else(zoned, text, None), pa.timestamp("us", "UTC"))
    faults.add(broken, "time", _why_not_instant, text)
    if zone is not None and not pc.all(pc.fill_null(zoned, True)).as_py():
        naive, broken = cast_each(pc.if_else(zoned, None, text), pa.timestamp("us"))
        faults.add(broken, "time", _why_not_instant, text)
        aware = pc.coalesce(aware, _in_zone(naive, zone, faults))
    return _from_ticks(numpy_of(pc.cast(aware, pa.int64()), np.int64), "us", 0, faults, text)


def _in_zone(naive: Any, zone: str, faults: Faults) -> Any:
    """Wall-clock times in ``zone``; an hour that the zone skips or repeats is a fault."""
    early = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
    late = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest")
    unclear = mask_of(pc.not_equal(early, late))
    faults.add(unclear, "time", f"does not name one instant in {zone}", naive)
    return pc.cast(early, pa.timestamp(naive.type.unit, "UTC"))


def _why_not_instant(text: str) -> str:
    try:
        return f"is not RFC 3339 (it may mean {instant_text(parse_instant(text))})"
    except EconomyError as error:
        return error.what
