"""Profit and volume against markup: where today stands, and where the slider stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards import money
from dashboards.charts import palette

_HEIGHT_PX = 320
_VOLUME_PERCENT_LEAST = 200


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One markup: profit if nobody reacts, profit and volume if buyers do."""

    markup: Fraction
    profit_instant_nusd: int
    profit_forecast_nusd: int
    volume_forecast: float
    """Relative to today's, 1.0."""


def curve_figure(
    points: Sequence[CurvePoint],
    today_markup: Fraction,
    chosen_markup: Fraction,
    labels: Mapping[str, str],
) -> go.Figure:
    """``labels``: instant, forecast, volume, today, chosen, markup, profit."""
    highest = max(point.volume_forecast for point in points)
    most_percent = max(_VOLUME_PERCENT_LEAST, 100 * math.ceil(highest))
    markups = [100 * float(point.markup) for point in points]
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    figure.add_trace(
        go.Scatter(
            x=markups,
            y=[100 * point.volume_forecast for point in points],
            name=labels["volume"],
            line={"color": palette.TODAY, "width": 1.5, "dash": "dot"},
            hovertemplate="%{y:.0f} %",
        ),
        secondary_y=True,
    )
    for name, colour, amounts in (
        ("instant", palette.PRICE, [point.profit_instant_nusd for point in points]),
        ("forecast", palette.FORECAST, [point.profit_forecast_nusd for point in points]),
    ):
        figure.add_trace(
            go.Scatter(
                x=markups,
                y=[money.usd_number(amount) for amount in amounts],
                name=labels[name],
                line={"color": colour, "width": 2.5},
                hovertemplate="$%{y:,.2f}",
            ),
            secondary_y=False,
        )
    _mark(figure, today_markup, labels["today"], palette.TODAY, "top left")
    if chosen_markup != today_markup:
        _mark(figure, chosen_markup, labels["chosen"], palette.ROUNDING, "top right")
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 0, "t": 28, "b": 0},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        hovermode="x unified",
        dragmode=False,
    )
    figure.update_xaxes(title_text=labels["markup"], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(
        title_text=labels["profit"],
        tickprefix="$",
        tickformat=",",
        secondary_y=False,
        fixedrange=True,
        nticks=6,
    )
    figure.update_yaxes(
        ticksuffix=" %",
        secondary_y=True,
        showgrid=False,
        fixedrange=True,
        range=[0, most_percent],
        dtick=most_percent // 4,
    )
    return figure


def _mark(figure: go.Figure, markup: Fraction, text: str, colour: str, position: str) -> None:
    figure.add_vline(
        x=100 * float(markup),
        line={"color": colour, "width": 1.5, "dash": "dash"},
        annotation_text=text,
        annotation_position=position,
        annotation_font_color=colour,
    )
