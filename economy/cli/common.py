"""What every command shares: its options, how it opens a workspace, how it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from economy.economy import DATABASE_NAME, Economy
from economy.errors import RowError
from economy.identity import Actor
from economy.policy import load_policy

DEFAULT_HOME = ".economy"

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Workspace folder (default: ECONOMY_HOME or ./.economy)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
AsOption = Annotated[
    str | None, typer.Option("--as", help="Who acts (default: the operating-system user).")
]

OK, FOUND, BAD = 0, 1, 2

WIDTH_OF_A_PIPE = 200
_MOST_ERRORS_SHOWN = 20


def home_dir(home: Path | None) -> Path:
    """The workspace folder that an option, the environment or the default names."""
    return home or Path(os.environ.get("ECONOMY_HOME") or DEFAULT_HOME)


def open_economy(home: Path | None, name: str | None = None) -> tuple[Economy, Actor]:
    """The workspace and who acts in it."""
    economy = Economy.open(home_dir(home))
    return economy, economy.actor(name)


def ensure_economy(home: Path, policy: str | None, default: str) -> Economy:
    """The workspace at ``home``, made if there is none.

    Without a ``policy`` an existing workspace keeps its rules and a new one gets
    ``default``; with one, a workspace of other rules is refused.
    """
    if policy is None and (home / DATABASE_NAME).exists():
        return Economy.open(home)
    return Economy.create(home, load_policy(policy or default))


def answer(as_json: bool, document: Any, show: Callable[[Console], None], code: int = OK) -> None:
    """Print the result in one of its two forms and leave with ``code``."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        show(_console())
    if code != OK:
        raise typer.Exit(code)


def _console() -> Console:
    """Standard output; where it is no terminal, lines are long instead of cut."""
    wide = None if sys.stdout.isatty() else WIDTH_OF_A_PIPE
    return Console(highlight=False, width=wide)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; columns whose name starts with ``>`` are right-aligned."""
    result = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    for column in columns:
        right = column.startswith(">")
        result.add_column(column.removeprefix(">"), justify="right" if right else "left")
    for row in rows:
        result.add_row(*("" if cell is None else str(cell) for cell in row))
    return result


def show_row_errors(console: Console, errors: Sequence[RowError]) -> None:
    """The first row errors, and how many more there are."""
    for error in errors[:_MOST_ERRORS_SHOWN]:
        shown = f" (got {error.value!r})" if error.value else ""
        console.print(f"row {error.row}, {error.field}: {error.message}{shown}", markup=False)
    if len(errors) > _MOST_ERRORS_SHOWN:
        console.print(f"and {len(errors) - _MOST_ERRORS_SHOWN} more; --json lists all")


@contextmanager
def progress_bar(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields a function that takes how much is done so far."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bars:
        task = bars.add_task(label, total=total)
        yield lambda done: bars.update(task, completed=done)
