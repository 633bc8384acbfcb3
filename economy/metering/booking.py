"""The common end of every charge: basis, relief, platform legs, the charges table.

The transfers that take Credits from a customer's lots are already executed when
:func:`book` is called. It does the rest in the same unit of work, so the books balance
at every commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from economy.errors import invariant
from economy.ledger import Code, Ledger, Result, TransferBuilder
from economy.ledger.legs import Leg, flowing
from economy.metering.charge_rows import ChargeRows, insert_charges, platform_leg_id
from economy.metering.postings import (
    Released,
    basis_postings,
    charge_postings,
    provider_postings,
)
from economy.pool.relief import (
    PLATFORM,
    KeyColumns,
    relief_postings,
    relieve,
    save_key_columns,
)
from economy.state import Unit
from economy.wallets.lots import ORIGIN_CODE, LotColumns, save_spent
from economy.wallets.spending import BasisRelease, SpendPlan, release_basis
from economy.wide import exact_sum

I64 = NDArray[np.int64]


class ChargeStatus(IntEnum):
    CHARGED = 1
    REFUSED = 2
    """The customer's balance could not pay; nothing was taken."""
    NOT_CHARGED = 3
    """The request failed, and the policy does not charge failed requests."""


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges as columns, one row an event, in the order in which they were charged.

    ``rated_ucr`` is what the sheet asks, ``charge_ucr`` what was taken (0 when refused; at
    most the hold on the live way). ``unrounded_ucr`` is the exact price. Of a charge
    the part up to it is usage and the rest rounding, so a charge that was rounded down or
    capped is all usage. ``key`` is a row of the key columns, -1 for
    a platform key. ``provider`` indexes ``providers``. ``sheet_version`` and ``cost_version``
    pin the prices.
    """

    event_key: list[bytes]
    source_id: int
    event_id: list[str]
    customer_id: I64
    model_id: I64
    effective_us: I64
    quantities: I64
    status: I64
    unrounded_ucr: I64
    rated_ucr: I64
    charge_ucr: I64
    list_cost_nusd: I64
    provider: NDArray[np.int32]
    providers: list[str]
    key: I64
    hold_id: I64
    sheet_version: I64
    cost_version: I64

    def __len__(self) -> int:
        return len(self.event_key)


@dataclass(frozen=True, slots=True)
class Booked:
    """What one booking moved, in total; ``first_charge_id`` numbers the rows onward."""

    charge_batch: int
    first_charge_id: int
    charged: int
    refused: int
    charge_ucr: int
    rounding_ucr: int
    list_cost_nusd: int
    paid_cost_nusd: int


def next_charge_id(unit: Unit) -> int:
    """The number that the next charge row will have; stable inside the unit."""
    row = unit.connection.execute("SELECT max(charge_id) FROM charges").fetchone()
    return int(row[0] or 0) + 1


def book(
    unit: Unit,
    ledger: Ledger,
    charges: Charges,
    plan: SpendPlan,
    *,
    lots: LotColumns,
    keys: KeyColumns,
) -> Booked:
    """Book executed charges: basis, relief, platform legs, rows. See the module."""
    charge_batch = _next_batch(unit)
    first_charge_id = next_charge_id(unit)
    basis = release_basis(plan, lots.basis_num, lots.basis_den, lots.spent, lots.spent_rounding)

    served = charges.status == ChargeStatus.CHARGED
    list_cost_nusd = np.where(served, charges.list_cost_nusd, 0)
    relief = relieve(np.where(served, charges.key, PLATFORM), list_cost_nusd, keys)
    on_platform = relief.served_by == PLATFORM
    rounding_ucr = np.maximum(charges.charge_ucr - charges.unrounded_ucr, 0)
    charge_ucr_sum, rounding_ucr_sum = exact_sum(charges.charge_ucr), exact_sum(rounding_ucr)
    rows = ChargeRows(
        event_id=charges.event_id,
        event_key=charges.event_key,
        amounts=np.column_stack(
            (
                np.arange(first_charge_id, first_charge_id + len(charges), dtype=np.int64),
                np.full(len(charges), charge_batch, dtype=np.int64),
                np.full(len(charges), charges.source_id, dtype=np.int64),
                charges.customer_id,
                charges.model_id,
                charges.effective_us,
                charges.quantities,
                charges.status,
                charges.unrounded_ucr,
                charges.rated_ucr,
                charges.charge_ucr,
                rounding_ucr,
                plan.per_event(basis.leg_usage_nusd),
                plan.per_event(basis.leg_rounding_nusd),
                list_cost_nusd,
                relief.paid_nusd,
                _key_ids(keys, relief.served_by),
                charges.hold_id,
                charges.sheet_version,
                charges.cost_version,
            )
        ),
    )
    digest = rows.sha256()

    _post_legs(
        ledger,
        flowing(
            (
                *charge_postings(charge_ucr_sum, rounding_ucr_sum),
                *basis_postings(*_released_by_origin(plan, lots, basis)),
                *provider_postings(_cost_by_provider(charges, list_cost_nusd, on_platform)),
                *relief_postings(keys, relief),
            )
        ),
        effective_us=int(charges.effective_us.max()),
        charge_batch=charge_batch,
        digest=digest,
    )
    save_spent(unit, lots)
    save_key_columns(unit, keys)
    insert_charges(unit, rows)
    unit.connection.execute(
        "INSERT INTO charge_batches (charge_batch, charges, charges_sha256, recorded_us)"
        " VALUES (?, ?, ?, ?)",
        (charge_batch, len(charges), digest, unit.recorded_us),
    )
    return Booked(
        charge_batch=charge_batch,
        first_charge_id=first_charge_id,
        charged=int(served.sum()),
        refused=int((charges.status == ChargeStatus.REFUSED).sum()),
        charge_ucr=charge_ucr_sum,
        rounding_ucr=rounding_ucr_sum,
        list_cost_nusd=exact_sum(list_cost_nusd),
        paid_cost_nusd=exact_sum(relief.paid_nusd),
    )


def _post_legs(
    ledger: Ledger, legs: Iterable[Leg], *, effective_us: int, charge_batch: int, digest: bytes
) -> None:
    """Post the platform's legs of one batch: they name it as their reference, and their ids
    are made of its digest, so the journal's chain binds every column of every charge."""
    posted = list(legs)
    if not posted:
        return
    accounts = ledger.open_accounts([name for leg in posted for name in (leg.debit, leg.credit)])
    transfers = TransferBuilder()
    for number, leg in enumerate(posted):
        transfers.add(
            platform_leg_id(effective_us, charge_batch, digest, number),
            int(accounts[2 * number]),
            int(accounts[2 * number + 1]),
            leg.amount,
            code=Code.PLATFORM_LEGS,
            effective_us=effective_us,
            reference=charge_batch,
        )
    result = ledger.execute(transfers.build())
    worst = Result(int(result.codes.max()))
    invariant(result.all_ok, f"the ledger accepts the platform's legs, not {worst.name}")


def _released_by_origin(
    plan: SpendPlan, lots: LotColumns, basis: BasisRelease
) -> tuple[Released, Released]:
    """What bought Credits released, and what earned ones did."""
    earned = lots.origin[plan.leg_lot] == ORIGIN_CODE["earned"]
    return (
        Released(
            exact_sum(basis.leg_usage_nusd[~earned]), exact_sum(basis.leg_rounding_nusd[~earned])
        ),
        Released(
            exact_sum(basis.leg_usage_nusd[earned]), exact_sum(basis.leg_rounding_nusd[earned])
        ),
    )


def _cost_by_provider(
    charges: Charges, list_cost_nusd: I64, on_platform: NDArray[np.bool_]
) -> dict[str, int]:
    return {
        provider: exact_sum(list_cost_nusd[on_platform & (charges.provider == code)])
        for code, provider in enumerate(charges.providers)
    }


def _key_ids(keys: KeyColumns, served_by: I64) -> I64:
    """Numbers of the keys that served, 0 for the platform's own."""
    key_id = np.zeros(len(served_by), dtype=np.int64)
    pooled = served_by != PLATFORM
    key_id[pooled] = keys.key_id[served_by[pooled]]
    return key_id


def _next_batch(unit: Unit) -> int:
    row = unit.connection.execute("SELECT max(charge_batch) FROM charge_batches").fetchone()
    return int(row[0] or 0) + 1
