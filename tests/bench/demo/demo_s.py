"""The main job, from an empty folder to the stored simulation, without the dashboard.

It runs on the conversation trace where that lies beside the checkout (the log that the
project's own figure is stated for), and on as much demo usage as the command generates
otherwise. Compiled code is on disk already; a first run after installation compiles too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.measuring import Measurement, of_runs
from tests.parts import PROJECT_ROOT, SHARED_DATA

NAME = "demo.s"
TRACE = SHARED_DATA / "traces" / "azure_llm_2023_conv.parquet"
COLUMN_MAP = PROJECT_ROOT / "data" / "maps" / "azure_llm_2023.toml"


def measure(quick: bool) -> Measurement:
    usage = ["--usage", str(TRACE), "--map", str(COLUMN_MAP)] if TRACE.exists() else []
    on = "trace" if usage else "demo usage"
    seconds = [run(usage) for _ in range(1 if quick else 3)]
    return of_runs(NAME, f"seconds ({on})", seconds)


def run(usage: list[str]) -> float:
    command = [str(Path(sys.executable).parent / "economy"), "demo", "--no-open", "--json"]
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--home", folder, *usage], check=True, capture_output=True, text=True
        )
        elapsed = time.perf_counter() - start
    json.loads(done.stdout)  # One document and nothing else, or the run does not count.
    return elapsed
