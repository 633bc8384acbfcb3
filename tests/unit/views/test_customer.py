"""Customers see Credits, their own, and nothing beneath them."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from economy.errors import BadInput, Forbidden, NotFound
from economy.pricing.sheet import PriceLine
from economy.views import customer as views
from economy.views import staff
from tests.unit.views.shop import NOON_US, WORKED, Shop, open_shop

NEVER_SEEN = (
    *("cost", "markup", "margin", "profit", "usd", "basis", "revenue", "paid"),
    *("factor", "list_", "quota", "capacity", "fee", "dollar"),
)
CREDIT = 1_000_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_shop(tmp_path_factory.mktemp("shop"))


def types_in(annotation: object) -> Iterator[type]:
    """Every class that an annotation names, inside tuples and unions as well."""
    if isinstance(annotation, type):
        yield annotation
    for part in typing.get_args(annotation):
        yield from types_in(part)


def fields_reached(module: types.ModuleType) -> dict[str, set[str]]:
    """Field names of every dataclass that a public function's result can hold."""
    found: dict[str, set[str]] = {}
    open_ends = [
        kind
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        for kind in types_in(typing.get_type_hints(function)["return"])
    ]
    while open_ends:
        kind = open_ends.pop()
        if not dataclasses.is_dataclass(kind) or kind.__qualname__ in found:
            continue
        hints = typing.get_type_hints(kind)
        properties = {
            name for name, _ in inspect.getmembers(kind, lambda m: isinstance(m, property))
        }
        found[kind.__qualname__] = set(hints) | properties
        open_ends += [inner for hint in hints.values() for inner in types_in(hint)]
    return found


def told_beneath(fields: dict[str, set[str]]) -> set[str]:
    return {
        f"{kind}.{name}"
        for kind, names in fields.items()
        for name in names
        if any(word in name.lower() for word in NEVER_SEEN)
    }


def test_no_customer_type_has_a_field_for_what_lies_beneath() -> None:
    """Structural: what has no field cannot be sent, however it is drawn."""
    fields = fields_reached(views)
    assert {"WalletView", "OriginBalance", "PriceCard", "PriceTier", "UsageRow", "Bill"} <= set(
        fields
    )
    assert told_beneath(fields) == set()


def test_the_structural_test_can_fail() -> None:
    """Negative control: the same walk over the staff's views finds plenty."""
    assert "AdminRow.list_cost_nusd" in told_beneath(fields_reached(staff))
    assert told_beneath({"PriceLine": set(typing.get_type_hints(PriceLine))}) != set()


def test_no_amount_from_beneath_stands_in_a_customers_views(shop: Shop) -> None:
    """Canaries: the costs, bases and payouts of this workspace are in no view's values."""
    seen = repr(
        (
            views.wallet(shop.economy, shop.ana, "ana"),
            views.usage(shop.economy, shop.ana, "ana"),
            views.prices(shop.economy, shop.ana),
            views.packs(shop.economy, shop.ana),
            [views.receipt(shop.economy, shop.ana, "ana", charge) for charge in range(1, 7)],
        )
    )
    # List cost, paid-out cost, the pack's price, the key's quota and its booked worth.
    for canary in (45_000_000, 60_750_000, 90_000_000_000, 500_000_000_000, 674_973_000_000):
        assert f"={canary}," not in seen
        assert f"={canary})" not in seen
    assert "charge_ucr=8000000," in seen


def test_wallet_counts_today_a_week_and_each_day(shop: Shop) -> None:
    wallet = views.wallet(shop.economy, shop.ana, "ana", days=4)
    assert wallet.balance_ucr == (10_000 - 30) * CREDIT
    assert wallet.held_ucr == 0
    assert (wallet.spent_today_ucr, wallet.spent_7d_ucr) == (16 * CREDIT, 30 * CREDIT)
    assert [(day.day, day.charge_ucr // CREDIT, day.requests) for day in wallet.spent_by_day] == [
        ("2026-02-26", 0, 0),
        ("2026-02-27", 13, 1),
        ("2026-02-28", 1, 1),
        ("2026-03-01", 16, 2),
    ]
    assert [(o.origin, o.expires_us) for o in wallet.by_origin] == [("purchased", None)]


def test_what_a_running_request_holds_is_not_to_spend(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    before = views.wallet(shop.economy, shop.ana, "ana").balance_ucr
    shop.economy.authorise(shop.admin, "ana", "gpt-4", WORKED, source="live", event_id="next")
    after = views.wallet(shop.economy, shop.ana, "ana")
    assert (before - after.balance_ucr, after.held_ucr) == (8 * CREDIT, 8 * CREDIT)


def test_an_imported_past_has_a_picture_too(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.clock.advance(100 * 86_400)
    wallet = views.wallet(shop.economy, shop.ana, "ana", days=2)
    assert (wallet.spent_today_ucr, wallet.spent_7d_ucr) == (0, 0)
    assert [day.day for day in wallet.spent_by_day] == ["2026-02-28", "2026-03-01"]


def test_an_empty_wallet_is_a_wallet(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.economy.add_customer(shop.admin, "new")
    wallet = views.wallet(shop.economy, shop.admin, "new", days=3)
    assert (wallet.balance_ucr, wallet.by_origin) == (0, ())
    assert [day.charge_ucr for day in wallet.spent_by_day] == [0, 0, 0]


def test_earned_credits_are_named_by_origin(shop: Shop) -> None:
    wallet = views.wallet(shop.economy, shop.bo, "bo")
    assert [(o.origin, o.available_ucr) for o in wallet.by_origin] == [("earned", 74_997 * CREDIT)]


@pytest.mark.parametrize("name", ["bo", "nobody"])
def test_a_customer_sees_itself_only_and_not_who_else_exists(shop: Shop, name: str) -> None:
    for look in (views.wallet, views.usage):
        with pytest.raises(Forbidden, match="its own wallet only"):
            look(shop.economy, shop.ana, name)
    with pytest.raises(Forbidden):
        views.receipt(shop.economy, shop.ana, name, 1)


def test_another_customers_receipt_is_like_none(shop: Shop) -> None:
    with pytest.raises(NotFound):
        views.receipt(shop.economy, shop.bo, "bo", 1)
    with pytest.raises(NotFound):
        views.receipt(shop.economy, shop.ana, "ana", 10_000)


def test_a_receipt_explains_the_worked_request(shop: Shop) -> None:
    """Rules, section 3: 1.5K tokens x 5 = 7.5, rounded up to a whole Credit = 8."""
    row = next(r for r in views.usage(shop.economy, shop.ana, "ana").rows if r.event_id == "worked")
    receipt = views.receipt(shop.economy, shop.ana, "ana", row.charge_id)
    assert [(line.key, line.amount_ucr) for line in receipt.bill.lines] == [
        ("input", 5 * CREDIT),
        ("output", 5 * CREDIT // 2),
    ]
    assert (receipt.bill.unrounded_ucr, receipt.charge_ucr) == (7_500_000, 8 * CREDIT)
    assert (receipt.bill.increment_ucr, receipt.bill.direction) == (CREDIT, "up")
    assert receipt.sheet_version == 1


def test_refused_and_failed_requests_have_receipts_of_nothing(shop: Shop) -> None:
    rows = {row.event_id: row for row in views.usage(shop.economy, shop.ana, "ana").rows}
    for event, status in (("event-3", "refused"), ("event-4", "failed")):
        receipt = views.receipt(shop.economy, shop.ana, "ana", rows[event].charge_id)
        assert (receipt.status, receipt.charge_ucr) == (status, 0)
        assert receipt.bill.rated_ucr > 0


def test_usage_filters_and_pages(shop: Shop) -> None:
    page = views.usage(shop.economy, shop.ana, "ana", limit=4)
    assert (page.total, page.first, len(page.rows)) == (6, 1, 4)
    assert page.charge_ucr == 30 * CREDIT
    assert [row.time_us for row in page.rows] == sorted(
        (r.time_us for r in page.rows), reverse=True
    )
    rest = views.usage(shop.economy, shop.ana, "ana", limit=4, offset=4)
    assert (rest.first, len(rest.rows)) == (5, 2)
    assert not {row.charge_id for row in page.rows} & {row.charge_id for row in rest.rows}

    llama = views.usage(shop.economy, shop.ana, "ana", model="llama-3", status="charged")
    assert (llama.total, llama.charge_ucr) == (1, CREDIT)
    assert llama.models == ("gpt-4", "llama-3")
    assert [(m.model, m.charge_ucr) for m in page.by_model] == [
        ("gpt-4", 29 * CREDIT),
        ("llama-3", CREDIT),
    ]
    today = views.usage(shop.economy, shop.ana, "ana", from_us=NOON_US)
    assert {row.event_id for row in today.rows} == {"worked", "event-0"}
    nothing = views.usage(shop.economy, shop.ana, "ana", to_us=0)
    assert (nothing.total, nothing.first, nothing.charge_ucr, nothing.by_day) == (0, 0, 0, ())
    with pytest.raises(BadInput):
        views.usage(shop.economy, shop.ana, "ana", limit=0)


def test_the_calculator_rounds_as_the_bill_does(shop: Shop) -> None:
    """ "1,500 tokens -> 8 Credits (rounded up from 7.5)"; an alias is understood."""
    bill = views.quote(shop.economy, shop.ana, "GPT-4", WORKED)
    assert (bill.model, bill.unrounded_ucr, bill.rated_ucr) == ("gpt-4", 7_500_000, 8 * CREDIT)
    with pytest.raises(NotFound):
        views.quote(shop.economy, shop.ana, "no-such-model", WORKED)
    with pytest.raises(BadInput, match="audio_ms=60000"):
        views.quote(shop.economy, shop.ana, "gpt-4", (0, 0, 0, 0, 0, 0, 60_000, 0, 0))


def test_a_price_card_gives_notice_of_the_next_change(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    economy = shop.economy
    cards = {card.model: card for card in views.prices(economy, shop.ana)}
    assert len(cards) > 40
    assert cards["gpt-4"].tag.prices == (views.PriceItem("blended", 5_000 * CREDIT, "mtok"),)
    assert cards["gpt-4"].next_change is None

    live = economy.price_book().sheet_at(NOON_US).sheet
    line = live.line("gpt-4")
    assert line is not None
    dearer = dataclasses.replace(line, prices_ucr={"blended": 8_000 * CREDIT})
    economy.add_staff(shop.admin, "lin", "business")
    lin = economy.actor("lin")
    sheet = dataclasses.replace(live, sheet_id="dearer").with_lines({"gpt-4": dearer})
    draft = economy.save_draft(lin, sheet)
    economy.submit(lin, "dearer", draft.revision)
    economy.approve(shop.admin, "dearer", draft.revision)
    at_us = shop.clock.now_us() + 3_600_000_000
    economy.publish_sheet(shop.admin, "dearer", draft.revision, at_us)

    card = next(card for card in views.prices(economy, shop.ana) if card.model == "gpt-4")
    assert card.tag.prices[0].price_ucr == 5_000 * CREDIT
    assert card.next_change is not None
    assert card.next_change.effective_us == at_us
    assert card.next_change.tag is not None
    assert card.next_change.tag.prices[0].price_ucr == 8_000 * CREDIT
    shop.clock.advance(3_600)
    card = next(card for card in views.prices(economy, shop.ana) if card.model == "gpt-4")
    assert (card.tag.prices[0].price_ucr, card.next_change) == (8_000 * CREDIT, None)
