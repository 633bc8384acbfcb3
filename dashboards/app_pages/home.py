"""What waits for whoever looks, and three steps to begin with. The default page."""

from __future__ import annotations

import streamlit as st

from dashboards import money, session
from dashboards.i18n import Translator
from economy.economy import Economy
from economy.identity import Actor
from economy.units import BEGINNING_OF_TIME_US
from economy.views import customer as customer_views


def draw() -> None:
    t, actor, economy = session.translator(), session.actor(), session.economy()
    st.title(t("home.title"))
    if not economy.price_book().epochs:
        st.info(t("home.empty"), icon=":material/flag:")
        return
    if actor.role == "customer":
        _for_a_customer(t, actor, economy)
    else:
        _for_staff(t, actor, economy)


def _for_a_customer(t: Translator, actor: Actor, economy: Economy) -> None:
    wallet = customer_views.wallet(economy, actor, actor.name)
    st.metric(
        t("home.balance"), t("unit.credits", amount=money.credits(wallet.balance_ucr)), border=True
    )
    cards = customer_views.prices(economy, actor)
    changes = sorted({card.next_change.effective_us for card in cards if card.next_change})
    if changes:
        st.info(
            t("home.next_price_change", time=money.time(changes[0])), icon=":material/schedule:"
        )
    else:
        st.markdown(t("home.nothing"))
    _tour(
        t,
        (
            ("tour_customer_1", "wallet"),
            ("tour_customer_2", "prices"),
            ("tour_customer_3", "usage"),
        ),
    )


def _for_staff(t: Translator, actor: Actor, economy: Economy) -> None:
    waiting = _waiting(t, actor, economy)
    for text, sheet_id in waiting:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(text, width="content")
            session.link("sheets", t("home.open_sheet"), id=sheet_id)
    if not waiting:
        st.markdown(t("home.nothing"))
    if actor.role == "analyst":
        _tour(t, (("tour_3", "layers"),))
    else:
        _tour(t, (("tour_1", "lab"), ("tour_2", "sheets"), ("tour_3", "layers")))
    _workspace(t, economy)


def _waiting(t: Translator, actor: Actor, economy: Economy) -> list[tuple[str, str]]:
    """What this person can move on, as text and the sheet that it is about."""
    found: list[tuple[str, str]] = []
    for draft, state in economy.drafts():
        name, mine = draft.sheet_id, actor.name in draft.authors
        if actor.role == "admin" and state == "in_review" and not mine:
            found.append((t("home.review_one", sheet=name, author=draft.author), name))
        elif actor.role == "admin" and state == "approved":
            found.append((t("home.publish_one", sheet=name), name))
        elif mine and state == "rejected":
            comment = economy.review_events(name)[-1].comment
            found.append((t("home.rejected_one", sheet=name, comment=comment), name))
        elif mine and state == "draft":
            found.append((t("home.draft_one", sheet=name), name))
    now_us = economy.clock.now_us()
    for epoch in economy.price_book().epochs:
        if epoch.effective_us > now_us and actor.role != "analyst":
            time = money.time(epoch.effective_us)
            text = t("home.scheduled_one", version=epoch.version, time=time)
            found.append((text, epoch.sheet.sheet_id))
    return found


def _tour(t: Translator, steps: tuple[tuple[str, str], ...]) -> None:
    st.header(t("home.tour"))
    for column, (step, page) in zip(st.columns(3), steps, strict=False):
        with column.container(border=True, height="stretch"):
            st.markdown(t(f"home.{step}"))
            st.space("stretch")
            session.link(page, t(f"{page}.nav"))


def _workspace(t: Translator, economy: Economy) -> None:
    st.header(t("home.workspace"))
    epoch = economy.price_book().sheet_at(economy.clock.now_us())
    if epoch.effective_us == BEGINNING_OF_TIME_US:
        since = t("home.since_beginning")
    else:
        since = t("home.since", time=money.time(epoch.effective_us))
    published_us = session.published_us()
    published = money.time(published_us) if published_us else t("home.never")
    st.markdown(
        f"{t('home.customers')}: **{money.count(len(economy.customers()))}**  \n"
        f"{t('home.live_version')}: **{epoch.sheet.sheet_id}** ({epoch.version}), {since}  \n"
        f"{t('home.warehouse')}: **{published}**"
    )


draw()
