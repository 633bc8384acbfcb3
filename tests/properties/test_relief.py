"""Laws of relief: exact from the key's beginning, closing to its terms, and never beyond."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.errors import BadInput
from economy.pool.keys import PoolKey
from economy.pool.relief import PLATFORM, Relief, key_columns, relief_loop, relieve
from economy.pool.valuation import MAX_QUOTA_NUSD, limit_share, value_quota
from economy.units import UCR_PER_CREDIT

RATES = st.builds(Fraction, st.integers(0, 1_000), st.just(1_000))


@st.composite
def contributed_keys(draw: st.DrawFn) -> PoolKey:
    """Any key that the valuation could have made."""
    cost = draw(st.integers(1, 10**9))
    price = draw(st.integers(1, 10**8))
    quota = draw(st.integers(cost, min(MAX_QUOTA_NUSD, cost * 10**4)))
    basis = draw(
        st.one_of(st.just(Fraction(9)), st.builds(Fraction, st.integers(1, 99), st.just(7)))
    )
    cap = draw(st.none() | RATES)
    valuation = limit_share(value_quota(quota, cost, price, draw(RATES)), basis, cap)
    return PoolKey(
        key_id=1,
        name="key1",
        owner_id=1,
        provider="p",
        valued_on="m",
        scheme=draw(st.sampled_from(["upfront", "on_use"])),
        quota_nusd=quota,
        capacity_ucr=valuation.capacity_ucr,
        fee_ucr=valuation.fee_ucr,
        share_ucr=valuation.share_ucr,
        capacity_nusd=int(valuation.share_ucr * basis),
        rate=valuation.rate,
        contributed_us=0,
    )


@st.composite
def services(draw: st.DrawFn) -> tuple[list[PoolKey], list[int], list[int]]:
    keys = draw(st.lists(contributed_keys(), min_size=1, max_size=3))
    chosen = draw(st.lists(st.integers(PLATFORM, len(keys) - 1), max_size=12))
    costs = [
        draw(st.integers(0, keys[key].quota_nusd if key >= 0 else 10**12))
        // draw(st.sampled_from([1, 2, 7, 1_000]))
        for key in chosen
    ]
    return keys, chosen, costs


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@settings(max_examples=120, deadline=None)
@given(services())
def test_law_relief_is_the_floor_of_what_was_served_so_far(
    service: tuple[list[PoolKey], list[int], list[int]],
) -> None:
    keys, chosen, costs = service
    columns = key_columns(keys)
    relief = relieve(i64(chosen), i64(costs), columns)

    served = [0] * len(keys)
    sums = {name: [0] * len(keys) for name in ("relief_ucr", "earned_ucr", "fee_ucr", "paid_nusd")}
    for event, (row, cost) in enumerate(zip(chosen, costs, strict=True)):
        if row == PLATFORM or served[row] + cost > keys[row].quota_nusd:
            assert relief.served_by[event] == PLATFORM
            assert relief.paid_nusd[event] == cost
            assert relief.quota_nusd[event] == relief.relief_ucr[event] == 0
            continue
        assert relief.served_by[event] == row
        assert relief.quota_nusd[event] == cost
        served[row] += cost
        for name, so_far in sums.items():
            assert getattr(relief, name)[event] >= 0
            so_far[row] += int(getattr(relief, name)[event])
        key = keys[row]
        relieved = min(key.capacity_ucr, int(served[row] * key.rate))
        assert sums["relief_ucr"][row] == relieved
        if key.scheme == "upfront":
            assert sums["earned_ucr"][row] == sums["fee_ucr"][row] == 0
            assert sums["paid_nusd"][row] == relieved * key.capacity_nusd // key.capacity_ucr
        else:
            earned = relieved * key.share_ucr // key.capacity_ucr
            assert sums["earned_ucr"][row] == earned
            assert sums["fee_ucr"][row] == relieved - earned
            assert sums["paid_nusd"][row] == int(earned * key.share_basis)
    assert columns.served_quota_nusd.tolist() == served
    assert columns.relieved_ucr.tolist() == sums["relief_ucr"]
    assert columns.paid_nusd.tolist() == sums["paid_nusd"]


@settings(max_examples=80, deadline=None)
@given(contributed_keys(), st.lists(st.integers(1, 1_000), max_size=8))
def test_law_an_exhausted_key_closes_to_its_terms(key: PoolKey, parts: list[int]) -> None:
    """However the quota is cut up: all capacity, all of the share, all of the USD."""
    costs = [key.quota_nusd * part // max(sum(parts), 1) for part in parts]
    costs.append(key.quota_nusd - sum(costs))
    relief = relieve(i64([0] * len(costs)), i64(costs), key_columns([key]))
    assert (relief.served_by == 0).all()
    assert relief.relief_ucr.sum() == key.capacity_ucr
    assert relief.paid_nusd.sum() == key.capacity_nusd
    if key.scheme == "on_use":
        assert relief.earned_ucr.sum() == key.share_ucr
        assert relief.fee_ucr.sum() == key.fee_ucr


@settings(max_examples=80, deadline=None)
@given(
    cost=st.integers(1, 10**9),
    price=st.integers(1, 10**8),
    units=st.integers(1, 10**4),
    fee=RATES,
    cap=RATES,
    basis=st.builds(Fraction, st.integers(1, 99), st.integers(1, 7)),
)
def test_law_the_cap_bounds_the_payout_of_the_whole_quota(
    *, cost: int, price: int, units: int, fee: Fraction, cap: Fraction, basis: Fraction
) -> None:
    """Rule: "payout at most $0.90 per quota dollar at redemption", for any cap."""
    quota = cost * units
    if quota > MAX_QUOTA_NUSD:
        return
    valuation = limit_share(value_quota(quota, cost, price, fee), basis, cap)
    assert valuation.share_ucr * basis <= cap * quota
    assert (valuation.share_ucr * basis).denominator == 1
    assert valuation.share_ucr + valuation.fee_ucr == valuation.capacity_ucr
    assert valuation.share_ucr <= valuation.capacity_ucr * (1 - fee)


@settings(max_examples=40, deadline=None)
@given(services())
def test_law_compiled_and_plain_loops_agree(
    service: tuple[list[PoolKey], list[int], list[int]],
) -> None:
    keys, chosen, costs = service
    compiled_columns, plain_columns = key_columns(keys), key_columns(keys)
    relief = relieve(i64(chosen), i64(costs), compiled_columns)
    out = np.empty((len(fields(Relief)), len(chosen)), dtype=np.int64)
    names = [f.name for f in fields(plain_columns)][2:]
    relief_loop.py_func(  # type: ignore[attr-defined]
        i64(chosen), i64(costs), *(getattr(plain_columns, name) for name in names), out
    )
    for row, field in enumerate(fields(Relief)):
        assert (out[row] == getattr(relief, field.name)).all(), field.name
    for name in names:
        assert (getattr(plain_columns, name) == getattr(compiled_columns, name)).all(), name


def test_bad_columns_are_refused_before_anything_is_used_up() -> None:
    key = PoolKey(1, "key1", 1, "p", "m", "upfront", 10, 10, 1, 9, 81, Fraction(1), 0)
    for rows, costs, field in (
        ([0, 1], [1, 1], "key_index"),
        ([0, -2], [1, 1], "key_index"),
        ([0, 0], [1, -1], "cost_nusd"),
    ):
        columns = key_columns([key])
        try:
            relieve(i64(rows), i64(costs), columns)
        except BadInput as error:
            assert error.field == field
        else:
            raise AssertionError(f"{field} was not refused")
        assert columns.served_quota_nusd.tolist() == [0]


def test_the_largest_quota_at_the_dearest_rate_stays_exact() -> None:
    """Products here are beyond int64 by far; the quotients are not."""
    rate = Fraction(UCR_PER_CREDIT - 1, 1_234_567)
    valuation = value_quota(MAX_QUOTA_NUSD, rate.denominator, rate.numerator, Fraction(1, 3))
    valuation = limit_share(valuation, Fraction(9_000_001, 1_000_000), None)
    key = PoolKey(
        key_id=1,
        name="key1",
        owner_id=1,
        provider="p",
        valued_on="m",
        scheme="on_use",
        quota_nusd=MAX_QUOTA_NUSD,
        capacity_ucr=valuation.capacity_ucr,
        fee_ucr=valuation.fee_ucr,
        share_ucr=valuation.share_ucr,
        capacity_nusd=int(valuation.share_ucr * Fraction(9_000_001, 1_000_000)),
        rate=valuation.rate,
        contributed_us=0,
    )
    relief = relieve(i64([0]), i64([MAX_QUOTA_NUSD // 3]), key_columns([key]))
    relieved = int(MAX_QUOTA_NUSD // 3 * key.rate)
    assert relief.relief_ucr.tolist() == [relieved]
    assert relief.earned_ucr.tolist() == [relieved * key.share_ucr // key.capacity_ucr]
