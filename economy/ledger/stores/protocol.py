"""What every ledger can do, wherever it keeps its books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from economy.ledger.batch import I64, AccountFlag, Balance, BatchResult, TransferBatch


class Ledger(Protocol):
    """Accounts that are opened by name, and batches that move amounts between them.

    Account ids are positive and never change. The outcome of a transfer is a result code;
    only misuse (an unknown unit, a batch too long, an unknown account id) raises.
    """

    def open_accounts(self, names: Sequence[str], *, flags: AccountFlag | None = None) -> I64:
        """Ids of ``names`` in order, opened where they are new; safe to repeat.

        The unit comes from the name, the limits from the chart unless ``flags`` are given.
        Given flags that differ from those of an existing account are a ``Conflict``.
        """
        ...

    def open_account(self, name: str) -> int:
        """The id of one account, opened if it is new."""
        ...

    def account_id(self, name: str) -> int:
        """The id of an existing account; ``NotFound`` otherwise."""
        ...

    def names(self, ids: I64) -> list[str]:
        """The names of existing accounts, in the order of ``ids``."""
        ...

    def execute(self, batch: TransferBatch) -> BatchResult:
        """Judge and book each transfer in order; at most ``MAX_BATCH`` of them."""
        ...

    def balance(self, account_id: int) -> Balance:
        """The four totals of one account."""
        ...

    def balances(self, ids: I64) -> I64:
        """The totals of many accounts, ``(n, 4)`` in the order of ``Balance``'s fields."""
        ...
