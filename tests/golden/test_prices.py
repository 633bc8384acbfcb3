"""Golden: the prices of the rules, section 2, and the genesis sheet that holds them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from economy.catalog.costs import CostBook
from economy.catalog.files import load_costs
from economy.catalog.genai import from_genai_prices
from economy.policy import DATA_DIR, load_policy
from economy.pricing.formula import markup_of, price_ucr
from economy.pricing.genesis import build_genesis, load_genesis
from economy.pricing.lint import lint
from economy.pricing.sheet import PriceSheet
from economy.units import instant_us, parse_credits, parse_usd

TODAY_US = instant_us(datetime(2026, 11, 22, tzinfo=UTC))
CENT_NUSD = parse_usd("0.01")
FOUNDING = ("claude-3", "gpt-4", "llama-3", "whisper-1")


def percent(ratio: Fraction, places: str) -> str:
    """A ratio as the rules print it, half up."""
    value = Decimal(ratio.numerator * 100) / Decimal(ratio.denominator)
    return str(value.quantize(Decimal(places), ROUND_HALF_UP))


@pytest.fixture(scope="module")
def costs() -> CostBook:
    return from_genai_prices().overlay(load_costs(DATA_DIR / "costs"))


@pytest.fixture(scope="module")
def genesis(costs: CostBook) -> PriceSheet:
    return build_genesis(load_genesis(), costs, 1, load_policy("founding"), TODAY_US)


@pytest.mark.parametrize(
    ("model", "cost_usd", "price_cr", "units", "markup"),
    [
        ("gpt-4", "0.03", "5", 1_000, "66.67"),
        ("claude-3", "0.025", "4", 1_000, "60.00"),
        ("llama-3", "0.005", "1", 1_000, "100.00"),
        ("whisper-1", "0.006", "2", 1, "233.33"),
    ],
)
def test_founding_four_over_their_blended_costs(
    costs: CostBook,
    genesis: PriceSheet,
    *,
    model: str,
    cost_usd: str,
    price_cr: str,
    units: int,
    markup: str,
) -> None:
    """ "GPT-4 $0.03 / 1K 5 Cr 66.67 %; Claude 3 $0.025 4 60 %; Llama 3 $0.005 1 100 %;
    Whisper $0.006 / minute 2 Cr / minute 233.3 %". They round up to a whole Credit."""
    line, entry = genesis.line(model), costs.at(model, TODAY_US)
    assert line is not None
    assert entry is not None
    key = "audio" if model == "whisper-1" else "blended"
    assert entry.prices_nusd == {key: parse_usd(cost_usd) * units}
    assert line.prices_ucr == {key: parse_credits(price_cr) * units}
    assert (line.increment_ucr, line.direction) == (parse_credits("1"), "up")
    assert line.stored
    found = markup_of(line.prices_ucr[key], entry.prices_nusd[key], CENT_NUSD)
    assert percent(found, "0.01") == markup


@pytest.mark.parametrize(
    ("markup", "factor", "price_cr"),
    [("0.20", "0.8", "2.88"), ("0.50", "1.5", "6.75"), ("0.35", "1.0", "4.05")],
)
def test_formula_span_of_gpt_4(markup: str, factor: str, price_cr: str) -> None:
    """ "For GPT-4 the formula spans 2.88 Cr (20 %, 0.8: below cost) to 6.75 Cr (50 %, 1.5);
    4.05 at 35 %, 1.0." """
    price = price_ucr(
        parse_usd("0.03"),
        Fraction(markup),
        Fraction(factor),
        credit_value_nusd=CENT_NUSD,
        grid_ucr_per_unit=parse_credits("0.0001"),
    )
    assert price == parse_credits(price_cr)


@pytest.mark.parametrize("policy", ["founding", "sound"])
def test_founding_four_draw_the_markup_warning_and_no_other(
    costs: CostBook, genesis: PriceSheet, policy: str
) -> None:
    """ "All four draw the markup warning and no other"; formula lines draw none."""
    findings = lint(genesis, costs, TODAY_US, load_policy(policy))
    assert [(f.model, f.level, f.rule) for f in findings] == [
        (model, "warning", "markup") for model in FOUNDING
    ]


def test_genesis_holds_forty_current_models_of_six_providers(
    costs: CostBook, genesis: PriceSheet
) -> None:
    """ "The catalogue holds 40 models and more": beside the four, of six providers, and
    none that its provider has deprecated."""
    from genai_prices.data import providers

    deprecated = {
        (provider.id, model.id)
        for provider in providers
        for model in provider.models
        if model.deprecated
    }
    others = [line.model for line in genesis.lines if line.model not in FOUNDING]
    makers = {costs.provider(model) for model in others}
    assert len(others) >= 40
    assert len(makers) >= 6
    assert not [m for m in others if (costs.provider(m), m) in deprecated]


def test_real_gpt_4_charges_output_more() -> None:
    """ "the real providers charge output more: gpt-4 for 1,000 in + 500 out really costs
    $0.060" """
    from economy.rating.rate import cost_one

    entry = from_genai_prices(["openai"]).at("gpt-4", TODAY_US)
    assert entry is not None
    assert cost_one(entry, (1_000, 500, 0, 0, 0, 0, 0, 0, 1)).cost_nusd == parse_usd("0.060")


def test_shipped_files_are_where_the_rules_say() -> None:
    """ "kept in `data/costs/founding.toml`" """
    assert load_costs(Path(DATA_DIR / "costs" / "founding.toml")).models() == FOUNDING
