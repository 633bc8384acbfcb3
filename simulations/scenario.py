"""A scenario: everything a simulated economy starts from, as one TOML file.

The file names the question, the horizon, the buyers, the models with their costs and
prices, what the provider will do, and the operator's possible answers. Money in it is
text (``"0.03"``), statistical parameters are floats, and an unknown or contradictory key
is refused with file, key and value: a misspelt parameter must not quietly take its
default. Defaults carry their source: **[D]** measured on real traces, **[L]** read in
literature, **[A]** assumption to be swept.

Worked example, the founding shock (``data/scenarios/gpt4_shock.toml``): GPT-4's provider
goes from $0.03 to $0.05 per 1K tokens on day 10; the operator looks at it for a day, then
prices GPT-4 at 8, 6 or 5 Credits per 1K (passes on, takes part, absorbs).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from economy.errors import BadInput, EconomyError
from economy.policy import (
    DATA_DIR,
    Direction,
    Nusd,
    Policy,
    Rounding,
    Table,
    first_fault,
    load_policy,
    read_toml,
)
from economy.quantities import INDEX_BY_KEY, MAX_PRICE, N_TOKEN_QUANTITIES
from economy.units import US_PER_DAY, parse_credits, parse_instant, parse_usd
from simulations.streams import MAX_SEED

SCHEMA_VERSION = 1
MAX_BUYERS = 5_000_000
MAX_DAYS = 3_660
MINUTES_PER_DAY = 1_440
SHARE_TOLERANCE = 1e-9


def _per_mtok(parse: Any) -> BeforeValidator:
    """One number (blended), or a table by kind of token, written per 1,000 tokens."""

    def check(value: object) -> dict[str, int]:
        written = value if isinstance(value, dict) else {"blended": value}
        known = {"blended", *list(INDEX_BY_KEY)[:N_TOKEN_QUANTITIES]}
        prices = {}
        for key, amount in written.items():
            if key not in known:
                raise ValueError(f"{key!r} is no kind of token; known are {', '.join(known)}")
            try:
                prices[key] = parse(amount) * 1_000
            except EconomyError as error:
                mend = f". {error.way_out}" if error.way_out else ""
                raise ValueError(error.what + mend) from None
            if not 0 < prices[key] <= MAX_PRICE:
                raise ValueError(f"{key} must be above zero and within reason")
        if "blended" in prices and len(prices) > 1:
            raise ValueError("a blended price covers every token; no other key may stand beside it")
        if "blended" not in prices and not {"input", "output"} <= prices.keys():
            raise ValueError("prices by kind of token need both input and output")
        return prices

    return BeforeValidator(check)


def _instant(text: object) -> int:
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if not isinstance(text, str):
        raise ValueError('write the time in quotes, such as "2026-01-05T00:00:00Z"')
    try:
        return parse_instant(text)
    except EconomyError as error:
        raise ValueError(error.message) from None


Prices = Annotated[dict[str, int], _per_mtok(parse_credits)]
"""Credits per 1,000 tokens in the file; ucr per Mtok inside, by price key."""
Costs = Annotated[dict[str, int], _per_mtok(parse_usd)]
"""Dollars per 1,000 tokens in the file; nusd per Mtok inside, by price key."""
Share = Annotated[float, Field(gt=0, lt=1)]


class Horizon(Table):
    """How long the run lasts, and how finely time is cut."""

    days: int = Field(gt=0, le=MAX_DAYS)
    tick_minutes: int = Field(default=60, gt=0, le=60)
    start_us: Annotated[int, BeforeValidator(_instant)] = Field(alias="start")

    @model_validator(mode="after")
    def _ticks_fill_an_hour(self) -> Self:
        if 60 % self.tick_minutes:
            raise ValueError(f"tick_minutes must divide 60, {self.tick_minutes} does not")
        if self.start_us % US_PER_DAY or self.start_us < 0:
            raise ValueError("start must be midnight UTC of a day since 1970")
        return self

    @property
    def ticks_per_day(self) -> int:
        return MINUTES_PER_DAY // self.tick_minutes

    @property
    def ticks(self) -> int:
        return self.days * self.ticks_per_day

    @property
    def tick_us(self) -> int:
        return US_PER_DAY // self.ticks_per_day

    def tick_of(self, day: int, hour: int) -> int:
        return day * self.ticks_per_day + hour * 60 // self.tick_minutes


class Buyers(Table):
    """Who asks, how often (see :mod:`simulations.agents.arrivals`)."""

    count: int = Field(gt=0, le=MAX_BUYERS)
    requests_per_day: float = Field(default=5.0, ge=0, le=100_000)
    """Served requests of the mean buyer at the opening prices, if every balance sufficed."""
    size_sigma: float = Field(default=2.3, ge=0, le=4)
    """[D] lognormal; 2.0-2.7 in two workloads: the largest client makes 30-52 %."""
    burst_shape: float = Field(default=22.0, gt=0)
    """[D] Gamma shape of the common rate in a tick. 22 is a clock minute's variance/mean of
    16 at 334 requests a minute (conversation); that it holds for whole ticks is [A]."""
    hourly_profile: tuple[Annotated[float, Field(ge=0)], ...] = (1.0,) * 24
    weekly_profile: tuple[Annotated[float, Field(ge=0)], ...] = (1.0,) * 7
    """From the start's weekday on a Monday-first week. Both are scaled to mean 1."""

    @field_validator("hourly_profile", "weekly_profile")
    @classmethod
    def _is_a_profile(cls, profile: tuple[float, ...], info: Any) -> tuple[float, ...]:
        length = 24 if info.field_name == "hourly_profile" else 7
        if len(profile) != length or sum(profile) <= 0:
            raise ValueError(f"needs {length} values, not all zero")
        return profile


class TokenTable(Table):
    """One quantity's distribution: a lognormal, or quantiles at equal steps from 0 to 1."""

    mu: float | None = None
    sigma: float | None = Field(default=None, ge=0, le=4)
    quantiles: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    between_buyer_sd: float = Field(default=0.0, ge=0, le=4)
    """[D] 0.6-1.2 weighted by rate. Part of ``sigma``, not added to it: the pooled
    distribution stays what was measured, only who draws from its tail becomes persistent."""

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        lognormal = self.mu is not None and self.sigma is not None
        if lognormal == (self.quantiles is not None):
            raise ValueError("give mu and sigma, or quantiles: exactly one of the two")
        if self.sigma is not None and self.between_buyer_sd > self.sigma:
            raise ValueError("between_buyer_sd is a part of sigma and cannot be above it")
        if self.quantiles is not None:
            if len(self.quantiles) < 2 or list(self.quantiles) != sorted(self.quantiles):
                raise ValueError("quantiles need two values or more, none falling")
            if self.between_buyer_sd:
                raise ValueError("between_buyer_sd needs a lognormal to be a part of")
        return self


class Tokens(Table):
    """[D] conversation workload: in 6.63/0.99, out 5.02/0.86, nearly independent."""

    input: TokenTable = TokenTable(mu=6.6333, sigma=0.9852, between_buyer_sd=0.6)
    output: TokenTable = TokenTable(mu=5.02, sigma=0.86, between_buyer_sd=0.6)


class Choice(Table):
    """The logit over models and an outside option (:mod:`simulations.agents.choice`)."""

    elasticity: float = Field(default=-1.1, le=0, ge=-20)
    """[L] of demand when *all* prices move together: -1.11 for one provider's open model;
    another study finds -0.06. Sweep -0.1 ... -1.8."""
    outside_share: Share = 0.5
    """[A] occasions at which, at the opening prices, the buyer asks nobody here. With the
    elasticity it fixes the price sensitivity: b = -elasticity / outside_share."""


class TopUps(Table):
    """When a buyer tops up and which pack it takes (:mod:`simulations.agents.buyers`)."""

    low_water_days: float = Field(default=1.0, ge=0, le=365)
    """[A] short below this many days of own spending at the opening prices."""
    notice_probability: float = Field(default=0.25, ge=0, le=1)
    """[A] that a short buyer acts within an hour; until then requests may be refused."""
    price_sensitivity: float = Field(default=8.0, ge=0, le=100)
    """[A] logit weight of ln(USD per Credit): larger packs are cheaper per Credit."""
    illiquidity: float = Field(default=1.5, ge=0, le=100)
    """[A] logit weight of ln(pack price / monthly need), where a pack exceeds the need."""
    budget_months: float = Field(default=1.5, gt=0, le=1_000)
    """[A] median budget of 30 days over the expected spend of 30 days."""
    budget_sigma: float = Field(default=0.5, ge=0, le=4)
    """[A] its lognormal spread over buyers. No budget is below the cheapest pack."""


class Model(Table):
    """A model on sale, at its opening cost and price."""

    name: str = Field(min_length=1)
    provider: str = Field(min_length=1)
    cost_nusd: Costs = Field(alias="cost_usd_per_1k")
    price_ucr: Prices = Field(alias="price_cr_per_1k")
    share: float = Field(gt=0, le=1)
    """Of the served requests at the opening prices."""
    rounding: Rounding | None = None
    """Absent: the policy's."""


class ProviderMove(Table):
    """A line of the provider's written price schedule."""

    model: str
    day: int = Field(ge=0)
    hour: int = Field(default=0, ge=0, le=23)
    cost_nusd: Costs = Field(alias="cost_usd_per_1k")


class Operator(Table):
    """How the operator behaves, whatever it answers."""

    review_lag_hours: int = Field(default=24, ge=0, le=8_760)
    """[A] from the provider's move to the new sheet in force."""


class Answer(Table):
    """What the operator does about moved models; a model not named keeps its price."""

    name: str = Field(min_length=1)
    prices_ucr: dict[str, Prices] = Field(alias="prices_cr_per_1k", default_factory=dict)


class ContributedKey(Table):
    """A contributed key: it serves its provider's models while its quota lasts.

    One key a provider; its terms are those of the policy at the opening prices.
    """

    provider: str = Field(min_length=1)
    valued_on: str
    """The model by whose cost and price the quota was valued (rules, section 4)."""
    quota_nusd: Nusd = Field(alias="quota_usd")


class Scenario(Table):
    """One whole scenario; ``schema_version`` 1."""

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    question: str = ""
    policy_name: str = Field(default="founding", alias="policy")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, strict=True)
    replications: int = Field(default=10, gt=0, le=10_000)
    horizon: Horizon
    buyers: Buyers
    tokens: Tokens = Tokens()
    choice: Choice = Choice()
    top_ups: TopUps = TopUps()
    models: tuple[Model, ...] = Field(min_length=1)
    provider_moves: tuple[ProviderMove, ...] = ()
    operator: Operator = Operator()
    answers: tuple[Answer, ...] = Field(min_length=1)
    baseline: str
    """The answer that the others are compared with."""
    contributed_keys: tuple[ContributedKey, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = [model.name for model in self.models]
        _unique(names, "models")
        _unique([answer.name for answer in self.answers], "answers")
        if self.baseline not in [answer.name for answer in self.answers]:
            raise ValueError(f"baseline {self.baseline!r} is not the name of an answer")
        total = sum(model.share for model in self.models)
        if abs(total - 1) > SHARE_TOLERANCE:
            raise ValueError(f"the shares of the models must add up to 1, not {total:g}")
        for move in self.provider_moves:
            _known(move.model, names, "provider_moves")
            if move.day >= self.horizon.days:
                raise ValueError(
                    f"provider_moves: day {move.day} is outside the {self.horizon.days} days"
                )
        _unique(
            [f"{move.model} at {move.day}d {move.hour}h" for move in self.provider_moves],
            "provider_moves",
        )
        moved = {move.model for move in self.provider_moves}
        for answer in self.answers:
            for model in answer.prices_ucr:
                _known(model, names, f"answers, {answer.name}")
                if model not in moved:
                    raise ValueError(f"answers, {answer.name}: no provider moves {model!r}")
        for key in self.contributed_keys:
            _known(key.valued_on, names, "contributed_keys")
            if self.model(key.valued_on).provider != key.provider:
                raise ValueError(
                    f"contributed_keys: {key.valued_on!r} is not served by {key.provider!r}"
                )
        _unique([key.provider for key in self.contributed_keys], "contributed_keys, provider")
        return self

    def model(self, name: str) -> Model:
        return next(model for model in self.models if model.name == name)

    def answer(self, name: str) -> Answer:
        for answer in self.answers:
            if answer.name == name:
                return answer
        known = ", ".join(answer.name for answer in self.answers)
        raise BadInput(
            "no such answer", field="answer", value=name, way_out=f"Choose one of {known}"
        )

    def policy(self) -> Policy:
        return load_policy(self.policy_name)


def scenario_from(document: dict[str, Any], where: str) -> Scenario:
    """Check a scenario document; errors name ``where``, the key and the value."""
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        raise first_fault(error, where) from None
    scenario.policy()
    return scenario


def load_scenario(name_or_path: str) -> Scenario:
    """A shipped scenario by name (``gpt4_shock``), or any scenario file by path."""
    shipped = DATA_DIR / "scenarios" / f"{name_or_path}.toml"
    path = shipped if shipped.exists() else Path(name_or_path)
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in (DATA_DIR / "scenarios").glob("*.toml")))
        raise BadInput(
            "no such scenario", value=name_or_path, way_out=f"Name one of {known}, or a TOML file"
        )
    return scenario_from(read_toml(path), str(path))


def rounding_of(model: Model, policy: Policy) -> tuple[int, Direction]:
    """Increment and direction by which a request of ``model`` is rounded."""
    rounding = model.rounding or policy.pricing.rounding
    return rounding.increment_ucr, rounding.direction


def _unique(names: list[str], field: str) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ValueError(f"{field}: {twins[0]!r} stands twice")


def _known(name: str, names: list[str], field: str) -> None:
    if name not in names:
        raise ValueError(f"{field}: no model {name!r}; known are {', '.join(names)}")
