"""The ledger in SQLite: the books of a workspace, inside one unit of work.

A batch loads the accounts it touches and the earlier transfers it refers to, runs the
kernel on them, and writes journal, holds, balances and the next link of the chain. All of it
belongs to the unit's transaction, which has the write lock: nothing is kept from one batch
to the next, and whatever is raised undoes the whole unit.

Most ids are newer than every id in the journal; those need no look-up. The others, and the
holds that posts and voids name, are found through the unique index over ids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from economy.chain import GENESIS_HASH
from economy.errors import Conflict, NotFound, invariant
from economy.ledger import kernel
from economy.ledger.accounts import flags_of, unit_of
from economy.ledger.batch import (
    I64,
    AccountFlag,
    Balance,
    BatchResult,
    TransferBatch,
    TransferFlag,
)
from economy.ledger.form import checked_columns
from economy.ledger.ids import id_byte_column, id_halves
from economy.ledger.journal import JOURNAL_COLUMNS, batch_hash
from economy.state.database import Unit

LOOKUP_CHUNK = 500
"""Values in one ``IN`` list: statements of one length stay prepared."""

DENSE_SPAN = 4
"""Reading a row in passing costs a fraction of looking it up: below this many rows for each
one that is wanted, a batch reads the whole table up to its last account."""

_ACCOUNT_SQL = (
    "SELECT account_id, debits_pending, debits_posted, credits_pending, credits_posted,"
    " unit, flags FROM accounts WHERE account_id"
)
_RECORD_SQL = (
    "SELECT j.id, j.debit_account, j.credit_account, j.amount, j.flags, j.code, j.reference,"
    " j.expires_us, j.effective_us, j.seq, j.pending_seq,"
    " coalesce(hold.id, zeroblob(16)), coalesce(hold.amount, 0), coalesce(p.state, 0)"
    " FROM journal j"
    " LEFT JOIN pending_transfers p ON p.seq = j.seq"
    " LEFT JOIN journal hold ON hold.seq = j.pending_seq"
    " WHERE j.id"
)


class SqliteLedger:
    """The ledger of one unit of work; cheap to make, not to be kept after the unit."""

    def __init__(self, unit: Unit) -> None:
        self._connection = unit.connection
        self._recorded_us = unit.recorded_us

    # Accounts -------------------------------------------------------------------------

    def open_accounts(self, names: Sequence[str], *, flags: AccountFlag | None = None) -> I64:
        rows = [
            (name, int(unit_of(name)), int(flags_of(name) if flags is None else flags))
            for name in dict.fromkeys(names)
        ]
        known = self._by_name(row[0] for row in rows)
        self._connection.executemany(
            "INSERT INTO accounts (name, unit, flags) VALUES (?, ?, ?)",
            [row for row in rows if row[0] not in known],
        )
        if flags is not None:
            for name, (_, existing) in known.items():
                if existing != flags:
                    raise Conflict(
                        "the account is open with other limits", field="flags", value=name
                    )
        if len(known) < len(rows):
            known = self._by_name(row[0] for row in rows)
        return np.array([known[name][0] for name in names], dtype=np.int64)

    def open_account(self, name: str) -> int:
        return int(self.open_accounts([name])[0])

    def account_id(self, name: str) -> int:
        row = self._connection.execute(
            "SELECT account_id FROM accounts WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            raise NotFound("there is no such account", field="account", value=name)
        return int(row[0])

    def names(self, ids: I64) -> list[str]:
        sql = "SELECT account_id, name FROM accounts WHERE account_id"
        found = dict(_look_up(self._connection, sql, ids.tolist()))
        for account_id in ids.tolist():
            if account_id not in found:
                raise NotFound("there is no such account", field="account_id", value=account_id)
        return [found[account_id] for account_id in ids.tolist()]

    # Transfers ------------------------------------------------------------------------

    def execute(self, batch: TransferBatch) -> BatchResult:
        columns = checked_columns(batch)
        n = len(batch)
        result = BatchResult(*(np.empty(n, dtype=np.int64) for _ in range(3)))
        if n == 0:
            return result
        earlier = self._earlier(batch)
        ids, accounts = self._touched(batch, earlier)
        before = accounts.copy()
        records = np.zeros((len(earlier) + n, kernel.RECORD_COLUMNS), dtype=np.int64)
        known = len(earlier)
        records[:known] = earlier
        records[:known, kernel.DEBIT] = np.searchsorted(ids, earlier[:, kernel.DEBIT])
        records[:known, kernel.CREDIT] = np.searchsorted(ids, earlier[:, kernel.CREDIT])
        slots = kernel.slots_for(len(records))
        kernel.index(records, known, slots)
        number, next_seq, last_hash = self._chain_head()
        debit, credit = np.searchsorted(ids, batch.debit), np.searchsorted(ids, batch.credit)
        count = kernel.execute(
            (*columns[:2], debit, credit, *columns[4:]),
            accounts,
            records,
            known,
            slots,
            self._recorded_us,
            0,
            next_seq,
            result.codes,
            result.amounts,
            result.seqs,
        )
        accepted = records[known:count]
        if len(accepted):
            accepted[:, kernel.DEBIT] = ids[accepted[:, kernel.DEBIT]]
            accepted[:, kernel.CREDIT] = ids[accepted[:, kernel.CREDIT]]
            self._write_journal(number, accepted)
            self._write_holds(accepted)
            self._write_balances(ids, before, accounts)
            self._write_link(number, last_hash, accepted)
        return result

    def balance(self, account_id: int) -> Balance:
        return Balance(*self.balances(np.array([account_id], dtype=np.int64))[0].tolist())

    def balances(self, ids: I64) -> I64:
        found = {row[0]: row[1:5] for row in _look_up(self._connection, _ACCOUNT_SQL, ids.tolist())}
        for account_id in ids.tolist():
            if account_id not in found:
                raise NotFound("there is no such account", field="account_id", value=account_id)
        table = [found[account_id] for account_id in ids.tolist()]
        return np.array(table, dtype=np.int64).reshape(len(table), 4)

    # Loading --------------------------------------------------------------------------

    def _by_name(self, names: Iterator[str]) -> dict[str, tuple[int, int]]:
        sql = "SELECT name, account_id, flags FROM accounts WHERE name"
        return {row[0]: (row[1], row[2]) for row in _look_up(self._connection, sql, list(names))}

    def _earlier(self, batch: TransferBatch) -> I64:
        """Records of the journal that the batch repeats or resolves; account ids, not rows."""
        newest = self._connection.execute(
            "SELECT id FROM journal ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if newest is None:
            return np.zeros((0, kernel.RECORD_COLUMNS), dtype=np.int64)
        (newest_hi,), (newest_lo,) = id_halves(newest)
        low = batch.id_lo.view(np.uint64) <= newest_lo.view(np.uint64)
        old = (batch.id_hi < newest_hi) | ((batch.id_hi == newest_hi) & low)
        holds = (batch.pending_hi | batch.pending_lo) != 0
        wanted = set(id_byte_column(batch.id_hi[old], batch.id_lo[old]))
        wanted.update(id_byte_column(batch.pending_hi[holds], batch.pending_lo[holds]))
        # Sorted, so that the same batch always gives the kernel the same records.
        return _records(list(_look_up(self._connection, _RECORD_SQL, sorted(wanted))))

    def _touched(self, batch: TransferBatch, earlier: I64) -> tuple[I64, I64]:
        """Ids of the accounts that matter, ascending from 0 (nobody), and their table."""
        named = (
            np.zeros(1, dtype=np.int64),
            batch.debit,
            batch.credit,
            earlier[:, kernel.DEBIT],
            earlier[:, kernel.CREDIT],
        )
        ids = np.unique(np.concatenate(named))
        accounts = np.zeros((len(ids), kernel.ACCOUNT_COLUMNS), dtype=np.int64)
        span = int(ids[-1])
        if span <= DENSE_SPAN * len(ids):
            rows = self._connection.execute(f"{_ACCOUNT_SQL} <= ?", (span,)).fetchall()
        else:
            rows = list(_look_up(self._connection, _ACCOUNT_SQL, ids.tolist()))
        if rows:
            table = np.array(rows, dtype=np.int64)
            place = np.searchsorted(ids, table[:, 0])
            wanted = ids[place] == table[:, 0]
            accounts[place[wanted], :6] = table[wanted, 1:]
        return ids, accounts

    def _chain_head(self) -> tuple[int, int, bytes]:
        """Number of the next batch, number of its first transfer, hash before it."""
        row = self._connection.execute(
            "SELECT batch, first_seq, transfers, hash FROM journal_batches"
            " ORDER BY batch DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return 1, 1, GENESIS_HASH
        return row[0] + 1, row[1] + row[2], bytes(row[3])

    # Writing --------------------------------------------------------------------------

    def _write_journal(self, number: int, accepted: I64) -> None:
        columns = (
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
        self._connection.executemany(
            f"INSERT INTO journal VALUES (?, {number}, {', '.join('?' * 10)})",
            zip(
                accepted[:, kernel.SEQ].tolist(),
                id_byte_column(accepted[:, kernel.ID_HI], accepted[:, kernel.ID_LO]),
                *(accepted[:, column].tolist() for column in columns),
                strict=True,
            ),
        )

    def _write_holds(self, accepted: I64) -> None:
        kind = accepted[:, kernel.KIND]
        opened = accepted[(kind & TransferFlag.PENDING) != 0]
        if len(opened):
            self._connection.executemany(
                f"INSERT INTO pending_transfers (seq, id, state) VALUES (?, ?, {kernel.OPEN})",
                zip(
                    opened[:, kernel.SEQ].tolist(),
                    id_byte_column(opened[:, kernel.ID_HI], opened[:, kernel.ID_LO]),
                    strict=True,
                ),
            )
        resolved = accepted[(kind & (TransferFlag.POST | TransferFlag.VOID)) != 0]
        if len(resolved):
            posted = (resolved[:, kernel.KIND] & TransferFlag.POST) != 0
            self._connection.executemany(
                "UPDATE pending_transfers SET state = ?, posted_amount = ? WHERE seq = ?",
                zip(
                    np.where(posted, kernel.POSTED, kernel.VOIDED).tolist(),
                    np.where(posted, resolved[:, kernel.AMOUNT], 0).tolist(),
                    resolved[:, kernel.PENDING_SEQ].tolist(),
                    strict=True,
                ),
            )

    def _write_balances(self, ids: I64, before: I64, after: I64) -> None:
        changed = (before != after).any(axis=1)
        self._connection.executemany(
            "UPDATE accounts SET debits_pending = ?, debits_posted = ?,"
            " credits_pending = ?, credits_posted = ? WHERE account_id = ?",
            np.column_stack((after[changed, :4], ids[changed])).tolist(),
        )

    def _write_link(self, number: int, last_hash: bytes, accepted: I64) -> None:
        first_seq = int(accepted[0, kernel.SEQ])
        digest = batch_hash(last_hash, number, self._recorded_us, accepted[:, JOURNAL_COLUMNS])
        written = self._connection.execute(
            "INSERT INTO journal_batches VALUES (?, ?, ?, ?, ?)",
            (number, first_seq, len(accepted), self._recorded_us, digest),
        )
        invariant(written.rowcount == 1, "a batch has its link in the chain")


def _look_up(
    connection: sqlite3.Connection, sql: str, values: Sequence[object]
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``sql`` whose last-named column is one of ``values``, in chunks."""
    for start in range(0, len(values), LOOKUP_CHUNK):
        chunk = list(values[start : start + LOOKUP_CHUNK])
        # A short last chunk is filled with NULLs, which match nothing.
        chunk += [None] * (LOOKUP_CHUNK - len(chunk))
        marks = ",".join("?" * LOOKUP_CHUNK)
        yield from connection.execute(f"{sql} IN ({marks})", chunk)


def _records(rows: list[tuple[Any, ...]]) -> I64:
    """Journal rows, as ``_RECORD_SQL`` selects them, as kernel records."""
    records = np.zeros((len(rows), kernel.RECORD_COLUMNS), dtype=np.int64)
    if not rows:
        return records
    columns = list(zip(*rows, strict=True))
    records[:, kernel.ID_HI], records[:, kernel.ID_LO] = id_halves(columns[0])
    whole = (
        kernel.DEBIT,
        kernel.CREDIT,
        kernel.AMOUNT,
        kernel.KIND,
        kernel.CODE,
        kernel.REFERENCE,
        kernel.EXPIRES,
        kernel.EFFECTIVE,
        kernel.SEQ,
        kernel.PENDING_SEQ,
    )
    for target, column in zip(whole, columns[1:11], strict=True):
        records[:, target] = column
    records[:, kernel.PENDING_HI], records[:, kernel.PENDING_LO] = id_halves(columns[11])
    records[:, kernel.HELD] = columns[12]
    records[:, kernel.STATE] = columns[13]
    return records
