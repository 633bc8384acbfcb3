"""Staff see both layers, sheets over time, and what a sheet would change."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest

from economy.catalog.costs import CostBook, CostEntry
from economy.errors import Forbidden, NotFound
from economy.pricing.sheet import PriceLine, PriceSheet, TierPrices
from economy.units import BEGINNING_OF_TIME_US
from economy.views import staff
from tests.unit.views.shop import Shop, open_shop

GPT4 = PriceLine("gpt-4", {"blended": 5_000_000_000}, 1_000_000, "up")
COSTS = CostBook([CostEntry("gpt-4", "openai", BEGINNING_OF_TIME_US, {"blended": 30_000_000_000})])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    shop.economy.publish_warehouse()
    return shop


def sheet(*lines: PriceLine) -> PriceSheet:
    return PriceSheet("s", 10_000_000, lines)


def test_layers_hold_credits_dollars_keys_and_how_fresh_they_are(shop: Shop) -> None:
    view = staff.layers(shop.economy, shop.admin)
    assert sum(row.charge_ucr for row in view.credits) == view.usd.total.charge_ucr == 30_000_000
    assert sum(row.charge_ucr for _, row in view.by_day) == 30_000_000
    (key,) = view.keys
    # Rules, section 4: "After the request in 3 the key has $499.955 left."
    assert (key.owner, key.left_quota_nusd) == ("bo", 499_955_000_000)
    assert key.left_capacity_ucr == 83_330_000_000 - 7_500_000
    assert view.behind == {"journal": 0, "charges": 0}


def test_a_customer_is_refused_everywhere(shop: Shop) -> None:
    for look in (staff.layers, staff.sheets, staff.lab_terms, staff.lab_usage):
        with pytest.raises(Forbidden):
            look(shop.economy, shop.ana)
    with pytest.raises(Forbidden):
        staff.difference(shop.economy, shop.ana, sheet(GPT4), sheet(GPT4))


def test_sheets_cover_time_without_gap(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    economy = shop.economy
    lin = economy.add_staff(shop.admin, "lin", "business")
    live = economy.price_book().sheet_at(shop.clock.now_us()).sheet
    for name, wait_s in (("second", 60), ("third", 7_200)):
        newest = economy.price_book().epochs[-1].version
        named = dataclasses.replace(live, sheet_id=name)
        draft = economy.save_draft(lin, named, base_version=newest)
        economy.submit(lin, name, draft.revision)
        economy.approve(shop.admin, name, draft.revision)
        at_us = shop.clock.now_us() + wait_s * 1_000_000
        economy.publish_sheet(shop.admin, name, draft.revision, at_us)
    shop.clock.advance(3_600)
    rows = staff.sheets(economy, shop.admin)
    assert [(row.sheet_id, row.period) for row in rows] == [
        ("third", "scheduled"),
        ("second", "in_force"),
        ("genesis", "superseded"),
    ]
    assert rows[0].until_us is None
    assert [later.effective_us for later in rows[:-1]] == [row.until_us for row in rows[1:]]
    assert rows[0].author == "lin"
    assert staff.lab_terms(economy, shop.admin).sheet.sheet_id == "second"
    assert staff.lab_terms(economy, shop.admin, version=1).sheet.sheet_id == "genesis"
    with pytest.raises(NotFound):
        staff.lab_terms(economy, shop.admin, version=9)


def test_equal_sheets_do_not_differ() -> None:
    assert staff.sheet_difference(sheet(GPT4), sheet(GPT4), COSTS, 0) == []


def test_a_changed_price_shows_old_new_change_markup_and_margin() -> None:
    """Rules, section 7: passed on at $0.05, 5 -> 8 Cr is a markup of 60 %."""
    dearer = dataclasses.replace(GPT4, prices_ucr={"blended": 8_000_000_000})
    costs = CostBook([dataclasses.replace(COSTS.entries[0], prices_nusd={"blended": 50 * 10**9})])
    (row,) = staff.sheet_difference(sheet(GPT4), sheet(dearer), costs, 0)
    assert (row.model, row.key, row.unit) == ("gpt-4", "blended", "mtok")
    assert (row.old_ucr, row.new_ucr, row.change) == (5 * 10**9, 8 * 10**9, Fraction(3, 5))
    assert (row.markup, row.margin) == (Fraction(3, 5), Fraction(3, 8))


def test_lines_that_come_and_go_are_shown_price_by_price() -> None:
    split = PriceLine("new", {"input": 10, "output": 30}, 1_000, "up")
    rows = staff.sheet_difference(sheet(GPT4), sheet(split), COSTS, 0)
    assert [(r.model, r.key, r.old_ucr, r.new_ucr) for r in rows] == [
        ("gpt-4", "blended", 5 * 10**9, None),
        ("gpt-4", "increment", 10**6, None),
        ("new", "input", None, 10),
        ("new", "output", None, 30),
        ("new", "increment", None, 1_000),
    ]
    assert all(row.change is None for row in rows)
    # A model without a cost has no markup, which is not a markup of zero.
    assert rows[2].markup is None
    assert rows[0].markup == Fraction(2, 3)


def test_rounding_and_tiers_are_part_of_the_difference() -> None:
    rounded_down = dataclasses.replace(GPT4, direction="down")
    (row,) = staff.sheet_difference(sheet(GPT4), sheet(rounded_down), COSTS, 0)
    assert (row.key, row.old_direction, row.new_direction) == ("increment", "up", "down")

    tiered = dataclasses.replace(GPT4, tiers=(TierPrices(128_000, {"blended": 6 * 10**9}),))
    (row,) = staff.sheet_difference(sheet(GPT4), sheet(tiered), COSTS, 0)
    assert (row.above_input_tokens, row.old_ucr, row.new_ucr) == (128_000, None, 6 * 10**9)
    assert row.markup == 1
