"""The transitions between a draft and production, and who may make them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from economy.errors import BadInput, Conflict, Forbidden
from economy.identity.actors import Actor, require
from economy.pricing.book import load_price_book, publish_sheet
from economy.pricing.lint import Finding
from economy.pricing.sheet import PriceSheet
from economy.review.drafts import Draft, draft
from economy.state import Unit
from economy.units import instant_text

State = Literal["draft", "in_review", "approved", "published", "rejected"]
Gate = Callable[[PriceSheet, int], Sequence[Finding]]
"""A check of a sheet for the instant at which it is to hold; it registers by name."""

_STATE_AFTER: dict[str, State] = {
    "submit": "in_review",
    "approve": "approved",
    "reject": "rejected",
    "publish": "published",
}


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One act of one actor on one revision."""

    sheet_id: str
    revision: int
    action: str
    actor: str
    comment: str
    recorded_us: int


def events(connection: sqlite3.Connection, sheet_id: str) -> list[ReviewEvent]:
    """Everything that happened to a sheet's revisions, oldest first."""
    rows = connection.execute(
        "SELECT sheet_id, revision, action, actor, comment, recorded_us FROM review_events"
        " WHERE sheet_id = ? ORDER BY event_id",
        (sheet_id,),
    )
    return [ReviewEvent(*row) for row in rows]


def state_of(connection: sqlite3.Connection, of: Draft) -> State:
    """The state of a draft's newest revision."""
    row = connection.execute(
        "SELECT action FROM review_events WHERE sheet_id = ? AND revision = ?"
        " ORDER BY event_id DESC LIMIT 1",
        (of.sheet_id, of.revision),
    ).fetchone()
    return "draft" if row is None else _STATE_AFTER[str(row[0])]


def submit(
    unit: Unit, actor: Actor, sheet_id: str, revision: int, gates: Mapping[str, Gate]
) -> list[Finding]:
    """Ask for review. A gate's blocked finding refuses it; warnings are returned."""
    require(actor, "business", "admin")
    found = _at(unit, sheet_id, revision, "submit", allowed=("draft", "rejected"))
    findings = _pass_gates(found.sheet, unit.recorded_us, gates)
    _record(unit, actor, found, "submit", "")
    return findings


def approve(unit: Unit, actor: Actor, sheet_id: str, revision: int, comment: str = "") -> None:
    """Approve a revision in review. Nobody who wrote any revision of it may."""
    require(actor, "admin")
    found = _at(unit, sheet_id, revision, "approve", allowed=("in_review",))
    if actor.name in found.authors:
        raise Forbidden(
            f"{actor.name} wrote this sheet, and an author never approves",
            where=f"sheet {sheet_id}",
            way_out="Ask another admin to review it",
        )
    _record(unit, actor, found, "approve", comment)


def reject(unit: Unit, actor: Actor, sheet_id: str, revision: int, comment: str) -> None:
    """Send a revision back to its author, with the reason."""
    require(actor, "admin")
    if not comment.strip():
        raise Conflict(
            "a rejection needs a reason", where=f"sheet {sheet_id}", way_out="Write a comment"
        )
    found = _at(unit, sheet_id, revision, "reject", allowed=("in_review", "approved"))
    _record(unit, actor, found, "reject", comment)


def publish(
    unit: Unit,
    actor: Actor,
    sheet_id: str,
    revision: int,
    *,
    effective_us: int | None,
    gates: Mapping[str, Gate],
) -> int:
    """Put an approved revision in force from ``effective_us`` on (``None``: at once).

    Returns the version. The gates are asked again, for that instant: costs may have moved
    since the submission, and a change may be announced. A sheet that would undo what
    somebody else has published or scheduled meanwhile is a :class:`Conflict`.
    """
    require(actor, "admin")
    found = _at(unit, sheet_id, revision, "publish", allowed=("approved",))
    at_us = unit.recorded_us if effective_us is None else effective_us
    if at_us < unit.recorded_us:
        raise BadInput(
            "a price never changes in the past",
            field="effective_us",
            value=instant_text(at_us),
            way_out=f"Choose {instant_text(unit.recorded_us)} or later",
        )
    _pass_gates(found.sheet, at_us, gates)
    _undoes_nothing(unit, found, at_us)
    version = publish_sheet(
        unit,
        found.sheet,
        effective_us=at_us,
        author=found.author,
        publisher=actor.name,
    )
    _record(unit, actor, found, "publish", f"version {version}")
    return version


def _at(unit: Unit, sheet_id: str, revision: int, action: str, allowed: tuple[State, ...]) -> Draft:
    found = draft(unit.connection, sheet_id)
    if found.revision != revision:
        raise Conflict(
            f"revision {revision} is not the newest, {found.revision} is",
            where=f"sheet {sheet_id}",
            way_out="Look at the newest revision and decide on that one",
        )
    state = state_of(unit.connection, found)
    if state not in allowed:
        raise Conflict(
            f"cannot {action} a sheet that is {state.replace('_', ' ')}",
            where=f"sheet {sheet_id}, revision {revision}",
            way_out=f"It must be {' or '.join(s.replace('_', ' ') for s in allowed)}",
        )
    return found


def _undoes_nothing(unit: Unit, found: Draft, at_us: int) -> None:
    """A draft replaces the sheet that it started from, and nothing is scheduled after it."""
    book = load_price_book(unit.connection)
    replaced = book.sheet_at(at_us)
    later = [epoch for epoch in book.epochs if epoch.effective_us > at_us]
    if replaced.version != found.base_version:
        raise Conflict(
            f"version {replaced.version} went live after this draft was made from version "
            f"{found.base_version}; publishing it would undo that change",
            where=f"sheet {found.sheet_id}",
            way_out="Start a new draft from the sheet that is live, and make the edit there",
        )
    if later:
        raise Conflict(
            f"version {later[0].version} is scheduled for {instant_text(later[0].effective_us)} "
            "and would undo this sheet then",
            where=f"sheet {found.sheet_id}",
            way_out="Publish from a later instant, with a draft made from the scheduled sheet",
        )


def _pass_gates(sheet: PriceSheet, at_us: int, gates: Mapping[str, Gate]) -> list[Finding]:
    findings = [finding for gate in gates.values() for finding in gate(sheet, at_us)]
    blocked = [finding for finding in findings if finding.level == "blocked"]
    if blocked:
        first = blocked[0]
        more = f", and {len(blocked) - 1} more" if len(blocked) > 1 else ""
        raise Conflict(
            f"the gate blocks it: {first.message}{more}",
            where=f"sheet {sheet.sheet_id}, model {first.model}",
            way_out="Mend the line and save a new revision",
        )
    return findings


def _record(unit: Unit, actor: Actor, found: Draft, action: str, comment: str) -> None:
    unit.connection.execute(
        "INSERT INTO review_events (sheet_id, revision, action, actor, comment, recorded_us)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (found.sheet_id, found.revision, action, actor.name, comment, unit.recorded_us),
    )
