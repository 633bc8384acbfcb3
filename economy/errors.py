"""One error base for the whole economy, and the guard that never sleeps.

Three kinds of trouble are kept apart:

* A *business outcome* (no balance, already settled) is a result code or a typed
  result. It is not an exception.
* *Misuse or bad input* raises an :class:`EconomyError`. Its message says what was
  wrong, where, and how to mend it; the command line prints it and exits with 2.
* A *bug* trips :func:`invariant`, which raises :class:`InvariantBroken` and is not
  stripped by ``python -O``. Nobody catches it except to roll back and stop.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeVar


class EconomyError(Exception):
    """Bad input or misuse, told so that the reader can mend it.

    ``what`` is the fault, ``where`` the file, row or object, ``field`` and ``value``
    the offender, ``way_out`` what to do next. None of them may hold a secret.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        field: str | None = None,
        value: object | None = None,
        way_out: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.field = field
        self.value = value
        self.way_out = way_out
        super().__init__(self.message)

    @property
    def message(self) -> str:
        place = ", ".join(
            part for part in (self.where, f"field {self.field}" if self.field else None) if part
        )
        text = f"{place}: {self.what}" if place else self.what
        if self.value is not None:
            text += f" (got {self.value!r})"
        if self.way_out:
            text += f". {self.way_out}"
        return text

    def as_dict(self) -> dict[str, Any]:
        """The same facts for ``--json``."""
        return {
            "error": self.what,
            "where": self.where,
            "field": self.field,
            "value": None if self.value is None else str(self.value),
            "way_out": self.way_out,
        }


class BadInput(EconomyError):
    """A file, option or argument that cannot be used; nothing was changed."""


class NotFound(EconomyError):
    """A named thing that does not exist (or that this actor may not know of)."""


class Forbidden(EconomyError):
    """The actor's role does not allow the action."""


class Conflict(EconomyError):
    """The thing exists, but in a state that does not allow the action."""


class InvariantBroken(RuntimeError):
    """A law of the economy does not hold: a bug, never a user's mistake."""


def invariant(holds: bool, law: str) -> None:
    """Raise :class:`InvariantBroken` naming ``law`` unless it ``holds``."""
    if not holds:
        raise InvariantBroken(law)


T = TypeVar("T")


def existing(value: T | None, law: str) -> T:
    """``value``, which by ``law`` is there."""
    if value is None:
        raise InvariantBroken(law)
    return value


@dataclass(frozen=True, slots=True)
class RowError:
    """One row of a file that was refused while its neighbours were taken.

    ``row`` counts data rows from 1, as a spreadsheet without its header does.
    """

    row: int
    field: str
    message: str
    value: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
