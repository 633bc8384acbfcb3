"""One person tunes a markup and drafts it; another approves and publishes it.

The customer's price list and the meter change together, at the effective instant.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from economy.quantities import N_QUANTITIES
from economy.units import US_PER_SECOND, instant_text
from tests.browser.site import (
    BUSINESS,
    CUSTOMER,
    REVIEWER,
    OpenPage,
    Site,
    settled,
    visit,
)

pytestmark = pytest.mark.browser

AHEAD_S = 12
"""Until a scheduled sheet holds: time enough to type it in and look at the page."""
WORKED_REQUEST = (1_000, 500) + (0,) * (N_QUANTITIES - 2)


def draft_in_the_lab(page: Page, site: Site, name: str, markup: str) -> None:
    visit(page, site.url("lab", f"business:{BUSINESS}", model="gpt-4", markup=markup))
    page.get_by_label("Name of the draft").fill(name)
    page.get_by_label("Why").fill("The provider moves.")
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    expect(page.get_by_text(f"Draft {name} is made.")).to_be_visible()
    page.get_by_role("link", name="Open it in Price sheets").click()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Submitted for review.")).to_be_visible()
    expect(page.get_by_text("You wrote this draft")).to_be_visible()
    assert page.get_by_role("button", name="Approve").count() == 0


def approve(page: Page, site: Site, name: str) -> None:
    visit(page, site.url("", f"admin:{REVIEWER}"))
    expect(page.get_by_text(f"{name} by {BUSINESS} waits for a review.")).to_be_visible()
    page.get_by_role("link", name="Open").click()
    expect(page.get_by_text("Difference to what is in force")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()


EIGHT_CREDITS = "1,500 tokens → 8 Credits (rounded up from 7.5)"
NINE_CREDITS = "1,500 tokens → 9 Credits"


def expect_price(page: Page, site: Site, per_1k: str, calculated: str) -> None:
    """The customer opens the price list: GPT-4's card, and what the calculator says."""
    visit(page, site.url("prices", f"customer:{CUSTOMER}", search="gpt-4"))
    expect(page.get_by_text(calculated, exact=True)).to_be_visible()
    expect(page.get_by_text(f"Tokens {per_1k} per 1K tokens")).to_be_visible()


def meter_charges(site: Site, event_id: str) -> int:
    """What the live way charges for 1,000 + 500 tokens on GPT-4, in ucr."""
    admin = site.economy.actor()
    site.economy.authorise(
        admin, CUSTOMER, "gpt-4", WORKED_REQUEST, source="browser-test", event_id=event_id
    )
    settled_now = site.economy.settle(admin, "browser-test", event_id, WORKED_REQUEST)
    return settled_now.charge_ucr


def test_published_at_once_by_another_person(own_site: Site, person: OpenPage) -> None:
    author, reviewer, customer = person(), person(), person()
    expect_price(customer, own_site, "5 Cr", EIGHT_CREDITS)
    assert meter_charges(own_site, "before") == 8_000_000

    draft_in_the_lab(author, own_site, "dearer-gpt-4", markup="100")
    approve(reviewer, own_site, "dearer-gpt-4")
    expect_price(customer, own_site, "5 Cr", EIGHT_CREDITS)
    reviewer.get_by_role("button", name="Publish", exact=True).click()
    expect(reviewer.get_by_text("Version 2 is in force from")).to_be_visible()

    # Markup 100 %: 0.03 x 2 / 0.01 = 6 Cr per 1K, so 1.5K tokens are 9 Cr, exactly.
    expect_price(customer, own_site, "6 Cr", NINE_CREDITS)
    assert meter_charges(own_site, "after") == 9_000_000


def test_scheduled_for_an_instant(own_site: Site, person: OpenPage) -> None:
    author, reviewer, customer = person(), person(), person()
    draft_in_the_lab(author, own_site, "later-gpt-4", markup="100")
    approve(reviewer, own_site, "later-gpt-4")

    clock = own_site.economy.clock
    reviewer.get_by_text("at an instant").click()
    box = reviewer.get_by_role("textbox", name="Instant, UTC")
    start_us = (clock.now_us() // US_PER_SECOND + AHEAD_S) * US_PER_SECOND
    box.fill(instant_text(start_us))
    box.press("Enter")
    settled(reviewer)
    reviewer.get_by_role("button", name="Publish", exact=True).click()
    expect(reviewer.get_by_text("scheduled").first).to_be_visible()

    visit(customer, own_site.url("prices", f"customer:{CUSTOMER}", search="gpt-4"))
    expect(customer.get_by_text(EIGHT_CREDITS, exact=True)).to_be_visible()
    expect(customer.get_by_text("The price of gpt-4 changes at")).to_be_visible()
    charged_before = meter_charges(own_site, "before")
    assert clock.now_us() < start_us, "the machine was too slow to look before the instant"
    assert charged_before == 8_000_000

    customer.wait_for_timeout(max(0, start_us - clock.now_us()) / 1_000)
    assert meter_charges(own_site, "after") == 9_000_000
    expect_price(customer, own_site, "6 Cr", NINE_CREDITS)
    assert customer.get_by_text("changes at").count() == 0
