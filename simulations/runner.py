"""Running a scenario: every answer in every replication, here or in worker processes.

What varies (the scenario), how one run runs (the engines) and where results go (the store)
are three things; the runner joins them. A *replication* is the unit of work: it meets all
answers with one population and one stream of occasions, and is stored when it is done.

Results do not depend on the number of workers, because every random number has an address
(:mod:`simulations.streams`). A run that was asked before is found in the store; an
interrupted one goes on from the replications that are there.

Cancelling is cooperative: between simulated days the runner asks, and stops by raising
:class:`Cancelled`; finished replications stay.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from economy.errors import BadInput, EconomyError, invariant
from simulations.cohort import run_cohort
from simulations.reference import run_reference
from simulations.results import Outcome, ResultStore, RunKey
from simulations.scenario import Scenario
from simulations.streams import checked_seed
from simulations.world import World

I64 = NDArray[np.int64]
Engine = Literal["cohort", "reference"]
ENGINES = {"cohort": run_cohort, "reference": run_reference}
MAX_WORKERS = 64
POLL_S = 0.2

Progress = Callable[[int, int], None]
"""Called with simulated days done and days in all, over all replications and answers."""


class Cancelled(EconomyError):
    """Somebody asked the run to stop. Finished replications are kept."""


@dataclass(frozen=True, slots=True)
class Replication:
    """All answers of one replication, by day: int64 (days, columns) each."""

    number: int
    columns: list[str]
    days_by_answer: dict[str, I64]


def run_replication(
    scenario: Scenario,
    seed: int,
    number: int,
    engine: Engine = "cohort",
    on_day: Callable[[int], None] | None = None,
) -> Replication:
    """Run every answer of a scenario in one replication."""
    policy = scenario.policy()
    columns: list[str] = []
    days: dict[str, I64] = {}
    for answer in scenario.answers:
        world = World(scenario, policy, answer, seed, number)
        recording = ENGINES[engine](world, on_day=on_day)
        columns = list(recording.columns)
        days[answer.name] = recording.by_day(scenario.horizon.ticks_per_day)
    return Replication(number, columns, days)


def run(
    scenario: Scenario,
    home: Path,
    *,
    seed: int | None = None,
    replications: int | None = None,
    engine: Engine = "cohort",
    workers: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Outcome:
    """Run a scenario, or find the stored result of the same run under ``home``.

    ``seed`` and ``replications`` default to the scenario's. ``workers`` above 1 starts that
    many processes (the caller's main module must be importable without side effects).
    """
    if engine not in ENGINES:
        raise BadInput(
            "no such engine", field="engine", value=engine, way_out="Choose cohort or reference"
        )
    if not 1 <= workers <= MAX_WORKERS:
        raise BadInput(f"must lie from 1 to {MAX_WORKERS}", field="workers", value=workers)
    wanted = scenario.replications if replications is None else replications
    if wanted < 1:
        raise BadInput("must be at least 1", field="replications", value=wanted)
    key = RunKey(scenario, checked_seed(scenario.seed if seed is None else seed), wanted, engine)
    store = ResultStore(home)
    if store.manifest(key.run_id) is None:
        todo = [r for r in range(wanted) if not store.has_replication(key.run_id, r)]
        meter = _Meter(key, wanted - len(todo), progress, cancelled)
        if workers > 1 and len(todo) > 1:
            _run_in_workers(key, store, todo, min(workers, len(todo)), meter)
        else:
            for number in todo:
                _store(
                    store,
                    key,
                    run_replication(scenario, key.seed, number, engine, meter.day_done),
                )
        store.finish(key)
    return store.load(key.run_id)


class _Meter:
    """Counts simulated days, tells progress, and stops when asked."""

    def __init__(
        self,
        key: RunKey,
        replications_done: int,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.days_a_replication = key.scenario.horizon.days * len(key.scenario.answers)
        self._total = self.days_a_replication * key.replications
        self._done = self.days_a_replication * replications_done
        self._progress = progress
        self._cancelled = cancelled

    def day_done(self, _day: int) -> None:
        self.add(1)

    def add(self, days: int) -> None:
        self._done += days
        if self._progress is not None:
            self._progress(self._done, self._total)
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(
                "the simulation was cancelled",
                way_out="Run it again: finished replications are kept",
            )


def _store(store: ResultStore, key: RunKey, done: Replication) -> None:
    store.save_replication(key.run_id, done.number, done.days_by_answer, done.columns)


def _run_in_workers(
    key: RunKey, store: ResultStore, todo: list[int], workers: int, meter: _Meter
) -> None:
    """Replications in spawned processes; results are stored here, by one writer."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_worker, initargs=(stop,)
    ) as pool:
        waiting = {
            pool.submit(_work, key.scenario, key.seed, number, key.engine) for number in todo
        }
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    _store(store, key, future.result())
                meter.add(len(done) * meter.days_a_replication)
        except BaseException:
            # Workers look at this once a simulated day, so leaving does not take long.
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_stop: Any = None


def _begin_worker(stop: Any) -> None:
    global _stop  # noqa: PLW0603 -- an initializer has no other way to hand over the event
    _stop = stop


def _work(scenario: Scenario, seed: int, number: int, engine: Engine) -> Replication:
    invariant(_stop is not None, "a worker was begun")

    def heed(_day: int) -> None:
        if _stop.is_set():
            raise Cancelled("the simulation was cancelled")

    return run_replication(scenario, seed, number, engine, heed)
