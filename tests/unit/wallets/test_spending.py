"""plan_spend and release_basis, case by case."""

from __future__ import annotations

import numpy as np
import pytest

from economy.errors import BadInput
from economy.wallets.spending import plan_spend, release_basis

CR = 1_000_000


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_usage_is_paid_first_and_rounding_by_the_last_lot() -> None:
    available = i64(5 * CR, 0, 10 * CR)
    plan = plan_spend(i64(0), i64(8 * CR), i64(7_500_000), i64(0, 3), available)
    assert plan.leg_lot.tolist() == [0, 2]
    assert plan.leg_amount_ucr.tolist() == [5 * CR, 3 * CR]
    assert plan.leg_rounding_ucr.tolist() == [0, 500_000]
    assert available.tolist() == [0, 0, 7 * CR]
    assert plan.per_event(plan.leg_rounding_ucr).tolist() == [500_000]


def test_a_refused_event_leaves_everything_to_the_next() -> None:
    available = i64(3 * CR, 4 * CR)
    plan = plan_spend(
        i64(0, 0, 0), i64(8 * CR, 7 * CR, CR), i64(8 * CR, 7 * CR, CR), i64(0, 2), available
    )
    assert plan.accepted.tolist() == [False, True, False]
    assert plan.leg_event.tolist() == [1, 1]
    assert available.tolist() == [0, 0]


def test_a_charge_of_nothing_needs_no_lot() -> None:
    plan = plan_spend(i64(0), i64(0), i64(0), i64(0, 0), i64())
    assert plan.accepted.tolist() == [True]
    assert len(plan.leg_event) == 0


def test_a_charge_rounded_down_is_all_usage() -> None:
    plan = plan_spend(i64(0), i64(7 * CR), i64(7_500_000), i64(0, 1), i64(9 * CR))
    assert plan.leg_amount_ucr.tolist() == [7 * CR]
    assert plan.leg_rounding_ucr.tolist() == [0]


def test_no_events_no_legs() -> None:
    plan = plan_spend(i64(), i64(), i64(), i64(0), i64())
    release = release_basis(plan, i64(), i64(), i64(), i64())
    assert len(plan.accepted) == len(release.leg_usage_nusd) == 0


@pytest.mark.parametrize(
    ("customer", "charge", "unrounded", "field"),
    [
        (0, -1, 0, "charge_ucr"),
        (0, 0, -1, "unrounded_ucr"),
        (1, 1, 1, "customer_index"),
        (-1, 1, 1, "customer_index"),
    ],
)
def test_bad_columns_are_refused_before_anything_is_taken(
    customer: int, charge: int, unrounded: int, field: str
) -> None:
    available = i64(CR)
    with pytest.raises(BadInput) as caught:
        plan_spend(i64(0, customer), i64(1, charge), i64(1, unrounded), i64(0, 1), available)
    assert caught.value.field == field
    assert available.tolist() == [CR]


def test_a_leg_of_rounding_only_may_step_one_nano_dollar_apart() -> None:
    """Basis 1/2: the lot's total stands still where the rounding's own floor steps."""
    plan = plan_spend(i64(0), i64(1), i64(0), i64(0, 1), i64(1))
    spent, spent_rounding = i64(2), i64(1)
    release = release_basis(plan, i64(1), i64(2), spent, spent_rounding)
    assert release.leg_rounding_nusd.tolist() == [1]
    assert release.leg_usage_nusd.tolist() == [-1]
