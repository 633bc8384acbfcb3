"""Column maps: which column of a foreign log is which field of an event.

A map is a TOML file (``data/maps/*.toml``). It names the columns, says how times are
written, which counts overlap, and what stands in for a field that the log lacks::

    schema_version = 1
    source = "azure_llm_2023"          # with the event id, the identity of an event
    optional = ["status"]              # fields whose column may be missing from a file
    [columns]
    time = "ts"
    input_tokens = "input_tokens"
    [time]
    zone = "UTC"                       # of times written without one: UTC, +08:00, Asia/Shanghai
    unit = "ms"                        # of times written as numbers: s, ms, us, ns
    start = "2024-06-01T00:00:00Z"     # what number 0 means; absent: 1970-01-01T00:00:00Z
    [constants]
    model = "gpt-4"
    [customers]                        # the log names none: deal rows out by lognormal sizes
    count = 300
    sigma = 2.2
    [overlap]
    input_includes_cached = true       # OpenAI, OpenTelemetry, LiteLLM; false: raw Anthropic
    output_includes_reasoning = true

Whether the input count includes cached tokens is the most common billing bug of the
field; a map that is silent means that it does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from economy.errors import BadInput, EconomyError
from economy.policy import DATA_DIR, Table, first_fault, read_toml
from economy.quantities import MAX_QUANTITY
from economy.units import parse_instant

COUNT_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "images",
    "requests",
)
"""Fields of a log that are whole numbers; the last two are not tokens."""
TOKEN_FIELDS: Final = COUNT_FIELDS[:6]
QUANTITY_FIELDS: Final = (*COUNT_FIELDS, "audio_seconds")
OPTIONAL_FIELDS: Final = (*QUANTITY_FIELDS, "event_id", "status")
"""Fields that a map may declare optional: there is a meaning for their absence."""


def _instant(value: object) -> object:
    try:
        return parse_instant(value) if isinstance(value, str) else value
    except EconomyError as error:
        raise ValueError(f"{error.what}. {error.way_out}") from None


def _known_zone(name: str) -> str:
    if name != "UTC" and name[:1] not in "+-":
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            raise ValueError("no such time zone; write UTC, +08:00 or Asia/Shanghai") from None
    elif name != "UTC":
        _instant(f"2000-01-01T00:00:00{name}")
    return name


ColumnName = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0, le=MAX_QUANTITY)]


class Columns(Table):
    """The column of the file for each field that the log has."""

    time: ColumnName
    event_id: ColumnName | None = None
    customer: ColumnName | None = None
    model: ColumnName | None = None
    input_tokens: ColumnName | None = None
    output_tokens: ColumnName | None = None
    cached_input_tokens: ColumnName | None = None
    cache_write_5m_tokens: ColumnName | None = None
    cache_write_1h_tokens: ColumnName | None = None
    reasoning_tokens: ColumnName | None = None
    audio_seconds: ColumnName | None = None
    images: ColumnName | None = None
    requests: ColumnName | None = None
    status: ColumnName | None = None

    @model_validator(mode="after")
    def _each_column_has_one_meaning(self) -> Self:
        named = list(self.by_field().values())
        twice = sorted({column for column in named if named.count(column) > 1})
        if twice:
            raise ValueError(f"column {twice[0]} is named for two fields")
        return self

    def by_field(self) -> dict[str, str]:
        """Field -> column, for the fields that the map names."""
        return {field: column for field, column in self.model_dump().items() if column is not None}


class TimeForm(Table):
    """How the log writes times that do not say so themselves."""

    zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    start_us: Annotated[int, BeforeValidator(_instant)] = Field(default=0, alias="start")


class Constants(Table):
    """Fields that are the same for every row of the log."""

    customer: str | None = Field(default=None, min_length=1)
    model: str | None = Field(default=None, min_length=1)
    images: Count | None = None
    requests: Count | None = None


class Customers(Table):
    """Customers of a log that names none; see :mod:`economy.usage.sizes`."""

    count: int = Field(gt=0, le=1_000_000)
    sigma: float = Field(ge=0, le=5)


class Overlap(Table):
    """Which counts of the log are part of others; the reader subtracts."""

    input_includes_cached: bool = True
    """Cached reads and cache writes are part of the input count."""
    output_includes_reasoning: bool = True


class StatusWords(Table):
    """The words (any case) by which the log tells success from failure."""

    ok: tuple[str, ...] = ("ok",)
    failed: tuple[str, ...] = ("failed",)


class ColumnMap(Table):
    """One whole map. ``schema_version`` 1."""

    schema_version: Literal[1]
    source: str = Field(min_length=1, max_length=100)
    optional: tuple[Literal[OPTIONAL_FIELDS], ...] = ()  # type: ignore[valid-type]
    columns: Columns
    time: TimeForm = TimeForm()
    constants: Constants = Constants()
    customers: Customers | None = None
    overlap: Overlap = Overlap()
    status: StatusWords = StatusWords()

    @model_validator(mode="after")
    def _says_each_field_once(self) -> Self:
        columns = self.columns.by_field()
        constants = self.constants.model_dump(exclude_none=True)
        both = sorted(columns.keys() & constants.keys())
        if both:
            raise ValueError(f"{both[0]} has a column and a constant; keep one")
        if "model" not in columns and "model" not in constants:
            raise ValueError("no model: name its column, or a constant for every row")
        said = [s for s in (columns, constants) if "customer" in s]
        if len(said) + (self.customers is not None) != 1:
            raise ValueError("customers come from a column, a constant or [customers]: give one")
        if not (columns.keys() | constants.keys()) & set(QUANTITY_FIELDS):
            raise ValueError("no quantity: name at least one column of tokens, audio or images")
        unnamed = sorted(set(self.optional) - columns.keys())
        if unnamed:
            raise ValueError(f"{unnamed[0]} is optional and has no column")
        return self


def map_from(document: dict[str, object], where: str) -> ColumnMap:
    """Check a map document; errors name ``where``, the key and the value."""
    try:
        return ColumnMap.model_validate(document)
    except ValidationError as error:
        raise first_fault(error, where) from None


def load_map(name_or_path: str) -> ColumnMap:
    """A shipped map by name (``own``, ``azure_llm_2023``), or any map file by path."""
    shipped = DATA_DIR / "maps" / f"{name_or_path}.toml"
    path = shipped if shipped.exists() else Path(name_or_path)
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in (DATA_DIR / "maps").glob("*.toml")))
        raise BadInput(
            "no such column map", value=name_or_path, way_out=f"Name one of {known}, or a TOML file"
        )
    return map_from(read_toml(path), str(path))


def shipped_maps_for(names: list[str]) -> list[str]:
    """Shipped maps whose columns a file with these column names has, but for optional ones."""
    fitting = []
    for path in sorted((DATA_DIR / "maps").glob("*.toml")):
        column_map = load_map(path.stem)
        needed = {
            column
            for field, column in column_map.columns.by_field().items()
            if field not in column_map.optional
        }
        if needed <= set(names):
            fitting.append(path.stem)
    return fitting
