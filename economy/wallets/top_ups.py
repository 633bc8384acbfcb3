"""Top-ups: a pack is sold, its Credits join a lot, its USD waits to be earned.

Both sides are one linked chain, so either both are booked or neither (rules, section 9)::

    USD  Dr cash:clearing    Cr deferred_revenue     90
    CR   Dr issuance:sale    Cr lot(purchased)   10,000
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from economy.errors import Conflict
from economy.identity.customers import customer_by_id
from economy.ledger import Code, Ledger, accounts, transfer_id
from economy.ledger.legs import Leg
from economy.policy import Policy
from economy.state.database import Unit
from economy.wallets.booking import book_linked, checked_request_key
from economy.wallets.lots import open_lot


@dataclass(frozen=True, slots=True)
class TopUp:
    """A pack that was sold. ``repeated``: the request had been here before, nothing moved."""

    top_up_id: int
    customer_id: int
    pack: str
    paid_nusd: int
    credits_ucr: int
    lot_account: int
    effective_us: int
    repeated: bool = False


def top_up(
    unit: Unit,
    ledger: Ledger,
    policy: Policy,
    *,
    customer_id: int,
    pack_name: str,
    request_key: str,
    effective_us: int,
) -> TopUp:
    """Sell a pack of the policy to a customer, once per ``request_key``.

    The same key for the same customer and pack returns the first outcome, whenever it comes
    and whatever the pack costs by then; for another customer or pack it is a
    :class:`Conflict`. Unknown customers and packs are :class:`NotFound` and
    :class:`BadInput`; nothing moves.
    """
    request_key = checked_request_key(request_key)
    before = _of_request(unit.connection, request_key)
    if before is not None:
        if (before.customer_id, before.pack) != (customer_id, pack_name):
            raise Conflict(
                f"this request has already bought the pack {before.pack} for customer "
                f"{before.customer_id}",
                field="request_key",
                value=request_key,
                way_out="Use a new request key for another purchase",
            )
        return before
    customer_by_id(unit.connection, customer_id)
    pack = policy.pack(pack_name)
    lot = open_lot(unit, ledger, customer_id, "purchased", pack.basis)
    top_up_id = int(
        unit.connection.execute("SELECT coalesce(max(top_up_id), 0) + 1 FROM top_ups").fetchone()[0]
    )
    book_linked(
        ledger,
        [
            Leg(accounts.CASH_CLEARING, accounts.DEFERRED_REVENUE, pack.price_nusd),
            Leg(
                accounts.ISSUANCE_SALE,
                accounts.lot_name(customer_id, "purchased", pack.basis, lot.expires_us),
                pack.credits_ucr,
            ),
        ],
        ids=lambda leg: transfer_id(effective_us, "top-up", request_key, leg=leg),
        code=Code.TOP_UP,
        reference=top_up_id,
        effective_us=effective_us,
    )
    unit.connection.execute(
        "INSERT INTO top_ups (top_up_id, request_key, customer_id, pack, paid_nusd, credits_ucr, "
        "lot_account, effective_us, recorded_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            top_up_id,
            request_key,
            customer_id,
            pack.name,
            pack.price_nusd,
            pack.credits_ucr,
            lot.account_id,
            effective_us,
            unit.recorded_us,
        ),
    )
    return TopUp(
        top_up_id,
        customer_id,
        pack.name,
        pack.price_nusd,
        pack.credits_ucr,
        lot.account_id,
        effective_us,
    )


def _of_request(connection: sqlite3.Connection, request_key: str) -> TopUp | None:
    row = connection.execute(
        "SELECT top_up_id, customer_id, pack, paid_nusd, credits_ucr, lot_account, effective_us "
        "FROM top_ups WHERE request_key = ?",
        (request_key,),
    ).fetchone()
    return None if row is None else replace(TopUp(*row), repeated=True)
