"""Every notebook runs from top to bottom on a fresh workspace, and none is committed with
outputs: they would show somebody's data, and numbers that nobody has checked since."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from economy.economy import Economy
from economy.policy import load_policy
from economy.state.clock import FixedClock
from economy.units import US_PER_DAY, parse_instant
from economy.usage.demo import generate_usage
from tests.parts import PROJECT_ROOT

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").glob("*.ipynb"))
DAYS = 3
START_US = parse_instant("2026-03-02T00:00:00Z")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three days of demo usage, published to its warehouse."""
    home = tmp_path_factory.mktemp("notebooks") / ".economy"
    clock = FixedClock(START_US + DAYS * US_PER_DAY)
    economy = Economy.create(home, load_policy("founding"), clock)
    admin = economy.actor()
    economy.set_up_prices(admin)
    usage = generate_usage(seed=7, n_customers=20, n_events=600, from_us=START_US, days=DAYS)
    for customer in usage.customers:
        economy.add_customer(admin, customer)
        economy.top_up(admin, customer, "starter", request_key=f"order-{customer}")
    report = economy.charge_usage(admin, [usage])
    assert report.accepted == len(usage)
    economy.publish_warehouse()
    return home


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_a_fresh_workspace(
    path: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECONOMY_HOME", str(workspace))
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()  # Raises what the first cell that fails has raised.
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    charts = [
        output
        for cell in code
        for output in cell.outputs
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert charts, "a notebook shows at least one chart"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS
