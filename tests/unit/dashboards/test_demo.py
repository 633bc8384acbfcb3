"""``economy demo``: the main job on a small log, and what its one document says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards import demo_command
from economy.cli import main
from economy.economy import Economy
from economy.units import parse_credits
from simulations.scenario import load_scenario
from tests.workspaces import write_csv

HEADER = ("event_id", "time", "customer", "model", "input_tokens", "output_tokens")
TIME = "2026-02-01T12:00:00Z"


@pytest.fixture(autouse=True)
def small_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shock study with 20 buyers for two days, twice."""
    scenario = load_scenario("gpt4_shock")
    small = scenario.model_copy(
        update={
            "replications": 2,
            "horizon": scenario.horizon.model_copy(update={"days": 2}),
            "buyers": scenario.buyers.model_copy(update={"count": 20}),
        }
    )
    monkeypatch.setattr(demo_command, "load_scenario", lambda _name: small)


def demo(
    capsys: pytest.CaptureFixture[str], home: Path, *arguments: str
) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as left:
        main(["demo", "--home", str(home), "--no-open", "--json", *arguments])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    code = left.value.code
    return (code if isinstance(code, int) else 0), json.loads(out)


def test_the_main_job_on_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """bo, the busiest, is charged 8 + 1 Cr; ana's Starter pack cannot pay 20,000 Cr."""
    log = write_csv(
        tmp_path / "log.csv",
        HEADER,
        [
            ("1", TIME, "bo", "gpt-4", 1_000, 500),
            ("2", TIME, "bo", "llama-3", 100, 0),
            ("3", TIME, "ana", "gpt-4", 4_000_000, 0),
        ],
    )
    home = tmp_path / "home"
    code, told = demo(capsys, home, "--usage", str(log))
    assert code == 0
    assert told["policy"] == "founding"
    assert told["rated"]["events"] == 3
    assert told["rated"]["unrounded_ucr"] == parse_credits("20007.6")
    assert told["rated"]["charge_ucr"] == parse_credits("20009")
    assert told["charged"] == {"events": 2, "charge_ucr": parse_credits("9")}
    assert told["refused"] == {"events": 1, "rated_ucr": parse_credits("20000")}
    assert told["ledger_ok"] is True
    assert told["warehouse"]["differences"] == []
    assert told["models"] >= 44, "one live request of each model"
    assert told["simulation"]["replications"] == 2

    economy = Economy.open(home)
    story = economy.trace(told["worked_request"])
    assert story.charge is not None
    assert (story.charge.charge_ucr, story.charge.paid_cost_nusd) == (8_000_000, 60_750_000)
    before = economy.verify().transfers

    again_code, again = demo(capsys, home, "--usage", str(log))
    assert again_code == 0
    assert economy.verify().transfers == before, "repeated, nothing moves"
    assert again["import"]["duplicates"] == 3
    for figure in ("rated", "charged", "refused"):
        assert again[figure] == told[figure]


def test_rows_that_cannot_be_used_end_the_job_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("1", TIME, "ana", "gpt-4", 1_000, 500), ("2", TIME, "ana", "gpt-4", -1, 0)]
    code, told = demo(capsys, tmp_path, "--usage", str(write_csv(tmp_path / "l.csv", HEADER, rows)))
    assert code == 1
    assert told["import"]["rejected"] == 1
    assert told["ledger_ok"] is True


def test_a_file_that_cannot_be_used_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = demo(capsys, tmp_path / "home", "--usage", str(tmp_path / "missing.csv"))
    assert code == 2
    assert "cannot be read" in told["error"]
    assert not (tmp_path / "home").exists()
