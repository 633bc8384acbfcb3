"""Who is acting, and what their role allows.

Every public action of the economy takes an :class:`Actor` first and checks its role
itself, whatever the interface. ``customer`` sees and spends its own wallet; ``business``
edits prices and runs the shop; ``analyst`` reads everything and changes nothing;
``admin`` may do all.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from typing import Final, Literal

from economy.errors import Forbidden, invariant

Role = Literal["customer", "business", "analyst", "admin"]
StaffRole = Literal["business", "analyst", "admin"]
STAFF_ROLES: Final[tuple[StaffRole, ...]] = ("business", "analyst", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """A named somebody in one role; ``customer_id`` is set for customers alone."""

    name: str
    role: Role
    customer_id: int | None = None

    def __post_init__(self) -> None:
        invariant(
            (self.role == "customer") == (self.customer_id is not None),
            "an actor has a customer id if and only if it is a customer",
        )


def require(actor: Actor, *roles: Role) -> None:
    """Raise :class:`Forbidden` unless the actor has one of ``roles``.

    An admin always may, except where only a customer can act: an admin has no wallet.
    """
    if actor.role in roles or (actor.role == "admin" and roles != ("customer",)):
        return
    raise Forbidden(
        f"the role {actor.role} does not allow this",
        field="actor",
        value=actor.name,
        way_out=f"Ask somebody with the role {' or '.join(roles)}",
    )


def embedded_admin(name: str) -> Actor:
    """The person at the keyboard of an embedded workspace, who owns its files anyway."""
    return Actor(name, "admin")


def system_user() -> str:
    """The operating-system user's name; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
