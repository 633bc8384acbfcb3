"""The words of the pages, in English and Chinese.

``i18n/en.toml`` and ``i18n/zh.toml`` hold the same keys (a test compares them); a key
that is missing is a bug and raises. Streamlit's own labels stay English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = {"en": "English", "zh": "中文"}
DEFAULT_LANGUAGE: Final = "en"
_FOLDER = Path(__file__).resolve().parent / "i18n"


@lru_cache(maxsize=len(LANGUAGES))
def words(language: str) -> Mapping[str, str]:
    """Every text of a language by its dotted key, such as ``wallet.title``."""
    document = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flat(document, ""))


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    texts: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, str):
            texts.append((prefix + key, value))
        else:
            texts.extend(_flat(value, f"{prefix}{key}."))
    return texts


class Translator:
    """``t("wallet.title")``: the text of a key in one language, with its values put in."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self._words = words(self.language)

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)
