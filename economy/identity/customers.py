"""Customers: a number for the books, a name for people."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from economy.errors import Conflict, NotFound
from economy.identity.names import checked_name
from economy.state.database import Unit


@dataclass(frozen=True, slots=True)
class Customer:
    customer_id: int
    name: str


def add_customer(unit: Unit, name: str) -> Customer:
    """Add one; a name that is taken is a :class:`Conflict`."""
    name = checked_name(name, "customer")
    if _find(unit.connection, name) is not None:
        raise Conflict(
            "there is a customer of this name already",
            field="customer",
            value=name,
            way_out="Use that one, or choose another name",
        )
    return Customer(ensure_customers(unit, [name])[name], name)


def ensure_customers(unit: Unit, names: Iterable[str]) -> dict[str, int]:
    """Ids of ``names`` as they were given, adding those that are new, in order.

    Names that differ in surrounding blanks only are one customer.
    """
    wanted = {name: checked_name(name, "customer") for name in names}
    unit.connection.executemany(
        "INSERT INTO customers (name, created_us) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
        [(name, unit.recorded_us) for name in dict.fromkeys(wanted.values())],
    )
    rows = unit.connection.execute(
        "SELECT name, customer_id FROM customers WHERE name IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted.values())),),
    )
    ids: dict[str, int] = dict(rows.fetchall())
    return {given: ids[name] for given, name in wanted.items()}


def customer(connection: sqlite3.Connection, name: str) -> Customer:
    """The customer of this name, or :class:`NotFound`."""
    found = _find(connection, name.strip())
    if found is None:
        raise NotFound(
            "no such customer",
            field="customer",
            value=name,
            way_out="List them with: economy customers list, or add it with: economy customers add",
        )
    return found


def customer_by_id(connection: sqlite3.Connection, customer_id: int) -> Customer:
    """The customer of this number, or :class:`NotFound`."""
    row = connection.execute(
        "SELECT customer_id, name FROM customers WHERE customer_id = ?", (customer_id,)
    ).fetchone()
    if row is None:
        raise NotFound(
            "no such customer",
            field="customer_id",
            value=customer_id,
            way_out="Add the customer first, by name",
        )
    return Customer(*row)


def customers(connection: sqlite3.Connection) -> list[Customer]:
    """All of them, by name."""
    rows = connection.execute("SELECT customer_id, name FROM customers ORDER BY name")
    return [Customer(*row) for row in rows]


def _find(connection: sqlite3.Connection, name: str) -> Customer | None:
    row = connection.execute(
        "SELECT customer_id, name FROM customers WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else Customer(*row)
