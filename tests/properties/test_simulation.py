"""Laws of the simulated economy.

* Conservation: in every unit, debits equal credits, after every tick, in both engines.
* One meaning: both engines agree in every account and tick, whatever the scenario.
* Same address, same numbers: a seed determines everything.
* Common random numbers: answers share population and occasions; an absorbed shock leaves
  no trace in Credits.
* Whoever always has enough is never refused.
* Scaling all USD and the Credit's value together leaves the Credits where they were.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.ledger import UnitCode
from economy.ledger.kernel import UNIT
from simulations.cohort import run_cohort
from simulations.reference import run_reference
from simulations.scenario import Scenario, load_scenario, scenario_from
from simulations.world import World

CREDIT_FLOWS = ("occasions", "requests", "served", "refused", "tokens", "charge_ucr",
                "rounding_ucr", "top_ups", "top_up_ucr", "liability_ucr")  # fmt: skip


def document(**changed):
    """A day of a dozen buyers; ``changed`` replaces whole tables."""
    return {
        "schema_version": 1,
        "name": "law",
        "baseline": "absorb",
        "horizon": {"days": 2, "start": "2026-01-05T00:00:00Z"},
        "buyers": {"count": 12, "requests_per_day": 20.0},
        "models": [
            {
                "name": "gpt-4",
                "provider": "openai",
                "cost_usd_per_1k": "0.03",
                "price_cr_per_1k": "5",
                "share": 0.6,
            },
            {
                "name": "llama-3",
                "provider": "cloudflare",
                "cost_usd_per_1k": "0.005",
                "price_cr_per_1k": "1",
                "share": 0.4,
            },
        ],
        "provider_moves": [{"model": "gpt-4", "day": 0, "hour": 8, "cost_usd_per_1k": "0.05"}],
        "operator": {"review_lag_hours": 3},
        "answers": [
            {"name": "absorb"},
            {"name": "pass_on", "prices_cr_per_1k": {"gpt-4": "8"}},
        ],
    } | changed


def live(scenario: Scenario, answer: str = "pass_on", seed: int = 1, engine=run_cohort):
    world = World(scenario, scenario.policy(), scenario.answer(answer), seed, 0)
    states = []
    recording = engine(world, on_tick=lambda _t, books: states.append(books.ledger.accounts.copy()))
    return recording, np.stack(states)


scenarios = st.builds(
    lambda rate, sigma, notice, budget, low, quota, price, lag, increment: scenario_from(
        document(
            buyers={"count": 8, "requests_per_day": rate, "size_sigma": sigma},
            horizon={"days": 1, "start": "2026-01-05T00:00:00Z"},
            top_ups={
                "notice_probability": notice,
                "budget_months": budget,
                "low_water_days": low,
                "illiquidity": 0.0,
                "price_sensitivity": 0.0,
            },
            operator={"review_lag_hours": lag},
            answers=[
                {"name": "absorb"},
                {"name": "pass_on", "prices_cr_per_1k": {"gpt-4": price}},
            ],
            contributed_keys=[
                {"provider": "openai", "valued_on": "gpt-4", "quota_usd": quota},
            ],
            models=[
                document()["models"][0],
                document()["models"][1]
                | {"rounding": {"increment_cr": increment, "direction": "half_even"}},
            ],
        ),
        "law.toml",
    ),
    rate=st.sampled_from([5.0, 60.0, 400.0]),
    sigma=st.sampled_from([0.0, 1.5, 2.7]),
    notice=st.sampled_from([0.0, 0.1, 1.0]),
    budget=st.sampled_from([0.05, 1.0, 20.0]),
    low=st.sampled_from([0.0, 0.5, 5.0]),
    quota=st.sampled_from(["1", "3.33", "50"]),
    price=st.sampled_from(["8", "2.5", "5.123"]),
    lag=st.integers(0, 30),
    increment=st.sampled_from(["1", "0.001", "0.7"]),
)


@settings(max_examples=15, deadline=None)
@given(scenario=scenarios, seed=st.integers(0, 2**64 - 1))
def test_engines_agree_and_conserve_whatever_the_scenario(scenario, seed):
    cohort, states = live(scenario, seed=seed)
    reference, reference_states = live(scenario, seed=seed, engine=run_reference)
    np.testing.assert_array_equal(cohort.values, reference.values)
    np.testing.assert_array_equal(states, reference_states)
    for unit in UnitCode:
        of_unit = states[0][:, UNIT] == unit
        totals = states[:, of_unit, :4].sum(axis=1)
        assert (totals[:, 0] == totals[:, 2]).all()
        assert (totals[:, 1] == totals[:, 3]).all()
    np.testing.assert_array_equal(
        cohort.column("served") + cohort.column("refused"), cohort.column("requests")
    )


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_a_seed_determines_everything(seed):
    scenario = scenario_from(document(), "law.toml")
    first, again = live(scenario, seed=seed)[0], live(scenario, seed=seed)[0]
    np.testing.assert_array_equal(first.values, again.values)
    other = live(scenario, seed=seed ^ 1)[0]
    assert (first.values != other.values).any()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_an_absorbed_shock_leaves_no_trace_in_credits(seed):
    shocked, _ = live(scenario_from(document(), "law.toml"), "absorb", seed)
    calm_document = document(provider_moves=[], answers=[{"name": "absorb"}])
    calm, _ = live(scenario_from(calm_document, "law.toml"), "absorb", seed)
    for flow in CREDIT_FLOWS:
        np.testing.assert_array_equal(shocked.column(flow), calm.column(flow))
    before, after = slice(0, 8), slice(8, None)
    costs = shocked.column("list_cost_nusd"), calm.column("list_cost_nusd")
    np.testing.assert_array_equal(costs[0][before], costs[1][before])
    assert costs[0][after].sum() > costs[1][after].sum()


def test_a_higher_price_thins_the_same_occasions():
    """CRN: a mark that stays with GPT-4 at 8 Cr was with GPT-4 at 5 Cr too."""
    scenario = scenario_from(document(), "law.toml")
    dear, cheap = live(scenario, "pass_on")[0], live(scenario, "absorb")[0]
    np.testing.assert_array_equal(dear.column("occasions"), cheap.column("occasions"))
    assert (dear.column("requests") <= cheap.column("requests")).all()


def test_enough_balance_is_never_refused():
    plenty = scenario_from(
        document(top_ups={"low_water_days": 300.0, "notice_probability": 1.0,
                          "budget_months": 1000.0, "illiquidity": 0.0}),
        "law.toml",
    )  # fmt: skip
    recording, _ = live(plenty, "absorb")
    assert recording.column("requests").sum() > 200
    assert recording.column("refused").sum() == 0


def test_scaling_dollars_and_the_credit_together_leaves_credits_unchanged(monkeypatch):
    """Model, section 9: all USD (costs, packs, the Credit's value) doubled."""
    scenario = scenario_from(document(), "law.toml")
    single, _ = live(scenario)
    policy = scenario.policy()
    doubled_policy = policy.model_copy(
        update={
            "credit": policy.credit.model_copy(
                update={"reference_value_nusd": 2 * policy.credit.reference_value_nusd}
            ),
            "packs": tuple(
                pack.model_copy(update={"price_nusd": 2 * pack.price_nusd}) for pack in policy.packs
            ),
        }
    )
    dear = document()
    for model, cost in zip(dear["models"], ("0.06", "0.01"), strict=True):
        model["cost_usd_per_1k"] = cost
    dear["provider_moves"][0]["cost_usd_per_1k"] = "0.10"
    monkeypatch.setattr(Scenario, "policy", lambda _self: doubled_policy)
    doubled, _ = live(scenario_from(dear, "law.toml"))
    for flow in CREDIT_FLOWS:
        np.testing.assert_array_equal(single.column(flow), doubled.column(flow))
    np.testing.assert_array_equal(
        2 * single.column("list_cost_nusd"), doubled.column("list_cost_nusd")
    )


def test_the_shipped_shock_states_the_founding_costs():
    """The scenario repeats the founding document's costs; they must not drift apart."""
    from economy.catalog.files import load_costs
    from economy.policy import DATA_DIR
    from economy.units import BEGINNING_OF_TIME_US

    book = load_costs(DATA_DIR / "costs" / "founding.toml")
    for model in load_scenario("gpt4_shock").models:
        entry = book.at(model.name, BEGINNING_OF_TIME_US)
        assert entry is not None
        assert (entry.provider, entry.prices_nusd) == (model.provider, model.cost_nusd)
