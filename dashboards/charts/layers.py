"""Two layers drawn: revenue beside cost per provider, and the margin day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import plotly.graph_objects as go

from dashboards import money
from dashboards.charts import palette

_HEIGHT_PX = 280
_LEGEND = {"orientation": "h", "y": -0.2, "x": 0}


@dataclass(frozen=True, slots=True)
class ProviderBars:
    """Both revenues and both costs of one provider."""

    provider: str
    revenue_reference_nusd: int
    revenue_basis_nusd: int
    list_cost_nusd: int
    paid_cost_nusd: int


def providers_figure(rows: Sequence[ProviderBars], labels: Mapping[str, str]) -> go.Figure:
    """Four bars a provider. ``labels``: the four amounts by their field's name."""
    shades = (
        ("revenue_reference_nusd", palette.PRICE, 1.0),
        ("revenue_basis_nusd", palette.PRICE, 0.55),
        ("list_cost_nusd", palette.COST, 1.0),
        ("paid_cost_nusd", palette.COST, 0.55),
    )
    figure = go.Figure(
        [
            go.Bar(
                name=labels[name],
                x=[row.provider for row in rows],
                y=[money.usd_number(getattr(row, name)) for row in rows],
                marker={"color": colour, "opacity": opacity},
                hovertemplate="$%{y:,.2f}",
            )
            for name, colour, opacity in shades
        ]
    )
    figure.update_layout(
        barmode="group",
        bargap=0.35,
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 0, "t": 12, "b": 0},
        legend=_LEGEND,
        hovermode="x unified",
        dragmode=False,
        yaxis={"tickprefix": "$", "tickformat": ",", "nticks": 5, "fixedrange": True},
        xaxis={"fixedrange": True, "tickangle": 0},
    )
    return figure


def daily_margin_figure(days: Sequence[tuple[str, Fraction | None]], label: str) -> go.Figure:
    """Margin per UTC day; a day without revenue leaves a gap, not a zero."""
    figure = go.Figure(
        go.Scatter(
            x=[day for day, _ in days],
            y=[None if margin is None else 100 * float(margin) for _, margin in days],
            name=label,
            mode="lines+markers",
            line={"color": palette.PRICE, "width": 2.5},
            marker={"size": 5},
            hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
        )
    )
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 0, "t": 12, "b": 0},
        showlegend=False,
        dragmode=False,
        yaxis={"ticksuffix": " %", "nticks": 5, "fixedrange": True, "rangemode": "tozero"},
        xaxis={"type": "category", "fixedrange": True, "nticks": 5, "tickangle": 0},
    )
    return figure
