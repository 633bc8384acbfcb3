"""The journal's canonical form: what its hash chain binds, whatever the store.

A batch is numbered from 1 without gaps, and so are its transfers. Its canonical bytes are
little-endian int64 words: schema version, batch number, recorded time, number of transfers,
then twelve words a transfer in the order of :data:`JOURNAL_COLUMNS`. The link over them
(:func:`economy.chain.link`) is the batch's hash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from economy.chain import link
from economy.ledger import kernel
from economy.ledger.batch import I64

JOURNAL_SCHEMA_VERSION = 1

JOURNAL_COLUMNS = (
    kernel.SEQ,
    kernel.ID_HI,
    kernel.ID_LO,
    kernel.DEBIT,
    kernel.CREDIT,
    kernel.AMOUNT,
    kernel.KIND,
    kernel.CODE,
    kernel.REFERENCE,
    kernel.PENDING_SEQ,
    kernel.EXPIRES,
    kernel.EFFECTIVE,
)
"""The columns of a kernel record that are journal: a hold's state is not, it follows."""


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """One committed batch: ``transfers`` rows from ``first_seq``, bound by ``hash``."""

    batch: int
    first_seq: int
    transfers: int
    recorded_us: int
    hash: bytes


def batch_hash(previous_hash: bytes, batch: int, recorded_us: int, rows: I64) -> bytes:
    """The hash of a batch whose ``rows`` are ``(n, 12)`` in the order of the journal."""
    head = np.array([JOURNAL_SCHEMA_VERSION, batch, recorded_us, len(rows)], dtype="<i8")
    return link(previous_hash, head.tobytes() + rows.astype("<i8", copy=False).tobytes())
