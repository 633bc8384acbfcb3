"""Golden: the two layers of the rules, section 6, and the worked request of section 3."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from economy.units import parse_usd, usd_text
from economy.warehouse import publish
from economy.warehouse.layers import admin_layer, admin_layer_by_day, customer_layer, margins
from tests.unit.views.shop import open_shop
from tests.unit.warehouse.books import DAY_US, NOON_US, Books, Spent


def percent(ratio: Fraction | None) -> str:
    """A ratio as the rules print it: two decimals, half up (15.625 is 15.63)."""
    assert ratio is not None
    value = Decimal(ratio.numerator * 100) / Decimal(ratio.denominator)
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_worked_request_on_a_platform_key() -> None:
    """ "revenue at reference value $0.08; profit $0.035; markup 77.78 %, margin 43.75 %" """
    found = margins(parse_usd("0.08"), parse_usd("0.045"))
    assert usd_text(found.profit_nusd) == "0.035"
    assert (percent(found.markup), percent(found.margin)) == ("77.78", "43.75")


@pytest.mark.parametrize(
    ("basis_nusd_per_ucr", "profit", "markup", "margin"),
    [
        (10, "0.01925", "31.69", "24.06"),
        (9, "0.01125", "18.52", "15.63"),
        (8, "0.00325", "5.35", "5.08"),
    ],
    ids=["starter", "pro", "enterprise"],
)
def test_worked_request_on_a_contributed_key(
    basis_nusd_per_ucr: int, profit: str, markup: str, margin: str
) -> None:
    """ "paid for at 7.5 x 0.9 x $0.009 = $0.06075: profit $0.01925 / 0.01125 / 0.00325,
    markup 31.69 / 18.52 / 5.35 %, margin 24.06 / 15.63 / 5.08 %" """
    found = margins(8_000_000 * basis_nusd_per_ucr, parse_usd("0.06075"))
    assert usd_text(found.profit_nusd) == profit
    assert (percent(found.markup), percent(found.margin)) == (markup, margin)


def test_founding_table_of_prices() -> None:
    """Section 2: GPT-4 66.67 / 40, Claude 3 60 / 37.5, Llama 3 100 / 50, Whisper 233.3 / 70."""
    table = [
        ("0.05", "0.03", Fraction(2, 3), Fraction(2, 5)),
        ("0.04", "0.025", Fraction(3, 5), Fraction(3, 8)),
        ("0.01", "0.005", Fraction(1), Fraction(1, 2)),
        ("0.02", "0.006", Fraction(7, 3), Fraction(7, 10)),
    ]
    for price, cost, markup, margin in table:
        found = margins(parse_usd(price), parse_usd(cost))
        assert (found.markup, found.margin) == (markup, margin)


def test_a_ratio_over_nothing_does_not_exist() -> None:
    assert margins(0, 5).margin is None
    assert margins(5, 0).markup is None
    assert margins(0, 5).profit_nusd == -5


def books_of_section_6(home: Path, basis_nusd_per_ucr: int) -> Path:
    """150,000 Cr over three providers whose calls cost $1,234, $567 and $89."""
    books = Books(home)
    parts = [
        ("gpt-4", 100_000, "1234"),
        ("claude-3", 40_000, "567"),
        ("llama-3", 10_000, "89"),
    ]
    spent = []
    for day, (model, credits, cost) in enumerate(parts):
        ucr = credits * 1_000_000
        rounding = ucr // 16
        spent.append(
            Spent(
                model=model,
                effective_us=NOON_US + day * DAY_US,
                charge_ucr=ucr,
                unrounded_ucr=ucr - rounding,
                basis_usage_nusd=(ucr - rounding) * basis_nusd_per_ucr,
                basis_rounding_nusd=rounding * basis_nusd_per_ucr,
                list_cost_nusd=parse_usd(cost),
                paid_cost_nusd=parse_usd(cost),
            )
        )
    refused = Spent(status=2, charge_ucr=0, rated_ucr=9_000_000)
    books.charge([*spent, refused])
    publish(books.database, home / "warehouse")
    return home / "warehouse"


@pytest.mark.parametrize(("basis_nusd_per_ucr", "profit"), [(10, "-390"), (9, "-540"), (8, "-690")])
def test_admin_layer_of_section_6(tmp_path: Path, basis_nusd_per_ucr: int, profit: str) -> None:
    """ "costs OpenAI $1,234 + Anthropic $567 + Cloudflare $89 = $1,890; revenue 150,000 Cr =
    $1,500 at reference; profit -$390 (-$540 at Pro's basis, -$690 at Enterprise's)" """
    layer = admin_layer(books_of_section_6(tmp_path, basis_nusd_per_ucr))
    costs = [(row.provider, usd_text(row.list_cost_nusd)) for row in layer.by_provider()]
    assert costs == [("openai", "1234"), ("anthropic", "567"), ("cloudflare", "89")]
    total = layer.total
    assert usd_text(total.list_cost_nusd) == "1890"
    assert total.charge_ucr == 150_000 * 1_000_000
    assert usd_text(total.revenue_reference_nusd) == "1500"
    assert usd_text(total.reference_over_list.profit_nusd) == "-390"
    assert usd_text(total.basis_over_list.profit_nusd) == profit
    assert usd_text(total.basis_over_paid.profit_nusd) == profit
    assert usd_text(total.rounding_reference_nusd) == "93.75"
    assert (total.requests, total.refused_requests, total.refused_ucr) == (3, 1, 9_000_000)


def test_days_and_periods_add_up_to_the_whole(tmp_path: Path) -> None:
    folder = books_of_section_6(tmp_path, 10)
    days = admin_layer_by_day(folder)
    assert [day for day, _ in days] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert sum(row.charge_ucr for _, row in days) == admin_layer(folder).total.charge_ucr
    # The period is half-open: it holds its first instant and not its last.
    one = admin_layer(folder, NOON_US + DAY_US, NOON_US + 2 * DAY_US)
    assert [row.model for row in one.rows] == ["claude-3"]


def test_customer_layer_is_credits_alone(tmp_path: Path) -> None:
    folder = books_of_section_6(tmp_path, 10)
    rows = customer_layer(folder, "ana")
    assert [(row.model, row.charge_ucr // 1_000_000) for row in rows] == [
        ("claude-3", 40_000),
        ("gpt-4", 100_000),
        ("llama-3", 10_000),
    ]
    assert customer_layer(folder) == rows
    assert customer_layer(folder, "bo") == []


def test_worked_request_stands_side_by_side_in_the_admin_layer(tmp_path: Path) -> None:
    """Issue 2, point 3: "8 Cr, list cost $0.045 (77.78 % markup, 43.75 % margin) and paid-out
    cost $0.06075 (31.69 %, 24.06 %)", through the whole economy on a contributor's $500 key."""
    shop = open_shop(tmp_path)
    shop.economy.publish_warehouse()
    assert shop.economy.compare_warehouse() == []
    # The live request happened after the imported ones, by the recorded clock.
    row = admin_layer(shop.economy.warehouse_dir, from_us=NOON_US + 1).total
    assert (row.requests, row.charge_ucr, row.rounding_ucr) == (1, 8_000_000, 500_000)
    assert usd_text(row.list_cost_nusd) == "0.045"
    assert usd_text(row.paid_cost_nusd) == "0.06075"
    over_list, over_paid = row.reference_over_list, row.reference_over_paid
    assert (percent(over_list.markup), percent(over_list.margin)) == ("77.78", "43.75")
    assert (percent(over_paid.markup), percent(over_paid.margin)) == ("31.69", "24.06")
    # ana pays with Pro's Credits: $0.072.
    assert usd_text(row.revenue_basis_nusd) == "0.072"
    assert (percent(row.basis_over_paid.markup), percent(row.basis_over_paid.margin)) == (
        "18.52",
        "15.63",
    )
