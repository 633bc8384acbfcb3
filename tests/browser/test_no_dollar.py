"""Customers see Credits and nothing else: not in a frame, a grid, a chart or a file.

The canaries are costs of the workspace's own requests, whose token counts are such that
no price resembles them. An admin's page is the negative control: there the same check
must find them, or it would be blind.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from economy.units import NUSD_PER_USD, usd_text
from tests.browser.frames import MONEY_WORDS, Received, record
from tests.browser.site import (
    CUSTOMER,
    OTHER_CUSTOMER,
    REVIEWER,
    OpenPage,
    Site,
    main_text,
    settled,
    visit,
)

pytestmark = pytest.mark.browser

WHO = f"customer:{CUSTOMER}"
PAGES = ("", "wallet", "prices", "usage")


def canaries(site: Site) -> list[int]:
    """List cost of every request, and of each model together, in nusd."""
    with site.economy.database.reading() as connection:
        single = connection.execute("SELECT DISTINCT list_cost_nusd FROM charges").fetchall()
        sums = connection.execute("SELECT sum(list_cost_nusd) FROM charges GROUP BY model_id")
        return [int(row[0]) for row in (*single, *sums.fetchall())]


def assert_no_money(received: Received, costs: list[int]) -> None:
    assert received.frames > 0
    assert [url for url in received.fetched if not url.endswith(".svg")] == []
    assert received.money_words() == set()
    seen = [
        cost
        for cost in costs
        if received.shows(usd_text(cost))
        or received.shows(str(cost))
        or received.shows_number(cost)
        or received.shows_number(cost / NUSD_PER_USD)
    ]
    assert seen == []


def page_source(page: Page) -> str:
    """Text and attributes of everything on the page, without its scripts and styles."""
    return str(
        page.evaluate(
            "() => [...document.body.querySelectorAll('*:not(script):not(style)')].flatMap("
            "e => [...e.attributes].filter(a => !['style', 'class', 'd'].includes(a.name))"
            ".map(a => a.value).concat([...e.childNodes].filter(n => n.nodeType === 3)"
            ".map(n => n.textContent))).join('\\n')"
        )
    )


@pytest.mark.parametrize("language", ["English", "中文"])
def test_customer_pages_hold_no_money(site: Site, person: OpenPage, language: str) -> None:
    page = person()
    received = record(page)
    for path in PAGES:
        visit(page, site.url(path, WHO, lang=language))
        assert MONEY_WORDS.findall(page_source(page)) == []
    assert_no_money(received, canaries(site))
    assert received.arrow_tables >= 3, "charts and tables travel as Arrow: the check is blind"


def test_a_receipt_and_the_csv_hold_no_money(site: Site, person: OpenPage, tmp_path: Path) -> None:
    page = person()
    received = record(page)
    visit(page, site.url("usage", WHO))
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 55})
    expect(page.get_by_text("Price sheet 1")).to_be_visible()
    assert "Credits per 1K tokens" in main_text(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    file = tmp_path / "usage.csv"
    waiting.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) == 1 + 15
    received.texts.append(text)
    received.fetched.clear()  # The file was read above.
    assert_no_money(received, canaries(site))


def test_an_error_box_holds_no_money_and_no_stranger(site: Site, person: OpenPage) -> None:
    page = person()
    received = record(page)
    visit(page, site.url("usage", WHO, customer=OTHER_CUSTOMER, used="no-such-model"))
    visit(page, site.url("layers", WHO))
    expect(page.get_by_text("Page not found")).to_be_visible()
    assert_no_money(received, canaries(site))


def test_the_check_sees_what_an_admin_is_sent(site: Site, person: OpenPage) -> None:
    page = person()
    received = record(page)
    visit(page, site.url("layers", f"admin:{REVIEWER}"))
    page.get_by_test_id("stDataFrame").first.wait_for()
    assert received.money_words()
    by_model = canaries(site)[-2:]
    assert any(received.shows(f"${usd_text(cost)}"[:7]) for cost in by_model)
    assert any(received.shows_number(cost / NUSD_PER_USD) for cost in by_model) or any(
        received.shows(usd_text(cost)) for cost in by_model
    )
    settled(page)
