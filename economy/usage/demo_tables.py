"""The tables behind generated usage: ``data/demo/tokens.toml`` and ``data/demo/usage.toml``.

A quantile table parts a distribution into bins of equal probability and holds the mean
of each, smallest first. Looking a uniform number up in it draws from the distribution.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from economy.policy import DATA_DIR, Table, first_fault, read_toml

DEMO_DIR: Final = DATA_DIR / "demo"

N = TypeVar("N", int, float)


def _ascending(table: tuple[N, ...]) -> tuple[N, ...]:
    if any(a > b for a, b in pairwise(table)):
        raise ValueError("a quantile table ascends")
    return table


Weight = Annotated[float, Field(ge=0, le=1_000)]
Share = Annotated[float, Field(ge=0, le=1)]
TokenTable = Annotated[
    tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...],
    Field(min_length=1),
    AfterValidator(_ascending),
]


class Workload(Table):
    """A kind of use: how many tokens go in and out of its requests."""

    name: str
    weight: Weight
    input_tokens: TokenTable
    output_tokens: TokenTable
    cached_share: Annotated[tuple[Share, ...], AfterValidator(_ascending)] = ()
    """Cached part of the input, in bins of equal input; empty where prefixes do not repeat."""


class Audio(Table):
    """Recordings sent to models that are paid by the minute."""

    seconds: Annotated[
        tuple[Annotated[float, Field(gt=0, le=86_400)], ...],
        Field(min_length=1),
        AfterValidator(_ascending),
    ]


class TokenTables(Table):
    """``data/demo/tokens.toml``. ``schema_version`` 1."""

    schema_version: Literal[1]
    workloads: Annotated[tuple[Workload, ...], Field(min_length=1)]
    audio: Audio


class Size(Table):
    """How much is generated unless said otherwise."""

    customers: int = Field(gt=0)
    events: int = Field(gt=0)
    days: int = Field(gt=0)


class Crowd(Table):
    """How customers differ."""

    sigma: float = Field(ge=0, le=5)
    buyer_share_of_variance: Share
    loyalty: Share
    failed_share: Share


class Clock(Table):
    """Rates by hour of the day (UTC) and day of the week (Monday first)."""

    hourly: Annotated[tuple[Weight, ...], Field(min_length=24, max_length=24)]
    weekly: Annotated[tuple[Weight, ...], Field(min_length=7, max_length=7)]


class DemoModel(Table):
    """A model that demo customers use."""

    name: str
    weight: Weight
    caches: bool = False
    audio: bool = False


class DemoTables(Table):
    """``data/demo/usage.toml``. ``schema_version`` 1."""

    schema_version: Literal[1]
    size: Size
    crowd: Crowd
    clock: Clock
    models: Annotated[tuple[DemoModel, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_a_text_model(self) -> Self:
        if not any(model.weight > 0 and not model.audio for model in self.models):
            raise ValueError("no model with a weight takes tokens")
        return self


def load_token_tables(path: Path = DEMO_DIR / "tokens.toml") -> TokenTables:
    try:
        return TokenTables.model_validate(read_toml(path))
    except ValidationError as error:
        raise first_fault(error, str(path)) from None


def load_demo_tables(path: Path = DEMO_DIR / "usage.toml") -> DemoTables:
    try:
        return DemoTables.model_validate(read_toml(path))
    except ValidationError as error:
        raise first_fault(error, str(path)) from None
