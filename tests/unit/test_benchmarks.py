"""The frame of the benchmarks: figures are medians, areas and names are found, none twice."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.bench.__main__ import AREAS, benchmarks, table
from tests.bench.machine import describe
from tests.bench.measuring import Measurement, of_runs, rate
from tests.parts import PROJECT_ROOT


def test_a_figure_is_the_median_with_the_spread_beside_it() -> None:
    assert of_runs("x", "s", [9.0, 10.0, 14.0]) == Measurement("x", 10.0, "s", 0.5)


def test_the_first_run_is_not_timed_and_each_run_is_prepared() -> None:
    ticks = iter([0.0, 100.0, 0.0, 1.0, 0.0, 2.0, 0.0, 4.0])
    calls: list[str] = []
    result = rate(
        "x",
        "events per second",
        8,
        lambda: calls.append("work"),
        runs=3,
        clock=lambda: next(ticks),
        prepare=lambda: calls.append("prepare"),
    )
    assert result.value == 4.0
    assert calls == ["prepare", "work"] * 4


def test_a_peer_stands_beside_with_the_ratio() -> None:
    ours = Measurement("x", 12.0, "s", 0.0).beside(Measurement("other", 3.0, "s", 0.0))
    assert ours.as_dict() == {
        "name": "x",
        "value": 12.0,
        "unit": "s",
        "spread": 0.0,
        "peer": "other",
        "peer_value": 3.0,
        "ratio": 4.0,
    }


def test_quick_figures_say_that_they_are_quick() -> None:
    assert "quick" in table([Measurement("x", 1.0, "s", 0.0)], quick=True)
    assert "quick" not in table([Measurement("x", 1.0, "s", 0.0)], quick=False)


def test_every_area_measures_something_and_no_name_is_taken_twice() -> None:
    names = {area: [module.NAME for module in benchmarks(area)] for area in AREAS}
    assert all(names.values()), names
    every = [name for area in names.values() for name in area]
    assert len(set(every)) == len(every)


def test_the_machine_is_described_without_naming_it() -> None:
    machine = describe()
    assert {"processor", "cores", "memory_gib", "python", "packages"} <= set(machine)
    assert str(PROJECT_ROOT) not in json.dumps(machine)


def test_an_unknown_area_is_refused_with_the_known_ones() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench", "nonsense"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert all(area in run.stderr for area in AREAS)


def test_a_quick_run_is_one_json_document_and_progress_stands_apart() -> None:
    one = "from tests.bench import __main__ as m; from tests.bench.metering import rating_plain_cpu"
    code = f"{one}; m.benchmarks = lambda area: [rating_plain_cpu]; m.main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "metering", "--quick", "--json"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(run.stdout)
    assert document["quick"] is True
    assert [result["name"] for result in document["results"]] == ["rating.plain_cpu"]
    assert document["results"][0]["value"] > 0
    assert "rating.plain_cpu" in run.stderr
