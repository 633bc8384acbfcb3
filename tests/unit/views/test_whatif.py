"""The Lab's answers are charges, re-made: exact, and equal to what charging would say."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from economy.catalog.costs import CostBook, CostEntry
from economy.errors import BadInput, Forbidden, NotFound
from economy.policy import load_policy
from economy.pricing.formula import passed_through_markup
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.quantities import N_QUANTITIES
from economy.units import BEGINNING_OF_TIME_US, usd_text
from economy.views.staff import lab_terms, lab_usage
from economy.views.whatif import (
    Lever,
    Seen,
    Terms,
    UsageColumns,
    changed_sheet,
    curve,
    lever_of,
    price_ratios,
    what_if,
    with_volumes,
)
from economy.warehouse.layers import admin_layer
from tests.unit.views.shop import WORKED, Shop, open_shop

GPT4 = PriceLine("gpt-4", {"blended": 5_000_000_000}, 1_000_000, "up", stored=True)
LLAMA = PriceLine("llama-3", {"blended": 1_000_000_000}, 1_000_000, "up", stored=True)
MOVE = {"gpt-4": Fraction(5, 3)}


def columns(counts: dict[str, int]) -> UsageColumns:
    """So many times the worked request on each model."""
    n = sum(counts.values())
    return UsageColumns(
        seen=tuple(
            Seen(model, "p", count, 8_000_000 * count, 72_000_000 * count, 45_000_000, 60_750_000)
            for model, count in counts.items()
        ),
        offset=np.cumsum([0, *counts.values()]),
        model=np.repeat(np.arange(len(counts), dtype=np.int32), list(counts.values())),
        quantities=np.tile(np.array(WORKED, dtype=np.int64), (n, 1)),
        refused=0,
        failed=0,
        first_us=0,
        last_us=0,
        published_us=0,
    )


def terms() -> Terms:
    costs = CostBook(
        [
            CostEntry("gpt-4", "openai", BEGINNING_OF_TIME_US, {"blended": 30_000_000_000}),
            CostEntry("llama-3", "cloudflare", BEGINNING_OF_TIME_US, {"blended": 5_000_000_000}),
        ]
    )
    sheet = PriceSheet("genesis", 10_000_000, (GPT4, LLAMA))
    return Terms(load_policy("founding"), sheet, 1, costs, at_us=0)


def test_worked_request_under_todays_price() -> None:
    answer = what_if(columns({"gpt-4": 1}), terms()).total
    assert (answer.charge_ucr, answer.rounding_ucr) == (8_000_000, 500_000)
    assert usd_text(answer.revenue_nusd) == "0.08"
    assert usd_text(answer.cost_nusd) == "0.045"
    assert (answer.nominal.markup, answer.nominal.margin) == (Fraction(7, 9), Fraction(7, 16))
    # At Pro's basis and on a contributed key: $0.072 less $0.06075.
    assert usd_text(answer.earned.profit_nusd) == "0.01125"
    assert usd_text(answer.bonus_nusd) == "0.008"


@pytest.mark.parametrize(
    ("price_cr", "markup"), [(8, Fraction(3, 5)), (7, Fraction(2, 5)), (6, Fraction(1, 5)), (5, 0)]
)
def test_the_three_answers_to_a_move(price_cr: int, markup: Fraction) -> None:
    """Rules, section 7: pass on 5 -> 8 (60 %), part 6 (20 %) or 7 (40 %), absorb 5 (0 %)."""
    moved = terms().with_costs_moved(MOVE)
    asked = dataclasses.replace(
        moved,
        sheet=moved.sheet.with_lines(
            {"gpt-4": dataclasses.replace(GPT4, prices_ucr={"blended": price_cr * 10**9})}
        ),
    )
    lever = lever_of(asked, "gpt-4")
    assert lever == Lever(markup, Fraction(1))
    # A multiple of 1,000 tokens, so that rounding is no part of it.
    usage = columns({"gpt-4": 1})
    usage = dataclasses.replace(usage, quantities=usage.quantities * 2)
    assert what_if(usage, asked).total.nominal.markup == markup


def test_markup_and_demand_factor_make_the_price() -> None:
    """Rules, section 2: 4.05 Cr at 35 % and 1.0; 6.75 at 50 % and 1.5; 2.88 at 20 % and 0.8."""
    for markup, factor, price_ucr in (
        ("0.35", "1", 4_050),
        ("0.5", "1.5", 6_750),
        ("0.2", "0.8", 2_880),
    ):
        sheet = changed_sheet(terms(), {"gpt-4": Lever(Fraction(markup), Fraction(factor))})
        line = sheet.line("gpt-4")
        assert line is not None
        assert line.prices_ucr == {"blended": price_ucr * 10**6}
        assert (line.increment_ucr, line.direction) == (GPT4.increment_ucr, GPT4.direction)
        assert sheet.line("llama-3") == LLAMA


def test_a_lever_at_its_place_changes_nothing() -> None:
    usage = columns({"gpt-4": 3, "llama-3": 2})
    standing = {model: lever_of(terms(), model) for model in ("gpt-4", "llama-3")}
    levers = {model: lever for model, lever in standing.items() if lever is not None}
    assert len(levers) == 2
    assert what_if(usage, terms(), levers) == what_if(usage, terms())


def test_passing_on_all_keeps_the_markup() -> None:
    lever = lever_of(terms(), "gpt-4")
    assert lever is not None
    markup = passed_through_markup(lever.markup, Fraction(5, 3), Fraction(1))
    moved = terms().with_costs_moved(MOVE)
    line = changed_sheet(moved, {"gpt-4": Lever(markup)}).line("gpt-4")
    assert line is not None
    assert line.prices_ucr == {"blended": 8_333_300_000}


def test_rows_add_up_and_models_stay_apart() -> None:
    answer = what_if(columns({"gpt-4": 3, "llama-3": 2}), terms())
    gpt4, llama = answer.rows
    assert (gpt4.requests, gpt4.charge_ucr) == (3, 24_000_000)
    assert (llama.requests, llama.charge_ucr, llama.cost_nusd) == (2, 4_000_000, 15_000_000)
    assert answer.total.charge_ucr == 28_000_000
    assert answer.total.profit_nusd == gpt4.profit_nusd + llama.profit_nusd
    assert what_if(columns({"gpt-4": 3, "llama-3": 2}).only("llama-3"), terms()).rows == (llama,)


def test_a_model_without_a_price_is_counted_and_never_worth_a_guess() -> None:
    asked = dataclasses.replace(terms(), sheet=PriceSheet("s", 10_000_000, (GPT4,)))
    answer = what_if(columns({"gpt-4": 1, "llama-3": 2}), asked)
    assert answer.rows[1].unrated == 2
    assert answer.total.charge_ucr == 8_000_000
    assert price_ratios(answer, answer) == {"gpt-4": 1}
    with pytest.raises(NotFound):
        changed_sheet(asked, {"llama-3": Lever(Fraction(1))})


def test_sums_beyond_64_bits_are_exact() -> None:
    dear = PriceLine("gpt-4", {"request": 9 * 10**12}, 2**59, "up")
    asked = dataclasses.replace(terms(), sheet=PriceSheet("s", 10_000_000, (dear,)))
    free = CostBook([CostEntry("gpt-4", "p", BEGINNING_OF_TIME_US, {"request": 0})])
    usage = columns({"gpt-4": 40})
    only_requests = np.zeros((40, N_QUANTITIES), dtype=np.int64)
    only_requests[:, 8] = 1
    usage = dataclasses.replace(usage, quantities=only_requests)
    total = what_if(usage, dataclasses.replace(asked, costs=free)).total
    assert total.charge_ucr == 40 * 2**59 > 2**63


def test_a_forecast_scales_and_says_that_it_is_one() -> None:
    answer = what_if(columns({"gpt-4": 2, "llama-3": 2}), terms())
    assert not answer.forecast
    forecast = with_volumes(answer, {"gpt-4": 0.5})
    assert forecast.forecast
    assert forecast.rows[0].charge_ucr == answer.rows[0].charge_ucr // 2
    assert forecast.rows[1] == answer.rows[1]
    assert forecast.total.cost_nusd == sum(row.cost_nusd for row in forecast.rows)
    with pytest.raises(BadInput):
        with_volumes(answer, {"gpt-4": -0.1})


def test_effective_prices_have_rounding_in_them() -> None:
    """5 -> 8 Cr per 1K is 8 -> 12 Cr for 1.5K: 1.5, not 1.6."""
    usage = columns({"gpt-4": 2})
    before = what_if(usage, terms())
    asked = dataclasses.replace(
        terms(),
        sheet=terms().sheet.with_lines(
            {"gpt-4": dataclasses.replace(GPT4, prices_ucr={"blended": 8 * 10**9})}
        ),
    )
    assert price_ratios(before, what_if(usage, asked)) == {"gpt-4": Fraction(3, 2)}


def test_a_curve_is_the_answer_at_each_markup() -> None:
    usage = columns({"gpt-4": 3, "llama-3": 2})
    markups = [Fraction(0), Fraction(1, 2)]
    one = curve(usage, terms(), "gpt-4", markups)
    assert [markup for markup, _ in one] == markups
    asked = what_if(usage, terms(), {"gpt-4": Lever(Fraction(1, 2))})
    assert one[1][1].rows == (asked.row("gpt-4"),)
    everything = curve(usage, terms(), None, markups)
    levers = {model: Lever(Fraction(1, 2)) for model in ("gpt-4", "llama-3")}
    assert everything[1][1] == what_if(usage, terms(), levers)


def test_no_usage_is_an_answer_of_nothing() -> None:
    nothing = dataclasses.replace(
        columns({"gpt-4": 1}),
        seen=(),
        offset=np.zeros(1, dtype=np.int64),
        model=np.zeros(0, dtype=np.int32),
        quantities=np.zeros((0, N_QUANTITIES), dtype=np.int64),
    )
    assert what_if(nothing, terms()).total.profit_nusd == 0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    shop.economy.publish_warehouse()
    return shop


def test_todays_sheet_gives_back_what_was_really_charged(shop: Shop) -> None:
    """Law: a question that changes nothing answers with the books (no price moved since)."""
    usage = lab_usage(shop.economy, shop.admin)
    answer = what_if(usage, lab_terms(shop.economy, shop.admin))
    layer = admin_layer(shop.economy.warehouse_dir)
    assert [
        (r.model, r.requests, r.charge_ucr, r.rounding_ucr, r.cost_nusd) for r in answer.rows
    ] == [
        (r.model, r.requests, r.charge_ucr, r.rounding_ucr, r.list_cost_nusd)
        for r in sorted(layer.rows, key=lambda r: r.model)
    ]
    assert answer.total.revenue_basis_nusd == layer.total.revenue_basis_nusd
    assert answer.total.paid_cost_nusd == layer.total.paid_cost_nusd
    assert (usage.refused, usage.failed) == (1, 1)


def test_usage_is_read_once_until_the_next_publish(shop: Shop) -> None:
    first = lab_usage(shop.economy, shop.admin)
    assert lab_usage(shop.economy, shop.admin) is first
    shop.economy.publish_warehouse()
    assert lab_usage(shop.economy, shop.admin) is not first
    with pytest.raises(Forbidden):
        lab_usage(shop.economy, shop.ana)
    with pytest.raises(ValueError, match="read-only"):
        first.quantities[0, 0] = 1
