"""Stored results: a run is a folder that is named by what it depends on.

``<home>/simulations/<name>-<hash>/`` holds one Parquet part a finished replication
(``replication-00007.parquet``: answer, replication, day, and the columns of
:mod:`simulations.recording` summed by day) and, once all are there, ``manifest.json``.

The hash is over scenario, policy, seed, replications, engine and the source of the programs,
so the same question asked again is found, and a result of other code is never taken for
it. Parts and manifest are written beside and renamed: a file that is there is whole. A run
that was interrupted has parts without a manifest; running it again keeps those, and ends
in the very numbers that an unbroken run would have given.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from economy.errors import BadInput, NotFound, invariant
from simulations.scenario import Scenario

I64 = NDArray[np.int64]

SCHEMA_VERSION = 1
DEPENDENCIES = ("numpy", "numba", "scipy", "simpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class RunKey:
    """What a run depends on. ``run_id`` names it."""

    scenario: Scenario
    seed: int
    replications: int
    engine: Literal["cohort", "reference"]

    @property
    def run_id(self) -> str:
        text = json.dumps(self._inputs(), sort_keys=True, separators=(",", ":"))
        return f"{self.scenario.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def manifest(self) -> dict[str, Any]:
        """All that somebody needs to know, and to check, about where the numbers come from."""
        versions = {name: importlib.metadata.version(name) for name in DEPENDENCIES}
        return {**self._inputs(), "run_id": self.run_id, "dependencies": versions}

    def _inputs(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "scenario": _plain(self.scenario.model_dump()),
            "policy": _plain(self.scenario.policy().model_dump()),
            "seed": self.seed,
            "replications": self.replications,
            "engine": self.engine,
            "code": code_version(),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run. ``days`` int64 (answers, replications, days, columns)."""

    run_id: str
    answers: tuple[str, ...]
    columns: tuple[str, ...]
    days: I64

    def totals(self, answer: str, column: str) -> list[int]:
        """A flow's sum over the horizon, one a replication."""
        values = self.days[self.answers.index(answer), :, :, self.columns.index(column)]
        return [int(value) for value in values.sum(axis=1)]

    def daily(self, answer: str, column: str) -> I64:
        """One column by day, int64 (replications, days)."""
        return self.days[self.answers.index(answer), :, :, self.columns.index(column)]


class ResultStore:
    """The stored runs of one home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "simulations"

    def manifest(self, run_id: str) -> dict[str, Any] | None:
        """The manifest of a finished run, or None."""
        path = self._manifest_path(run_id)
        if not path.exists():
            return None
        try:
            document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise BadInput(
                f"the stored result is damaged: {error}",
                where=str(path),
                way_out=f"Delete {path.parent} and run the scenario again",
            ) from None
        return document

    def runs(self) -> list[str]:
        """Finished runs, oldest first."""
        found = self.folder.glob("*/manifest.json") if self.folder.exists() else ()
        return [path.parent.name for path in sorted(found, key=lambda path: path.stat().st_mtime)]

    def has_replication(self, run_id: str, replication: int) -> bool:
        return self._part_path(run_id, replication).exists()

    def save_replication(
        self, run_id: str, replication: int, days_by_answer: Mapping[str, I64], columns: list[str]
    ) -> None:
        """Append one part: ``days_by_answer`` int64 (days, columns) each."""
        path = self._part_path(run_id, replication)
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = list(days_by_answer)
        days = next(iter(days_by_answer.values())).shape[0]
        values = np.concatenate([days_by_answer[answer] for answer in answers])
        table = pa.table(
            {
                "answer": pa.array([answer for answer in answers for _ in range(days)]),
                "replication": pa.array([replication] * len(values), pa.int32()),
                "day": pa.array(list(range(days)) * len(answers), pa.int32()),
                **{name: pa.array(values[:, i]) for i, name in enumerate(columns)},
            }
        )
        beside = path.with_suffix(".tmp")
        pq.write_table(table, beside, compression="zstd")
        beside.replace(path)

    def finish(self, key: RunKey) -> None:
        """Declare a run finished; all its parts are there."""
        missing = [r for r in range(key.replications) if not self.has_replication(key.run_id, r)]
        invariant(not missing, f"a finished run has all its replications (missing {missing})")
        path = self._manifest_path(key.run_id)
        beside = path.with_suffix(".tmp")
        beside.write_text(json.dumps(key.manifest(), indent=1, sort_keys=True), "utf-8")
        beside.replace(path)

    def load(self, run_id: str) -> Outcome:
        """A finished run's numbers."""
        manifest = self.manifest(run_id)
        if manifest is None:
            raise NotFound(
                "no finished run", field="run", value=run_id, way_out="List them with runs()"
            )
        replications = manifest["replications"]
        parts = [pq.read_table(self._part_path(run_id, r)) for r in range(replications)]
        columns = tuple(parts[0].column_names[3:])
        answers = tuple(answer["name"] for answer in manifest["scenario"]["answers"])
        days = manifest["scenario"]["horizon"]["days"]
        values = np.empty((len(answers), replications, days, len(columns)), dtype=np.int64)
        for replication, part in enumerate(parts):
            if part.num_rows != len(answers) * days:
                raise BadInput(
                    "a stored part has not the rows that its manifest promises",
                    where=str(self._part_path(run_id, replication)),
                    way_out="Delete the run's folder and run it again",
                )
            for i, name in enumerate(columns):
                values[:, replication, :, i] = part[name].to_numpy().reshape(len(answers), days)
        return Outcome(run_id, answers, columns, values)

    def _part_path(self, run_id: str, replication: int) -> Path:
        return self.folder / run_id / f"replication-{replication:05d}.parquet"

    def _manifest_path(self, run_id: str) -> Path:
        return self.folder / run_id / "manifest.json"


@lru_cache(maxsize=1)
def code_version() -> str:
    """SHA-256 over the sources that can change a simulated number."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for package in ("economy", "simulations"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Plain JSON values; fractions as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
