"""Dated rates in columns: what a unit of each quantity costs, per model and instant.

Provider costs and our own prices have the same shape, so rating reads both from one
kind of table. Each model owns a slice of rows (compressed sparse rows), ascending in
``from_us``; the row in force at ``t`` is the last one with ``from_us <= t``::

    models   ["gpt-4", "whisper-1"]     offset [0, 2, 3]
    row 0    gpt-4      from the beginning  $0.03 per 1K tokens
    row 1    gpt-4      from 2026-12-01     $0.05 per 1K tokens
    row 2    whisper-1  from the beginning  $0.006 per minute

So gpt-4 on 2026-11-30 is row 0, and one minute of whisper-1 is row 2 at any time. A
row holds one price list per context tier: when a request's whole input (fresh, cached
and written to the cache) exceeds ``tier_above``, *all* of the request is at that
tier's prices. That is the providers' own rule, a cliff and not a staircase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from economy.errors import BadInput, invariant
from economy.quantities import N_QUANTITIES, N_TOKEN_QUANTITIES, QUANTITIES
from economy.units import INT64_MAX

UP, DOWN, HALF_EVEN = 0, 1, 2
DIRECTION_CODE: Final = {"up": UP, "down": DOWN, "half_even": HALF_EVEN}
NOT_PRICED: Final = -1
"""In a price column: a request that has this quantity cannot be rated. Never zero."""
MAX_AMOUNT: Final = 2**61
"""Largest amount or increment of one request; two of them still add up in int64."""

BLENDED: Final = "blended"


def price_columns(prices: Mapping[str, int]) -> list[int]:
    """Prices by key, put in the order of QUANTITIES; -1 where nothing is priced.

    ``blended`` stands for every kind of token. Without it a missing ``cached_input``
    or ``cache_write_5m`` costs what ``input`` does, ``cache_write_1h`` what
    ``cache_write_5m`` does, and ``reasoning`` what ``output`` does.
    """
    if BLENDED in prices:
        tokens = [prices[BLENDED]] * N_TOKEN_QUANTITIES
    else:
        fresh = prices.get("input", NOT_PRICED)
        fallback = {
            "cached_input": fresh,
            "cache_write_5m": fresh,
            "cache_write_1h": prices.get("cache_write_5m", fresh),
            "reasoning": prices.get("output", NOT_PRICED),
        }
        tokens = [
            prices.get(q.key, fallback.get(q.key, NOT_PRICED))
            for q in QUANTITIES[:N_TOKEN_QUANTITIES]
        ]
    # A fee per request is an extra: who names none charges nothing for the request itself.
    others = [
        prices.get(q.key, 0 if q.key == "request" else NOT_PRICED)
        for q in QUANTITIES[N_TOKEN_QUANTITIES:]
    ]
    return tokens + others


@dataclass(frozen=True, slots=True)
class RateRow:
    """One row to be: its base prices, then (input above, prices) for each context tier.

    Prices are columns in the order of QUANTITIES. ``direction`` and ``increment`` round
    the sum of a request. A row without ``prices`` ends the row before it.
    """

    from_us: int
    version: int
    prices: Sequence[int] = ()
    tiers: Sequence[tuple[int, Sequence[int]]] = ()
    increment: int = 1
    direction: Literal["up", "down", "half_even"] = "half_even"


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates of M models in K rows of at most T tiers (shapes below; all int64 but one).

    ``offset`` (M+1), ``from_us`` (K), ``prices`` (K, T, N_QUANTITIES) per ``per`` units,
    ``tier_above`` (K, T): tier t holds when the input exceeds it, tier 0 always, unused
    tiers never; ``increment`` (K), ``direction`` (K, int8), ``version`` (K): of the price
    sheet or the cost book. An ``increment`` of 0 marks a row that prices nothing.
    """

    models: tuple[str, ...]
    offset: NDArray[np.int64]
    from_us: NDArray[np.int64]
    prices: NDArray[np.int64]
    tier_above: NDArray[np.int64]
    increment: NDArray[np.int64]
    direction: NDArray[np.int8]
    version: NDArray[np.int64]

    def index(self) -> dict[str, int]:
        """Position of each model by name."""
        return {model: i for i, model in enumerate(self.models)}


def build_rate_table(models: Sequence[str], rows: Sequence[Sequence[RateRow]]) -> RateTable:
    """Lay out the rows of each model (ascending in time) as one table."""
    invariant(len(models) == len(rows), "each model has its list of rows")
    flat = [row for history in rows for row in history]
    n_tiers = 1 + max((len(row.tiers) for row in flat), default=0)
    offset = np.zeros(len(models) + 1, dtype=np.int64)
    np.cumsum([len(history) for history in rows], out=offset[1:])
    prices = np.full((len(flat), n_tiers, N_QUANTITIES), NOT_PRICED, dtype=np.int64)
    tier_above = np.full((len(flat), n_tiers), INT64_MAX, dtype=np.int64)
    for history, model in zip(rows, models, strict=True):
        starts = [row.from_us for row in history]
        invariant(starts == sorted(set(starts)), f"the rates of {model} ascend in time")
    for k, row in enumerate(flat):
        if not 0 < row.increment <= MAX_AMOUNT:
            raise BadInput("a rounding increment is out of range", value=row.increment)
        tier_above[k, 0] = -1
        if row.prices:
            prices[k, 0] = row.prices
        for t, (above, tier_prices) in enumerate(row.tiers, start=1):
            tier_above[k, t] = above
            prices[k, t] = tier_prices
    return RateTable(
        models=tuple(models),
        offset=offset,
        from_us=np.array([row.from_us for row in flat], dtype=np.int64),
        prices=prices,
        tier_above=tier_above,
        increment=np.array([row.increment if row.prices else 0 for row in flat], dtype=np.int64),
        direction=np.array([DIRECTION_CODE[row.direction] for row in flat], dtype=np.int8),
        version=np.array([row.version for row in flat], dtype=np.int64),
    )
