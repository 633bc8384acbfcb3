"""``economy simulate``: one document, exit codes, the stored result, and no traceback."""

import json

import pytest

from economy.cli import main
from simulations.results import ResultStore


def simulate(capsys, *arguments):
    """Exit code, stdout and stderr of one call."""
    with pytest.raises(SystemExit) as left:
        main(["simulate", *arguments])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


@pytest.fixture
def tiny(tmp_path):
    """A scenario file of a user's own."""
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        schema_version = 1
        name = "mine"
        question = "What if nothing happens?"
        baseline = "absorb"
        horizon = { days = 1, start = "2026-01-05T00:00:00Z" }
        buyers = { count = 5 }
        [[models]]
        name = "m"
        provider = "p"
        cost_usd_per_1k = "0.03"
        price_cr_per_1k = "5"
        share = 1.0
        [[answers]]
        name = "absorb"
        """
    )
    return path


def test_the_answer_is_one_document_and_is_stored(capsys, tiny, tmp_path):
    home = tmp_path / "home"
    options = (str(tiny), "--home", str(home), "--replications", "2", "--seed", "3")
    code, out, _ = simulate(capsys, *options, "--workers", "1", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["replications"] == 2
    assert document["run_id"].startswith("mine-")
    assert ResultStore(home).runs() == [document["run_id"]]
    # The same question by the other engine: another run, the same numbers.
    _, out, _ = simulate(capsys, *options, "--engine", "reference", "--workers", "1", "--json")
    other = json.loads(out)
    assert other["run_id"] != document["run_id"]
    assert other["answers"] == document["answers"]


def test_people_get_a_table(capsys, tiny, tmp_path):
    options = (str(tiny), "--home", str(tmp_path), "--replications", "2", "--workers", "1")
    code, out, _ = simulate(capsys, *options)
    assert code == 0
    assert "What if nothing happens?" in out
    assert "baseline" in out
    assert "±" in out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nosuch.toml"], "no such scenario"),
        (["demo_small", "--engine", "quantum"], "Choose cohort or reference"),
        (["demo_small", "--replications", "0"], "replications"),
        (["demo_small", "--seed", "-1"], "seed"),
        (["demo_small", "--workers", "0"], "workers"),
    ],
)
def test_bad_input_ends_with_2_and_nothing_done(capsys, tmp_path, options, told):
    code, out, err = simulate(capsys, *options, "--home", str(tmp_path / "home"))
    assert (code, out) == (2, "")
    assert told in err.replace("\n", " ")
    assert not (tmp_path / "home").exists()


def test_a_broken_file_names_file_key_and_value(capsys, tiny):
    tiny.write_text(tiny.read_text().replace("count = 5", "cuont = 5"))
    code, out, _ = simulate(capsys, str(tiny), "--json")
    assert code == 2
    assert {key: json.loads(out)[key] for key in ("where", "field", "value")} == {
        "where": str(tiny),
        "field": "buyers.cuont",
        "value": "5",
    }
