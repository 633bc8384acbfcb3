"""A receipt: how the price of one request came about, in Credits only.

The customer's part of a rated request. It names the sheet (version and hash) and holds no
cost, markup or dollar. For 1,000 + 500 tokens of GPT-4::

    input_tokens   1,000 x 5,000 Cr per 1,000,000     5
    output_tokens    500 x 5,000 Cr per 1,000,000     2.5
                                       together       7.5
                  rounded up to a multiple of 1       0.5
                                        charged       8        sheet 1, sha256 9f2c...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from economy.errors import BadInput
from economy.pricing.book import PriceBook
from economy.pricing.sheet import Direction
from economy.quantities import QUANTITIES
from economy.rating.rate import REASON, RateStatus, input_size, rate_one


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """``amount`` of one quantity at ``price_ucr`` for ``per`` of it; ``exact_ucr`` together."""

    quantity: str
    amount: int
    price_ucr: int
    per: int
    exact_ucr: Fraction


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request, line by line; ``unrounded_ucr + rounding_ucr == charge_ucr``."""

    model: str
    effective_us: int
    lines: tuple[ReceiptLine, ...]
    unrounded_ucr: int
    rounding_ucr: int
    charge_ucr: int
    increment_ucr: int
    direction: Direction
    sheet_version: int
    sheet_sha256: str


def make_receipt(
    book: PriceBook, model: str, effective_us: int, quantities: Sequence[int]
) -> Receipt:
    """Rate one request by the book and show the steps; unrateable is :class:`BadInput`."""
    epoch = book.sheet_at(effective_us)
    line = epoch.sheet.line(model)
    if line is None:
        raise BadInput(REASON[RateStatus.NO_PRICE], field="model", value=model)
    rated = rate_one(line, quantities)
    if rated.status is not RateStatus.OK:
        raise BadInput(REASON[rated.status], where=f"model {model}")
    prices = line.price_columns(line.prices_at(input_size(quantities)))
    return Receipt(
        model=model,
        effective_us=effective_us,
        # A request fee of nothing needs no line; what was used at a price of zero does.
        lines=tuple(
            ReceiptLine(meter.name, amount, price, meter.per, Fraction(amount * price, meter.per))
            for meter, amount, price in zip(QUANTITIES, quantities, prices, strict=True)
            if amount > 0 and not (meter.key == "request" and price == 0)
        ),
        unrounded_ucr=rated.unrounded_ucr,
        rounding_ucr=rated.charge_ucr - rated.unrounded_ucr,
        charge_ucr=rated.charge_ucr,
        increment_ucr=line.increment_ucr,
        direction=line.direction,
        sheet_version=epoch.version,
        sheet_sha256=epoch.sheet.sha256,
    )
