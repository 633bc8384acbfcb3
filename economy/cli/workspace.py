"""``economy init``: a workspace with its rules, cost book and genesis sheet."""

from __future__ import annotations

from typing import Annotated

import typer

from economy.cli.common import AsOption, HomeOption, JsonOption, answer, ensure_economy, home_dir


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    policy: Annotated[
        str | None, typer.Option(help="founding, sound, or a policy file (new ones: sound).")
    ] = None,
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a workspace with embedded stores; safe to repeat."""
    economy = ensure_economy(home_dir(home), policy, default="sound")
    version = economy.set_up_prices(economy.actor(as_name))
    sheet = economy.price_book().epochs[0].sheet
    document = {
        "home": str(economy.home),
        "policy": economy.policy.name,
        "sheet_version": version,
        "models": len(sheet.lines),
    }
    answer(
        as_json,
        document,
        lambda out: out.print(
            f"Workspace {economy.home} with policy {economy.policy.name}: "
            f"{len(sheet.lines)} models have a price (sheet version {version})."
        ),
    )
