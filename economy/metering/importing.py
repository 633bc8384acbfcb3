"""Importing a usage file: read, charge chunk by chunk, report.

Each chunk is one unit of work. An import that is interrupted has charged whole chunks
and nothing else; run again, it finds those events to be duplicates and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from economy.errors import BadInput, RowError
from economy.identity import customers, ensure_customers, is_name
from economy.ledger import SqliteLedger
from economy.metering.charging import ChargeReport, charge_batch, chunks
from economy.metering.meter import MeterSource
from economy.policy import UsageRules
from economy.state import Database
from economy.usage.batch import ReadReport, UsageBatch
from economy.usage.maps import ColumnMap
from economy.usage.readers.table import read_usage

Progress = Callable[[int], None]
"""Called with the number of events done so far."""


@dataclass(slots=True)
class ImportReport:
    """What became of every row that was read.

    ``read = accepted + duplicates + unpriced + rejected``; ``errors`` names the rejected
    rows, by the reader or by the meter.
    """

    read: int = 0
    rejected: int = 0
    charges: ChargeReport = field(default_factory=ChargeReport)
    errors: list[RowError] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.charges.accepted

    @property
    def duplicates(self) -> int:
        return self.charges.duplicates

    @property
    def unpriced(self) -> int:
        return self.charges.unpriced


def import_file(
    database: Database,
    meters: MeterSource,
    path: Path,
    column_map: ColumnMap | None,
    *,
    add_customers: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Charge every event of a file; the good rows are taken, the bad ones reported.

    ``add_customers`` registers customers that the workspace does not know. Customers that
    the map deals out (the log has none) are always registered. Raises BadInput for a file
    that cannot be used at all; nothing was charged then.
    """
    reading = ReadReport()
    rules = meters.policy.usage
    batches = read_usage(path, column_map, rules, reading)
    dealt = column_map is not None and column_map.customers is not None
    report = import_batches(
        database,
        meters,
        _until_damage(batches, reading),
        add_customers=add_customers or dealt,
        progress=progress,
    )
    report.read = reading.read
    report.rejected += reading.rejected
    report.errors = sorted(reading.errors + report.charges.errors, key=lambda error: error.row)
    return report


def check_file(path: Path, column_map: ColumnMap | None, rules: UsageRules) -> ImportReport:
    """What :func:`import_file` would say of the file's rows before it charges any."""
    reading = ReadReport()
    for _ in read_usage(path, column_map, rules, reading):
        pass
    return ImportReport(read=reading.read, rejected=reading.rejected, errors=reading.errors)


def import_batches(
    database: Database,
    meters: MeterSource,
    batches: Iterable[UsageBatch],
    *,
    add_customers: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Charge usage that is already in columns (demo usage, a reader's batches)."""
    report = ImportReport()
    done = 0
    for usage in _in_chunks(batches):
        with database.unit() as unit:
            known = {one.name: one.customer_id for one in customers(unit.connection)}
            if add_customers:
                known |= ensure_customers(unit, filter(is_name, usage.customers))
            meter = meters.load(unit.connection)
            report.charges.add(charge_batch(unit, SqliteLedger(unit), meter, known, usage))
        done += len(usage)
        if progress is not None:
            progress(done)
    report.read = done
    report.errors = report.charges.errors
    report.rejected = report.charges.rejected
    return report


def _until_damage(batches: Iterator[UsageBatch], reading: ReadReport) -> Iterator[UsageBatch]:
    """The batches before a damaged page.

    What came before is charged by then, so the damage is told as a refused row. A file of
    which nothing could be read is still a file that cannot be used.
    """
    try:
        yield from batches
    except BadInput as damage:
        if reading.read == 0:
            raise
        row = reading.read + 1
        reading.read += 1
        reading.reject([RowError(row, "file", f"from here on nothing can be read: {damage.what}")])


def _in_chunks(batches: Iterable[UsageBatch]) -> Iterator[UsageBatch]:
    for batch in batches:
        yield from chunks(batch)
