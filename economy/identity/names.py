"""What a name of a customer or a member of staff may be."""

from __future__ import annotations

from economy.errors import BadInput

MAX_NAME_LENGTH = 200


def is_name(name: str) -> bool:
    """Whether :func:`checked_name` would take it; for rows, where a bad one spoils its row."""
    try:
        checked_name(name, "")
    except BadInput:
        return False
    return True


def checked_name(name: str, field: str) -> str:
    """``name`` without surrounding blanks, or :class:`BadInput`: empty, too long, unprintable."""
    trimmed = name.strip()
    if not trimmed:
        raise BadInput("a name may not be empty", field=field, value=name)
    if len(trimmed) > MAX_NAME_LENGTH:
        raise BadInput(
            f"a name has at most {MAX_NAME_LENGTH} characters",
            field=field,
            value=trimmed[:40] + "...",
        )
    if not trimmed.isprintable():
        raise BadInput(
            "a name may not hold control characters",
            field=field,
            value=trimmed,
            way_out="Write it in one line of printable characters",
        )
    return trimmed
