"""``economy warehouse``: usage history for analysts."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from economy.cli.common import (
    FOUND,
    OK,
    AsOption,
    HomeOption,
    JsonOption,
    answer,
    open_economy,
    table,
)


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Usage history in Parquet and DuckDB.")
    group.command("publish")(publish)
    group.command("sql")(sql)
    group.command("tables")(tables)
    app.add_typer(group, name="warehouse")


def publish(home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False) -> None:
    """Copy what is new in the ledger, once, and compare both sides (exit 1 if they differ)."""
    economy, _ = open_economy(home, as_name)
    report = economy.publish_warehouse()
    differences = economy.compare_warehouse()
    document = {
        "added": report.added,
        "differences": [str(difference) for difference in differences],
    }

    def show(out: Any) -> None:
        added = ", ".join(f"{rows:,} {name} rows" for name, rows in report.added.items())
        out.print(
            f"Added {added}; the warehouse and the ledger {'differ' if differences else 'agree'}."
        )
        for difference in differences:
            out.print(str(difference), markup=False)

    answer(as_json, document, show, FOUND if differences else OK)


def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one SELECT over the warehouse."""
    economy, actor = open_economy(home, as_name)
    result = economy.query_warehouse(actor, statement)
    document = {
        "columns": list(result.columns),
        "rows": [[_plain(cell) for cell in row] for row in result.rows],
    }
    answer(as_json, document, lambda out: out.print(table("", result.columns, result.rows)))


def tables(home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False) -> None:
    """What can be queried, with the number of columns."""
    economy, actor = open_economy(home, as_name)
    result = economy.query_warehouse(
        actor,
        "SELECT table_name, count(*) AS columns FROM information_schema.columns"
        " GROUP BY table_name ORDER BY table_name",
    )
    document = {"tables": [{"name": name, "columns": n} for name, n in result.rows]}
    answer(as_json, document, lambda out: out.print(table("", ("table", ">columns"), result.rows)))


def _plain(cell: object) -> object:
    """JSON has no dates and no decimals: those become text, exactly."""
    return cell if isinstance(cell, int | float | str | bool) or cell is None else str(cell)
