"""Stored simulation results that a page may show beside its own answer."""

from __future__ import annotations

from pathlib import Path

from economy.errors import BadInput
from simulations.results import ResultStore, RunKey
from simulations.scenario import load_scenario
from simulations.studies.shock import ShockTable, shock_table


def newest_shock(home: Path) -> ShockTable | None:
    """The newest finished study of a shipped scenario as the file has it today, or None.

    A run whose scenario has since been edited or removed is passed over: its table would
    carry the labels of another question.
    """
    store = ResultStore(home)
    for run_id in reversed(store.runs()):
        manifest = store.manifest(run_id)
        if manifest is None:
            continue
        try:
            scenario = load_scenario(manifest["scenario"]["name"])
        except BadInput:
            continue
        key = RunKey(scenario, manifest["seed"], manifest["replications"], manifest["engine"])
        if key.manifest()["scenario"] == manifest["scenario"]:
            return shock_table(scenario, store.load(run_id))
    return None
