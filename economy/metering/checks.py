"""Laws between the charges table and the journal, for ``economy ledger verify``."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from economy.ledger import Code, id_bytes
from economy.ledger import accounts as chart
from economy.ledger.reading import credit_balance
from economy.metering.charge_rows import platform_leg_id, stored_batches


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
        got = credit_balance(connection, name)
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
        got = credit_balance(connection, name)
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
    """Each batch has the rows that were hashed when its legs were posted.

    The ids of the legs are made of that hash, and the journal's chain holds the ids.
    """
    faults = []
    booked = {
        batch: (count, sha256)
        for batch, count, sha256 in connection.execute(
            "SELECT charge_batch, charges, charges_sha256 FROM charge_batches"
        )
    }
    legs: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    for batch, leg_id, effective_us in connection.execute(
        "SELECT reference, id, effective_us FROM journal WHERE code = ? ORDER BY seq",
        (int(Code.PLATFORM_LEGS),),
    ):
        legs[batch].append((leg_id, effective_us))
    for batch, rows in stored_batches(connection):
        digest = rows.sha256()
        if booked.pop(batch, None) != (len(rows.event_id), digest):
            faults.append(f"charge batch {batch} is not what was booked")
        expected = [
            id_bytes(*platform_leg_id(effective_us, batch, digest, number))
            for number, (_, effective_us) in enumerate(legs[batch])
        ]
        if [leg_id for leg_id, _ in legs[batch]] != expected:
            faults.append(f"the journal's legs of charge batch {batch} are of other charges")
    return faults + [f"charge batch {batch} has lost its charges" for batch in booked]


def costs_equal_expenses(connection: sqlite3.Connection) -> list[str]:
    """What charges cost is what stands on the expense accounts."""
    (paid,) = connection.execute("SELECT coalesce(sum(paid_cost_nusd), 0) FROM charges").fetchone()
    (booked,) = connection.execute(
        "SELECT coalesce(sum(debits_posted - credits_posted), 0) FROM accounts"
        " WHERE name LIKE 'expense:provider:%' OR name = ?",
        (chart.EXPENSE_CAPACITY,),
    ).fetchone()
    return [] if paid == booked else [f"the expenses are {booked} nusd, the charges say {paid}"]


def customers_pay_their_own(connection: sqlite3.Connection) -> list[str]:
    """Every charge was taken from lots of the customer that it names."""
    rows = connection.execute(
        "SELECT c.charge_id, j.seq FROM journal j JOIN charges c ON c.charge_id = j.reference"
        " JOIN lots l ON l.account_id = j.debit_account"
        " WHERE j.code = ? AND l.customer_id <> c.customer_id"
        " UNION ALL SELECT c.charge_id, j.seq FROM journal j"
        " JOIN charges c ON c.hold_id = j.reference AND c.hold_id > 0"
        " JOIN lots l ON l.account_id = j.debit_account"
        " WHERE j.code = ? AND l.customer_id <> c.customer_id LIMIT 5",
        (int(Code.CHARGE), int(Code.SETTLE)),
    )
    return [f"charge {charge} took from another customer's lot at {seq}" for charge, seq in rows]


def events_are_remembered(connection: sqlite3.Connection) -> list[str]:
    """Every charge has the event key that keeps it from being charged again, and only it."""
    rows = connection.execute(
        "SELECT coalesce(c.charge_id, k.charge_id) FROM charges c"
        " FULL JOIN event_keys k ON k.charge_id = c.charge_id AND k.event_key = c.event_key"
        " WHERE c.charge_id IS NULL OR k.charge_id IS NULL LIMIT 5"
    )
    return [f"charge {charge} and its event key do not belong together" for (charge,) in rows]


CHECKS = (
    ("charges and Credit revenue agree", charges_equal_revenue),
    ("charges and USD revenue agree", basis_equals_revenue),
    ("charges and their transfers agree", charges_equal_legs),
    ("open holds and pending Credits agree", open_holds_equal_pending),
    ("charge batches are unchanged", charge_batches_are_unchanged),
    ("charges and expenses agree", costs_equal_expenses),
    ("customers pay from their own lots", customers_pay_their_own),
    ("every charge is remembered", events_are_remembered),
)
