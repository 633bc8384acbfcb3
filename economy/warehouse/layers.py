"""The two layers: Credits, as a customer sees them, and the USD beneath.

Worked example (rules, section 6). Customers see 150,000 Cr spent. The operator sees that
they cost $1,890 at the providers, and what they brought:

====================  ========  =======  ======================
revenue               USD       profit   how the Credits came
====================  ========  =======  ======================
at reference value    1,500     -390     a Credit is $0.01
at Pro's basis        1,350     -540     sold at $0.009
at Enterprise's       1,200     -690     sold at $0.008
====================  ========  =======  ======================

*Nominal* revenue is at reference value, *basis-weighted* is what the spent Credits were
really sold for. *List* cost is what providers ask, *paid-out* what serving really cost (on a
contributed key: what its owner earned). **Markup** is profit over cost, **margin** profit
over revenue. Rounding is inside every revenue and stands apart besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeVar

from economy.units import BEGINNING_OF_TIME_US, END_OF_TIME_US
from economy.warehouse.reading import query

ALL: Final = "all"
"""Stands for provider or model in a row that adds up several."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Profit, and what it is over cost (markup) and over revenue (margin).

    A ratio over zero does not exist: it is None, not zero.
    """

    profit_nusd: int
    markup: Fraction | None
    margin: Fraction | None


def margins(revenue_nusd: int, cost_nusd: int) -> Margins:
    """$0.08 of revenue over $0.045 of cost: profit $0.035, markup 7/9, margin 7/16."""
    profit = revenue_nusd - cost_nusd
    return Margins(
        profit_nusd=profit,
        markup=Fraction(profit, cost_nusd) if cost_nusd else None,
        margin=Fraction(profit, revenue_nusd) if revenue_nusd else None,
    )


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """Credits of one model over a period. ``refused_ucr`` was asked and not taken."""

    model: str
    requests: int = 0
    refused_requests: int = 0
    failed_requests: int = 0
    unrounded_ucr: int = 0
    charge_ucr: int = 0
    refused_ucr: int = 0


@dataclass(frozen=True, slots=True)
class AdminRow:
    """USD and Credits of one model over a period. Each revenue includes its rounding."""

    provider: str
    model: str
    requests: int = 0
    refused_requests: int = 0
    failed_requests: int = 0
    charge_ucr: int = 0
    rounding_ucr: int = 0
    refused_ucr: int = 0
    revenue_reference_nusd: int = 0
    rounding_reference_nusd: int = 0
    revenue_basis_nusd: int = 0
    rounding_basis_nusd: int = 0
    list_cost_nusd: int = 0
    paid_cost_nusd: int = 0

    @property
    def reference_over_list(self) -> Margins:
        return margins(self.revenue_reference_nusd, self.list_cost_nusd)

    @property
    def reference_over_paid(self) -> Margins:
        return margins(self.revenue_reference_nusd, self.paid_cost_nusd)

    @property
    def basis_over_list(self) -> Margins:
        return margins(self.revenue_basis_nusd, self.list_cost_nusd)

    @property
    def basis_over_paid(self) -> Margins:
        return margins(self.revenue_basis_nusd, self.paid_cost_nusd)


@dataclass(frozen=True, slots=True)
class AdminLayer:
    """All models of a period, by provider and then model, and their sum."""

    rows: tuple[AdminRow, ...]
    total: AdminRow

    def by_provider(self) -> list[AdminRow]:
        """One row a provider, the costliest first; its model reads ``all``."""
        names = sorted({row.provider for row in self.rows})
        found = [
            added_up([row for row in self.rows if row.provider == name], name) for name in names
        ]
        return sorted(found, key=lambda row: (-row.list_cost_nusd, row.provider))


def added_up(rows: Iterable[AdminRow], provider: str, model: str = ALL) -> AdminRow:
    """The sum of rows: what stands below them on a page adds up."""
    total = AdminRow(provider, model)
    for row in rows:
        total = _added(total, row)
    return total


def admin_layer(
    folder: Path, from_us: int = BEGINNING_OF_TIME_US, to_us: int = END_OF_TIME_US
) -> AdminLayer:
    """What happened in ``[from_us, to_us)``, a row for each provider and model."""
    by_model: dict[tuple[str, str], AdminRow] = {}
    for _, row in _admin_rows(folder, from_us, to_us):
        key = row.provider, row.model
        by_model[key] = _added(by_model.get(key, AdminRow(*key)), row)
    rows = tuple(by_model[key] for key in sorted(by_model))
    return AdminLayer(rows, added_up(rows, ALL))


def admin_layer_by_day(
    folder: Path, from_us: int = BEGINNING_OF_TIME_US, to_us: int = END_OF_TIME_US
) -> list[tuple[str, AdminRow]]:
    """Per UTC day, all models together: for the daily margin line."""
    by_day: dict[str, AdminRow] = {}
    for day, row in _admin_rows(folder, from_us, to_us):
        by_day[day] = _added(by_day.get(day, AdminRow(ALL, ALL)), row)
    return sorted(by_day.items())


def customer_layer(
    folder: Path,
    customer: str | None = None,
    from_us: int = BEGINNING_OF_TIME_US,
    to_us: int = END_OF_TIME_US,
) -> list[CustomerRow]:
    """Credits spent in ``[from_us, to_us)`` per model, by one customer or by all."""
    answer = query(
        folder,
        "SELECT * FROM layer_credits_between($from_us, $to_us) "
        "WHERE $customer::VARCHAR IS NULL OR customer = $customer",
        {"from_us": from_us, "to_us": to_us, "customer": customer},
    )
    by_model: dict[str, CustomerRow] = {}
    for row in answer.as_dicts():
        del row["day"], row["customer"]
        model = row["model"]
        by_model[model] = _added(by_model.get(model, CustomerRow(model)), CustomerRow(**row))
    return [by_model[model] for model in sorted(by_model)]


def _admin_rows(folder: Path, from_us: int, to_us: int) -> Iterator[tuple[str, AdminRow]]:
    answer = query(
        folder,
        "SELECT * FROM layer_usd_between($from_us, $to_us)",
        {"from_us": from_us, "to_us": to_us},
    )
    for row in answer.as_dicts():
        yield row.pop("day").isoformat(), AdminRow(**row)


Row = TypeVar("Row", CustomerRow, AdminRow)


def _added(total: Row, row: Row) -> Row:
    """``total`` with every amount of ``row`` added; the names stay those of ``total``."""
    amounts = {
        field.name: getattr(total, field.name) + getattr(row, field.name)
        for field in fields(total)
        if isinstance(getattr(total, field.name), int)
    }
    return replace(total, **amounts)
