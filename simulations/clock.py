"""Simulated time: ticks, cut into phases, as whole numbers.

Within a tick the order is fixed: first the *market* moves (costs, then sheets), then the
*buyers* act in account order, then the books are *closed* (platform legs, record). SimPy's
time is ``4 * tick + phase``, so that order follows from the time and not from the accident
of who was scheduled first. All events of a tick carry the instant at which it begins.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simulations.scenario import Horizon

Process = Generator[simpy.Event, Any, None]
"""What a SimPy process is: a generator of the events that it waits for."""

MARKET, BUYERS, CLOSING = 0, 1, 2
PHASES_PER_TICK = 4


def moment(tick: int, phase: int) -> int:
    """SimPy's time of a phase of a tick."""
    return PHASES_PER_TICK * tick + phase


def tick_at(now: int | float) -> int:
    """The tick in which SimPy's time lies."""
    return int(now) // PHASES_PER_TICK


def instant_us(horizon: Horizon, tick: int) -> int:
    """When a tick begins, microseconds UTC."""
    return horizon.start_us + tick * horizon.tick_us
