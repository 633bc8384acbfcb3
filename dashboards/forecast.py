"""How much buyers would still ask at other prices: the elastic side of the Lab.

The instant answer re-rates the usage that really happened, as if nobody reacted. The
forecast lets buyers react as the simulation's buyers do: by its logit over the models
and an outside option (:mod:`simulations.agents.choice`), at today's shares of requests.
A model's price moves its own volume and that of its neighbours.

Worked example: with one model, elasticity -1.1 and half of all demand outside, a price
doubled leaves 35.7 % of the volume. (A constant elasticity would leave 46.7 %, and
"find" an optimal markup of 909 %.)

Both numbers are assumptions and are shown as such; the simulation is the place where
they are swept. Prices are effective ones: rounding is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from economy.errors import invariant
from simulations.agents.choice import probabilities

ELASTICITY_DEFAULT: Final = -1.1
"""All prices of a supplier together: near -1.11 in one study, -0.06 in another."""
OUTSIDE_SHARE: Final = 0.5
"""Assumed: half of the possible demand goes elsewhere, or nowhere, today."""
_RATIO_LEAST: Final = 1e-6
"""A free model: the logarithm of its price has to stay finite."""


def volumes(
    shares: Mapping[str, float],
    price_ratios: Mapping[str, Fraction],
    elasticity: float = ELASTICITY_DEFAULT,
) -> dict[str, float]:
    """Each model's volume relative to today's, 1.0.

    ``shares`` are today's shares of requests (they sum to 1) and ``price_ratios`` the new
    effective prices over today's; a model without a ratio keeps its price.
    """
    invariant(elasticity <= 0, "demand does not rise with the price")
    models = [model for model, share in shares.items() if share > 0]
    today = [shares[model] for model in models]
    ratios = [max(float(price_ratios.get(model, 1)), _RATIO_LEAST) for model in models]
    chances = probabilities(today, OUTSIDE_SHARE, elasticity, ratios, [1.0] * len(models))
    return {
        model: chance / (share * (1 - OUTSIDE_SHARE))
        for model, chance, share in zip(models, chances, today, strict=True)
    }
