"""One workspace, built through the economy itself, and how a test looks at its pages.

The workspace is small and every amount in it is known: two customers, the founding
prices, a log of thirty requests whose token counts make costs that no price resembles
(the canaries of the no-dollar check).
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize, expect

from economy.economy import Economy
from economy.policy import load_policy
from economy.units import US_PER_DAY, instant_text

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
N_REQUESTS: Final = 30
INPUT_TOKENS: Final = 1_237
OUTPUT_TOKENS: Final = 411
WAIT_MS: Final = 15_000

BUSINESS, REVIEWER, ANALYST = "ben", "ada", "cho"
CUSTOMER, OTHER_CUSTOMER = "acme", "zeta"


OpenPage = Callable[..., Page]
"""Each call opens the browser of another person."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running dashboard and the economy beneath it."""

    economy: Economy
    address: str

    def url(self, path: str, role: str, **query: str) -> str:
        pairs = {"as": role, **query}
        return f"{self.address}/{path}?" + "&".join(f"{k}={v}" for k, v in pairs.items())


def build_workspace(home: Path) -> Economy:
    """Prices, people and thirty charged requests; published to the warehouse."""
    economy = Economy.create(home, load_policy("founding"))
    admin = economy.actor()
    economy.set_up_prices(admin)
    economy.add_staff(admin, BUSINESS, "business")
    economy.add_staff(admin, REVIEWER, "admin")
    economy.add_staff(admin, ANALYST, "analyst")
    for name in (CUSTOMER, OTHER_CUSTOMER):
        economy.add_customer(admin, name)
        economy.top_up(admin, name, "pro", request_key=f"first-{name}")
    log = home / "log.csv"
    write_log(log, now_us=economy.clock.now_us())
    economy.import_usage(admin, log)
    economy.publish_warehouse()
    return economy


def write_log(path: Path, now_us: int) -> None:
    """Thirty requests over the last ten days, two in three on GPT-4."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["event_id", "time", "customer", "model", "input_tokens", "output_tokens"])
        for i in range(N_REQUESTS):
            rows.writerow(
                [
                    f"request-{i}",
                    instant_text(now_us - (i % 10) * US_PER_DAY - i * 1_000_000),
                    CUSTOMER if i % 2 else OTHER_CUSTOMER,
                    "gpt-4" if i % 3 else "claude-3",
                    INPUT_TOKENS + i,
                    OUTPUT_TOKENS,
                ]
            )


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the page's script has ended."""
    page.goto(url)
    settled(page)


def settled(page: Page) -> None:
    """Wait until the app is drawn and no script runs."""
    expect(page.get_by_test_id("stMain").locator("h1").first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=WAIT_MS
    )
    # Parts of the page whose program is still on its way are drawn as skeletons.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)


def main_text(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()
