"""The ``economy`` command: one document on stdout, exit codes that mean something, no traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer

from economy.cli import build_app, main
from economy.economy import DATABASE_NAME, Economy
from economy.policy import load_policy
from economy.units import US_PER_SECOND, instant_text, parse_usd
from tests.parts import PROJECT_ROOT
from tests.workspaces import write_csv

HEADER = ("event_id", "time", "customer", "model", "input_tokens", "output_tokens", "audio_seconds")
TIME = "2026-02-01T12:00:00Z"
LOG = [
    ("1", TIME, "ana", "gpt-4", 1_000, 500, 0),
    ("2", TIME, "ana", "whisper-1", 0, 0, 60),
    ("3", TIME, "ana", "gpt-99", 10, 10, 0),
    ("4", TIME, "ana", "gpt-4", 9_000_000, 0, 0),
]
BAD_ROWS = [("5", TIME, "nobody", "gpt-4", 1, 1, 0), ("6", "soon", "ana", "gpt-4", 1, 1, 0)]


class Shell:
    """Runs commands in this process, on one workspace."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        with pytest.raises(SystemExit) as left:
            main([*arguments, "--home", str(self.home)])
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        code = left.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The one document on stdout."""
        got, out, err = self(*arguments, "--json")
        assert got == code, out + err
        assert out.count("\n") == 1
        document = json.loads(out)
        assert isinstance(document, dict)
        return document

    def refused(self, *arguments: str) -> dict[str, Any]:
        """Bad input: code 2, the fault as a document, and in words on stderr."""
        document = self.json(*arguments, code=2)
        assert set(document) == {"error", "where", "field", "value", "way_out"}
        code, out, err = self(*arguments)
        assert (code, out) == (2, "")
        assert err.strip().startswith("error: ")
        assert document["error"] in err
        return document


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with customers, staff, a key, usage in every fate."""
    home = tmp_path_factory.mktemp("furnished")
    economy = Economy.create(home, load_policy("founding"))
    admin = economy.actor()
    economy.set_up_prices(admin)
    economy.ensure_customers(admin, ["ana", "bo"])
    economy.top_up(admin, "ana", "starter", request_key="order-1")
    for name, role in (("ben", "business"), ("ada", "admin"), ("lin", "analyst")):
        economy.add_staff(admin, name, role)
    economy.import_usage(admin, write_csv(home / "log.csv", HEADER, LOG))
    economy.contribute(admin, "bo", "gpt-4", quota_nusd=parse_usd("500"), request_key="lend")
    economy.database.close()  # A template is copied when its log is folded into the file.
    return home


@pytest.fixture
def shell(furnished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A copy of the furnished workspace, for this test alone."""
    home = tmp_path / "home"
    shutil.copytree(furnished, home)
    yield Shell(home, capsys)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "empty", capsys)


def edited_sheet(shell: Shell, tmp_path: Path, blended_ucr: int = 6 * 10**9) -> Path:
    """The live sheet, saved by ``show --json``, with another price for GPT-4."""
    document = shell.json("sheet", "show", "live")
    document["sheet_id"] = "spring"
    for line in document["lines"]:
        if line["model"] == "gpt-4":
            line["prices_ucr"] = {"blended": blended_ucr}
    file = tmp_path / "spring.json"
    file.write_text(json.dumps(document))
    return file


# Every command ------------------------------------------------------------------------

READS: list[tuple[str, ...]] = [
    ("init",),
    ("usage", "unpriced"),
    ("usage", "explain", "1"),
    ("models", "list"),
    ("costs", "list"),
    ("costs", "history", "gpt-4"),
    ("sheet", "list"),
    ("sheet", "show", "live"),
    ("sheet", "check", "genesis"),
    ("sheet", "diff", "1", "live"),
    ("customers", "list"),
    ("users", "list"),
    ("wallet", "show", "ana"),
    ("wallet", "show", "ana", "--lots"),
    ("pool", "list"),
    ("ledger", "verify"),
    ("ledger", "balance", "revenue:usage.cr"),
    ("ledger", "history", "clearing:usage.cr"),
    ("ledger", "history", "--event", "1"),
    ("warehouse", "publish"),
    ("warehouse", "sql", "SELECT count(*) AS n, DATE '2026-01-31' AS day FROM charges"),
    ("warehouse", "tables"),
]
WRITES: list[tuple[str, ...]] = [
    ("customers", "add", "cy"),
    ("users", "add", "eve", "--role", "admin"),
    ("wallet", "top-up", "ana", "pro"),
    ("pool", "contribute", "bo", "--model", "gpt-4", "--quota-usd", "10"),
    ("usage", "import", "{log}"),
    ("usage", "rate", "{log}", "--sheet", "live", "--out", "{out}"),
    ("sheet", "new", "{sheet}"),
    ("sheet", "submit", "spring"),
    ("sheet", "reject", "spring", "--comment", "too dear", "--as", "ada"),
    ("sheet", "approve", "spring", "--as", "ada"),
    ("sheet", "publish", "spring", "--as", "ada"),
]
ELSEWHERE = {("simulate",), ("dashboard",), ("demo",)}
"""Commands of the packages above, which test them."""


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


def test_every_command_is_tried_here() -> None:
    known = set(leaves(typer.main.get_command(build_app())))
    tried = {command[: 1 if command[0] == "init" else 2] for command in (*READS, *WRITES)}
    assert known - ELSEWHERE == tried


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_reading_commands_speak_json_and_english(shell: Shell, command: tuple[str, ...]) -> None:
    if command[0] == "warehouse":
        shell.json("warehouse", "publish")
    assert shell.json(*command)
    code, out, _ = shell(*command)
    assert code == 0
    assert out.strip()
    assert not out.lstrip().startswith("{")


def test_writing_commands_speak_json(shell: Shell, tmp_path: Path) -> None:
    names = {
        "log": str(write_csv(tmp_path / "more.csv", HEADER, [("7", *LOG[0][1:])])),
        "sheet": str(edited_sheet(shell, tmp_path)),
        "out": str(tmp_path / "rated.parquet"),
    }
    for command in WRITES:
        said = [part.format(**names) for part in command]
        if command[:2] == ("sheet", "approve"):
            shell.json("sheet", "submit", "spring")
        assert shell.json(*said), said
    assert shell.json("ledger", "verify")["ok"] is True


def test_writing_commands_speak_english(shell: Shell, tmp_path: Path) -> None:
    sheet = str(edited_sheet(shell, tmp_path))
    for command, said in (
        (("customers", "add", "cy"), "Added cy."),
        (("users", "add", "eve", "--role", "admin"), "Added eve as admin."),
        (("wallet", "top-up", "ana", "pro"), "ana bought 10000 Cr for $90."),
        (
            ("pool", "contribute", "bo", "--model", "gpt-4", "--quota-usd", "500"),
            "$500 of openai quota is 83330 Cr",
        ),
        (("sheet", "new", sheet), "Draft spring, revision 1."),
        (("sheet", "submit", "spring"), "spring, revision 1: in review."),
        (("sheet", "approve", "spring", "--as", "ada"), "approved"),
        (("sheet", "publish", "spring", "--as", "ada"), "It is version 2."),
    ):
        code, out, _ = shell(*command)
        assert code == 0
        assert said in out


# Workspace ----------------------------------------------------------------------------


def test_init_may_be_repeated_and_keeps_the_rules(empty: Shell) -> None:
    first = empty.json("init", "--policy", "founding")
    assert first["policy"] == "founding"
    assert first["models"] >= 44
    assert empty.json("init", "--policy", "founding") == first
    assert empty.json("init") == first, "without a policy the workspace keeps its own"
    fault = empty.refused("init", "--policy", "sound")
    assert "founding" in fault["error"]
    assert "--home" in fault["way_out"]


def test_init_makes_a_sound_workspace_by_default(empty: Shell) -> None:
    assert empty.json("init")["policy"] == "sound"


def test_a_policy_with_a_fault_is_told_by_file_key_and_value(empty: Shell, tmp_path: Path) -> None:
    text = (PROJECT_ROOT / "data" / "policies" / "founding.toml").read_text()
    file = tmp_path / "mine.toml"
    for old, new, field, value in (
        (
            'usd_per_credit = "0.009"',
            "usd_per_credit = 0.009",
            "redemption.usd_per_credit",
            "0.009",
        ),
        ('fee = "0.10"', 'fee = "-0.10"', "contribution.fee", "-0.10"),
        ('fee = "0.10"', 'fee = "0.10"\nfees = "1"', "contribution.fees", "1"),
    ):
        assert old in text
        file.write_text(text.replace(old, new))
        fault = empty.refused("init", "--policy", str(file))
        assert (fault["where"], fault["field"], fault["value"]) == (str(file), field, value)
    assert not (empty.home / DATABASE_NAME).exists(), "nothing was made"


@pytest.mark.parametrize("command", [c for c in READS if c != ("init",)], ids=" ".join)
def test_without_a_workspace_every_command_says_how_to_get_one(
    empty: Shell, command: tuple[str, ...]
) -> None:
    fault = empty.refused(*command)
    assert "economy init" in fault["way_out"]
    assert not empty.home.exists()


def test_the_home_may_come_from_the_environment(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECONOMY_HOME", str(shell.home))
    with pytest.raises(SystemExit) as left:
        main(["customers", "list", "--json"])
    assert not left.value.code
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["customers"]]
    assert names == ["ana", "bo"]


# Exit codes ---------------------------------------------------------------------------

REFUSALS: list[tuple[tuple[str, ...], str]] = [
    (("usage", "import", "{missing}"), "cannot be read"),
    (("usage", "import", "{empty}"), "empty"),
    (("usage", "import", "{short}"), "column is missing"),
    (("usage", "import", "{truncated}"), "damaged Parquet"),
    (("usage", "import", "{log}", "--map", "no-such-map"), "no such column map"),
    (("usage", "rate", "{log}", "--sheet", "nothing", "--out", "x.parquet"), "neither a sheet"),
    (("usage", "explain", "no-such-event"), "no such request"),
    (("costs", "history", "gpt-99"), "does not know this model"),
    (("sheet", "show", "nothing"), "neither a sheet nor a file"),
    (("sheet", "new", "{missing}"), "cannot be read"),
    (("sheet", "new", "{empty}"), "not JSON"),
    (("sheet", "submit", "nothing"), "no such draft"),
    (("sheet", "publish", "genesis", "--revision", "1", "--at", "tomorrow"), "not a time"),
    (("customers", "add", "ana"), "of this name already"),
    (("customers", "add", " "), "empty"),
    (("users", "add", "eve", "--role", "king"), "no such role"),
    (("wallet", "show", "nobody"), "no such customer"),
    (("wallet", "top-up", "ana", "gold"), "no such pack"),
    (("wallet", "top-up", "nobody", "pro"), "no such customer"),
    (("pool", "contribute", "bo", "--model", "gpt-99", "--quota-usd", "5"), "price and a cost"),
    (("pool", "contribute", "bo", "--model", "gpt-4", "--quota-usd", "much"), "not a decimal"),
    (("pool", "contribute", "bo", "--model", "gpt-4", "--quota-usd", "-5"), "above zero"),
    (("ledger", "balance", "nothing.cr"), "no such account"),
    (("ledger", "history", "nothing.cr"), "no such account"),
    (("ledger", "history"), "name an account or an event"),
    (("ledger", "history", "--event", "no-such-event"), "no such request"),
    (("warehouse", "sql", "DROP TABLE charges"), "SELECT"),
    (("warehouse", "sql", "SELECT nothing FROM nowhere"), "nowhere does not exist"),
    (("customers", "list", "--as", "nobody"), "nobody on the staff"),
    (("customers", "add", "cy", "--as", "lin"), "the role analyst does not allow"),
]


@pytest.mark.parametrize(("command", "said"), REFUSALS, ids=[" ".join(c) for c, _ in REFUSALS])
def test_bad_input_ends_with_2_a_reason_and_no_traceback(
    shell: Shell, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    files = {
        "missing": tmp_path / "missing.csv",
        "empty": tmp_path / "empty.csv",
        "short": write_csv(tmp_path / "short.csv", HEADER[:4], [LOG[0][:4]]),
        "truncated": tmp_path / "truncated.parquet",
        "log": write_csv(tmp_path / "log.csv", HEADER, LOG),
    }
    files["empty"].write_text("")
    files["truncated"].write_bytes(b"PAR1....")
    if command[0] == "warehouse":
        shell.json("warehouse", "publish")
    before = contents(shell.home)
    fault = shell.refused(*(part.format(**files) for part in command))
    assert said in fault["error"]
    assert contents(shell.home) == before, "nothing was done"


def contents(home: Path) -> list[tuple[Any, ...]]:
    """Row counts of every table; refused acts leave no trace."""
    with sqlite3.connect(home / DATABASE_NAME) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [
            (name, *connection.execute(f"SELECT count(*) FROM {name}").fetchone())
            for (name,) in sorted(tables)
        ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("lines"),
        lambda d: d.update(lines="all"),
        lambda d: d.update(lines=[7]),
        lambda d: d.update(schema_version=2),
        lambda d: d.update(credit_value_nusd="ten"),
        lambda d: d["lines"][0].update(prices_ucr={"input": 1.5}),
        lambda d: d["lines"][0].update(prices_ucr={"input": -1}),
        lambda d: d["lines"][0].update(prices_ucr={"inputs": 1}),
        lambda d: d["lines"][0].update(prices_ucr=[]),
        lambda d: d["lines"][0].update(increment_ucr="1"),
        lambda d: d["lines"][0].update(increment_ucr=0),
        lambda d: d["lines"][0].update(direction="sideways"),
        lambda d: d["lines"][0].update(markup="a third"),
        lambda d: d["lines"][0].update(markup="1/0"),
        lambda d: d["lines"][0].update(tiers=[{"above_input_tokens": "x", "prices_ucr": {}}]),
        lambda d: d["lines"].append(dict(d["lines"][0])),
        lambda d: d.update(surprise=True),
    ],
)
def test_a_sheet_file_with_a_fault_is_refused(
    shell: Shell, tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    file = edited_sheet(shell, tmp_path)
    document = json.loads(file.read_text())
    spoil(document)
    file.write_text(json.dumps(document))
    fault = shell.refused("sheet", "new", str(file))
    assert str(file) in fault["where"]


@pytest.mark.parametrize("text", ["[1, 2]", "{", "\x00", '"sheet"'])
def test_a_sheet_file_that_is_none_is_refused(shell: Shell, tmp_path: Path, text: str) -> None:
    file = tmp_path / "sheet.json"
    file.write_text(text)
    assert shell.refused("sheet", "new", str(file))["where"] == str(file)


@pytest.mark.parametrize(
    "arguments", [("usage", "imprt"), ("wallet", "top-up", "ana"), ("ledger", "verify", "--loud")]
)
def test_a_misspelt_command_or_option_ends_with_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, out, err = shell(*arguments)
    assert (code, out) == (2, "")
    assert "Usage" in err


def test_an_import_that_rejects_rows_ends_with_1(shell: Shell, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "mixed.csv", HEADER, [("9", *LOG[0][1:]), *BAD_ROWS])
    report = shell.json("usage", "import", str(file), code=1)
    assert (report["read"], report["accepted"], report["rejected"]) == (3, 1, 2)
    assert [(error["row"], error["field"]) for error in report["errors"]] == [
        (2, "customer"),
        (3, "time"),
    ]
    code, out, _ = shell("usage", "import", str(file))
    assert code == 1
    assert "row 2, customer" in out


def test_a_broken_book_ends_with_1(shell: Shell) -> None:
    with sqlite3.connect(shell.home / DATABASE_NAME) as connection:
        connection.execute("DROP TRIGGER journal_is_append_only_u")
        connection.execute("UPDATE journal SET amount = amount + 1 WHERE seq = 1")
    report = shell.json("ledger", "verify", code=1)
    assert report["ok"] is False
    assert report["first_broken_seq"] == 1
    assert "broken" in shell("ledger", "verify")[1]


def test_a_blocked_sheet_ends_with_1_and_is_not_submitted(shell: Shell, tmp_path: Path) -> None:
    file = edited_sheet(shell, tmp_path, blended_ucr=1 * 10**9)
    report = shell.json("sheet", "check", str(file), code=1)
    assert report["blocked"] is True
    assert {f["model"] for f in report["findings"] if f["level"] == "blocked"} == {"gpt-4"}
    shell.json("sheet", "new", str(file))
    assert "gpt-4" in shell.refused("sheet", "submit", "spring")["where"]


# What the answers say -----------------------------------------------------------------


def test_an_import_is_idempotent(shell: Shell, tmp_path: Path) -> None:
    file = str(write_csv(tmp_path / "more.csv", HEADER, [("10", *LOG[0][1:]), ("11", *LOG[1][1:])]))
    first = shell.json("usage", "import", file)
    assert (first["read"], first["accepted"], first["charged"]) == (2, 2, 2)
    assert (first["rated_unrounded_ucr"], first["charge_ucr"]) == (9_500_000, 10_000_000)
    again = shell.json("usage", "import", file)
    assert (again["read"], again["accepted"], again["duplicates"]) == (2, 0, 2)
    assert again["charge_ucr"] == 0
    both = shell.json("usage", "import", file, str(shell.home / "log.csv"))
    assert [one["duplicates"] + one["unpriced"] for one in both["files"]] == [2, 4]


def test_a_bad_file_among_several_stops_the_import_before_it_begins(
    shell: Shell, tmp_path: Path
) -> None:
    good = write_csv(tmp_path / "good.csv", HEADER, [("12", *LOG[0][1:])])
    before = contents(shell.home)
    shell.refused("usage", "import", str(good), str(tmp_path / "missing.csv"))
    assert contents(shell.home) == before


def test_the_story_of_a_request(shell: Shell) -> None:
    story = shell.json("ledger", "history", "--event", "1")
    assert story["hold"] is None
    assert [row["kind"] for row in story["transfers"]] == ["charge"]
    assert story["transfers"][0]["amount_ucr"] == 8_000_000
    assert story["charge"]["list_cost_nusd"] == 45_000_000
    assert {row["kind"] for row in story["platform_legs"]} == {"platform_legs"}
    account = shell.json("ledger", "history", "clearing:usage.cr", "--limit", "1")
    assert len(account["transfers"]) == 1
    seq = account["transfers"][0]["seq"]
    rest = shell.json("ledger", "history", "clearing:usage.cr", "--after", str(seq))
    assert all(row["seq"] > seq for row in rest["transfers"])


def test_wallets_and_refusals(shell: Shell) -> None:
    """8 Cr and 2 Cr of 1,000 are spent; 9 million tokens (45,000 Cr) were refused."""
    wallet = shell.json("wallet", "show", "ana")
    assert (wallet["balance_ucr"], wallet["held_ucr"]) == (990_000_000, 0)
    (waiting,) = shell.json("usage", "unpriced")["models"]
    assert (waiting["model"], waiting["events"]) == ("gpt-99", 1)


def test_a_top_up_happens_once_per_request_key(shell: Shell) -> None:
    bought = ("wallet", "top-up", "ana", "starter", "--request-key", "order-7")
    assert shell.json(*bought)["repeated"] is False
    assert shell.json(*bought)["repeated"] is True
    assert shell.json("wallet", "show", "ana")["balance_ucr"] == 1_990_000_000
    shell.refused("wallet", "top-up", "ana", "pro", "--request-key", "order-7")


def test_a_sheet_goes_from_draft_to_production_by_two_people(shell: Shell, tmp_path: Path) -> None:
    file = str(edited_sheet(shell, tmp_path))
    assert shell.json("sheet", "new", file, "--as", "ada")["revision"] == 1
    shell.refused("sheet", "new", file, "--as", "ben")
    (change,) = shell.json("sheet", "diff", "live", "spring")["changes"]
    assert (change["model"], change["old_ucr"], change["new_ucr"]) == (
        "gpt-4",
        5 * 10**9,
        6 * 10**9,
    )
    assert (change["change_percent"], change["markup_percent"]) == ("20.00", "100.00")
    assert shell.json("sheet", "submit", "spring", "--as", "ada")["state"] == "in_review"
    fault = shell.refused("sheet", "approve", "spring", "--as", "ada")
    assert "an author never approves" in fault["error"]
    shell.refused("sheet", "approve", "spring", "--as", "ben")
    shell.refused("sheet", "publish", "spring", "--as", "ada")
    shell.json("users", "add", "eve", "--role", "admin")
    shell.json("sheet", "approve", "spring", "--as", "eve")
    shell.refused("sheet", "publish", "spring", "--as", "eve", "--at", "2020-01-01T00:00:00Z")
    at = instant_text((time.time_ns() // 1_000_000_000 + 3_600) * US_PER_SECOND)
    assert shell.json("sheet", "publish", "spring", "--as", "eve", "--at", at)["version"] == 2
    sheets = shell.json("sheet", "list")
    assert [one["effective"] for one in sheets["published"]] == ["beginning", at]
    assert sheets["drafts"][0]["state"] == "published"
    models = shell.json("models", "list")
    prices = {one["model"]: one["prices_ucr"] for one in models["models"]}
    assert models["sheet_version"] == 1
    assert prices["gpt-4"] == {"blended": 5 * 10**9}, "it is only scheduled"


def test_a_rating_charges_nobody(shell: Shell, tmp_path: Path) -> None:
    """Rules, section 7: passed on, GPT-4 at 8 Cr per 1K: 1.5 x 8 = 12."""
    sheet = str(edited_sheet(shell, tmp_path, blended_ucr=8 * 10**9))
    log = str(write_csv(tmp_path / "log.csv", HEADER, LOG[:2]))
    out = tmp_path / "rated.parquet"
    before = contents(shell.home)
    report = shell.json("usage", "rate", log, "--sheet", sheet, "--out", str(out))
    assert (report["rated"], report["charge_ucr"]) == (2, 14_000_000)
    assert pq.read_table(out)["charge_ucr"].to_pylist() == [12_000_000, 2_000_000]
    assert contents(shell.home) == before


def test_the_warehouse_answers_with_the_ledgers_sums(shell: Shell) -> None:
    published = shell.json("warehouse", "publish")
    assert published["differences"] == []
    assert published["added"]["charges"] == 3
    assert shell.json("warehouse", "publish")["added"]["charges"] == 0
    answer = shell.json("warehouse", "sql", "SELECT sum(charge_ucr) AS ucr FROM charges")
    assert answer == {"columns": ["ucr"], "rows": [[10_000_000]]}
    names = {one["name"] for one in shell.json("warehouse", "tables")["tables"]}
    assert {"charges", "journal", "layer_credits", "layer_usd"} <= names


# The installed command ----------------------------------------------------------------


def installed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "economy"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
    )


def test_the_installed_command_keeps_its_streams_apart(shell: Shell) -> None:
    done = installed(
        "usage", "import", str(shell.home / "log.csv"), "--home", str(shell.home), "--json"
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["duplicates"] == 4
    missing = installed("customers", "list", "--home", str(shell.home / "none"))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "economy init" in missing.stderr


def test_a_reader_that_goes_away_is_no_fault(shell: Shell) -> None:
    command = f"'{Path(sys.executable).parent / 'economy'}' models list --home '{shell.home}'"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -n 1 >/dev/null"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
