"""The price snapshot: exact, dated, tiered; what it cannot say is said and not priced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from genai_prices.data import providers as snapshot
from genai_prices.types import Provider, StartDateConstraint, Usage

from economy.catalog.costs import CostBook, CostEntry, CostTier
from economy.catalog.genai import from_genai_prices
from economy.errors import BadInput
from economy.rating.rate import RateStatus, cost_one
from economy.units import BEGINNING_OF_TIME_US, NUSD_PER_USD, instant_us, parse_instant, parse_usd

TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def book() -> CostBook:
    return from_genai_prices()


def entry(book: CostBook, model: str, moment: datetime = TODAY) -> CostEntry:
    found = book.at(model, instant_us(moment))
    assert found is not None
    return found


def test_a_dated_change_and_the_tiers_before_it(book: CostBook) -> None:
    before, after = book.history("claude-opus-4-6")
    assert before.from_us == BEGINNING_OF_TIME_US
    assert after.from_us == parse_instant("2026-03-13T00:00:00Z")
    assert before.prices_nusd["output"] == parse_usd("25")
    (tier,) = before.tiers
    assert tier.above_input_tokens == 200_000
    assert tier.prices_nusd == {
        "input": parse_usd("10"),
        "output": parse_usd("37.5"),
        "cached_input": parse_usd("1"),
        "cache_write_5m": parse_usd("12.5"),
        "cache_write_1h": parse_usd("20"),
    }
    assert after.tiers == ()
    assert after.unsupported == ("web_searches_kcount",)


def test_announced_changes_are_there(book: CostBook) -> None:
    prices = [e.prices_nusd["input"] for e in book.history("gemini-4-argon")]
    assert prices == [parse_usd("2"), parse_usd("4")]
    assert book.history("gemini-4-argon")[1].from_us > instant_us(TODAY)


def test_audio_by_the_hour_is_audio_by_the_minute(book: CostBook) -> None:
    assert entry(book, "whisper-1").prices_nusd == {"audio": parse_usd("0.006")}


def test_request_fees_are_by_the_request(book: CostBook) -> None:
    assert entry(book, "sonar").prices_nusd["request"] == parse_usd("0.012")


def test_what_cannot_be_metered_is_never_free(book: CostBook) -> None:
    gone = {gap.model: gap.reason for gap in book.left_out}
    assert "hour of the day" in gone["deepseek-chat"]
    assert "input_mchars" in gone["tts-1"]
    assert "nano-dollar" in gone["whisper-large-v3-turbo"]
    assert not set(gone) & set(book.models())
    spoken = entry(book, "gpt-audio")
    assert set(spoken.unsupported) == {"input_audio_mtok", "output_audio_mtok"}
    assert cost_one(spoken, (1, 1, 0, 0, 0, 0, 60_000, 0, 1)).status is RateStatus.NO_COST


def test_the_maker_has_the_bare_name(book: CostBook) -> None:
    assert book.provider("claude-opus-5") == "anthropic"
    assert book.provider("google/claude-opus-5") == "google"
    assert book.provider("gpt-4o") == "openai"
    # Made by none of its hosts: every one is prefixed.
    assert book.history("moonshotai/Kimi-K3") == ()
    assert book.provider("baseten/moonshotai/Kimi-K3") == "baseten"


def test_names_do_not_depend_on_the_providers_chosen(book: CostBook) -> None:
    some = from_genai_prices(["google", "cohere"])
    assert {e.provider for e in some.entries} == {"google", "cohere"}
    assert all(book.history(model) == some.history(model) for model in some.models())


def test_an_unknown_provider_is_told() -> None:
    with pytest.raises(BadInput, match="no such provider"):
        from_genai_prices(["opneai"])


USAGE = {
    "input_tokens": 150_000,
    "cache_read_tokens": 40_000,
    "cache_write_tokens": 10_000,
    "output_tokens": 1_500,
}
QUANTITIES = (100_000, 1_500, 40_000, 10_000, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("scale", [1, 3])
def test_costs_agree_with_the_snapshots_own_arithmetic(book: CostBook, scale: int) -> None:
    """Every model of the large makers, at the days around each change, below and above the
    context tiers: the same dollars as the library that publishes the prices."""
    checked = 0
    for provider in snapshot:
        if provider.id in {"openai", "anthropic", "google", "mistral", "x-ai", "cohere"}:
            checked += sum(agrees(book, provider, i, scale) for i in range(len(provider.models)))
    assert checked > 250


def agrees(book: CostBook, provider: Provider, i: int, scale: int) -> int:
    """How many instants of one model were compared; asserts that all agree."""
    model = provider.models[i]
    names = [n for n in (model.id, f"{provider.id}/{model.id}") if book.provider(n) == provider.id]
    if not names:
        return 0
    priced = book.history(names[0])[0].prices_nusd
    if not {"input", "output"} <= set(priced) or "request" in priced:
        return 0  # Embeddings and fees per request are not chat usage.
    days = [TODAY]
    if isinstance(model.prices, list):
        for price in model.prices:
            if isinstance(price.constraint, StartDateConstraint):
                day = datetime.combine(price.constraint.start_date, datetime.min.time(), tzinfo=UTC)
                days += [day - timedelta(microseconds=1), day]
    usage = Usage(**{key: count * scale for key, count in USAGE.items()})
    for day in days:
        theirs = model.calc_price(usage, provider, genai_request_timestamp=day).total_price
        ours = cost_one(entry(book, names[0], day), tuple(q * scale for q in QUANTITIES))
        assert ours.status is RateStatus.OK, names
        assert ours.exact == Fraction(Decimal(theirs)) * NUSD_PER_USD, (names, day)
    return len(days)


def test_tier_of_one_key_only_keeps_the_others_at_base() -> None:
    from genai_prices.types import ModelPrice, Tier, TieredPrices

    from economy.catalog.genai import _exact

    price = ModelPrice(
        input_mtok=TieredPrices(Decimal(1), [Tier(300, Decimal(3)), Tier(200, Decimal(2))]),
        output_mtok=Decimal(5),
    )
    base, tiers, _ = _exact(price)
    dollars = parse_usd("1")
    assert base == {"input": dollars, "output": 5 * dollars}
    assert tiers == (
        CostTier(200, {"input": 2 * dollars, "output": 5 * dollars}),
        CostTier(300, {"input": 3 * dollars, "output": 5 * dollars}),
    )
