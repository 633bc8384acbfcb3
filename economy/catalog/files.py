"""Costs that a person writes down: TOML files such as ``data/costs/founding.toml``.

::

    schema_version = 1

    [[costs]]
    model = "gpt-4"
    provider = "openai"
    usd_per_1k_tokens = { blended = "0.03" }      # one price for every kind of token

    [[costs]]
    model = "gpt-4"
    provider = "openai"
    from = "2026-12-01T00:00:00Z"                 # absent: from the beginning of time
    usd_per_mtok = { input = "30", output = "60" }

Money is text. The unit stands in the key: tokens per 1K or per million (one of the two),
``usd_per_minute`` of audio, ``usd_per_image``, ``usd_per_request``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from economy.catalog.costs import CostBook, CostEntry, CostTier
from economy.errors import BadInput, EconomyError
from economy.policy import Nusd, Table, first_fault, read_toml
from economy.units import BEGINNING_OF_TIME_US, parse_instant

TokenKey = Literal[
    "blended",
    "input",
    "output",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
]


class CostPrices(Table):
    """What a request is charged by: any of tokens, audio, images, requests."""

    tokens_1k_nusd: dict[TokenKey, Nusd] = Field(default_factory=dict, alias="usd_per_1k_tokens")
    mtok_nusd: dict[TokenKey, Nusd] = Field(default_factory=dict, alias="usd_per_mtok")
    minute_nusd: Nusd | None = Field(default=None, alias="usd_per_minute")
    image_nusd: Nusd | None = Field(default=None, alias="usd_per_image")
    request_nusd: Nusd | None = Field(default=None, alias="usd_per_request")

    @model_validator(mode="after")
    def _is_one_price_list(self) -> Self:
        if self.tokens_1k_nusd and self.mtok_nusd:
            raise ValueError("give usd_per_1k_tokens or usd_per_mtok, not both")
        tokens = self.tokens_1k_nusd or self.mtok_nusd
        if "blended" in tokens and len(tokens) > 1:
            raise ValueError("a blended price covers every token; give no other token price")
        if not self.prices():
            raise ValueError("a cost has no price")
        return self

    def prices(self) -> dict[str, int]:
        """Nano-dollars for ``per`` units, by price key."""
        per_1k = {str(key): nusd * 1_000 for key, nusd in self.tokens_1k_nusd.items()}
        per_mtok = {str(key): nusd for key, nusd in self.mtok_nusd.items()}
        others = {"audio": self.minute_nusd, "image": self.image_nusd, "request": self.request_nusd}
        stated = {key: nusd for key, nusd in others.items() if nusd is not None}
        return per_1k | per_mtok | stated


class CostTierRow(CostPrices):
    """The prices of the whole request above a size of its input."""

    above_input_tokens: int = Field(gt=0)


class CostRow(CostPrices):
    """One dated cost of one model."""

    model: str = Field(min_length=1)
    provider: str = Field(min_length=1)
    from_us: int = Field(default=BEGINNING_OF_TIME_US, alias="from")
    tiers: tuple[CostTierRow, ...] = ()
    source: str = ""

    @field_validator("from_us", mode="before")
    @classmethod
    def _is_an_instant(cls, value: object) -> int:
        if not isinstance(value, str):
            raise ValueError('write the time as text, such as "2026-12-01T00:00:00Z"')
        try:
            return parse_instant(value)
        except EconomyError as error:
            raise ValueError(error.what) from None


class CostFile(Table):
    """A whole file of costs. ``schema_version`` 1."""

    schema_version: Literal[1]
    costs: tuple[CostRow, ...] = Field(min_length=1)


def load_costs(path: Path) -> CostBook:
    """Read one TOML file, or every ``*.toml`` of a folder in the order of their names."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise BadInput("the folder holds no TOML file", where=str(path))
    book = CostBook(())
    for file in files:
        costs = _load_file(file)
        twice = set(book.models()) & set(costs.models())
        if twice:
            raise BadInput(
                "the costs of a model stand in two files",
                where=str(file),
                field="model",
                value=min(twice),
            )
        book = book.overlay(costs)
    return book


def _load_file(file: Path) -> CostBook:
    try:
        rows = CostFile.model_validate(read_toml(file)).costs
    except ValidationError as error:
        raise first_fault(error, str(file)) from None
    try:
        return CostBook(_entry(row, file) for row in rows)
    except EconomyError as error:
        place = ", ".join(part for part in (str(file), error.where) if part)
        raise BadInput(error.what, where=place, field=error.field, value=error.value) from None


def _entry(row: CostRow, file: Path) -> CostEntry:
    return CostEntry(
        model=row.model,
        provider=row.provider,
        from_us=row.from_us,
        prices_nusd=row.prices(),
        tiers=tuple(CostTier(tier.above_input_tokens, tier.prices()) for tier in row.tiers),
        source=row.source or file.name,
    )
