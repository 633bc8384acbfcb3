"""What every page needs to know: which workspace, who acts, in which language.

Who acts is an actor of the economy. Without set-up that is the operating-system user,
who is admin of an embedded workspace. ``ECONOMY_DEV_ROLES=1`` adds a picker with which
a browser acts as any member of staff or customer; it is for demos and tests, says so
on every page, and only when it is on does ``?as=`` mean anything.

An identity reads ``role:name`` (``admin:ann``, ``customer:acme``); the same text
stands in the picker and in the address.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import streamlit as st

from dashboards import money
from dashboards.i18n import LANGUAGES, Translator
from dashboards.money import MILLION_TOKENS
from dashboards.server import ACTOR_VARIABLE, DEV_ROLES_VARIABLE, HOME_VARIABLE
from economy.catalog.rates import BLENDED
from economy.economy import Economy
from economy.errors import EconomyError
from economy.identity import Actor
from economy.quantities import INDEX_BY_KEY, QUANTITIES
from economy.warehouse.manifest import load_manifest

DEFAULT_HOME: Final = ".economy"
_CUSTOMER: Final = "customer:"
_LANGUAGE_BY_LABEL: Final = {label: code for code, label in LANGUAGES.items()}


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(home: str) -> Economy:
    return Economy.open(Path(home))


def economy() -> Economy:
    """The workspace of this server, opened once for all its browsers."""
    return _open(str(Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME)).resolve()))


def dev_roles() -> bool:
    return os.environ.get(DEV_ROLES_VARIABLE) == "1"


def choose_language() -> Translator:
    """The language switch of the side bar; the choice stands in the address."""
    label = st.segmented_control(
        "Language · 语言",
        list(_LANGUAGE_BY_LABEL),
        default=next(iter(_LANGUAGE_BY_LABEL)),
        required=True,
        key="lang",
        bind="query-params",
        label_visibility="collapsed",
    )
    translator = Translator(_LANGUAGE_BY_LABEL.get(str(label), ""))
    st.session_state["_translator"] = translator
    return translator


def choose_actor(t: Translator) -> Actor:
    """Who acts in this browser: the user of the machine, or whom the picker names."""
    own = own_actor()
    actor = own
    if dev_roles():
        picked = st.selectbox(t("app.acting_as"), identities(own), key="as", bind="query-params")
        actor = _actor_of(str(picked), own)
    else:
        st.caption(t("app.signed_in", name=actor.name, role=t(f"role.{actor.role}")))
    st.session_state["_actor"] = actor
    return actor


def banner(t: Translator) -> None:
    """Say on every page, on a phone too, that anybody may be acting here."""
    if dev_roles():
        st.markdown(f":orange-badge[:material/masks: {t('app.dev_roles', who=_identity(actor()))}]")


def own_actor() -> Actor:
    return economy().actor(os.environ.get(ACTOR_VARIABLE))


def identities(own: Actor) -> list[str]:
    """Everybody whom the picker offers, the machine's own user first."""
    staff = [_identity(member) for member in economy().staff()]
    customers = [_CUSTOMER + customer.name for customer in economy().customers()]
    return list(dict.fromkeys([_identity(own), *staff, *customers]))


def actor() -> Actor:
    """Who acts in this run; the pages' functions pass it on to every call."""
    chosen: Actor = st.session_state["_actor"]
    return chosen


def translator() -> Translator:
    chosen: Translator = st.session_state["_translator"]
    return chosen


def customer_in_view() -> str | None:
    """Whose screens are shown: a customer's own, or the one whom staff chose to look at.

    ``None`` when the workspace has no customers yet.
    """
    acting = actor()
    if acting.role == "customer":
        return acting.name
    names = [customer.name for customer in economy().customers()]
    if not names:
        return None
    chosen = st.selectbox(
        translator()("app.customer_in_view"), names, key="customer", bind="query-params"
    )
    return str(chosen)


def published_us() -> int:
    """When the warehouse was last published; 0 before the first time."""
    return load_manifest(economy().warehouse_dir).published_us


def unit_of(key: str) -> str:
    """The unit that a price key is priced in: ``mtok``, ``minute``, ``image``, ``request``."""
    return MILLION_TOKENS if key == BLENDED else QUANTITIES[INDEX_BY_KEY[key]].unit


def link(page: str, label: str, **query: str) -> None:
    """A link to another page by name; who acts and the language stay in the address."""
    st.page_link(
        f"app_pages/{page}.py",
        label=label,
        icon=":material/arrow_forward:",
        query_params=query or None,
    )


@contextmanager
def told() -> Iterator[None]:
    """Show an :class:`EconomyError` as a message with its way out, and go on."""
    try:
        yield
    except EconomyError as error:
        text = money.markdown(error.what)
        if error.way_out:
            text += f" — {money.markdown(error.way_out)}"
        st.error(text, icon=":material/error:")


def _identity(member: Actor) -> str:
    return f"{member.role}:{member.name}"


def _actor_of(identity: str, own: Actor) -> Actor:
    if identity == _identity(own):
        return own
    _, _, name = identity.partition(":")
    if identity.startswith(_CUSTOMER):
        return economy().customer_actor(name)
    return economy().actor(name)
