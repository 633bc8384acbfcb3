"""Both languages say the same things: equal keys, equal values to put in."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import dashboards
from dashboards.i18n import LANGUAGES, Translator, words

SOURCES = sorted(Path(dashboards.__file__).parent.rglob("*.py"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = words("en"), words("zh")
    assert set(english) == set(chinese)


def test_both_languages_put_in_the_same_values() -> None:
    english, chinese = words("en"), words("zh")
    assert {k: fields(v) for k, v in english.items()} == {k: fields(v) for k, v in chinese.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in words(language).items() if not text.strip()] == []


def test_every_key_that_a_page_asks_for_exists() -> None:
    asked = {
        key
        for source in SOURCES
        for key in re.findall(r'\bt\(\s*"([a-z0-9_.]+)"', source.read_text(encoding="utf-8"))
    }
    assert asked
    assert asked - set(words("en")) == set()


def test_a_missing_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Translator("en")("nothing.of.the.kind")


def test_an_unknown_language_falls_to_english() -> None:
    assert Translator("tlh").language == "en"
