"""Random numbers that stay put: one counter-based stream a purpose.

A stream is a Philox generator whose *key* is (seed, replication) and whose *counter*
starts at (purpose, tick). So every number has an address, and

* a new feature that draws from a new purpose shifts nobody else's numbers;
* two answers to the same shock meet the same buyers, arrivals and marks (common random
  numbers): what differs between them is the answer alone;
* a run that resumes at tick 500 draws what the unbroken run would have drawn, and the
  number of worker processes cannot matter.

Example: ``stream(7, 0, Purpose.CHOICE, 12)`` gives the choice marks of tick 12 in
replication 0 of seed 7, whatever was drawn before and by whom. One stream holds 2**128
numbers before it would meet the next purpose's, so no two overlap.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.random import Generator, Philox

from economy.errors import BadInput

MAX_SEED = 2**64 - 1


class Purpose(IntEnum):
    """What numbers are for. A number, once given, never changes its purpose."""

    POPULATION = 1
    ARRIVALS = 2
    CHOICE = 3
    TOKENS = 4
    TOP_UP = 5


def stream(seed: int, replication: int, purpose: Purpose, tick: int = 0) -> Generator:
    """The generator at one address; ``tick`` 0 for what is drawn once a replication."""
    key = np.array([seed, replication], dtype=np.uint64)
    counter = np.array([0, 0, int(purpose), tick], dtype=np.uint64)
    return Generator(Philox(key=key, counter=counter))


def checked_seed(seed: object) -> int:
    """``seed`` if it is an integer from 0 to 2**64 - 1, else :class:`BadInput`."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise BadInput("a seed is an integer from 0 to 2**64 - 1", field="seed", value=seed)
    return seed
