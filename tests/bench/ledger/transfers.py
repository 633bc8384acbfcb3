"""Single transfers between random accounts, with ids that grow: what the benchmarks move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from economy.ledger.batch import MAX_BATCH, Code, TransferBatch

NOON_US = 1_769_860_800_000_000


class Traffic:
    """Batches of single transfers among ``n_accounts`` accounts from ``first_id`` on."""

    def __init__(self, first_id: int, n_accounts: int) -> None:
        self._first_id = first_id
        self._n_accounts = n_accounts
        self._draw = np.random.default_rng(11)
        self._now_us = NOON_US

    def batches(self, count: int) -> Iterator[TransferBatch]:
        """``count`` full batches, later than any before; one transfer a microsecond."""
        for _ in range(count):
            batch = TransferBatch.zeros(MAX_BATCH)
            debit = self._draw.integers(0, self._n_accounts, MAX_BATCH)
            step = self._draw.integers(1, self._n_accounts, MAX_BATCH)
            batch.id_hi[:] = self._now_us + np.arange(MAX_BATCH)
            batch.id_lo[:] = self._draw.integers(1, 2**62, MAX_BATCH)
            batch.debit[:] = self._first_id + debit
            batch.credit[:] = self._first_id + (debit + step) % self._n_accounts
            batch.amount[:] = self._draw.integers(1, 1_000_000, MAX_BATCH)
            batch.code[:] = Code.OTHER
            batch.effective_us[:] = batch.id_hi
            self._now_us += MAX_BATCH
            yield batch
