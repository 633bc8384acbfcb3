"""What one benchmark reports, and how a figure is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

WALL = time.perf_counter
CPU = time.process_time
"""The two clocks: seconds on the wall, seconds that this process kept a processor busy."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure and how far to trust it.

    ``spread`` is (largest - smallest run) / median: 0.1 means the runs lay within 10 %.
    ``peer_value`` is the same work done by ``peer`` on this machine, in the same unit.
    """

    name: str
    value: float
    unit: str
    spread: float
    peer: str | None = None
    peer_value: float | None = None

    def beside(self, peer: Measurement) -> Measurement:
        """This figure with a peer's, taken the same way, next to it."""
        return replace(self, peer=peer.name, peer_value=peer.value)

    def as_dict(self) -> dict[str, object]:
        ratio = self.value / self.peer_value if self.peer_value else None
        return {
            "name": self.name,
            "value": rounded(self.value),
            "unit": self.unit,
            "spread": round(self.spread, 3),
            "peer": self.peer,
            "peer_value": None if self.peer_value is None else rounded(self.peer_value),
            "ratio": None if ratio is None else rounded(ratio),
        }


def rounded(value: float) -> float:
    """Four significant figures: the runs differ in the second or third."""
    return float(f"{value:.4g}")


def rate(
    name: str,
    unit: str,
    count: int,
    work: Callable[[], object],
    *,
    runs: int,
    clock: Callable[[], float] = WALL,
    prepare: Callable[[], object] | None = None,
) -> Measurement:
    """``count`` things done by each run of ``work``, as things per second.

    ``work`` runs once before, untimed: compiled code is loaded, files are in memory.
    ``prepare`` runs before each run, untimed.
    """
    seconds = [_seconds(work, clock, prepare) for _ in range(1 + runs)][1:]
    return of_runs(name, unit, [count / s for s in seconds])


def of_runs(name: str, unit: str, values: list[float]) -> Measurement:
    """The median of figures that were taken one by one, and their spread."""
    middle = median(values)
    return Measurement(name, middle, unit, (max(values) - min(values)) / middle)


def _seconds(
    work: Callable[[], object],
    clock: Callable[[], float],
    prepare: Callable[[], object] | None,
) -> float:
    if prepare is not None:
        prepare()
    start = clock()
    work()
    return clock() - start
