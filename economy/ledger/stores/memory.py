"""The ledger in memory: for simulations and tests, with the kernel and chain of the books.

The balance sheet *is* the kernel's account table, so a batch loads and stores nothing. An
account's id is its row.

``MemoryLedger("full")`` keeps every transfer and the hash chain, like the SQLite store.
``MemoryLedger("totals")`` keeps balances, open holds and a window: transfers whose
``id_hi`` lies more than ``remember_us`` (two hours) behind the latest ``now_us`` are forgotten.
Since a ledger cannot tell whether a forgotten id is a repeat, an id from before the window
is refused as misuse, and a resolved hold from before it counts as not found. So a long
simulation runs in constant memory without ever taking a transfer twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from economy.chain import GENESIS_HASH
from economy.errors import BadInput, Conflict, NotFound
from economy.ledger import kernel
from economy.ledger.accounts import flags_of, unit_of
from economy.ledger.batch import I64, AccountFlag, Balance, BatchResult, TransferBatch
from economy.ledger.form import checked_columns
from economy.ledger.journal import JOURNAL_COLUMNS, JournalBatch, batch_hash
from economy.units import US_PER_SECOND

CACHE_LINE_WORDS = 8
FIRST_CAPACITY = 16_384
REMEMBER_US = 7_200 * US_PER_SECOND
"""Two ticks of an hour: what a simulation repeats, it repeats within its tick."""


@dataclass(frozen=True, slots=True)
class _Range:
    """Accounts whose names differ only in a running number: one entry for all of them."""

    prefix: str
    n: int
    suffix: str
    first: int


class MemoryLedger:
    """A ledger whose whole state is a few arrays. See the module for the two journals."""

    def __init__(
        self, journal: Literal["full", "totals"] = "full", *, remember_us: int = REMEMBER_US
    ) -> None:
        if journal not in ("full", "totals"):
            raise BadInput('a journal is "full" or "totals"', field="journal", value=journal)
        self.journal = journal
        self.now_us = 0
        self.transfers = 0
        self.batches: list[JournalBatch] = []
        self._remember_us = remember_us
        self._accounts = _aligned(FIRST_CAPACITY, kernel.ACCOUNT_COLUMNS)
        self._n_accounts = 1  # Row 0 is nobody.
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._ranges: list[_Range] = []
        self._records = _aligned(FIRST_CAPACITY, kernel.RECORD_COLUMNS)
        self._n_records = 0
        self._slots = kernel.slots_for(FIRST_CAPACITY)

    # Accounts -------------------------------------------------------------------------

    def open_accounts(self, names: Sequence[str], *, flags: AccountFlag | None = None) -> I64:
        ids = [self._open(name, flags) for name in names]
        return np.array(ids, dtype=np.int64)

    def open_account(self, name: str) -> int:
        return self._open(name, None)

    def open_range(self, prefix: str, n: int, suffix: str, flags: AccountFlag | None = None) -> int:
        """Open ``{prefix}0{suffix}`` to ``{prefix}{n-1}{suffix}``; return the first id.

        The ids are consecutive. A million accounts cost 64 bytes each and no names.
        """
        limits = flags_of(prefix + "0" + suffix) if flags is None else flags
        unit = unit_of(prefix + "0" + suffix)
        pattern = re.compile(re.escape(prefix) + r"(0|[1-9]\d*)" + re.escape(suffix))
        taken = any(r.prefix == prefix and r.suffix == suffix for r in self._ranges)
        if taken or any(pattern.fullmatch(name) for name in self._ids):
            raise Conflict("some of these accounts are open already", value=prefix + "*" + suffix)
        if n <= 0:
            raise BadInput("a range has at least one account", field="n", value=n)
        first = self._new_rows(n, unit, limits)
        self._ranges.append(_Range(prefix, n, suffix, first))
        return first

    def account_id(self, name: str) -> int:
        found = self._lookup(name)
        if found is None:
            raise NotFound("there is no such account", field="account", value=name)
        return found

    def names(self, ids: I64) -> list[str]:
        self._check_ids(ids)
        return [self._name(account_id) for account_id in ids.tolist()]

    # Transfers ------------------------------------------------------------------------

    def execute(self, batch: TransferBatch, now_us: int | None = None) -> BatchResult:
        """Run ``batch`` at ``now_us`` (left out: the time of the batch before)."""
        columns = checked_columns(batch)
        self._move_time(now_us)
        n = len(batch)
        result = BatchResult(*(np.empty(n, dtype=np.int64) for _ in range(3)))
        if n == 0:
            return result
        horizon_us = self._horizon_us()
        self._refuse_forgotten(batch, horizon_us)
        self._make_room(n, horizon_us)
        known = self._n_records
        self._n_records = kernel.execute(
            columns,
            self._accounts[: self._n_accounts],
            self._records,
            known,
            self._slots,
            self.now_us,
            horizon_us,
            self.transfers + 1,
            result.codes,
            result.amounts,
            result.seqs,
        )
        accepted = self._n_records - known
        if accepted and self.journal == "full":
            self._chain(self._records[known : self._n_records])
        self.transfers += accepted
        return result

    def balance(self, account_id: int) -> Balance:
        return Balance(*self.balances(np.array([account_id], dtype=np.int64))[0].tolist())

    def balances(self, ids: I64) -> I64:
        self._check_ids(ids)
        return self._accounts[ids, :4]

    @property
    def accounts(self) -> I64:
        """The account table itself, ``(A, 8)``; row 0 is nobody. Read it, don't write.

        Its columns are ``kernel.DEBITS_PENDING`` to ``kernel.FLAGS``. Opening accounts may
        replace the table, so take it again afterwards.
        """
        return self._accounts[: self._n_accounts]

    @property
    def rows(self) -> I64:
        """The journal as it stands, ``(n, 12)`` in the order of ``JOURNAL_COLUMNS``.

        With ``"totals"`` it holds what is remembered, which is not the whole.
        """
        return self._records[: self._n_records, JOURNAL_COLUMNS]

    # Inside ---------------------------------------------------------------------------

    def _open(self, name: str, flags: AccountFlag | None) -> int:
        found = self._lookup(name)
        if found is None:
            limits = flags_of(name) if flags is None else flags
            found = self._new_rows(1, unit_of(name), limits)
            self._ids[name] = found
            self._names[found] = name
        elif flags is not None and self._accounts[found, kernel.FLAGS] != flags:
            raise Conflict("the account is open with other limits", field="flags", value=name)
        return found

    def _lookup(self, name: str) -> int | None:
        found = self._ids.get(name)
        if found is not None:
            return found
        for r in self._ranges:
            if name.startswith(r.prefix) and name.endswith(r.suffix):
                number = name[len(r.prefix) : len(name) - len(r.suffix)]
                if number.isdecimal() and int(number) < r.n and str(int(number)) == number:
                    return r.first + int(number)
        return None

    def _name(self, account_id: int) -> str:
        if account_id in self._names:
            return self._names[account_id]
        r = next(r for r in self._ranges if r.first <= account_id < r.first + r.n)
        return f"{r.prefix}{account_id - r.first}{r.suffix}"

    def _new_rows(self, n: int, unit: int, flags: int) -> int:
        first, after = self._n_accounts, self._n_accounts + n
        if after > len(self._accounts):
            table = _aligned(max(after, 2 * len(self._accounts)), kernel.ACCOUNT_COLUMNS)
            table[:first] = self._accounts[:first]
            self._accounts = table
        self._accounts[first:after, kernel.UNIT] = unit
        self._accounts[first:after, kernel.FLAGS] = flags
        self._n_accounts = after
        return first

    def _check_ids(self, ids: I64) -> None:
        wrong = (ids < 1) | (ids >= self._n_accounts)
        if wrong.any():
            raise NotFound("there is no such account", field="account_id", value=int(ids[wrong][0]))

    def _move_time(self, now_us: int | None) -> None:
        if now_us is None:
            return
        if now_us < self.now_us:
            raise BadInput("recorded time does not go back", field="now_us", value=now_us)
        self.now_us = now_us

    def _horizon_us(self) -> int:
        return 0 if self.journal == "full" else max(0, self.now_us - self._remember_us)

    def _refuse_forgotten(self, batch: TransferBatch, horizon_us: int) -> None:
        oldest = int(batch.id_hi.min())
        # A zero id is a result code; every other id must be one that would be recognised.
        if (
            oldest < horizon_us
            and ((batch.id_hi < horizon_us) & (batch.id_hi | batch.id_lo != 0)).any()
        ):
            raise BadInput(
                "an id from before what this ledger remembers",
                field="id_hi",
                value=oldest,
                way_out='Use journal="full", a longer remember_us, or ids of current time',
            )

    def _make_room(self, n: int, horizon_us: int) -> None:
        """Have space for ``n`` more records: forget what may be forgotten, else grow.

        At least half of the table is free afterwards, so that the next time is far away.
        """
        if self._n_records + n <= len(self._records):
            return
        if self.journal == "totals":
            self._n_records = kernel.forget(self._records, self._n_records, horizon_us)
        capacity = len(self._records)
        while capacity < 2 * (self._n_records + n):
            capacity *= 2
        if capacity > len(self._records):
            records = _aligned(capacity, kernel.RECORD_COLUMNS)
            records[: self._n_records] = self._records[: self._n_records]
            self._records = records
            self._slots = kernel.slots_for(capacity)
        else:
            self._slots[:] = 0
        kernel.index(self._records, self._n_records, self._slots)

    def _chain(self, accepted: I64) -> None:
        last = self.batches[-1].hash if self.batches else GENESIS_HASH
        number = len(self.batches) + 1
        digest = batch_hash(last, number, self.now_us, accepted[:, JOURNAL_COLUMNS])
        self.batches.append(
            JournalBatch(number, self.transfers + 1, len(accepted), self.now_us, digest)
        )


def _aligned(rows: int, columns: int) -> I64:
    """Zeros whose rows start on a cache line, so that an account is one memory access."""
    words = np.zeros(rows * columns + CACHE_LINE_WORDS, dtype=np.int64)
    skip = (-words.ctypes.data // 8) % CACHE_LINE_WORDS
    return words[skip : skip + rows * columns].reshape(rows, columns)
