"""The receipt of one charged request for staff: price line by line, and what it cost."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from economy.economy import Economy
from economy.identity import Actor, require
from economy.pricing.book import PriceBook
from economy.rating.receipt import make_receipt
from economy.units import UCR_PER_CREDIT, instant_text


def receipt_document(
    economy: Economy, actor: Actor, event_id: str, source: str | None = None
) -> dict[str, Any]:
    """The receipt as a document: prices from the sheet that the charge pins."""
    require(actor, "business", "analyst", "admin")
    found = economy.trace(event_id, source)
    charge = found.charge
    if charge is None:
        return {"event_id": event_id, "source": found.source, "status": "held"}
    pinned = [e for e in economy.price_book().epochs if e.version == charge.sheet_version]
    receipt = make_receipt(
        PriceBook(tuple(pinned)),
        charge.model,
        charge.effective_us,
        list(charge.quantities.values()),
    )
    return {
        "event_id": event_id,
        "source": found.source,
        "status": charge.status.name.lower(),
        "customer": charge.customer,
        "model": charge.model,
        "time": instant_text(charge.effective_us),
        "lines": [
            {
                "quantity": line.quantity,
                "amount": line.amount,
                "price_ucr": line.price_ucr,
                "per": line.per,
                "exact_ucr": str(line.exact_ucr),
            }
            for line in receipt.lines
        ],
        "unrounded_ucr": receipt.unrounded_ucr,
        "increment_ucr": receipt.increment_ucr,
        "direction": receipt.direction,
        "rated_ucr": receipt.charge_ucr,
        "charge_ucr": charge.charge_ucr,
        "sheet_version": receipt.sheet_version,
        "sheet_sha256": receipt.sheet_sha256,
        "cost_version": charge.cost_version,
        "list_cost_nusd": charge.list_cost_nusd,
        "paid_cost_nusd": charge.paid_cost_nusd,
    }


def exact_credits(amount_ucr: str | int) -> str:
    """An exact fraction of micro-credits for a person, as Credits."""
    return format(float(Fraction(amount_ucr) / UCR_PER_CREDIT), ".12g")
