"""Rules, sections 4, 6 and 8: what a contributed key is worth, earns and costs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from economy.catalog.costs import CostEntry
from economy.policy import load_policy
from economy.pool.contribution import redemption_basis, value_contribution
from economy.pool.keys import PoolKey
from economy.pool.relief import PLATFORM, KeyColumns, Relief, key_columns, relieve
from economy.pool.valuation import Valuation, value_quota
from economy.pricing.sheet import PriceLine
from economy.units import UCR_PER_CREDIT, parse_credits, parse_usd

FEE = Fraction(1, 10)
GPT_4_LINE = PriceLine("gpt-4", {"blended": 5_000_000_000}, UCR_PER_CREDIT, "up", stored=True)
GPT_4_COST = CostEntry("gpt-4", "openai", 0, {"blended": 30_000_000_000})


def valued(usd: str, cost_usd: str, price_cr: str) -> Valuation:
    return value_quota(parse_usd(usd), parse_usd(cost_usd), parse_credits(price_cr), FEE)


def key_valued_on_gpt_4(policy_name: str, **changes: object) -> PoolKey:
    """$500 contributed under a policy, as the pool keeps it."""
    policy = load_policy(policy_name)
    valuation = value_contribution(policy, parse_usd(500), GPT_4_LINE, GPT_4_COST)
    key = PoolKey(
        key_id=7,
        name="key7",
        owner_id=12,
        provider="openai",
        valued_on="gpt-4",
        scheme=policy.contribution.scheme,
        quota_nusd=parse_usd(500),
        capacity_ucr=valuation.capacity_ucr,
        fee_ucr=valuation.fee_ucr,
        share_ucr=valuation.share_ucr,
        capacity_nusd=int(valuation.share_ucr * redemption_basis(policy)),
        rate=valuation.rate,
        contributed_us=0,
    )
    return replace(key, **changes)  # type: ignore[arg-type]


def serve(key: PoolKey, *costs_usd: str) -> tuple[Relief, KeyColumns]:
    columns = key_columns([key])
    costs = np.array([parse_usd(cost) for cost in costs_usd], dtype=np.int64)
    return relieve(np.zeros(len(costs), np.int64), costs, columns), columns


def test_five_hundred_dollars_of_gpt_4() -> None:
    """Rule: "floor($500 / $0.03) = 16,666 x 5 = 83,330; fee ... 8,333; contributor gets 74,997"."""
    valuation = valued("500", "0.03", "5")
    assert valuation.units == 16_666
    assert valuation.capacity_ucr == parse_credits(83_330)
    assert valuation.fee_ucr == parse_credits(8_333)
    assert valuation.share_ucr == parse_credits(74_997)


def test_ten_thousand_requests_are_exact() -> None:
    """Rule: "10,000 x 5 = 50,000 -> 45,000 is exact"."""
    valuation = valued("300", "0.03", "5")
    assert valuation.units == 10_000
    assert valuation.share_ucr == parse_credits(45_000)


def test_the_rate_is_price_over_cost() -> None:
    """Rule: "The valuation rate is price / cost = 166.67 Cr per quota dollar"."""
    rate = valued("500", "0.03", "5").rate
    credits_per_dollar = rate * parse_usd(1) / UCR_PER_CREDIT
    assert rate == Fraction(1, 6)
    assert round(float(credits_per_dollar), 2) == 166.67


@pytest.mark.parametrize(
    ("model", "cost_usd", "price_cr", "gain_percent"),
    [
        ("gpt-4", "0.03", "5", 34.99),
        ("claude-3", "0.025", "4", 29.60),
        ("llama-3", "0.005", "1", 62.00),
        ("whisper-1", "0.006", "2", 170.00),
    ],
)
def test_what_a_contributor_could_withdraw(
    model: str, cost_usd: str, price_cr: str, gain_percent: float
) -> None:
    """Section 8: "$500 of GPT-4 quota -> contribute -> withdraw: +34.99 % ($674.973 ...); the
    same by Claude / Llama / Whisper valuation +29.60 / +62.00 / +170.00 %"."""
    share_nusd = valued("500", cost_usd, price_cr).share_ucr * 9
    gain = Fraction(share_nusd, parse_usd(500)) - 1
    assert round(float(gain * 100), 2) == gain_percent, model
    if model == "gpt-4":
        assert share_nusd == parse_usd("674.973")


def test_upfront_relief() -> None:
    """Rule: "After the request in 3 the key has $499.955 left ... relieves pool:key by quota
    dollars x that rate (0.045 x 166.67 = 7.5)"; section 6: "paid for at 7.5 x 0.9 x $0.009 =
    $0.06075".
    """
    relief, columns = serve(key_valued_on_gpt_4("founding"), "0.045")
    assert relief.served_by.tolist() == [0]
    assert relief.quota_nusd.tolist() == [parse_usd("0.045")]
    assert relief.relief_ucr.tolist() == [parse_credits("7.5")]
    assert relief.paid_nusd.tolist() == [parse_usd("0.06075")]
    assert relief.earned_ucr.tolist() == relief.fee_ucr.tolist() == [0]
    assert columns.quota_nusd[0] - columns.served_quota_nusd[0] == parse_usd("499.955")


def test_on_use_relief() -> None:
    """Rule: "lot(earned) 6.75, fee:contribution 0.75; USD ... 0.06075": on_use without a cap."""
    relief, _ = serve(key_valued_on_gpt_4("founding", scheme="on_use"), "0.045")
    assert relief.relief_ucr.tolist() == [parse_credits("7.5")]
    assert relief.earned_ucr.tolist() == [parse_credits("6.75")]
    assert relief.fee_ucr.tolist() == [parse_credits("0.75")]
    assert relief.paid_nusd.tolist() == [parse_usd("0.06075")]


def test_on_use_relief_under_the_sound_cap() -> None:
    """Rule: "under sound's cap: earned 4.5, fee 3.0, $0.0405"; at most $0.90 per quota dollar."""
    key = key_valued_on_gpt_4("sound")
    assert key.scheme == "on_use"
    relief, _ = serve(key, "0.045")
    assert relief.earned_ucr.tolist() == [parse_credits("4.5")]
    assert relief.fee_ucr.tolist() == [parse_credits("3.0")]
    assert relief.paid_nusd.tolist() == [parse_usd("0.0405")]
    assert key.capacity_nusd <= parse_usd(450)


@pytest.mark.parametrize("policy_name", ["founding", "sound"])
def test_the_last_cents_are_served_at_zero_capacity(policy_name: str) -> None:
    """Rule: "capped at what is left (83,330 is whole requests; the last $0.02 is served at zero
    booked capacity)"; a request beyond the quota falls back to the platform.
    """
    key = key_valued_on_gpt_4(policy_name)
    relief, columns = serve(key, "499.98", "0.03", "0.02", "0.01")
    assert relief.served_by.tolist() == [0, PLATFORM, 0, PLATFORM]
    assert relief.relief_ucr.tolist() == [key.capacity_ucr, 0, 0, 0]
    assert relief.paid_nusd.tolist() == [key.capacity_nusd, parse_usd("0.03"), 0, parse_usd("0.01")]
    assert columns.served_quota_nusd.tolist() == [parse_usd(500)]


def test_the_rate_holds_whichever_model_is_served() -> None:
    """Rule: "quota dollars x the rate fixed at contribution, whichever model it served": a dollar
    is a dollar, in one request or in a thousand.
    """
    at_once, _ = serve(key_valued_on_gpt_4("founding"), "1")
    in_parts, _ = serve(key_valued_on_gpt_4("founding"), *["0.001"] * 1_000)
    for name in ("quota_nusd", "relief_ucr", "paid_nusd"):
        assert getattr(at_once, name).sum() == getattr(in_parts, name).sum()
