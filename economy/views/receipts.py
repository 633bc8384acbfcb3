"""One request as staff see it: its receipt, its story, and both layers side by side.

The worked request of the rules, 1,000 + 500 tokens of GPT-4 on a contributed key: 8 Cr are
$0.08 at reference value; over the list cost of $0.045 that is 77.78 % markup and 43.75 %
margin, over the $0.06075 paid out to the contributor 31.69 % and 24.06 %.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from economy.economy import Economy
from economy.identity import Actor, require
from economy.metering.booking import ChargeStatus
from economy.metering.tracing import Trace, TracedCharge
from economy.pricing.book import PriceBook
from economy.rating.receipt import make_receipt
from economy.units import UCR_PER_CREDIT, div_half_even, instant_text
from economy.warehouse.layers import AdminRow, Margins


def request_row(economy: Economy, charge: TracedCharge) -> AdminRow:
    """One charge as a row of the operator's layer, straight from the ledger."""
    epoch = economy.price_book().published(charge.sheet_version)
    value_nusd = epoch.sheet.credit_value_nusd
    return AdminRow(
        provider=charge.provider,
        model=charge.model,
        requests=int(charge.status == ChargeStatus.CHARGED),
        refused_requests=int(charge.status == ChargeStatus.REFUSED),
        failed_requests=int(charge.status == ChargeStatus.NOT_CHARGED),
        charge_ucr=charge.charge_ucr,
        rounding_ucr=charge.rounding_ucr,
        refused_ucr=charge.rated_ucr if charge.status == ChargeStatus.REFUSED else 0,
        revenue_reference_nusd=charge.charge_ucr * value_nusd // UCR_PER_CREDIT,
        rounding_reference_nusd=charge.rounding_ucr * value_nusd // UCR_PER_CREDIT,
        revenue_basis_nusd=charge.basis_usage_nusd + charge.basis_rounding_nusd,
        rounding_basis_nusd=charge.basis_rounding_nusd,
        list_cost_nusd=charge.list_cost_nusd,
        paid_cost_nusd=charge.paid_cost_nusd,
    )


def request_layers(
    economy: Economy, actor: Actor, event_id: str, source: str | None = None
) -> tuple[Trace, AdminRow | None]:
    """A request's story and its row of the operator's layer; None while it is only held."""
    require(actor, "business", "analyst", "admin")
    found = economy.trace(event_id, source)
    return found, None if found.charge is None else request_row(economy, found.charge)


def receipt_document(
    economy: Economy, actor: Actor, event_id: str, source: str | None = None
) -> dict[str, Any]:
    """The receipt as a document: prices from the sheet that the charge pins."""
    require(actor, "business", "analyst", "admin")
    found = economy.trace(event_id, source)
    charge = found.charge
    if charge is None:
        return {"event_id": event_id, "source": found.source, "status": "held"}
    row = request_row(economy, charge)
    pinned = economy.price_book().published(charge.sheet_version)
    receipt = make_receipt(
        PriceBook((pinned,)),
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
        "key": charge.key,
        "revenue_reference_nusd": row.revenue_reference_nusd,
        "revenue_basis_nusd": row.revenue_basis_nusd,
        "list_cost_nusd": row.list_cost_nusd,
        "over_list_cost": _margins_document(row.reference_over_list),
        "paid_cost_nusd": row.paid_cost_nusd,
        "over_paid_cost": _margins_document(row.reference_over_paid),
    }


def _margins_document(margins: Margins) -> dict[str, Any]:
    return {
        "profit_nusd": margins.profit_nusd,
        "markup_percent": percent_text(margins.markup),
        "margin_percent": percent_text(margins.margin),
    }


def percent_text(part: Fraction | None) -> str | None:
    """A fraction in percent with two digits, ties to even: 7/9 is ``77.78``."""
    if part is None:
        return None
    hundredths = div_half_even(10_000 * part.numerator, part.denominator)
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def exact_credits(amount_ucr: str | int) -> str:
    """An exact fraction of micro-credits for a person, as Credits."""
    return format(float(Fraction(amount_ucr) / UCR_PER_CREDIT), ".12g")
