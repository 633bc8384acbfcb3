"""One slider changes the numbers, the chart and the address; a link brings them back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import BUSINESS, OpenPage, Site, main_text, settled, visit

pytestmark = pytest.mark.browser

WHO = f"business:{BUSINESS}"


def instant_profit(page: Page) -> str:
    return page.get_by_test_id("stMetricValue").first.inner_text()


def move_markup(page: Page, key: str, times: int) -> None:
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(times):
        slider.press(key)


def test_a_slider_moves_numbers_chart_and_address(site: Site, person: OpenPage) -> None:
    page = person()
    visit(page, site.url("lab", WHO, model="gpt-4"))
    today = instant_profit(page)
    assert "These are today's prices" in main_text(page)
    waterfall = page.get_by_test_id("stPlotlyChart").first
    drawn_today = waterfall.inner_text()

    move_markup(page, "PageUp", 1)
    expect(page).to_have_url(re.compile(r"markup="))
    expect(page.get_by_test_id("stMetricValue").first).not_to_have_text(today)
    settled(page)
    assert "Make a draft of this" in main_text(page)
    expect(waterfall).not_to_have_text(drawn_today)


def test_a_copied_link_gives_the_same_numbers(site: Site, person: OpenPage) -> None:
    first = person()
    visit(first, site.url("lab", WHO, model="gpt-4", markup="90"))
    # 0.03 x 1.9 / 0.01 = 5.7 Cr per 1K tokens, by the formula of the rules.
    expect(first.get_by_text("New price, Cr: Tokens 5.7 (today 5)")).to_be_visible()
    expect(first.get_by_test_id("stMetricValue")).to_have_count(2)
    told = first.get_by_test_id("stMetricValue").all_inner_texts()

    second = person()
    visit(second, first.url)
    expect(second.get_by_test_id("stMetricValue")).to_have_text(told)

    first.get_by_role("button", name="Share").click()
    shared = first.get_by_test_id("stCode").inner_text().strip()
    assert {"markup=90.0", "base=Version+1", "model=gpt-4"} <= set(re.split(r"[?&]", shared))
    third = person()
    visit(third, f"{shared}&as={WHO}")
    expect(third.get_by_test_id("stMetricValue")).to_have_text(told)


def test_back_and_forward_bring_the_numbers_back(site: Site, person: OpenPage) -> None:
    page = person()
    visit(page, site.url("lab", WHO, model="gpt-4", markup="70"))
    before = instant_profit(page)
    page.goto(site.url("lab", WHO, model="gpt-4", markup="120"))
    settled(page)
    expect(page.get_by_test_id("stMetricValue").first).not_to_have_text(before)
    page.go_back()
    settled(page)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(before)


def test_another_model_starts_at_its_own_markup(site: Site, person: OpenPage) -> None:
    page = person()
    visit(page, site.url("lab", WHO, model="gpt-4", markup="120"))
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="claude-3", exact=True).click()
    # Rules, section 2: Claude 3 at 4 Cr per 1K over $0.025 is a markup of 60 %.
    expect(page.get_by_role("slider").first).to_have_value("60")
    expect(page.get_by_text("These are today's prices")).to_be_visible()
