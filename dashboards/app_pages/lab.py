"""What would another markup bring? The answer from real usage, beside a forecast."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from dashboards import lab, money, session, tables
from dashboards.charts.markup_curve import curve_figure
from dashboards.charts.waterfall import price_to_profit, waterfall_figure
from dashboards.forecast import ELASTICITY_DEFAULT
from dashboards.i18n import Translator
from dashboards.stored import newest_shock
from economy.errors import NotFound
from economy.pricing.sheet import PriceSheet
from economy.units import NUSD_PER_USD, day_text
from economy.views import staff
from economy.views.whatif import (
    Lever,
    Terms,
    UsageColumns,
    WhatIf,
    changed_sheet,
    what_if,
)
from simulations.commands import interval_text
from simulations.studies.shock import ShockTable

CHART_CONFIG: Final = {"displayModeBar": False}
_ELASTICITY_LOW: Final = -1.8
_FACTOR_LOW, _FACTOR_HIGH, _FACTOR_STEP = 0.5, 2.0, 0.05
_MARKUP_STEP: Final = 0.1
_ELASTICITY_STEP: Final = 0.1
_CURVES_KEPT: Final = 64
_TO_TODAY: Final = "_lab_to_today"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the controls say, what it is asked of, and whether they stand where they began."""

    question: lab.Question
    elasticity: float
    version: int
    terms: Terms
    today: WhatIf
    today_markup: Fraction
    moved: bool


@st.cache_data(show_spinner=False, max_entries=_CURVES_KEPT)
def _curve_answers(
    _usage: UsageColumns,
    _terms: Terms,
    key: tuple[str | int, ...],  # noqa: ARG001 (what the two above were made of)
    model: str | None,
    factor: Fraction,
    markups: tuple[Fraction, ...],
) -> list[WhatIf]:
    return lab.curve_answers(_usage, _terms, model, factor, markups)


def draw() -> None:
    t, economy = session.translator(), session.economy()
    st.title(t("lab.title"))
    usage = staff.lab_usage(economy, session.actor()) if session.published_us() else None
    if usage is None or not len(usage):
        st.info(t("lab.no_usage"), icon=":material/flag:")
        return
    controls, answer = st.columns([1, 2.4], gap="large")
    with controls:
        asked = _controls(t, usage)
    moved = lab.levers(asked.terms, asked.question) if asked.moved else {}
    instant = what_if(usage, asked.terms, moved)
    model = asked.question.model
    found = lab.answers(usage, model, asked.today, instant, asked.elasticity)
    sheet = changed_sheet(asked.terms, moved)
    with answer:
        _answer(t, usage, asked, sheet, found)
        _waterfall(t, found)
    _curve(t, usage, asked, found)
    if model is None and len(instant.rows) > 1:
        _by_model(t, asked.today, instant)
    _draft(t, asked, sheet)
    study = newest_shock(economy.home)
    if study is not None:
        _study(t, study)


def _controls(t: Translator, usage: UsageColumns) -> Asked:
    economy, actor = session.economy(), session.actor()
    model = st.selectbox(
        t("lab.model"),
        usage.models,
        index=None,
        placeholder=t("lab.all_models"),
        key="model",
        bind="query-params",
        on_change=_ask_for_today,
    )
    sliders = st.container()
    rows = staff.sheets(economy, actor)
    versions = {t("lab.base_version", version=row.version): row for row in rows}
    live = next(place for place, row in enumerate(rows) if row.period == "in_force")
    label = st.selectbox(
        t("lab.base"),
        list(versions),
        index=live,
        key="base",
        bind="query-params",
        on_change=_ask_for_today,
    )
    version = versions[str(label)].version
    terms = staff.lab_terms(economy, actor, version)
    today = what_if(usage, terms)
    start = lab.standing(terms, model, today)
    with sliders:
        question, elasticity, moved = _sliders(t, model, start)
    _share(t, question, elasticity, str(label))
    return Asked(question, elasticity, version, terms, today, start.markup, moved)


def _sliders(t: Translator, model: str | None, start: Lever) -> tuple[lab.Question, float, bool]:
    """Markup, demand factor and sensitivity; true if one of the first two has moved."""
    usual = session.economy().policy.pricing
    at_start = lab.slider_percent(start.markup)
    factor_at_start = min(max(round(float(start.demand_factor), 2), _FACTOR_LOW), _FACTOR_HIGH)
    if st.session_state.pop(_TO_TODAY, False):
        st.session_state["markup"] = at_start
        st.session_state["factor"] = factor_at_start
    markup = st.slider(
        t("lab.markup"),
        float(100 * lab.MARKUP_LOW),
        float(100 * lab.MARKUP_HIGH),
        at_start,
        _MARKUP_STEP,
        format="%.1f %%",
        key="markup",
        bind="query-params",
        help=t(
            "lab.markup_help",
            low=money.percent(usual.markup_range.low),
            high=money.percent(usual.markup_range.high),
        ),
    )
    factor = st.slider(
        t("lab.factor"),
        _FACTOR_LOW,
        _FACTOR_HIGH,
        factor_at_start,
        _FACTOR_STEP,
        key="factor",
        bind="query-params",
        help=t(
            "lab.factor_help",
            low=float(usual.demand_factor_range.low),
            high=float(usual.demand_factor_range.high),
        ),
    )
    elasticity = st.slider(
        t("lab.elasticity"),
        _ELASTICITY_LOW,
        0.0,
        ELASTICITY_DEFAULT,
        _ELASTICITY_STEP,
        key="elasticity",
        bind="query-params",
        help=t("lab.elasticity_help"),
    )
    question = lab.Question(
        model,
        start.markup if markup == at_start else lab.percent_of(markup),
        start.demand_factor if factor == factor_at_start else lab.percent_of(100 * factor),
    )
    return question, elasticity, (markup, factor) != (at_start, factor_at_start)


def _ask_for_today() -> None:
    """Another model or base has a markup of its own: the sliders will start there."""
    st.session_state[_TO_TODAY] = True


def _share(t: Translator, question: lab.Question, elasticity: float, base: str) -> None:
    """The whole question as a link: values at their start vanish from the address."""
    values = {
        "markup": lab.slider_percent(question.markup),
        "factor": round(float(question.factor), 2),
        "elasticity": elasticity,
        "base": base,
    }
    if question.model is not None:
        values["model"] = question.model
    kept = {"lang": st.query_params["lang"]} if "lang" in st.query_params else {}
    address = str(st.context.url or "").partition("?")[0]
    with st.popover(t("lab.share"), icon=":material/link:"):
        st.caption(t("lab.share_hint"))
        st.code(f"{address}?{urlencode(kept | values)}", language=None, wrap_lines=True)


def _answer(
    t: Translator, usage: UsageColumns, asked: Asked, sheet: PriceSheet, found: lab.Answers
) -> None:
    left, right = st.columns(2)
    requests = money.count(found.today.requests)
    for column, name, answer in (
        (left, "instant", found.instant),
        (right, "forecast", found.forecast),
    ):
        with column.container(border=True, height="stretch"):
            st.subheader(t(f"lab.{name}"), help=t(f"lab.{name}_help", requests=requests))
            change = answer.profit_nusd - found.today.profit_nusd
            st.metric(
                t("lab.profit"),
                money.markdown(money.usd(answer.profit_nusd)),
                # The arrow's direction is read from an ASCII minus sign.
                money.signed_usd(change).replace(money.MINUS, "-") if change else 0,
                delta_description=t("lab.today", value=money.usd(found.today.profit_nusd)),
            )
            volume = 100 * found.volume if name == "forecast" else 100.0
            st.markdown(
                money.markdown(
                    f"{t('lab.revenue')} **{money.usd(answer.revenue_nusd)}** · "
                    f"{t('lab.volume')} **{volume:.1f} %**  \n"
                    f"{t('lab.margin')} **{money.percent(answer.nominal.margin)}**"
                )
            )
    if asked.question.model is not None:
        st.markdown(_price_text(t, asked.terms.sheet, sheet, asked.question.model))
    if not asked.moved:
        st.caption(t("lab.unchanged"))
    span = f"{day_text(usage.first_us)} – {day_text(usage.last_us)}"
    st.caption(t("lab.reference_note", requests=requests, days=span))


def _price_text(t: Translator, before: PriceSheet, sheet: PriceSheet, model: str) -> str:
    """Each price of the model, new and today's."""
    old, new = before.line(model), sheet.line(model)
    if old is None or new is None:
        raise NotFound("this model has no price", field="model", value=model)
    parts = []
    for key, price_ucr in new.prices_ucr.items():
        unit = session.unit_of(key)
        text = f"{t(f'quantity.{key}')} **{money.price(price_ucr, unit)}**"
        before_ucr = old.prices_ucr.get(key)
        if before_ucr is not None and before_ucr != price_ucr:
            text += f" ({t('lab.today', value=money.price(before_ucr, unit))})"
        parts.append(f"{text} :gray[{t('prices.per', unit=t(f'unit.{unit}'))}]")
    return f"{t('lab.new_price')}, Cr: " + " · ".join(parts)


def _waterfall(t: Translator, found: lab.Answers) -> None:
    st.header(t("lab.waterfall"))
    answer = found.instant
    steps = price_to_profit(
        answer.revenue_nusd - answer.rounding_nusd, answer.rounding_nusd, answer.cost_nusd
    )
    amounts = {step.name: money.usd(abs(step.amount_nusd)) for step in steps}
    st.plotly_chart(
        waterfall_figure(steps, {step.name: t(f"lab.step_{step.name}") for step in steps}),
        config=CHART_CONFIG,
        key="waterfall",
        alt=t("lab.waterfall_alt", **amounts),
    )


def _curve(t: Translator, usage: UsageColumns, asked: Asked, found: lab.Answers) -> None:
    st.header(t("lab.curve"))
    question, terms = asked.question, asked.terms
    key = (
        str(session.economy().home),
        usage.published_us,
        asked.version,
        terms.cost_version,
    )
    markups = lab.curve_markups(asked.today_markup)
    instants = _curve_answers(usage, terms, key, question.model, question.factor, markups)
    points = lab.curve(
        usage,
        question.model,
        asked.today,
        dict(zip(markups, instants, strict=True)),
        asked.elasticity,
    )
    labels = {
        "instant": t("lab.instant"),
        "forecast": t("lab.forecast"),
        "volume": t("lab.curve_volume"),
        "today": t("lab.curve_today"),
        "chosen": t("lab.curve_chosen"),
        "markup": t("lab.markup"),
        "profit": t("lab.curve_profit"),
    }
    st.plotly_chart(
        curve_figure(points, asked.today_markup, question.markup, labels),
        config=CHART_CONFIG,
        key="curve",
        alt=t(
            "lab.curve_alt",
            today=money.usd(found.today.profit_nusd),
            chosen=money.usd(found.instant.profit_nusd),
        ),
    )


def _by_model(t: Translator, today: WhatIf, instant: WhatIf) -> None:
    st.header(t("lab.per_model"))
    before = {row.model: row.profit_nusd for row in today.rows}
    rows = sorted(instant.rows, key=lambda row: -row.revenue_nusd)
    columns = {
        t("lab.col_model"): [row.model for row in rows],
        t("lab.col_credits"): [money.credits(row.charge_ucr, 2) for row in rows],
        t("lab.col_rounding"): [money.credits(row.rounding_ucr, 2) for row in rows],
        t("lab.col_revenue"): [money.usd(row.revenue_nusd) for row in rows],
        t("lab.col_cost"): [money.usd(row.cost_nusd) for row in rows],
        t("lab.col_profit"): [money.usd(row.profit_nusd) for row in rows],
        t("lab.col_change"): [
            money.signed_usd(row.profit_nusd - before[row.model]) for row in rows
        ],
        t("lab.col_markup"): [money.percent(row.nominal.markup) for row in rows],
        t("lab.col_margin"): [money.percent(row.nominal.margin) for row in rows],
    }
    tables.draw(columns, texts=1, alt=t("lab.table_alt"))


def _draft(t: Translator, asked: Asked, sheet: PriceSheet) -> None:
    st.header(t("lab.make_draft"))
    if not asked.moved:
        st.caption(t("lab.draft_nothing"))
        return
    if asked.question.model is None:
        st.warning(t("lab.draft_all"))
    with st.form("draft", border=True):
        scope = asked.question.model or "all"
        percent = lab.slider_percent(asked.question.markup)
        suggested = re.sub(r"[^a-z0-9]+", "-", f"{scope}-{percent:g}".lower()).strip("-")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(t("lab.draft_name"), suggested)
            note = st.text_input(t("lab.draft_note"))
            pressed = st.form_submit_button(t("lab.make_draft"), type="primary")
    if pressed:
        with session.told():
            draft = session.economy().save_draft(
                session.actor(),
                replace(sheet, sheet_id=name.strip(), note=note.strip()),
                base_version=asked.version,
            )
            st.success(t("lab.draft_made", sheet=draft.sheet_id), icon=":material/check:")
            session.link("sheets", t("lab.draft_open"), id=draft.sheet_id)


def _study(t: Translator, study: ShockTable) -> None:
    """The stored simulation of a provider's price move: levels, and paired differences."""
    st.header(t("lab.simulation", scenario=study.scenario))
    st.markdown(money.markdown(study.question))
    columns: dict[str, list[str]] = {t("lab.simulation_answer"): [row.answer for row in study.rows]}
    for measure, scale in (("profit_nusd", NUSD_PER_USD), ("served", 1), ("refused", 1)):
        found = [row.measures[measure] for row in study.rows]
        name = t(f"lab.measure_{measure}")
        columns[name] = [interval_text(one.level, scale) for one in found]
        columns[f"Δ {name}"] = [
            money.NOTHING
            if one.difference is None
            else interval_text(one.difference, scale, "+")
            + (f" {t('lab.sign_unknown')}" if one.difference.crosses_zero else "")
            for one in found
        ]
    tables.draw(columns, texts=1, alt=t("lab.simulation_alt"))
    st.caption(
        t("lab.simulation_caption", replications=study.replications, baseline=study.baseline)
    )


draw()
