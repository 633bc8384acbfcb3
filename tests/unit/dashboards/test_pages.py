"""Pages run without a browser: on an empty workspace each says what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards
from dashboards.i18n import LANGUAGES, Translator
from dashboards.server import ACTOR_VARIABLE, DEV_ROLES_VARIABLE, HOME_VARIABLE
from economy.economy import Economy
from economy.policy import load_policy

APP = Path(dashboards.__file__).parent / "app.py"
NEXT_STEP = {
    "home": "home.empty",
    "wallet": "app.no_customers",
    "prices": "prices.empty",
    "usage": "app.no_customers",
    "lab": "lab.no_usage",
    "sheets": "sheets.none",
    "layers": "layers.no_snapshot",
}
"""What each page says where there is nothing to show, by its key."""
SECONDS_MAX = 60


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Economy:
    """A workspace with nothing in it; the person at the keyboard is its admin."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(DEV_ROLES_VARIABLE, "0")
    monkeypatch.delenv(ACTOR_VARIABLE, raising=False)
    return Economy.create(tmp_path, load_policy("founding"))


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=SECONDS_MAX)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(f"app_pages/{page}.py").run()


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", NEXT_STEP)
def test_an_empty_workspace_tells_what_to_do(page: str, language: str) -> None:
    app = opened(page, lang=LANGUAGES[language])
    assert not app.exception
    assert len(app.title) == 1
    told = [element.value for element in (*app.info, *app.markdown)]
    assert Translator(language)(NEXT_STEP[page]) in told


def test_prices_without_customers_still_open(empty: Economy) -> None:
    empty.set_up_prices(empty.actor())
    for page in NEXT_STEP:
        app = opened(page)
        assert not app.exception
        assert not app.error


def test_as_is_ignored_without_the_picker(empty: Economy, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = empty.actor()
    empty.add_staff(admin, "ben", "business")
    empty.add_staff(admin, "ada", "admin")
    monkeypatch.setenv(ACTOR_VARIABLE, "ben")
    app = AppTest.from_file(str(APP), default_timeout=SECONDS_MAX)
    app.query_params["as"] = "admin:ada"
    app.run()
    assert [caption.value for caption in app.sidebar.caption] == ["ben, business"]
    monkeypatch.setenv(DEV_ROLES_VARIABLE, "1")
    assert app.run().sidebar.selectbox(key="as").value == "admin:ada"


@pytest.mark.usefixtures("empty")
def test_an_unknown_actor_is_told_and_nothing_else_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ACTOR_VARIABLE, "nobody-here")
    app = AppTest.from_file(str(APP), default_timeout=SECONDS_MAX).run()
    assert not app.exception
    assert "nobody on the staff has this name" in app.error[0].value
    assert not app.title
