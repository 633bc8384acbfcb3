"""The economy's rules as data: what a policy file says, checked at the border.

A policy is a TOML file that a person edits (``data/policies/*.toml``). Money and rates
in it are text or integers, never floats, and an unknown key is an error: a rule that
is misspelt must not silently fall back to a default. Inside the program the same
values are exact integers (``_ucr``, ``_nusd``) and fractions; the alias of a field is
its name in the file, with the unit that a person writes (``_cr``, ``_usd``).
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from economy.errors import BadInput, EconomyError
from economy.units import credits_text, parse_credits, parse_rate, parse_usd, usd_text

DATA_DIR = Path(__file__).resolve().parent.parent / "data"
"""Policies, scenarios, costs, maps and demo tables: files that a person edits."""


def _told(parse: Any) -> BeforeValidator:
    def check(value: object) -> object:
        try:
            return parse(value)
        except EconomyError as error:
            mend = f". {error.way_out}" if error.way_out else ""
            raise ValueError(error.what + mend) from None

    return BeforeValidator(check)


def _not_negative(parse: Any) -> Any:
    def check(value: object) -> object:
        number = parse(value)
        if number < 0:
            raise BadInput("may not be negative", value=str(value))
        return number

    return check


def _rate_text(rate: Fraction) -> str:
    """The decimal that was written; every rate came from one, so the quotient is finite."""
    return format(Decimal(rate.numerator) / Decimal(rate.denominator), "f")


Ucr = Annotated[int, _told(_not_negative(parse_credits)), PlainSerializer(credits_text)]
"""Credits in the file, micro-credits inside; not negative."""
Nusd = Annotated[int, _told(_not_negative(parse_usd)), PlainSerializer(usd_text)]
"""Dollars in the file, nano-dollars inside; not negative."""
Rate = Annotated[Fraction, _told(_not_negative(parse_rate)), PlainSerializer(_rate_text)]
"""A decimal in the file, an exact fraction inside; not negative."""
SignedRate = Annotated[Fraction, _told(parse_rate), PlainSerializer(_rate_text)]

Origin = Literal["promotion", "referral", "purchased", "earned"]
PayoutScheme = Literal["upfront", "on_use"]
Direction = Literal["up", "down", "half_even"]


class Table(BaseModel):
    """A table of a file: frozen, and strict about keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, arbitrary_types_allowed=True
    )


class Credit(Table):
    """What a Credit is worth (rules, section 1)."""

    reference_value_nusd: Nusd = Field(alias="reference_value_usd")
    top_up_rate_cr_per_usd: Rate

    @model_validator(mode="after")
    def _is_worth_something(self) -> Self:
        if self.reference_value_nusd == 0 or self.top_up_rate_cr_per_usd == 0:
            raise ValueError("a Credit's reference value and top-up rate must be above zero")
        return self


class Pack(Table):
    """Credits sold for a fixed sum; the USD is spread evenly over all the Credits."""

    name: str = Field(min_length=1)
    credits_ucr: Ucr = Field(alias="credits_cr")
    price_nusd: Nusd = Field(alias="price_usd")

    @model_validator(mode="after")
    def _is_sold(self) -> Self:
        if self.credits_ucr == 0 or self.price_nusd == 0:
            raise ValueError(f"pack {self.name} must have Credits and a price above zero")
        return self

    @property
    def basis(self) -> Fraction:
        """USD per Credit of this pack, in nusd per ucr (Starter: 10, which is $0.01)."""
        return Fraction(self.price_nusd, self.credits_ucr)


class Rounding(Table):
    """How the price of a request becomes a charge (rules, section 3)."""

    increment_ucr: Ucr = Field(alias="increment_cr")
    direction: Direction

    @model_validator(mode="after")
    def _increment_is_positive(self) -> Self:
        if self.increment_ucr == 0:
            raise ValueError("increment_cr must be above zero; the finest is 0.000001")
        return self


class Range(Table):
    """A usual range; outside it is a warning, never an error."""

    low: SignedRate
    high: SignedRate

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self

    def holds(self, value: Fraction) -> bool:
        return self.low <= value <= self.high


class Pricing(Table):
    """How a cost becomes a price (rules, section 2)."""

    grid_ucr: Ucr = Field(alias="grid_cr")
    """Prices are whole multiples of this per 1,000 tokens, minute, image or request."""
    grid_direction: Direction = "half_even"
    markup_range: Range
    demand_factor_range: Range
    rounding: Rounding

    @model_validator(mode="after")
    def _grid_is_positive(self) -> Self:
        if self.grid_ucr == 0:
            raise ValueError("grid_cr must be above zero")
        return self


class Contribution(Table):
    """What a contributed key earns (rules, section 4)."""

    fee: Rate
    scheme: PayoutScheme
    payout_cap_usd_per_quota_usd: Rate | None = None
    """Earned Credits at the redemption rate, per dollar of quota served; absent: no cap."""

    @model_validator(mode="after")
    def _fee_leaves_a_share(self) -> Self:
        if self.fee > 1:
            raise ValueError("fee must not be above 1: it is a part of the contribution")
        return self


class Redemption(Table):
    """What leaves the economy, and at what rate (rules, sections 5 and 8)."""

    rate_nusd: Nusd = Field(alias="usd_per_credit")
    minimum_ucr: Ucr = Field(alias="minimum_cr")
    origins: tuple[Origin, ...]


class Spending(Table):
    """Which lot pays first: soonest expiry, then this order, then the oldest lot."""

    order: tuple[Origin, ...]

    @model_validator(mode="after")
    def _names_each_origin_once(self) -> Self:
        if sorted(self.order) != ["earned", "promotion", "purchased", "referral"]:
            raise ValueError("order must name each of promotion, referral, purchased, earned once")
        return self


class Holds(Table):
    """What the live way reserves before a request runs."""

    timeout_s: int = Field(gt=0, le=86_400, strict=True)


class UsageRules(Table):
    """What is plausible in a log, and what happens to failed requests."""

    max_tokens_per_request: int = Field(gt=0, le=1_000_000_000, strict=True)
    max_audio_s_per_request: int = Field(gt=0, le=1_000_000, strict=True)
    charge_failed_requests: bool


class Policy(Table):
    """One whole set of rules. ``schema_version`` 1."""

    schema_version: Literal[1]
    name: str = Field(min_length=1)
    credit: Credit
    packs: tuple[Pack, ...] = Field(min_length=1)
    pricing: Pricing
    contribution: Contribution
    redemption: Redemption
    spending: Spending
    holds: Holds
    usage: UsageRules

    @model_validator(mode="after")
    def _packs_have_their_own_names(self) -> Self:
        names = [pack.name for pack in self.packs]
        if len(set(names)) != len(names):
            raise ValueError("two packs have the same name")
        return self

    def pack(self, name: str) -> Pack:
        for pack in self.packs:
            if pack.name == name:
                return pack
        known = ", ".join(pack.name for pack in self.packs)
        raise BadInput("no such pack", field="pack", value=name, way_out=f"Choose one of {known}")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary; what cannot be read is :class:`BadInput`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:  # Bad syntax, not UTF-8, or a number of absurd length.
        raise BadInput(f"is not TOML: {error}", where=str(path)) from None


def first_fault(error: ValidationError, where: str) -> BadInput:
    """A pydantic error as one :class:`BadInput` naming file, key and value.

    Further faults are counted, so a reader knows that mending one may not be enough.
    """
    faults = sorted(error.errors(include_url=False), key=lambda f: f["type"] != "extra_forbidden")
    fault = faults[0]
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    more = len(faults) - 1
    value = fault.get("input")
    shown = value if isinstance(value, str | int | float | bool) else None
    return BadInput(
        message,
        where=where,
        field=".".join(str(part) for part in fault["loc"]) or None,
        value=shown,
        way_out=f"{more} more like it follow; mend this one first" if more else None,
    )


def policy_from(document: dict[str, Any], where: str) -> Policy:
    """Check a policy document; errors name ``where``, the key and the value."""
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        raise first_fault(error, where) from None


def policy_text(policy: Policy) -> str:
    """The policy as JSON in the form of its file, so that reading it gives it back."""
    return policy.model_dump_json(by_alias=True)


def load_policy(name_or_path: str) -> Policy:
    """A shipped policy by name (``founding``, ``sound``), or any policy file by path."""
    shipped = DATA_DIR / "policies" / f"{name_or_path}.toml"
    path = shipped if shipped.exists() else Path(name_or_path)
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in (DATA_DIR / "policies").glob("*.toml")))
        raise BadInput(
            "no such policy", value=name_or_path, way_out=f"Name one of {known}, or a TOML file"
        )
    return policy_from(read_toml(path), str(path))
