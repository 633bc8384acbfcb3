"""What a request takes in Credits: a calculator, and a card for each model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from dashboards import money, session
from dashboards.i18n import Translator
from economy.quantities import INDEX_BY_KEY, N_QUANTITIES
from economy.units import UCR_PER_CREDIT
from economy.views import customer as views

DEFAULT_MODEL: Final = "gpt-4"
_CARDS_A_ROW: Final = 3
_CARDS_A_PAGE: Final = 15
_SMALL_PRINT: Final = ("cached_input", "cache_write_5m", "cache_write_1h", "reasoning")
_MS_PER_MINUTE: Final = 60_000
# What the calculator asks for: price key, name in the address, label, start, most, step.
_TOKENS_MOST: Final = 10_000_000
_ASKED: Final = {
    "input": ("in", "prices.input_tokens", 1_000, _TOKENS_MOST, 100),
    "output": ("out", "prices.output_tokens", 500, _TOKENS_MOST, 100),
    "cached_input": ("cached", "prices.cached_tokens", 0, _TOKENS_MOST, 100),
    "audio": ("minutes", "prices.audio_minutes", 1, 1_440, 1),
    "image": ("images", "prices.images", 1, 1_000, 1),
}


def draw() -> None:
    t = session.translator()
    st.title(t("prices.title"))
    cards = views.prices(session.economy(), session.actor())
    if not cards:
        st.info(t("prices.empty"))
        return
    _notice(t, cards)
    _calculator(t, cards)
    _cards(t, cards)


def _notice(t: Translator, cards: Sequence[views.PriceCard]) -> None:
    """One line for each instant at which prices will change."""
    models: dict[int, list[str]] = {}
    for card in cards:
        if card.next_change is not None:
            models.setdefault(card.next_change.effective_us, []).append(card.model)
    for effective_us, names in sorted(models.items()):
        time = money.time(effective_us)
        if len(names) == 1:
            text = t("prices.change_notice_one", model=names[0], time=time)
        else:
            text = t("prices.change_notice", count=len(names), time=time)
        st.info(text, icon=":material/schedule:")


def _calculator(t: Translator, cards: Sequence[views.PriceCard]) -> None:
    with st.container(border=True):
        st.header(t("prices.calculator"))
        names = [card.model for card in cards]
        start = names.index(DEFAULT_MODEL) if DEFAULT_MODEL in names else 0
        with st.grid("auto", min_column_width=180):
            model = st.selectbox(
                t("prices.model"), names, index=start, key="of", bind="query-params"
            )
            tag = cards[names.index(str(model))].tag
            quantities = _ask(t, tag)
        _sum(t, str(model), tag, quantities)


def _ask(t: Translator, tag: views.PriceTag) -> list[int]:
    """The nine quantities of the request that the customer describes."""
    priced = {item.key for item in tag.prices}
    keys = {"input", "output"} if "blended" in priced else priced & set(_ASKED)
    quantities = [0] * N_QUANTITIES
    quantities[INDEX_BY_KEY["request"]] = 1
    for key, (name, label, start, most, step) in _ASKED.items():
        if key in keys:
            amount = st.number_input(t(label), 0, most, start, step, key=name, bind="query-params")
            scale = _MS_PER_MINUTE if key == "audio" else 1
            quantities[INDEX_BY_KEY[key]] = int(amount) * scale
    return quantities


def _sum(t: Translator, model: str, tag: views.PriceTag, quantities: list[int]) -> None:
    parts = _parts(t, tag, quantities)
    if not parts:
        st.markdown(t("prices.nothing_asked"))
        return
    bill = views.quote(session.economy(), session.actor(), model, quantities)
    values = {"quantity": " + ".join(parts), "amount": money.credits(bill.rated_ucr)}
    if bill.rated_ucr == bill.unrounded_ucr:
        text = t("prices.exact", **values)
    else:
        key = "prices.rounded" if bill.direction == "up" else "prices.rounded_other"
        text = t(key, **values, exact=money.credits(bill.unrounded_ucr))
    st.subheader(text)


def _parts(t: Translator, tag: views.PriceTag, quantities: list[int]) -> list[str]:
    """The request in words: a blended price counts tokens alike, others apart."""
    if any(item.key == "blended" for item in tag.prices):
        tokens = quantities[INDEX_BY_KEY["input"]] + quantities[INDEX_BY_KEY["output"]]
        return [t("prices.n_blended", count=money.count(tokens))] if tokens else []
    found = []
    for key in _ASKED:
        amount = quantities[INDEX_BY_KEY[key]] // (_MS_PER_MINUTE if key == "audio" else 1)
        if amount:
            found.append(t(f"prices.n_{key}", count=money.count(amount)))
    return found


def _cards(t: Translator, cards: Sequence[views.PriceCard]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            t("prices.search"), key="search", bind="query-params", icon=":material/search:"
        )
        provider = st.selectbox(
            t("prices.provider"),
            sorted({card.provider for card in cards}),
            index=None,
            placeholder=t("usage.all"),
            key="provider",
            bind="query-params",
        )
    found = [
        card
        for card in sorted(cards, key=lambda card: (card.provider, card.model))
        if search.lower() in card.model.lower() and provider in (None, card.provider)
    ]
    if not found:
        st.markdown(t("prices.none_found", search=search))
    pages = -(-len(found) // _CARDS_A_PAGE)
    grid = st.grid(_CARDS_A_ROW, min_column_width=240)
    number = st.pagination(pages, key="cards", bind="query-params") if pages > 1 else 1
    with grid:
        for card in found[(number - 1) * _CARDS_A_PAGE : number * _CARDS_A_PAGE]:
            with st.container(border=True, height="stretch", gap="xsmall"):
                _card(t, card)


def _card(t: Translator, card: views.PriceCard) -> None:
    st.markdown(f"**{card.model}**  :gray[{card.provider}]")
    st.markdown(_tag_text(t, card.tag))
    st.caption(_rounding_text(t, card.tag))
    if card.next_change is not None:
        change = card.next_change
        coming = t("prices.withdrawn") if change.tag is None else _tag_text(t, change.tag)
        st.markdown(f":orange-badge[{t('prices.change', time=money.time(change.effective_us))}]")
        st.markdown(coming)


def _tag_text(t: Translator, tag: views.PriceTag) -> str:
    """Prices in Markdown: what every request meets in bold, the rest small beneath."""
    lines = []
    for tier in tag.tiers:
        items = [item for item in tier.prices if item.price_ucr]
        if tier.above_input_tokens:
            above = t("prices.tier", tokens=money.count(tier.above_input_tokens))
            lines.append(f":small[:gray[{above}: {_small(t, items)}]]")
            continue
        lines += [_large(t, item) for item in items if item.key not in _SMALL_PRINT]
        small = [item for item in items if item.key in _SMALL_PRINT]
        if small:
            lines.append(f":small[:gray[{_small(t, small)}]]")
    return "  \n".join(lines)


def _large(t: Translator, item: views.PriceItem) -> str:
    amount = t("unit.credits_short", amount=money.price(item.price_ucr, item.unit))
    unit = t("prices.per", unit=t(f"unit.{item.unit}"))
    return f"{t(f'quantity.{item.key}')} **{amount}** :gray[{unit}]"


def _small(t: Translator, items: Sequence[views.PriceItem]) -> str:
    return " · ".join(
        f"{t(f'quantity.{item.key}')} {money.price(item.price_ucr, item.unit)}" for item in items
    )


def _rounding_text(t: Translator, tag: views.PriceTag) -> str:
    if tag.direction != "up":
        return t(f"prices.rounding_{tag.direction}", increment=money.credits(tag.increment_ucr))
    if tag.increment_ucr == UCR_PER_CREDIT:
        return t("prices.rounding_whole")
    return t("prices.rounding", increment=money.credits(tag.increment_ucr))


draw()
