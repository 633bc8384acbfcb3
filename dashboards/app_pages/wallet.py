"""A customer's Credits: what is left, where it came from, how fast it goes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import money, session
from dashboards.charts import bars
from dashboards.i18n import Translator
from economy.views import customer as views


def draw() -> None:
    t = session.translator()
    st.title(t("wallet.title"))
    customer = session.customer_in_view()
    if customer is None:
        st.info(t("app.no_customers"))
        return
    wallet = views.wallet(session.economy(), session.actor(), customer)
    _answer(t, wallet)
    st.header(t("wallet.by_day"))
    _spending(t, wallet)
    left, right = st.columns(2, gap="large")
    with left:
        st.header(t("wallet.by_origin"))
        _origins(t, wallet)
    with right:
        st.header(t("wallet.top_up"))
        _packs(t)


def _answer(t: Translator, wallet: views.WalletView) -> None:
    with st.grid(3):
        for label, amount_ucr in (
            ("wallet.balance", wallet.balance_ucr),
            ("wallet.spent_today", wallet.spent_today_ucr),
            ("wallet.spent_7d", wallet.spent_7d_ucr),
        ):
            st.metric(t(label), t("unit.credits", amount=money.credits(amount_ucr)), border=True)
    if wallet.held_ucr:
        held = t("unit.credits", amount=money.credits(wallet.held_ucr))
        st.caption(t("wallet.held", amount=held))


def _spending(t: Translator, wallet: views.WalletView) -> None:
    days = [(day.day, day.charge_ucr) for day in wallet.spent_by_day]
    peak, most_ucr = max(days, key=lambda day: day[1])
    if most_ucr == 0:
        st.markdown(t("wallet.no_spending"))
        return
    st.altair_chart(
        bars.by_day(days, t("usage.credits")),
        alt=t("wallet.chart_alt", days=len(days), peak=peak),
    )


def _origins(t: Translator, wallet: views.WalletView) -> None:
    rows = [
        {
            t("wallet.by_origin"): t(f"origin.{origin.origin}"),
            t("usage.credits"): money.credits(origin.available_ucr),
            " ": t("wallet.never_expires")
            if origin.expires_us is None
            else t("wallet.expires", time=money.time(origin.expires_us)),
        }
        for origin in wallet.by_origin
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, hide_header=True)


def _packs(t: Translator) -> None:
    rows = [
        {
            t("wallet.pack"): pack.name.capitalize(),
            t("usage.credits"): t("unit.credits", amount=money.credits(pack.credits_ucr)),
        }
        for pack in views.packs(session.economy(), session.actor())
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, hide_header=True)
    st.caption(t("wallet.buy_hint"))


draw()
