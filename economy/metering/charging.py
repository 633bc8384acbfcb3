"""Charging past usage: a batch of events, from rating to the ledger, in one unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from economy.errors import RowError, invariant
from economy.ledger import (
    MAX_BATCH,
    Code,
    Ledger,
    Result,
    TransferBatch,
    TransferFlag,
    key_column,
    transfer_ids,
)
from economy.ledger import accounts as chart
from economy.metering.booking import Charges, ChargeStatus, book, next_charge_id
from economy.metering.events import remember, settled_live, sift, source_id
from economy.metering.holds import release_expired
from economy.metering.meter import Meter
from economy.metering.unpriced import Waiting, leave_queue, queue_unpriced
from economy.pool.relief import PLATFORM, load_key_columns
from economy.rating.rate import REASON, Rated, RateStatus, rate
from economy.state import Unit
from economy.units import EARLIEST_US, US_PER_DAY
from economy.usage.batch import MAX_ERRORS_KEPT, EventStatus, UsageBatch
from economy.usage.keys import event_keys
from economy.wallets.lots import LotColumns, lots_in_spend_order
from economy.wallets.spending import SpendPlan, plan_spend
from economy.wide import exact_sum

I64 = NDArray[np.int64]

CHUNK = 8_000
"""Most events that are charged in one unit of work; bounds memory and lock time."""
MAX_AHEAD_US = US_PER_DAY
"""An event further in the future than this is a fault of the log's clock."""


@dataclass(slots=True)
class ChargeReport:
    """What became of the events of a batch. The counts add up to the events given."""

    accepted: int = 0
    duplicates: int = 0
    unpriced: int = 0
    rejected: int = 0
    charged: int = 0
    refused: int = 0
    not_charged: int = 0
    rated_ucr: int = 0
    """What the sheet asks for every rated event, whatever balances could pay."""
    rated_unrounded_ucr: int = 0
    charge_ucr: int = 0
    rounding_ucr: int = 0
    list_cost_nusd: int = 0
    paid_cost_nusd: int = 0
    errors: list[RowError] = field(default_factory=list)

    def reject(self, row: int, field_name: str, message: str, value: str = "") -> None:
        """Count a refused row; the first :data:`MAX_ERRORS_KEPT` are told one by one."""
        self.rejected += 1
        if len(self.errors) < MAX_ERRORS_KEPT:
            self.errors.append(RowError(int(row), field_name, message, value))

    def add(self, other: ChargeReport) -> None:
        """Count another chunk's events to this report's."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        del self.errors[MAX_ERRORS_KEPT:]


def chunks(usage: UsageBatch) -> Iterator[UsageBatch]:
    """Pieces of at most :data:`CHUNK` events, in the order of the file."""
    for start in range(0, len(usage), CHUNK):
        yield usage.take(np.arange(start, min(start + CHUNK, len(usage)), dtype=np.int64))


def charge_batch(
    unit: Unit,
    ledger: Ledger,
    meter: Meter,
    customer_ids: dict[str, int],
    usage: UsageBatch,
) -> ChargeReport:
    """Charge one chunk of events; see the module docstring of the room.

    Events are charged in the order of their effective time (ties: order of the file).
    ``customer_ids`` maps the names that the workspace knows; an event of anybody else is
    a row error. Raises nothing for what single rows do wrong.
    """
    invariant(len(usage) <= CHUNK, "a chunk is charged at a time")
    report = ChargeReport()
    keys, contents = event_keys(usage)
    usable = _without_strangers(unit, usage, customer_ids, report)
    novelty = sift(unit.connection, keys, contents, usable)
    clashes = _real_clashes(unit, usage, customer_ids, keys, novelty.clashes)
    report.duplicates = len(novelty.repeats) + len(novelty.clashes) - len(clashes)
    for i in clashes:
        report.reject(
            usage.row[i],
            "event_id",
            "this id was already used for an event with other content",
            usage.event_id[i],
        )
    order = np.argsort(usage.effective_us[novelty.fresh], kind="stable")
    fresh = novelty.fresh[order].tolist()
    events = usage.take(novelty.fresh[order])
    model = meter.models_of(events)
    rated = rate(model, events.effective_us, events.quantities, meter.prices, meter.costs)
    for i in np.flatnonzero(rated.status == RateStatus.OVERFLOW).tolist():
        report.reject(events.row[i], "quantities", "the price is beyond what can be counted")
    source = source_id(unit, usage.source)
    waiting = []
    for i in np.flatnonzero(
        (rated.status != RateStatus.OK) & (rated.status != RateStatus.OVERFLOW)
    ).tolist():
        if fresh[i] in novelty.waiting:
            report.duplicates += 1
            continue
        reason = REASON[RateStatus(rated.status[i])]
        waiting.append(Waiting(i, keys[fresh[i]], contents[fresh[i]], reason))
    queue_unpriced(unit, source, events, waiting)
    report.unpriced = len(waiting)

    priced = np.flatnonzero(rated.status == RateStatus.OK)
    if len(priced):
        some = [fresh[i] for i in priced.tolist()]
        leave_queue(unit, [keys[i] for i in some if i in novelty.waiting])
        who = np.array([customer_ids.get(name, 0) for name in events.customers], np.int64)
        chunk = _Priced(
            source_id=source,
            events=events.take(priced),
            event_key=[keys[i] for i in some],
            content=[contents[i] for i in some],
            customer_id=who[events.customer[priced]],
            model=model[priced],
            rated=Rated(*(getattr(rated, name)[priced] for name in Rated.__slots__)),
        )
        _charge(unit, ledger, meter, chunk, report)
    report.accepted = len(priced)
    return report


def _real_clashes(
    unit: Unit,
    usage: UsageBatch,
    customer_ids: dict[str, int],
    keys: list[bytes],
    clashes: list[int],
) -> list[int]:
    """Clashes but for live requests that the log tells again, as the gateway saw them."""
    live = settled_live(unit.connection, [keys[i] for i in clashes])
    return [
        i
        for i in clashes
        if live.get(keys[i])
        != (customer_ids[usage.customers[usage.customer[i]]], *usage.quantities[i].tolist())
    ]


def _without_strangers(
    unit: Unit,
    usage: UsageBatch,
    customer_ids: dict[str, int],
    report: ChargeReport,
) -> I64:
    """Positions of the events whose customer is known and whose time is not far ahead.

    The others are told and forgotten, so they use up no event id.
    """
    known = np.array([name in customer_ids for name in usage.customers], dtype=np.bool_)
    is_known = known[usage.customer] if len(usage.customers) else np.zeros(0, np.bool_)
    too_late = usage.effective_us > unit.recorded_us + MAX_AHEAD_US
    in_time = ~too_late & (usage.effective_us >= EARLIEST_US)
    for i in np.flatnonzero(~is_known).tolist():
        report.reject(
            usage.row[i],
            "customer",
            "no such customer; add it with: economy customers add NAME",
            usage.customers[usage.customer[i]],
        )
    for i in np.flatnonzero(is_known & ~in_time).tolist():
        fault = "more than a day in the future" if too_late[i] else "before the year 2000"
        report.reject(usage.row[i], "time", fault)
    return np.flatnonzero(is_known & in_time)


@dataclass(frozen=True, slots=True)
class _Priced:
    """New events that have a price, in the order in which they are charged."""

    source_id: int
    events: UsageBatch
    event_key: list[bytes]
    content: list[bytes]
    customer_id: I64
    model: NDArray[np.int32]
    rated: Rated

    def __len__(self) -> int:
        return len(self.event_key)


def _charge(unit: Unit, ledger: Ledger, meter: Meter, chunk: _Priced, report: ChargeReport) -> None:
    """Plan what lots pay for a chunk, take it, book it, count it."""
    failed = chunk.events.status == EventStatus.FAILED
    free = failed & (not meter.policy.usage.charge_failed_requests)
    rated_ucr = np.where(free, 0, chunk.rated.charge_ucr)
    unrounded_ucr = np.where(free, 0, chunk.rated.unrounded_ucr)
    customers, customer_index = np.unique(chunk.customer_id, return_inverse=True)
    release_expired(unit, ledger)
    lots = lots_in_spend_order(unit.connection, customers, meter.policy, unit.recorded_us)
    plan = plan_spend(customer_index, rated_ucr, unrounded_ucr, lots.offset, lots.available)
    status = np.where(plan.accepted, ChargeStatus.CHARGED, ChargeStatus.REFUSED)
    status = np.where(free, ChargeStatus.NOT_CHARGED, status)
    n = len(chunk)
    charges = Charges(
        event_key=chunk.event_key,
        source_id=chunk.source_id,
        event_id=chunk.events.event_id,
        customer_id=chunk.customer_id,
        model_id=meter.model_number[chunk.model],
        effective_us=chunk.events.effective_us,
        quantities=chunk.events.quantities,
        status=status.astype(np.int64),
        unrounded_ucr=unrounded_ucr,
        rated_ucr=rated_ucr,
        charge_ucr=np.where(plan.accepted, rated_ucr, 0),
        list_cost_nusd=chunk.rated.cost_nusd,
        provider=meter.provider_of[chunk.model],
        providers=meter.providers,
        key=np.full(n, PLATFORM, dtype=np.int64),
        hold_id=np.zeros(n, dtype=np.int64),
        sheet_version=meter.prices.version[chunk.rated.price_row],
        cost_version=meter.costs.version[chunk.rated.cost_row],
    )
    _take_from_lots(unit, ledger, charges, plan, lots)
    keys = load_key_columns(unit.connection)
    booked = book(unit, ledger, charges, plan, lots=lots, keys=keys)
    remember(unit, chunk.event_key, chunk.content, booked.first_charge_id)
    report.charged += booked.charged
    report.refused += booked.refused
    report.not_charged += int(free.sum())
    report.rated_ucr += exact_sum(rated_ucr)
    report.rated_unrounded_ucr += exact_sum(unrounded_ucr)
    report.charge_ucr += booked.charge_ucr
    report.rounding_ucr += booked.rounding_ucr
    report.list_cost_nusd += booked.list_cost_nusd
    report.paid_cost_nusd += booked.paid_cost_nusd


def _take_from_lots(
    unit: Unit, ledger: Ledger, charges: Charges, plan: SpendPlan, lots: LotColumns
) -> None:
    """One transfer from a lot per leg; the legs of one event are a linked chain."""
    n = len(plan.leg_event)
    if n == 0:
        return
    batch = TransferBatch.zeros(n)
    event = plan.leg_event
    first_leg = np.searchsorted(event, event, side="left")
    hi, lo = transfer_ids(
        charges.effective_us[event],
        key_column(charges.event_key)[event],
        np.arange(n, dtype=np.int64) - first_leg,
    )
    batch.id_hi[:] = hi
    batch.id_lo[:] = lo
    batch.debit[:] = lots.account[plan.leg_lot]
    batch.credit[:] = ledger.open_account(chart.CLEARING_USAGE)
    batch.amount[:] = plan.leg_amount_ucr
    batch.code[:] = Code.CHARGE
    batch.reference[:] = next_charge_id(unit) + event
    batch.effective_us[:] = charges.effective_us[event]
    batch.flags[:-1] = np.where(event[:-1] == event[1:], TransferFlag.LINKED, TransferFlag.NONE)
    for start, stop in _whole_chains(batch):
        result = ledger.execute(batch.slice(start, stop))
        invariant(
            result.all_ok,
            f"the ledger accepts what the plan takes: {Result(int(result.codes.max()))!r}",
        )


def _whole_chains(batch: TransferBatch) -> Iterator[tuple[int, int]]:
    """Ranges of at most MAX_BATCH transfers that cut no linked chain."""
    ends = np.flatnonzero(batch.flags & TransferFlag.LINKED == 0) + 1
    start = 0
    while start < len(batch):
        stop = int(ends[np.searchsorted(ends, start + MAX_BATCH, side="right") - 1])
        invariant(stop > start, "a charge fits one batch")
        yield start, stop
        start = stop
