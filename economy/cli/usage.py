"""``economy usage``: logs in, charges out."""

from __future__ import annotations

from pathlib import Path
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
    progress_bar,
    show_row_errors,
    table,
)
from economy.cli.sheets import find_sheet
from economy.metering.importing import ImportReport
from economy.units import credits_text, instant_text, usd_text
from economy.usage.batch import ReadReport
from economy.usage.maps import load_map
from economy.usage.readers.table import read_usage
from economy.views.receipts import exact_credits, receipt_document


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Import usage logs and look at them.")
    group.command("import")(import_)
    group.command("rate")(rate)
    group.command("explain")(explain)
    group.command("unpriced")(unpriced)
    app.add_typer(group, name="usage")


def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files.")],
    column_map: Annotated[
        str | None, typer.Option("--map", help="A shipped column map or a TOML file.")
    ] = None,
    add_customers: Annotated[
        bool, typer.Option(help="Register customers that the workspace does not know.")
    ] = False,
    charge: Annotated[
        bool, typer.Option("--charge/--no-charge", help="Without charging: only read and check.")
    ] = True,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rate and charge usage files; good rows are taken, bad ones reported (exit 1)."""
    economy, actor = open_economy(home, as_name)
    mapped = load_map(column_map) if column_map else None
    reports = []
    for file in files[1:]:
        read_usage(file, mapped, economy.policy.usage, ReadReport())  # Unusable: before any charge.
    for file in files:
        if not charge:
            reports.append(economy.check_usage(actor, file, mapped))
            continue
        with progress_bar(f"charging {file.name}") as progress:
            reports.append(
                economy.import_usage(
                    actor, file, mapped, add_customers=add_customers, progress=progress
                )
            )
    documents = [
        {"file": str(file), **import_document(report)}
        for file, report in zip(files, reports, strict=True)
    ]
    rejected = sum(report.rejected for report in reports)

    def show(out: Any) -> None:
        for file, report in zip(files, reports, strict=True):
            said = import_sentence(report) if charge else check_sentence(report)
            out.print(f"{file}: {said}", markup=False)
            show_row_errors(out, report.errors)

    answer(
        as_json,
        documents[0] if len(documents) == 1 else {"files": documents},
        show,
        FOUND if rejected else OK,
    )


def rate(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet.")],
    sheet: Annotated[str, typer.Option(help="A sheet id or version, live, or a JSON file.")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write, a row an event.")],
    column_map: Annotated[
        str | None, typer.Option("--map", help="A shipped column map or a TOML file.")
    ] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a file would cost under any sheet; charges nobody."""
    economy, actor = open_economy(home, as_name)
    mapped = load_map(column_map) if column_map else None
    report = economy.rate_usage(actor, file, mapped, sheet=find_sheet(economy, sheet), out=out)
    document = {
        "read": report.read,
        "rated": report.rated,
        "rejected": report.rejected,
        "unrounded_ucr": report.unrounded_ucr,
        "charge_ucr": report.charge_ucr,
        "cost_nusd": report.cost_nusd,
        "out": str(out),
        "errors": [error.as_dict() for error in report.errors],
    }

    def show(console: Any) -> None:
        console.print(
            f"{report.rated:,} of {report.read:,} rated: {credits_text(report.charge_ucr)} Cr "
            f"({credits_text(report.unrounded_ucr)} unrounded), in {out}",
            markup=False,
        )
        show_row_errors(console, report.errors)

    answer(as_json, document, show, FOUND if report.rejected else OK)


def import_document(report: ImportReport) -> dict[str, Any]:
    """An import report for ``--json``."""
    charges = report.charges
    return {
        "read": report.read,
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "unpriced": report.unpriced,
        "rejected": report.rejected,
        "charged": charges.charged,
        "refused": charges.refused,
        "not_charged": charges.not_charged,
        "rated_unrounded_ucr": charges.rated_unrounded_ucr,
        "rated_ucr": charges.rated_ucr,
        "charge_ucr": charges.charge_ucr,
        "rounding_ucr": charges.rounding_ucr,
        "list_cost_nusd": charges.list_cost_nusd,
        "paid_cost_nusd": charges.paid_cost_nusd,
        "errors": [error.as_dict() for error in report.errors],
    }


def import_sentence(report: ImportReport) -> str:
    """An import report for a person."""
    charges = report.charges
    parts = [
        f"{report.read:,} read, {report.accepted:,} accepted",
        f"{charges.charged:,} charged {credits_text(charges.charge_ucr)} Cr",
    ]
    for count, word in (
        (charges.refused, "refused for balance"),
        (charges.not_charged, "failed and not charged"),
        (report.duplicates, "duplicates"),
        (report.unpriced, "unpriced"),
        (report.rejected, "rejected"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    return ", ".join(parts)


def check_sentence(report: ImportReport) -> str:
    """A report of a file that was only read."""
    usable = report.read - report.rejected
    return f"{report.read:,} read, {usable:,} usable, {report.rejected:,} rejected; nothing charged"


def explain(
    event: Annotated[str, typer.Argument(help="The event id of a charged request.")],
    source: Annotated[str | None, typer.Option(help="Where the event came from.")] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The receipt of one request, line by line, with the sheet that priced it."""
    economy, actor = open_economy(home, as_name)
    document = receipt_document(economy, actor, event, source)

    def show(out: Any) -> None:
        if document["status"] == "held":
            out.print(f"{event} is authorised and not settled yet.", markup=False)
            return
        rows = [
            (
                line["quantity"],
                f"{line['amount']:,}",
                exact_credits(line["price_ucr"]),
                f"{line['per']:,}",
                exact_credits(line["exact_ucr"]),
            )
            for line in document["lines"]
        ]
        title = f"{document['model']}, {document['time']}, {document['status']}"
        out.print(table(title, ("quantity", ">amount", ">Credits", ">per", ">exact"), rows))
        out.print(
            f"{credits_text(document['unrounded_ucr'])} Cr, rounded {document['direction']} to a "
            f"multiple of {credits_text(document['increment_ucr'])}: "
            f"{credits_text(document['rated_ucr'])} Cr; charged "
            f"{credits_text(document['charge_ucr'])} Cr. Sheet version "
            f"{document['sheet_version']} ({document['sheet_sha256'][:12]}).",
            markup=False,
        )
        sides = (("list", "over_list_cost"), ("paid out", "over_paid_cost"))
        out.print(
            table(
                f"${usd_text(document['revenue_reference_nusd'])} at reference value, "
                f"${usd_text(document['revenue_basis_nusd'])} at basis",
                ("cost", ">$", ">profit $", ">markup %", ">margin %"),
                [
                    (
                        name,
                        usd_text(document[f"{name.split()[0]}_cost_nusd"]),
                        usd_text(document[over]["profit_nusd"]),
                        document[over]["markup_percent"],
                        document[over]["margin_percent"],
                    )
                    for name, over in sides
                ],
            )
        )

    answer(as_json, document, show)


def unpriced(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """Models in the logs that have no price; their events wait."""
    economy, _ = open_economy(home, as_name)
    waiting = economy.unpriced()
    answer(
        as_json,
        {
            "models": [
                {
                    "model": one.model,
                    "reason": one.reason,
                    "events": one.events,
                    "first": instant_text(one.first_us),
                    "last": instant_text(one.last_us),
                }
                for one in waiting
            ]
        },
        lambda out: out.print(
            table(
                "",
                ("model", "reason", ">events", "first", "last"),
                [
                    (
                        one.model,
                        one.reason,
                        one.events,
                        instant_text(one.first_us),
                        instant_text(one.last_us),
                    )
                    for one in waiting
                ],
            )
            if waiting
            else "Every model in the logs has a price."
        ),
    )
