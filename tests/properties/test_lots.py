"""Laws of lots: all or nothing, spend order, and a basis that closes to zero."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.errors import BadInput
from economy.units import INT64_MAX, mul_div_floor
from economy.wallets.spending import (
    SpendPlan,
    plan_spend,
    release_basis,
    release_loop,
    spend_loop,
)
from economy.wide import DOES_NOT_FIT, mul_div

WIDE = st.integers(0, INT64_MAX)
Event = tuple[int, int, int]


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def run(lots: list[list[int]], events: list[Event]) -> tuple[SpendPlan, list[int]]:
    """Events as (customer, unrounded, rounding); the plan, and what is left in the lots."""
    available = i64([amount for own in lots for amount in own])
    offset = i64(np.cumsum([0, *map(len, lots)]).tolist())
    plan = plan_spend(
        i64([customer for customer, _, _ in events]),
        i64([unrounded + rounding for _, unrounded, rounding in events]),
        i64([unrounded for _, unrounded, _ in events]),
        offset,
        available,
    )
    return plan, available.tolist()


@st.composite
def economies(draw: st.DrawFn) -> tuple[list[list[int]], list[Event]]:
    amounts = st.one_of(st.integers(0, 20), st.integers(0, INT64_MAX // 4))
    lots = draw(st.lists(st.lists(amounts, max_size=4), min_size=1, max_size=4))
    event = st.tuples(st.integers(0, len(lots) - 1), amounts, st.integers(0, 5))
    return lots, draw(st.lists(event, max_size=12))


@settings(max_examples=150, deadline=None)
@given(economies())
def test_law_each_event_is_paid_whole_in_spend_order_or_not_at_all(
    economy: tuple[list[list[int]], list[Event]],
) -> None:
    lots, events = economy
    plan, left = run(lots, events)

    # A deliberately simple model in Python's own integers.
    wallets = [list(own) for own in lots]
    starts = np.cumsum([0, *map(len, lots)]).tolist()
    legs: list[tuple[int, int, int, int]] = []
    accepted = []
    for number, (customer, unrounded, rounding) in enumerate(events):
        wallet = wallets[customer]
        charge = unrounded + rounding
        accepted.append(sum(wallet) >= charge)
        if not accepted[-1]:
            continue
        usage = unrounded
        for i, available in enumerate(wallet):
            take = min(available, charge)
            if take:
                part = min(take, usage)
                legs.append((number, starts[customer] + i, take, take - part))
                wallet[i] -= take
                charge -= take
                usage -= part
    assert plan.accepted.tolist() == accepted
    assert (
        list(
            zip(
                plan.leg_event.tolist(),
                plan.leg_lot.tolist(),
                plan.leg_amount_ucr.tolist(),
                plan.leg_rounding_ucr.tolist(),
                strict=True,
            )
        )
        == legs
    )
    assert left == [amount for wallet in wallets for amount in wallet]


@settings(max_examples=60, deadline=None)
@given(
    num=st.integers(0, 10**6),
    den=st.integers(1, 10**6),
    steps=st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**6)), max_size=20),
)
def test_law_the_last_credit_closes_the_lot_to_zero(
    num: int, den: int, steps: list[tuple[int, int]]
) -> None:
    """Whatever the steps, all USD of the lot has been released when it is empty."""
    granted = sum(unrounded + rounding for unrounded, rounding in steps)
    plan, left = run([[granted]], [(0, unrounded, rounding) for unrounded, rounding in steps])
    spent, spent_rounding = i64([0]), i64([0])
    release = release_basis(plan, i64([num]), i64([den]), spent, spent_rounding)

    rounding = sum(rounding for _, rounding in steps)
    assert left == [0]
    assert (spent[0], spent_rounding[0]) == (granted, rounding)
    assert release.leg_rounding_nusd.sum() == mul_div_floor(rounding, num, den)
    assert release.leg_usage_nusd.sum() + release.leg_rounding_nusd.sum() == mul_div_floor(
        granted, num, den
    )
    assert release.leg_usage_nusd.min(initial=0) >= -1
    assert release.leg_rounding_nusd.min(initial=0) >= 0


@settings(max_examples=300, deadline=None)
@given(a=WIDE, b=WIDE, d=st.integers(1, INT64_MAX))
def test_law_the_wide_product_is_exact_or_says_that_it_does_not_fit(a: int, b: int, d: int) -> None:
    exact = a * b // d
    assert mul_div(a, b, d) == (exact if exact <= INT64_MAX else DOES_NOT_FIT)
    assert mul_div.py_func(a, b, d) == mul_div(a, b, d)  # type: ignore[attr-defined]
    assert mul_div(a % d, b, d) == (a % d) * b // d


@settings(max_examples=50, deadline=None)
@given(economies())
def test_law_compiled_and_plain_loops_agree(
    economy: tuple[list[list[int]], list[Event]],
) -> None:
    lots, events = economy
    plan, _ = run(lots, events)
    available = i64([amount for own in lots for amount in own])
    n, room = len(events), len(events) + len(available)
    accepted = np.empty(n, dtype=np.bool_)
    legs = [np.empty(room, dtype=np.int64) for _ in range(4)]
    count = spend_loop.py_func(  # type: ignore[attr-defined]
        i64([customer for customer, _, _ in events]),
        i64([unrounded + rounding for _, unrounded, rounding in events]),
        i64([unrounded for _, unrounded, _ in events]),
        i64(np.cumsum([0, *map(len, lots)]).tolist()),
        available,
        accepted,
        *legs,
    )
    assert count == len(plan.leg_event)
    assert (accepted == plan.accepted).all()
    assert (legs[2][:count] == plan.leg_amount_ucr).all()

    num, den = np.full(room, 100, dtype=np.int64), np.full(room, 11, dtype=np.int64)
    wide = any(amount > 10**15 for amount in legs[2][:count].tolist())
    if wide:
        return
    zero = np.zeros(room, dtype=np.int64)
    release = release_basis(plan, num, den, zero.copy(), zero.copy())
    usage, rounding = zero.copy(), zero.copy()
    release_loop.py_func(  # type: ignore[attr-defined]
        legs[1][:count],
        legs[2][:count],
        legs[3][:count],
        num,
        den,
        zero.copy(),
        zero.copy(),
        usage,
        rounding,
    )
    assert (usage[:count] == release.leg_usage_nusd).all()
    assert (rounding[:count] == release.leg_rounding_nusd).all()


def test_no_silent_overflow_of_a_lots_usd() -> None:
    plan, _ = run([[INT64_MAX]], [(0, INT64_MAX, 0)])
    with pytest.raises(BadInput, match="64-bit"):
        release_basis(plan, i64([10]), i64([1]), i64([0]), i64([0]))
    with pytest.raises(BadInput, match="64-bit"):
        release_basis(plan, i64([1]), i64([1]), i64([1]), i64([0]))


def test_a_third_of_a_nano_dollar_is_neither_lost_nor_invented() -> None:
    """Basis 1/3 nusd per ucr, one ucr at a time: 0, 0, 1, 0, 0, 1."""
    plan, _ = run([[6]], [(0, 1, 0)] * 6)
    release = release_basis(plan, i64([1]), i64([3]), i64([0]), i64([0]))
    assert release.leg_usage_nusd.tolist() == [0, 0, 1, 0, 0, 1]
    assert sum(release.leg_usage_nusd.tolist()) == Fraction(6, 3)
