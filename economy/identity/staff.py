"""Staff: who may act on the platform's side, and in which role."""

from __future__ import annotations

import sqlite3

from economy.errors import BadInput, Conflict
from economy.identity.actors import STAFF_ROLES, Actor
from economy.identity.names import checked_name
from economy.state.database import Unit


def add_staff(unit: Unit, name: str, role: str) -> Actor:
    """Add a member of staff; a name that is taken is a :class:`Conflict`."""
    name = checked_name(name, "name")
    known = [staff_role for staff_role in STAFF_ROLES if staff_role == role]
    if not known:
        raise BadInput(
            "no such role",
            field="role",
            value=role,
            way_out=f"Choose one of {', '.join(STAFF_ROLES)}",
        )
    there = staff_member(unit.connection, name)
    if there is not None:
        raise Conflict(
            f"is on the staff already, as {there.role}",
            field="name",
            value=name,
            way_out="Choose another name",
        )
    unit.connection.execute(
        "INSERT INTO staff (name, role, created_us) VALUES (?, ?, ?)",
        (name, role, unit.recorded_us),
    )
    return Actor(name, known[0])


def staff_member(connection: sqlite3.Connection, name: str) -> Actor | None:
    """The member of staff of this name, or None."""
    row = connection.execute(
        "SELECT name, role FROM staff WHERE name = ?", (name.strip(),)
    ).fetchone()
    return None if row is None else Actor(row[0], row[1])


def staff(connection: sqlite3.Connection) -> list[Actor]:
    """All of them, by name."""
    return [Actor(*row) for row in connection.execute("SELECT name, role FROM staff ORDER BY name")]
