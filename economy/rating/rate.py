"""Usage x price book x cost book -> charges, in columns; and the same one by one.

The worked request of the rules, 1,000 + 500 tokens of GPT-4 at 5 Cr and $0.03 per 1K::

    exact          1.5 x 5 Cr = 7.5 Cr       unrounded_ucr  7_500_000
    rounded up to a whole Credit, once       charge_ucr     8_000_000
    cost           1.5 x $0.03               cost_nusd     45_000_000

A request that cannot be rated gets a status and no amount: an unknown model, or a
quantity that its line does not price, is never worth zero. :func:`rate` is the
production loop; :func:`rate_one` and :func:`cost_one` say the same in plain fractions,
for a single live request and as the judge in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from economy.catalog.costs import CostEntry
from economy.catalog.rates import MAX_AMOUNT, RateTable, price_columns
from economy.errors import BadInput, invariant
from economy.pricing.sheet import Direction, PriceLine
from economy.quantities import (
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    CACHED_INPUT,
    INPUT,
    MAX_QUANTITY,
    N_QUANTITIES,
    QUANTITIES,
)
from economy.rating import kernel
from economy.units import div_ceil, div_floor, div_half_even


class RateStatus(IntEnum):
    """What became of an event; the first that applies, in this order (OK last of all)."""

    OK = kernel.OK
    UNKNOWN_MODEL = kernel.UNKNOWN_MODEL
    NO_PRICE = kernel.NO_PRICE
    """The model has no line in the sheet in force at that time."""
    QUANTITY_NOT_PRICED = kernel.QUANTITY_NOT_PRICED
    NO_COST = kernel.NO_COST
    """No cost entry at that time, or none for a quantity of the request."""
    OVERFLOW = kernel.OVERFLOW
    """A quantity outside [0, MAX_QUANTITY], or an amount above 2**61. Found while summing
    prices or costs, so it comes before what a later step would have found."""


REASON = {
    RateStatus.UNKNOWN_MODEL: "unknown model",
    RateStatus.NO_PRICE: "no price at that time",
    RateStatus.QUANTITY_NOT_PRICED: "the price line does not price a quantity of the request",
    RateStatus.NO_COST: "no provider cost for the request",
    RateStatus.OVERFLOW: "a quantity or an amount beyond reason",
}


@dataclass(frozen=True, slots=True)
class Rated:
    """``n`` rated events; amounts are 0 and mean nothing unless ``status`` is OK.

    ``unrounded_ucr`` is the exact price, half-even, once; ``charge_ucr`` the exact price
    rounded by the line. ``price_row`` and ``cost_row`` index the tables (-1: none).
    """

    status: NDArray[np.int8]
    unrounded_ucr: NDArray[np.int64]
    charge_ucr: NDArray[np.int64]
    cost_nusd: NDArray[np.int64]
    price_row: NDArray[np.int32]
    cost_row: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.status)

    @classmethod
    def empty(cls, n: int) -> Rated:
        """Columns to be filled, for callers that rate again and again."""
        return cls(
            status=np.empty(n, dtype=np.int8),
            unrounded_ucr=np.empty(n, dtype=np.int64),
            charge_ucr=np.empty(n, dtype=np.int64),
            cost_nusd=np.empty(n, dtype=np.int64),
            price_row=np.empty(n, dtype=np.int32),
            cost_row=np.empty(n, dtype=np.int32),
        )


def rate(
    model: NDArray[np.int32],
    effective_us: NDArray[np.int64],
    quantities: NDArray[np.int64],
    prices: RateTable,
    costs: RateTable,
    *,
    out: Rated | None = None,
) -> Rated:
    """Rate ``n`` events.

    ``model`` (n) indexes ``prices.models``, -1 for unknown; ``quantities`` is
    (n, N_QUANTITIES). Both tables must list the same models in the same order. ``out``,
    of n rows, is filled and returned if given.
    """
    n = len(model)
    if len(effective_us) != n or quantities.shape != (n, N_QUANTITIES):
        raise BadInput(
            "the columns of usage differ in length",
            value=f"{n}, {len(effective_us)}, {quantities.shape}",
        )
    if prices.models is not costs.models and prices.models != costs.models:
        raise BadInput("prices and costs list different models", way_out="Build both for one list")
    result = Rated.empty(n) if out is None else out
    invariant(len(result) == n, "the columns to fill have a row per event")
    usage = (
        np.ascontiguousarray(model, dtype=np.int32),
        np.ascontiguousarray(effective_us, dtype=np.int64),
        np.ascontiguousarray(quantities, dtype=np.int64),
    )
    status = result.status
    status[:] = RateStatus.OK
    no_price = (RateStatus.NO_PRICE, RateStatus.QUANTITY_NOT_PRICED)
    no_cost = (RateStatus.NO_COST, RateStatus.NO_COST)
    price = _sums(usage, prices, no_price, status, result.price_row)
    cost = _sums(usage, costs, no_cost, status, result.cost_row)
    # Rounding comes last: only now it is known which events have both a price and a cost.
    kernel.round_half_even(status, *price, result.unrounded_ucr)
    kernel.round_half_even(status, *cost, result.cost_nusd)
    kernel.round_to_increment(
        status, *price, result.price_row, prices.increment, prices.direction, result.charge_ucr
    )
    return result


def _sums(
    usage: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]],
    table: RateTable,
    without: tuple[RateStatus, RateStatus],
    status: NDArray[np.int8],
    row: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Exact amounts of the events at one table: whole units, and parts of a unit."""
    whole = np.empty(len(status), dtype=np.int64)
    parts = np.empty(len(status), dtype=np.int64)
    kernel.sum_at_rates(
        *usage,
        table.offset,
        table.from_us,
        table.prices,
        table.tier_above,
        table.increment,
        int(without[0]),
        int(without[1]),
        status,
        row,
        whole,
        parts,
    )
    return whole, parts


def input_size(quantities: Sequence[int]) -> int:
    """The whole input of a request, which chooses the context tier."""
    return (
        quantities[INPUT]
        + quantities[CACHED_INPUT]
        + quantities[CACHE_WRITE_5M]
        + quantities[CACHE_WRITE_1H]
    )


@dataclass(frozen=True, slots=True)
class RatedOne:
    """One request at one line; ``exact`` in ucr. Amounts mean nothing unless OK."""

    status: RateStatus
    exact: Fraction
    unrounded_ucr: int
    charge_ucr: int


@dataclass(frozen=True, slots=True)
class CostedOne:
    """One request at one cost entry; ``exact`` in nusd. Amounts mean nothing unless OK."""

    status: RateStatus
    exact: Fraction
    cost_nusd: int


def rate_one(line: PriceLine, quantities: Sequence[int]) -> RatedOne:
    """What one request costs its customer, by the definition of price and rounding."""
    status, exact = _exact_sum(line.prices_at(input_size(quantities)), quantities)
    if status is not RateStatus.OK:
        return RatedOne(status, exact, 0, 0)
    return RatedOne(
        status,
        exact,
        unrounded_ucr=div_half_even(exact.numerator, exact.denominator),
        charge_ucr=rounded_to(exact, line.increment_ucr, line.direction),
    )


def cost_one(entry: CostEntry, quantities: Sequence[int]) -> CostedOne:
    """What one request costs the platform at its provider's list price."""
    status, exact = _exact_sum(entry.prices_at(input_size(quantities)), quantities)
    if status is RateStatus.QUANTITY_NOT_PRICED:
        status = RateStatus.NO_COST
    if status is not RateStatus.OK:
        return CostedOne(status, exact, 0)
    return CostedOne(status, exact, div_half_even(exact.numerator, exact.denominator))


def rounded_to(exact: Fraction, increment: int, direction: Direction) -> int:
    """An exact amount put on a whole multiple of ``increment``."""
    divide = {"up": div_ceil, "down": div_floor, "half_even": div_half_even}[direction]
    return divide(exact.numerator, exact.denominator * increment) * increment


def _exact_sum(prices: dict[str, int], quantities: Sequence[int]) -> tuple[RateStatus, Fraction]:
    invariant(len(quantities) == N_QUANTITIES, "a request has nine quantities")
    if any(not 0 <= quantity <= MAX_QUANTITY for quantity in quantities):
        return RateStatus.OVERFLOW, Fraction(0)
    total = Fraction(0)
    for quantity, price, meter in zip(quantities, price_columns(prices), QUANTITIES, strict=True):
        if quantity == 0:
            continue
        if price < 0:
            return RateStatus.QUANTITY_NOT_PRICED, Fraction(0)
        total += Fraction(quantity * price, meter.per)
    if total >= MAX_AMOUNT + 1:
        return RateStatus.OVERFLOW, Fraction(0)
    return RateStatus.OK, total
