"""Event keys: what makes two events the same, and what makes them contradict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from economy.quantities import N_QUANTITIES
from economy.usage.batch import UsageBatch
from economy.usage.keys import event_keys


def batch_of(n: int = 1) -> UsageBatch:
    return UsageBatch(
        source="log",
        event_id=[f"e-{i}" for i in range(n)],
        effective_us=np.arange(n, dtype=np.int64),
        customer=np.zeros(n, dtype=np.int32),
        customers=["acme", "other"],
        model=np.zeros(n, dtype=np.int32),
        models=["gpt-4", "other"],
        quantities=np.ones((n, N_QUANTITIES), dtype=np.int64),
        status=np.zeros(n, dtype=np.int8),
        row=np.arange(1, n + 1, dtype=np.int64),
    )


def test_hashes_do_not_change_between_releases() -> None:
    """Workspaces keep these bytes: another value here means that imports charge twice."""
    keys, contents = event_keys(batch_of())
    assert (keys[0].hex(), contents[0].hex()) == (
        "dfe38fb136cfde2c8d60e05fe45befb9",
        "c336c95c231eef147ba9130417c7b73f",
    )


@pytest.mark.parametrize("change", [{"source": "lo"}, {"event_id": ["ge-0"]}])
def test_source_and_id_make_the_key(change: dict[str, object]) -> None:
    before, after = event_keys(batch_of()), event_keys(replace(batch_of(), **change))  # type: ignore[arg-type]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_the_seam_between_source_and_id_is_part_of_the_key() -> None:
    a = replace(batch_of(), source="ab", event_id=["c"])
    b = replace(batch_of(), source="a", event_id=["bc"])
    assert event_keys(a)[0] != event_keys(b)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"effective_us": np.array([5], dtype=np.int64)},
        {"customer": np.array([1], dtype=np.int32)},
        {"model": np.array([1], dtype=np.int32)},
        {"status": np.array([1], dtype=np.int8)},
        *(
            {
                "quantities": np.ones((1, N_QUANTITIES), np.int64)
                + np.eye(N_QUANTITIES, dtype=np.int64)[i : i + 1]
            }
            for i in range(N_QUANTITIES)
        ),
    ],
)
def test_what_decides_the_price_makes_the_content(change: dict[str, object]) -> None:
    before, after = event_keys(batch_of()), event_keys(replace(batch_of(), **change))  # type: ignore[arg-type]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_neither_depends_on_place_or_on_codes() -> None:
    """The same events in another order, file and coding of names have the same hashes."""
    batch = batch_of(5)
    recoded = replace(
        batch, customers=["x", "acme"], customer=batch.customer + np.int32(1), row=batch.row + 7
    )
    turned = recoded.take(np.array([4, 3, 2, 1, 0]))
    keys, contents = event_keys(turned)
    assert (keys[::-1], contents[::-1]) == event_keys(batch)


def test_an_empty_batch_has_no_keys() -> None:
    assert event_keys(batch_of(0)) == ([], [])
