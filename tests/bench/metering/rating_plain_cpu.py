"""Rating in columns: input and output tokens at dated prices, no context tiers, one thread.

The peer rates the same kind of request one call at a time, with the library that the cost
book is filled from. It knows no price sheet, so it is given costs to compute only.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from genai_prices import Usage, calc_price

from economy.catalog.rates import RateRow, RateTable, build_rate_table, price_columns
from economy.quantities import INPUT, N_QUANTITIES, OUTPUT
from economy.rating.rate import RateStatus, rate
from economy.units import BEGINNING_OF_TIME_US
from tests.bench.measuring import CPU, Measurement
from tests.bench.measuring import rate as per_second

NAME = "rating.plain_cpu"
PEER = "genai-prices calc_price"
N_MODELS = 40
PEER_EVENTS = 2_000
BATCH = 50_000  # As the readers of usage files yield them.
CHANGE_US = 1_750_000_000_000_000


def measure(quick: bool) -> Measurement:
    n = 200_000 if quick else 1_000_000
    draw = np.random.default_rng(7)
    model = draw.integers(0, N_MODELS, n, dtype=np.int32)
    effective_us = CHANGE_US + draw.integers(0, 10**12, n)  # A log of eleven days.
    quantities = np.zeros((n, N_QUANTITIES), dtype=np.int64)
    quantities[:, INPUT] = draw.lognormal(6.6, 1.0, n).astype(np.int64)
    quantities[:, OUTPUT] = draw.lognormal(5.0, 0.9, n).astype(np.int64)
    prices, costs = table(5_000_000, increment=10_000), table(30_000_000, increment=1)

    def rate_all() -> None:
        for start in range(0, n, BATCH):
            part = slice(start, start + BATCH)
            rated = rate(model[part], effective_us[part], quantities[part], prices, costs)
            assert (rated.status == RateStatus.OK).all()

    result = per_second(
        NAME, "events per CPU-second", n, rate_all, runs=3 if quick else 7, clock=CPU
    )
    peer = per_second(PEER, "events per CPU-second", PEER_EVENTS, one_by_one, runs=3, clock=CPU)
    return result.beside(peer)


def table(base: int, increment: int) -> RateTable:
    """Two dated rows for each of the models, input and output priced apart."""
    rows = [
        [
            RateRow(
                from_us=from_us,
                version=version,
                prices=price_columns({"input": base * (m + version), "output": 3 * base * (m + 1)}),
                increment=increment,
                direction="up",
            )
            for version, from_us in enumerate((BEGINNING_OF_TIME_US, CHANGE_US), start=1)
        ]
        for m in range(N_MODELS)
    ]
    return build_rate_table([f"model-{m}" for m in range(N_MODELS)], rows)


def one_by_one() -> Decimal:
    usage = Usage(input_tokens=1_000, output_tokens=500)
    total = Decimal(0)
    for _ in range(PEER_EVENTS):
        total += calc_price(usage, "gpt-4", provider_id="openai").total_price
    return total
