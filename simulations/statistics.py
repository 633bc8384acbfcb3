"""What replications say, and how sure they are: t and paired-t intervals.

Replications are independent; answers within one replication are not, because they share
their random numbers. So one answer's level has an ordinary t interval, and the
difference of two answers has the *paired* interval, taken over the differences
replication by replication. On common random numbers it is much narrower.

Example: profits 10, 12, 11 against 7, 10, 8. The differences 3, 2, 3 have mean 2.667 and
a 95 % interval of 2.667 +- 4.303 * 0.577 / sqrt(3) = [1.23, 4.10], which does not hold
zero. The two levels' own intervals overlap, and would have said nothing.

An interval that holds zero says so (:attr:`Interval.crosses_zero`): the sign of the
difference is then not known. Money is exact until here; a mean of ten exact sums is a
statistic, and a float.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.special import stdtrit

from economy.errors import BadInput

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval, in the unit of the values.

    With one value there is no spread to see: ``sd`` and ``half_width`` are ``None``, and
    nobody may conclude anything about the sign.
    """

    mean: float
    sd: float | None
    half_width: float | None
    n: int

    @property
    def low(self) -> float | None:
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def crosses_zero(self) -> bool:
        """Whether zero lies inside, ends included: then the sign is not known.

        An exact zero difference in every replication counts too: there is no sign.
        """
        return self.half_width is None or abs(self.mean) <= self.half_width

    def as_dict(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "sd": self.sd,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "crosses_zero": self.crosses_zero,
        }


def t_interval(values: Sequence[int] | Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval of the mean of independent ``values`` (at least one)."""
    if not values:
        raise BadInput("an interval needs at least one value")
    if not 0 < confidence < 1:
        raise BadInput("must lie between 0 and 1", field="confidence", value=confidence)
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Interval(mean, None, None, n)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    quantile = float(stdtrit(n - 1, 0.5 + confidence / 2))
    return Interval(mean, sd, quantile * sd / math.sqrt(n), n)


def paired_interval(
    values: Sequence[int], baseline: Sequence[int], confidence: float = CONFIDENCE
) -> Interval:
    """The interval of ``values - baseline``, paired by replication."""
    if len(values) != len(baseline):
        raise BadInput(
            "pairs need as many values on both sides",
            value=f"{len(values)} against {len(baseline)}",
        )
    differences = [value - base for value, base in zip(values, baseline, strict=True)]
    return t_interval(differences, confidence)
