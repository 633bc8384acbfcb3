"""``economy customers`` and ``economy users``: who there is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from economy.cli.common import AsOption, HomeOption, JsonOption, answer, open_economy, table


def register(app: typer.Typer) -> None:
    customers = typer.Typer(no_args_is_help=True, help="Customers of the platform.")
    customers.command("add")(add_customer)
    customers.command("list")(list_customers)
    app.add_typer(customers, name="customers")
    users = typer.Typer(no_args_is_help=True, help="Staff and their roles.")
    users.command("add")(add_user)
    users.command("list")(list_users)
    app.add_typer(users, name="users")


def add_customer(
    name: Annotated[str, typer.Argument(help="A name of their own.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a customer."""
    economy, actor = open_economy(home, as_name)
    added = economy.add_customer(actor, name)
    document = {"customer_id": added.customer_id, "name": added.name}
    answer(as_json, document, lambda out: out.print(f"Added {added.name}.", markup=False))


def list_customers(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """All customers, by name."""
    economy, _ = open_economy(home, as_name)
    rows = [(one.customer_id, one.name) for one in economy.customers()]
    document = {"customers": [{"customer_id": n, "name": name} for n, name in rows]}
    answer(as_json, document, lambda out: out.print(table("", (">id", "name"), rows)))


def add_user(
    name: Annotated[str, typer.Argument(help="Who joins the staff.")],
    role: Annotated[str, typer.Option(help="business, analyst or admin.")],
    home: HomeOption = None,
    as_name: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a member of staff."""
    economy, actor = open_economy(home, as_name)
    added = economy.add_staff(actor, name, role)
    document = {"name": added.name, "role": added.role}
    answer(
        as_json,
        document,
        lambda out: out.print(f"Added {added.name} as {added.role}.", markup=False),
    )


def list_users(
    home: HomeOption = None, as_name: AsOption = None, as_json: JsonOption = False
) -> None:
    """The staff, with roles."""
    economy, _ = open_economy(home, as_name)
    rows: list[tuple[Any, ...]] = [(one.name, one.role) for one in economy.staff()]
    document = {"users": [{"name": name, "role": role} for name, role in rows]}
    answer(as_json, document, lambda out: out.print(table("", ("name", "role"), rows)))
