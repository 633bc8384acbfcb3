"""The page registry: who sees which pages, in which language. Nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from dashboards import session

_HERE = Path(__file__).resolve().parent
_MARK = _HERE / "static" / "mark.svg"

ICONS: Final = {
    "home": ":material/home:",
    "wallet": ":material/account_balance_wallet:",
    "prices": ":material/sell:",
    "usage": ":material/receipt_long:",
    "lab": ":material/science:",
    "sheets": ":material/fact_check:",
    "layers": ":material/layers:",
}
CUSTOMER_PAGES: Final = ("wallet", "prices", "usage")
STAFF_PAGES: Final = ("lab", "sheets", "layers")
PAGES_BY_ROLE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "customer": {"customer": CUSTOMER_PAGES},
    "business": {"staff": STAFF_PAGES},
    "analyst": {"staff": ("layers",)},
    "admin": {"staff": STAFF_PAGES, "customer_view": CUSTOMER_PAGES},
}


def main() -> None:
    st.set_page_config(page_title="Credit Economy", page_icon=str(_MARK), layout="wide")
    st.logo(str(_MARK), size="medium")
    with session.told():
        _open()


def _open() -> None:
    with st.sidebar:
        t = session.choose_language()
        actor = session.choose_actor(t)

    def page(name: str) -> st.Page:
        return st.Page(
            _HERE / "app_pages" / f"{name}.py",
            title=t(f"{name}.nav"),
            icon=ICONS[name],
            url_path=None if name == "home" else name,
            default=name == "home",
        )

    groups = {
        t(f"app.group_{group}"): [page(name) for name in names]
        for group, names in PAGES_BY_ROLE[actor.role].items()
    }
    chosen = st.navigation({"": [page("home")], **groups})
    session.banner(t)
    chosen.run()


main()
