"""``economy simulate``: run a scenario, or show its stored result."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from economy.cli.common import (
    AsOption,
    HomeOption,
    JsonOption,
    answer,
    home_dir,
    open_economy,
    progress_bar,
    table,
)
from economy.economy import DATABASE_NAME
from economy.errors import BadInput
from economy.identity import require
from economy.units import NUSD_PER_USD, UCR_PER_CREDIT
from simulations.runner import ENGINES, Engine, run
from simulations.scenario import load_scenario
from simulations.statistics import Interval
from simulations.studies.shock import ShockTable, shock_table

SHOWN = (
    ("profit_nusd", "profit at reference, $", NUSD_PER_USD),
    ("profit_basis_nusd", "profit at basis, $", NUSD_PER_USD),
    ("served", "demand served", 1),
    ("refused", "refused, no balance", 1),
    ("charge_ucr", "Credits charged", UCR_PER_CREDIT),
)


def register(app: typer.Typer) -> None:
    app.command("simulate")(simulate)


def simulate(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a TOML file.")],
    seed: Annotated[int | None, typer.Option(help="Default: the scenario's.")] = None,
    replications: Annotated[int | None, typer.Option(help="Default: the scenario's.")] = None,
    engine: Annotated[str, typer.Option(help="cohort, or reference (slow).")] = "cohort",
    workers: Annotated[
        int | None, typer.Option(help="Processes; the result does not depend on them.")
    ] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate every answer of a scenario on common random numbers; the result is stored."""
    asked = load_scenario(scenario)
    folder = home_dir(home)
    if (folder / DATABASE_NAME).exists():
        _, actor = open_economy(folder, as_name)
        require(actor, "business", "analyst", "admin")
    times = asked.replications if replications is None else replications
    days = asked.horizon.days * len(asked.answers) * max(times, 0)
    with progress_bar("simulated days", days) as show_progress:
        outcome = run(
            asked,
            folder,
            seed=seed,
            replications=replications,
            engine=_engine(engine),
            workers=(os.cpu_count() or 1) if workers is None else workers,
            progress=lambda done, _total: show_progress(done),
        )
    result = shock_table(asked, outcome)
    answer(as_json, result.as_dict(), lambda out: show_table(out, result))


def show_table(out: Console, result: ShockTable) -> None:
    """The study for people: each measure by answer, with its difference to the baseline."""
    if result.question:
        out.print(result.question, markup=False)
    rows = []
    for name, title, scale in SHOWN:
        for number, row in enumerate(result.rows):
            measured = row.measures[name]
            difference = measured.difference
            unknown = difference is not None and difference.crosses_zero
            rows.append(
                (
                    "" if number else title,
                    row.answer,
                    interval_text(measured.level, scale),
                    "baseline" if difference is None else interval_text(difference, scale, "+"),
                    "sign not known" if unknown else "",
                )
            )
    columns = ("", "answer", ">mean", f">against {result.baseline}", "")
    heading = f"{result.replications} replications, 95 % intervals (differences paired)"
    out.print(table(heading, columns, rows))
    out.print(f"Stored as {result.run_id}", markup=False)


def interval_text(interval: Interval, scale: int, sign: str = "") -> str:
    """``1,234 ± 56`` in units of ``scale``; without a half-width where one value is all."""
    mean = f"{interval.mean / scale:{sign},.0f}"
    if interval.half_width is None:
        return mean
    return f"{mean} ± {interval.half_width / scale:,.0f}"


def _engine(name: str) -> Engine:
    if name not in ENGINES:
        raise BadInput(
            "no such engine", field="--engine", value=name, way_out="Choose cohort or reference"
        )
    return "cohort" if name == "cohort" else "reference"
