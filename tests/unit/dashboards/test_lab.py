"""The Lab asks what its sliders say, and its answers are the economy's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dashboards import lab
from economy.catalog.costs import CostBook, CostEntry
from economy.errors import NotFound
from economy.policy import load_policy
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.quantities import N_QUANTITIES
from economy.units import BEGINNING_OF_TIME_US
from economy.views.whatif import Lever, Seen, Terms, UsageColumns, changed_sheet, what_if

GPT4_COST_NUSD, CLAUDE_COST_NUSD = 30_000_000_000, 25_000_000_000  # Per million tokens.
N_EACH = 10


@pytest.fixture
def terms() -> Terms:
    """GPT-4 at 5 Cr and Claude 3 at 4 Cr per 1K, over $0.03 and $0.025 (rules, section 2)."""
    lines = tuple(
        PriceLine(model, {"blended": price_ucr}, 1_000_000, "up", stored=True)
        for model, price_ucr in (("claude-3", 4_000_000_000), ("gpt-4", 5_000_000_000))
    )
    costs = CostBook(
        CostEntry(model, provider, BEGINNING_OF_TIME_US, {"blended": cost_nusd})
        for model, provider, cost_nusd in (
            ("claude-3", "anthropic", CLAUDE_COST_NUSD),
            ("gpt-4", "openai", GPT4_COST_NUSD),
        )
    )
    return Terms(load_policy("founding"), PriceSheet("live", 10_000_000, lines), 1, costs, 0)


@pytest.fixture
def usage() -> UsageColumns:
    """Ten of the worked request (1,000 + 500 tokens) on each of the two models."""
    quantities = np.zeros((2 * N_EACH, N_QUANTITIES), dtype=np.int64)
    quantities[:, 0], quantities[:, 1] = 1_000, 500
    seen = tuple(
        Seen(model, provider, N_EACH, 8_000_000 * N_EACH, 0, 0, 0)
        for model, provider in (("claude-3", "anthropic"), ("gpt-4", "openai"))
    )
    return UsageColumns(
        seen=seen,
        offset=np.array([0, N_EACH, 2 * N_EACH]),
        model=np.repeat(np.arange(2, dtype=np.int32), N_EACH),
        quantities=quantities,
        refused=0,
        failed=0,
        first_us=0,
        last_us=0,
        published_us=1,
    )


def test_a_slider_is_an_exact_rate() -> None:
    assert lab.percent_of(66.7) == Fraction(667, 1000)
    assert lab.percent_of(-20.0) == Fraction(-1, 5)


def test_the_slider_stands_at_the_nearest_tenth_within_its_ends() -> None:
    assert lab.slider_percent(Fraction(2, 3)) == 66.7
    assert lab.slider_percent(Fraction(9)) == 400.0
    assert lab.slider_percent(Fraction(-9, 10)) == -50.0


def test_sliders_start_where_the_prices_stand(terms: Terms, usage: UsageColumns) -> None:
    today = what_if(usage, terms)
    assert lab.standing(terms, "gpt-4", today) == Lever(Fraction(2, 3))
    assert lab.standing(terms, "claude-3", today) == Lever(Fraction(3, 5))
    # Exact prices 7.5 and 6 Cr over costs of $0.045 and $0.0375: 0.135 / 0.0825 - 1.
    assert lab.standing(terms, None, today) == Lever(Fraction(7, 11))
    with pytest.raises(NotFound):
        lab.standing(terms, "unheard-of", today)


def test_a_question_moves_its_own_models_only(terms: Terms) -> None:
    one = lab.levers(terms, lab.Question("gpt-4", Fraction(1), Fraction(1)))
    sheet = changed_sheet(terms, one)
    moved, kept = sheet.line("gpt-4"), sheet.line("claude-3")
    assert moved is not None
    assert moved.prices_ucr == {"blended": 6_000_000_000}
    assert kept == terms.sheet.line("claude-3")
    everything = lab.levers(terms, lab.Question(None, Fraction(1), Fraction(1)))
    assert set(everything) == {"gpt-4", "claude-3"}


def test_the_instant_answer_is_the_worked_request(terms: Terms, usage: UsageColumns) -> None:
    # Rules, section 3: 8 Cr, cost $0.045, profit $0.035; at 6 Cr per 1K exactly 9 Cr.
    today = what_if(usage, terms)
    question = lab.Question("gpt-4", Fraction(1), Fraction(1))
    instant = what_if(usage, terms, lab.levers(terms, question))
    found = lab.answers(usage, "gpt-4", today, instant, -1.1)
    assert found.today.profit_nusd == N_EACH * 35_000_000
    assert found.instant.charge_ucr == N_EACH * 9_000_000
    assert found.instant.rounding_ucr == 0
    assert found.instant.profit_nusd == N_EACH * 45_000_000
    assert found.volume < 1
    assert found.forecast.profit_nusd < found.instant.profit_nusd


def test_buyers_who_do_not_react_make_forecast_and_answer_one(
    terms: Terms, usage: UsageColumns
) -> None:
    today = what_if(usage, terms)
    question = lab.Question(None, Fraction(1), Fraction(1))
    instant = what_if(usage, terms, lab.levers(terms, question))
    found = lab.answers(usage, None, today, instant, 0.0)
    assert found.volume == pytest.approx(1.0)
    assert found.forecast.profit_nusd == pytest.approx(found.instant.profit_nusd, rel=1e-5)


@pytest.mark.parametrize("model", ["gpt-4", None])
def test_the_curve_agrees_with_single_questions(
    terms: Terms, usage: UsageColumns, model: str | None
) -> None:
    today = what_if(usage, terms)
    markups = lab.curve_markups(Fraction(2, 3))
    assert list(markups) == sorted(markups)
    assert markups[0] < Fraction(2, 3) < markups[-1]
    found = lab.curve_answers(usage, terms, model, Fraction(1), markups)
    points = lab.curve(usage, model, today, dict(zip(markups, found, strict=True)), -1.1)
    for point in points[::10]:
        question = lab.Question(model, point.markup, Fraction(1))
        instant = what_if(usage, terms, lab.levers(terms, question))
        single = lab.answers(usage, model, today, instant, -1.1)
        assert point.profit_instant_nusd == single.instant.profit_nusd
        assert point.profit_forecast_nusd == single.forecast.profit_nusd
        assert point.volume_forecast == pytest.approx(single.volume)
