"""Charging an imported log end to end, on SQLite (WAL, synchronous=FULL).

Read Parquet, hash and find duplicates, rate, spend lots, release basis, platform legs per
batch, journal, charges: everything that ``economy usage import --charge`` does. Each run
starts from a copy of the same workspace, whose customers can pay.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from economy.economy import Economy
from economy.policy import load_policy
from economy.state.clock import FixedClock
from economy.units import US_PER_DAY, parse_instant
from economy.usage.demo import generate_usage, write_parquet
from tests.bench.measuring import Measurement, rate

NAME = "charge.sqlite"
N_CUSTOMERS = 500
DAYS = 30
START_US = parse_instant("2026-01-05T00:00:00Z")
PACKS_EACH = 20
SEED = 7


def measure(quick: bool) -> Measurement:
    n_events = 24_000 if quick else 200_000
    with TemporaryDirectory() as folder:
        template, home = Path(folder) / "template", Path(folder) / "home"
        clock = FixedClock(START_US + DAYS * US_PER_DAY)
        log = Path(folder) / "log.parquet"
        build(template, log, n_events, clock)

        def prepare() -> None:
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(template, home)

        def work() -> None:
            economy = Economy.open(home, clock)
            report = economy.import_usage(economy.actor(), log)
            assert report.accepted == n_events
            assert report.charges.refused < n_events // 20, "most customers can pay"

        return rate(
            NAME, "requests per second", n_events, work, runs=3 if quick else 5, prepare=prepare
        )


def build(home: Path, log: Path, n_events: int, clock: FixedClock) -> None:
    """A workspace whose customers hold Credits, and a log of their requests."""
    usage = generate_usage(SEED, N_CUSTOMERS, n_events, START_US, DAYS)
    write_parquet(usage, log)
    economy = Economy.create(home, load_policy("founding"), clock)
    admin = economy.actor()
    economy.set_up_prices(admin)
    for customer in economy.ensure_customers(admin, usage.customers):
        for i in range(PACKS_EACH):
            economy.top_up(admin, customer, "enterprise", request_key=f"{customer}-{i}")
    economy.database.close()
