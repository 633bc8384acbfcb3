"""Rows of the charges table: how they are written, read back and hashed.

A batch of charges has a digest over every column of every row. The transfers that post
the batch's sums derive their ids from it, so the journal's hash chain covers what the
sums hide: nobody can change a customer, a model, a quantity or a cost afterwards.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from economy.ledger import transfer_id
from economy.quantities import QUANTITIES
from economy.state import Unit

AMOUNT_COLUMNS: Final = (
    "charge_id",
    "charge_batch",
    "source_id",
    "customer_id",
    "model_id",
    "effective_us",
    *(quantity.name for quantity in QUANTITIES),
    "status",
    "unrounded_ucr",
    "rated_ucr",
    "charge_ucr",
    "rounding_ucr",
    "basis_usage_nusd",
    "basis_rounding_nusd",
    "list_cost_nusd",
    "paid_cost_nusd",
    "key_id",
    "hold_id",
    "sheet_version",
    "cost_version",
)
"""The integer columns of the table, in the order in which they are hashed."""

_COLUMNS: Final = ("event_id", "event_key", *AMOUNT_COLUMNS)
_SCHEMA: Final = b"charges-1"


@dataclass(frozen=True, slots=True)
class ChargeRows:
    """Charges of one batch: ids, and ``amounts`` (n, len(AMOUNT_COLUMNS)) int64."""

    event_id: list[str]
    event_key: list[bytes]
    amounts: NDArray[np.int64]

    def sha256(self) -> bytes:
        """The digest: schema, integers (little endian, row after row), keys, ids."""
        digest = hashlib.sha256(_SCHEMA)
        digest.update(np.ascontiguousarray(self.amounts, dtype="<i8").tobytes())
        digest.update(b"".join(self.event_key))
        for event_id in self.event_id:
            text = event_id.encode()
            digest.update(len(text).to_bytes(4, "little") + text)
        return digest.digest()


def insert_charges(unit: Unit, rows: ChargeRows) -> None:
    """Write the rows, each column by its name."""
    unit.connection.executemany(
        f"INSERT INTO charges ({', '.join(_COLUMNS)}) VALUES ({','.join('?' * len(_COLUMNS))})",
        zip(
            rows.event_id,
            rows.event_key,
            *(column.tolist() for column in rows.amounts.T),
            strict=True,
        ),
    )


def stored_batches(connection: sqlite3.Connection) -> Iterator[tuple[int, ChargeRows]]:
    """The charges as they stand, batch after batch."""
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM charges ORDER BY charge_batch, charge_id"
    )
    place = _COLUMNS.index("charge_batch")
    for batch, members in groupby(rows, key=lambda row: row[place]):
        table = list(members)
        yield (
            batch,
            ChargeRows(
                [row[0] for row in table],
                [row[1] for row in table],
                np.array([row[2:] for row in table], dtype=np.int64),
            ),
        )


def platform_leg_id(
    effective_us: int, charge_batch: int, digest: bytes, number: int
) -> tuple[int, int]:
    """The transfer id of the ``number``-th platform leg of a batch with this digest."""
    return transfer_id(effective_us, "platform legs", charge_batch, digest, leg=number)
