"""``economy sheet``: from a draft file to production."""

from __future__ import annotations

import json
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
    table,
)
from economy.cli.prices import price_text, prices_text
from economy.economy import Economy
from economy.errors import BadInput, NotFound
from economy.pricing.sheet import PriceSheet, from_document, to_document
from economy.units import credits_text, instant_text, parse_instant
from economy.views.receipts import percent_text
from economy.views.staff import SheetDiff, difference

SheetName = Annotated[str, typer.Argument(help="A sheet id, or a JSON file of a sheet.")]
Revision = Annotated[int | None, typer.Option(help="The revision you mean; the newest if absent.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Price sheets.")
    for name, function in (
        ("list", list_sheets),
        ("show", show),
        ("new", new),
        ("check", check),
        ("diff", diff),
        ("submit", submit),
        ("approve", approve),
        ("reject", reject),
        ("publish", publish),
    ):
        group.command(name)(function)
    app.add_typer(group, name="sheet")


def list_sheets(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """Published versions and drafts."""
    economy, _ = open_economy(home, as_name)
    published = [
        {
            "sheet_id": epoch.sheet.sheet_id,
            "version": epoch.version,
            "effective": instant_text(epoch.effective_us),
            "sha256": epoch.sheet.sha256,
            "models": len(epoch.sheet.lines),
        }
        for epoch in economy.price_book().epochs
    ]
    drafts = [
        {
            "sheet_id": draft.sheet_id,
            "revision": draft.revision,
            "author": draft.author,
            "state": state,
        }
        for draft, state in economy.drafts()
    ]

    def show_tables(out: Any) -> None:
        out.print(
            table(
                "Published",
                (">version", "sheet", "effective from", ">models"),
                [(p["version"], p["sheet_id"], p["effective"], p["models"]) for p in published],
            )
        )
        if drafts:
            rows = [(d["sheet_id"], d["revision"], d["state"], d["author"]) for d in drafts]
            out.print(table("Drafts", ("sheet", ">revision", "state", "author"), rows))

    answer(as_json, {"published": published, "drafts": drafts}, show_tables)


def show(
    sheet: SheetName,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The lines of a sheet; with --json the document that new reads."""
    economy, _ = open_economy(home, as_name)
    found = find_sheet(economy, sheet)
    rows = [(line.model, prices_text(line.prices_ucr)) for line in found.lines]
    columns = ("model", "Credits per 1K tokens, minute, image, request")
    answer(
        as_json,
        {**to_document(found), "sha256": found.sha256},
        lambda out: out.print(table(f"{found.sheet_id} {found.sha256[:12]}", columns, rows)),
    )


def new(
    file: Annotated[Path, typer.Argument(help="A sheet as JSON, as show --json writes it.")],
    revision: Annotated[
        int | None, typer.Option(help="The revision that this edit started from.")
    ] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a draft, or the next revision of one."""
    economy, actor = open_economy(home, as_name)
    draft = economy.save_draft(actor, read_sheet(file), revision)
    document = {"sheet_id": draft.sheet_id, "revision": draft.revision, "author": draft.author}
    answer(
        as_json,
        document,
        lambda out: out.print(f"Draft {draft.sheet_id}, revision {draft.revision}.", markup=False),
    )


def check(
    sheet: SheetName,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the linter finds; exit 1 if it blocks."""
    economy, _ = open_economy(home, as_name)
    findings = economy.lint(find_sheet(economy, sheet))
    blocked = any(finding.level == "blocked" for finding in findings)
    document = {
        "blocked": blocked,
        "findings": [
            {"model": f.model, "level": f.level, "rule": f.rule, "message": f.message}
            for f in findings
        ],
    }
    rows = [(f.level, f.model, f.message) for f in findings]
    answer(
        as_json,
        document,
        lambda out: out.print(
            table("", ("level", "model", "finding"), rows) if rows else "Nothing to say."
        ),
        FOUND if blocked else OK,
    )


def diff(
    old: SheetName,
    new_sheet: Annotated[str, typer.Argument(metavar="NEW", help="The other sheet.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What changes from one sheet to another, with markup and margin named."""
    economy, actor = open_economy(home, as_name)
    rows = difference(economy, actor, find_sheet(economy, old), find_sheet(economy, new_sheet))
    document = {
        "changes": [
            {
                "model": row.model,
                "price": row.key,
                "above_input_tokens": row.above_input_tokens,
                "old_ucr": row.old_ucr,
                "new_ucr": row.new_ucr,
                "change_percent": percent_text(row.change),
                "markup_percent": percent_text(row.markup),
                "margin_percent": percent_text(row.margin),
            }
            for row in rows
        ]
    }
    cells = [
        (
            row.model,
            row.key + (f" above {row.above_input_tokens:,}" if row.above_input_tokens else ""),
            _price(row, row.old_ucr),
            _price(row, row.new_ucr),
            percent_text(row.change),
            percent_text(row.markup),
            percent_text(row.margin),
        )
        for row in rows
    ]
    columns = ("model", "price", ">old Cr", ">new Cr", ">change %", ">markup %", ">margin %")
    answer(
        as_json,
        document,
        lambda out: out.print(table("", columns, cells) if cells else "No difference."),
    )


def _price(row: SheetDiff, price_ucr: int | None) -> str | None:
    if price_ucr is None:
        return None
    if row.key == "increment":
        return credits_text(price_ucr)
    return price_text(row.key, price_ucr)


def submit(
    sheet_id: str,
    revision: Revision = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for review; the gate may block it."""
    economy, actor = open_economy(home, as_name)
    revision = _newest(economy, sheet_id, revision)
    findings = economy.submit(actor, sheet_id, revision)
    _moved(as_json, sheet_id, revision, "in_review", warnings=[f.message for f in findings])


def approve(
    sheet_id: str,
    revision: Revision = None,
    comment: str = "",
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a revision in review; its author never may."""
    economy, actor = open_economy(home, as_name)
    revision = _newest(economy, sheet_id, revision)
    economy.approve(actor, sheet_id, revision, comment)
    _moved(as_json, sheet_id, revision, "approved")


def reject(
    sheet_id: str,
    comment: Annotated[str, typer.Option(help="Why; the author reads it.")],
    revision: Revision = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a revision back to its author."""
    economy, actor = open_economy(home, as_name)
    revision = _newest(economy, sheet_id, revision)
    economy.reject(actor, sheet_id, revision, comment)
    _moved(as_json, sheet_id, revision, "rejected")


def publish(
    sheet_id: str,
    revision: Revision = None,
    at: Annotated[
        str | None, typer.Option(help="From when it holds, such as 2026-12-01T00:00:00Z.")
    ] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an approved revision in force, at once or from an instant on."""
    economy, actor = open_economy(home, as_name)
    revision = _newest(economy, sheet_id, revision)
    effective_us = None if at is None else parse_instant(at, "--at")
    version = economy.publish_sheet(actor, sheet_id, revision, effective_us)
    _moved(as_json, sheet_id, revision, "published", version=version)


def find_sheet(economy: Economy, name: str) -> PriceSheet:
    """A sheet by file, ``live``, published id or version, or draft id."""
    if Path(name).is_file():
        return read_sheet(Path(name))
    book = economy.price_book()
    if name == "live":
        return book.sheet_at(economy.clock.now_us()).sheet
    for epoch in reversed(book.epochs):
        if name in (epoch.sheet.sheet_id, str(epoch.version)):
            return epoch.sheet
    try:
        return economy.draft(name).sheet
    except NotFound:
        raise BadInput(
            "neither a sheet nor a file",
            field="sheet",
            value=name,
            way_out="List sheets with: economy sheet list; live is the one in force",
        ) from None


def read_sheet(file: Path) -> PriceSheet:
    """A sheet from its JSON document; a hash in it must fit."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(file)) from None
    except ValueError as error:
        raise BadInput(f"is not JSON: {error}", where=str(file)) from None
    if not isinstance(document, dict):
        raise BadInput("is not the document of a sheet", where=str(file))
    document.pop("sha256", None)
    return from_document(document, str(file))


def _newest(economy: Economy, sheet_id: str, revision: int | None) -> int:
    return economy.draft(sheet_id).revision if revision is None else revision


def _moved(as_json: bool, sheet_id: str, revision: int, state: str, **more: Any) -> None:
    def show_it(out: Any) -> None:
        out.print(f"{sheet_id}, revision {revision}: {state.replace('_', ' ')}.", markup=False)
        for warning in more.get("warnings", []):
            out.print(f"warning: {warning}", markup=False)
        if "version" in more:
            out.print(f"It is version {more['version']}.")

    answer(as_json, {"sheet_id": sheet_id, "revision": revision, "state": state, **more}, show_it)
