"""Figures draw the amounts they were given."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dashboards.charts import bars
from dashboards.charts.layers import ProviderBars, daily_margin_figure, providers_figure
from dashboards.charts.markup_curve import CurvePoint, curve_figure
from dashboards.charts.waterfall import price_to_profit, waterfall_figure

LABELS = {
    name: name
    for name in (
        *("price", "rounding", "cost", "profit"),
        *("instant", "forecast", "volume", "today", "chosen", "markup"),
    )
}


def test_the_worked_request_falls_from_price_to_profit() -> None:
    # Rules, section 3: 7.5 Cr, 8 after rounding; cost $0.045, profit $0.035.
    steps = price_to_profit(75_000_000, 5_000_000, 45_000_000)
    assert [(s.name, s.amount_nusd, s.from_nusd) for s in steps] == [
        ("price", 75_000_000, 0),
        ("rounding", 5_000_000, 75_000_000),
        ("cost", -45_000_000, 80_000_000),
        ("profit", 35_000_000, 0),
    ]


def test_each_bar_ends_where_the_next_one_starts() -> None:
    steps = price_to_profit(100, 7, 250)
    assert steps[0].amount_nusd == steps[1].from_nusd
    assert steps[1].from_nusd + steps[1].amount_nusd == steps[2].from_nusd
    assert steps[2].from_nusd + steps[2].amount_nusd == steps[3].amount_nusd


def test_the_waterfall_draws_dollars_and_marks_a_loss() -> None:
    gain = waterfall_figure(price_to_profit(75_000_000, 5_000_000, 45_000_000), LABELS).data[0]
    assert list(gain.y) == pytest.approx([0.075, 0.005, -0.045, 0.035])
    assert list(gain.text) == ["$0.075", "$0.005", "−$0.045", "$0.035"]
    loss = waterfall_figure(price_to_profit(10, 0, 30), LABELS).data[0]
    assert loss.marker.color[-1] != gain.marker.color[-1]


def test_the_curve_marks_today_and_the_choice() -> None:
    points = [
        CurvePoint(Fraction(markup, 100), markup * 10**9, markup * 9 * 10**8, 1 - markup / 1000)
        for markup in range(0, 100, 10)
    ]
    figure = curve_figure(points, Fraction(2, 3), Fraction(4, 5), LABELS)
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["instant"].y) == pytest.approx([float(m) for m in range(0, 100, 10)])
    assert list(by_name["forecast"].y) == pytest.approx([0.9 * m for m in range(0, 100, 10)])
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([200 / 3, 80.0])


def test_an_unmoved_slider_is_not_marked_twice() -> None:
    points = [CurvePoint(Fraction(0), 0, 0, 1.0)]
    figure = curve_figure(points, Fraction(0), Fraction(0), LABELS)
    assert len(figure.layout.shapes) == 1


def test_bars_hold_the_credits_and_nothing_else() -> None:
    chart = bars.by_day([("2026-01-01", 7_500_000), ("2026-01-02", 0)], "Credits")
    assert list(chart.data.columns) == ["day", "Credits"]
    assert chart.data["Credits"].tolist() == [7.5, 0.0]
    ranked = bars.by_name([("gpt-4", 8_000_000)], "Credits")
    assert list(ranked.data.columns) == ["name", "Credits"]


def test_providers_show_both_revenues_and_both_costs() -> None:
    rows = [ProviderBars("openai", 80_000_000, 72_000_000, 45_000_000, 60_750_000)]
    labels = {
        name: name
        for name in (
            *("revenue_reference_nusd", "revenue_basis_nusd"),
            *("list_cost_nusd", "paid_cost_nusd"),
        )
    }
    figure = providers_figure(rows, labels)
    assert [list(bar.y) for bar in figure.data] == [[0.08], [0.072], [0.045], [0.06075]]


def test_a_day_without_revenue_is_a_gap() -> None:
    figure = daily_margin_figure([("2026-01-01", Fraction(7, 16)), ("2026-01-02", None)], "margin")
    assert list(figure.data[0].y) == [43.75, None]
