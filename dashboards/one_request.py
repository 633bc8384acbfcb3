"""One request in both layers: looked up by its event id, straight from the ledger."""

from __future__ import annotations

import streamlit as st

from dashboards import money, session, tables
from dashboards.i18n import Translator
from economy.errors import NotFound
from economy.ledger import UnitCode
from economy.ledger.reading import HistoryRow
from economy.metering.tracing import Trace
from economy.views.receipts import request_layers
from economy.warehouse.layers import AdminRow


def draw(t: Translator) -> None:
    """A field for the event id (kept in the address), and what the books say of it."""
    st.header(t("request.title"))
    event_id = st.text_input(
        t("request.event"), key="request", bind="query-params", placeholder="worked-request"
    ).strip()
    if not event_id:
        st.caption(t("request.explain"))
        return
    with session.told():
        try:
            found, row = request_layers(session.economy(), session.actor(), event_id)
        except NotFound:
            st.warning(t("request.unknown", event=money.markdown(event_id)))
            return
        _tell(t, found, row)


def _tell(t: Translator, found: Trace, row: AdminRow | None) -> None:
    if found.charge is None or row is None:
        st.info(t("request.held"))
    else:
        charge = found.charge
        st.markdown(
            money.markdown(
                t(
                    "request.charged",
                    customer=charge.customer,
                    model=charge.model,
                    served_by=charge.key or t("request.platform_key"),
                    credits=money.credits(charge.charge_ucr),
                    unrounded=money.credits(charge.unrounded_ucr),
                    rounding=money.credits(charge.rounding_ucr),
                )
            )
        )
        _layers(t, row)
    _story(t, [*found.transfers, *found.platform_legs])


def _layers(t: Translator, row: AdminRow) -> None:
    """List and paid-out cost side by side, nominal and by basis."""
    sides = (
        (
            "nominal",
            "list_cost",
            row.revenue_reference_nusd,
            row.list_cost_nusd,
            row.reference_over_list,
        ),
        (
            "nominal",
            "paid_cost",
            row.revenue_reference_nusd,
            row.paid_cost_nusd,
            row.reference_over_paid,
        ),
        ("basis", "list_cost", row.revenue_basis_nusd, row.list_cost_nusd, row.basis_over_list),
        ("basis", "paid_cost", row.revenue_basis_nusd, row.paid_cost_nusd, row.basis_over_paid),
    )
    columns = {
        t("layers.revenue_counted"): [t(f"layers.{revenue}") for revenue, *_ in sides],
        t("request.cost_counted"): [t(f"layers.{cost}") for _, cost, *_ in sides],
        t("request.revenue"): [money.usd(side[2], exact=True) for side in sides],
        t("request.cost"): [money.usd(side[3], exact=True) for side in sides],
        t("request.profit"): [money.usd(side[4].profit_nusd, exact=True) for side in sides],
        t("request.markup"): [money.percent(side[4].markup) for side in sides],
        t("request.margin"): [money.percent(side[4].margin) for side in sides],
    }
    tables.draw(columns, texts=2, alt=t("request.alt"))


def _story(t: Translator, rows: list[HistoryRow]) -> None:
    columns = {
        t("request.kind"): [row.code.name.lower().replace("_", " ") for row in rows],
        t("request.debit"): [row.debit for row in rows],
        t("request.credit"): [row.credit for row in rows],
        t("request.amount"): [_amount(t, row) for row in rows],
    }
    tables.draw(columns, texts=3, alt=t("request.story_alt"))


def _amount(t: Translator, row: HistoryRow) -> str:
    if row.unit == UnitCode.CR:
        return t("unit.credits", amount=money.credits(row.amount))
    return money.usd(row.amount, exact=True)
