"""What was earned: Credits as customers see them, and the dollars beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final

import streamlit as st

from dashboards import money, one_request, session, tables
from dashboards.charts.layers import ProviderBars, daily_margin_figure, providers_figure
from dashboards.i18n import Translator
from economy.units import (
    BEGINNING_OF_TIME_US,
    END_OF_TIME_US,
    US_PER_DAY,
    instant_us,
)
from economy.views import staff
from economy.warehouse.layers import AdminRow, Margins, added_up

CHART_CONFIG: Final = {"displayModeBar": False}
_PROVIDERS_SHOWN: Final = 4


def draw() -> None:
    t, economy, actor = session.translator(), session.economy(), session.actor()
    st.title(t("layers.title"))
    if not session.published_us():
        st.info(t("layers.no_snapshot"), icon=":material/flag:")
        _publish(t)
        return
    from_us, to_us = _period(t)
    view = staff.layers(economy, actor, from_us, to_us)
    _answer(t, view)
    st.header(t("layers.usd_layer"))
    _usd(t, view)
    st.caption(t("layers.explain"))
    st.header(t("layers.profit_layer"))
    _profit(t, view)
    left, right = st.columns(2, gap="large")
    with left:
        st.header(t("layers.chart"))
        _providers(t, view)
    with right:
        st.header(t("layers.daily"))
        _daily(t, view)
    st.header(t("layers.credits_layer"))
    _credits(t, view)
    if view.keys:
        st.header(t("layers.keys"))
        _keys(t, view.keys)
    one_request.draw(t)
    _ledger(t, view)


def _period(t: Translator) -> tuple[int, int]:
    """Whole UTC days; both ends open unless a day is named."""
    with st.container(horizontal=True):
        first = st.date_input(t("layers.from"), None, key="from", bind="query-params", width=170)
        last = st.date_input(t("layers.to"), None, key="to", bind="query-params", width=170)
    from_us = _day_us(first) if isinstance(first, date) else BEGINNING_OF_TIME_US
    to_us = _day_us(last) + US_PER_DAY if isinstance(last, date) else END_OF_TIME_US
    return from_us, to_us


def _day_us(day: date) -> int:
    return instant_us(datetime.combine(day, time.min, UTC))


def _answer(t: Translator, view: staff.LayersView) -> None:
    total = view.usd.total
    with st.grid(4, min_column_width=200):
        for label, profit in (
            ("layers.profit_nominal", total.reference_over_list),
            ("layers.profit_basis", total.basis_over_paid),
        ):
            margin = money.percent(profit.margin)
            st.metric(
                t(label),
                money.markdown(money.usd(profit.profit_nusd)),
                t("layers.margin_is", margin=margin),
                delta_arrow="off",
                delta_color="off",
                border=True,
                height="stretch",
                help=t(f"{label}_help"),
            )
        for label, amount_ucr in (
            ("layers.credits", total.charge_ucr),
            ("layers.rounding", total.rounding_ucr),
        ):
            st.metric(t(label), money.credits(amount_ucr, 2), border=True, height="stretch")
    st.caption(t("layers.snapshot", time=money.time(view.published_us)))


def _usd(t: Translator, view: staff.LayersView) -> None:
    """Both revenues and both costs side by side, rounding apart; the total first."""
    rows = _with_total(t, view.usd.rows, view.usd.total)
    columns: dict[str, list[str]] = {
        t("layers.provider"): [row.provider for row in rows],
        t("layers.model"): [row.model for row in rows],
    }
    for name, field in (
        ("revenue_nominal", "revenue_reference_nusd"),
        ("rounding_usd", "rounding_reference_nusd"),
        ("revenue_basis", "revenue_basis_nusd"),
        ("list_cost", "list_cost_nusd"),
        ("paid_cost", "paid_cost_nusd"),
    ):
        columns[t(f"layers.{name}")] = [money.usd(getattr(row, field)) for row in rows]
    tables.draw(columns, alt=t("layers.usd_alt"), texts=2)


def _profit(t: Translator, view: staff.LayersView) -> None:
    """Profit over list cost and over what was paid out, for one way to count revenue."""
    nominal, basis = t("layers.nominal"), t("layers.basis")
    counted = st.segmented_control(
        t("layers.revenue_counted"),
        [nominal, basis],
        default=nominal,
        required=True,
        key="revenue",
        bind="query-params",
    )
    rows = _with_total(t, view.usd.rows, view.usd.total)
    ratios: tuple[tuple[str, list[Margins]], ...]
    if counted == basis:
        ratios = (
            ("list", [row.basis_over_list for row in rows]),
            ("paid", [row.basis_over_paid for row in rows]),
        )
    else:
        ratios = (
            ("list", [row.reference_over_list for row in rows]),
            ("paid", [row.reference_over_paid for row in rows]),
        )
    columns: dict[str, list[str]] = {
        t("layers.provider"): [row.provider for row in rows],
        t("layers.model"): [row.model for row in rows],
    }
    for name, found in ratios:
        columns[t(f"layers.profit_{name}")] = [money.usd(m.profit_nusd) for m in found]
        columns[t(f"layers.markup_{name}")] = [money.percent(m.markup) for m in found]
        columns[t(f"layers.margin_{name}")] = [money.percent(m.margin) for m in found]
    tables.draw(columns, alt=t("layers.profit_alt"), texts=2)


def _with_total(t: Translator, rows: Sequence[AdminRow], total: AdminRow) -> list[AdminRow]:
    ordered = sorted(rows, key=lambda row: -row.charge_ucr)
    return [replace(total, provider=t("layers.total"), model=""), *ordered]


def _providers(t: Translator, view: staff.LayersView) -> None:
    found = view.usd.by_provider()
    shown = found[:_PROVIDERS_SHOWN]
    if len(found) > len(shown):
        shown.append(added_up(found[_PROVIDERS_SHOWN:], t("layers.others")))
    rows = [
        ProviderBars(
            row.provider,
            row.revenue_reference_nusd,
            row.revenue_basis_nusd,
            row.list_cost_nusd,
            row.paid_cost_nusd,
        )
        for row in shown
    ]
    labels = {
        "revenue_reference_nusd": t("layers.revenue_nominal"),
        "revenue_basis_nusd": t("layers.revenue_basis"),
        "list_cost_nusd": t("layers.list_cost"),
        "paid_cost_nusd": t("layers.paid_cost"),
    }
    st.plotly_chart(
        providers_figure(rows, labels),
        config=CHART_CONFIG,
        key="providers",
        alt=t("layers.chart_alt"),
    )


def _daily(t: Translator, view: staff.LayersView) -> None:
    days = [(day, row.reference_over_list.margin) for day, row in view.by_day]
    st.plotly_chart(
        daily_margin_figure(days, t("layers.margin_list")),
        config=CHART_CONFIG,
        key="daily",
        alt=t("layers.daily_alt"),
    )


def _credits(t: Translator, view: staff.LayersView) -> None:
    rows = sorted(view.credits, key=lambda row: -row.charge_ucr)
    columns: dict[str, list[str]] = {
        t("layers.model"): [row.model for row in rows],
        t("layers.credits"): [money.credits(row.charge_ucr) for row in rows],
        t("layers.rounding"): [money.credits(row.charge_ucr - row.unrounded_ucr) for row in rows],
        t("layers.requests"): [money.count(row.requests) for row in rows],
        t("layers.refused"): [money.count(row.refused_requests) for row in rows],
    }
    tables.draw(columns, alt=t("layers.credits_alt"), texts=1)


def _keys(t: Translator, keys: Sequence[staff.KeyDepth]) -> None:
    columns: dict[str, list[str]] = {
        t("layers.key"): [key.key for key in keys],
        t("layers.provider"): [key.provider for key in keys],
        t("layers.owner"): [key.owner for key in keys],
        t("layers.scheme"): [key.scheme for key in keys],
        t("layers.quota"): [money.usd(key.quota_nusd) for key in keys],
        t("layers.quota_left"): [money.usd(key.left_quota_nusd, exact=True) for key in keys],
        t("layers.capacity_left"): [money.credits(key.left_capacity_ucr, 2) for key in keys],
    }
    tables.draw(columns, alt=t("layers.keys_alt"), texts=4)


def _ledger(t: Translator, view: staff.LayersView) -> None:
    st.header(t("layers.ledger"))
    behind = sum(view.behind.values())
    if behind:
        st.caption(t("layers.behind", rows=money.count(behind)))
        _publish(t)
    if st.button(t("layers.verify"), icon=":material/verified:"):
        report = session.economy().verify()
        if report.ok:
            counts = {
                "transfers": money.count(report.transfers),
                "batches": money.count(report.batches),
            }
            st.success(t("layers.verify_ok", **counts), icon=":material/check:")
        else:
            st.error(t("layers.verify_broken", fault=money.markdown(str(report.faults[0]))))


def _publish(t: Translator) -> None:
    if session.actor().role == "admin" and st.button(t("layers.publish")):
        session.economy().publish_warehouse()
        st.rerun()


draw()
