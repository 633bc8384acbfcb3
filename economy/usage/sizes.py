"""How much of all requests each customer makes: a lognormal crowd with whales.

Customer ``k`` of ``n`` (the largest first) stands for one n-th of a lognormal crowd, and
makes that part's share of all requests. The share of the largest fraction ``p`` of a
lognormal crowd is its Lorenz curve, ``Phi(sigma + Phi^-1(p))``, so shares need no draws
and add up to one. With 300 customers and sigma 2.2 the first makes 30 %, as the top
client does in ServeGen's m-small workload (arXiv 2505.09999; the other measured one, at
52 %, asks for a sigma of 2.8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def cumulative_shares(n_customers: int, sigma: float) -> NDArray[np.float64]:
    """Share of all requests made by the largest 1, 2, ... ``n_customers``; the last is 1."""
    part = np.arange(1, n_customers + 1) / n_customers
    return np.asarray(ndtr(sigma + ndtri(part)), dtype=np.float64)


def uniform_by_row(seed: int, row: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each row, from (``seed``, row) alone (SplitMix64)."""
    bits = np.uint64(seed % 2**64) + row.astype(np.uint64) * _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def customer_names(n_customers: int) -> list[str]:
    """``customer-0001`` is the largest."""
    width = max(4, len(str(n_customers)))
    return [f"customer-{k:0{width}d}" for k in range(1, n_customers + 1)]
