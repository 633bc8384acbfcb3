"""Laws between the charges table and the journal, for ``economy ledger verify``."""

from __future__ import annotations

import hashlib
import sqlite3

import numpy as np

from economy.ledger import Code
from economy.ledger import accounts as chart


def charges_equal_revenue(connection: sqlite3.Connection) -> list[str]:
    """The Credits of all charges are what stands on the two revenue accounts."""
    charged, rounding = connection.execute(
        "SELECT coalesce(sum(charge_ucr), 0), coalesce(sum(rounding_ucr), 0) FROM charges"
    ).fetchone()
    faults = []
    for name, expected in (
        (chart.REVENUE_USAGE_CR, charged - rounding),
        (chart.REVENUE_ROUNDING_CR, rounding),
    ):
        got = _credit_balance(connection, name)
        if got != expected:
            faults.append(f"{name} holds {got} ucr, the charges say {expected}")
    return faults


def basis_equals_revenue(connection: sqlite3.Connection) -> list[str]:
    """The USD basis that charges released is what stands on the USD revenue accounts."""
    faults = []
    for name, column in (
        (chart.REVENUE_USAGE_USD, "basis_usage_nusd"),
        (chart.REVENUE_ROUNDING_USD, "basis_rounding_nusd"),
    ):
        (expected,) = connection.execute(
            f"SELECT coalesce(sum({column}), 0) FROM charges"
        ).fetchone()
        got = _credit_balance(connection, name)
        if got != expected:
            faults.append(f"{name} holds {got} nusd, the charges say {expected}")
    return faults


def charges_equal_legs(connection: sqlite3.Connection) -> list[str]:
    """Every charge is the sum of the transfers that took it from lots."""
    ways = (("charge_id", "c.hold_id = 0", Code.CHARGE), ("hold_id", "c.hold_id > 0", Code.SETTLE))
    rows = []
    for key, way, code in ways:
        rows += connection.execute(
            "WITH taken AS (SELECT reference, sum(amount) AS amount FROM journal WHERE code = ?"
            " GROUP BY reference)"
            " SELECT c.charge_id, c.charge_ucr, coalesce(t.amount, 0) FROM charges c"
            f" LEFT JOIN taken t ON t.reference = c.{key}"
            f" WHERE {way} AND c.charge_ucr <> coalesce(t.amount, 0) LIMIT 5",
            (int(code),),
        ).fetchall()
    return [f"charge {row[0]} is {row[1]} ucr, its transfers {row[2]}" for row in rows]


def open_holds_equal_pending(connection: sqlite3.Connection) -> list[str]:
    """What open holds reserve is what is pending on the clearing account; nothing rests there."""
    (held,) = connection.execute(
        "SELECT coalesce(sum(amount_ucr), 0) FROM holds WHERE state = 1"
    ).fetchone()
    row = connection.execute(
        "SELECT credits_pending, credits_posted - debits_posted FROM accounts WHERE name = ?",
        (chart.CLEARING_USAGE,),
    ).fetchone()
    pending, resting = row or (0, 0)
    faults = []
    if pending != held:
        faults.append(f"{chart.CLEARING_USAGE} has {pending} ucr pending, open holds say {held}")
    if resting != 0:
        faults.append(f"{chart.CLEARING_USAGE} keeps {resting} ucr between batches")
    return faults


def charge_batches_are_unchanged(connection: sqlite3.Connection) -> list[str]:
    """Each batch has the charges that were hashed when its legs were posted."""
    faults = []
    batches = connection.execute(
        "SELECT charge_batch, charges, charges_sha256 FROM charge_batches ORDER BY charge_batch"
    ).fetchall()
    rows = connection.execute(
        "SELECT charge_batch, event_key, charge_ucr FROM charges ORDER BY charge_id"
    )
    digests: dict[int, tuple[int, hashlib._Hash]] = {}
    for batch, key, charge_ucr in rows:
        count, digest = digests.get(batch, (0, hashlib.sha256()))
        digest.update(key + int(charge_ucr).to_bytes(8, "little"))
        digests[batch] = (count + 1, digest)
    for batch, count, sha256 in batches:
        got_count, digest = digests.pop(batch, (0, hashlib.sha256()))
        if got_count != count or digest.digest() != sha256:
            faults.append(f"charge batch {batch} is not what was booked")
    faults += [f"charge batch {batch} was never booked" for batch in digests]
    return faults


def charges_digest(event_keys: list[bytes], charge_ucr: list[int]) -> bytes:
    """SHA-256 over a batch's event keys and amounts, in order."""
    digest = hashlib.sha256()
    amounts = np.array(charge_ucr, dtype="<i8").tobytes()
    for i, key in enumerate(event_keys):
        digest.update(key + amounts[8 * i : 8 * i + 8])
    return digest.digest()


CHECKS = (
    ("charges and Credit revenue agree", charges_equal_revenue),
    ("charges and USD revenue agree", basis_equals_revenue),
    ("charges and their transfers agree", charges_equal_legs),
    ("open holds and pending Credits agree", open_holds_equal_pending),
    ("charge batches are unchanged", charge_batches_are_unchanged),
)


def _credit_balance(connection: sqlite3.Connection, account: str) -> int:
    row = connection.execute(
        "SELECT credits_posted - debits_posted FROM accounts WHERE name = ?", (account,)
    ).fetchone()
    return int(row[0]) if row else 0
