"""Drafts of price sheets: one row a revision, nothing overwritten."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass

from economy.errors import BadInput, Conflict, NotFound
from economy.identity.actors import Actor, require
from economy.pricing.book import load_price_book
from economy.pricing.sheet import PriceSheet, check_sheet, from_document
from economy.state import Unit

SHEET_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Draft:
    """One revision of a draft, and everyone who wrote an earlier one or this.

    ``base_version`` is the published sheet that the draft started from.
    """

    sheet_id: str
    revision: int
    author: str
    authors: frozenset[str]
    written_us: int
    base_version: int
    sheet: PriceSheet


def save_draft(
    unit: Unit,
    actor: Actor,
    sheet: PriceSheet,
    expected_revision: int | None,
    base_version: int | None = None,
) -> Draft:
    """Store ``sheet`` as the next revision of its draft.

    ``expected_revision`` is the revision that the author started from (``None`` for a new
    draft); if somebody else wrote one meanwhile the save is refused and nothing is lost.
    ``base_version`` is the published sheet that a new draft started from, the one in force
    unless said; later revisions keep it.
    """
    require(actor, "business", "admin")
    if not SHEET_ID_PATTERN.fullmatch(sheet.sheet_id):
        raise BadInput(
            "a sheet id is lower-case letters, digits and dashes",
            field="sheet_id",
            value=sheet.sheet_id,
            way_out="Name it like spring-prices-2",
        )
    check_sheet(sheet, f"sheet {sheet.sheet_id}")
    newest = _newest_revision(unit.connection, sheet.sheet_id)
    if newest != (expected_revision or 0):
        raise Conflict(
            f"the draft is at revision {newest}, this edit started from "
            f"{expected_revision or 'nothing'}",
            where=f"sheet {sheet.sheet_id}",
            way_out="Open the newest revision and make the edit there, or choose another name",
        )
    if _is_published(unit.connection, sheet.sheet_id):
        raise Conflict(
            "this sheet is already published",
            where=f"sheet {sheet.sheet_id}",
            way_out="Start a draft under another name",
        )
    if newest:
        base_version = draft(unit.connection, sheet.sheet_id).base_version
    else:
        book = load_price_book(unit.connection)
        in_force = book.sheet_at(unit.recorded_us)
        base_version = (in_force if base_version is None else book.published(base_version)).version
    unit.connection.execute(
        "INSERT INTO drafts (sheet_id, revision, author, written_us, base_version, body)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            sheet.sheet_id,
            newest + 1,
            actor.name,
            unit.recorded_us,
            base_version,
            sheet.canonical_json,
        ),
    )
    return draft(unit.connection, sheet.sheet_id)


def draft(connection: sqlite3.Connection, sheet_id: str) -> Draft:
    """The newest revision of a draft."""
    rows = connection.execute(
        "SELECT revision, author, written_us, base_version, body FROM drafts WHERE sheet_id = ?"
        " ORDER BY revision",
        (sheet_id,),
    ).fetchall()
    if not rows:
        raise NotFound("no such draft", field="sheet_id", value=sheet_id)
    revision, author, written_us, base_version, body = rows[-1]
    return Draft(
        sheet_id,
        int(revision),
        str(author),
        frozenset(str(row[1]) for row in rows),
        int(written_us),
        int(base_version),
        from_document(json.loads(body), f"sheet {sheet_id}"),
    )


def drafts(connection: sqlite3.Connection) -> list[Draft]:
    """The newest revision of every draft, newest first."""
    ids = connection.execute(
        "SELECT sheet_id FROM drafts GROUP BY sheet_id ORDER BY max(written_us) DESC, sheet_id"
    ).fetchall()
    return [draft(connection, str(row[0])) for row in ids]


def _newest_revision(connection: sqlite3.Connection, sheet_id: str) -> int:
    row = connection.execute(
        "SELECT max(revision) FROM drafts WHERE sheet_id = ?", (sheet_id,)
    ).fetchone()
    return int(row[0] or 0)


def _is_published(connection: sqlite3.Connection, sheet_id: str) -> bool:
    row = connection.execute("SELECT 1 FROM sheets WHERE sheet_id = ?", (sheet_id,)).fetchone()
    return row is not None
