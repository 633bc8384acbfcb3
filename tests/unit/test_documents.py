"""README and CONTRIBUTING say what is there: paths exist, make targets exist."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from economy.cli import build_app
from tests.parts import PROJECT_ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
# A path that starts in one of the project's folders, in backticks or as a link.
PATH = re.compile(
    r"[`(]((?:data|docs|economy|simulations|dashboards|notebooks|tests|scripts)/[\w./*<>-]*)"
)
TARGET = re.compile(r"\bmake ([a-z]+)\b")
COMMAND = re.compile(r"(?:bin/|`)economy ([a-z]+(?: [a-z]+)?)")
MADE_BY_SCRIPT = {"docs/screenshot.png"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_is_named_exists(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text(encoding="utf-8")
    named = {path.split("<")[0].rstrip(".") for path in PATH.findall(text)} - MADE_BY_SCRIPT
    assert len(named) > 3
    assert [path for path in sorted(named) if not list(PROJECT_ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str) -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    text = (PROJECT_ROOT / document).read_text(encoding="utf-8")
    in_code = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    named = set(TARGET.findall(in_code))
    assert named
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_is_named_exists(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text(encoding="utf-8")
    named = COMMAND.findall(text)
    for line in named:
        found: Any = typer.main.get_command(build_app())
        for word in line.split():
            # A group has commands; what follows a command are its arguments.
            if not hasattr(found, "commands"):
                break
            assert word in found.commands, f"{document}: economy {line}"
            found = found.commands[word]
