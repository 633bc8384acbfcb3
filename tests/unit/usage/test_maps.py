"""Column maps: a misspelt or contradictory one is refused, naming file, key and value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from economy.errors import BadInput
from economy.policy import DATA_DIR
from economy.usage.maps import load_map, map_from

GOOD: dict[str, Any] = {
    "schema_version": 1,
    "source": "log",
    "columns": {"time": "t", "customer": "who", "model": "m", "input_tokens": "n"},
}


@pytest.mark.parametrize("path", sorted((DATA_DIR / "maps").glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_maps_are_loaded_by_name_and_by_path(path: Path) -> None:
    assert load_map(path.stem) == load_map(str(path))


def test_what_a_map_does_not_say_has_the_common_meaning() -> None:
    column_map = map_from(GOOD, "test")
    assert column_map.overlap.input_includes_cached
    assert column_map.overlap.output_includes_reasoning
    assert column_map.optional == ()
    assert column_map.time.zone is None


@pytest.mark.parametrize(
    ("change", "field", "fault"),
    [
        ({"colums": {}}, "colums", "unknown key"),
        ({"columns": {**GOOD["columns"], "tokens": "x"}}, "columns.tokens", "unknown key"),
        ({"schema_version": 2}, "schema_version", "Input should be 1"),
        ({"source": ""}, "source", "at least 1 character"),
        ({"columns": {"customer": "a", "model": "b", "images": "c"}}, "columns.time", "required"),
        ({"columns": {**GOOD["columns"], "images": "n"}}, "columns", "named for two fields"),
        ({"columns": {"time": "t", "customer": "a", "images": "c"}}, None, "no model"),
        ({"columns": {"time": "t", "model": "a", "images": "c"}}, None, "customers come from"),
        ({"columns": {"time": "t", "customer": "a", "model": "c"}}, None, "no quantity"),
        ({"customers": {"count": 3, "sigma": 2}}, None, "customers come from"),
        ({"constants": {"model": "gpt-4"}}, None, "model has a column and a constant"),
        ({"constants": {"requests": -1}}, "constants.requests", "greater than or equal to 0"),
        ({"optional": ["images"]}, None, "images is optional and has no column"),
        ({"optional": ["customer"]}, "optional.0", "Input should be"),
        ({"time": {"zone": "Mars/Olympus"}}, "time.zone", "no such time zone"),
        ({"time": {"zone": "+8"}}, "time.zone", "not a time"),
        ({"time": {"unit": "h"}}, "time.unit", "Input should be 's'"),
        ({"time": {"start": "2024-06-01"}}, "time.start", "time zone"),
    ],
)
def test_a_broken_map_is_refused(change: dict[str, Any], field: str | None, fault: str) -> None:
    with pytest.raises(BadInput, match=fault) as caught:
        map_from({**GOOD, **change}, "my.toml")
    assert caught.value.where == "my.toml"
    assert caught.value.field == field


def test_a_map_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"no such column map.*azure_llm_2023, mooncake, own"):
        load_map("azure")
