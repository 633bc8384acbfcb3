"""Posting rules speak of accounts by name: a leg says what moves from where to where.

Rooms state their rules (a sale, a contribution, a batch of charges) as lists of legs, pure
and without a ledger; whoever drives the economy, production or a simulation, posts the
same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Leg(NamedTuple):
    """``amount`` moves from ``debit`` to ``credit``, in the unit that both names end with."""

    debit: str
    credit: str
    amount: int


def flowing(legs: Iterable[Leg]) -> Iterator[Leg]:
    """The legs that move something; a negative amount flows the other way.

    Sums can be negative: rounding down takes from revenue, and two cumulative floors may
    step one nano-dollar apart.
    """
    for leg in legs:
        if leg.amount > 0:
            yield leg
        elif leg.amount < 0:
            yield Leg(leg.credit, leg.debit, -leg.amount)
