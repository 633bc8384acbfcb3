"""The kernel on the memory store: single transfers among a million accounts, totals kept.

This is the ledger of a long simulation: repeated ids are found, no journal is written.
"""

from __future__ import annotations

from economy.ledger.batch import MAX_BATCH, AccountFlag, TransferBatch
from economy.ledger.stores.memory import MemoryLedger
from tests.bench.ledger.transfers import Traffic
from tests.bench.measuring import CPU, Measurement, rate

NAME = "ledger.memory_cpu"
N_ACCOUNTS = 1_000_000
WINDOW_US = 100_000  # At one transfer a microsecond: the last 100,000 ids are remembered.


def measure(quick: bool) -> Measurement:
    n_batches = 20 if quick else 100
    ledger = MemoryLedger("totals", remember_us=WINDOW_US)
    first_id = ledger.open_range("bench:", N_ACCOUNTS, ".cr", AccountFlag.NONE)
    traffic = Traffic(first_id, N_ACCOUNTS)
    waiting: list[TransferBatch] = []

    def prepare() -> None:
        waiting[:] = traffic.batches(n_batches)

    def work() -> None:
        for batch in waiting:
            result = ledger.execute(batch, int(batch.id_hi[-1]))
            assert result.all_ok

    return rate(
        NAME,
        "transfers per CPU-second",
        n_batches * MAX_BATCH,
        work,
        runs=3 if quick else 7,
        clock=CPU,
        prepare=prepare,
    )
