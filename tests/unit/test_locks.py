"""The lock files: everything pinned, everything hashed, no address of any index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.parts import PROJECT_ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


class Pin(NamedTuple):
    requirement: Requirement
    hashes: int


@cache
def pins(lock: str) -> tuple[Pin, ...]:
    return tuple(_pins((PROJECT_ROOT / lock).read_text(encoding="utf-8")))


def _pins(text: str) -> Iterator[Pin]:
    for entry in text.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            requirement = entry.split("--hash", 1)[0]
            yield Pin(Requirement(requirement.strip()), len(HASH.findall(entry)))


def version_of(lock: str) -> dict[str, str]:
    return {canonicalize_name(p.requirement.name): str(p.requirement.specifier) for p in pins(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version_and_hashed(lock: str) -> None:
    loose = [
        str(pin.requirement)
        for pin in pins(lock)
        if not re.fullmatch(r"==[^*,]+", str(pin.requirement.specifier)) or pin.hashes == 0
    ]
    assert len(pins(lock)) > 20
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index_an_address_or_a_path(lock: str) -> None:
    text = (PROJECT_ROOT / lock).read_text(encoding="utf-8")
    for address in ("://", "--index", "--extra-index", "--find-links", " @ ", "-e "):
        assert address not in text


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])], ids=LOCKS
)
def test_a_lock_answers_every_requirement_of_the_project(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    asked = list(project["dependencies"])
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    locked = version_of(lock)
    for line in asked:
        requirement = Requirement(line)
        pinned = locked.get(canonicalize_name(requirement.name), "")
        assert pinned, f"{line} is not in {lock}: run make lock"
        assert requirement.specifier.contains(pinned.removeprefix("==")), f"{line}: run make lock"


def test_tests_run_on_the_versions_that_users_get() -> None:
    installed, tested = (version_of(lock) for lock in LOCKS)
    assert {name: tested.get(name) for name in installed} == installed
