"""The ledger: accounts, transfers between two of them, and a journal that is never edited.

A transfer debits one account and credits another in the same unit, so the books balance in
each unit after every transfer. It has a 128-bit id; whoever repeats an id gets ``EXISTS`` and
nothing is booked twice. Semantics follow TigerBeetle's.

==================  =====================================================================
transfer            what it does
==================  =====================================================================
single              moves ``amount`` from debit to credit at once
``PENDING``         a hold: reserves ``amount`` on both sides until it is resolved; reserved
                    amounts count against the limits, not yet for them
``POST``            resolves a hold: moves up to its amount (0: all) and releases the rest
``VOID``            resolves a hold: releases all of it, even after it has lapsed
``LINKED``          ties a transfer to the next; a chain is booked whole or not at all
``BALANCING_DEBIT``  takes at most what the debit account has (credits less debits and holds)
``BALANCING_CREDIT`` gives at most what the credit account lacks (debits less credits, holds)
==================  =====================================================================

Answers worth knowing:

* Each transfer gets the lowest :class:`Result` that applies; ``OK`` alone was booked.
* ``PENDING``, ``POST`` and ``VOID`` exclude each other, and the last two exclude balancing.
* The first failing member of a chain says why; the others are ``LINKED_EVENT_FAILED``. A
  repeated chain thus answers ``EXISTS`` once and ``LINKED_EVENT_FAILED`` for the rest.
* A repeat is ``EXISTS`` if it asks for what was booked: accounts left 0 and an amount of 0
  stand for the hold's own, a balancing amount may be larger than what was found. Anything
  else is ``EXISTS_WITH_DIFFERENT_FIELDS``.
* A balancing transfer that finds nothing is ``EXCEEDS_CREDITS`` or ``EXCEEDS_DEBITS``.
* A hold lapses at ``expires_us`` (0: never). From then on it cannot be posted; its reserve
  stands until somebody voids it.
* The ledger does not remember refused ids: that a refusal is final is kept by who asked.
* A post or void names its hold by id; the hold may stand earlier in the same batch.

Worked example, 10 credits on a lot and a request of 7.5, rounded up to 8::

    ledger = MemoryLedger()
    sale, lot, clearing = ledger.open_accounts(
        ["issuance:sale.cr", "lot:1:purchased:10/1:never.cr", "clearing:usage.cr"]
    ).tolist()
    batch = TransferBuilder()
    batch.add((1, 1), sale, lot, 10_000_000, code=Code.TOP_UP, effective_us=1)
    batch.add((2, 1), lot, clearing, 9_000_000, code=Code.HOLD, effective_us=2,
              flags=TransferFlag.PENDING)
    batch.add((3, 1), 0, 0, 8_000_000, code=Code.SETTLE, effective_us=3,
              flags=TransferFlag.POST, pending_id=(2, 1))
    ledger.execute(batch.build()).all_ok     # True
    ledger.balance(lot).available            # 2_000_000

``kernel`` decides, ``stores`` keep, ``reading`` shows, ``verify`` recomputes everything.
"""

from economy.ledger.batch import (
    MAX_BATCH,
    AccountFlag,
    Balance,
    BatchResult,
    Code,
    Result,
    TransferBatch,
    TransferBuilder,
    TransferFlag,
    UnitCode,
)
from economy.ledger.ids import id_bytes, key_column, transfer_id, transfer_ids
from economy.ledger.stores import Ledger, MemoryLedger, SqliteLedger

__all__ = [
    "MAX_BATCH",
    "AccountFlag",
    "Balance",
    "BatchResult",
    "Code",
    "Ledger",
    "MemoryLedger",
    "Result",
    "SqliteLedger",
    "TransferBatch",
    "TransferBuilder",
    "TransferFlag",
    "UnitCode",
    "id_bytes",
    "key_column",
    "transfer_id",
    "transfer_ids",
]
