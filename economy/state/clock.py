"""Where the time comes from: the machine, or a test."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that can say what time it is, in microseconds UTC."""

    def now_us(self) -> int: ...


class SystemClock:
    """The machine's wall clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000


class FixedClock:
    """A clock that stands still until it is moved. It refuses to go back."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def move_to(self, now_us: int) -> None:
        if now_us < self._now_us:
            raise ValueError(f"a clock does not go back: {now_us} is before {self._now_us}")
        self._now_us = now_us

    def advance(self, seconds: int) -> None:
        self.move_to(self._now_us + seconds * 1_000_000)
