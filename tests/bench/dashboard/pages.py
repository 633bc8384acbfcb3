"""How long a person waits for a page: opened in Chromium, drawn, and computing nothing more.

Each run is a browser context of its own (nothing cached), on a server that has drawn the
page once before, over a month of demo usage.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect, sync_playwright

from dashboards import server
from economy.economy import Economy
from economy.policy import load_policy
from economy.state.clock import SystemClock
from economy.units import US_PER_DAY
from economy.usage.demo import generate_usage
from tests.bench.measuring import Measurement, of_runs
from tests.parts import CHROMIUM_FLAGS, find_chromium

N_CUSTOMERS, N_EVENTS, DAYS = 100, 20_000, 30
WAIT_MS = 60_000
SEED = 7


def measured(name: str, path: str, quick: bool) -> Measurement:
    """The seconds until the page at ``path`` stands."""
    executable = find_chromium()
    if executable is None:
        raise SystemExit("this benchmark needs Chromium (see scripts/chromium)")
    runs = 3 if quick else 9
    with TemporaryDirectory() as folder:
        home = Path(folder)
        build(home)
        with (
            server.start(home) as running,
            sync_playwright() as playwright,
            playwright.chromium.launch(
                executable_path=executable, args=list(CHROMIUM_FLAGS)
            ) as browser,
        ):
            seconds = [open_page(browser, running.address + path) for _ in range(1 + runs)]
    return of_runs(name, "seconds", seconds[1:])


def build(home: Path) -> None:
    """A workspace with a month of demo usage, published to its warehouse."""
    from_us = SystemClock().now_us() - DAYS * US_PER_DAY
    usage = generate_usage(SEED, N_CUSTOMERS, N_EVENTS, from_us, DAYS)
    economy = Economy.create(home, load_policy("founding"))
    admin = economy.actor()
    economy.set_up_prices(admin)
    for customer in economy.ensure_customers(admin, usage.customers):
        economy.top_up(admin, customer, "enterprise", request_key=customer)
    economy.charge_usage(admin, [usage])
    economy.publish_warehouse()


def open_page(browser: Browser, url: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    start = time.perf_counter()
    page.goto(url)
    expect(page.get_by_test_id("stMain").locator("h1").first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=WAIT_MS
    )
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)
    elapsed = time.perf_counter() - start
    context.close()
    return elapsed
