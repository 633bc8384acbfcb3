"""Price sheets on their way to production: what differs, what the checks found, who may act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from dashboards import money, session, tables
from dashboards.i18n import Translator
from economy.pricing.lint import Finding
from economy.pricing.sheet import PriceSheet
from economy.review import Draft
from economy.units import BEGINNING_OF_TIME_US, parse_instant
from economy.views import staff

_COLOURS: Final = {
    "draft": "gray",
    "in_review": "orange",
    "approved": "blue",
    "rejected": "red",
    "in_force": "green",
    "scheduled": "blue",
    "superseded": "gray",
}
_DONE: Final = "_sheets_done"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sheet that is looked at: a draft, or a published version."""

    sheet: PriceSheet
    state: str
    draft: Draft | None
    row: staff.SheetRow | None


def draw() -> None:
    t, economy, actor = session.translator(), session.economy(), session.actor()
    st.title(t("sheets.title"))
    drafts = [(draft, state) for draft, state in economy.drafts() if state != "published"]
    rows = staff.sheets(economy, actor)
    if done := st.session_state.pop(_DONE, None):
        st.success(done, icon=":material/check:")
    _in_force(t, rows)
    chosen = _choose(t, drafts, rows)
    if chosen is not None:
        with st.container(border=True):
            _detail(t, chosen, rows)
    left, right = st.columns(2, gap="large")
    with left:
        _drafts(t, drafts)
    with right:
        _published(t, rows)


def _in_force(t: Translator, rows: Sequence[staff.SheetRow]) -> None:
    """The answer first: what holds, and what will."""
    for row in reversed(rows):
        if row.period == "superseded":
            continue
        badge = f":{_COLOURS[row.period]}-badge[{t(f'sheets.{row.period}')}]"
        st.markdown(f"{badge} **{row.sheet_id}** ({row.version}), {_since(t, row.effective_us)}")


def _since(t: Translator, effective_us: int) -> str:
    if effective_us == BEGINNING_OF_TIME_US:
        return t("home.since_beginning")
    return t("home.since", time=money.time(effective_us))


def _choose(
    t: Translator, drafts: Sequence[tuple[Draft, str]], rows: Sequence[staff.SheetRow]
) -> Chosen | None:
    """One sheet by ``?id=``; without it the newest draft, else what is in force."""
    book = {epoch.version: epoch.sheet for epoch in session.economy().price_book().epochs}
    found = {draft.sheet_id: Chosen(draft.sheet, state, draft, None) for draft, state in drafts}
    for row in rows:
        found[row.sheet_id] = Chosen(book[row.version], row.period, None, row)
    if not found:
        return None
    name = st.selectbox(t("sheets.choose"), list(found), key="id", bind="query-params")
    return found[str(name)]


def _detail(t: Translator, chosen: Chosen, rows: Sequence[staff.SheetRow]) -> None:
    state = chosen.state
    label = t(f"sheets.state_{state}") if chosen.draft else t(f"sheets.{state}")
    st.header(f"{chosen.sheet.sheet_id} :{_COLOURS[state]}-badge[{label}]", anchor=False)
    if chosen.draft is not None:
        st.caption(
            f"{t('sheets.author')}: {chosen.draft.author} · "
            f"{t('sheets.revision')} {chosen.draft.revision} · "
            f"{money.time(chosen.draft.written_us)}"
        )
    if chosen.sheet.note:
        st.markdown(money.markdown(t("sheets.note", note=chosen.sheet.note)))
    _difference(t, chosen, rows)
    if chosen.draft is not None:
        _findings(t, session.economy().lint(chosen.sheet))
        _actions(t, chosen.draft, state)
    _history(t, chosen.sheet.sheet_id)


def _difference(t: Translator, chosen: Chosen, rows: Sequence[staff.SheetRow]) -> None:
    economy, actor = session.economy(), session.actor()
    before = _sheet_before(chosen, rows)
    if before is None:
        return
    st.subheader(t("sheets.difference" if chosen.draft else "sheets.difference_before"))
    found = staff.difference(economy, actor, before, chosen.sheet)
    if not found:
        st.markdown(t("sheets.no_difference"))
        return
    columns = {
        t("sheets.col_model"): [row.model for row in found],
        t("sheets.col_quantity"): [_quantity(t, row) for row in found],
        t("sheets.col_per"): [t(f"unit.{row.unit}") for row in found],
        t("sheets.col_old"): [_price(row, row.old_ucr, row.old_direction) for row in found],
        t("sheets.col_new"): [_price(row, row.new_ucr, row.new_direction) for row in found],
        t("sheets.col_change"): [money.signed_percent(row.change) for row in found],
        t("sheets.col_markup"): [money.percent(row.markup) for row in found],
        t("sheets.col_margin"): [money.percent(row.margin) for row in found],
    }
    tables.draw(columns, texts=3, alt=t("sheets.diff_alt"))


def _sheet_before(chosen: Chosen, rows: Sequence[staff.SheetRow]) -> PriceSheet | None:
    """What a draft is compared with (in force), or a version (the one it followed)."""
    book = {epoch.version: epoch.sheet for epoch in session.economy().price_book().epochs}
    if chosen.row is None:
        live = [row for row in rows if row.period == "in_force"]
        return book[live[0].version] if live else None
    earlier = [row for row in rows if row.effective_us < chosen.row.effective_us]
    return book[earlier[0].version] if earlier else None


def _quantity(t: Translator, row: staff.SheetDiff) -> str:
    text = t(f"quantity.{row.key}")
    if row.above_input_tokens:
        text += f" ({t('prices.tier', tokens=money.count(row.above_input_tokens))})"
    return text


def _price(row: staff.SheetDiff, price_ucr: int | None, direction: str | None) -> str:
    if price_ucr is None:
        return money.NOTHING
    text = money.price(price_ucr, row.unit)
    return f"{text} {direction}" if direction else text


def _findings(t: Translator, findings: Sequence[Finding]) -> None:
    st.subheader(t("sheets.findings"))
    if not findings:
        st.markdown(t("sheets.no_findings"))
    for finding in findings:
        blocks = finding.level == "blocked"
        badge = f":{'red' if blocks else 'orange'}-badge[{t(f'sheets.finding_{finding.level}')}]"
        st.markdown(
            f"{badge} **{finding.model}** {finding.rule}: {money.markdown(finding.message)}"
        )


def _actions(t: Translator, draft: Draft, state: str) -> None:
    """What this person may do next. The economy checks it again, whatever is shown."""
    is_admin = session.actor().role == "admin"
    if state in ("draft", "rejected"):
        if st.button(
            t("sheets.submit"), type="primary", key=f"submit-{draft.sheet_id}-{draft.revision}"
        ):
            with session.told():
                session.economy().submit(session.actor(), draft.sheet_id, draft.revision)
                _done(t("sheets.done_submit"))
    elif state == "in_review":
        if session.actor().name in draft.authors:
            st.caption(t("sheets.own_draft"))
        elif not is_admin:
            st.caption(t("sheets.not_approver"))
        else:
            _review(t, draft)
    elif state == "approved" and is_admin:
        _publish(t, draft)


def _review(t: Translator, draft: Draft) -> None:
    economy, actor = session.economy(), session.actor()
    with (
        st.form(f"review-{draft.sheet_id}-{draft.revision}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        comment = st.text_input(t("sheets.comment"))
        approved = st.form_submit_button(t("sheets.approve"), type="primary")
        rejected = st.form_submit_button(t("sheets.reject"))
    with session.told():
        if approved:
            economy.approve(actor, draft.sheet_id, draft.revision, comment)
            _done(t("sheets.done_approve"))
        if rejected:
            economy.reject(actor, draft.sheet_id, draft.revision, comment)
            _done(t("sheets.done_reject", author=draft.author))


def _publish(t: Translator, draft: Draft) -> None:
    economy, actor = session.economy(), session.actor()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        now, later = t("sheets.publish_now"), t("sheets.publish_at")
        when = st.segmented_control(
            t("sheets.when"), [now, later], default=now, required=True, key="when"
        )
        instant = ""
        if when == later:
            instant = st.text_input(
                t("sheets.instant"), help=t("sheets.instant_help"), key="instant"
            )
        pressed = st.button(
            t("sheets.publish"), type="primary", key=f"publish-{draft.sheet_id}-{draft.revision}"
        )
    if pressed:
        with session.told():
            effective_us = parse_instant(instant, t("sheets.instant")) if when == later else None
            version = economy.publish_sheet(actor, draft.sheet_id, draft.revision, effective_us)
            epoch = next(e for e in economy.price_book().epochs if e.version == version)
            time = money.time(epoch.effective_us)
            _done(t("sheets.done_publish", version=version, time=time))


def _done(message: str) -> None:
    """Say it on a page that already shows the new state."""
    st.session_state[_DONE] = message
    st.rerun()


def _history(t: Translator, sheet_id: str) -> None:
    events = session.economy().review_events(sheet_id)
    if not events:
        return
    st.subheader(t("sheets.history"))
    for event in events:
        comment = f": {money.markdown(event.comment)}" if event.comment else ""
        text = t(f"sheets.event_{event.action}")
        st.caption(f"{money.time(event.recorded_us)} · {event.actor} · {text}{comment}")


def _drafts(t: Translator, drafts: Sequence[tuple[Draft, str]]) -> None:
    st.header(t("sheets.drafts"))
    if not drafts:
        st.markdown(t("sheets.none"))
        session.link("lab", t("sheets.open_lab"))
        return
    table = pd.DataFrame(
        {
            t("sheets.sheet"): [draft.sheet_id for draft, _ in drafts],
            t("sheets.state"): [t(f"sheets.state_{state}") for _, state in drafts],
            t("sheets.author"): [draft.author for draft, _ in drafts],
            t("sheets.written"): [money.time(draft.written_us) for draft, _ in drafts],
        }
    )
    st.dataframe(table, hide_index=True, alt=t("sheets.drafts_alt"))


def _published(t: Translator, rows: Sequence[staff.SheetRow]) -> None:
    st.header(t("sheets.published"))
    table = pd.DataFrame(
        {
            t("sheets.version"): [row.version for row in rows],
            t("sheets.sheet"): [row.sheet_id for row in rows],
            t("sheets.effective"): [
                t("sheets.beginning")
                if row.effective_us == BEGINNING_OF_TIME_US
                else money.time(row.effective_us)
                for row in rows
            ],
            t("sheets.state"): [t(f"sheets.{row.period}") for row in rows],
            t("sheets.publisher"): [row.publisher for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, alt=t("sheets.versions_alt"))


draw()
