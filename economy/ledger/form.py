"""The form of a batch: what no ledger could mean is refused before the kernel sees it.

A business outcome (no balance, a repeated id) is a result code and never refused here. These
are slips of the program that built the batch, so the whole batch is refused.
"""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import numpy as np
from numpy.typing import NDArray

from economy.errors import BadInput
from economy.ledger.batch import I64, MAX_BATCH, Code, TransferBatch, TransferFlag

Columns = tuple[I64, I64, I64, I64, I64, I64, I64, I64, I64, I64, I64, I64]

COLUMNS = tuple(field.name for field in fields(TransferBatch))

_NOT_NEGATIVE = ("id_hi", "pending_hi", "debit", "credit", "expires_us", "flags")
_ALL_FLAGS = sum(TransferFlag)
_FIRST_CODE, _LAST_CODE = min(Code), max(Code)


def checked_columns(batch: TransferBatch) -> Columns:
    """The batch's columns in order, fit for the kernel, or ``BadInput`` naming the row."""
    columns = cast(Columns, tuple(_fit(name, getattr(batch, name), len(batch)) for name in COLUMNS))
    if len(batch) > MAX_BATCH:
        raise BadInput(
            f"a batch holds at most {MAX_BATCH} transfers", value=len(batch), way_out="Split it"
        )
    if len(batch) == 0:
        return columns
    for field in _NOT_NEGATIVE:
        if getattr(batch, field).min() < 0:
            _refuse("a number below 0", field, batch, getattr(batch, field) < 0)
    if batch.flags.max() > _ALL_FLAGS:
        _refuse("an unknown flag", "flags", batch, batch.flags > _ALL_FLAGS)
    unknown = (batch.code < _FIRST_CODE) | (batch.code > _LAST_CODE)
    if unknown.any():
        _refuse("an unknown code", "code", batch, unknown)
    if batch.expires_us.any():
        lapses = (batch.expires_us != 0) & (batch.flags & TransferFlag.PENDING == 0)
        _refuse("only a hold can lapse", "expires_us", batch, lapses)
    voids = batch.flags & TransferFlag.VOID
    if voids.any():
        part = (voids != 0) & (batch.amount > 0)
        _refuse("a void releases the whole hold: its amount is 0", "amount", batch, part)
    return columns


def _fit(name: str, column: I64, n: int) -> I64:
    """The kernel reads without looking: right type, right length, one plain block."""
    if column.dtype != np.int64 or column.shape != (n,):
        raise BadInput(
            f"a column is int64 of shape ({n},)",
            field=name,
            value=f"{column.dtype} of shape {column.shape}",
        )
    if column.flags.c_contiguous and column.flags.writeable:
        return column
    return column.copy()


def _refuse(what: str, field: str, batch: TransferBatch, wrong: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        row = int(rows[0])
        value = int(getattr(batch, field)[row])
        raise BadInput(what, where=f"transfer {row} of the batch", field=field, value=value)
