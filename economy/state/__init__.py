"""The one transactional database of a workspace, and the time it runs on.

Everything that must be true together lives in one file, ``economy.sqlite``: ledger,
lots, charges, event keys, sheets, reviews, identity. Only a *unit of work* begins and
commits::

    with database.unit() as unit:          # BEGIN IMMEDIATE
        ledger = SqliteLedger(unit)
        ledger.execute(batch)
    # committed here, or rolled back if anything was raised

Nobody caches a balance across units. ``recorded_us`` is the store's own time: it never
goes back, whatever the clock of the machine does.
"""

from economy.state.clock import Clock, FixedClock, SystemClock
from economy.state.database import Database, Unit

__all__ = ["Clock", "Database", "FixedClock", "SystemClock", "Unit"]
