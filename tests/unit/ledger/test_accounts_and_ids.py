"""Names of accounts and ids of transfers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from economy.errors import BadInput
from economy.ledger import AccountFlag, UnitCode, accounts, key_column, transfer_id, transfer_ids
from economy.ledger.ids import id_byte_column, id_bytes, id_halves
from economy.units import END_OF_TIME_US


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_names_of_the_chart() -> None:
    """The names are those of the rules, section 9, with the unit at the end."""
    assert accounts.expense_provider("openai") == "expense:provider:openai.usd"
    assert accounts.pool_cr("key7") == "pool:key7.cr"
    assert accounts.pool_quota("key7") == "pool:key7.quota"
    assert accounts.escrow_quota(12) == "escrow:12.quota"
    assert accounts.capacity_usd("key7") == "capacity:key7.usd"


def test_a_lot_is_named_by_what_never_changes() -> None:
    pro = Fraction(9)  # $0.009 a Credit is 9 nusd per ucr.
    name = accounts.lot_name(7, "purchased", pro, END_OF_TIME_US)
    assert name == "lot:7:purchased:9/1:never.cr"
    assert accounts.lot_name(7, "purchased", Fraction(18, 2), END_OF_TIME_US) == name
    assert accounts.lot_name(7, "promotion", Fraction(0), 5) == "lot:7:promotion:0/1:5.cr"


@pytest.mark.parametrize(
    ("name", "unit", "flags"),
    [
        ("lot:7:purchased:9/1:never.cr", UnitCode.CR, AccountFlag(1)),
        ("pool:key7.cr", UnitCode.CR, AccountFlag(2)),
        ("pool:key7.quota", UnitCode.QUOTA, AccountFlag(2)),
        ("escrow:12.quota", UnitCode.QUOTA, AccountFlag.NONE),
        (accounts.CASH_CLEARING, UnitCode.USD, AccountFlag.NONE),
        (accounts.CLEARING_USAGE, UnitCode.CR, AccountFlag.NONE),
    ],
)
def test_unit_and_limits_follow_from_the_name(
    name: str, unit: UnitCode, flags: AccountFlag
) -> None:
    assert accounts.unit_of(name) == unit
    assert accounts.flags_of(name) == flags


@pytest.mark.parametrize("name", ["cash", "cash.eur", ".cr", "cash.cr.x"])
def test_a_name_without_a_unit_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"End it with \.cr"):
        accounts.unit_of(name)


@pytest.mark.parametrize("provider", ["", "a:b", " openai"])
def test_a_part_cannot_break_the_name(provider: str) -> None:
    with pytest.raises(BadInput):
        accounts.expense_provider(provider)


def test_ids_repeat_with_the_event_and_differ_with_everything_else() -> None:
    ids = [
        transfer_id(1_000, "top-up", "r1"),
        transfer_id(1_001, "top-up", "r1"),
        transfer_id(1_000, "top-up", "r2"),
        transfer_id(1_000, "top-up", "r1", leg=1),
        transfer_id(1_000, "top-up", "r1", attempt=1),
        transfer_id(1_000, "top-upr", "1"),
        transfer_id(1_000, "top-up", b"r1"),
        transfer_id(1_000, 7),
        transfer_id(1_000, "7"),
    ]
    assert len(set(ids)) == len(ids)
    assert ids[0] == transfer_id(1_000, "top-up", "r1")
    assert [hi for hi, _ in ids] == [1_000, 1_001, *[1_000] * 7]


def test_an_id_does_not_change_between_releases() -> None:
    """Ids are stored: another derivation would book a repeated request twice."""
    stored = transfer_id(1_700_000_000_000_000, "top-up", "request-17", leg=1)
    assert stored == (1_700_000_000_000_000, 3_502_551_397_901_165_547)


def test_columns_and_single_ids_share_the_mixing() -> None:
    keys = [bytes(range(16)), bytes(range(1, 17))]
    hi, lo = transfer_ids(i64(5, -5), key_column(keys), i64(0, 3), attempt=2)
    assert hi.tolist() == [5, 0]
    first, second = key_column(keys[:1]), key_column(keys[1:])
    assert transfer_ids(i64(5), first, 0, 2)[1].tolist() == lo[:1].tolist()
    assert transfer_ids(i64(5), second, 3, 2)[1].tolist() == lo[1:].tolist()
    same_key = transfer_ids(i64(*[5] * 4), key_column(keys[:1] * 4), i64(0, 1, 2, 3))[1]
    assert len(set(same_key.tolist())) == 4


def test_a_leg_or_attempt_out_of_range_is_refused() -> None:
    for leg, attempt in ((-1, 0), (2**32, 0), (0, -1), (0, 2**31)):
        with pytest.raises(BadInput, match="out of range"):
            transfer_id(0, "x", leg=leg, attempt=attempt)


def test_stored_ids_sort_by_time_and_come_back() -> None:
    pairs = [(0, -1), (1, 5), (255, 0), (256, -(2**63)), (2**62, 2**63 - 1)]
    stored = [id_bytes(hi, lo) for hi, lo in pairs]
    assert stored == sorted(stored)
    assert all(len(s) == 16 for s in stored)
    hi, lo = i64(*(p[0] for p in pairs)), i64(*(p[1] for p in pairs))
    assert id_byte_column(hi, lo) == stored
    back_hi, back_lo = id_halves(stored)
    assert (back_hi == hi).all()
    assert (back_lo == lo).all()
