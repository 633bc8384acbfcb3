"""Customers, staff and actors."""

from __future__ import annotations

from pathlib import Path

import pytest

from economy.errors import BadInput, Conflict, Forbidden, InvariantBroken, NotFound
from economy.identity import (
    Actor,
    add_customer,
    add_staff,
    customer,
    customer_by_id,
    customers,
    embedded_admin,
    ensure_customers,
    require,
    staff,
    staff_member,
)
from economy.state import Database, FixedClock


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.create(tmp_path / "economy.sqlite", FixedClock(1_700_000_000_000_000))


def test_customers_are_added_once_and_found_by_name_and_number(database: Database) -> None:
    with database.unit() as unit:
        acme = add_customer(unit, "  Acme  ")
        assert acme.name == "Acme"
        with pytest.raises(Conflict, match="already"):
            add_customer(unit, "Acme")
    with database.reading() as connection:
        assert customer(connection, "Acme") == acme
        assert customer_by_id(connection, acme.customer_id) == acme
        assert customers(connection) == [acme]


def test_ensuring_customers_keeps_known_numbers_and_adds_the_rest(database: Database) -> None:
    with database.unit() as unit:
        acme = add_customer(unit, "Acme")
        ids = ensure_customers(unit, ["Zoo", "Acme", " Acme", "Ärzte 北京", "Zoo"])
        assert ids["Acme"] == ids[" Acme"] == acme.customer_id
        assert len(set(ids.values())) == 3
        assert ensure_customers(unit, ["Zoo"]) == {"Zoo": ids["Zoo"]}
        assert ensure_customers(unit, []) == {}


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 201, "nul\x00"])
def test_names_that_nobody_could_read_are_refused(database: Database, name: str) -> None:
    with database.unit() as unit:
        with pytest.raises(BadInput, match="name"):
            add_customer(unit, name)
        with pytest.raises(BadInput, match="name"):
            ensure_customers(unit, ["good", name])
        assert customers(unit.connection) == []


def test_an_unknown_customer_is_told_with_the_way_out(database: Database) -> None:
    with database.reading() as connection:
        with pytest.raises(NotFound) as by_name:
            customer(connection, "Nobody")
        with pytest.raises(NotFound):
            customer_by_id(connection, 7)
    assert by_name.value.way_out


def test_staff_have_one_role(database: Database) -> None:
    with database.unit() as unit:
        lin = add_staff(unit, "Lin", "business")
        assert lin == Actor("Lin", "business")
        with pytest.raises(Conflict, match="as business"):
            add_staff(unit, "Lin", "admin")
        with pytest.raises(BadInput, match="business, analyst, admin"):
            add_staff(unit, "Kim", "customer")
        assert staff_member(unit.connection, "Lin") == lin
        assert staff_member(unit.connection, "Kim") is None
        assert staff(unit.connection) == [lin]


@pytest.mark.parametrize(
    ("actor", "roles", "allowed"),
    [
        (Actor("Lin", "business"), ("business",), True),
        (Actor("Ana", "analyst"), ("business", "analyst"), True),
        (Actor("Ana", "analyst"), ("business",), False),
        (Actor("Acme", "customer", 1), ("business", "analyst"), False),
        (embedded_admin("root"), ("business",), True),
        (embedded_admin("root"), ("customer",), False),
    ],
)
def test_roles(actor: Actor, roles: tuple[str, ...], allowed: bool) -> None:
    if allowed:
        require(actor, *roles)  # type: ignore[arg-type]
    else:
        with pytest.raises(Forbidden, match=actor.role) as caught:
            require(actor, *roles)  # type: ignore[arg-type]
        assert caught.value.way_out


def test_only_customers_have_a_customer_number() -> None:
    with pytest.raises(InvariantBroken):
        Actor("Lin", "business", 3)
    with pytest.raises(InvariantBroken):
        Actor("Acme", "customer")
