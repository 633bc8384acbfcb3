"""Rounds of property and crash tests until the time is up."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time

from tests.parts import PROJECT_ROOT

FOLDERS = ("tests/properties", "tests/soak")
WORKERS = "2"


def play_round(seed: int) -> int:
    """One pytest run with this seed; its exit status."""
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, f"--hypothesis-seed={seed}", *FOLDERS]
    environment = os.environ | {"HYPOTHESIS_PROFILE": "soak", "ECONOMY_SOAK_SEED": str(seed)}
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no round after this")
    parser.add_argument("--seed", type=int, help="play one round with this seed and stop")
    options = parser.parse_args()
    if options.seed is not None:
        return play_round(options.seed)
    start = time.monotonic()
    rounds = 0
    while rounds == 0 or time.monotonic() - start < options.seconds:
        rounds += 1
        seed = secrets.randbelow(2**31)
        print(f"soak: round {rounds}, seed {seed}", flush=True)
        status = play_round(seed)
        if status != 0:
            print(f"soak: repeat this round with: python -m tests.soak --seed {seed}", flush=True)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
