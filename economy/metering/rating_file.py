"""Rating a file under any sheet, without charging anybody: a pure what-would-it-cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from economy.errors import BadInput, RowError
from economy.metering.meter import Meter
from economy.pricing.book import Epoch, PriceBook
from economy.pricing.sheet import PriceSheet
from economy.quantities import QUANTITIES
from economy.rating.rate import REASON, RateStatus, rate
from economy.units import BEGINNING_OF_TIME_US
from economy.usage.batch import MAX_ERRORS_KEPT, ReadReport, UsageBatch
from economy.usage.maps import ColumnMap
from economy.usage.readers.table import read_usage
from economy.wide import exact_sum

_SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("effective_us", pa.int64()),
        ("customer", pa.string()),
        ("model", pa.string()),
        *((quantity.name, pa.int64()) for quantity in QUANTITIES),
        ("unrounded_ucr", pa.int64()),
        ("charge_ucr", pa.int64()),
        ("rounding_ucr", pa.int64()),
        ("cost_nusd", pa.int64()),
        ("sheet_id", pa.string()),
        ("sheet_version", pa.int64()),
        ("sheet_sha256", pa.string()),
    ]
)


@dataclass(slots=True)
class RatingReport:
    """``read = rated + rejected``; rejected rows are those without a price, too."""

    read: int = 0
    rated: int = 0
    rejected: int = 0
    unrounded_ucr: int = 0
    charge_ucr: int = 0
    cost_nusd: int = 0
    errors: list[RowError] = field(default_factory=list)


def rate_file(
    meter: Meter,
    path: Path,
    column_map: ColumnMap | None,
    *,
    sheet: PriceSheet,
    sheet_version: int,
    out: Path,
) -> RatingReport:
    """Rate every event of ``path`` under ``sheet`` into the Parquet file ``out``.

    The sheet holds at all times; costs are those of the event's time. ``sheet_version`` is
    0 for a sheet that was never published. The output appears whole, or not at all.
    """
    if out.resolve() == path.resolve():
        raise BadInput(
            "the output would replace the log",
            field="--out",
            value=str(out),
            way_out="Name another file",
        )
    book = PriceBook((Epoch(sheet_version, BEGINNING_OF_TIME_US, sheet),))
    under = meter.under(book)
    reading = ReadReport()
    report = RatingReport()
    batches = read_usage(path, column_map, meter.policy.usage, reading)
    building = out.with_name(out.name + ".part")
    try:
        with pq.ParquetWriter(building, _SCHEMA) as writer:
            for table in _rated_tables(batches, under, sheet, sheet_version, report):
                writer.write_table(table)
        building.replace(out)
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", where=str(out)) from None
    finally:
        building.unlink(missing_ok=True)
    report.read = reading.read
    report.rejected += reading.rejected
    report.errors = sorted(reading.errors + report.errors, key=lambda error: error.row)
    return report


def _rated_tables(
    batches: Iterator[UsageBatch],
    meter: Meter,
    sheet: PriceSheet,
    sheet_version: int,
    report: RatingReport,
) -> Iterator[pa.Table]:
    for usage in batches:
        model = meter.models_of(usage)
        rated = rate(model, usage.effective_us, usage.quantities, meter.prices, meter.costs)
        ok = rated.status == RateStatus.OK
        for i in np.flatnonzero(~ok).tolist():
            report.rejected += 1
            if len(report.errors) < MAX_ERRORS_KEPT:
                report.errors.append(
                    RowError(
                        int(usage.row[i]),
                        "model",
                        REASON[RateStatus(rated.status[i])],
                        usage.models[usage.model[i]],
                    )
                )
        at = np.flatnonzero(ok)
        unrounded_ucr, charge_ucr, cost_nusd = (
            column[at] for column in (rated.unrounded_ucr, rated.charge_ucr, rated.cost_nusd)
        )
        report.rated += len(at)
        report.unrounded_ucr += exact_sum(unrounded_ucr)
        report.charge_ucr += exact_sum(charge_ucr)
        report.cost_nusd += exact_sum(cost_nusd)
        columns = [
            [usage.event_id[i] for i in at.tolist()],
            usage.effective_us[at],
            [usage.customers[code] for code in usage.customer[at].tolist()],
            [meter.prices.models[code] for code in model[at].tolist()],
            *(usage.quantities[at, q] for q in range(len(QUANTITIES))),
            unrounded_ucr,
            charge_ucr,
            charge_ucr - unrounded_ucr,
            cost_nusd,
            [sheet.sheet_id] * len(at),
            np.full(len(at), sheet_version, dtype=np.int64),
            [sheet.sha256] * len(at),
        ]
        yield pa.table(
            [pa.array(column, kind) for column, kind in zip(columns, _SCHEMA.types, strict=True)],
            schema=_SCHEMA,
        )
