"""The browser has nothing to complain about, and calls nobody but us."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.browser.site import (
    BUSINESS,
    CUSTOMER,
    PHONE,
    REVIEWER,
    OpenPage,
    Site,
    visit,
)

pytestmark = pytest.mark.browser

VISITS = (
    ("", f"customer:{CUSTOMER}"),
    ("wallet", f"customer:{CUSTOMER}"),
    ("prices", f"customer:{CUSTOMER}"),
    ("usage", f"customer:{CUSTOMER}"),
    ("", f"business:{BUSINESS}"),
    ("lab", f"business:{BUSINESS}"),
    ("sheets", f"business:{BUSINESS}"),
    ("layers", f"admin:{REVIEWER}"),
)
# Opened at /wallet, Streamlit first looks for its server beneath that path: upstream.
UPSTREAM_PROBES = ("/_stcore/health", "/_stcore/host-config")


def is_ours(message: ConsoleMessage, pages: set[str]) -> bool:
    """False for Streamlit's own probes beneath a page's path, which answer 404."""
    path = urlsplit(str(message.location.get("url", ""))).path
    return not any(path == f"/{page}{probe}" for page in pages for probe in UPSTREAM_PROBES)


def test_no_console_error_and_no_request_off_origin(site: Site, person: OpenPage) -> None:
    page = person()
    faults: list[str] = []
    hosts: set[str] = set()
    pages = {path for path, _ in VISITS if path}

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and is_ours(message, pages):
            faults.append(f"{message.text} {message.location}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    for path, who in VISITS:
        visit(page, site.url(path, who))
        page.wait_for_load_state("networkidle")
        assert page.get_by_test_id("stException").count() == 0
    assert faults == []
    assert hosts - {""} == {urlsplit(site.address).netloc}


def test_customer_pages_fit_a_phone(site: Site, person: OpenPage) -> None:
    page = person(PHONE)
    for path, who in VISITS[:4]:
        visit(page, site.url(path, who))
        assert overflow_px(page) <= 0, path


def overflow_px(page: Page) -> int:
    """How far the page's content reaches beyond the screen's right edge."""
    return int(
        page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            "return main.scrollWidth - main.clientWidth; }"
        )
    )
