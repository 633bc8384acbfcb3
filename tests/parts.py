"""What a test may lean on that is not a Python package, and what happens without it.

A part such as Chromium may be missing on a developer's machine: the test then skips and
says why. Continuous integration sets ``ECONOMY_REQUIRE_ALL=1``, and the same gap is a
failure there, so that a green run cannot hide tests that never ran.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
SHARED_DATA: Final = PROJECT_ROOT.parent / "shared" / "data"
"""Real traces beside the checkout. They are not part of the project: always optional."""

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Works as root, in a container, and keeps the browser from calling anybody."""


def all_required() -> bool:
    """True where every part must be present, as in continuous integration."""
    return os.environ.get("ECONOMY_REQUIRE_ALL", "") not in ("", "0")


def need(condition: object, what: str) -> None:
    """Go on if ``condition`` holds; else skip the test, or fail where all is required."""
    if condition:
        return
    if all_required():
        pytest.fail(f"{what}: missing, and ECONOMY_REQUIRE_ALL asks for it", pytrace=False)
    pytest.skip(f"{what}: missing", allow_module_level=True)


def find_chromium() -> str | None:
    """Path of a Chromium: ``ECONOMY_CHROMIUM`` if set, else the first name on PATH."""
    named = os.environ.get("ECONOMY_CHROMIUM")
    if named:
        return named
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def chromium() -> str:
    """Path of a Chromium for this test, which needs one."""
    path = find_chromium()
    need(path, "Chromium (install your system's chromium package, or set ECONOMY_CHROMIUM)")
    assert path is not None  # need() has left the test otherwise.
    return path
