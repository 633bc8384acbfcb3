"""The one formatter of money, rates and times for the screen.

Exact integers in, text out. Two things only a screen needs are settled here: how many
digits a reader wants, and that a dollar sign in Markdown starts a formula
(``$5 and $3`` would be set as mathematics), so :func:`markdown` escapes it.

>>> credits(12_450_000_000), usd(45_000_000), usd(-390_000_000_000)
('12,450', '$0.045', '−$390.00')
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final

from economy.units import (
    BEGINNING_OF_TIME_US,
    END_OF_TIME_US,
    NUSD_PER_USD,
    UCR_PER_CREDIT,
    US_PER_SECOND,
)

MINUS: Final = "−"
NOTHING: Final = "–"
MILLION_TOKENS: Final = "mtok"
SMALL_USD_DIGITS: Final = 6
"""Decimals that amounts under a dollar may show; from a dollar on, cents."""


def credits(value_ucr: int, digits: int = 6) -> str:
    """Credits with thousands separated, exact unless ``digits`` asks for fewer."""
    return _signed(Decimal(value_ucr).scaleb(-6), least=0, most=digits)


def price(price_ucr: int, unit: str) -> str:
    """A price for reading: tokens are priced by the million and shown by the thousand."""
    digits = 9 if unit == MILLION_TOKENS else 6
    return _signed(Decimal(price_ucr).scaleb(-digits), least=0, most=digits)


def usd(value_nusd: int, exact: bool = False) -> str:
    """Dollars: cents from a dollar on, six decimals under it, all nine if ``exact``."""
    value = Decimal(value_nusd).scaleb(-9)
    most = 9 if exact else 2 if abs(value) >= 1 else SMALL_USD_DIGITS
    text = _signed(value, least=2, most=most)
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


def signed_usd(value_nusd: int) -> str:
    """A difference in dollars, always with its sign."""
    return ("+" if value_nusd > 0 else "") + usd(value_nusd)


def signed_credits(value_ucr: int, digits: int = 6) -> str:
    """A difference in Credits, always with its sign."""
    return ("+" if value_ucr > 0 else "") + credits(value_ucr, digits)


def percent(rate: Fraction | None, digits: int = 2) -> str:
    """A rate as percent: 2/3 is ``66.67 %``; nothing where there is no rate."""
    if rate is None:
        return NOTHING
    hundredfold = Decimal(rate.numerator) * 100 / Decimal(rate.denominator)
    return f"{_signed(hundredfold, least=0, most=digits)} %"


def signed_percent(rate: Fraction | None, digits: int = 2) -> str:
    """A relative change, always with its sign."""
    return ("+" if rate is not None and rate > 0 else "") + percent(rate, digits)


def count(value: int) -> str:
    """A whole number with thousands separated."""
    return _signed(Decimal(value), least=0, most=0)


def time(time_us: int) -> str:
    """An instant to the second, UTC; the two ends of time are a dash."""
    if time_us in (BEGINNING_OF_TIME_US, END_OF_TIME_US):
        return NOTHING
    moment = datetime.fromtimestamp(time_us // US_PER_SECOND, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def markdown(text: str) -> str:
    """Text for a Markdown place: a dollar sign stays a dollar sign."""
    return text.replace("$", r"\$")


def credits_number(value_ucr: int) -> float:
    """Credits as a plotted length. Never calculate with it."""
    return value_ucr / UCR_PER_CREDIT


def usd_number(value_nusd: int) -> float:
    """Dollars as a plotted length. Never calculate with it."""
    return value_nusd / NUSD_PER_USD


def _signed(value: Decimal, least: int, most: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-most), rounding=ROUND_HALF_EVEN)
    whole, _, decimals = f"{abs(rounded):,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    sign = MINUS if rounded < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
