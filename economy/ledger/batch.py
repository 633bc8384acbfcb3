"""The language of the ledger: accounts, transfers in columns, result codes.

A transfer debits one account and credits one other in the same unit. Transfers come in
batches held as columns (one NumPy array a field), because a loop over columns is what
the kernel compiles to. A batch is built with :class:`TransferBuilder`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import Self

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

MAX_BATCH = 8_190
"""Most transfers in one batch: a bound on memory and on how long a commit takes."""


class UnitCode(IntEnum):
    """An account's unit; its name ends with it (``.cr``, ``.usd``, ``.quota``)."""

    CR = 1
    USD = 2
    QUOTA = 3


UNIT_SUFFIX = {UnitCode.CR: ".cr", UnitCode.USD: ".usd", UnitCode.QUOTA: ".quota"}


class AccountFlag(IntFlag):
    NONE = 0
    DEBITS_MUST_NOT_EXCEED_CREDITS = 1
    CREDITS_MUST_NOT_EXCEED_DEBITS = 2


class TransferFlag(IntFlag):
    """``LINKED`` ties a transfer to the next one; the last of a chain lacks it."""

    NONE = 0
    LINKED = 1
    PENDING = 2
    POST = 4
    VOID = 8
    BALANCING_DEBIT = 16
    BALANCING_CREDIT = 32


class Code(IntEnum):
    """What a transfer was for, and so what its ``reference`` names."""

    TOP_UP = 1
    CONTRIBUTION = 2
    CHARGE = 3
    HOLD = 4
    SETTLE = 5
    RELEASE = 6
    PLATFORM_LEGS = 7
    SIMULATED = 8
    OTHER = 9


class Result(IntEnum):
    """Outcome of one transfer. The lowest that applies is reported."""

    OK = 0
    LINKED_EVENT_FAILED = 1
    LINKED_CHAIN_OPEN = 2
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = 3
    ID_MUST_NOT_BE_ZERO = 4
    EXISTS_WITH_DIFFERENT_FIELDS = 5
    EXISTS = 6
    DEBIT_ACCOUNT_NOT_FOUND = 7
    CREDIT_ACCOUNT_NOT_FOUND = 8
    ACCOUNTS_MUST_BE_DIFFERENT = 9
    ACCOUNTS_MUST_HAVE_THE_SAME_UNIT = 10
    AMOUNT_MUST_NOT_BE_NEGATIVE = 11
    AMOUNT_MUST_NOT_BE_ZERO = 12
    PENDING_ID_MUST_BE_ZERO = 13
    PENDING_ID_MUST_NOT_BE_ZERO = 14
    PENDING_TRANSFER_NOT_FOUND = 15
    PENDING_TRANSFER_NOT_PENDING = 16
    PENDING_TRANSFER_ALREADY_POSTED = 17
    PENDING_TRANSFER_ALREADY_VOIDED = 18
    PENDING_TRANSFER_EXPIRED = 19
    PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS = 20
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 21
    OVERFLOWS = 22
    EXCEEDS_CREDITS = 23
    EXCEEDS_DEBITS = 24


@dataclass(frozen=True, slots=True)
class TransferBatch:
    """Transfers as columns, all of one length, all int64.

    ``id_hi, id_lo`` are the 128-bit idempotency key (``id_hi`` is the effective time, so
    that keys grow with time; it is not negative). ``debit`` and ``credit`` are account
    ids; a post or void may leave both 0 to take the hold's. ``amount`` is in the accounts'
    unit; a post of 0 posts the whole hold. ``pending_hi, pending_lo`` name the hold that a
    post or void resolves. ``expires_us`` is when a hold lapses (0: never).
    """

    id_hi: I64
    id_lo: I64
    debit: I64
    credit: I64
    amount: I64
    flags: I64
    code: I64
    reference: I64
    pending_hi: I64
    pending_lo: I64
    expires_us: I64
    effective_us: I64

    def __len__(self) -> int:
        return len(self.id_hi)

    def slice(self, start: int, stop: int) -> TransferBatch:
        return TransferBatch(*(getattr(self, f.name)[start:stop] for f in fields(self)))

    @classmethod
    def zeros(cls, n: int) -> Self:
        return cls(*(np.zeros(n, dtype=np.int64) for _ in fields(cls)))


class TransferBuilder:
    """Collects single transfers, in order, into one batch."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, ...]] = []

    def add(
        self,
        transfer_id: tuple[int, int],
        debit: int,
        credit: int,
        amount: int,
        *,
        code: Code,
        effective_us: int,
        flags: TransferFlag = TransferFlag.NONE,
        reference: int = 0,
        pending_id: tuple[int, int] = (0, 0),
        expires_us: int = 0,
    ) -> None:
        self._rows.append(
            (
                *transfer_id,
                debit,
                credit,
                amount,
                int(flags),
                int(code),
                reference,
                *pending_id,
                expires_us,
                effective_us,
            )
        )

    def __len__(self) -> int:
        return len(self._rows)

    def build(self) -> TransferBatch:
        width = len(fields(TransferBatch))
        table = np.array(self._rows, dtype=np.int64).reshape(len(self._rows), width)
        return TransferBatch(*(np.ascontiguousarray(table[:, i]) for i in range(width)))


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of each transfer, in order.

    ``codes`` are :class:`Result` values; ``amounts`` what was moved or held (balancing
    transfers may take less than asked); ``seqs`` the journal number of each accepted
    transfer, 0 for the others.
    """

    codes: I64
    amounts: I64
    seqs: I64

    @property
    def all_ok(self) -> bool:
        return bool((self.codes == Result.OK).all())


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's four totals, in its unit."""

    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int

    @property
    def available(self) -> int:
        """What a debit may still take from a credit-normal account (a lot)."""
        return self.credits_posted - self.debits_posted - self.debits_pending
