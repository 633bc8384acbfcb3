"""The one product that is wider than 64 bits: ``floor(a * b / d)``, exactly, in compiled loops.

A lot's USD times its Credits does not fit an int64 (``$800`` x 100,000 Cr is ``8e11 *
1e11``), though their quotient does. Python's integers would not mind; a compiled loop
would wrap around without a word. So the product is never formed:

    a = w * d + r        a * b / d = w * b + r * b / d        with r < d

Both terms are below the result, and ``r * b`` nearly always fits. Where it does not,
the second term is found bit by bit (about 60 steps), still without a wide number.
:func:`economy.units.mul_div_floor` is the plain reference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from economy.compiled import compiled
from economy.units import INT64_MAX

DOES_NOT_FIT = -1
"""What :func:`mul_div` answers when the quotient is beyond int64."""

_HALF = 2**31
"""Two factors below this have a product below 2**62: no further check is needed."""


@compiled
def _shift_and_subtract(a: int, b: int, denominator: int) -> int:
    """``floor(a * b / denominator)`` for ``0 <= a < denominator``: long division in binary."""
    bit = 1
    while bit <= b >> 1:
        bit <<= 1
    quotient = 0
    remainder = 0
    while bit > 0:
        quotient <<= 1
        if remainder >= denominator - remainder:
            remainder -= denominator - remainder
            quotient += 1
        else:
            remainder += remainder
        if b & bit:
            if remainder >= denominator - a:
                remainder -= denominator - a
                quotient += 1
            else:
                remainder += a
        bit >>= 1
    return quotient


@compiled
def mul_div(a: int, b: int, denominator: int) -> int:
    """``floor(a * b / denominator)``, or :data:`DOES_NOT_FIT`.

    All three are int64, ``a`` and ``b`` not negative, ``denominator`` above zero; the
    caller has checked that.
    """
    whole = a // denominator
    rest = a - whole * denominator
    if (whole >= _HALF or b >= _HALF) and whole > 0 and b > INT64_MAX // whole:
        return DOES_NOT_FIT
    product = whole * b
    if (rest < _HALF and b < _HALF) or rest == 0 or b <= INT64_MAX // rest:
        part = rest * b // denominator
    else:
        part = _shift_and_subtract(rest, b, denominator)
    if part > INT64_MAX - product:
        return DOES_NOT_FIT
    return product + part


def exact_sum(column: NDArray[np.int64]) -> int:
    """The sum of int64 values as a Python integer: many of them may leave int64 together.

    The halves are summed apart; 2**31 values of 32 bits each stay inside int64.
    """
    high = int((column >> 32).sum())
    low = int((column & 0xFFFF_FFFF).sum())
    return (high << 32) + low
