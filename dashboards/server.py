"""Starts the pages on this machine and says where they are.

Streamlit runs as a child process, bound to ``localhost`` only. It learns its workspace
and who acts from the environment, and finds its settings beside ``app.py``, so it can be
started from any directory.

=====================  ============================================================
``ECONOMY_HOME``       the workspace folder
``ECONOMY_ACTOR``      who acts (default: the operating-system user)
``ECONOMY_DEV_ROLES``  ``1`` lets a browser act as anybody; the pages say so loudly
=====================  ============================================================
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from economy.errors import BadInput

HOME_VARIABLE: Final = "ECONOMY_HOME"
ACTOR_VARIABLE: Final = "ECONOMY_ACTOR"
DEV_ROLES_VARIABLE: Final = "ECONOMY_DEV_ROLES"

START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 5.0
_APP = Path(__file__).resolve().parent / "app.py"
_PROJECT = _APP.parent.parent


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A running server. As a context manager it is stopped at the end."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def wait(self) -> int:
        """Block until the server ends by itself; its exit code."""
        return self.process.wait()

    def stop(self) -> None:
        """End the server and wait until it is gone; safe to repeat."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    home: Path, *, port: int | None = None, actor: str | None = None, dev_roles: bool = False
) -> Dashboard:
    """Start the pages over the workspace ``home`` and return once they answer.

    Without ``port`` a free one is taken. Raises :class:`BadInput` if the port is in use
    or the server does not come up.
    """
    if port is not None and not _is_free(port):
        raise BadInput(
            "the port is in use", field="port", value=port, way_out="Name another, or none"
        )
    port = port or _free_port()
    environment = os.environ | {
        HOME_VARIABLE: str(home.resolve()),
        DEV_ROLES_VARIABLE: "1" if dev_roles else "0",
        "PYTHONPATH": os.pathsep.join(
            part for part in (str(_PROJECT), os.environ.get("PYTHONPATH")) if part
        ),
    }
    if actor is not None:
        environment[ACTOR_VARIABLE] = actor
    command = [
        sys.executable,
        *("-m", "dashboards.warm", "run", str(_APP)),
        *("--server.address", "localhost", "--server.port", str(port)),
    ]
    # Its greeting names addresses of its own; ours is the one that is printed.
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    dashboard = Dashboard(process, port)
    try:
        _wait_until_it_answers(dashboard)
    except BaseException:
        dashboard.stop()
        raise
    return dashboard


def _wait_until_it_answers(dashboard: Dashboard) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if dashboard.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{dashboard.address}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise BadInput(
        "the dashboard did not start",
        where=dashboard.address,
        way_out="Its own message stands above",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
