"""A price sheet as a document: the same content has the same hash, nonsense is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from economy.errors import BadInput
from economy.pricing.sheet import (
    PriceLine,
    PriceSheet,
    TierPrices,
    check_sheet,
    from_document,
    to_document,
)

LINE = PriceLine(
    "a",
    {"input": 5, "output": 6},
    1_000,
    "up",
    tiers=(TierPrices(200_000, {"input": 7, "output": 8}),),
    markup=Fraction(7, 20),
    demand_factor=Fraction(1),
)
SHEET = PriceSheet("s", 10_000_000, (LINE, PriceLine("b", {"audio": 1}, 1, "down", stored=True)))


def test_a_document_gives_the_sheet_back() -> None:
    again = from_document(json.loads(SHEET.canonical_json))
    assert again == SHEET
    assert again.sha256 == SHEET.sha256


def test_any_change_changes_the_hash() -> None:
    changed = SHEET.with_lines({"a": replace(LINE, increment_ucr=2_000)})
    assert changed.sha256 != SHEET.sha256
    assert changed.line("b") == SHEET.line("b")
    joined = SHEET.with_lines({"0": PriceLine("0", {"input": 1}, 1, "up")})
    assert [line.model for line in joined.lines] == ["0", "a", "b"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "no lines"),
        ((LINE, LINE), "two lines"),
        ((replace(LINE, prices_ucr={}),), "no price"),
        ((replace(LINE, prices_ucr={"input": -500_000}),), "negative"),
        ((replace(LINE, prices_ucr={"input": 10**13}),), "beyond reason"),
        ((replace(LINE, prices_ucr={"inptu": 1}),), "unknown price key"),
        ((replace(LINE, prices_ucr={"input": 1.5}),), "integer"),  # type: ignore[dict-item]
        ((replace(LINE, increment_ucr=0),), "above zero"),
        ((replace(LINE, direction="sideways"),), "unknown rounding"),  # type: ignore[arg-type]
        ((replace(LINE, tiers=LINE.tiers * 2),), "growing sizes"),
        ((replace(LINE, tiers=(TierPrices(0, {"input": 1}),)),), "growing sizes"),
        (
            (replace(LINE, tiers=tuple(TierPrices(i, {"input": 1}) for i in range(1, 6))),),
            "context tiers",
        ),
    ],
)
def test_a_sheet_that_cannot_be_meant_is_refused(lines: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_sheet(PriceSheet("s", 1, lines), "test")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 9}, "schema_version"),
        ({"note": None}, "note"),
        ({"lines": [{}]}, "lines.0.model: Field required"),
        ({"credit_value_nusd": 1.5}, "credit_value_nusd"),
        ({"surprise": 1}, "surprise: unknown key"),
    ],
)
def test_a_foreign_document_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        from_document(to_document(SHEET) | change)
