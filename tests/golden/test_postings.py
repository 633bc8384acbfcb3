"""Rules, section 9: accounts and amounts of a top-up, a contribution and a key's service."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from economy.catalog.costs import CostEntry
from economy.identity import add_customer
from economy.ledger import Code, SqliteLedger, TransferBuilder, transfer_id
from economy.ledger.legs import flowing
from economy.policy import load_policy
from economy.pool import checks as pool_checks
from economy.pool.contribution import PoolKey, contribute
from economy.pool.relief import load_key_columns, relief_postings, relieve, save_key_columns
from economy.pricing.sheet import PriceLine
from economy.state import Database, FixedClock, Unit
from economy.units import parse_credits, parse_usd
from economy.wallets import checks as wallet_checks
from economy.wallets.booking import book_linked
from economy.wallets.lots import lots_in_spend_order, save_spent
from economy.wallets.spending import plan_spend, release_basis
from economy.wallets.top_ups import top_up

NOW_US = 1_700_000_000_000_000
Posting = tuple[str, str, int]


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    database = Database.create(tmp_path / "economy.sqlite", FixedClock(NOW_US))
    with database.unit() as open_unit:
        yield open_unit


def postings(connection: sqlite3.Connection, code: Code) -> list[Posting]:
    rows = connection.execute(
        "SELECT d.name, c.name, j.amount FROM journal j "
        "JOIN accounts d ON d.account_id = j.debit_account "
        "JOIN accounts c ON c.account_id = j.credit_account WHERE j.code = ? ORDER BY j.seq",
        (int(code),),
    )
    return list(rows)


def faults(connection: sqlite3.Connection) -> list[str]:
    return [
        fault
        for _, check in (*wallet_checks.CHECKS, *pool_checks.CHECKS)
        for fault in check(connection)
    ]


def contributed(unit: Unit, policy_name: str) -> PoolKey:
    return contribute(
        unit,
        SqliteLedger(unit),
        load_policy(policy_name),
        owner_id=add_customer(unit, "owner").customer_id,
        provider="openai",
        valued_on="gpt-4",
        quota_nusd=parse_usd(500),
        line=PriceLine("gpt-4", {"blended": 5_000_000_000}, 1_000_000, "up", stored=True),
        cost=CostEntry("gpt-4", "openai", 0, {"blended": 30_000_000_000}),
        request_key="lend-1",
        effective_us=NOW_US,
    )


def served(unit: Unit, cost_usd: str) -> list[Posting]:
    """One request served by the first key, its legs posted as the metering room does."""
    ledger = SqliteLedger(unit)
    columns = load_key_columns(unit.connection)
    cost = np.array([parse_usd(cost_usd)], dtype=np.int64)
    legs = list(flowing(relief_postings(columns, relieve(np.zeros(1, np.int64), cost, columns))))
    book_linked(
        ledger,
        legs,
        ids=lambda leg: transfer_id(NOW_US, "served", cost_usd, leg=leg),
        code=Code.PLATFORM_LEGS,
        reference=1,
        effective_us=NOW_US,
    )
    save_key_columns(unit, columns)
    return [tuple(leg) for leg in legs]


def test_top_up(unit: Unit) -> None:
    """Rule: "top-up: USD Dr cash:clearing Cr deferred_revenue D; CR Dr issuance:sale Cr lot C"."""
    customer_id = add_customer(unit, "Acme").customer_id
    top_up(
        unit,
        SqliteLedger(unit),
        load_policy("founding"),
        customer_id=customer_id,
        pack_name="pro",
        request_key="buy-1",
        effective_us=NOW_US,
    )
    assert postings(unit.connection, Code.TOP_UP) == [
        ("cash:clearing.usd", "deferred_revenue.usd", parse_usd(90)),
        ("issuance:sale.cr", f"lot:{customer_id}:purchased:9/1:never.cr", parse_credits(10_000)),
    ]
    assert faults(unit.connection) == []


def test_contribute_upfront(unit: Unit) -> None:
    """Rule: "QUOTA Dr pool:key Cr escrow:owner 500; CR Dr pool:key Cr lot(earned) 74,997; Dr
    pool:key Cr fee:contribution 8,333; upfront USD Dr capacity:key Cr payable:contributors
    674.973".
    """
    key = contributed(unit, "founding")
    owner = key.owner_id
    assert postings(unit.connection, Code.CONTRIBUTION) == [
        ("pool:key1.quota", f"escrow:{owner}.quota", parse_usd(500)),
        ("pool:key1.cr", f"lot:{owner}:earned:9/1:never.cr", parse_credits(74_997)),
        ("pool:key1.cr", "fee:contribution.cr", parse_credits(8_333)),
        ("capacity:key1.usd", "payable:contributors.usd", parse_usd("674.973")),
    ]
    assert faults(unit.connection) == []


def test_contribute_on_use(unit: Unit) -> None:
    """Rule: "on_use: QUOTA only"."""
    key = contributed(unit, "sound")
    assert postings(unit.connection, Code.CONTRIBUTION) == [
        ("pool:key1.quota", f"escrow:{key.owner_id}.quota", parse_usd(500)),
    ]
    assert faults(unit.connection) == []


def test_service_of_an_upfront_key(unit: Unit) -> None:
    """Rule: "upfront key: QUOTA Dr escrow:owner Cr pool:key 0.045; CR Dr capacity_used Cr pool:key
    7.5; USD Dr expense:capacity Cr capacity:key 0.06075".
    """
    key = contributed(unit, "founding")
    assert served(unit, "0.045") == [
        (f"escrow:{key.owner_id}.quota", "pool:key1.quota", parse_usd("0.045")),
        ("capacity_used.cr", "pool:key1.cr", parse_credits("7.5")),
        ("expense:capacity.usd", "capacity:key1.usd", parse_usd("0.06075")),
    ]
    assert faults(unit.connection) == []


def test_service_of_an_on_use_key(unit: Unit) -> None:
    """Rule: "QUOTA Dr escrow:owner Cr pool:key 0.045; CR Dr capacity_used Cr lot(earned) 6.75,
    fee:contribution 0.75; USD Dr expense:capacity Cr payable:contributors 0.06075 (... under
    sound's cap: earned 4.5, fee 3.0, $0.0405)".
    """
    key = contributed(unit, "sound")
    assert served(unit, "0.045") == [
        (f"escrow:{key.owner_id}.quota", "pool:key1.quota", parse_usd("0.045")),
        ("capacity_used.cr", f"lot:{key.owner_id}:earned:9/1:never.cr", parse_credits("4.5")),
        ("capacity_used.cr", "fee:contribution.cr", parse_credits("3.0")),
        ("expense:capacity.usd", "payable:contributors.usd", parse_usd("0.0405")),
    ]
    assert faults(unit.connection) == []


@pytest.mark.parametrize("policy_name", ["founding", "sound"])
def test_an_exhausted_key_leaves_nothing_behind(unit: Unit, policy_name: str) -> None:
    key = contributed(unit, policy_name)
    for cost_usd in ("123.456789012", "376.543210987", "0.000000001"):
        served(unit, cost_usd)
    ledger = SqliteLedger(unit)
    left = {"pool:key1.quota": 0, f"escrow:{key.owner_id}.quota": 0}
    if policy_name == "founding":
        left |= {"pool:key1.cr": 0, "capacity:key1.usd": 0}
    for name in left:
        balance = ledger.balance(ledger.account_id(name))
        assert balance.debits_posted == balance.credits_posted > 0, name
    assert faults(unit.connection) == []


def test_a_charge_of_eight_releases_both_kinds_of_basis(unit: Unit) -> None:
    """Rule: "charge 8: ... USD Dr deferred_revenue (earned lot: payable:contributors ...)": the
    spent columns are what verify holds deferred revenue and the payable against.
    """
    key = contributed(unit, "founding")
    ledger = SqliteLedger(unit)
    policy = load_policy("founding")
    owner = np.array([key.owner_id], dtype=np.int64)
    lots = lots_in_spend_order(unit.connection, owner, policy, NOW_US)
    charge = np.array([parse_credits(8)], dtype=np.int64)
    plan = plan_spend(
        np.zeros(1, np.int64),
        charge,
        np.array([parse_credits("7.5")], dtype=np.int64),
        lots.offset,
        lots.available,
    )
    release = release_basis(plan, lots.basis_num, lots.basis_den, lots.spent, lots.spent_rounding)
    assert release.leg_usage_nusd.tolist() == [parse_usd("0.0675")]
    assert release.leg_rounding_nusd.tolist() == [parse_usd("0.0045")]
    builder = TransferBuilder()
    for i, (debit, credit, amount) in enumerate(
        [
            (f"lot:{key.owner_id}:earned:9/1:never.cr", "clearing:usage.cr", parse_credits(8)),
            ("payable:contributors.usd", "revenue:usage.usd", parse_usd("0.0675")),
            ("payable:contributors.usd", "revenue:rounding.usd", parse_usd("0.0045")),
        ]
    ):
        builder.add(
            transfer_id(NOW_US, "charge", leg=i),
            *ledger.open_accounts([debit, credit]).tolist(),
            amount,
            code=Code.CHARGE,
            effective_us=NOW_US,
        )
    assert ledger.execute(builder.build()).all_ok
    assert len(faults(unit.connection)) == 2, "the lot's spent columns are still behind"
    save_spent(unit, lots)
    assert faults(unit.connection) == []
