"""Laws of rating: a batch is its events one by one; rounding is once and bounded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from economy.catalog.costs import CostBook, CostEntry, CostTier
from economy.catalog.rates import BLENDED, MAX_AMOUNT
from economy.pricing.book import Epoch, PriceBook
from economy.pricing.sheet import PriceLine, PriceSheet, TierPrices
from economy.quantities import MAX_PRICE, MAX_QUANTITY, N_QUANTITIES, QUANTITIES
from economy.rating import kernel
from economy.rating.rate import RateStatus, cost_one, rate, rate_one, rounded_to
from economy.units import BEGINNING_OF_TIME_US

MODELS = ("a", "b", "c")
SECOND_US, THIRD_US = 1_000, 2_000

prices = st.one_of(
    st.integers(0, 20_000_000_000), st.integers(0, 3), st.sampled_from([MAX_PRICE, MAX_PRICE - 1])
)
price_lists = st.one_of(
    st.builds(lambda price: {BLENDED: price}, prices),
    st.dictionaries(st.sampled_from([q.key for q in QUANTITIES]), prices, min_size=1),
    # Most requests have something of everything, and are rated only by a line that has too.
    st.fixed_dictionaries({q.key: prices for q in QUANTITIES if q.key != "image"}),
    st.fixed_dictionaries({BLENDED: prices, "audio": prices, "image": st.integers(0, 10**9)}),
)
starts = st.lists(st.sampled_from([1, 999, 1_000, 200_000]), unique=True, max_size=3).map(sorted)
amounts = st.one_of(
    st.just(0),
    st.integers(0, 3_000),
    st.sampled_from([999_999, 1_000_000, 59_999, 60_000, 200_000, 200_001, MAX_QUANTITY]),
    st.integers(0, MAX_QUANTITY),
)
requests = st.tuples(*([amounts] * N_QUANTITIES))


@st.composite
def lines(draw: Callable[..., Any], model: str) -> PriceLine:
    return PriceLine(
        model,
        draw(price_lists),
        increment_ucr=draw(st.sampled_from([1, 3, 1_000, 1_000_000, MAX_AMOUNT])),
        direction=draw(st.sampled_from(["up", "down", "half_even"])),
        tiers=tuple(TierPrices(start, draw(price_lists)) for start in draw(starts)),
    )


@st.composite
def entries(draw: Callable[..., Any], model: str, from_us: int) -> CostEntry:
    tiers = tuple(CostTier(start, draw(price_lists)) for start in draw(starts))
    return CostEntry(model, "somebody", from_us, draw(price_lists), tiers)


@st.composite
def books(draw: Callable[..., Any]) -> tuple[PriceBook, CostBook]:
    """Up to three sheets, each pricing some of the models; costs of some, from some time on."""
    epochs = []
    for version, from_us in enumerate((BEGINNING_OF_TIME_US, SECOND_US, THIRD_US), start=1):
        chosen = draw(st.sets(st.sampled_from(MODELS)))
        sheet = PriceSheet("s", 10_000_000, tuple(draw(lines(model)) for model in sorted(chosen)))
        epochs.append(Epoch(version, from_us, sheet))
    dated = draw(
        st.sets(
            st.tuples(st.sampled_from(MODELS), st.sampled_from([BEGINNING_OF_TIME_US, SECOND_US]))
        )
    )
    costs = [draw(entries(model, from_us)) for model, from_us in sorted(dated)]
    return PriceBook(tuple(epochs)), CostBook(costs)


events = st.lists(
    st.tuples(
        st.sampled_from([-1, 0, 1, 2, 3]),
        st.sampled_from([-5, 0, SECOND_US - 1, SECOND_US, THIRD_US - 1, THIRD_US, 9_999]),
        requests,
    ),
    max_size=12,
)
Event = tuple[int, int, tuple[int, ...]]
Outcome = tuple[int, int, int, int]


def by_definition(event: Event, prices: PriceBook, costs: CostBook) -> Outcome:
    """(status, unrounded, charge, cost) from the books themselves, in fractions."""
    m, time_us, quantities = event
    if not 0 <= m < len(MODELS):
        return RateStatus.UNKNOWN_MODEL, 0, 0, 0
    line = prices.line_at(MODELS[m], time_us)
    if line is None:
        return RateStatus.NO_PRICE, 0, 0, 0
    rated = rate_one(line, quantities)
    if rated.status != RateStatus.OK:
        return rated.status, 0, 0, 0
    entry = costs.at(MODELS[m], time_us)
    if entry is None:
        return RateStatus.NO_COST, 0, 0, 0
    cost = cost_one(entry, quantities)
    if cost.status != RateStatus.OK:
        return cost.status, 0, 0, 0
    return RateStatus.OK, rated.unrounded_ucr, rated.charge_ucr, cost.cost_nusd


def in_columns(found: list[Event], prices: PriceBook, costs: CostBook) -> list[Outcome]:
    rated = rate(
        np.array([m for m, _, _ in found], dtype=np.int32),
        np.array([time_us for _, time_us, _ in found], dtype=np.int64),
        np.array([q for _, _, q in found], dtype=np.int64).reshape(-1, N_QUANTITIES),
        prices.table(MODELS),
        costs.table(MODELS, 7),
    )
    columns = (rated.status, rated.unrounded_ucr, rated.charge_ucr, rated.cost_nusd)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(books(), events)
def test_rating_a_batch_equals_rating_its_events_one_by_one(
    both: tuple[PriceBook, CostBook], found: list[Event]
) -> None:
    """Law: the compiled loop over columns is the definition, event by event."""
    prices, costs = both
    assert in_columns(found, prices, costs) == [by_definition(e, prices, costs) for e in found]


@given(books(), events)
def test_compiled_and_plain_python_agree(
    both: tuple[PriceBook, CostBook], found: list[Event]
) -> None:
    """Law: the loop means the same with and without the compiler."""
    compiled = in_columns(found, *both)
    names = ("sum_at_rates", "round_half_even", "round_to_increment", "half_even", "rounded")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(kernel, name, getattr(kernel, name).py_func)
        assert in_columns(found, *both) == compiled


@given(lines("a"), requests)
@example(PriceLine("a", {BLENDED: 5_000_000_000}, 1_000_000, "up"), (1_000, 500) + (0,) * 7)
def test_rounding_moves_less_than_one_increment(line: PriceLine, quantities: Any) -> None:
    """Law: a charge is the exact price, moved by less than one increment in its direction."""
    rated = rate_one(line, quantities)
    if rated.status != RateStatus.OK:
        return
    gap = rated.charge_ucr - rated.exact
    assert rated.charge_ucr % line.increment_ucr == 0
    if line.direction == "up":
        assert 0 <= gap < line.increment_ucr
    elif line.direction == "down":
        assert -line.increment_ucr < gap <= 0
    else:
        assert 2 * abs(gap) <= line.increment_ucr
    assert 2 * abs(rated.unrounded_ucr - rated.exact) <= 1


@given(st.integers(0, 10**12), st.integers(0, 2_999_999), st.integers(1, 10**9))
@example(1, 1_500_000, 3)
@example(1, 1_499_999, 3)
@example(4, 1_500_000, 3)
@example(2, 0, 4)
@example(6, 0, 4)
def test_rounding_of_parts_equals_rounding_of_fractions(
    whole: int, parts: int, increment: int
) -> None:
    """Law: rounding (whole, parts) by integers is rounding the fraction that they stand for."""
    exact = whole + Fraction(parts, 3_000_000)
    for code, direction in enumerate(("up", "down", "half_even")):
        expected = rounded_to(exact, increment, direction)  # type: ignore[arg-type]
        assert kernel.rounded(whole, parts, increment, code) == expected
    assert kernel.half_even(whole, parts) == rounded_to(exact, 1, "half_even")


@given(st.integers(0, MAX_QUANTITY // 3), st.integers(0, MAX_QUANTITY // 3), prices)
def test_an_exact_price_adds_up(first: int, second: int, price: int) -> None:
    """Law: without rounding, two requests on one line cost what both together cost."""
    line = PriceLine("a", {BLENDED: price}, 1, "half_even")

    def exact(tokens: int) -> Fraction:
        return rate_one(line, (tokens, *(0,) * 8)).exact

    assert exact(first) + exact(second) == exact(first + second)
