"""The shock study: exact sums below, paired intervals above."""

import numpy as np
import pytest

from simulations.results import Outcome
from simulations.runner import run
from simulations.scenario import load_scenario
from simulations.studies.shock import MEASURES, measured_totals, shock_table


def test_measures_are_exact_sums():
    """2 days of 150,000 Cr in all: $1,500 nominal less $1,890 is the rules' -$390."""
    columns = ("charge_ucr", "list_cost_nusd", "revenue_basis_nusd", "paid_cost_nusd",
               "served", "refused")  # fmt: skip
    day = [75_000_000_000, 945_000_000_000, 675_000_000_000, 900_000_000_000, 10, 1]
    outcome = Outcome("x", ("absorb",), columns, np.array([[[day, day]]], dtype=np.int64))
    assert measured_totals(outcome, "absorb", 10_000_000) == {
        "profit_nusd": [-390_000_000_000],
        "profit_basis_nusd": [-450_000_000_000],
        "served": [20],
        "refused": [2],
        "charge_ucr": [150_000_000_000],
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    scenario = load_scenario("demo_small")
    outcome = run(scenario, tmp_path_factory.mktemp("home"))
    return shock_table(scenario, outcome)


def test_rows_stand_in_order_and_the_baseline_has_no_difference(table):
    assert [row.answer for row in table.rows] == ["pass_on", "part", "absorb"]
    for row in table.rows:
        assert tuple(row.measures) == MEASURES
        for measured in row.measures.values():
            assert (measured.difference is None) == (row.answer == table.baseline)
            assert measured.level.n == 3


def test_differences_are_paired_by_replication(table):
    by_name = {row.answer: row.measures["profit_nusd"] for row in table.rows}
    expected = np.subtract(by_name["pass_on"].values, by_name["absorb"].values)
    difference = by_name["pass_on"].difference
    assert difference is not None
    assert difference.mean == pytest.approx(expected.mean())
    assert difference.sd == pytest.approx(expected.std(ddof=1))


def test_a_dearer_model_is_asked_less(table):
    served = {row.answer: row.measures["served"].level.mean for row in table.rows}
    assert served["pass_on"] < served["part"] < served["absorb"]


def test_the_document_holds_values_and_intervals(table):
    document = table.as_dict()
    answer = document["answers"][0]
    assert answer["answer"] == "pass_on"
    assert all(isinstance(value, int) for value in answer["profit_nusd"]["values"])
    assert {"mean", "low", "high", "crosses_zero"} <= answer["profit_nusd"]["difference"].keys()
    assert document["answers"][2]["profit_nusd"]["difference"] is None
