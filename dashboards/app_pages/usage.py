"""What a customer used: a selection that stands in the address, receipts, a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboards import money, session
from dashboards.charts import bars
from dashboards.i18n import Translator
from economy.errors import NotFound
from economy.units import BEGINNING_OF_TIME_US, US_PER_DAY, credits_text, instant_text
from economy.views import customer as views

ROWS_A_PAGE: Final = 50
_MODELS_SHOWN: Final = 5
_DAYS: Final = {"days_7": 7, "days_30": 30, "all": None}
_STATUSES: Final[tuple[views.ChargeStatus, ...]] = ("charged", "refused", "failed")


def draw() -> None:
    t = session.translator()
    st.title(t("usage.title"))
    customer = session.customer_in_view()
    if customer is None:
        st.info(t("app.no_customers"))
        return
    economy, actor = session.economy(), session.actor()
    everything = views.usage(economy, actor, customer, limit=1)
    chosen = _filters(t, everything.models)
    selection = views.usage(economy, actor, customer, **chosen, limit=ROWS_A_PAGE)
    with st.grid(2):
        amount = t("unit.credits", amount=money.credits(selection.charge_ucr))
        st.metric(t("usage.total"), amount, border=True)
        st.metric(t("usage.requests"), money.count(selection.total), border=True)
    if not selection.total:
        st.markdown(t("usage.none"))
        return
    _charts(t, selection)

    def page_at(offset: int, limit: int) -> views.UsagePage:
        return views.usage(economy, actor, customer, **chosen, offset=offset, limit=limit)

    charge_id = _table(t, selection.total, page_at)
    if charge_id is not None:
        try:
            _receipt(t, views.receipt(economy, actor, customer, charge_id))
        except NotFound:
            st.warning(t("usage.not_found", receipt=charge_id))


def _filters(t: Translator, models: tuple[str, ...]) -> dict[str, Any]:
    """Period, model and status, each bound to the address."""
    with st.container(horizontal=True):
        labels = {t(f"usage.{key}"): days for key, days in _DAYS.items()}
        period = st.segmented_control(
            t("usage.period"),
            list(labels),
            default=t("usage.all"),
            required=True,
            key="period",
            bind="query-params",
        )
        model = st.selectbox(
            t("usage.model"),
            models,
            index=None,
            placeholder=t("usage.all_models"),
            key="used",
            bind="query-params",
        )
        names = {t(f"usage.{status}"): status for status in _STATUSES}
        status = st.selectbox(
            t("usage.status"),
            list(names),
            index=None,
            placeholder=t("usage.all_statuses"),
            key="status",
            bind="query-params",
        )
    days = labels.get(str(period))
    now_us = session.economy().clock.now_us()
    return {
        "from_us": BEGINNING_OF_TIME_US if days is None else now_us - days * US_PER_DAY,
        "model": model,
        "status": names.get(str(status)),
    }


def _charts(t: Translator, selection: views.UsagePage) -> None:
    label = t("usage.credits")
    left, right = st.columns(2, gap="large")
    with left:
        st.header(t("usage.by_day"))
        days = [(day.day, day.charge_ucr) for day in selection.by_day]
        st.altair_chart(bars.by_day(days, label), alt=t("usage.day_alt"))
    with right:
        st.header(t("usage.by_model"))
        models = [(spend.model, spend.charge_ucr) for spend in selection.by_model]
        rest_ucr = sum(charge_ucr for _, charge_ucr in models[_MODELS_SHOWN:])
        models = models[:_MODELS_SHOWN]
        if rest_ucr:
            models.append((t("usage.others"), rest_ucr))
        alt = t("usage.model_alt", model=models[0][0])
        st.altair_chart(bars.by_name(models, label), alt=alt)


def _table(t: Translator, total: int, page_at: Callable[[int, int], views.UsagePage]) -> int | None:
    """Draw one page of requests; the receipt that was asked for, if any."""
    table, foot = st.container(), st.container(horizontal=True, vertical_alignment="center")
    with foot:
        pages = -(-total // ROWS_A_PAGE)
        number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
        page = page_at((number - 1) * ROWS_A_PAGE, ROWS_A_PAGE)
        last = page.first + len(page.rows) - 1
        st.caption(t("usage.shown", first=page.first, last=last, total=money.count(total)))
        st.download_button(
            t("usage.csv"),
            lambda: _csv(page_at(0, views.MAX_PAGE_ROWS)),
            file_name="usage.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    rows = pd.DataFrame(
        {
            t("usage.time"): [money.time(row.time_us) for row in page.rows],
            t("usage.credits"): [money.credits_number(row.charge_ucr) for row in page.rows],
            t("usage.model"): [row.model for row in page.rows],
            t("usage.quantity"): [_quantities(t, row) for row in page.rows],
            t("usage.status"): [t(f"usage.{row.status}") for row in page.rows],
            t("usage.receipt"): [row.charge_id for row in page.rows],
        }
    )
    with table:
        st.caption(t("usage.select_hint"))
        picked = st.dataframe(
            rows,
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key="requests",
            alt=t("usage.table_alt"),
        )
    chosen = picked["selection"]["rows"]
    return page.rows[chosen[0]].charge_id if chosen and chosen[0] < len(page.rows) else None


def _quantities(t: Translator, row: views.UsageRow) -> str:
    return ", ".join(
        f"{t(f'quantity.{key}')} {money.count(amount)}"
        for key, amount in row.quantities
        if key != "request"
    )


def _csv(page: views.UsagePage) -> bytes:
    """The selection as it is in the store: exact Credits, times in UTC."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["receipt", "event_id", "time", "model", "quantities", "credits", "status"])
    for row in page.rows:
        quantities = " ".join(f"{key}={amount}" for key, amount in row.quantities)
        rows.writerow(
            [
                *(row.charge_id, row.event_id, instant_text(row.time_us), row.model),
                *(quantities, credits_text(row.charge_ucr), row.status),
            ]
        )
    return text.getvalue().encode()


def _receipt(t: Translator, receipt: views.ReceiptView) -> None:
    bill = receipt.bill
    with st.container(border=True):
        st.subheader(t("usage.receipt_title", receipt=receipt.charge_id))
        st.caption(
            f"{money.time(receipt.time_us)} · {bill.model} · {receipt.event_id} · "
            + t("usage.sheet", version=receipt.sheet_version, sha256=receipt.sheet_sha256[:12])
        )
        rows = [
            (
                f"{t(f'quantity.{line.key}')}: "
                + t(
                    "usage.line",
                    count=money.count(line.quantity),
                    price=money.price(line.price_ucr, line.unit),
                    unit=t(f"unit.{line.unit}"),
                ),
                money.credits(line.amount_ucr),
            )
            for line in bill.lines
        ]
        rows.append((t("usage.sum"), money.credits(bill.unrounded_ucr)))
        if receipt.status == "charged":
            rounding_ucr = receipt.charge_ucr - bill.unrounded_ucr
            rows.append((t("usage.rounding"), money.signed_credits(rounding_ucr)))
        rows.append((f"**{t('usage.charge')}**", f"**{money.credits(receipt.charge_ucr)}**"))
        st.table(
            pd.DataFrame(rows, columns=["", t("usage.credits")]),
            border="horizontal",
            hide_index=True,
            width="content",
        )
        if receipt.status != "charged":
            st.caption(t(f"usage.{receipt.status}"))


draw()
