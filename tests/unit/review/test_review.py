"""Review: which act is allowed in which state, by whom, and what an edit undoes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from economy.catalog.costs import CostBook
from economy.catalog.store import save_cost_book
from economy.errors import BadInput, Conflict, EconomyError, Forbidden, NotFound
from economy.identity import Actor
from economy.pricing.sheet import PriceLine, PriceSheet
from tests.workspaces import NOON_US, SECOND_US, Workspace, new_workspace

BEN = Actor("ben", "business")
"""Writes sheets."""
CAT = Actor("cat", "business")
"""Writes them too."""
LIN = Actor("lin", "analyst")
ADA, EVE = Actor("ada", "admin"), Actor("eve", "admin")
SHEET = "spring"

Act = Callable[[Workspace, Actor, int], object]


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path)


def priced(shop: Workspace, ucr_per_1k: int, sheet_id: str = SHEET) -> PriceSheet:
    """The live sheet with another price for GPT-4."""
    live = shop.economy.price_book().sheet_at(NOON_US).sheet
    line = PriceLine("gpt-4", {"blended": ucr_per_1k * 1_000}, 1_000_000, "up", stored=True)
    return replace(live, sheet_id=sheet_id).with_lines({"gpt-4": line})


def save(shop: Workspace, actor: Actor, revision: int | None = None, cr: int = 6) -> int:
    return shop.economy.save_draft(actor, priced(shop, cr * 1_000_000), revision).revision


def submit(shop: Workspace, actor: Actor, revision: int) -> object:
    return shop.economy.submit(actor, SHEET, revision)


def approve(shop: Workspace, actor: Actor, revision: int) -> object:
    return shop.economy.approve(actor, SHEET, revision)


def reject(shop: Workspace, actor: Actor, revision: int) -> object:
    return shop.economy.reject(actor, SHEET, revision, "too dear")


def publish(shop: Workspace, actor: Actor, revision: int) -> object:
    return shop.economy.publish_sheet(actor, SHEET, revision)


def state(shop: Workspace) -> str:
    (found,) = [state for draft, state in shop.economy.drafts() if draft.sheet_id == SHEET]
    return found


WAY: dict[str, list[tuple[Act, Actor]]] = {
    "draft": [],
    "in_review": [(submit, BEN)],
    "rejected": [(submit, BEN), (reject, ADA)],
    "approved": [(submit, BEN), (approve, ADA)],
    "published": [(submit, BEN), (approve, ADA), (publish, ADA)],
}
"""How a sheet of ben's comes to each state."""

MAY: dict[str, set[Act]] = {
    "draft": {submit},
    "in_review": {approve, reject},
    "rejected": {submit},
    "approved": {reject, publish},
    "published": set(),
}
"""What may happen in each state; everything else must not."""


def bring(shop: Workspace, to: str) -> None:
    save(shop, BEN)
    for act, actor in WAY[to]:
        act(shop, actor, 1)
    assert state(shop) == to


@pytest.mark.parametrize("act", [submit, approve, reject, publish])
@pytest.mark.parametrize("at", MAY)
def test_only_the_allowed_transitions_happen(shop: Workspace, at: str, act: Act) -> None:
    bring(shop, at)
    before = shop.economy.review_events(SHEET)
    if act in MAY[at]:
        act(shop, ADA, 1)
        assert len(shop.economy.review_events(SHEET)) == len(before) + 1
    else:
        with pytest.raises(Conflict, match="cannot"):
            act(shop, ADA, 1)
        assert shop.economy.review_events(SHEET) == before
        assert state(shop) == at


@pytest.mark.parametrize(
    ("act", "at", "allowed"),
    [
        (submit, "draft", {BEN, CAT, ADA, EVE}),
        (approve, "in_review", {ADA, EVE}),
        (reject, "in_review", {ADA, EVE}),
        (publish, "approved", {ADA, EVE}),
    ],
)
@pytest.mark.parametrize("actor", [BEN, CAT, LIN, ADA, EVE, Actor("ana", "customer", 1)])
def test_each_act_needs_its_role(
    shop: Workspace, act: Act, at: str, allowed: set[Actor], actor: Actor
) -> None:
    bring(shop, at)
    if actor in allowed:
        act(shop, actor, 1)
    else:
        with pytest.raises(Forbidden):
            act(shop, actor, 1)
        assert state(shop) == at


@pytest.mark.parametrize("actor", [LIN, Actor("ana", "customer", 1)])
def test_only_business_and_admins_write_drafts(shop: Workspace, actor: Actor) -> None:
    with pytest.raises(Forbidden):
        save(shop, actor)
    assert shop.economy.drafts() == []


def test_the_whole_way(shop: Workspace) -> None:
    """Rule: "The author of a price sheet cannot approve it"; a second person does."""
    bring(shop, "published")
    epoch = shop.economy.price_book().epochs[-1]
    assert (epoch.version, epoch.sheet.sheet_id) == (2, SHEET)
    assert [
        (event.action, event.actor, event.revision) for event in shop.economy.review_events(SHEET)
    ] == [
        ("submit", "ben", 1),
        ("approve", "ada", 1),
        ("publish", "ada", 1),
    ]
    assert shop.rows("SELECT author, publisher FROM sheets WHERE version = 2") == [("ben", "ada")]


def test_an_author_never_approves(shop: Workspace) -> None:
    save(shop, ADA)
    submit(shop, ADA, 1)
    with pytest.raises(Forbidden, match="an author never approves"):
        approve(shop, ADA, 1)
    approve(shop, EVE, 1)


def test_an_author_of_any_revision_never_approves(shop: Workspace) -> None:
    """ada wrote the first revision, ben the newest: it is still partly her sheet."""
    save(shop, ADA)
    save(shop, BEN, revision=1, cr=7)
    submit(shop, BEN, 2)
    with pytest.raises(Forbidden):
        approve(shop, ADA, 2)
    assert shop.economy.draft(SHEET).authors == {"ada", "ben"}
    approve(shop, EVE, 2)


@pytest.mark.parametrize("at", ["in_review", "rejected", "approved"])
def test_an_edit_resets_the_review(shop: Workspace, at: str) -> None:
    bring(shop, at)
    assert save(shop, CAT, revision=1, cr=7) == 2
    assert state(shop) == "draft"
    with pytest.raises(Conflict, match="revision 1 is not the newest"):
        publish(shop, ADA, 1)
    with pytest.raises(Conflict, match="cannot publish a sheet that is draft"):
        publish(shop, ADA, 2)


def test_an_edit_that_started_from_an_older_revision_is_refused(shop: Workspace) -> None:
    save(shop, BEN)
    save(shop, CAT, revision=1, cr=7)
    for stale in (None, 1, 3):
        with pytest.raises(Conflict, match="revision 2"):
            save(shop, BEN, revision=stale, cr=8)
    line = shop.economy.draft(SHEET).sheet.line("gpt-4")
    assert line is not None
    assert line.prices_ucr == {"blended": 7_000_000_000}, "nothing of cat's edit is lost"


@pytest.mark.parametrize("act", [submit, approve, reject, publish])
def test_an_act_names_the_revision_that_it_means(shop: Workspace, act: Act) -> None:
    save(shop, BEN)
    save(shop, BEN, revision=1, cr=7)
    for revision in (1, 3):
        with pytest.raises(Conflict, match="not the newest"):
            act(shop, ADA, revision)


def test_a_published_sheet_is_not_edited(shop: Workspace) -> None:
    bring(shop, "published")
    with pytest.raises(Conflict, match="already published"):
        save(shop, BEN, revision=1)
    with pytest.raises(Conflict, match="already published"):
        shop.economy.save_draft(BEN, priced(shop, 6_000_000, "genesis"))


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_rejection_needs_a_reason(shop: Workspace, reason: str) -> None:
    bring(shop, "in_review")
    with pytest.raises(EconomyError, match="reason"):
        shop.economy.reject(ADA, SHEET, 1, reason)
    assert state(shop) == "in_review"
    shop.economy.reject(ADA, SHEET, 1, "too dear for small customers")
    assert shop.economy.review_events(SHEET)[-1].comment == "too dear for small customers"


def test_a_gate_blocks_submission_and_names_the_line(shop: Workspace) -> None:
    """Sold below cost: 1 Cr is $0.01 and 1K tokens of GPT-4 cost $0.03."""
    save(shop, BEN, cr=1)
    with pytest.raises(Conflict, match="the gate blocks it") as blocked:
        submit(shop, BEN, 1)
    assert "gpt-4" in blocked.value.message
    assert state(shop) == "draft"
    save(shop, BEN, revision=1, cr=6)
    findings = submit(shop, BEN, 2)
    assert findings, "warnings pass the gate and are told"
    assert {finding.level for finding in findings} == {"warning"}  # type: ignore[attr-defined]


def test_a_gate_is_asked_again_before_production(shop: Workspace) -> None:
    """Costs may have moved since the approval."""
    bring(shop, "approved")
    _, book = shop.economy.cost_book()
    moved = [
        replace(entry, prices_nusd={"blended": 90_000_000_000}) if entry.model == "gpt-4" else entry
        for entry in book.entries
    ]
    with shop.economy.database.unit() as unit:
        save_cost_book(unit, CostBook(moved))
    with pytest.raises(Conflict, match="the gate blocks it"):
        publish(shop, ADA, 1)
    assert state(shop) == "approved"
    assert len(shop.economy.price_book().epochs) == 1


def test_a_scheduled_sheet_waits_for_its_instant_and_the_past_stays(shop: Workspace) -> None:
    bring(shop, "approved")
    now_us = shop.clock.now_us()
    with pytest.raises(BadInput, match="never changes in the past"):
        shop.economy.publish_sheet(ADA, SHEET, 1, now_us - SECOND_US)
    at_us = now_us + 3_600 * SECOND_US
    assert shop.economy.publish_sheet(ADA, SHEET, 1, at_us) == 2
    book = shop.economy.price_book()
    assert book.sheet_at(at_us - 1).version == 1
    assert book.sheet_at(at_us).version == 2
    assert state(shop) == "published"


def test_a_draft_cannot_undo_what_was_published_meanwhile(shop: Workspace) -> None:
    bring(shop, "approved")
    shop.economy.save_draft(CAT, priced(shop, 7_000_000, "other"))
    shop.economy.submit(CAT, "other", 1)
    shop.economy.approve(ADA, "other", 1)
    at_us = shop.clock.now_us() + 60 * SECOND_US
    shop.economy.publish_sheet(ADA, SHEET, 1, at_us)
    for when_us in (at_us, at_us + 1):
        with pytest.raises(Conflict, match="would undo that change"):
            shop.economy.publish_sheet(ADA, "other", 1, when_us)
    with pytest.raises(Conflict, match="would undo this sheet"):
        shop.economy.publish_sheet(ADA, "other", 1, at_us - 1)
    # A draft that starts from the sheet in force may replace it.
    shop.clock.move_to(at_us)
    shop.economy.save_draft(CAT, priced(shop, 7_000_000, "rebased"))
    shop.economy.submit(CAT, "rebased", 1)
    shop.economy.approve(ADA, "rebased", 1)
    assert shop.economy.publish_sheet(ADA, "rebased", 1) == 3


def test_a_sheet_values_a_credit_as_the_policy_does(shop: Workspace) -> None:
    sheet = replace(priced(shop, 6_000_000), credit_value_nusd=20_000_000)
    shop.economy.save_draft(BEN, sheet)
    with pytest.raises(Conflict, match="a Credit is worth 20000000 nusd"):
        submit(shop, BEN, 1)


@pytest.mark.parametrize("name", ["", "Spring", "../spring", "-spring", "a b", "x" * 64])
def test_a_sheet_has_a_plain_name(shop: Workspace, name: str) -> None:
    with pytest.raises(BadInput, match="sheet id"):
        shop.economy.save_draft(BEN, priced(shop, 6_000_000, name))


def test_an_unknown_draft_is_told(shop: Workspace) -> None:
    for act in (submit, approve, publish):
        with pytest.raises(NotFound, match="no such draft"):
            act(shop, ADA, 1)
