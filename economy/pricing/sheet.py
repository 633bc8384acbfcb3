"""A price sheet: what a request costs in Credits, as one immutable, hashed document.

A *line* prices one model. Its prices are integers, micro-credits for ``per`` units of a
quantity (see :mod:`economy.quantities`): GPT-4 at 5 Cr per 1K tokens is
5_000_000_000 ucr per Mtok. A *blended* line has one price for every kind of token. A
line may hold context tiers: above a number of input tokens, *all* tokens of the request
are at the tier's prices (the providers' own rule).

A line carries the inputs that made it (cost version, markup, demand factor), so a
price can explain itself. The sheet's SHA-256 is taken over its canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt, ValidationError, field_validator

from economy.catalog.rates import BLENDED, MAX_AMOUNT, price_columns
from economy.errors import BadInput
from economy.policy import Table, first_fault
from economy.quantities import INDEX_BY_KEY, MAX_PRICE

SCHEMA_VERSION = 1
MAX_TIERS = 4

Direction = Literal["up", "down", "half_even"]


@dataclass(frozen=True, slots=True)
class TierPrices:
    """Prices that hold when a request's input exceeds ``above_input_tokens``."""

    above_input_tokens: int
    prices_ucr: dict[str, int]


@dataclass(frozen=True, slots=True)
class PriceLine:
    """The prices of one model.

    ``prices_ucr`` maps a price key (``input``, ``output``, ``cached_input``, ...,
    ``audio``, ``image``, ``request``) to ucr per its unit; a blended line has the one key
    ``blended`` (ucr per Mtok of any token). A missing ``cached_input`` or cache write
    falls back to ``input`` and ``reasoning`` to ``output``; any other missing key means
    that the line does not price that quantity.
    ``increment_ucr`` and ``direction`` round the sum of a request, once.
    """

    model: str
    prices_ucr: dict[str, int]
    increment_ucr: int
    direction: Direction
    tiers: tuple[TierPrices, ...] = ()
    stored: bool = False
    """The price was set by a person; otherwise the formula made it from the inputs."""
    cost_version: int = 0
    markup: Fraction | None = None
    demand_factor: Fraction | None = None

    @property
    def blended(self) -> bool:
        return BLENDED in self.prices_ucr

    def prices_at(self, input_tokens: int) -> dict[str, int]:
        """The prices that hold for a request with that much input in all."""
        prices = self.prices_ucr
        for tier in self.tiers:
            if input_tokens > tier.above_input_tokens:
                prices = tier.prices_ucr
        return prices

    def price_columns(self, prices_ucr: dict[str, int] | None = None) -> list[int]:
        """Prices in the order of QUANTITIES; -1 where the line prices nothing."""
        return price_columns(self.prices_ucr if prices_ucr is None else prices_ucr)


@dataclass(frozen=True)
class PriceSheet:
    """An immutable set of price lines, one per model, sorted by model."""

    sheet_id: str
    credit_value_nusd: int
    lines: tuple[PriceLine, ...]
    note: str = ""
    schema_version: int = field(default=SCHEMA_VERSION)

    def line(self, model: str) -> PriceLine | None:
        return self._by_model.get(model)

    def with_lines(self, changed: dict[str, PriceLine]) -> PriceSheet:
        """A copy in which the lines of ``changed`` replace (or join) those of their models."""
        lines = dict(self._by_model) | changed
        return replace(self, lines=tuple(lines[model] for model in sorted(lines)))

    @cached_property
    def _by_model(self) -> dict[str, PriceLine]:
        return {line.model: line for line in self.lines}

    @cached_property
    def canonical_json(self) -> str:
        """The document that the hash is taken over: sorted keys, no spaces, no floats."""
        return json.dumps(to_document(self), sort_keys=True, separators=(",", ":"))

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()


def to_document(sheet: PriceSheet) -> dict[str, Any]:
    """The sheet as plain JSON values (integers and strings; fractions as ``"7/20"``)."""
    return {
        "schema_version": sheet.schema_version,
        "sheet_id": sheet.sheet_id,
        "credit_value_nusd": sheet.credit_value_nusd,
        "note": sheet.note,
        "lines": [_line_document(line) for line in sheet.lines],
    }


def _line_document(line: PriceLine) -> dict[str, Any]:
    return {
        "model": line.model,
        "prices_ucr": dict(line.prices_ucr),
        "tiers": [
            {"above_input_tokens": tier.above_input_tokens, "prices_ucr": dict(tier.prices_ucr)}
            for tier in line.tiers
        ],
        "increment_ucr": line.increment_ucr,
        "direction": line.direction,
        "stored": line.stored,
        "cost_version": line.cost_version,
        "markup": None if line.markup is None else str(line.markup),
        "demand_factor": None if line.demand_factor is None else str(line.demand_factor),
    }


class _TierForm(Table):
    above_input_tokens: StrictInt
    prices_ucr: dict[str, StrictInt]


class _LineForm(Table):
    model: str = Field(min_length=1)
    prices_ucr: dict[str, StrictInt]
    tiers: tuple[_TierForm, ...]
    increment_ucr: StrictInt
    direction: Direction
    stored: StrictBool
    cost_version: StrictInt
    markup: str | None
    demand_factor: str | None

    @field_validator("markup", "demand_factor")
    @classmethod
    def _is_a_fraction(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                Fraction(text)
            except ZeroDivisionError:
                raise ValueError("is no fraction: it divides by zero") from None
        return text


class _SheetForm(Table):
    """The document that :func:`to_document` writes: integers stay integers, keys are known."""

    schema_version: Literal[1]
    sheet_id: str = Field(min_length=1)
    credit_value_nusd: StrictInt = Field(gt=0)
    note: str
    lines: tuple[_LineForm, ...]


def from_document(document: dict[str, Any], where: str = "sheet") -> PriceSheet:
    """The inverse of :func:`to_document`; checks every key, type, sign and range."""
    try:
        form = _SheetForm.model_validate(document)
    except ValidationError as error:
        raise first_fault(error, where) from None
    sheet = PriceSheet(
        sheet_id=form.sheet_id,
        credit_value_nusd=form.credit_value_nusd,
        note=form.note,
        lines=tuple(sorted(map(_line_from, form.lines), key=lambda line: line.model)),
    )
    check_sheet(sheet, where)
    return sheet


def _line_from(form: _LineForm) -> PriceLine:
    def fraction(text: str | None) -> Fraction | None:
        return None if text is None else Fraction(text)

    return PriceLine(
        model=form.model,
        prices_ucr=dict(form.prices_ucr),
        tiers=tuple(
            TierPrices(tier.above_input_tokens, dict(tier.prices_ucr)) for tier in form.tiers
        ),
        increment_ucr=form.increment_ucr,
        direction=form.direction,
        stored=form.stored,
        cost_version=form.cost_version,
        markup=fraction(form.markup),
        demand_factor=fraction(form.demand_factor),
    )


def check_sheet(sheet: PriceSheet, where: str) -> None:
    """Refuse a sheet that cannot be meant: no lines, twins, bad prices or increments."""
    if not sheet.lines:
        raise BadInput("a sheet has no lines", where=where)
    models = [line.model for line in sheet.lines]
    if len(set(models)) != len(models):
        twin = next(model for model in models if models.count(model) > 1)
        raise BadInput("a model has two lines", where=where, field="model", value=twin)
    for line in sheet.lines:
        _check_line(line, f"{where}, model {line.model}")


def _check_line(line: PriceLine, where: str) -> None:
    if not line.prices_ucr:
        raise BadInput("a line has no price", where=where)
    if not 0 < line.increment_ucr <= MAX_AMOUNT:
        raise BadInput(
            "must be above zero and within reason",
            where=where,
            field="increment_ucr",
            value=line.increment_ucr,
        )
    if line.direction not in ("up", "down", "half_even"):
        raise BadInput("unknown rounding", where=where, field="direction", value=line.direction)
    if len(line.tiers) > MAX_TIERS:
        raise BadInput(f"more than {MAX_TIERS} context tiers", where=where)
    starts = [tier.above_input_tokens for tier in line.tiers]
    if starts != sorted(set(starts)) or any(start <= 0 for start in starts):
        raise BadInput("context tiers must start at growing sizes above zero", where=where)
    for prices in (line.prices_ucr, *(tier.prices_ucr for tier in line.tiers)):
        for key, price in prices.items():
            if key != BLENDED and key not in INDEX_BY_KEY:
                raise BadInput("unknown price key", where=where, field=key, value=price)
            if isinstance(price, bool) or not isinstance(price, int):
                raise BadInput(
                    "a price is an integer of micro-credits", where=where, field=key, value=price
                )
            if not 0 <= price <= MAX_PRICE:
                raise BadInput(
                    "a price is negative or beyond reason", where=where, field=key, value=price
                )
