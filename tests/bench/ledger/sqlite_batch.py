"""The SQLite store: full batches, each its own durable commit (WAL, synchronous=FULL).

Journal, balances and the hash chain are written; 10,000 accounts.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from economy.ledger.batch import MAX_BATCH, AccountFlag, TransferBatch
from economy.ledger.stores.sqlite import SqliteLedger
from economy.state.clock import FixedClock
from economy.state.database import Database
from tests.bench.ledger.transfers import NOON_US, Traffic
from tests.bench.measuring import Measurement, rate

NAME = "ledger.sqlite.batch"
N_ACCOUNTS = 10_000


def measure(quick: bool) -> Measurement:
    n_batches = 5 if quick else 20
    with TemporaryDirectory() as folder:
        database = Database.create(Path(folder) / "economy.sqlite", FixedClock(NOON_US))
        with database.unit() as unit:
            names = [f"bench:{i}.cr" for i in range(N_ACCOUNTS)]
            first_id = int(SqliteLedger(unit).open_accounts(names, flags=AccountFlag.NONE)[0])
        traffic = Traffic(first_id, N_ACCOUNTS)
        waiting: list[TransferBatch] = []

        def prepare() -> None:
            waiting[:] = traffic.batches(n_batches)

        def work() -> None:
            for batch in waiting:
                with database.unit() as unit:
                    assert SqliteLedger(unit).execute(batch).all_ok

        return rate(
            NAME,
            "transfers per second",
            n_batches * MAX_BATCH,
            work,
            runs=3 if quick else 5,
            prepare=prepare,
        )
