"""The cost book from the offline snapshot of ``genai-prices``: provider list prices.

The snapshot's decimals become exact nano-dollars, its dated changes (announced future
ones too) become entries, its context tiers become tiers::

    claude-opus-4-6   from the beginning  $5 / $25 per Mtok, $10 / $37.50 above 200,000 input
                      from 2026-03-13     $5 / $25 at any size
    whisper-1         $0.36 per hour of audio, which is 6_000_000 nusd per minute

Three things are said and not guessed. A price key that no metered quantity stands for
(web searches, audio *tokens*) is listed in the entry's ``unsupported``. A model whose
price changes with the hour of the day, or is finer than a nano-dollar, or has no key we
can meter, is left out with its reason. Prices are those of standard processing: batch
and priority variants are contracts of their own.

Where two providers serve a model of the same name, its maker's has the bare name and the
others are ``provider/name``: ``claude-opus-5`` is Anthropic's, ``google/claude-opus-5``
is Google's. If no maker is among them, every one is prefixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version
from typing import Any, Final

from genai_prices.data import providers as snapshot
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from economy.catalog.costs import CostBook, CostEntry, CostTier, LeftOut
from economy.errors import BadInput, invariant
from economy.units import BEGINNING_OF_TIME_US, NUSD_PER_USD, instant_us

SOURCE: Final = f"genai-prices {version('genai-prices')}"

PRICE_KEYS: Final[dict[str, tuple[str, int]]] = {
    # Snapshot's key: (our price key, how many of our units its price covers).
    "input_mtok": ("input", 1),
    "output_mtok": ("output", 1),
    "cache_read_mtok": ("cached_input", 1),
    "cache_write_mtok": ("cache_write_5m", 1),
    "cache_write_5m_mtok": ("cache_write_5m", 1),
    "cache_write_1h_mtok": ("cache_write_1h", 1),
    "output_reasoning_mtok": ("reasoning", 1),
    "audio_hours": ("audio", 60),
    "input_audio_hours": ("audio", 60),
    "requests_kcount": ("request", 1_000),
}

MAKERS: Final = (
    "anthropic",
    "openai",
    "deepseek",
    "x-ai",
    "cohere",
    "meta",
    "moonshotai",
    "zai",
    "minimax",
    "perplexity",
    "voyageai",
    "mistral",
    "google",
)
"""Who has the bare name, first come first; Google last, as it also hosts the others."""


class _CannotPrice(Exception):
    """Why a model is left out; never leaves this module."""


def from_genai_prices(providers: Sequence[str] | None = None) -> CostBook:
    """All providers' costs, or those of the named ones (``openai``, ``anthropic``, ...)."""
    known = {provider.id for provider in snapshot}
    for name in providers or ():
        if name not in known:
            raise BadInput(
                "no such provider in the price snapshot",
                field="providers",
                value=name,
                way_out=f"Name some of {', '.join(sorted(known))}",
            )
    bare = _bare_names(snapshot)
    names: set[str] = set()
    entries: list[CostEntry] = []
    left_out: list[LeftOut] = []
    for provider in snapshot:
        if providers is not None and provider.id not in providers:
            continue
        for model in provider.models:
            holder = bare[model.id]
            name = model.id if holder == provider.id else f"{provider.id}/{model.id}"
            invariant(name not in names, f"one provider has the name {name}")
            names.add(name)
            try:
                entries += _history(name, provider.id, model)
            except _CannotPrice as reason:
                left_out.append(LeftOut(name, provider.id, str(reason)))
    return CostBook(entries, left_out)


def _bare_names(providers: Iterable[Provider]) -> dict[str, str | None]:
    """For each model name, the provider that holds it without a prefix, if any."""
    shared = Counter(model.id for provider in providers for model in provider.models)
    rank = {maker: i for i, maker in enumerate(MAKERS)}
    holder: dict[str, str | None] = {}
    for provider in sorted(providers, key=lambda p: rank.get(p.id, len(MAKERS))):
        for model in provider.models:
            if model.id not in holder:
                alone = shared[model.id] == 1
                holder[model.id] = provider.id if alone or provider.id in rank else None
    return holder


def _history(name: str, provider: str, model: ModelInfo) -> list[CostEntry]:
    """One entry for each instant at which the model's standard price changes."""
    prices = model.prices
    constraints = [] if isinstance(prices, ModelPrice) else [price.constraint for price in prices]
    if any(isinstance(constraint, TimeOfDateConstraint) for constraint in constraints):
        raise _CannotPrice("its price depends on the hour of the day")
    dates = {c.start_date for c in constraints if isinstance(c, StartDateConstraint)}
    starts = [datetime.combine(date, time.min, tzinfo=UTC) for date in sorted(dates)]
    entries: list[CostEntry] = []
    for start in (None, *starts):
        in_force = model.get_prices(start or datetime.min.replace(tzinfo=UTC))
        base, tiers, unsupported = _exact(in_force)
        if entries and (entries[-1].prices_nusd, entries[-1].tiers) == (base, tiers):
            continue
        entries.append(
            CostEntry(
                model=name,
                provider=provider,
                from_us=BEGINNING_OF_TIME_US if start is None else instant_us(start),
                prices_nusd=base,
                tiers=tiers,
                source=SOURCE,
                unsupported=unsupported,
            )
        )
    return entries


def _exact(price: ModelPrice) -> tuple[dict[str, int], tuple[CostTier, ...], tuple[str, ...]]:
    """A snapshot's price as (base, tiers, unsupported keys) in nano-dollars."""
    stated: dict[str, Any] = {key: value for key, value in vars(price).items() if value is not None}
    unsupported = tuple(sorted(key for key in stated if key not in PRICE_KEYS))
    supported = {key: value for key, value in stated.items() if key in PRICE_KEYS}
    if not supported:
        listed = ", ".join(unsupported) or "nothing"
        raise _CannotPrice(f"no metered quantity stands for what it charges ({listed})")
    above = sorted(
        {
            tier.start
            for value in supported.values()
            if isinstance(value, TieredPrices)
            for tier in value.tiers
        }
    )
    tiers = tuple(CostTier(start, _at_size(supported, start + 1)) for start in above)
    return _at_size(supported, 0), tiers, unsupported


def _at_size(supported: dict[str, Any], input_tokens: int) -> dict[str, int]:
    prices: dict[str, int] = {}
    for key, value in supported.items():
        our_key, units = PRICE_KEYS[key]
        nusd = _nusd(key, _usd_at(value, input_tokens), units)
        if prices.setdefault(our_key, nusd) != nusd:
            raise _CannotPrice(f"two different prices for {our_key}")
    return prices


def _usd_at(value: Decimal | TieredPrices, input_tokens: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    usd = value.base
    for tier in value.tiers:
        if input_tokens > tier.start:
            usd = tier.price
    return usd


def _nusd(key: str, usd: Decimal, units: int) -> int:
    exact = Fraction(usd) * NUSD_PER_USD / units
    if exact.denominator != 1:
        raise _CannotPrice(f"{key} is {usd} USD, which is finer than a nano-dollar per unit")
    return exact.numerator
