"""``economy dashboard``: the workbench, added to the command line from above."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards import server
from dashboards.demo_command import demo_command
from dashboards.serving import run
from economy.cli.common import AsOption, HomeOption, open_economy

Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Default: a free one.")]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the address, open no browser.")]
DevRoles = Annotated[
    bool,
    typer.Option(
        "--dev-roles",
        envvar=server.DEV_ROLES_VARIABLE,
        help="Let a browser act as anybody. For demos and tests; every page says so.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this package's commands to ``app``."""
    app.command("dashboard")(dashboard)
    app.command("demo")(demo_command)


def dashboard(
    home: HomeOption = None,
    as_name: AsOption = None,
    port: Port = None,
    no_open: NoOpen = False,
    dev_roles: DevRoles = False,
) -> None:
    """Open the workbench over a workspace, on this machine only."""
    economy, _ = open_economy(home, as_name)  # A wrong folder or name is told here, not in a page.
    run(economy.home, port=port, actor=as_name, dev_roles=dev_roles, open_browser=not no_open)
