"""Runs: stored, found again, resumed, cancelled; the same whatever the workers."""

import json
from pathlib import Path

import numpy as np
import pytest

from economy.errors import BadInput, NotFound
from simulations import results
from simulations.results import ResultStore
from simulations.runner import Cancelled, run
from simulations.scenario import load_scenario


@pytest.fixture(scope="module")
def small():
    return load_scenario("demo_small")


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return home, run(small, home)


def test_a_finished_run_is_found_again(small, finished, monkeypatch):
    home, outcome = finished
    monkeypatch.setattr("simulations.runner.run_replication", None)
    again = run(small, home)
    assert again.run_id == outcome.run_id
    np.testing.assert_array_equal(again.days, outcome.days)
    assert ResultStore(home).runs() == [outcome.run_id]


def test_seed_replications_engine_and_code_name_the_run(small, finished, tmp_path, monkeypatch):
    names = {finished[1].run_id}
    for changed in ({"seed": 8}, {"replications": 1}, {"replications": 1, "engine": "reference"}):
        names.add(run(small, tmp_path, **changed).run_id)
    monkeypatch.setattr(results, "code_version", lambda: "other")
    names.add(run(small, tmp_path, replications=1).run_id)
    assert len(names) == 5


def test_engines_store_the_same_numbers(small, tmp_path):
    cohort = run(small, tmp_path, replications=1)
    reference = run(small, tmp_path, replications=1, engine="reference")
    np.testing.assert_array_equal(cohort.days, reference.days)


def test_a_manifest_says_where_numbers_come_from(finished):
    home, outcome = finished
    manifest = json.loads((home / "simulations" / outcome.run_id / "manifest.json").read_text())
    assert manifest["seed"] == 7
    assert manifest["policy"]["name"] == "founding"
    assert manifest["scenario"]["buyers"]["count"] == 40
    assert len(manifest["code"]) == 64
    assert manifest["dependencies"]["simpy"]


def test_a_cancelled_run_goes_on_where_it_stopped(small, finished, tmp_path):
    days_seen = []

    def cancel_in_the_second():
        return len(days_seen) > 6 * 3 + 4

    with pytest.raises(Cancelled):
        run(
            small,
            tmp_path,
            progress=lambda done, total: days_seen.append((done, total)),
            cancelled=cancel_in_the_second,
        )
    store = ResultStore(tmp_path)
    run_id = finished[1].run_id
    assert days_seen[-1][1] == 3 * 3 * 6
    assert [store.has_replication(run_id, r) for r in range(3)] == [True, False, False]
    with pytest.raises(NotFound, match="no finished run"):
        store.load(run_id)
    resumed = []
    outcome = run(small, tmp_path, progress=lambda done, _total: resumed.append(done))
    assert resumed[0] == 6 * 3 + 1
    np.testing.assert_array_equal(outcome.days, finished[1].days)


def test_workers_change_nothing(small, finished, tmp_path):
    outcome = run(small, tmp_path, workers=2)
    assert outcome.run_id == finished[1].run_id
    np.testing.assert_array_equal(outcome.days, finished[1].days)


def test_replications_differ_and_answers_share_their_past(finished):
    outcome = finished[1]
    occasions = np.stack([outcome.daily(answer, "occasions") for answer in outcome.answers])
    assert (occasions == occasions[0]).all()
    assert len(set(outcome.totals("absorb", "occasions"))) == 3


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"seed": -1}, "seed"),
        ({"replications": 0}, "replications"),
        ({"engine": "quantum"}, "engine"),
        ({"workers": 0}, "workers"),
    ],
)
def test_misuse_is_told(small, tmp_path, wrong, told):
    with pytest.raises(BadInput, match=told):
        run(small, tmp_path, **wrong)
    assert not list(tmp_path.iterdir())


def test_a_damaged_manifest_is_named_with_the_way_out(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    folder = store.folder / "some-run"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(BadInput, match="run the scenario again"):
        store.manifest("some-run")
