"""The genesis file: what it makes, and how it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from economy.catalog.costs import CostBook, CostEntry, LeftOut
from economy.errors import BadInput
from economy.policy import load_policy
from economy.pricing.genesis import build_genesis, load_genesis
from economy.units import parse_credits, parse_usd

POLICY = load_policy("sound")
FILE = """
schema_version = 1
sheet_id = "g"

[[providers]]
name = "p"
markup = "0.5"
demand_factor = "1.0"
rounding = { increment_cr = "0.001", direction = "up" }
models = ["chat"]

[[stored]]
model = "hear"
cr_per_minute = "2"
cr_per_request = "0.5"
rounding = { increment_cr = "1", direction = "down" }

[aliases]
"Chat!" = "chat"
"""
BOOK = CostBook(
    [
        CostEntry("chat", "p", 0, {"input": parse_usd("1"), "output": parse_usd("4")}),
        CostEntry("hear", "q", 0, {"audio": parse_usd("0.006")}),
    ],
    [LeftOut("peaky", "p", "by the hour")],
)


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    file = tmp_path / "genesis.toml"
    file.write_text(FILE.replace(old, new, 1))
    return file


def test_lines_of_both_kinds(tmp_path: Path) -> None:
    definition = load_genesis(written(tmp_path))
    sheet = build_genesis(definition, BOOK, 3, POLICY, 0)
    chat, hear = sheet.lines
    assert chat.prices_ucr == {"input": parse_credits("150"), "output": parse_credits("600")}
    assert (chat.increment_ucr, chat.stored, chat.cost_version) == (1_000, False, 3)
    assert hear.prices_ucr == {"audio": parse_credits("2"), "request": parse_credits("0.5")}
    assert (hear.direction, hear.stored, hear.markup) == ("down", True, None)
    assert sheet.credit_value_nusd == parse_usd("0.01")
    assert definition.aliases == {"Chat!": "chat"}


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ('markup = "0.5"', "markup = 0.5", "providers.0.markup", "not as a float"),
        ('markup = "0.5"', 'markup = "-0.5"', "providers.0.markup", "negative"),
        ('name = "p"', 'name = "p"\nmargin = "0.3"', "providers.0.margin", "unknown key"),
        ('cr_per_minute = "2"', 'cr_per_second = "2"', "stored.0.cr_per_second", "unknown key"),
        ('cr_per_minute = "2"', "cr_per_minute = 2.5", "stored.0.cr_per_minute", "float"),
        ('direction = "up"', 'direction = "upp"', "providers.0.rounding.direction", "up"),
        ('models = ["chat"]', 'models = ["chat", "hear"]', None, "hear is priced twice"),
        ('= "chat"\n', '= "chut"\n', None, "does not price"),
        ('cr_per_minute = "2"\ncr_per_request = "0.5"\n', "", "stored.0", "no price"),
    ],
)
def test_a_bad_file_names_file_key_and_reason(
    tmp_path: Path, old: str, new: str, field: str | None, said: str
) -> None:
    file = written(tmp_path, old, new)
    with pytest.raises(BadInput, match=said) as caught:
        load_genesis(file)
    assert caught.value.where == str(file)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("model", "at_us", "said"),
    [
        ("nobody", 0, "no cost"),
        ("peaky", 0, "left out: by the hour"),
        ("hear", 0, "from q"),
        ("chat", -1, "no cost"),
    ],
)
def test_a_line_needs_its_providers_cost(tmp_path: Path, model: str, at_us: int, said: str) -> None:
    text = FILE.split("[[stored]]", maxsplit=1)[0].replace('"chat"', f'"{model}"')
    file = tmp_path / "g.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match=said) as caught:
        build_genesis(load_genesis(file), BOOK, 1, POLICY, at_us)
    assert caught.value.value == model
