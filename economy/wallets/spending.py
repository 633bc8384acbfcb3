"""Which lots pay for which request, and what USD that releases: two loops over columns.

A lot's Credits were paid for in USD (its *basis*, nusd per ucr). Spending Credits turns
the USD from a debt to the customer into revenue. Example: Starter Credits (basis 10 nusd
per ucr, which is $0.01 a Credit), a request that costs 8 Cr, of which 0.5 Cr is rounding:

    plan_spend      one leg: 8 Cr from the lot, 0.5 Cr of it rounding
    release_basis   $0.075 to usage, $0.005 to rounding

Two laws

* *All or nothing*: an event whose customer has not enough in all lots together takes
  nothing, and the next event sees the lots as if it had never been.
* *The last Credit closes the lot*: what was released so far is ``floor(spent * basis)``,
  always from the beginning, so no fraction is lost or invented on the way.

The functions know arrays only: the metering room calls them on columns of the database, a
simulation on columns of its own. Lots stand in *spend order*, customer after customer
(CSR): customer ``c`` owns the lots ``lot_offset[c] .. lot_offset[c + 1] - 1``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy.compiled import compiled
from economy.errors import BadInput, invariant
from economy.units import INT64_MAX
from economy.wide import DOES_NOT_FIT, mul_div

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpendPlan:
    """What each of ``n`` events takes from which lot, in ``m`` legs ordered by event.

    ``accepted`` (n,) is False where the customer's lots were too short. A leg takes
    ``leg_amount_ucr`` of lot ``leg_lot`` for event ``leg_event``; ``leg_rounding_ucr`` of it
    is rounding, the rest usage. An accepted event of 0 Credits has no leg.
    """

    accepted: NDArray[np.bool_]
    leg_event: I64
    leg_lot: I64
    leg_amount_ucr: I64
    leg_rounding_ucr: I64

    def per_event(self, leg_values: I64) -> I64:
        """Sums of a leg column by event, exactly: (m,) to (n,)."""
        sums = np.zeros(len(self.accepted), dtype=np.int64)
        np.add.at(sums, self.leg_event, leg_values)
        return sums


@dataclass(frozen=True, slots=True)
class BasisRelease:
    """USD that each leg of a plan turns into revenue, (m,) each, in nusd.

    ``leg_usage_nusd`` can be -1 on a leg that is rounding only: both totals are floors
    from the beginning of the lot, and there they may step one nano-dollar apart. So a
    posting is made of sums and minds their sign; over a lot's life neither is negative.
    """

    leg_usage_nusd: I64
    leg_rounding_nusd: I64


@compiled
def spend_loop(  # noqa: PLR0917 -- compiled code takes its columns by position
    customer_index: I64,
    charge_ucr: I64,
    unrounded_ucr: I64,
    lot_offset: I64,
    lot_available_ucr: I64,
    accepted: NDArray[np.bool_],
    leg_event: I64,
    leg_lot: I64,
    leg_amount_ucr: I64,
    leg_rounding_ucr: I64,
) -> int:
    """Fill ``accepted`` and the leg columns (room for n + lots); returns the number of legs."""
    legs = 0
    for event in range(len(customer_index)):
        first = lot_offset[customer_index[event]]
        end = lot_offset[customer_index[event] + 1]
        # Subtracting from the need, instead of adding up the lots, cannot overflow.
        missing = charge_ucr[event]
        for lot in range(first, end):
            if missing <= 0:
                break
            if lot_available_ucr[lot] > 0:
                missing -= min(missing, lot_available_ucr[lot])
        accepted[event] = missing <= 0
        if missing > 0:
            continue
        left = charge_ucr[event]
        usage_left = min(left, unrounded_ucr[event])
        for lot in range(first, end):
            if left == 0:
                break
            if lot_available_ucr[lot] <= 0:
                continue
            amount = min(left, lot_available_ucr[lot])
            usage = min(amount, usage_left)
            lot_available_ucr[lot] -= amount
            left -= amount
            usage_left -= usage
            leg_event[legs] = event
            leg_lot[legs] = lot
            leg_amount_ucr[legs] = amount
            leg_rounding_ucr[legs] = amount - usage
            legs += 1
    return legs


def plan_spend(
    customer_index: I64,
    charge_ucr: I64,
    unrounded_ucr: I64,
    lot_offset: I64,
    lot_available_ucr: I64,
) -> SpendPlan:
    """Let ``n`` events, in order, take their charge from their customers' lots.

    ``customer_index`` (n,) points into ``lot_offset`` (C + 1,); ``charge_ucr`` and
    ``unrounded_ucr`` (n,) are what the event costs after and before rounding;
    ``lot_available_ucr`` (L,) is **reduced in place**. Usage is taken first, so the rounding
    comes from the last lots. A charge rounded *down* has no rounding part: what is not
    charged is nobody's revenue, and all of the charge is usage.

    At most ``n + L`` legs, because each further leg of an event has emptied a lot.
    Raises :class:`BadInput` on a negative amount or an index outside the columns, before
    anything is taken.
    """
    n = len(customer_index)
    invariant(
        len(charge_ucr) == n and len(unrounded_ucr) == n, "the columns of events have one length"
    )
    _refuse_negative(charge_ucr, "charge_ucr")
    _refuse_negative(unrounded_ucr, "unrounded_ucr")
    customers = len(lot_offset) - 1
    if n and not 0 <= int(customer_index.min()) <= int(customer_index.max()) < customers:
        raise BadInput(
            f"an event's customer is not among the {customers} of the lots",
            field="customer_index",
            way_out="Load the lots of every customer in the batch",
        )
    room = n + len(lot_available_ucr)
    accepted = np.empty(n, dtype=np.bool_)
    columns = [np.empty(room, dtype=np.int64) for _ in range(4)]
    legs = spend_loop(
        customer_index,
        charge_ucr,
        unrounded_ucr,
        lot_offset,
        lot_available_ucr,
        accepted,
        *columns,
    )
    event, lot, amount_ucr, rounding_ucr = (column[:legs] for column in columns)
    return SpendPlan(accepted, event, lot, amount_ucr, rounding_ucr)


@compiled
def release_loop(  # noqa: PLR0917 -- compiled code takes its columns by position
    leg_lot: I64,
    leg_amount_ucr: I64,
    leg_rounding_ucr: I64,
    basis_num: I64,
    basis_den: I64,
    spent_ucr: I64,
    spent_rounding_ucr: I64,
    leg_usage_nusd: I64,
    leg_rounding_nusd: I64,
) -> int:
    """Fill the two USD columns; returns how many legs fitted int64 (all, or up to the fault)."""
    for leg in range(len(leg_lot)):
        lot = leg_lot[leg]
        num = basis_num[lot]
        den = basis_den[lot]
        before = spent_ucr[lot]
        if leg_amount_ucr[leg] > INT64_MAX - before:
            return leg
        after = before + leg_amount_ucr[leg]
        released_after = mul_div(after, num, den)
        if released_after == DOES_NOT_FIT:
            return leg
        released = released_after - mul_div(before, num, den)
        rounding = 0
        if leg_rounding_ucr[leg] > 0:
            # Rounding so far is at most what was spent so far, so it fits as well.
            before_rounding = spent_rounding_ucr[lot]
            after_rounding = before_rounding + leg_rounding_ucr[leg]
            rounding = mul_div(after_rounding, num, den) - mul_div(before_rounding, num, den)
            spent_rounding_ucr[lot] = after_rounding
        spent_ucr[lot] = after
        leg_usage_nusd[leg] = released - rounding
        leg_rounding_nusd[leg] = rounding
    return len(leg_lot)


def release_basis(
    plan: SpendPlan,
    basis_num: I64,
    basis_den: I64,
    spent_ucr: I64,
    spent_rounding_ucr: I64,
) -> BasisRelease:
    """The USD that the legs of ``plan`` release, in the order of the legs.

    ``basis_num / basis_den`` (L,) is each lot's basis in nusd per ucr. ``spent_ucr`` and
    ``spent_rounding_ucr`` (L,), what was ever spent of the lot and how much of that was
    rounding, are **advanced in place**. Summed over a lot's life, rounding is
    ``floor(spent_rounding * basis)`` and usage ``floor(spent * basis)`` less that.

    Raises :class:`BadInput` if a lot's USD leaves int64; its columns are then half
    advanced and must be thrown away.
    """
    usage = np.empty(len(plan.leg_lot), dtype=np.int64)
    rounding = np.empty(len(plan.leg_lot), dtype=np.int64)
    done = release_loop(
        plan.leg_lot,
        plan.leg_amount_ucr,
        plan.leg_rounding_ucr,
        basis_num,
        basis_den,
        spent_ucr,
        spent_rounding_ucr,
        usage,
        rounding,
    )
    if done < len(plan.leg_lot):
        raise BadInput(
            "the USD of a lot is beyond a signed 64-bit integer",
            field="leg",
            value=done,
            way_out="Sell smaller packs: a lot may hold at most about 9 billion dollars",
        )
    return BasisRelease(usage, rounding)


def _refuse_negative(column: I64, name: str) -> None:
    if len(column) and int(column.min()) < 0:
        raise BadInput("may not be negative", field=name, value=int(column.min()))
