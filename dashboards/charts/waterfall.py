"""How a price becomes profit: exact price, plus rounding, minus cost.

>>> steps = price_to_profit(75_000_000, 5_000_000, 45_000_000)
>>> [step.amount_nusd for step in steps]
[75000000, 5000000, -45000000, 35000000]

The request of the rules: 7.5 Cr are $0.075, rounding up adds half a Cent, the provider
takes $0.045, and $0.035 stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from dashboards import money
from dashboards.charts import palette

StepName = Literal["price", "rounding", "cost", "profit"]
_HEIGHT_PX = 300


@dataclass(frozen=True, slots=True)
class Step:
    """A bar: what is added (or taken), and the level from which it starts."""

    name: StepName
    amount_nusd: int
    from_nusd: int


def price_to_profit(price_nusd: int, rounding_nusd: int, cost_nusd: int) -> tuple[Step, ...]:
    """The four bars; the last one stands on zero and is what the others leave."""
    charged_nusd = price_nusd + rounding_nusd
    return (
        Step("price", price_nusd, 0),
        Step("rounding", rounding_nusd, price_nusd),
        Step("cost", -cost_nusd, charged_nusd),
        Step("profit", charged_nusd - cost_nusd, 0),
    )


def waterfall_figure(steps: Sequence[Step], labels: Mapping[str, str]) -> go.Figure:
    """``labels`` names the steps in the reader's language."""
    colours = {
        "price": palette.PRICE,
        "rounding": palette.ROUNDING,
        "cost": palette.COST,
    }
    figure = go.Figure(
        go.Bar(
            x=[labels[step.name] for step in steps],
            y=[money.usd_number(step.amount_nusd) for step in steps],
            base=[money.usd_number(step.from_nusd) for step in steps],
            marker_color=[
                colours.get(step.name, palette.GAIN if step.amount_nusd >= 0 else palette.LOSS)
                for step in steps
            ],
            text=[money.usd(step.amount_nusd) for step in steps],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            width=0.62,
        )
    )
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 0, "t": 28, "b": 0},
        showlegend=False,
        yaxis={"tickprefix": "$", "tickformat": ",", "zeroline": True, "nticks": 5},
        xaxis={"fixedrange": True},
        dragmode=False,
    )
    return figure
