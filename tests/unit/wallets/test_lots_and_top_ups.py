"""Lots in the database: merging, spend order, expiry; top-ups once per request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from economy.errors import BadInput, Conflict, NotFound
from economy.identity import add_customer
from economy.ledger import Code, SqliteLedger, TransferBuilder, TransferFlag, transfer_id
from economy.policy import Origin, Policy, Spending, load_policy
from economy.state import Database, FixedClock, Unit
from economy.units import END_OF_TIME_US, INT64_MAX
from economy.wallets import checks
from economy.wallets.lots import (
    EARNED,
    PROMOTION,
    PURCHASED,
    REFERRAL,
    lots_in_spend_order,
    lots_of,
    lots_of_accounts,
    open_lot,
    save_spent,
)
from economy.wallets.top_ups import TopUp, top_up

NOW_US = 1_700_000_000_000_000
CR = 1_000_000


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    database = Database.create(tmp_path / "economy.sqlite", FixedClock(NOW_US))
    with database.unit() as open_unit:
        yield open_unit


@pytest.fixture
def policy() -> Policy:
    return load_policy("founding")


@pytest.fixture
def acme(unit: Unit) -> int:
    return add_customer(unit, "Acme").customer_id


def buy(unit: Unit, customer_id: int, pack: str, request_key: str, at_us: int = NOW_US) -> TopUp:
    return top_up(
        unit,
        SqliteLedger(unit),
        load_policy("founding"),
        customer_id=customer_id,
        pack_name=pack,
        request_key=request_key,
        effective_us=at_us,
    )


def give(
    unit: Unit, customer_id: int, origin: Origin, basis: int, expires_us: int = END_OF_TIME_US
) -> int:
    """A lot of 10 Cr of any origin, straight from the ledger."""
    ledger = SqliteLedger(unit)
    lot = open_lot(unit, ledger, customer_id, origin, Fraction(basis), expires_us=expires_us)
    move(unit, "issuance:promotion.cr", lot.account_id, 10 * CR)
    return lot.account_id


def move(
    unit: Unit,
    debit: str | int,
    credit: str | int,
    amount: int,
    flags: TransferFlag = TransferFlag.NONE,
) -> None:
    ledger = SqliteLedger(unit)
    pair = [
        ledger.open_account(side) if isinstance(side, str) else side for side in (debit, credit)
    ]
    (rows,) = unit.connection.execute("SELECT count(*) FROM journal").fetchone()
    builder = TransferBuilder()
    builder.add(
        transfer_id(NOW_US, "test", rows),
        *pair,
        amount,
        code=Code.OTHER,
        effective_us=NOW_US,
        flags=flags,
    )
    assert ledger.execute(builder.build()).all_ok


def untouched(unit: Unit) -> tuple[int, ...]:
    """How much stands in each table that a top-up writes to."""
    tables = ("journal", "lots", "top_ups")
    return tuple(
        unit.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    )


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_equal_packs_join_one_lot(unit: Unit, acme: int) -> None:
    first = buy(unit, acme, "pro", "a")
    second = buy(unit, acme, "pro", "b")
    other = buy(unit, acme, "starter", "c")
    assert first.lot_account == second.lot_account != other.lot_account
    assert [lot.basis for lot in lots_of(unit.connection, acme)] == [9, 10]
    assert SqliteLedger(unit).balance(first.lot_account).available == 20_000 * CR


def test_the_same_request_buys_once(unit: Unit, acme: int) -> None:
    first = buy(unit, acme, "pro", "a")
    before = untouched(unit)
    again = buy(unit, acme, "pro", "a", at_us=NOW_US + 1)
    assert again == replace(first, repeated=True)
    assert untouched(unit) == before


def test_the_same_request_for_something_else_is_a_conflict(unit: Unit, acme: int) -> None:
    buy(unit, acme, "pro", "a")
    other = add_customer(unit, "Other").customer_id
    before = untouched(unit)
    with pytest.raises(Conflict, match="already"):
        buy(unit, acme, "starter", "a")
    with pytest.raises(Conflict, match="already"):
        buy(unit, other, "pro", "a")
    assert untouched(unit) == before


@pytest.mark.parametrize(
    ("pack", "request_key", "field"),
    [("gold", "a", "pack"), ("pro", "", "request_key"), ("pro", "x" * 201, "request_key")],
)
def test_bad_purchases_move_nothing(
    unit: Unit, acme: int, pack: str, request_key: str, field: str
) -> None:
    before = untouched(unit)
    with pytest.raises(BadInput) as caught:
        buy(unit, acme, pack, request_key)
    assert caught.value.field == field
    assert caught.value.way_out
    assert untouched(unit) == before


def test_an_unknown_customer_buys_nothing(unit: Unit) -> None:
    before = untouched(unit)
    with pytest.raises(NotFound):
        buy(unit, 99, "pro", "a")
    assert untouched(unit) == before


def test_a_pack_beyond_int64_is_refused_and_rolls_back(unit: Unit, acme: int) -> None:
    move(unit, "other:a.usd", "deferred_revenue.usd", INT64_MAX)
    with pytest.raises(BadInput, match="64-bit"):
        buy(unit, acme, "pro", "a")
    assert unit.connection.execute("SELECT count(*) FROM top_ups").fetchone()[0] == 0


def test_spend_order(unit: Unit, acme: int, policy: Policy) -> None:
    """Soonest expiry, then promotion, referral, purchased, earned, then the oldest lot."""
    earned = give(unit, acme, "earned", 9)
    older = give(unit, acme, "purchased", 10)
    newer = give(unit, acme, "purchased", 8)
    referral = give(unit, acme, "referral", 0)
    promotion = give(unit, acme, "promotion", 0)
    late = give(unit, acme, "purchased", 10, NOW_US + 9)
    soon = give(unit, acme, "earned", 9, NOW_US + 5)
    give(unit, acme, "promotion", 0, NOW_US)  # Has just expired.
    empty = open_lot(
        unit, SqliteLedger(unit), acme, "promotion", Fraction(0), expires_us=NOW_US + 1
    )

    lots = lots_in_spend_order(unit.connection, ids(acme), policy, NOW_US)
    assert lots.account.tolist() == [soon, late, promotion, referral, older, newer, earned]
    assert lots.origin.tolist() == [
        EARNED,
        PURCHASED,
        PROMOTION,
        REFERRAL,
        PURCHASED,
        PURCHASED,
        EARNED,
    ]
    assert empty.account_id not in lots.account

    earned_first = policy.model_copy(
        update={"spending": Spending(order=("earned", "purchased", "referral", "promotion"))}
    )
    lots = lots_in_spend_order(unit.connection, ids(acme), earned_first, NOW_US)
    assert lots.account.tolist() == [soon, late, earned, older, newer, referral, promotion]


def test_columns_keep_the_order_of_customers(unit: Unit, acme: int, policy: Policy) -> None:
    broke = add_customer(unit, "Broke").customer_id
    zoo = add_customer(unit, "Zoo").customer_id
    acme_lot = buy(unit, acme, "volume", "a").lot_account
    zoo_lot = buy(unit, zoo, "pro", "z").lot_account
    lots = lots_in_spend_order(unit.connection, ids(zoo, broke, 99, acme), policy, NOW_US)
    assert lots.customer_ids.tolist() == [zoo, broke, 99, acme]
    assert lots.offset.tolist() == [0, 1, 1, 1, 2]
    assert lots.account.tolist() == [zoo_lot, acme_lot]
    assert lots.basis_num.tolist() == [9, 100]
    assert lots.basis_den.tolist() == [1, 11]
    none = lots_in_spend_order(unit.connection, ids(), policy, NOW_US)
    assert (len(none), none.offset.tolist()) == (0, [0])


def test_what_is_held_is_not_available_but_still_a_lot_of_the_hold(
    unit: Unit, acme: int, policy: Policy
) -> None:
    lot = give(unit, acme, "purchased", 10)
    move(unit, lot, "clearing:usage.cr", 4 * CR, TransferFlag.PENDING)
    assert lots_in_spend_order(unit.connection, ids(acme), policy, NOW_US).available.tolist() == [
        6 * CR
    ]
    move(unit, lot, "clearing:usage.cr", 6 * CR, TransferFlag.PENDING)
    assert len(lots_in_spend_order(unit.connection, ids(acme), policy, NOW_US)) == 0
    held = lots_of_accounts(unit.connection, [lot])
    assert held.account.tolist() == [lot]
    assert held.customer_ids.tolist() == [acme]
    assert held.offset.tolist() == [0, 1]
    assert len(lots_of_accounts(unit.connection, [])) == 0


def test_spent_columns_are_saved(unit: Unit, acme: int, policy: Policy) -> None:
    buy(unit, acme, "pro", "a")
    lots = lots_in_spend_order(unit.connection, ids(acme), policy, NOW_US)
    lots.spent[0] = 8 * CR
    lots.spent_rounding[0] = CR // 2
    save_spent(unit, lots)
    (lot,) = lots_of(unit.connection, acme)
    assert (lot.spent_ucr, lot.spent_rounding_ucr) == (8 * CR, CR // 2)


def test_lots_that_have_money_behind_them_have_a_basis(unit: Unit, acme: int) -> None:
    for origin, basis in (("purchased", 0), ("earned", 0), ("promotion", -1)):
        with pytest.raises(BadInput) as caught:
            open_lot(unit, SqliteLedger(unit), acme, origin, Fraction(basis))
        assert caught.value.field == "basis"


@pytest.mark.parametrize(
    ("damage", "law"),
    [
        ("UPDATE lots SET spent_ucr = 1", "lots have spent what left them"),
        ("UPDATE lots SET basis_num = 8", "lots and their accounts agree"),
        ("UPDATE top_ups SET credits_ucr = credits_ucr + 1", "purchased lots and top-ups agree"),
        ("UPDATE top_ups SET paid_nusd = paid_nusd - 1", "deferred revenue is the unspent basis"),
        (
            "UPDATE accounts SET credits_posted = credits_posted + 1 "
            "WHERE name = 'deferred_revenue.usd'",
            "deferred revenue is the unspent basis",
        ),
    ],
)
def test_checks_name_the_law_that_is_broken(unit: Unit, acme: int, damage: str, law: str) -> None:
    buy(unit, acme, "pro", "a")
    assert [name for name, check in checks.CHECKS if check(unit.connection)] == []
    unit.connection.execute(damage)
    assert law in [name for name, check in checks.CHECKS if check(unit.connection)]
