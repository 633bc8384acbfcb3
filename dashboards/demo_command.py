"""The demo as a command: runs the job, tells its figures, opens the workbench."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dashboards import demo
from dashboards.serving import run
from economy.cli.common import (
    FOUND,
    OK,
    HomeOption,
    JsonOption,
    answer,
    ensure_economy,
    home_dir,
    progress_bar,
    show_row_errors,
    table,
)
from economy.cli.usage import import_document, import_sentence
from economy.policy import load_policy
from economy.units import credits_text
from economy.usage.batch import ReadReport
from economy.usage.maps import ColumnMap, load_map
from economy.usage.readers.table import read_usage
from simulations import runner
from simulations.commands import show_table
from simulations.scenario import load_scenario
from simulations.studies.shock import ShockTable, shock_table

SCENARIO = "gpt4_shock"


def demo_command(  # noqa: PLR0917 -- options are given by name
    usage: Annotated[
        Path | None, typer.Option(help="Your own log, CSV or Parquet (default: demo usage).")
    ] = None,
    column_map: Annotated[
        str | None, typer.Option("--map", help="A shipped column map or a TOML file.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="founding, sound, or a policy file (new ones: founding).")
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Stop after the job; start no dashboard.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Of the dashboard.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The main job: prices, usage, ledger, warehouse, simulation, then the dashboard."""
    mapped = load_map(column_map) if column_map else None
    if usage is not None:
        check_file(usage, mapped)
    economy = ensure_economy(home_dir(home), policy, default="founding")
    actor = economy.actor()
    demo.prepare(economy, actor)
    source, report = demo.charge(economy, actor, usage, mapped)
    models = demo.live_requests(economy, actor)
    published = economy.publish_warehouse()
    differences = economy.compare_warehouse()
    verified = economy.verify()
    study = simulate(economy.home)
    with economy.database.reading() as connection:
        totals = demo.source_totals(connection, source)
    document = {
        "home": str(economy.home),
        "policy": economy.policy.name,
        "source": source,
        **demo.totals_document(totals),
        "import": import_document(report),
        "models": models,
        "worked_request": demo.WORKED_EVENT,
        "ledger_ok": verified.ok,
        "warehouse": {
            "rows": published.rows,
            "differences": [str(difference) for difference in differences],
        },
        "simulation": study.as_dict(),
    }

    def show(out: Console) -> None:
        out.print(f"{source}: {import_sentence(report)}", markup=False)
        show_row_errors(out, report.errors)
        out.print(totals_table(totals))
        books = "balance" if verified.ok else "are broken (economy ledger verify)"
        agree = "differs from" if differences else "agrees with"
        out.print(f"The books {books}; the warehouse {agree} the ledger.")
        show_table(out, study)

    sound = verified.ok and not differences
    code = OK if sound and report.rejected == 0 else FOUND
    if no_open or as_json:
        answer(as_json, document, show, code)
        return
    answer(as_json, document, show)
    run(economy.home, port=port, dev_roles=True)


def check_file(usage: Path, column_map: ColumnMap | None) -> None:
    """Raise what is wrong with the whole file before anything is made."""
    rules = load_policy("founding").usage
    read_usage(usage, column_map, rules, ReadReport())


def simulate(home: Path) -> ShockTable:
    """The shock study of the rules, run or found again."""
    scenario = load_scenario(SCENARIO)
    days = scenario.horizon.days * len(scenario.answers) * scenario.replications
    with progress_bar("simulated days", days) as progress:
        outcome = runner.run(
            scenario,
            home,
            workers=os.cpu_count() or 1,
            progress=lambda done, _total: progress(done),
        )
    return shock_table(scenario, outcome)


def totals_table(totals: demo.SourceTotals) -> Any:
    """What the sheet asks for this source, and what balances paid."""
    figures = demo.totals_document(totals)["rated"]
    return table(
        "This source in the ledger",
        ("", ">requests", ">Credits"),
        [
            ("rated, unrounded", f"{totals.events:,}", credits_text(totals.unrounded_ucr)),
            (
                f"rated, each rounded (+{figures['rounding_percent']} %)",
                f"{totals.events:,}",
                credits_text(totals.rated_ucr),
            ),
            ("charged", f"{totals.charged:,}", credits_text(totals.charge_ucr)),
            ("refused for balance", f"{totals.refused:,}", credits_text(totals.refused_ucr)),
        ],
    )
