"""The simulated economy's ledger: production's accounts and kernel, in memory.

Buyers' lots are one range of accounts, ``lot:0.cr`` to ``lot:{n * packs - 1}.cr``: buyer i has
a slot for each kind of pack, in the order in which it first bought them. So slots are in
spend order (all are purchased and never expire, and the oldest lot pays first), and lots of
one basis are one account, as in production.

Transfers of a tick
* top-ups: ``issuance:sale`` -> lot, one a buyer who bought;
* charges: lot -> ``clearing:usage``. The reference engine books each request (a linked chain
  if it takes several lots), the cohort engine one sum a lot and tick;
* the platform's legs, once a tick, as sums, by the postings of the rules (section 9).

So the two engines' journals differ in rows, and every account's totals are equal at the
end of every tick. Nothing here may be refused: the plan has looked at the same balances.

Transfers are collected in order and executed by :meth:`Books.settle`: once a tick by the
cohort engine, after every payment by the reference engine.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from economy.errors import invariant
from economy.ledger import accounts as chart
from economy.ledger.batch import MAX_BATCH, Code, Result, TransferBatch, TransferFlag
from economy.ledger.legs import Leg, flowing
from economy.ledger.stores.memory import MemoryLedger
from economy.metering.postings import (
    Released,
    basis_postings,
    charge_postings,
    provider_postings,
)
from economy.pool.keys import PoolKey
from economy.pool.postings import (
    KeyRelief,
    contribution_postings,
    earned_lot,
    service_postings,
)
from simulations.recording import TickTotals

I64 = NDArray[np.int64]


class Books:
    """One run's ledger. ``lot_account`` int64 (lots): the account of each lot slot."""

    def __init__(self, n_lots: int, providers: tuple[str, ...], keys: tuple[PoolKey, ...]) -> None:
        self.ledger = MemoryLedger("totals")
        first = self.ledger.open_range("lot:", n_lots, ".cr")
        self.lot_account: I64 = np.arange(first, first + n_lots, dtype=np.int64)
        self._keys = keys
        self._serial = 0
        self._waiting: list[tuple[I64, I64, I64, bool]] = []
        self._account = {
            name: self.ledger.open_account(name)
            for name in (
                chart.CLEARING_USAGE,
                chart.REVENUE_USAGE_CR,
                chart.REVENUE_USAGE_USD,
                chart.REVENUE_ROUNDING_CR,
                chart.REVENUE_ROUNDING_USD,
                chart.ISSUANCE_SALE,
                chart.CASH_CLEARING,
                chart.DEFERRED_REVENUE,
                chart.PAYABLE_CONTRIBUTORS,
                chart.PAYABLE_PROVIDERS,
                chart.CAPACITY_USED,
                chart.EXPENSE_CAPACITY,
                chart.FEE_CONTRIBUTION,
                *(chart.expense_provider(provider) for provider in providers),
                *(name for key in keys for name in _key_accounts(key)),
            )
        }
        self._providers = providers

    def contribute(self, at_us: int) -> None:
        """Book the contribution of every key, at the opening (rules, section 9)."""
        self._post(leg for key in self._keys for leg in contribution_postings(key))
        self.settle(at_us)

    def top_up(self, lots: I64, amounts_ucr: I64, paid_nusd: int) -> None:
        """Packs into lots (m each), and their dollars in one sum."""
        issuance = np.full(len(lots), self._account[chart.ISSUANCE_SALE], dtype=np.int64)
        self._waiting.append((issuance, self.lot_account[lots], amounts_ucr, False))
        self._post([Leg(chart.CASH_CLEARING, chart.DEFERRED_REVENUE, paid_nusd)])

    def charge(self, lots: I64, amounts_ucr: I64, *, linked: bool = False) -> None:
        """Credits from lots to clearing; ``linked`` makes them one chain (one request's)."""
        clearing = np.full(len(lots), self._account[chart.CLEARING_USAGE], dtype=np.int64)
        self._waiting.append((self.lot_account[lots], clearing, amounts_ucr, linked))

    def close_tick(self, totals: TickTotals, at_us: int) -> None:
        """Post the platform's legs of a tick, each a sum."""
        cost = dict(zip(self._providers, totals.platform_cost_by_provider, strict=True))
        self._post(
            (
                *charge_postings(totals.charge_ucr, totals.rounding_ucr),
                *basis_postings(Released(totals.usage_nusd, totals.rounding_nusd)),
                *provider_postings(cost),
            )
        )
        for key, used in zip(self._keys, totals.relief_by_key, strict=True):
            self._post(service_postings(key, KeyRelief(*used)))
        self.settle(at_us)

    def settle(self, at_us: int) -> None:
        """Execute what is waiting, in order, at the instant ``at_us``."""
        waiting, self._waiting = self._waiting, []
        debit, credit, amount = (
            np.concatenate([part[column] for part in waiting]) for column in range(3)
        )
        n = len(debit)
        batch = TransferBatch.zeros(n)
        batch.id_hi[:] = at_us
        batch.id_lo[:] = np.arange(self._serial + 1, self._serial + n + 1)
        self._serial += n
        batch.debit[:] = debit
        batch.credit[:] = credit
        batch.amount[:] = amount
        batch.code[:] = Code.SIMULATED
        batch.effective_us[:] = at_us
        row = 0
        for part in waiting:
            row += len(part[0])
            if part[3]:
                batch.flags[row - len(part[0]) : row - 1] = TransferFlag.LINKED
        invariant(n <= MAX_BATCH or not any(part[3] for part in waiting), "no chain is cut")
        for start in range(0, n, MAX_BATCH):
            result = self.ledger.execute(batch.slice(start, start + MAX_BATCH), now_us=at_us)
            invariant(
                result.all_ok,
                f"the ledger accepts what was planned: {Result(int(result.codes.max()))!r}",
            )

    def liability_ucr(self) -> int:
        """Credits that buyers hold."""
        totals = self.ledger.balances(self.lot_account)
        return int((totals[:, 3] - totals[:, 1]).sum())

    def deferred_nusd(self) -> int:
        """Dollars taken for Credits that are not spent."""
        balance = self.ledger.balance(self._account[chart.DEFERRED_REVENUE])
        return balance.credits_posted - balance.debits_posted

    def _post(self, legs: Iterable[Leg]) -> None:
        rows = [
            (self._account[leg.debit], self._account[leg.credit], leg.amount)
            for leg in flowing(legs)
        ]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
        self._waiting.append((columns[:, 0], columns[:, 1], columns[:, 2], False))


def _key_accounts(key: PoolKey) -> tuple[str, str, str, str, str]:
    """A key's escrow, quota, capacity in Credits, capacity in USD, and its owner's lot."""
    return (
        chart.escrow_quota(key.owner_id),
        chart.pool_quota(key.name),
        chart.pool_cr(key.name),
        chart.capacity_usd(key.name),
        earned_lot(key),
    )
