"""Live requests: authorise, settle, release.

*Authorise* reserves the largest possible price of a request as pending transfers from the
customer's lots, and pins the sheet and cost book in force. *Settle* charges what was used
at the pinned price, at most the hold, and gives the rest back; *release* gives all back.
Each may be repeated: the same call gives the same answer, other content is a conflict.
A hold that has expired is released when its customer is next touched, or by
:func:`release_expired`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

import numpy as np

from economy.errors import BadInput, Conflict, NotFound, existing, invariant
from economy.ledger import (
    Code,
    Ledger,
    Result,
    TransferBuilder,
    TransferFlag,
    transfer_id,
)
from economy.ledger import accounts as chart
from economy.metering.booking import Charges, ChargeStatus, book
from economy.metering.events import known_contents, remember, source_id
from economy.metering.meter import Meter
from economy.policy import Policy
from economy.pool.keys import PoolKey
from economy.pool.keys import key as pool_key
from economy.pool.relief import load_key_columns
from economy.quantities import MAX_QUANTITY, N_QUANTITIES, QUANTITIES, Quantity
from economy.rating.rate import REASON, CostedOne, RatedOne, RateStatus, cost_one, rate_one
from economy.state import Unit
from economy.units import US_PER_SECOND
from economy.usage.keys import event_key
from economy.wallets.lots import lots_in_spend_order, lots_of_accounts
from economy.wallets.spending import SpendPlan, plan_spend

RELEASED_AT_ONCE = 1_000
"""Most expired holds that one unit of work releases."""


class HoldState(IntEnum):
    OPEN = 1
    SETTLED = 2
    RELEASED = 3


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """One request as a gateway asks for it. ``quantities`` in the order of QUANTITIES."""

    source: str
    event_id: str
    customer_id: int
    model: str
    quantities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Authorisation:
    """``amount_ucr`` is held until ``expires_us``, or ``refused`` says why nothing is."""

    hold_id: int | None
    amount_ucr: int
    expires_us: int
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a request cost its customer; the rest of the hold is free again."""

    charge_id: int
    charge_ucr: int
    unrounded_ucr: int
    released_ucr: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A row of ``holds``; ``legs`` are (lot account, amount, transfer id) in spend order."""

    hold_id: int
    content: bytes
    customer_id: int
    model_id: int
    key_id: int
    amount_ucr: int
    authorised_us: int
    expires_us: int
    sheet_version: int
    cost_version: int
    state: HoldState
    legs: tuple[tuple[int, int, tuple[int, int]], ...]


def authorise(
    unit: Unit, ledger: Ledger, meter: Meter, request: LiveRequest, key_id: int = 0
) -> Authorisation:
    """Hold the price of ``request.quantities``, the most that the request may use.

    It is the price *at* those quantities, rounded as a charge is: what the request uses must
    not exceed them in any kind. Settling never takes more than was held. ``key_id`` is the
    contributed key that shall serve, 0 for the platform's own.

    Raises BadInput for an unknown or unpriced model or a key of another provider, Conflict
    for an event id that was used otherwise or whose hold is released.
    """
    _check_quantities(request.quantities, meter.policy)
    if not any(request.quantities):
        raise BadInput(
            "a request that may use nothing holds nothing",
            field="quantities",
            way_out="Say the most that it may use of each kind",
        )
    release_expired(unit, ledger, request.customer_id)
    key = event_key(request.source, request.event_id)
    content = _content(request, key_id)
    earlier = find_hold(unit.connection, key)
    if earlier is not None:
        if earlier.content != content:
            raise Conflict(
                "this event id holds Credits for another request",
                field="event_id",
                value=request.event_id,
                way_out="Give each request an id of its own",
            )
        if earlier.state == HoldState.RELEASED:
            raise Conflict(
                "the hold of this event is released, and nothing is held for it any more",
                field="event_id",
                value=request.event_id,
                way_out="Authorise it again under a new event id",
            )
        return Authorisation(earlier.hold_id, earlier.amount_ucr, earlier.expires_us)
    if known_contents(unit.connection, [key]):
        raise Conflict("this event is already charged", field="event_id", value=request.event_id)
    rated, _, model = _rated(meter, request.model, request.quantities, unit.recorded_us)
    if key_id:
        _check_key(pool_key(unit.connection, key_id), meter.cost_book.provider(model), model)
    lots = lots_in_spend_order(
        unit.connection, np.array([request.customer_id]), meter.policy, unit.recorded_us
    )
    amount = np.array([rated.charge_ucr], dtype=np.int64)
    plan = plan_spend(np.zeros(1, np.int64), amount, amount, lots.offset, lots.available)
    if not plan.accepted[0]:
        return Authorisation(None, rated.charge_ucr, 0, refused="the balance is too low")

    hold_id = _next_hold_id(unit)
    expires_us = unit.recorded_us + meter.policy.holds.timeout_s * US_PER_SECOND
    clearing = ledger.open_account(chart.CLEARING_USAGE)
    transfers = TransferBuilder()
    legs = []
    for leg, (lot, taken) in enumerate(
        zip(plan.leg_lot.tolist(), plan.leg_amount_ucr.tolist(), strict=True)
    ):
        account = int(lots.account[lot])
        name = transfer_id(unit.recorded_us, key, "hold", leg=leg)
        linked = TransferFlag.LINKED if leg + 1 < len(plan.leg_lot) else TransferFlag.NONE
        transfers.add(
            name,
            account,
            clearing,
            taken,
            code=Code.HOLD,
            flags=TransferFlag.PENDING | linked,
            reference=hold_id,
            expires_us=expires_us,
            effective_us=unit.recorded_us,
        )
        legs.append((account, taken, name))
    _execute(ledger, transfers)
    epoch = meter.book.sheet_at(unit.recorded_us)
    unit.connection.execute(
        "INSERT INTO holds (hold_id, event_key, content, source_id, event_id, customer_id,"
        " model_id, key_id, amount_ucr, authorised_us, expires_us, sheet_version, cost_version,"
        " state, legs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            hold_id,
            key,
            content,
            source_id(unit, request.source),
            request.event_id,
            request.customer_id,
            meter.model_ids[model],
            key_id,
            rated.charge_ucr,
            unit.recorded_us,
            expires_us,
            epoch.version,
            meter.cost_version,
            int(HoldState.OPEN),
            json.dumps(legs),
        ),
    )
    return Authorisation(hold_id, rated.charge_ucr, expires_us)


def settle(
    unit: Unit,
    ledger: Ledger,
    meter: Meter,
    *,
    source: str,
    event_id: str,
    quantities: Sequence[int],
) -> Settlement:
    """Charge what was used, at the prices pinned by the hold, and free the rest.

    A price above the hold is capped at the hold: the customer never pays more than was
    authorised. The difference stays visible as ``rated_ucr - charge_ucr``.
    """
    key = event_key(source, event_id)
    hold = _known_hold(unit.connection, key, event_id)
    used = _check_quantities(quantities, meter.policy)
    content = blake2b(json.dumps(used).encode(), key=hold.content, digest_size=16).digest()
    if hold.state == HoldState.SETTLED:
        return _settled_before(unit.connection, key, content, hold, event_id)
    if hold.state == HoldState.RELEASED or hold.expires_us <= unit.recorded_us:
        raise Conflict(
            "the hold is released" if hold.state == HoldState.RELEASED else "the hold has expired",
            field="event_id",
            value=event_id,
            way_out="Authorise it under a new event id, or import the request as usage",
        )
    if known_contents(unit.connection, [key]):
        raise Conflict(
            "this event was imported while it was held, and is already charged",
            field="event_id",
            value=event_id,
            way_out="Release the hold",
        )
    pinned = meter.pinned(unit.connection, hold.cost_version)
    model = _model_name(unit.connection, hold.model_id)
    rated, cost, _ = _rated(pinned, model, used, hold.authorised_us)
    in_force = meter.book.sheet_at(hold.authorised_us).version
    invariant(in_force == hold.sheet_version, "a sheet that has been in force stays in force")
    charge_ucr = min(rated.charge_ucr, hold.amount_ucr)
    unrounded_ucr = min(rated.unrounded_ucr, charge_ucr)

    plan, accounts = _settling_plan(hold, charge_ucr, unrounded_ucr)
    _resolve(unit, ledger, hold, plan.leg_amount_ucr.tolist(), Code.SETTLE)
    lots = lots_of_accounts(unit.connection, accounts)
    keys = load_key_columns(unit.connection)
    position = np.flatnonzero(keys.key_id == hold.key_id)
    provider = existing(pinned.cost_book.provider(model), "a model with a cost has a provider")
    charges = Charges(
        event_key=[key],
        source_id=source_id(unit, source),
        event_id=[event_id],
        customer_id=_one(hold.customer_id),
        model_id=_one(hold.model_id),
        effective_us=_one(hold.authorised_us),
        quantities=np.array([used], dtype=np.int64),
        status=_one(ChargeStatus.CHARGED),
        unrounded_ucr=_one(rated.unrounded_ucr),
        rated_ucr=_one(rated.charge_ucr),
        charge_ucr=_one(charge_ucr),
        list_cost_nusd=_one(cost.cost_nusd),
        provider=np.zeros(1, dtype=np.int32),
        providers=[provider],
        key=_one(int(position[0]) if len(position) else -1),
        hold_id=_one(hold.hold_id),
        sheet_version=_one(hold.sheet_version),
        cost_version=_one(hold.cost_version),
    )
    booked = book(unit, ledger, charges, plan, lots=lots, keys=keys)
    remember(unit, [key], [content], booked.first_charge_id)
    _close(unit, hold, HoldState.SETTLED)
    return Settlement(
        booked.first_charge_id, charge_ucr, rated.unrounded_ucr, hold.amount_ucr - charge_ucr
    )


def release(unit: Unit, ledger: Ledger, source: str, event_id: str) -> int:
    """Give all of a hold back; returns the micro-credits freed (0 if done before)."""
    hold = _known_hold(unit.connection, event_key(source, event_id), event_id)
    if hold.state == HoldState.SETTLED:
        raise Conflict("the hold is settled", field="event_id", value=event_id)
    if hold.state == HoldState.RELEASED:
        return 0
    _release(unit, ledger, hold)
    return hold.amount_ucr


def release_expired(
    unit: Unit, ledger: Ledger, customer_id: int | None = None, limit: int = RELEASED_AT_ONCE
) -> int:
    """Release what has expired, oldest first, of one customer or of all; returns how many.

    At most ``limit`` in one unit of work, so that other writers need not wait long.
    """
    rows = unit.connection.execute(
        f"SELECT event_key FROM holds WHERE state = {int(HoldState.OPEN)} AND expires_us <= ?1"
        " AND (?2 IS NULL OR customer_id = ?2) ORDER BY expires_us, hold_id LIMIT ?3",
        (unit.recorded_us, customer_id, limit),
    ).fetchall()
    for (key,) in rows:
        _release(unit, ledger, existing(find_hold(unit.connection, key), "a hold has its row"))
    return len(rows)


def find_hold(connection: sqlite3.Connection, key: bytes) -> Hold | None:
    """The hold of an event, whatever its state."""
    row = connection.execute(
        "SELECT hold_id, content, customer_id, model_id, key_id, amount_ucr, authorised_us,"
        " expires_us, sheet_version, cost_version, state, legs FROM holds WHERE event_key = ?",
        (key,),
    ).fetchone()
    if row is None:
        return None
    legs = tuple((lot, amount, (hi, lo)) for lot, amount, (hi, lo) in json.loads(row[11]))
    state = HoldState(row[10])
    return Hold(*row[:10], state, legs)  # type: ignore[call-arg]  # Ten columns, in order.


def _known_hold(connection: sqlite3.Connection, key: bytes, event_id: str) -> Hold:
    hold = find_hold(connection, key)
    if hold is None:
        raise NotFound(
            "nothing is held for this event",
            field="event_id",
            value=event_id,
            way_out="Authorise it first",
        )
    return hold


def _settled_before(
    connection: sqlite3.Connection, key: bytes, content: bytes, hold: Hold, event_id: str
) -> Settlement:
    """The answer of the first settlement, if this one says the same."""
    if known_contents(connection, [key]).get(key) != content:
        raise Conflict(
            "this event was settled with other quantities", field="event_id", value=event_id
        )
    charge_id, charge_ucr, unrounded_ucr = connection.execute(
        "SELECT charge_id, charge_ucr, unrounded_ucr FROM charges WHERE hold_id = ?",
        (hold.hold_id,),
    ).fetchone()
    return Settlement(charge_id, charge_ucr, unrounded_ucr, hold.amount_ucr - charge_ucr)


def _rated(
    meter: Meter, model: str, quantities: Sequence[int], time_us: int
) -> tuple[RatedOne, CostedOne, str]:
    """Price and cost of one request at an instant; a guess is never made."""
    canonical = meter.aliases.resolve(model, time_us)
    line = meter.book.line_at(canonical, time_us) if canonical else None
    if canonical is None or line is None:
        raise BadInput(
            "no price for this model now",
            field="model",
            value=model,
            way_out="List the priced models with: economy models list",
        )
    rated = rate_one(line, quantities)
    if rated.status != RateStatus.OK:
        raise BadInput(REASON[rated.status], where=f"model {canonical}", field="quantities")
    entry = meter.cost_book.at(canonical, time_us)
    if entry is None:
        raise BadInput(REASON[RateStatus.NO_COST], field="model", value=model)
    cost = cost_one(entry, quantities)
    if cost.status != RateStatus.OK:
        raise BadInput(REASON[cost.status], where=f"model {canonical}", field="quantities")
    return rated, cost, canonical


def _check_key(key: PoolKey, provider: str | None, model: str) -> None:
    if key.provider != provider:
        raise BadInput(
            f"{key.name} is a key of {key.provider}, and {model} is served by {provider}",
            field="key",
            value=key.name,
            way_out=f"Name a key of {provider}, or none",
        )


def _settling_plan(hold: Hold, charge_ucr: int, unrounded_ucr: int) -> tuple[SpendPlan, list[int]]:
    """The charge over the hold's legs, in their order: usage first, rounding from the last."""
    held = np.array([amount for _, amount, _ in hold.legs], dtype=np.int64)
    n = len(held)
    taken = np.clip(charge_ucr - (np.cumsum(held) - held), 0, held)
    usage = np.clip(unrounded_ucr - (np.cumsum(taken) - taken), 0, taken)
    plan = SpendPlan(
        accepted=np.ones(1, dtype=np.bool_),
        leg_event=np.zeros(n, dtype=np.int64),
        leg_lot=np.arange(n, dtype=np.int64),
        leg_amount_ucr=taken,
        leg_rounding_ucr=taken - usage,
    )
    return plan, [account for account, _, _ in hold.legs]


def _resolve(unit: Unit, ledger: Ledger, hold: Hold, taken: list[int], code: Code) -> None:
    """Post what was taken of each leg and void the legs of which nothing was."""
    transfers = TransferBuilder()
    for leg, ((_, _, pending_id), amount) in enumerate(zip(hold.legs, taken, strict=True)):
        linked = TransferFlag.LINKED if leg + 1 < len(taken) else TransferFlag.NONE
        transfers.add(
            transfer_id(unit.recorded_us, *pending_id, code.name),
            0,
            0,
            amount,
            code=code if amount else Code.RELEASE,
            flags=(TransferFlag.POST if amount else TransferFlag.VOID) | linked,
            reference=hold.hold_id,
            pending_id=pending_id,
            effective_us=unit.recorded_us,
        )
    _execute(ledger, transfers)


def _release(unit: Unit, ledger: Ledger, hold: Hold) -> None:
    _resolve(unit, ledger, hold, [0] * len(hold.legs), Code.RELEASE)
    _close(unit, hold, HoldState.RELEASED)


def _close(unit: Unit, hold: Hold, state: HoldState) -> None:
    unit.connection.execute(
        "UPDATE holds SET state = ? WHERE hold_id = ?", (int(state), hold.hold_id)
    )


def _execute(ledger: Ledger, transfers: TransferBuilder) -> None:
    if len(transfers):
        result = ledger.execute(transfers.build())
        invariant(
            result.all_ok,
            f"the ledger accepts what the plan takes: {Result(int(result.codes.max()))!r}",
        )


def _content(request: LiveRequest, key_id: int) -> bytes:
    said = [request.customer_id, request.model, request.quantities, key_id]
    return blake2b(json.dumps(said).encode(), digest_size=16).digest()


def _next_hold_id(unit: Unit) -> int:
    row = unit.connection.execute("SELECT max(hold_id) FROM holds").fetchone()
    return int(row[0] or 0) + 1


def _model_name(connection: sqlite3.Connection, model_id: int) -> str:
    row = connection.execute("SELECT name FROM models WHERE model_id = ?", (model_id,)).fetchone()
    return str(row[0])


def _one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value], dtype=np.int64)


def _check_quantities(quantities: Sequence[int], policy: Policy) -> tuple[int, ...]:
    """Nine whole numbers within the policy's limits, or BadInput saying which is not."""
    if len(quantities) != N_QUANTITIES:
        raise BadInput(
            f"a request has {N_QUANTITIES} quantities",
            field="quantities",
            value=len(quantities),
            way_out=f"Give {', '.join(quantity.name for quantity in QUANTITIES)}, in this order",
        )
    for quantity, amount in zip(QUANTITIES, quantities, strict=True):
        if isinstance(amount, bool) or not isinstance(amount, int | np.integer):
            raise BadInput("is not a whole number", field=quantity.name, value=str(amount))
        most = _most(quantity, policy)
        if not 0 <= amount <= most:
            raise BadInput(f"must lie from 0 to {most:,}", field=quantity.name, value=int(amount))
    return tuple(int(amount) for amount in quantities)


def _most(quantity: Quantity, policy: Policy) -> int:
    if quantity.unit == "mtok":
        return policy.usage.max_tokens_per_request
    if quantity.key == "audio":
        return policy.usage.max_audio_s_per_request * 1_000
    return MAX_QUANTITY
