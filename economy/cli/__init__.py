"""The ``economy`` command: one group of sub-commands a room, thin over the facade.

Every command takes ``--json`` (one document on stdout, nothing else), ``--home`` and
``--as``. Progress and errors go to stderr. Exit 0: done; 1: the check found something, or
some rows of a file were rejected; 2: bad input, and nothing was done. Packages above add
commands through the entry-point group ``economy.commands``: each names a function that
receives the typer application.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from economy.cli import ledger, people, prices, sheets, usage, wallets, warehouse, workspace
from economy.errors import BadInput, EconomyError

GROUP = "economy.commands"


def build_app() -> typer.Typer:
    """The whole command line, with what other packages add to it."""
    app = typer.Typer(
        name="economy",
        help="Credits for AI-model calls: meter, ledger, price sheets, simulation.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for room in (workspace, usage, prices, sheets, people, wallets, ledger, warehouse):
        room.register(app)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        point.load()(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; a person never sees a traceback."""
    argv = sys.argv[1:] if arguments is None else arguments
    try:
        # Typer ends with its own exit codes; unknown commands and options are its 2.
        build_app()(argv)
    except EconomyError as error:
        _tell(error, as_json="--json" in argv)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except RecursionError:
        _tell(BadInput("a file is nested too deeply to be read"), as_json="--json" in argv)
        sys.exit(2)
    except BrokenPipeError:
        # The reader went away, as ``economy ... | head`` does; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        fault = BadInput(
            f"cannot be used: {error.strerror or error}",
            where=str(error.filename) if error.filename else None,
            way_out="Check that the place exists and that you may read and write there",
        )
        _tell(fault, as_json="--json" in argv)
        sys.exit(2)


def _tell(error: EconomyError, as_json: bool) -> None:
    if as_json:
        print(json.dumps(error.as_dict(), ensure_ascii=False))
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"error: {error.message}", markup=False
    )
