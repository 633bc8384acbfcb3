"""The server binds this machine only, and says in words when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dashboards import commands, server
from economy.errors import BadInput


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match="the port is in use"):
            server.start(tmp_path, port=port)


def test_a_missing_workspace_is_told_before_anything_starts(tmp_path: Path) -> None:
    app = typer.Typer()
    commands.register(app)
    result = CliRunner().invoke(app, ["dashboard", "--home", str(tmp_path), "--no-open"])
    assert isinstance(result.exception, BadInput)
    assert "there is no workspace here" in str(result.exception)
