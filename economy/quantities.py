"""What a request can consume: nine metered quantities, and the unit each is priced in.

The quantities of one request are *disjoint*: cached input is not part of
``input_tokens`` and reasoning is not part of ``output_tokens``. Readers of foreign
logs, where they overlap, subtract. So a price is a plain sum over quantities,
``sum(quantity * price / per)``, and no token can be charged twice.

A price is an integer for ``per`` units of its quantity: for tokens ``ucr_per_mtok``,
for audio ``ucr_per_minute``. Arrays over quantities have :data:`N_QUANTITIES` columns
in the order of :data:`QUANTITIES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Quantity:
    """A metered quantity: usage field ``name``, price key ``key``, priced per ``per``."""

    name: str
    key: str
    per: int
    unit: str


QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("input_tokens", "input", 1_000_000, "mtok"),
    Quantity("output_tokens", "output", 1_000_000, "mtok"),
    Quantity("cached_input_tokens", "cached_input", 1_000_000, "mtok"),
    Quantity("cache_write_5m_tokens", "cache_write_5m", 1_000_000, "mtok"),
    Quantity("cache_write_1h_tokens", "cache_write_1h", 1_000_000, "mtok"),
    Quantity("reasoning_tokens", "reasoning", 1_000_000, "mtok"),
    Quantity("audio_ms", "audio", 60_000, "minute"),
    Quantity("images", "image", 1, "image"),
    Quantity("requests", "request", 1, "request"),
)
N_QUANTITIES: Final = len(QUANTITIES)
INPUT, OUTPUT, CACHED_INPUT, CACHE_WRITE_5M, CACHE_WRITE_1H, REASONING, AUDIO, IMAGE, REQUEST = (
    range(N_QUANTITIES)
)
N_TOKEN_QUANTITIES: Final = 6
"""The first six quantities are tokens; a blended price covers them all alike."""

INDEX_BY_KEY: Final = {quantity.key: i for i, quantity in enumerate(QUANTITIES)}
INDEX_BY_NAME: Final = {quantity.name: i for i, quantity in enumerate(QUANTITIES)}

PER: Final[NDArray[np.int64]] = np.array([q.per for q in QUANTITIES], dtype=np.int64)
COMMON_DENOMINATOR: Final = lcm(*(q.per for q in QUANTITIES))
"""Every price is a whole number of 1/3,000,000 micro-credits: sums stay exact."""

MAX_QUANTITY: Final = 1_000_000_000
"""More than this of anything in one request is a fault of the log, not usage."""
MAX_PRICE: Final = 9_000_000_000_000
"""Largest price for ``per`` units. ``(per - 1) * MAX_PRICE`` must fit int64."""
