"""Two engines, one meaning: equal in every account and every tick, to the last unit."""

import numpy as np
import pytest

from simulations.cohort import run_cohort
from simulations.reference import run_reference
from simulations.scenario import load_scenario, scenario_from
from simulations.world import World


def lived(scenario, answer, engine, seed=7, replication=0):
    """A run's recording, and every account's totals after every tick (by account name)."""
    world = World(scenario, scenario.policy(), answer, seed, replication)
    states = []
    recording = engine(
        world, on_tick=lambda _tick, books: states.append(books.ledger.accounts.copy())
    )
    ids = np.arange(1, len(states[-1]))
    return recording, np.stack(states), world.books.ledger.names(ids)


@pytest.fixture(scope="module")
def small():
    return load_scenario("demo_small")


@pytest.mark.parametrize("answer", ["pass_on", "part", "absorb"])
def test_engines_agree_to_the_last_unit(small, answer):
    cohort, cohort_states, names = lived(small, small.answer(answer), run_cohort)
    reference, reference_states, reference_names = lived(small, small.answer(answer), run_reference)
    assert cohort.columns == reference.columns
    np.testing.assert_array_equal(cohort.values, reference.values)
    assert names == reference_names
    np.testing.assert_array_equal(cohort_states, reference_states)


def test_the_small_case_meets_what_it_should(small):
    """Refusals, repeated top-ups, several lots a buyer, a used-up key, both price epochs."""
    recording, states, names = lived(small, small.answer("pass_on"), run_cohort)
    total = {name: int(recording.column(name).sum()) for name in recording.columns}
    assert total["refused"] > 20
    assert total["served"] + total["refused"] == total["requests"] < total["occasions"]
    assert total["top_ups"] > small.buyers.count
    assert 0 < total["rounding_ucr"] < total["charge_ucr"]
    assert total["paid_cost_nusd"] != total["list_cost_nusd"]
    last = dict(zip(names, states[-1][1:], strict=True))
    debits_posted, credits_posted = 1, 3
    assert last["pool:key1.quota"][debits_posted] == 60_000_000_000
    assert last["pool:key1.quota"][credits_posted] > 59_900_000_000
    assert last["expense:provider:openai.usd"][debits_posted] > 0
    lots = np.array([last[f"lot:{i}.cr"][credits_posted] for i in range(40 * 4)]).reshape(40, 4)
    assert ((lots > 0).sum(axis=1) > 1).any()


def test_on_use_keys_agree_too(small):
    """The sound policy pays contributors as their keys serve."""
    document = {"policy_name": "sound"}
    scenario = small.model_copy(update=document)
    answer = scenario.answer("part")
    cohort, cohort_states, _ = lived(scenario, answer, run_cohort)
    reference, reference_states, _ = lived(scenario, answer, run_reference)
    np.testing.assert_array_equal(cohort.values, reference.values)
    np.testing.assert_array_equal(cohort_states, reference_states)


def test_the_answer_takes_effect_after_the_lag_and_not_before(small):
    """The provider moves on day 2 at 06:00, the operator six hours later."""
    passed = lived(small, small.answer("pass_on"), run_cohort)[0]
    absorbed = lived(small, small.answer("absorb"), run_cohort)[0]
    published = 2 * 24 + 12
    np.testing.assert_array_equal(passed.values[:published], absorbed.values[:published])
    assert (
        passed.column("requests")[published:].sum() < absorbed.column("requests")[published:].sum()
    )


def test_five_minute_ticks_are_possible(small):
    horizon = small.horizon.model_copy(update={"days": 3, "tick_minutes": 5})
    scenario = small.model_copy(update={"horizon": horizon})
    recording, _, _ = lived(scenario, scenario.answer("absorb"), run_cohort)
    assert recording.values.shape[0] == 3 * 288
    # 25 served a day at half outside: 40 * 50 occasions a day, give or take the bursts.
    assert recording.column("occasions").sum() == pytest.approx(3 * 2_000, rel=0.1)


def test_no_demand_is_flat():
    document = {
        "schema_version": 1,
        "name": "quiet",
        "baseline": "absorb",
        "horizon": {"days": 2, "start": "2026-01-05T00:00:00Z"},
        "buyers": {"count": 5, "requests_per_day": 0.0},
        "models": [
            {
                "name": "m",
                "provider": "p",
                "cost_usd_per_1k": "0.03",
                "price_cr_per_1k": "5",
                "share": 1.0,
            }
        ],
        "answers": [{"name": "absorb"}],
    }
    scenario = scenario_from(document, "quiet.toml")
    recording, _, _ = lived(scenario, scenario.answers[0], run_cohort)
    assert recording.column("top_ups").tolist() == [5] + [0] * 47
    assert recording.column("requests").sum() == recording.column("charge_ucr").sum() == 0
    assert (recording.column("liability_ucr") == recording.column("liability_ucr")[0]).all()
