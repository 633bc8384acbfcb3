"""Who reaches which page, and that a page is never the guard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from dashboards import server
from economy.errors import Forbidden
from economy.pricing.sheet import PriceSheet
from tests.browser.site import (
    ANALYST,
    BUSINESS,
    CUSTOMER,
    OTHER_CUSTOMER,
    REVIEWER,
    OpenPage,
    Site,
    main_text,
    visit,
)

pytestmark = pytest.mark.browser

TITLES = {
    "wallet": "Your Credits",
    "prices": "What a request takes",
    "usage": "What you used",
    "lab": "What would another markup bring?",
    "sheets": "Which prices are in force, and which are to come",
    "layers": "What was earned, in Credits and beneath in dollars",
}
CUSTOMER_PAGES = {"wallet", "prices", "usage"}
STAFF_PAGES = {"lab", "sheets", "layers"}
REACHED = {
    f"customer:{CUSTOMER}": CUSTOMER_PAGES,
    f"business:{BUSINESS}": STAFF_PAGES,
    f"analyst:{ANALYST}": {"layers"},
    f"admin:{REVIEWER}": CUSTOMER_PAGES | STAFF_PAGES,
}


@pytest.mark.parametrize("who", REACHED)
def test_each_role_reaches_its_own_pages_only(site: Site, person: OpenPage, who: str) -> None:
    page = person()
    for path, title in TITLES.items():
        visit(page, site.url(path, who))
        heading = page.get_by_test_id("stMain").locator("h1").first
        if path in REACHED[who]:
            expect(heading).to_have_text(title)
        else:
            expect(page.get_by_text("Page not found")).to_be_visible()
            expect(heading).to_have_text("What waits for you")


def test_a_customer_cannot_name_another(site: Site, person: OpenPage) -> None:
    own, forged = person(), person()
    visit(own, site.url("usage", f"customer:{CUSTOMER}"))
    visit(forged, site.url("usage", f"customer:{CUSTOMER}", customer=OTHER_CUSTOMER))
    for page in (own, forged):
        expect(page.get_by_test_id("stMetricValue")).to_have_text(["125 Credits", "15"])


def test_as_means_nothing_when_the_picker_is_off(site: Site, person: OpenPage) -> None:
    page = person()
    with server.start(site.economy.home, actor=BUSINESS) as running:
        visit(page, f"{running.address}/sheets?as=admin:{REVIEWER}")
        expect(page.get_by_text(f"{BUSINESS}, business")).to_be_visible()
        assert page.get_by_text("Acting as").count() == 0
        visit(page, f"{running.address}/wallet?as=customer:{CUSTOMER}")
        expect(page.get_by_text("Page not found")).to_be_visible()


def test_the_picker_says_that_it_is_on(site: Site, person: OpenPage) -> None:
    page = person()
    visit(page, site.url("wallet", f"customer:{CUSTOMER}"))
    assert "Development roles are on" in main_text(page)


def test_a_forged_approval_raises_in_the_economy(own_site: Site) -> None:
    economy = own_site.economy
    author, reviewer = economy.actor(BUSINESS), economy.actor(REVIEWER)
    live = economy.price_book().sheet_at(economy.clock.now_us()).sheet
    draft = economy.save_draft(author, _renamed(live, "forged"), None)
    economy.submit(author, "forged", draft.revision)
    strangers = (
        author,
        economy.actor(ANALYST),
        economy.customer_actor(CUSTOMER),
        replace(author, role="admin"),  # The author in another coat is still the author.
    )
    for stranger in strangers:
        with pytest.raises(Forbidden):
            economy.approve(stranger, "forged", draft.revision)
    economy.approve(reviewer, "forged", draft.revision)
    for stranger in strangers[:3]:
        with pytest.raises(Forbidden):
            economy.publish_sheet(stranger, "forged", draft.revision)
    assert len(economy.price_book().epochs) == 1


def _renamed(sheet: PriceSheet, name: str) -> PriceSheet:
    return replace(sheet, sheet_id=name)
