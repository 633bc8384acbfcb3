"""When a buyer buys Credits, and which pack.

A buyer is *short* when its balance is below its low-water mark, or when a request was
refused since its last top-up. A short buyer notices within the tick with a given
probability; then its pack mark picks a pack by its thresholds. A pack beyond what is left
of the budget gives way to the dearest one that is affordable and cheaper; if none is, the
buyer stays short, and its requests are refused until the budget is renewed. At tick 0
everybody is short and notices: the opening purchase.

One 32-bit mark a buyer and tick: the high half decides noticing, the low half the pack.
Example: notice threshold 16,384 (p = 0.25) and mark 0x20008000: 0x2000 = 8,192 is below, so
the buyer acts; 0x8000 = 32,768 falls to the first pack whose threshold is above it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from economy.compiled import compiled
from simulations.agents.population import DAYS_PER_BUDGET, PACK_MARK_RANGE
from simulations.scenario import Scenario
from simulations.streams import Purpose, stream

I64 = NDArray[np.int64]

NO_PACK = -1


def top_up_marks(n_buyers: int, seed: int, replication: int, tick: int) -> I64:
    """One 32-bit mark a buyer, int64 (n)."""
    marks = stream(seed, replication, Purpose.TOP_UP, tick).integers(
        0, 2**32, n_buyers, dtype=np.uint32
    )
    return marks.astype(np.int64)


def notice_limit(scenario: Scenario, tick: int) -> int:
    """16-bit threshold below which a short buyer acts in this tick."""
    if tick == 0:
        return PACK_MARK_RANGE
    hours = scenario.horizon.tick_minutes / 60
    chance: float = 1 - (1 - scenario.top_ups.notice_probability) ** hours
    return round(chance * PACK_MARK_RANGE)


def budget_is_renewed(scenario: Scenario, tick: int) -> bool:
    """Every 30 days, from tick 0."""
    return tick % (DAYS_PER_BUDGET * scenario.horizon.ticks_per_day) == 0


@compiled
def choose_packs(  # noqa: PLR0917 -- compiled code takes its columns by position
    available_ucr: I64,
    low_water_ucr: I64,
    refused: NDArray[np.bool_],
    budget_left_nusd: I64,
    marks: I64,
    notice: int,
    pack_limits: I64,
    pack_price_nusd: I64,
) -> I64:
    """The pack that each buyer buys in this tick, ``NO_PACK`` where none; int64 (n).

    ``available_ucr`` is (n, lots a buyer); packs are sorted by price. Nothing is changed: the
    caller books what was chosen.
    """
    n = len(low_water_ucr)
    packs = np.full(n, NO_PACK, dtype=np.int64)
    for i in range(n):
        balance_ucr = 0
        for lot in range(available_ucr.shape[1]):
            balance_ucr += available_ucr[i, lot]
        if balance_ucr >= low_water_ucr[i] and not refused[i]:
            continue
        if marks[i] >> 16 >= notice:
            continue
        taste = marks[i] & 0xFFFF
        pack = 0
        while taste >= pack_limits[i, pack]:
            pack += 1
        while pack >= 0 and pack_price_nusd[pack] > budget_left_nusd[i]:
            pack -= 1
        packs[i] = pack
    return packs
