"""Whom a buyer asks: a logit over the models and an outside option.

``V_j = a_j - b ln(p_j)``, ``V_0 = 0`` (ask nobody here, or ask elsewhere), where ``p_j`` is
the *effective* price: the mean Credits of a typical request, rounding included. The
constants ``a_j`` are such that the opening prices give the scenario's shares, so

    weight_j = share_j (1 - s_0) (p_j / p_j,opening)^-b     weight_0 = s_0
    P(j) = weight_j / sum of weights

With plain logit the own elasticity is ``-b (1 - P_j)``, the cross elasticity ``b P_j``, and
if *all* prices move together served demand moves by ``-b s_0``. The scenario states that
last number, and ``b = -elasticity / s_0``. Demand therefore saturates (at one model's
ask per occasion) instead of growing without bound as prices fall.

Occasions arrive at the rate "everybody always asks"; the logit thins them. That rate does
not depend on any price, which is what makes common random numbers possible: occasion
number 7 of tick 12 is the same occasion, with the same 32-bit mark, under every answer.

No ``exp`` is compared with a random number: shares become integer cumulative thresholds
once per price sheet, and ``choose`` compares integers. Example: P = (0.25, 0.15, 0.10) and
0.5 outside give thresholds 2^30, 0.4 * 2^32, 2^31; mark 2_000_000_000 falls to the third.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MARK_RANGE = 2**32
"""Choice marks are 32-bit: a share is met to within 2.4e-10."""


def probabilities(
    shares: Sequence[float],
    outside_share: float,
    elasticity: float,
    effective: Sequence[float],
    opening: Sequence[float],
) -> list[float]:
    """P(j) of each model; the rest to 1 is the outside option.

    ``effective`` and ``opening`` are mean Credits a request, now and at the opening prices.
    """
    sensitivity = -elasticity / outside_share
    weights = [
        share * (1 - outside_share) * math.exp(-sensitivity * math.log(price / base))
        for share, price, base in zip(shares, effective, opening, strict=True)
    ]
    total = math.fsum([outside_share, *weights])
    return [weight / total for weight in weights]


def thresholds(chances: Sequence[float]) -> NDArray[np.int64]:
    """Integer cumulative thresholds of :func:`probabilities`; a mark below the first takes it."""
    cumulative = [math.fsum(chances[: i + 1]) for i in range(len(chances))]
    return np.array([round(chance * MARK_RANGE) for chance in cumulative], dtype=np.int64)


def choose(limits: NDArray[np.int64], marks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The model of each mark; ``len(limits)`` stands for the outside option."""
    return np.searchsorted(limits, marks, side="right")
