"""Serving the pages from a terminal: until somebody ends it."""

from __future__ import annotations

import signal
import webbrowser
from pathlib import Path
from types import FrameType

import typer

from dashboards import server


def run(
    home: Path,
    *,
    port: int | None = None,
    actor: str | None = None,
    dev_roles: bool = False,
    open_browser: bool = True,
) -> None:
    """Start the pages, print their address, and stay until interrupted."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with server.start(home, port=port, actor=actor, dev_roles=dev_roles) as running:
            typer.echo(f"Dashboard: {running.address}  (Ctrl-C ends it)")
            if open_browser:
                webbrowser.open(running.address)
            running.wait()
    except KeyboardInterrupt:
        typer.echo("Dashboard ended.")
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
