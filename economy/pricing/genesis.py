"""The genesis sheet: the prices that a workspace begins with, as a file that a person edits.

``data/sheets/genesis.toml`` names, provider by provider, a markup, a demand factor and
the models they make prices for by the formula; and *stored* lines, whose prices were set
by a person::

    [[providers]]
    name = "anthropic"
    markup = "0.35"
    demand_factor = "1.0"
    rounding = { increment_cr = "0.001", direction = "up" }
    models = ["claude-opus-5-5", "claude-sonnet-5-5"]

    [[stored]]
    model = "gpt-4"
    cr_per_1k_tokens = { blended = "5" }
    rounding = { increment_cr = "1", direction = "up" }

    [aliases]
    "GPT4" = "gpt-4"

claude-sonnet-5-5 costs $2 per million input tokens: 270 Cr, which is 0.27 Cr per 1K.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from economy.catalog.costs import CostBook, CostEntry
from economy.catalog.files import TokenKey
from economy.errors import BadInput
from economy.policy import DATA_DIR, Policy, Rate, Rounding, Table, Ucr, first_fault, read_toml
from economy.pricing.formula import line_from_cost
from economy.pricing.sheet import PriceLine, PriceSheet, check_sheet

GENESIS_PATH = DATA_DIR / "sheets" / "genesis.toml"


class ProviderLines(Table):
    """Models of one provider that the formula prices alike."""

    name: str = Field(min_length=1)
    markup: Rate
    demand_factor: Rate
    rounding: Rounding
    models: tuple[str, ...] = Field(min_length=1)


class StoredLine(Table):
    """A price that a person set: tokens, a minute of audio, an image, a request."""

    model: str = Field(min_length=1)
    tokens_1k_ucr: dict[TokenKey, Ucr] = Field(default_factory=dict, alias="cr_per_1k_tokens")
    minute_ucr: Ucr | None = Field(default=None, alias="cr_per_minute")
    image_ucr: Ucr | None = Field(default=None, alias="cr_per_image")
    request_ucr: Ucr | None = Field(default=None, alias="cr_per_request")
    rounding: Rounding

    @model_validator(mode="after")
    def _has_a_price(self) -> Self:
        if "blended" in self.tokens_1k_ucr and len(self.tokens_1k_ucr) > 1:
            raise ValueError("a blended price covers every token; give no other token price")
        if not self.prices():
            raise ValueError(f"{self.model} has no price")
        return self

    def prices(self) -> dict[str, int]:
        """Micro-credits for ``per`` units, by price key."""
        tokens = {str(key): ucr * 1_000 for key, ucr in self.tokens_1k_ucr.items()}
        others = {"audio": self.minute_ucr, "image": self.image_ucr, "request": self.request_ucr}
        return tokens | {key: ucr for key, ucr in others.items() if ucr is not None}


class Genesis(Table):
    """The whole file. ``schema_version`` 1."""

    schema_version: Literal[1]
    sheet_id: str = Field(min_length=1)
    note: str = ""
    providers: tuple[ProviderLines, ...] = ()
    stored: tuple[StoredLine, ...] = ()
    aliases: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _prices_each_model_once(self) -> Self:
        models = self.models()
        twice = sorted({model for model in models if models.count(model) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is priced twice")
        for alias, model in self.aliases.items():
            if model not in models:
                raise ValueError(f"alias {alias} names {model}, which the sheet does not price")
        return self

    def models(self) -> list[str]:
        """Every model of the sheet, in the order of the file."""
        formula = [model for provider in self.providers for model in provider.models]
        return formula + [line.model for line in self.stored]


def load_genesis(path: Path | None = None) -> Genesis:
    """Read a genesis file (the shipped one by default); errors name file, key and value."""
    path = path or GENESIS_PATH
    try:
        return Genesis.model_validate(read_toml(path))
    except ValidationError as error:
        raise first_fault(error, str(path)) from None


def build_genesis(
    definition: Genesis, cost_book: CostBook, cost_version: int, policy: Policy, at_us: int
) -> PriceSheet:
    """The sheet of a definition at the costs in force at ``at_us``.

    A model without a cost then, or with another provider's cost, is :class:`BadInput`.
    """
    lines = [
        line_from_cost(
            _cost(model, provider.name, cost_book, at_us),
            provider.markup,
            provider.demand_factor,
            policy,
            rounding=provider.rounding,
            cost_version=cost_version,
        )
        for provider in definition.providers
        for model in provider.models
    ]
    for stored in definition.stored:
        _cost(stored.model, None, cost_book, at_us)
        lines.append(
            PriceLine(
                model=stored.model,
                prices_ucr=stored.prices(),
                increment_ucr=stored.rounding.increment_ucr,
                direction=stored.rounding.direction,
                stored=True,
                cost_version=cost_version,
            )
        )
    sheet = PriceSheet(
        sheet_id=definition.sheet_id,
        credit_value_nusd=policy.credit.reference_value_nusd,
        lines=tuple(sorted(lines, key=lambda line: line.model)),
        note=definition.note,
    )
    check_sheet(sheet, f"sheet {definition.sheet_id}")
    return sheet


def _cost(model: str, provider: str | None, book: CostBook, at_us: int) -> CostEntry:
    entry = book.at(model, at_us)
    if entry is None:
        reasons = [f"left out: {gap.reason}" for gap in book.left_out if gap.model == model]
        raise BadInput(
            "a genesis line has no cost",
            where=reasons[0] if reasons else None,
            field="model",
            value=model,
            way_out="Name a model of the cost book, or write its cost in data/costs",
        )
    if provider is not None and entry.provider != provider:
        raise BadInput(
            f"the cost book has this model from {entry.provider}",
            where=f"provider {provider}",
            field="models",
            value=model,
        )
    return entry
