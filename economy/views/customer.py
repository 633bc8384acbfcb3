"""What a customer may see: Credits, and nothing beneath them.

No type here has a field for what a request takes the platform to serve, for what it
leaves, or for any currency but Credits; a test walks all of them. Functions take the actor
first: a customer sees itself only, staff may look at anybody's screens.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from economy import identity
from economy.economy import Economy
from economy.errors import BadInput, Forbidden, InvariantBroken, NotFound
from economy.identity import Actor, Customer, require
from economy.pricing.sheet import Direction, PriceLine
from economy.quantities import INDEX_BY_KEY, QUANTITIES
from economy.rating.rate import RateStatus, input_size, rate_one
from economy.units import (
    BEGINNING_OF_TIME_US,
    END_OF_TIME_US,
    US_PER_DAY,
    day_text,
    div_half_even,
)

ChargeStatus = Literal["charged", "refused", "failed"]

STATUS_CODE: Final[dict[ChargeStatus, int]] = {"charged": 1, "refused": 2, "failed": 3}
_STATUS_NAME: Final[dict[int, ChargeStatus]] = {code: name for name, code in STATUS_CODE.items()}

MAX_PAGE_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class OriginBalance:
    """Credits of one origin. ``expires_us`` is when the first of them lapse, if any do."""

    origin: str
    available_ucr: int
    held_ucr: int
    expires_us: int | None


@dataclass(frozen=True, slots=True)
class DaySpend:
    """Credits charged on one UTC day."""

    day: str
    charge_ucr: int
    requests: int


@dataclass(frozen=True, slots=True)
class ModelSpend:
    """Credits charged for one model."""

    model: str
    charge_ucr: int
    requests: int


@dataclass(frozen=True, slots=True)
class WalletView:
    """A customer's Credits now. ``balance_ucr`` can be spent, ``held_ucr`` is reserved."""

    customer: str
    balance_ucr: int
    held_ucr: int
    by_origin: tuple[OriginBalance, ...]
    spent_today_ucr: int
    spent_7d_ucr: int
    spent_by_day: tuple[DaySpend, ...]
    as_of_us: int


@dataclass(frozen=True, slots=True)
class PackView:
    """Credits that can be bought together; what to pay stands at the border, not here."""

    name: str
    credits_ucr: int


@dataclass(frozen=True, slots=True)
class PriceItem:
    """``price_ucr`` for one ``unit`` (``mtok``, ``minute``, ``image``, ``request``)."""

    key: str
    price_ucr: int
    unit: str


@dataclass(frozen=True, slots=True)
class PriceTier:
    """Prices of a whole request whose input exceeds ``above_input_tokens`` (0: always)."""

    above_input_tokens: int
    prices: tuple[PriceItem, ...]


@dataclass(frozen=True, slots=True)
class PriceTag:
    """The price of a model: tiers (the first holds always), and rounding, once a request."""

    tiers: tuple[PriceTier, ...]
    increment_ucr: int
    direction: Direction

    @property
    def prices(self) -> tuple[PriceItem, ...]:
        return self.tiers[0].prices


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What comes next: another price, or none (``tag`` is None: the model is withdrawn)."""

    effective_us: int
    tag: PriceTag | None


@dataclass(frozen=True, slots=True)
class PriceCard:
    """A model on offer now, and the next change of its price if one is published."""

    model: str
    provider: str
    tag: PriceTag
    next_change: PriceChange | None


@dataclass(frozen=True, slots=True)
class BillLine:
    """``quantity x price_ucr / per`` of one metered quantity; ``amount_ucr`` half-even."""

    key: str
    quantity: int
    price_ucr: int
    per: int
    unit: str
    amount_ucr: int


@dataclass(frozen=True, slots=True)
class Bill:
    """How a request comes to its Credits: lines, their exact sum, the rounding of it."""

    model: str
    lines: tuple[BillLine, ...]
    unrounded_ucr: int
    rated_ucr: int
    increment_ucr: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request. ``quantities`` names those that are not zero, by price key."""

    charge_id: int
    event_id: str
    time_us: int
    model: str
    quantities: tuple[tuple[str, int], ...]
    charge_ucr: int
    status: ChargeStatus


@dataclass(frozen=True, slots=True)
class UsagePage:
    """A selection of requests: some rows, newest first, and the sums over all of it."""

    rows: tuple[UsageRow, ...]
    first: int
    """Place of the first row in the selection, from 1; 0 when there is none."""
    total: int
    charge_ucr: int
    by_day: tuple[DaySpend, ...]
    by_model: tuple[ModelSpend, ...]
    models: tuple[str, ...]
    """Every model that the customer has ever used, for a filter."""


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One request and how its charge came about, under the sheet that it pinned."""

    charge_id: int
    event_id: str
    time_us: int
    customer: str
    status: ChargeStatus
    bill: Bill
    charge_ucr: int
    """What was taken: 0 unless charged; less than ``bill.rated_ucr`` if a hold bounded it."""
    sheet_version: int
    sheet_sha256: str


def wallet(economy: Economy, actor: Actor, customer: str, days: int = 30) -> WalletView:
    """Balance, what is held, and what was spent.

    ``spent_by_day`` covers ``days`` UTC days without a gap. They end today, or on the last
    day with spending if that is earlier, so that an imported past has a picture too.
    """
    now_us = economy.clock.now_us()
    with economy.database.reading() as connection:
        found = _may_see(connection, actor, customer)
        origins = _origins(connection, found.customer_id, now_us)
        today_us = now_us - now_us % US_PER_DAY
        last_us = min(today_us, _last_spending_day_us(connection, found.customer_id, today_us))
        by_day = _spent_by_day(connection, found.customer_id, last_us, days)
        today, week = (
            _spent_between(connection, found.customer_id, since_us, today_us + US_PER_DAY)
            for since_us in (today_us, today_us - 6 * US_PER_DAY)
        )
    return WalletView(
        customer=found.name,
        balance_ucr=sum(origin.available_ucr for origin in origins),
        held_ucr=sum(origin.held_ucr for origin in origins),
        by_origin=origins,
        spent_today_ucr=today,
        spent_7d_ucr=week,
        spent_by_day=by_day,
        as_of_us=now_us,
    )


def packs(economy: Economy, actor: Actor) -> tuple[PackView, ...]:
    """The packs on offer, as Credits. Anybody may ask."""
    _anybody(actor)
    return tuple(PackView(pack.name, pack.credits_ucr) for pack in economy.policy.packs)


def prices(economy: Economy, actor: Actor, at_us: int | None = None) -> tuple[PriceCard, ...]:
    """Every model that has a price at ``at_us`` (now), by name. Anybody may ask."""
    _anybody(actor)
    time_us = economy.clock.now_us() if at_us is None else at_us
    book = economy.price_book()
    if not book.epochs:
        return ()
    with economy.database.reading() as connection:
        providers = dict(connection.execute("SELECT name, provider FROM models").fetchall())
    cards = []
    for line in book.sheet_at(time_us).sheet.lines:
        change = book.next_change(line.model, time_us)
        coming = None
        if change is not None:
            effective_us, then = change
            coming = PriceChange(effective_us, None if then is None else _tag(then))
        cards.append(PriceCard(line.model, providers.get(line.model, ""), _tag(line), coming))
    return tuple(cards)


def quote(
    economy: Economy,
    actor: Actor,
    model: str,
    quantities: Sequence[int],
    at_us: int | None = None,
) -> Bill:
    """What a request of these nine quantities would be charged: the calculator.

    Raises :class:`NotFound` for a model without a price, :class:`BadInput` for a quantity
    that its price does not cover.
    """
    _anybody(actor)
    time_us = economy.clock.now_us() if at_us is None else at_us
    canonical = economy.aliases().resolve(model, time_us)
    line = economy.price_book().line_at(canonical, time_us) if canonical else None
    if line is None:
        raise NotFound(
            "this model has no price",
            field="model",
            value=model,
            way_out="See the price list for the models on offer",
        )
    return _bill(line, quantities)


def usage(
    economy: Economy,
    actor: Actor,
    customer: str,
    *,
    from_us: int = BEGINNING_OF_TIME_US,
    to_us: int = END_OF_TIME_US,
    model: str | None = None,
    status: ChargeStatus | None = None,
    offset: int = 0,
    limit: int = 50,
) -> UsagePage:
    """Requests in ``[from_us, to_us)``, newest first, ``limit`` of them from ``offset`` on."""
    if not 0 < limit <= MAX_PAGE_ROWS or offset < 0:
        raise BadInput(
            f"a page has 1 to {MAX_PAGE_ROWS} rows from a place not before the first",
            field="limit",
            value=limit,
        )
    with economy.database.reading() as connection:
        found = _may_see(connection, actor, customer)
        where = "customer_id = :customer AND effective_us >= :from_us AND effective_us < :to_us"
        values: dict[str, object] = {
            "customer": found.customer_id,
            "from_us": from_us,
            "to_us": to_us,
            "limit": limit,
            "offset": offset,
        }
        if model is not None:
            where += " AND m.name = :model"
            values["model"] = model
        if status is not None:
            where += " AND status = :status"
            values["status"] = STATUS_CODE[status]
        chosen = f"FROM charges JOIN models m USING (model_id) WHERE {where}"
        rows = connection.execute(
            f"SELECT charge_id, event_id, effective_us, m.name, charge_ucr, status, {_QUANTITIES} "
            f"{chosen} ORDER BY effective_us DESC, charge_id DESC LIMIT :limit OFFSET :offset",
            values,
        ).fetchall()
        total, charged = connection.execute(
            f"SELECT count(*), coalesce(sum(charge_ucr), 0) {chosen}", values
        ).fetchone()
        by_day = connection.execute(
            f"SELECT {_DAY_US} AS day_us, sum(charge_ucr), count(*) {chosen} "
            "GROUP BY day_us ORDER BY day_us",
            values,
        ).fetchall()
        by_model = connection.execute(
            f"SELECT m.name, sum(charge_ucr) AS charge_ucr, count(*) {chosen} "
            "GROUP BY m.name ORDER BY charge_ucr DESC, m.name",
            values,
        ).fetchall()
        models = connection.execute(
            "SELECT name FROM models WHERE model_id IN "
            "(SELECT model_id FROM charges WHERE customer_id = ?) ORDER BY name",
            (found.customer_id,),
        ).fetchall()
    return UsagePage(
        rows=tuple(_usage_row(row) for row in rows),
        first=offset + 1 if rows else 0,
        total=total,
        charge_ucr=charged,
        by_day=tuple(DaySpend(day_text(day_us), ucr, n) for day_us, ucr, n in by_day),
        by_model=tuple(ModelSpend(*row) for row in by_model),
        models=tuple(row[0] for row in models),
    )


def receipt(economy: Economy, actor: Actor, customer: str, charge_id: int) -> ReceiptView:
    """How one charge came about. Another customer's is :class:`NotFound`, like none."""
    with economy.database.reading() as connection:
        found = _may_see(connection, actor, customer)
        row = connection.execute(
            f"SELECT event_id, effective_us, m.name, charge_ucr, status, sheet_version, "
            f"{_QUANTITIES} FROM charges JOIN models m USING (model_id) "
            "WHERE charge_id = ? AND customer_id = ?",
            (charge_id, found.customer_id),
        ).fetchone()
    if row is None:
        raise NotFound(
            "there is no such receipt of this customer", field="receipt", value=charge_id
        )
    event_id, time_us, model, charge_ucr, status, version, *quantities = row
    epoch = economy.price_book().published(version)
    line = epoch.sheet.line(model)
    if line is None:
        raise InvariantBroken("the sheet that a charge pins has a line for its model")
    return ReceiptView(
        charge_id=charge_id,
        event_id=event_id,
        time_us=time_us,
        customer=found.name,
        status=_STATUS_NAME[status],
        bill=_bill(line, quantities),
        charge_ucr=charge_ucr,
        sheet_version=version,
        sheet_sha256=epoch.sheet.sha256,
    )


_QUANTITIES: Final = ", ".join(quantity.name for quantity in QUANTITIES)
_DAY_US: Final = f"effective_us - ((effective_us % {US_PER_DAY}) + {US_PER_DAY}) % {US_PER_DAY}"


def _anybody(actor: Actor) -> None:
    """Price list and packs are for every role; a new role has to be admitted here."""
    require(actor, "customer", "business", "analyst", "admin")


def _may_see(connection: sqlite3.Connection, actor: Actor, customer: str) -> Customer:
    """The customer, if the actor is it or is staff.

    A customer is refused before the name is looked up, so it cannot learn who exists.
    """
    if actor.role == "customer" and customer != actor.name:
        raise Forbidden("a customer sees its own wallet only", field="actor", value=actor.name)
    found = identity.customer(connection, customer)
    if actor.role == "customer" and actor.customer_id != found.customer_id:
        raise Forbidden("a customer sees its own wallet only", field="actor", value=actor.name)
    return found


def _origins(
    connection: sqlite3.Connection, customer_id: int, now_us: int
) -> tuple[OriginBalance, ...]:
    """Balances by origin. Lots that have expired can pay for nothing and are left out."""
    rows = connection.execute(
        "SELECT l.origin, sum(a.credits_posted - a.debits_posted - a.debits_pending), "
        "sum(a.debits_pending), min(l.expires_us) FROM lots l JOIN accounts a USING (account_id) "
        "WHERE l.customer_id = ? AND l.expires_us > ? GROUP BY l.origin ORDER BY l.origin",
        (customer_id, now_us),
    )
    return tuple(
        OriginBalance(origin, available, held, None if expires == END_OF_TIME_US else expires)
        for origin, available, held, expires in rows
    )


def _spent_between(
    connection: sqlite3.Connection, customer_id: int, from_us: int, to_us: int
) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(charge_ucr), 0) FROM charges "
        "WHERE customer_id = ? AND effective_us >= ? AND effective_us < ?",
        (customer_id, from_us, to_us),
    ).fetchone()
    return int(row[0])


def _last_spending_day_us(
    connection: sqlite3.Connection, customer_id: int, otherwise_us: int
) -> int:
    (last_us,) = connection.execute(
        "SELECT max(effective_us) FROM charges WHERE customer_id = ? AND charge_ucr > 0",
        (customer_id,),
    ).fetchone()
    return otherwise_us if last_us is None else last_us - last_us % US_PER_DAY


def _spent_by_day(
    connection: sqlite3.Connection, customer_id: int, last_day_us: int, days: int
) -> tuple[DaySpend, ...]:
    """``days`` days up to ``last_day_us``, those without spending as zero."""
    first_us = last_day_us - (days - 1) * US_PER_DAY
    spent = {
        day_us: (ucr, requests)
        for day_us, ucr, requests in connection.execute(
            f"SELECT {_DAY_US} AS day_us, sum(charge_ucr), count(*) FROM charges "
            "WHERE customer_id = ? AND status = 1 AND effective_us >= ? AND effective_us < ? "
            "GROUP BY day_us",
            (customer_id, first_us, last_day_us + US_PER_DAY),
        )
    }
    days_us = range(first_us, last_day_us + US_PER_DAY, US_PER_DAY)
    return tuple(DaySpend(day_text(day_us), *spent.get(day_us, (0, 0))) for day_us in days_us)


def _tag(line: PriceLine) -> PriceTag:
    tiers = [(0, line.prices_ucr)]
    tiers += [(tier.above_input_tokens, tier.prices_ucr) for tier in line.tiers]
    return PriceTag(
        tiers=tuple(PriceTier(above, _items(prices)) for above, prices in tiers),
        increment_ucr=line.increment_ucr,
        direction=line.direction,
    )


def _items(prices_ucr: dict[str, int]) -> tuple[PriceItem, ...]:
    """Prices in the order of the quantities; a blended one stands first."""
    order = {"blended": -1} | INDEX_BY_KEY
    return tuple(
        PriceItem(key, prices_ucr[key], "mtok" if key == "blended" else QUANTITIES[order[key]].unit)
        for key in sorted(prices_ucr, key=order.__getitem__)
    )


def _bill(line: PriceLine, quantities: Sequence[int]) -> Bill:
    rated = rate_one(line, quantities)
    if rated.status is not RateStatus.OK:
        raise BadInput(
            "this model has no price for one of these quantities, or one is beyond reason",
            field="quantities",
            value=", ".join(
                f"{q.name}={amount}"
                for q, amount in zip(QUANTITIES, quantities, strict=True)
                if amount
            ),
        )
    columns = line.price_columns(line.prices_at(input_size(quantities)))
    lines = tuple(
        BillLine(
            key=quantity.key,
            quantity=amount,
            price_ucr=price,
            per=quantity.per,
            unit=quantity.unit,
            amount_ucr=div_half_even(amount * price, quantity.per),
        )
        for quantity, amount, price in zip(QUANTITIES, quantities, columns, strict=True)
        if amount and price
    )
    return Bill(
        model=line.model,
        lines=lines,
        unrounded_ucr=rated.unrounded_ucr,
        rated_ucr=rated.charge_ucr,
        increment_ucr=line.increment_ucr,
        direction=line.direction,
    )


def _usage_row(row: Sequence[Any]) -> UsageRow:
    charge_id, event_id, time_us, model, charge_ucr, status, *quantities = row
    return UsageRow(
        charge_id=charge_id,
        event_id=event_id,
        time_us=time_us,
        model=model,
        quantities=tuple(
            (quantity.key, amount)
            for quantity, amount in zip(QUANTITIES, quantities, strict=True)
            if amount
        ),
        charge_ucr=charge_ucr,
        status=_STATUS_NAME[status],
    )
