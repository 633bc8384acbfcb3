"""Scenario files: what ships loads, what is wrong is named by file, key and value."""

import tomllib

import pytest

from economy.errors import BadInput
from economy.policy import DATA_DIR
from simulations.scenario import load_scenario, scenario_from

SHIPPED = sorted((DATA_DIR / "scenarios").glob("*.toml"))


@pytest.fixture
def document():
    return tomllib.loads((DATA_DIR / "scenarios" / "gpt4_shock.toml").read_text("utf-8"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_load_under_their_own_name(path):
    scenario = load_scenario(path.stem)
    assert scenario.name == path.stem
    assert scenario.question.endswith("?")


def test_the_shock_is_the_rules_shock():
    """Rules, section 7: GPT-4 $0.03 -> $0.05; 5 -> 8, 5 -> 6, 5 -> 5."""
    scenario = load_scenario("gpt4_shock")
    (move,) = scenario.provider_moves
    assert scenario.model("gpt-4").cost_nusd == {"blended": 30_000_000_000}
    assert move.cost_nusd == {"blended": 50_000_000_000}
    assert scenario.model("gpt-4").price_ucr == {"blended": 5_000_000_000}
    answers = {a.name: a.prices_ucr.get("gpt-4", {}).get("blended") for a in scenario.answers}
    assert answers == {"pass_on": 8_000_000_000, "part": 6_000_000_000, "absorb": None}
    assert (scenario.buyers.count, scenario.horizon.days, scenario.replications) == (2000, 30, 10)


def change(document, path, value):
    *parents, last = path
    for part in parents:
        document = document[part]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("buyers", "cuont"), 3, "buyers.cuont: unknown key"),
        (("buyers", "count"), 0, "buyers.count"),
        (("seed",), "seven", "field seed"),
        (("seed",), 1.5, "field seed"),
        (("models", 0, "price_cr_per_1k"), 5.0, "float"),
        (("models", 0, "price_cr_per_1k"), "-5", "above zero"),
        (("models", 0, "price_cr_per_1k"), {"input": "1"}, "both input and output"),
        (("models", 0, "cost_usd_per_1k"), {"inptu": "1"}, "no kind of token"),
        (("models", 0, "share"), 0.6, "add up to 1"),
        (("models", 1, "name"), "gpt-4", "'gpt-4' stands twice"),
        (("provider_moves", 0, "day"), 30, "outside the 30 days"),
        (("provider_moves", 0, "model"), "gpt-5", "no model 'gpt-5'"),
        (("answers", 0, "prices_cr_per_1k"), {"gpt-9": "8"}, "no model 'gpt-9'"),
        (("answers", 0, "prices_cr_per_1k"), {"claude-3": "8"}, "no provider moves 'claude-3'"),
        (("baseline",), "nothing", "not the name of an answer"),
        (("horizon", "tick_minutes"), 7, "must divide 60"),
        (("horizon", "start"), "2026-01-05", "time zone"),
        (("tokens", "input"), {"mu": 6.0}, "exactly one of the two"),
        (("choice", "outside_share"), 1.0, "choice.outside_share"),
        (("choice", "elasticity"), 0.5, "choice.elasticity"),
        (("policy",), "nosuch", "no such policy"),
    ],
)
def test_a_fault_is_named(document, path, value, told):
    change(document, path, value)
    with pytest.raises(BadInput) as caught:
        scenario_from(document, "my.toml")
    assert told in caught.value.message
    if path != ("policy",):
        assert "my.toml" in caught.value.message


def test_a_missing_scenario_names_those_that_exist():
    with pytest.raises(BadInput, match="gpt4_shock"):
        load_scenario("no_such_file.toml")
