"""The Lab's question and its answers: pure functions under the page.

A :class:`Question` names a markup and a demand factor for one model or for all. Put to
the usage that really happened it gives the *instant* answer
(:mod:`economy.views.whatif`); beside it stands the *forecast*, in which buyers react
(:mod:`dashboards.forecast`). Worked example, GPT-4 at 5 Cr per 1K over a cost of $0.03:

* today: markup 2/3, demand factor 1;
* ``Question("gpt-4", Fraction(1), Fraction(1))``: 6 Cr per 1K.

Sliders move in tenths of a percent, so a question that still stands where they began
means today's line itself, not a price 0.03 % beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from dashboards.charts.markup_curve import CurvePoint
from dashboards.forecast import volumes
from economy.errors import NotFound
from economy.views.whatif import (
    Lever,
    ModelAnswer,
    Terms,
    UsageColumns,
    WhatIf,
    lever_of,
    price_ratios,
    what_if,
    with_volumes,
)

MARKUP_LOW: Final = Fraction(-1, 2)
MARKUP_HIGH: Final = Fraction(4)
"""What the slider offers. The policy's usual range is far narrower, and warned about."""
_CURVE_POINTS: Final = 31
_CURVE_LOW: Final = Fraction(-1, 10)
_CURVE_HIGH_LEAST: Final = Fraction(2)
_ABOVE_TODAY: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Question:
    """What if ``model`` (``None``: every model) had this markup and demand factor?"""

    model: str | None
    markup: Fraction
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Answers:
    """Today, the instant answer and the forecast, each for the models in question."""

    today: ModelAnswer
    instant: ModelAnswer
    forecast: ModelAnswer
    volume: float
    """Of the forecast, relative to today's 1.0."""


def percent_of(slider: float) -> Fraction:
    """A slider's percent as an exact rate: 66.7 is 667/1000."""
    return Fraction(Decimal(str(slider))) / 100


def slider_percent(rate: Fraction) -> float:
    """The slider's nearest place for a rate, within its ends."""
    bounded = min(max(rate, MARKUP_LOW), MARKUP_HIGH)
    return round(float(100 * bounded), 1)


def standing(terms: Terms, model: str | None, today: WhatIf) -> Lever:
    """Where the sliders start. For all models: the markup of the exact prices over all usage."""
    if model is not None:
        lever = lever_of(terms, model)
        if lever is None:
            raise NotFound(
                "a model without both price and cost has no markup", field="model", value=model
            )
        return lever
    total = today.total
    if not total.cost_nusd:
        return Lever(Fraction(0))
    return Lever(Fraction(total.revenue_nusd - total.rounding_nusd, total.cost_nusd) - 1)


def levers(terms: Terms, question: Question) -> dict[str, Lever]:
    """The lines that a question moves; a model that cannot be priced anew keeps its line."""
    lever = Lever(question.markup, question.factor)
    if question.model is not None:
        return {question.model: lever}
    return {
        line.model: lever
        for line in terms.sheet.lines
        if terms.costs.at(line.model, terms.at_us) is not None
    }


def answers(
    usage: UsageColumns, model: str | None, today: WhatIf, instant: WhatIf, elasticity: float
) -> Answers:
    """Both answers for the models in question; ``instant`` may cover these alone."""
    moved = volumes(usage.shares(), _ratios(today, instant), elasticity)
    return Answers(
        today=_scope(today, model),
        instant=_scope(instant, model),
        forecast=_scope(with_volumes(instant, moved), model),
        volume=_volume(usage, moved, model),
    )


def curve_markups(today_markup: Fraction) -> tuple[Fraction, ...]:
    """Evenly spaced markups around today's, from a small loss up."""
    high = max(_CURVE_HIGH_LEAST, today_markup + _ABOVE_TODAY)
    step = (high - _CURVE_LOW) / (_CURVE_POINTS - 1)
    return tuple(_CURVE_LOW + step * i for i in range(_CURVE_POINTS))


def curve_answers(
    usage: UsageColumns,
    terms: Terms,
    model: str | None,
    factor: Fraction,
    markups: Sequence[Fraction],
) -> list[WhatIf]:
    """The instant answer at each markup: the slow part of a curve, worth keeping."""
    rated = usage if model is None else usage.only(model)
    return [
        what_if(rated, terms, levers(terms, Question(model, markup, factor))) for markup in markups
    ]


def curve(
    usage: UsageColumns,
    model: str | None,
    today: WhatIf,
    found: Mapping[Fraction, WhatIf],
    elasticity: float,
) -> list[CurvePoint]:
    """Profit at each markup if nobody reacts, and profit and volume if buyers do."""
    points = []
    for markup, instant in found.items():
        both = answers(usage, model, today, instant, elasticity)
        points.append(
            CurvePoint(markup, both.instant.profit_nusd, both.forecast.profit_nusd, both.volume)
        )
    return points


def _ratios(today: WhatIf, instant: WhatIf) -> dict[str, Fraction]:
    """Effective prices over today's, of the models that ``instant`` covers."""
    covered = {row.model for row in instant.rows}
    before = WhatIf(tuple(row for row in today.rows if row.model in covered), today.total)
    return price_ratios(before, instant)


def _scope(answer: WhatIf, model: str | None) -> ModelAnswer:
    if model is None:
        return answer.total
    return answer.row(model) or ModelAnswer(model, "")


def _volume(usage: UsageColumns, moved: Mapping[str, float], model: str | None) -> float:
    if model is not None:
        return moved.get(model, 1.0)
    return sum(share * moved.get(name, 1.0) for name, share in usage.shares().items())
