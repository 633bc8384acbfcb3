"""Models and their other names, as logs write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from economy.catalog.store import (
    Aliases,
    load_aliases,
    model_ids,
    model_providers,
    register_models,
    set_alias,
)
from economy.errors import BadInput, Conflict, NotFound
from economy.state.clock import FixedClock
from economy.state.database import Database, Unit
from economy.units import BEGINNING_OF_TIME_US

ALIASES = Aliases(
    ["gpt-4", "GLM-5", "glm-5", "sonnet-1", "sonnet-2"],
    [
        ("latest", 200, "sonnet-2"),
        ("latest", 100, "sonnet-1"),
        ("GPT4", BEGINNING_OF_TIME_US, "gpt-4"),
    ],
)


@pytest.mark.parametrize(
    ("name", "time_us", "model"),
    [
        ("gpt-4", 0, "gpt-4"),
        (" GPT-4 ", 0, "gpt-4"),
        ("gpt4", 0, "gpt-4"),
        ("glm-5", 0, "glm-5"),
        ("Glm-5", 0, None),  # Ambiguous: two models differ by case alone.
        ("latest", 99, None),
        ("latest", 100, "sonnet-1"),
        ("Latest", 200, "sonnet-2"),
        ("gpt-5", 0, None),
    ],
)
def test_exact_then_any_case_then_alias(name: str, time_us: int, model: str | None) -> None:
    assert ALIASES.resolve(name, time_us) == model


def test_columns_resolve_like_single_names() -> None:
    names = ["latest", "GPT4", "nobody", "sonnet-2"]
    models = ["sonnet-2", "gpt-4", "sonnet-1"]
    code = np.array([0, 0, 0, 1, 2, 3, -1], dtype=np.int32)
    times = np.array([99, 100, 200, 0, 0, 0, 0], dtype=np.int64)
    found = ALIASES.positions(names, code, times, models)
    assert found.tolist() == [-1, 2, 0, 1, -1, 0, -1]
    assert found.dtype == np.int32


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    with Database.create(tmp_path / "e.sqlite", FixedClock(1)).unit() as unit:
        yield unit


def test_models_keep_their_ids(unit: Unit) -> None:
    first = register_models(unit, {"b": "p", "a": "p"})
    again = register_models(unit, {"a": "q", "c": "p"})
    assert {name: again[name] for name in first} == first
    assert len(set(again.values())) == 3
    assert model_ids(unit.connection) == again
    assert model_providers(unit.connection) == {"a": "q", "b": "p", "c": "p"}


def test_aliases_are_kept_and_never_rewritten(unit: Unit) -> None:
    register_models(unit, {"a": "p", "b": "p"})
    set_alias(unit, "x", "a")
    set_alias(unit, "x", "a")
    set_alias(unit, "x", "b", from_us=50)
    with pytest.raises(Conflict, match="means a"):
        set_alias(unit, "x", "b")
    with pytest.raises(NotFound, match="unknown model"):
        set_alias(unit, "y", "nobody")
    with pytest.raises(BadInput, match="empty"):
        set_alias(unit, " ", "a")
    aliases = load_aliases(unit.connection)
    assert [aliases.resolve("X", t) for t in (0, 49, 50)] == ["a", "a", "b"]
