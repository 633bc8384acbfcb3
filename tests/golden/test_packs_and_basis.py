"""Rules, section 1: what a Credit is worth, what packs give, and how a basis is released."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from economy.policy import Policy, load_policy
from economy.units import UCR_PER_CREDIT, parse_usd
from economy.wallets.spending import plan_spend, release_basis

PACKS = ["starter", "pro", "enterprise", "volume"]


@pytest.fixture(params=["founding", "sound"])
def policy(request: pytest.FixtureRequest) -> Policy:
    return load_policy(request.param)


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("name", "credits", "usd", "basis", "bonus_percent", "discount_percent"),
    [
        ("starter", 1_000, "10", Fraction(10), 0, 0),
        ("pro", 10_000, "90", Fraction(9), 11.11, 10),
        ("enterprise", 100_000, "800", Fraction(8), 25, 20),
        ("volume", 11_000, "100", Fraction(100, 11), 10, 9.09),
    ],
)
def test_packs(
    policy: Policy,
    *,
    name: str,
    credits: int,
    usd: str,
    basis: Fraction,
    bonus_percent: float,
    discount_percent: float,
) -> None:
    """Rule: "Packs: Starter 1,000 / $10, Pro 10,000 / $90, Enterprise 100,000 / $800; volume offer
    $100 -> 11,000 ... bonuses are 0 / 11.11 / 25 / 10 percent (their discounts 0 / 10 / 20 /
    9.09) ... bases $0.01 / 0.009 / 0.008 / 0.0090909...". A basis is in nusd per ucr.
    """
    pack = policy.pack(name)
    assert pack.credits_ucr == credits * UCR_PER_CREDIT
    assert pack.price_nusd == parse_usd(usd)
    assert pack.basis == basis

    at_reference_nusd = Fraction(pack.credits_ucr, UCR_PER_CREDIT) * (
        policy.credit.reference_value_nusd
    )
    bonus = at_reference_nusd / pack.price_nusd - 1
    discount = 1 - pack.price_nusd / at_reference_nusd
    assert round(float(bonus * 100), 2) == bonus_percent
    assert round(float(discount * 100), 2) == discount_percent


def test_the_reference_value_and_the_top_up_rate_are_one_fact(policy: Policy) -> None:
    """Rule: "Reference value $0.01. Top-up rate $1 = 100 Credits."""
    assert policy.credit.reference_value_nusd == parse_usd("0.01")
    assert policy.credit.top_up_rate_cr_per_usd * policy.credit.reference_value_nusd == parse_usd(1)


@pytest.mark.parametrize("name", PACKS)
def test_the_last_credit_closes_the_lot_to_zero(policy: Policy, name: str) -> None:
    """Rule: "floor_nusd(lot USD x Credits spent so far / lot Credits) - already released, so the
    last Credit closes the lot to zero": a whole pack in requests of 7.3 Cr, each rounded up to
    8.
    """
    pack = policy.pack(name)
    charge, unrounded = 8 * UCR_PER_CREDIT, 7_300_000
    whole = pack.credits_ucr // charge
    rest = pack.credits_ucr - whole * charge
    charges = np.full(whole + 1, charge)
    charges[-1] = rest
    usage = np.full(whole + 1, unrounded)
    usage[-1] = rest
    available = i64(pack.credits_ucr)
    plan = plan_spend(np.zeros(whole + 1, np.int64), charges, usage, i64(0, 1), available)
    release = release_basis(
        plan, i64(pack.basis.numerator), i64(pack.basis.denominator), i64(0), i64(0)
    )
    total = release.leg_usage_nusd + release.leg_rounding_nusd

    assert plan.accepted.all()
    assert available.tolist() == [0]
    assert total.sum() == pack.price_nusd
    assert release.leg_rounding_nusd.sum() == int(whole * 700_000 * pack.basis)
    spent = np.cumsum(charges)
    for step in (0, 1, whole // 2, whole):
        so_far = pack.price_nusd * int(spent[step]) // pack.credits_ucr
        assert total[: step + 1].sum() == so_far


@pytest.mark.parametrize(
    ("origin", "basis", "usage_usd", "rounding_usd"),
    [
        ("starter", Fraction(10), "0.075", "0.005"),
        ("pro", Fraction(9), "0.0675", "0.0045"),
        ("enterprise", Fraction(8), "0.06", "0.004"),
        ("volume", Fraction(100, 11), "0.068181818", "0.004545454"),
        ("promotion, referral", Fraction(0), "0", "0"),
        ("earned", Fraction(9), "0.0675", "0.0045"),
    ],
)
def test_eight_credits_with_half_a_credit_of_rounding(
    origin: str, basis: Fraction, usage_usd: str, rounding_usd: str
) -> None:
    """Rule: "charge 8 ... USD Dr deferred_revenue ... Cr revenue:usage 7.5 x basis,
    revenue:rounding 0.5 x basis"; "lots from referrals and promotions have basis 0; earned lots
    $0.009".
    """
    plan = plan_spend(i64(0), i64(8_000_000), i64(7_500_000), i64(0, 1), i64(10_000_000))
    release = release_basis(plan, i64(basis.numerator), i64(basis.denominator), i64(0), i64(0))
    total = int(8_000_000 * basis)
    assert release.leg_rounding_nusd.tolist() == [parse_usd(rounding_usd)], origin
    assert release.leg_usage_nusd.tolist() == [total - parse_usd(rounding_usd)], origin
    assert abs(int(release.leg_usage_nusd[0]) - parse_usd(usage_usd)) <= 1, origin
