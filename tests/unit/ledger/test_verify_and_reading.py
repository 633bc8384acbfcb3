"""Verify finds what was changed behind the ledger's back; reading shows what was booked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from economy.errors import BadInput, NotFound
from economy.ledger import Code, SqliteLedger, TransferBuilder, TransferFlag, UnitCode
from economy.ledger.reading import history, history_of_reference, trial_balance
from economy.ledger.verify import MAX_FAULTS, VerifyReport, verify
from economy.state import Database, FixedClock

CR = 1_000_000
CASH, LOT, CLEARING, USD_CASH, DEFERRED = 1, 2, 3, 4, 5


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A top-up of 10, a request held at 9 and settled at 8, one still held; four batches.

    Transfers: 1 credits, 2 dollars | 3 hold | 4 post | 5 hold, 6 void, 7 open hold.
    """
    clock = FixedClock(1_000)
    database = Database.create(tmp_path / "economy.sqlite", clock)
    with database.unit() as unit:
        SqliteLedger(unit).open_accounts(
            [
                "issuance:sale.cr",
                "lot:1:purchased:10/1:never.cr",
                "clearing:usage.cr",
                "cash:clearing.usd",
                "deferred_revenue.usd",
            ]
        )
    top_up, hold, post, more = (TransferBuilder() for _ in range(4))
    top_up.add((1, 1), CASH, LOT, 10 * CR, code=Code.TOP_UP, effective_us=1, reference=1)
    top_up.add((1, 2), USD_CASH, DEFERRED, 10**8, code=Code.TOP_UP, effective_us=1, reference=1)
    pending, done, dropped = TransferFlag.PENDING, TransferFlag.POST, TransferFlag.VOID
    hold.add(
        (2, 1),
        LOT,
        CLEARING,
        9 * CR,
        code=Code.HOLD,
        effective_us=2,
        flags=pending,
        reference=7,
        expires_us=5_000,
    )
    post.add(
        (3, 1),
        0,
        0,
        8 * CR,
        code=Code.SETTLE,
        effective_us=3,
        flags=done,
        reference=7,
        pending_id=(2, 1),
    )
    more.add((4, 1), LOT, CLEARING, CR, code=Code.HOLD, effective_us=4, flags=pending)
    more.add((4, 2), 0, 0, 0, code=Code.RELEASE, effective_us=4, flags=dropped, pending_id=(4, 1))
    more.add((4, 3), LOT, CLEARING, 2 * CR, code=Code.HOLD, effective_us=4, flags=pending)
    for number, builder in enumerate((top_up, hold, post, more), start=1):
        clock.move_to(1_000 * number)
        with database.unit() as unit:
            assert SqliteLedger(unit).execute(builder.build()).all_ok
    return database


def checked(database: Database) -> VerifyReport:
    with database.reading() as connection:
        return verify(connection)


def tamper(database: Database, *statements: str) -> None:
    """Write as somebody would who has the file and takes the guards away first."""
    connection = sqlite3.connect(database.path)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()


def test_whole_books(database: Database) -> None:
    report = checked(database)
    assert report.ok
    assert (report.batches, report.transfers, report.faults) == (4, 7, [])
    assert report.first_broken_seq is None
    credits, dollars = report.totals
    assert (credits.unit, credits.accounts) == (UnitCode.CR, 3)
    assert credits.debits_posted == credits.credits_posted == 18 * CR
    assert credits.debits_pending == credits.credits_pending == 2 * CR
    assert (dollars.unit, dollars.debits_posted) == (UnitCode.USD, 10**8)


@pytest.mark.parametrize(
    ("statement", "laws", "seq"),
    [
        # A changed byte that leaves all sums right is still seen, at its batch.
        ("UPDATE journal SET reference = 8 WHERE seq = 4", {"chain"}, 4),
        ("UPDATE journal SET effective_us = 0 WHERE seq = 6", {"chain"}, 5),
        (
            "UPDATE journal SET id = x'00000000000000010000000000000009' WHERE seq = 1",
            {"chain"},
            1,
        ),
        ("UPDATE journal_batches SET recorded_us = 1500 WHERE batch = 2", {"chain"}, 3),
        (
            "UPDATE journal_batches SET hash = zeroblob(32) WHERE batch = 2",
            {"chain"},
            3,
        ),
        ("UPDATE journal_batches SET recorded_us = 9000 WHERE batch = 1", {"chain", "gapless"}, 1),
        ("UPDATE journal SET amount = amount + 1 WHERE seq = 1", {"chain", "balance"}, 1),
        (
            "UPDATE journal SET amount = 9000001 WHERE seq = 4",
            {"chain", "hold", "limit", "balance", "pending"},
            4,
        ),
        (
            "UPDATE journal SET debit_account = 4 WHERE seq = 1",
            {"chain", "accounts", "limit", "balance"},
            1,
        ),
        (
            "UPDATE journal SET pending_seq = 1 WHERE seq = 6",
            {"chain", "hold", "limit", "balance", "pending"},
            5,
        ),
        ("UPDATE journal SET expires_us = 2500 WHERE seq = 3", {"chain", "hold"}, 3),
        ("DELETE FROM journal WHERE seq = 7", {"chain", "gapless", "balance", "pending"}, 7),
        ("UPDATE journal SET seq = 8 WHERE seq = 7", {"chain", "gapless", "balance", "pending"}, 7),
        ("UPDATE journal SET batch = 3 WHERE seq = 7", {"gapless"}, 7),
        ("DELETE FROM journal_batches WHERE batch = 4", {"gapless", "balance", "pending"}, 5),
        (
            "UPDATE accounts SET credits_posted = 1 WHERE account_id = 2",
            {"balance", "conservation"},
            None,
        ),
        ("UPDATE pending_transfers SET state = 1 WHERE seq = 5", {"pending"}, 5),
        ("UPDATE pending_transfers SET posted_amount = 7 WHERE seq = 3", {"pending"}, 3),
        ("DELETE FROM pending_transfers WHERE seq = 7", {"pending"}, 7),
    ],
)
def test_a_change_is_found_and_named(
    database: Database, statement: str, laws: set[str], seq: int | None
) -> None:
    tamper(database, statement)
    report = checked(database)
    assert not report.ok
    assert {fault.law for fault in report.faults} == laws
    assert report.first_broken_seq == seq


def test_one_changed_batch_does_not_accuse_those_after_it(database: Database) -> None:
    tamper(database, "UPDATE journal SET reference = 8 WHERE seq = 3")
    assert [(f.seq, f.law) for f in checked(database).faults] == [(3, "chain")]


def test_a_forged_pair_of_journal_and_balances_breaks_the_chain(database: Database) -> None:
    tamper(
        database,
        "UPDATE journal SET amount = 20000000 WHERE seq = 1",
        "UPDATE accounts SET debits_posted = 20000000 WHERE account_id = 1",
        "UPDATE accounts SET credits_posted = 20000000 WHERE account_id = 2",
    )
    assert [(f.seq, f.law) for f in checked(database).faults] == [(1, "chain")]


def test_rooms_above_add_their_checks(database: Database) -> None:
    def lots(_: sqlite3.Connection) -> list[str]:
        return ["lot 7 has spent too much"]

    with database.reading() as connection:
        report = verify(connection, [("lots", lots), ("charges", lambda _: [])])
    assert [(f.seq, f.law, f.detail) for f in report.faults] == [
        (None, "lots", "lot 7 has spent too much")
    ]


def test_hopeless_books_are_not_read_to_the_end(database: Database) -> None:
    with database.unit() as unit:
        builder = TransferBuilder()
        for number in range(2 * MAX_FAULTS):
            builder.add((5, number), CASH, LOT, 1, code=Code.TOP_UP, effective_us=5)
        ledger = SqliteLedger(unit)
        assert ledger.execute(builder.build()).all_ok
        late = TransferBuilder()
        late.add((6, 1), CASH, LOT, 1, code=Code.TOP_UP, effective_us=6)
        assert ledger.execute(late.build()).all_ok
    tamper(database, "UPDATE journal SET debit_account = 99 WHERE seq > 7")
    report = checked(database)
    assert not report.ok
    assert len(report.faults) > MAX_FAULTS
    assert report.transfers == 7 + 2 * MAX_FAULTS


def test_history_of_an_account(database: Database) -> None:
    with database.reading() as connection:
        rows = history(connection, LOT)
        assert [row.seq for row in rows] == [1, 3, 4, 5, 6, 7]
        page = history(connection, LOT, limit=2, after_seq=3)
        assert [row.seq for row in page] == [4, 5]
        assert history(connection, USD_CASH)[0].unit == UnitCode.USD
    settled = rows[2]
    assert (settled.debit, settled.credit) == (
        "lot:1:purchased:10/1:never.cr",
        "clearing:usage.cr",
    )
    assert (settled.amount, settled.pending_seq, settled.batch) == (8 * CR, 3, 3)
    assert settled.flags == TransferFlag.POST
    assert (settled.code, settled.reference) == (Code.SETTLE, 7)
    assert (settled.effective_us, settled.recorded_us) == (3, 3_000)


def test_history_of_a_reference(database: Database) -> None:
    """Hold to settlement: a reference is read together with the codes that give it meaning."""
    with database.reading() as connection:
        rows = history_of_reference(connection, [Code.HOLD, Code.SETTLE, Code.RELEASE], 7)
        assert [(row.seq, row.code) for row in rows] == [(3, Code.HOLD), (4, Code.SETTLE)]
        assert history_of_reference(connection, [Code.CHARGE], 7) == []


def test_history_of_nobody_and_of_too_much(database: Database) -> None:
    with database.reading() as connection:
        with pytest.raises(NotFound):
            history(connection, 99)
        for limit in (0, 10_001):
            with pytest.raises(BadInput, match="limit"):
                history(connection, LOT, limit=limit)


def test_trial_balance(database: Database) -> None:
    with database.reading() as connection:
        rows = {row.name: row.balance for row in trial_balance(connection)}
    lot = rows["lot:1:purchased:10/1:never.cr"]
    assert (lot.debits_pending, lot.debits_posted, lot.credits_posted) == (2 * CR, 8 * CR, 10 * CR)
    assert lot.available == 0
    assert rows["clearing:usage.cr"].credits_posted == 8 * CR
    assert list(rows)[-1] == "deferred_revenue.usd"
