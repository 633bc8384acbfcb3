"""Credits as bars, by day or by model. Vega, so customer pages stay light.

Streamlit sends the data frame itself to the browser: it holds what is drawn and
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboards import money

_HEIGHT_PX = 220
_ROW_PX = 30


def by_day(days: Sequence[tuple[str, int]], label: str) -> alt.Chart:
    """Vertical bars for ``(2026-01-31, ucr)`` pairs; ``label`` names the measure."""
    frame = pd.DataFrame(
        {"day": [day for day, _ in days], label: [money.credits_number(ucr) for _, ucr in days]}
    )
    chart: alt.Chart = (
        alt.Chart(frame, height=_HEIGHT_PX)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(f"{label}:Q", title=None, axis=alt.Axis(tickCount=4, format=",~f")),
            tooltip=["day:O", alt.Tooltip(f"{label}:Q", format=",")],
        )
    )
    return chart


def by_name(rows: Sequence[tuple[str, int]], label: str) -> alt.Chart:
    """Horizontal bars for ``(name, ucr)`` pairs, in the order given."""
    frame = pd.DataFrame(
        {"name": [name for name, _ in rows], label: [money.credits_number(ucr) for _, ucr in rows]}
    )
    chart: alt.Chart = (
        alt.Chart(frame, height=_ROW_PX * max(1, len(rows)) + 30)
        .mark_bar(cornerRadiusTopRight=2, cornerRadiusBottomRight=2)
        .encode(
            y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=180)),
            x=alt.X(f"{label}:Q", title=None, axis=alt.Axis(tickCount=4, format=",~f")),
            tooltip=["name:N", alt.Tooltip(f"{label}:Q", format=",")],
        )
    )
    return chart
