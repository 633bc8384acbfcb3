"""The loop that rates usage: columns in, charges and costs out, exactly.

Every price is a whole number of ucr (or nusd) for ``per`` units, and every ``per``
divides COMMON_DENOMINATOR = 3,000,000. So the price of a request is a whole part and a
count of three-millionths, and both fit int64 without a 128-bit product::

    quantity q at price p for per units:   whole  (q // per) * p  +  ((q % per) * p) // per
                                           parts  ((q % per) * p) % per * (3_000_000 // per)

The largest (q % per) * p is 999,999 x 9e12, below 2**63. No clock, I/O or randomness;
the source runs compiled and as plain Python.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from economy.catalog.rates import DOWN, MAX_AMOUNT, UP
from economy.compiled import compiled
from economy.errors import invariant
from economy.quantities import (
    AUDIO,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    CACHED_INPUT,
    COMMON_DENOMINATOR,
    IMAGE,
    INPUT,
    MAX_PRICE,
    MAX_QUANTITY,
    N_QUANTITIES,
    N_TOKEN_QUANTITIES,
    PER,
)
from economy.units import INT64_MAX

OK, UNKNOWN_MODEL, NO_PRICE, QUANTITY_NOT_PRICED, NO_COST, OVERFLOW = range(6)

# Divisors as compile-time constants: a division by one is a multiplication and a shift.
TOKENS_PER: Final = int(PER[INPUT])
AUDIO_PER: Final = int(PER[AUDIO])
TOKEN_PARTS: Final = COMMON_DENOMINATOR // TOKENS_PER
AUDIO_PARTS: Final = COMMON_DENOMINATOR // AUDIO_PER
invariant(bool((PER[:N_TOKEN_QUANTITIES] == TOKENS_PER).all()), "all tokens share one unit")
invariant(bool((PER[IMAGE:] == 1).all()), "what follows audio is priced per piece")
invariant((TOKENS_PER - 1) * MAX_PRICE <= INT64_MAX, "a remainder times a price fits int64")


@compiled
def sum_at_rates(  # noqa: PLR0917 -- compiled code takes columns by position
    model: NDArray[np.int32],
    effective_us: NDArray[np.int64],
    quantities: NDArray[np.int64],
    offset: NDArray[np.int64],
    from_us: NDArray[np.int64],
    rates: NDArray[np.int64],
    tier_above: NDArray[np.int64],
    increment: NDArray[np.int64],
    without_row: int,
    without_rate: int,
    status: NDArray[np.int8],
    row: NDArray[np.int32],
    whole: NDArray[np.int64],
    parts: NDArray[np.int64],
) -> None:
    """Price each event whose status is OK at its row of one table, into the last four.

    ``without_row`` and ``without_rate`` are the statuses of an event that the table has no
    row for, or whose row has no rate for one of its quantities.

    One loop without helpers that take arrays: numba counts references around such a call,
    which takes longer than the rating itself.
    """
    n_models = len(offset) - 1
    n_tiers = tier_above.shape[1]
    for i in range(len(model)):
        row[i] = -1
        whole[i] = 0
        parts[i] = 0
        if status[i] != OK:
            continue
        m = model[i]
        if m < 0 or m >= n_models:
            status[i] = UNKNOWN_MODEL
            continue

        # The row in force. Usage is mostly newer than the newest row, so that comes first.
        low = offset[m]
        high = offset[m + 1]
        if high > low and effective_us[i] >= from_us[high - 1]:
            low = high
        while low < high:
            middle = (low + high) // 2
            if from_us[middle] <= effective_us[i]:
                low = middle + 1
            else:
                high = middle
        k = low - 1
        if k < offset[m] or increment[k] == 0:
            status[i] = without_row
            continue
        row[i] = k

        # The sign bit of q | (MAX - q) tells q < 0 or q > MAX, without a branch for each.
        sign = 0
        for j in range(N_QUANTITIES):
            sign |= quantities[i, j] | (MAX_QUANTITY - quantities[i, j])
        if sign < 0:
            status[i] = OVERFLOW
            continue

        tier = 0
        if n_tiers > 1:
            size = (
                quantities[i, INPUT]
                + quantities[i, CACHED_INPUT]
                + quantities[i, CACHE_WRITE_5M]
                + quantities[i, CACHE_WRITE_1H]
            )
            for t in range(1, n_tiers):
                if size > tier_above[k, t]:
                    tier = t

        outcome = OK
        total = 0
        fraction = 0
        for j in range(N_TOKEN_QUANTITIES):
            q = quantities[i, j]
            if q > 0:
                p = rates[k, tier, j]
                if p < 0:
                    outcome = without_rate
                    break
                units = q // TOKENS_PER
                rest = (q - units * TOKENS_PER) * p
                carry = rest // TOKENS_PER
                total += units * p + carry
                fraction += (rest - carry * TOKENS_PER) * TOKEN_PARTS
        q = quantities[i, AUDIO]
        if q > 0 and outcome == OK:
            p = rates[k, tier, AUDIO]
            if p < 0:
                outcome = without_rate
            else:
                units = q // AUDIO_PER
                rest = (q - units * AUDIO_PER) * p
                carry = rest // AUDIO_PER
                total += units * p + carry
                fraction += (rest - carry * AUDIO_PER) * AUDIO_PARTS
        for j in range(IMAGE, N_QUANTITIES):
            q = quantities[i, j]
            if q > 0 and outcome == OK:
                p = rates[k, tier, j]
                if p < 0:
                    outcome = without_rate
                elif p > 0 and q > (MAX_AMOUNT - total) // p:
                    outcome = OVERFLOW
                else:
                    total += q * p
        carry = fraction // COMMON_DENOMINATOR
        total += carry
        if outcome == OK and total > MAX_AMOUNT:
            outcome = OVERFLOW
        status[i] = outcome
        if outcome == OK:
            whole[i] = total
            parts[i] = fraction - carry * COMMON_DENOMINATOR


@compiled
def round_half_even(
    status: NDArray[np.int8],
    whole: NDArray[np.int64],
    parts: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> None:
    """Each exact amount to the nearest integer; 0 where the status is not OK."""
    for i in range(len(status)):
        amount[i] = half_even(whole[i], parts[i]) if status[i] == OK else 0


@compiled
def round_to_increment(  # noqa: PLR0917 -- as above
    status: NDArray[np.int8],
    whole: NDArray[np.int64],
    parts: NDArray[np.int64],
    row: NDArray[np.int32],
    increment: NDArray[np.int64],
    direction: NDArray[np.int8],
    amount: NDArray[np.int64],
) -> None:
    """Each exact amount to a multiple of its row's increment; 0 where not OK."""
    for i in range(len(status)):
        amount[i] = 0
        if status[i] == OK:
            k = row[i]
            amount[i] = rounded(whole[i], parts[i], increment[k], direction[k])


@compiled
def half_even(whole: int, parts: int) -> int:
    """The nearest integer to ``whole + parts / COMMON_DENOMINATOR``, ties to the even one."""
    twice = 2 * parts
    # Half of all amounts round up, so a branch here would be guessed wrong half the time.
    up = (twice > COMMON_DENOMINATOR) | ((twice == COMMON_DENOMINATOR) & (whole & 1 == 1))
    return whole + up


@compiled
def rounded(whole: int, parts: int, increment: int, direction: int) -> int:
    """The exact amount put on a multiple of ``increment``, once."""
    steps = whole // increment
    below = steps * increment
    rest = whole - below
    if direction == DOWN or (rest == 0 and parts == 0):
        return below
    if direction == UP:
        return below + increment
    # The distance to the middle between two multiples is over / 2 + parts / DENOMINATOR.
    over = 2 * rest - increment
    if over < -1 or (over == -1 and 2 * parts < COMMON_DENOMINATOR):
        return below
    tie = (over == 0 and parts == 0) or (over == -1 and 2 * parts == COMMON_DENOMINATOR)
    if tie and steps % 2 == 0:
        return below
    return below + increment
