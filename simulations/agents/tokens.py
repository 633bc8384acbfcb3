"""How many tokens a request consumes: quantile tables whose means are exact.

A 16-bit mark picks one of 65,536 equally likely entries of a table; an entry is the mean
of the distribution *within its bin*, so the mean of all bins is the distribution's own and
the tail is kept as bin means, not cut. Tokens are whole: what is between two is rounded up.

For a lognormal the bin mean is closed: with ``z`` the normal quantiles of the bin's ends,
``E[X | bin] = exp(mu + sigma^2 / 2) * (Phi(z_high - sigma) - Phi(z_low - sigma)) * bins``.
For written quantiles at equal steps the distribution is linear between them.

A buyer's own scale multiplies the entry: ``tokens = entry * scale / 1024``, rounded up, at
most ``MAX_TOKENS``. Scales have mean 1 over buyers.

Example: mu 6.6333, sigma 0.9852 (input of the conversation workload) has the mean
exp(6.6333 + 0.4853) = 1,234.7 tokens, and so have the bins. At 1 Credit per 1K tokens,
rounded up per request, the mean charge is 1.7748 Credits, by closed form and by table.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulations.scenario import TokenTable

BINS = 65_536
SCALE_ONE = 1_024
"""A buyer's scale is a whole number of 1/1024."""
MAX_TOKENS = 10_000_000
"""More in one request is beyond any model's context; entries and products stop here."""


@lru_cache(maxsize=32)
def bin_means(table: TokenTable, bins: int) -> NDArray[np.float64]:
    """Conditional means of ``bins`` equally likely parts, ascending, for a buyer of scale 1."""
    edges = np.arange(bins + 1) / bins
    if table.quantiles is not None:
        return _mean_between(np.asarray(table.quantiles, dtype=np.float64), edges)
    assert table.mu is not None and table.sigma is not None  # The scenario's own check.
    within = float(np.sqrt(table.sigma**2 - table.between_buyer_sd**2))
    # The buyers' scales have mean 1, so the mean of the pooled lognormal moves in here.
    mean = np.exp(table.mu + table.sigma**2 / 2)
    if within == 0:
        return np.full(bins, mean)
    return np.asarray(mean * np.diff(ndtr(ndtri(edges) - within)) * bins)


def _mean_between(
    quantiles: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bin means of the piecewise linear quantile function: differences of its integral."""
    knots = np.linspace(0, 1, len(quantiles))
    steps = np.diff(knots) * (quantiles[1:] + quantiles[:-1]) / 2
    integral_at_knots = np.concatenate([[0.0], np.cumsum(steps)])
    left = np.minimum(np.searchsorted(knots, edges, side="right") - 1, len(knots) - 2)
    reach = edges - knots[left]
    value = np.interp(edges, knots, quantiles)
    integral = integral_at_knots[left] + reach * (quantiles[left] + value) / 2
    return np.asarray(np.diff(integral) * (len(edges) - 1))


@lru_cache(maxsize=32)
def token_table(table: TokenTable) -> NDArray[np.int64]:
    """The 65,536 whole-token entries that marks index; read-only."""
    entries = np.clip(np.ceil(bin_means(table, BINS)), 1, MAX_TOKENS).astype(np.int64)
    entries.setflags(write=False)
    return entries


def tokens_of(
    entries: NDArray[np.int64], marks: NDArray[np.int64], scale: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tokens of requests: their marks through the table, times their buyers' scales."""
    tokens: NDArray[np.int64] = np.minimum(-(-entries[marks] * scale // SCALE_ONE), MAX_TOKENS)
    return tokens


def buyer_scales(table: TokenTable, normals: NDArray[np.float64]) -> NDArray[np.int64]:
    """Lognormal scales with mean 1 from standard normals, in 1/1024, from 1/1024 to 1024."""
    sd = table.between_buyer_sd
    scales = np.exp(sd * normals - sd**2 / 2) * SCALE_ONE
    whole: NDArray[np.int64] = np.clip(np.rint(scales), 1, SCALE_ONE**2).astype(np.int64)
    return whole
