"""Contributions: once per request, on a model that can be valued, and checked."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from economy.catalog.costs import CostEntry
from economy.errors import BadInput, Conflict, EconomyError, NotFound
from economy.identity import add_customer
from economy.ledger import SqliteLedger
from economy.policy import Policy, load_policy
from economy.pool import checks
from economy.pool.contribution import PoolKey, contribute, key, keys
from economy.pool.valuation import MAX_QUOTA_NUSD, unit_price, value_quota
from economy.pricing.sheet import PriceLine
from economy.state import Database, FixedClock, Unit
from economy.units import NUSD_PER_USD
from economy.wallets.lots import lots_of

NOW_US = 1_700_000_000_000_000
LINE = PriceLine("gpt-4", {"blended": 5_000_000_000}, 1_000_000, "up", stored=True)
COST = CostEntry("gpt-4", "openai", 0, {"blended": 30_000_000_000})


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    database = Database.create(tmp_path / "economy.sqlite", FixedClock(NOW_US))
    with database.unit() as open_unit:
        yield open_unit


@pytest.fixture
def owner(unit: Unit) -> int:
    return add_customer(unit, "owner").customer_id


def lend(unit: Unit, owner: int, policy: Policy | None = None, **changes: Any) -> PoolKey:
    request: dict[str, Any] = {
        "owner_id": owner,
        "provider": "openai",
        "valued_on": "gpt-4",
        "quota_nusd": 500 * NUSD_PER_USD,
        "line": LINE,
        "cost": COST,
        "request_key": "lend-1",
        "effective_us": NOW_US,
    }
    return contribute(
        unit, SqliteLedger(unit), policy or load_policy("founding"), **(request | changes)
    )


def rows(unit: Unit) -> tuple[int, ...]:
    tables = ("journal", "lots", "pool_keys")
    return tuple(
        unit.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    )


def test_keys_are_kept_as_they_were_contributed(unit: Unit, owner: int) -> None:
    first = lend(unit, owner)
    second = lend(unit, owner, request_key="lend-2")
    assert keys(unit.connection) == [first, second]
    assert key(unit.connection, second.key_id) == second
    assert (first.name, second.name) == ("key1", "key2")
    assert len(lots_of(unit.connection, owner)) == 1, "both shares have one basis: one lot"
    with pytest.raises(NotFound):
        key(unit.connection, 3)


def test_the_same_request_contributes_once(unit: Unit, owner: int) -> None:
    first = lend(unit, owner)
    before = rows(unit)
    dearer = PriceLine("gpt-4", {"blended": 8_000_000_000}, 1_000_000, "up")
    assert lend(unit, owner, effective_us=NOW_US + 1, line=dearer) == first
    assert rows(unit) == before


@pytest.mark.parametrize("change", [{"quota_nusd": 1}, {"provider": "x"}, {"valued_on": "y"}])
def test_the_same_request_with_other_content_is_a_conflict(
    unit: Unit, owner: int, change: dict[str, Any]
) -> None:
    lend(unit, owner)
    with pytest.raises(Conflict, match="key1"):
        lend(unit, owner, **change)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"quota_nusd": 0}, BadInput, "quota_nusd"),
        ({"quota_nusd": -1}, BadInput, "quota_nusd"),
        ({"quota_nusd": 29_999_999}, BadInput, "quota_nusd"),
        ({"quota_nusd": MAX_QUOTA_NUSD + 1}, BadInput, "quota_nusd"),
        ({"owner_id": 99}, NotFound, "customer_id"),
        ({"provider": "anthropic"}, BadInput, "model"),
        ({"valued_on": "claude-3"}, BadInput, "model"),
        ({"cost": CostEntry("gpt-4", "openai", 0, {"audio": 1})}, BadInput, "model"),
        ({"cost": CostEntry("gpt-4", "openai", 0, {"blended": 0})}, BadInput, "model"),
        ({"request_key": ""}, BadInput, "request_key"),
    ],
)
def test_bad_contributions_move_nothing(
    unit: Unit, owner: int, change: dict[str, Any], error: type[EconomyError], field: str
) -> None:
    before = rows(unit)
    with pytest.raises(error) as caught:
        lend(unit, owner, **change)
    assert caught.value.field == field
    assert caught.value.way_out
    assert rows(unit) == before


def test_a_share_of_nothing_needs_no_lot(unit: Unit, owner: int) -> None:
    founding = load_policy("founding")
    contribution = founding.contribution.model_copy(update={"fee": Fraction(1)})
    policy = founding.model_copy(update={"contribution": contribution})
    lent = lend(unit, owner, policy)
    assert lent.share_ucr == lent.capacity_nusd == 0
    assert lent.fee_ucr == lent.capacity_ucr
    assert lots_of(unit.connection, owner) == []
    assert [name for name, check in checks.CHECKS if check(unit.connection)] == []


@pytest.mark.parametrize("fee", [Fraction(-1, 10), Fraction(11, 10)])
def test_a_fee_is_a_part_of_the_whole(fee: Fraction) -> None:
    with pytest.raises(BadInput, match="part of the whole"):
        value_quota(500 * NUSD_PER_USD, 30_000_000, 5_000_000, fee)


@pytest.mark.parametrize(
    ("prices_ucr", "prices_nusd", "expected"),
    [
        ({"blended": 5_000_000_000}, {"blended": 30_000_000_000}, ("input", 30_000_000, 5_000_000)),
        (
            {"input": 400_000_000, "output": 1_600_000_000},
            {"input": 2_500_000_001, "output": 10_000_000_000},
            ("input", Fraction(2_500_000_001, 1_000), 400_000),
        ),
        ({"blended": 5_000_000_000}, {"input": 30_000_000_000}, ("input", 30_000_000, 5_000_000)),
        ({"audio": 2_000_000}, {"audio": 6_000_000}, ("audio", 6_000_000, 2_000_000)),
        ({"image": 8_000_000}, {"image": 40_000_000}, ("image", 40_000_000, 8_000_000)),
    ],
)
def test_the_unit_that_a_model_is_valued_by(
    prices_ucr: dict[str, int], prices_nusd: dict[str, int], expected: tuple[str, Any, Any]
) -> None:
    unit = unit_price(PriceLine("m", prices_ucr, 1, "up"), CostEntry("m", "p", 0, prices_nusd))
    assert (unit.key, unit.cost_nusd, unit.price_ucr) == expected


@pytest.mark.parametrize(
    ("damage", "law"),
    [
        ("UPDATE pool_keys SET relieved_ucr = 1", "keys are relieved by what they served"),
        ("UPDATE pool_keys SET served_quota_nusd = 6", "keys and their accounts agree"),
        ("UPDATE pool_keys SET share_ucr = share_ucr - 1", "earned lots are what keys earned"),
        ("UPDATE lots SET spent_ucr = 1", "contributors are owed what is unspent"),
    ],
)
def test_checks_name_the_law_that_is_broken(unit: Unit, owner: int, damage: str, law: str) -> None:
    lend(unit, owner)
    assert [name for name, check in checks.CHECKS if check(unit.connection)] == []
    unit.connection.execute(damage)
    assert law in [name for name, check in checks.CHECKS if check(unit.connection)]
