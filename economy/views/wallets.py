"""A wallet lot by lot, as staff see it: basis included."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from economy.economy import Economy
from economy.identity import Actor, require
from economy.units import END_OF_TIME_US


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot. ``basis`` in nusd per ucr, amounts in ucr."""

    account: str
    origin: str
    basis: Fraction
    expires_us: int
    available_ucr: int
    held_ucr: int
    spent_ucr: int

    @property
    def never_expires(self) -> bool:
        return self.expires_us >= END_OF_TIME_US


def lot_rows(economy: Economy, actor: Actor, customer: str) -> list[LotRow]:
    """All lots of a customer, oldest first; for staff alone."""
    require(actor, "business", "analyst", "admin")
    lots = economy.lots(customer)
    balances = economy.balances([lot.account_id for lot in lots])
    return [
        LotRow(
            account=row.name,
            origin=lot.origin,
            basis=lot.basis,
            expires_us=lot.expires_us,
            available_ucr=row.balance.available,
            held_ucr=row.balance.debits_pending,
            spent_ucr=lot.spent_ucr,
        )
        for lot, row in zip(lots, balances, strict=True)
    ]
