"""Law: an import that is killed anywhere and repeated ends as if it had never been killed.

Each run kills the importing process a few times at statements drawn by a seed, lets it
finish, and compares with an import that ran in one piece: the same charges, the same
balance of every account, books that verify, and a warehouse that agrees with them.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from economy.economy import Economy
from economy.policy import load_policy
from economy.units import parse_instant
from economy.usage.demo import generate_usage, write_parquet
from tests.parts import PROJECT_ROOT

SEED = int(os.environ.get("ECONOMY_SOAK_SEED", "20260105"))
N_CRASHES = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 3
N_EVENTS, N_CUSTOMERS, DAYS = 17_000, 40, 5
START_US = parse_instant("2026-01-05T00:00:00Z")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")


def run_import(home: Path, log: Path, dies_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.soak.crashing_import", str(home), str(log)]
    return subprocess.run(
        [*command, str(dies_at)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )


def build(home: Path, log: Path) -> None:
    """Customers with one pack each: small ones can pay, the largest runs dry and is refused."""
    usage = generate_usage(SEED, N_CUSTOMERS, N_EVENTS, START_US, DAYS)
    write_parquet(usage, log)
    economy = Economy.create(home, load_policy("founding"))
    admin = economy.actor()
    economy.set_up_prices(admin)
    for customer in economy.ensure_customers(admin, usage.customers):
        economy.top_up(admin, customer, "starter", request_key=customer)
    economy.database.close()


def charges(economy: Economy) -> list[tuple[object, ...]]:
    """What became of every event, without the numbers that only say when it was booked."""
    with economy.database.reading() as connection:
        return connection.execute(
            "SELECT event_id, status, charge_ucr, unrounded_ucr, rounding_ucr, basis_usage_nusd,"
            " basis_rounding_nusd, list_cost_nusd, paid_cost_nusd FROM charges ORDER BY event_id"
        ).fetchall()


def balances(economy: Economy) -> list[tuple[object, ...]]:
    with economy.database.reading() as connection:
        return connection.execute(
            "SELECT name, debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM accounts ORDER BY name"
        ).fetchall()


def test_an_import_that_is_killed_and_repeated_ends_as_if_never_killed(tmp_path: Path) -> None:
    template, log = tmp_path / "template", tmp_path / "log.parquet"
    build(template, log)
    whole_home, killed_home = tmp_path / "whole", tmp_path / "killed"
    shutil.copytree(template, whole_home)
    shutil.copytree(template, killed_home)

    finished = run_import(whole_home, log, dies_at=0)
    assert finished.returncode == 0, finished.stderr
    n_statements = int(finished.stdout)
    assert n_statements > N_EVENTS  # Otherwise the statements of the import were not counted.

    draw = random.Random(SEED)
    n_killed = 0
    for _ in range(N_CRASHES):
        died = run_import(killed_home, log, dies_at=draw.randint(1, n_statements))
        n_killed += died.returncode == -signal.SIGKILL
        assert died.returncode in (0, -signal.SIGKILL), died.stderr
        assert Economy.open(killed_home).verify().ok
    assert n_killed > 0
    assert run_import(killed_home, log, dies_at=0).returncode == 0

    whole, killed = Economy.open(whole_home), Economy.open(killed_home)
    assert len(charges(whole)) == N_EVENTS
    assert {row[1] for row in charges(whole)} >= {1, 2}, "some are charged and some refused"
    assert charges(killed) == charges(whole)
    assert balances(killed) == balances(whole)
    assert killed.verify().ok
    killed.publish_warehouse()
    assert killed.compare_warehouse() == []
