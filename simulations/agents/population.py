"""Who the buyers are: drawn once a replication, the same under every answer.

* **Size** [D]: activity is lognormal with sigma 2.3, so of 2,000 buyers the largest makes
  some 4-9 % of all requests and the top 1 % more than a third. Whales are the model, not an
  outlier. Sizes are scaled so that the market's total is the scenario's (mean buyer's
  requests a day times buyers): *who* is a whale is drawn, the market's size is not [A].
* **Own token scale** [D]: some buyers send long prompts, always.
* **Need** is the Credits that a buyer expects to spend in a day at the opening prices. The
  low-water mark (when it feels short) and the budget of 30 days derive from it [A].
* **Pack taste** [A]: a logit on USD per Credit and on illiquidity,
  ``V_p = -alpha ln(USD per Credit) - gamma max(0, ln(pack price / 30 days' need))``,
  as 16-bit cumulative thresholds a buyer; large buyers take large packs.

Sizes become integer cumulative weights (below 2^62), so an arrival is given to a buyer by
comparing integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy.policy import Pack
from economy.units import UCR_PER_CREDIT
from simulations.agents.tokens import SCALE_ONE, bin_means, buyer_scales
from simulations.scenario import Scenario
from simulations.streams import Purpose, stream

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

WEIGHT_RANGE = 2**62
PACK_MARK_RANGE = 2**16
DAYS_PER_BUDGET = 30
MAX_BUDGET_NUSD = 10**15
"""A million dollars in 30 days: a bound, so that budgets stay well inside int64."""


@dataclass(frozen=True, slots=True)
class Population:
    """``n`` buyers as columns, in account order.

    ``weight_until`` int64 (n): cumulative size, last entry below WEIGHT_RANGE.
    ``input_scale, output_scale`` int64 (n), in 1/1024. ``low_water_ucr`` int64 (n), at least
    1. ``budget_nusd`` int64 (n) for 30 days. ``pack_limits`` int64 (n, packs): cumulative
    16-bit thresholds, the last is 2^16.
    """

    weight_until: I64
    input_scale: I64
    output_scale: I64
    low_water_ucr: I64
    budget_nusd: I64
    pack_limits: I64

    def __len__(self) -> int:
        return len(self.weight_until)


def draw_population(
    scenario: Scenario,
    packs: tuple[Pack, ...],
    *,
    mean_charge_ucr: float,
    credit_value_nusd: int,
    seed: int,
    replication: int,
) -> Population:
    """The buyers of one replication.

    ``mean_charge_ucr`` is the mean charge of a request at the opening prices and shares;
    ``packs`` are sorted by price.
    """
    n = scenario.buyers.count
    normals = stream(seed, replication, Purpose.POPULATION).standard_normal((4, n))
    activity = np.exp(scenario.buyers.size_sigma * normals[0])
    share = activity / activity.sum()
    until = np.rint(np.cumsum(share) * (WEIGHT_RANGE - 1)).astype(np.int64)

    tables = scenario.tokens
    input_scale = buyer_scales(tables.input, normals[1])
    output_scale = buyer_scales(tables.output, normals[2])
    # Charges go with tokens, so a buyer's mean charge goes with its own mean tokens.
    mean_in = float(bin_means(tables.input, 128).mean())
    mean_out = float(bin_means(tables.output, 128).mean())
    own = (input_scale * mean_in + output_scale * mean_out) / (SCALE_ONE * (mean_in + mean_out))
    need_ucr = share * n * scenario.buyers.requests_per_day * mean_charge_ucr * own

    rules = scenario.top_ups
    low_water = np.rint(need_ucr * rules.low_water_days).astype(np.int64)
    month_nusd = need_ucr * DAYS_PER_BUDGET * credit_value_nusd / UCR_PER_CREDIT
    budget = month_nusd * rules.budget_months * np.exp(rules.budget_sigma * normals[3])
    cheapest = min(pack.price_nusd for pack in packs)
    return Population(
        weight_until=until,
        input_scale=input_scale,
        output_scale=output_scale,
        low_water_ucr=np.maximum(low_water, 1),
        budget_nusd=np.clip(np.rint(budget), cheapest, max(cheapest, MAX_BUDGET_NUSD)).astype(
            np.int64
        ),
        pack_limits=_pack_limits(scenario, packs, month_nusd),
    )


def _pack_limits(scenario: Scenario, packs: tuple[Pack, ...], month_nusd: F64) -> I64:
    rules = scenario.top_ups
    price = np.array([float(pack.price_nusd) for pack in packs])
    per_credit = np.array([float(pack.basis) for pack in packs])
    strain = np.log(price[None, :] / np.maximum(month_nusd, 1.0)[:, None])
    value = -rules.price_sensitivity * np.log(per_credit) - rules.illiquidity * np.maximum(
        strain, 0.0
    )
    weight = np.exp(value - value.max(axis=1, keepdims=True))
    until = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    limits: I64 = np.rint(until * PACK_MARK_RANGE).astype(np.int64)
    limits[:, -1] = PACK_MARK_RANGE
    return limits
