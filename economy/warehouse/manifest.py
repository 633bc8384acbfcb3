"""The manifest: the one file that says which parts a warehouse consists of.

It is replaced whole, by rename, after its parts are safely on disk. A reader therefore
sees the parts of the last finished publish and no other; a part that no manifest names is
left over from an interruption, and the next publish removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from economy.errors import Conflict

MANIFEST_NAME = "manifest.json"
MANIFEST_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: rows of one feed that happened on one UTC day."""

    feed: str
    day: str
    path: str
    """Relative to the warehouse, with forward slashes."""
    rows: int
    bytes: int
    sha256: str
    sums: dict[str, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a feed has been copied: last batch and row, rows in all, that batch's hash."""

    batch: int = 0
    row_id: int = 0
    rows: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the warehouse holds: a mark for each feed, and every part."""

    marks: dict[str, Mark] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    published_us: int = 0

    def mark(self, feed: str) -> Mark:
        return self.marks.get(feed, Mark())

    def parts_of(self, feed: str) -> list[Part]:
        return [part for part in self.parts if part.feed == feed]

    def as_json(self) -> str:
        document = {"schema_version": MANIFEST_SCHEMA_VERSION, **asdict(self)}
        return json.dumps(document, sort_keys=True, indent=1) + "\n"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.as_json().encode()).hexdigest()


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a warehouse; an empty one where nothing was published yet."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return Manifest()
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["schema_version"] != MANIFEST_SCHEMA_VERSION:
            raise Conflict(
                "the warehouse was written by another version of this program",
                where=str(path),
                field="schema_version",
                value=document["schema_version"],
                way_out=REBUILD,
            )
        return Manifest(
            marks={feed: Mark(**mark) for feed, mark in document["marks"].items()},
            parts=tuple(Part(**part) for part in document["parts"]),
            published_us=document["published_us"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Conflict(
            f"the manifest is damaged: {error}", where=str(path), way_out=REBUILD
        ) from None


REBUILD = "Move the warehouse folder away and publish again: all of it is a copy of the ledger"


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest, durably and at one stroke."""
    building = folder / f"{MANIFEST_NAME}.building"
    with building.open("w", encoding="utf-8") as file:
        file.write(manifest.as_json())
        file.flush()
        os.fsync(file.fileno())
    put_in_place(building, folder / MANIFEST_NAME)


def put_in_place(building: Path, final: Path) -> None:
    """Rename a finished file to its name, so that it survives a power cut."""
    building.replace(final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Make renames within ``folder`` durable, where the system can."""
    if os.name != "posix":  # Elsewhere a folder cannot be opened to be synced.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
