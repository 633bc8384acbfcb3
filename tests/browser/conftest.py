"""Servers over workspaces, and browsers to look at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from dashboards import server
from tests.browser.site import DESKTOP, WAIT_MS, OpenPage, Site, build_workspace
from tests.parts import CHROMIUM_FLAGS, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that only look."""
    chromium()  # Without a browser nothing is built: the tests skip at once.
    economy = build_workspace(tmp_path_factory.mktemp("workspace"))
    with server.start(economy.home, dev_roles=True) as running:
        yield Site(economy, running.address)


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """For a test that changes prices: nobody else reads this workspace."""
    chromium()
    economy = build_workspace(tmp_path)
    with server.start(economy.home, dev_roles=True) as running:
        yield Site(economy, running.address)


@pytest.fixture
def person(browser: Browser) -> Iterator[OpenPage]:
    """Each call is another person: a browser context of its own."""
    contexts: list[BrowserContext] = []

    def open_page(viewport: ViewportSize = DESKTOP) -> Page:
        context = browser.new_context(viewport=viewport, locale="en-US")
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
