"""Exact money, exact time: integers with their unit in the name.

=========  ======================  =======================================
suffix     unit                    worked example
=========  ======================  =======================================
``_ucr``   micro-credit (1e-6 Cr)  5 Cr is 5_000_000 ucr
``_nusd``  nano-dollar (1e-9 USD)  $0.03 is 30_000_000 nusd
``_us``    microseconds UTC        1970-01-01T00:00:01Z is 1_000_000
=========  ======================  =======================================

All fit a signed 64-bit integer; what does not is an :class:`EconomyError`, never a
wrap-around. No float touches money: text is parsed through :class:`decimal.Decimal`
and must be exact, and every division names its rounding.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from economy.errors import BadInput, invariant

UCR_PER_CREDIT = 1_000_000
NUSD_PER_USD = 1_000_000_000
NUSD_PER_CENT = 10_000_000
US_PER_SECOND = 1_000_000
US_PER_DAY = 86_400 * US_PER_SECOND

INT64_MAX = 2**63 - 1
MAX_DECIMAL_PLACES = 30
"""No amount or rate needs more on either side of the point; ``1e999999999`` would hang."""
BEGINNING_OF_TIME_US = -(2**63)
"""Effective time of the genesis sheet: before any instant that can be written."""
END_OF_TIME_US = INT64_MAX
EARLIEST_US = 946_684_800 * US_PER_SECOND
"""2000-01-01T00:00:00Z: nothing that the economy books has happened before."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def div_floor(numerator: int, denominator: int) -> int:
    """Largest integer not above the quotient; ``denominator`` must be positive."""
    invariant(denominator > 0, "a denominator is positive")
    return numerator // denominator


def div_ceil(numerator: int, denominator: int) -> int:
    """Smallest integer not below the quotient; ``denominator`` must be positive."""
    invariant(denominator > 0, "a denominator is positive")
    return -(-numerator // denominator)


def div_half_even(numerator: int, denominator: int) -> int:
    """Nearest integer, ties to the even one; ``denominator`` must be positive."""
    invariant(denominator > 0, "a denominator is positive")
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def mul_div_floor(a: int, b: int, denominator: int) -> int:
    """``floor(a * b / denominator)`` through an exact product, checked to fit int64."""
    return int64(div_floor(a * b, denominator))


def int64(value: int) -> int:
    """``value`` itself if it fits a signed 64-bit integer, else an error."""
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise BadInput("the amount is beyond a signed 64-bit integer", value=value)
    return value


def exact_decimal(value: object, field: str) -> Decimal:
    """Read a decimal number from text or an integer; a float is refused.

    A float has already lost the number that was written, so it is an error even
    where it would happen to be right.
    """
    if isinstance(value, bool | float):
        raise BadInput(
            "money and rates are written as text, not as a float",
            field=field,
            value=value,
            way_out=f'Write it in quotes, such as "{value}"',
        )
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise BadInput(
                "not a decimal number",
                field=field,
                value=value,
                way_out='Write digits and a point only, such as "0.03"',
            ) from None
    else:
        raise BadInput("not a number", field=field, value=value)
    if not number.is_finite():
        raise BadInput("not a finite number", field=field, value=str(value))
    if max(abs(number.adjusted()), -int(number.as_tuple().exponent)) > MAX_DECIMAL_PLACES:
        raise BadInput(
            f"has more than {MAX_DECIMAL_PLACES} places before or after the point",
            field=field,
            value=str(value),
        )
    return number


def _scaled(value: object, scale: int, field: str, unit: str) -> int:
    # Through a fraction: decimal arithmetic would round to 28 digits without a word.
    scaled = Fraction(exact_decimal(value, field)) * scale
    if scaled.denominator != 1:
        raise BadInput(f"finer than {unit}", field=field, value=str(value))
    if not -INT64_MAX - 1 <= scaled <= INT64_MAX:
        raise BadInput("beyond a signed 64-bit integer", field=field, value=str(value))
    return int(scaled)


def parse_credits(value: object, field: str = "credits") -> int:
    """Credits as written by a person (``"7.5"``) to micro-credits (7_500_000)."""
    return _scaled(value, UCR_PER_CREDIT, field, "a micro-credit")


def parse_usd(value: object, field: str = "usd") -> int:
    """Dollars as written by a person (``"0.03"``) to nano-dollars (30_000_000)."""
    return _scaled(value, NUSD_PER_USD, field, "a nano-dollar")


def parse_rate(value: object, field: str = "rate") -> Fraction:
    """A rate or factor as written by a person (``"0.35"``) to an exact fraction."""
    return Fraction(exact_decimal(value, field))


def _plain(value: int, digits: int) -> str:
    text = format(Decimal(value).scaleb(-digits), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def credits_text(value_ucr: int) -> str:
    """Micro-credits as an exact plain decimal of Credits: 7_500_000 is ``7.5``."""
    return _plain(value_ucr, 6)


def usd_text(value_nusd: int) -> str:
    """Nano-dollars as an exact plain decimal of dollars: 45_000_000 is ``0.045``."""
    return _plain(value_nusd, 9)


def parse_instant(text: str, field: str = "time") -> int:
    """RFC 3339 text to microseconds UTC; a time without a zone is refused."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise BadInput(
            "not a time",
            field=field,
            value=text,
            way_out="Write it as 2026-01-31T09:30:00Z",
        ) from None
    if moment.tzinfo is None:
        raise BadInput(
            "a time without a time zone",
            field=field,
            value=text,
            way_out="Add Z for UTC or an offset such as +08:00",
        )
    return instant_us(moment)


def instant_us(moment: datetime) -> int:
    """An aware datetime to microseconds UTC, exactly."""
    invariant(moment.tzinfo is not None, "an instant has a time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def instant_text(time_us: int) -> str:
    """Microseconds UTC to RFC 3339; the two ends of time have names."""
    if time_us <= BEGINNING_OF_TIME_US:
        return "beginning"
    if time_us >= END_OF_TIME_US:
        return "end"
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z").replace(".000000Z", "Z")


def day_text(time_us: int) -> str:
    """The UTC calendar day of an instant, ``2026-01-31``."""
    return (_EPOCH + timedelta(microseconds=time_us)).date().isoformat()
