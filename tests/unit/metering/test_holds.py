"""Live requests: what is held, what is settled, and what each call says when it is repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from economy.catalog.costs import CostBook
from economy.catalog.store import save_cost_book
from economy.errors import BadInput, Conflict, Forbidden, NotFound
from economy.identity import Actor
from economy.ledger import Code
from economy.metering.holds import Authorisation, HoldState, Settlement
from economy.units import parse_credits, parse_usd
from tests.workspaces import (
    NOON_US,
    SECOND_US,
    WORKED,
    Event,
    Workspace,
    new_workspace,
    tokens,
)

CR, USD = parse_credits, parse_usd
TIMEOUT_S = 600
LARGEST = tokens(2_000, 1_000)
"""3,000 tokens: 15 Cr on GPT-4."""


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """ana can pay 1,000 Cr, bo nothing."""
    workspace = new_workspace(tmp_path / "home")
    workspace.customer("ana", "starter")
    workspace.customer("bo")
    return workspace


def hold(
    shop: Workspace,
    event_id: str = "r1",
    quantities: tuple[int, ...] = LARGEST,
    *,
    customer: str = "ana",
    model: str = "gpt-4",
    key: str | None = None,
) -> Authorisation:
    return shop.economy.authorise(
        shop.admin, customer, model, quantities, source="live", event_id=event_id, key=key
    )


def settle(
    shop: Workspace, event_id: str = "r1", quantities: tuple[int, ...] = WORKED
) -> Settlement:
    return shop.economy.settle(shop.admin, "live", event_id, quantities)


def release(shop: Workspace, event_id: str = "r1") -> int:
    return shop.economy.release(shop.admin, "live", event_id)


def state(shop: Workspace, event_id: str = "r1") -> HoldState:
    found = shop.economy.trace(event_id).hold
    assert found is not None
    return found.state


def journal_rows(shop: Workspace) -> object:
    return shop.rows("SELECT count(*) FROM journal")


def test_a_hold_reserves_and_charges_nobody(shop: Workspace) -> None:
    held = hold(shop)
    assert held == Authorisation(1, CR("15"), held.expires_us)
    assert held.expires_us - shop.clock.now_us() == pytest.approx(TIMEOUT_S * SECOND_US, abs=1_000)
    assert (shop.available_ucr("ana"), shop.held_ucr("ana")) == (CR("985"), CR("15"))
    assert shop.charges() == []
    assert state(shop) == HoldState.OPEN
    assert shop.economy.verify().ok


def test_what_the_balance_cannot_hold_is_refused_and_leaves_nothing(shop: Workspace) -> None:
    refused = hold(shop, quantities=tokens(200_001))
    assert (refused.hold_id, refused.amount_ucr) == (None, CR("1001"))
    assert refused.refused == "the balance is too low"
    assert hold(shop, "r2", customer="bo").refused is not None
    assert shop.rows("SELECT count(*) FROM holds") == [(0,)]
    # Held Credits are not there for the next request, and a refusal may be tried again.
    hold(shop, "r3", tokens(199_000))
    assert hold(shop).refused is not None
    shop.economy.top_up(shop.admin, "ana", "starter", request_key="more")
    assert hold(shop).refused is None


def test_authorising_again_is_the_same_hold_and_another_request_a_conflict(
    shop: Workspace,
) -> None:
    first = hold(shop)
    before = journal_rows(shop)
    assert hold(shop) == first
    assert journal_rows(shop) == before
    shop.customer("cy", "starter")
    for changed in (
        {"quantities": WORKED},
        {"model": "llama-3"},
        {"customer": "cy"},
    ):
        with pytest.raises(Conflict, match="another request"):
            hold(shop, **changed)  # type: ignore[arg-type]
    assert shop.held_ucr("ana") == CR("15")
    # After the settlement a late repeat still gets the first answer, and holds nothing anew.
    settle(shop)
    assert hold(shop) == first
    assert shop.held_ucr("ana") == 0


def test_a_settlement_may_be_repeated_and_not_changed(shop: Workspace) -> None:
    hold(shop)
    first = settle(shop)
    assert first == Settlement(1, CR("8"), CR("7.5"), CR("7"))
    before = journal_rows(shop)
    assert settle(shop) == first
    with pytest.raises(Conflict, match="other quantities"):
        settle(shop, quantities=tokens(1_000, 501))
    assert journal_rows(shop) == before
    assert shop.available_ucr("ana") == CR("992")
    with pytest.raises(Conflict, match="settled"):
        release(shop)
    assert shop.economy.verify().ok


def test_a_price_above_the_hold_is_capped_at_the_hold(shop: Workspace) -> None:
    hold(shop, quantities=WORKED)
    settled = settle(shop, quantities=tokens(10_000))
    assert settled == Settlement(1, CR("8"), CR("50"), 0)
    charge = shop.economy.trace("r1").charge
    assert charge is not None
    assert (charge.rated_ucr, charge.charge_ucr, charge.rounding_ucr) == (CR("50"), CR("8"), 0)
    assert charge.list_cost_nusd == USD("0.3"), "the provider is paid for all of it"
    assert shop.available_ucr("ana") == CR("992")
    assert shop.economy.verify().ok


def test_a_request_that_used_nothing_costs_nothing(shop: Workspace) -> None:
    hold(shop)
    assert settle(shop, quantities=tokens(0)) == Settlement(1, 0, 0, CR("15"))
    assert shop.available_ucr("ana") == CR("1000")
    assert [row.code for row in shop.economy.trace("r1").transfers] == [Code.HOLD, Code.RELEASE]
    assert shop.economy.verify().ok


def test_a_request_that_may_use_nothing_holds_nothing(shop: Workspace) -> None:
    with pytest.raises(BadInput, match="holds nothing"):
        hold(shop, quantities=tokens(0))
    assert shop.rows("SELECT count(*) FROM holds") == [(0,)]


def test_release_gives_everything_back_once(shop: Workspace) -> None:
    hold(shop)
    assert release(shop) == CR("15")
    assert release(shop) == 0
    assert (shop.available_ucr("ana"), shop.held_ucr("ana")) == (CR("1000"), 0)
    with pytest.raises(Conflict, match="released"):
        settle(shop)
    assert shop.charges() == []
    assert shop.economy.verify().ok


def test_a_released_hold_is_not_authorised_again(shop: Workspace) -> None:
    """The first answer would be a lie: nothing is held any more, and the request would run."""
    hold(shop)
    release(shop)
    with pytest.raises(Conflict, match="new event id"):
        hold(shop)
    assert hold(shop, "r2").refused is None


def test_a_hold_lasts_until_its_very_last_microsecond(shop: Workspace) -> None:
    expires_us = hold(shop).expires_us
    hold(shop, "r2")
    shop.clock.move_to(expires_us - 1)
    assert settle(shop).charge_ucr == CR("8")
    shop.clock.move_to(shop.economy.trace("r2").hold.expires_us)  # type: ignore[union-attr]
    with pytest.raises(Conflict, match="expired"):
        settle(shop, "r2")
    # The refusal itself changes nothing; the hold waits for the next touch.
    assert state(shop, "r2") == HoldState.OPEN
    assert shop.economy.verify().ok


def test_expired_holds_are_released_by_the_customers_next_request(shop: Workspace) -> None:
    hold(shop, "r1", tokens(200_000))
    shop.customer("cy", "starter")
    hold(shop, "other", customer="cy")
    shop.clock.advance(TIMEOUT_S + 1)
    assert hold(shop, "r2", tokens(200_000)).refused is None
    assert state(shop, "r1") == HoldState.RELEASED
    assert state(shop, "other") == HoldState.OPEN, "nobody has touched cy"
    with pytest.raises(Conflict, match="released"):
        settle(shop, "r1")
    assert shop.economy.release_expired(shop.admin) == 1
    assert shop.economy.release_expired(shop.admin) == 0
    assert state(shop, "other") == HoldState.RELEASED
    assert release(shop, "other") == 0
    assert shop.economy.verify().ok


def test_an_expired_hold_may_still_be_released_by_hand(shop: Workspace) -> None:
    hold(shop)
    shop.clock.advance(TIMEOUT_S + 1)
    assert release(shop) == CR("15")
    assert shop.available_ucr("ana") == CR("1000")
    assert shop.economy.verify().ok


def test_a_hold_over_several_lots_takes_and_gives_back_in_spend_order(tmp_path: Path) -> None:
    """bo's own Starter pack (1,000 Cr) pays before his earned Credits (policy: purchased first)."""
    shop = new_workspace(tmp_path / "home")
    shop.customer("bo", "starter")
    shop.economy.contribute(shop.admin, "bo", "gpt-4", quota_nusd=USD("500"), request_key="lend")
    purchased, earned = "lot:1:purchased:10/1:never.cr", "lot:1:earned:9/1:never.cr"
    assert hold(shop, "r1", tokens(300_000), customer="bo").amount_ucr == CR("1500")
    assert [(row.debit, row.amount) for row in shop.economy.trace("r1").transfers] == [
        (purchased, CR("1000")),
        (earned, CR("500")),
    ]
    # 1,002.5 Cr used: all of the purchased lot, and 3 of the earned one, 0.5 of it rounding.
    assert settle(shop, "r1", tokens(200_500)).charge_ucr == CR("1003")
    balances = shop.balances()
    assert balances[purchased][:2] == (0, CR("1000"))
    assert balances[earned][:2] == (0, CR("3"))
    charge = shop.economy.trace("r1").charge
    assert charge is not None
    assert charge.basis_usage_nusd == USD("10") + USD("0.0225")
    assert charge.basis_rounding_nusd == USD("0.0045")
    assert shop.economy.verify().ok
    # What fits the first leg leaves the second untouched: it is voided.
    shop.economy.top_up(shop.admin, "bo", "starter", request_key="more")
    hold(shop, "r2", tokens(300_000), customer="bo")
    assert settle(shop, "r2", tokens(1_000)).charge_ucr == CR("5")
    assert [row.code for row in shop.economy.trace("r2").transfers][2:] == [
        Code.SETTLE,
        Code.RELEASE,
    ]
    assert shop.balances()[earned][:2] == (0, CR("3"))
    assert shop.economy.verify().ok


def test_a_scheduled_sheet_changes_the_price_at_its_instant_and_not_for_what_is_held(
    shop: Workspace,
) -> None:
    """Rule: a charge is priced by the sheet in force when it happened; a hold pins its sheet."""
    economy = shop.economy
    change_us = NOON_US + 60 * SECOND_US
    live = economy.price_book().sheet_at(NOON_US).sheet
    line = live.line("gpt-4")
    assert line is not None
    dearer = replace(line, prices_ucr={"blended": 8_000_000_000})
    author = economy.add_staff(shop.admin, "ben", "business")
    economy.save_draft(author, replace(live, sheet_id="dearer").with_lines({"gpt-4": dearer}))
    economy.submit(author, "dearer", 1)
    economy.approve(shop.admin, "dearer", 1)
    version = economy.publish_sheet(shop.admin, "dearer", 1, change_us)
    assert version == 2

    shop.clock.move_to(change_us - SECOND_US)
    held_before = hold(shop, "before")
    assert held_before.amount_ucr == CR("15")
    shop.clock.move_to(change_us)
    held_after = hold(shop, "after")
    assert held_after.amount_ucr == CR("24")
    assert settle(shop, "before").charge_ucr == CR("8"), "pinned: 1.5 x 5, rounded up"
    assert settle(shop, "after").charge_ucr == CR("12"), "1.5 x 8"
    shop.charge(
        Event("last", at_us=change_us - 1),
        Event("first", at_us=change_us),
    )
    priced = dict(shop.rows("SELECT event_id, sheet_version FROM charges"))  # type: ignore[arg-type]
    assert priced == {"before": 1, "after": 2, "last": 1, "first": 2}
    charged = dict(shop.rows("SELECT event_id, charge_ucr FROM charges"))  # type: ignore[arg-type]
    assert (charged["last"], charged["first"]) == (CR("8"), CR("12"))
    assert economy.verify().ok


def test_a_hold_pins_the_cost_book_too(shop: Workspace) -> None:
    hold(shop, "before")
    version, book = shop.economy.cost_book()
    entries = [
        replace(entry, prices_nusd={"blended": 50_000_000_000}) if entry.model == "gpt-4" else entry
        for entry in book.entries
    ]
    with shop.economy.database.unit() as unit:
        assert save_cost_book(unit, CostBook(entries)) == version + 1
    settle(shop, "before")
    hold(shop, "after")
    settle(shop, "after")
    rows = shop.rows(
        "SELECT event_id, list_cost_nusd, cost_version FROM charges ORDER BY charge_id"
    )
    assert rows == [("before", USD("0.045"), version), ("after", USD("0.075"), version + 1)]
    assert shop.economy.verify().ok


def test_an_event_is_charged_on_one_way_alone(shop: Workspace) -> None:
    # Held, then imported from the gateway's log: the hold can only be released.
    hold(shop, "r1")
    shop.charge(Event("r1"), source="live")
    with pytest.raises(Conflict, match="imported"):
        settle(shop, "r1")
    assert release(shop, "r1") == CR("15")
    # Imported first: nothing can be held for it.
    shop.charge(Event("r2"), source="live")
    with pytest.raises(Conflict, match="already charged"):
        hold(shop, "r2")
    # Settled first: the log's row is not taken a second time.
    hold(shop, "r3")
    settle(shop, "r3")
    report = shop.charge(Event("r3"), source="live")
    assert (report.accepted, report.duplicates) == (0, 1), "the gateway tells what it settled"
    other = shop.charge(Event("r3", quantities=tokens(9)), source="live")
    assert (other.accepted, other.rejected) == (0, 1)
    assert shop.rows("SELECT count(*) FROM charges") == [(3,)]
    assert shop.available_ucr("ana") == CR("976")
    assert shop.economy.verify().ok


def test_a_key_serves_its_own_providers_models(shop: Workspace) -> None:
    key = shop.economy.contribute(
        shop.admin, "bo", "gpt-4", quota_nusd=USD("500"), request_key="lend"
    )
    with pytest.raises(BadInput, match="openai"):
        hold(shop, "r1", model="claude-3", key=key.name)
    with pytest.raises(NotFound, match="no such contributed key"):
        hold(shop, "r1", key="key99")
    hold(shop, "r2", key=key.name)
    settle(shop, "r2")
    (after,) = shop.economy.pool_keys()
    assert after.served_quota_nusd == USD("0.045")


def test_a_key_that_is_used_up_leaves_the_request_to_the_platform(shop: Workspace) -> None:
    key = shop.economy.contribute(
        shop.admin, "bo", "gpt-4", quota_nusd=USD("0.06"), request_key="lend"
    )
    for event_id in ("r1", "r2"):
        hold(shop, event_id, key=key.name)
        settle(shop, event_id)
    assert shop.rows("SELECT event_id, key_id FROM charges ORDER BY charge_id") == [
        ("r1", key.key_id),
        ("r2", 0),
    ]
    assert shop.economy.verify().ok


@pytest.mark.parametrize(
    ("model", "quantities", "said"),
    [
        ("gpt-99", WORKED, "no price for this model"),
        ("gpt-4", (0, 0, 0, 0, 0, 0, 60_000, 0, 0), "does not price a quantity"),
        ("gpt-4", tokens(-1), "input_tokens: must lie from 0 to 10,000,000"),
        ("gpt-4", tokens(0, 10_000_001), "output_tokens: must lie from 0 to 10,000,000"),
        ("gpt-4", (1_000, 500), "nine|9 quantities"),
        ("gpt-4", (1.5, *WORKED[1:]), "input_tokens: is not a whole number"),
        ("gpt-4", (True, *WORKED[1:]), "input_tokens: is not a whole number"),
    ],
)
def test_what_cannot_be_priced_is_not_held(
    shop: Workspace, model: str, quantities: tuple[int, ...], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        hold(shop, "r1", quantities, model=model)
    assert shop.rows("SELECT count(*) FROM holds") == [(0,)]


@pytest.mark.parametrize("used", [tokens(-1), (0, 0, 0, 0, 0, 0, 60_000, 0, 0)])
def test_what_cannot_be_priced_is_not_settled(shop: Workspace, used: tuple[int, ...]) -> None:
    hold(shop)
    with pytest.raises(BadInput):
        settle(shop, quantities=used)
    assert state(shop) == HoldState.OPEN
    assert settle(shop).charge_ucr == CR("8")


def test_nobody_settles_or_releases_what_was_never_held(shop: Workspace) -> None:
    with pytest.raises(NotFound, match="nothing is held"):
        settle(shop)
    with pytest.raises(NotFound, match="nothing is held"):
        release(shop)
    with pytest.raises(NotFound, match="no such request"):
        shop.economy.trace("r1")


def test_who_may_do_what(shop: Workspace) -> None:
    ana, lin = shop.economy.customer_actor("ana"), Actor("lin", "analyst")
    request = {"source": "live", "event_id": "r1"}
    assert shop.economy.authorise(ana, "ana", "gpt-4", WORKED, **request).refused is None
    for forbidden in (
        lambda: shop.economy.authorise(ana, "bo", "gpt-4", WORKED, **request),
        lambda: shop.economy.authorise(lin, "ana", "gpt-4", WORKED, **request),
        lambda: shop.economy.settle(ana, "live", "r1", WORKED),
        lambda: shop.economy.release(ana, "live", "r1"),
        lambda: shop.economy.release_expired(ana),
    ):
        with pytest.raises(Forbidden):
            forbidden()
    assert state(shop) == HoldState.OPEN
