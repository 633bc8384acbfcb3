"""Generated usage has the shape that its tables state, and the same for the same seed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from economy.errors import BadInput
from economy.policy import DATA_DIR, UsageRules, read_toml
from economy.quantities import AUDIO, CACHED_INPUT, INPUT, OUTPUT
from economy.units import US_PER_DAY, parse_instant
from economy.usage.batch import EventStatus, ReadReport, UsageBatch
from economy.usage.demo import generate_usage, write_parquet
from economy.usage.demo_tables import load_demo_tables, load_token_tables
from economy.usage.keys import event_keys
from economy.usage.readers.table import read_usage
from economy.usage.sizes import cumulative_shares

MONDAY_US = parse_instant("2026-06-01T00:00:00Z")
RULES = UsageRules(
    max_tokens_per_request=10_000_000, max_audio_s_per_request=86_400, charge_failed_requests=False
)


@pytest.fixture(scope="module")
def demo() -> UsageBatch:
    return generate_usage(7, 300, 20_000, MONDAY_US, 28)


def test_the_same_arguments_give_the_same_events(demo: UsageBatch) -> None:
    again = generate_usage(7, 300, 20_000, MONDAY_US, 28)
    for field in fields(UsageBatch):
        assert np.array_equal(getattr(demo, field.name), getattr(again, field.name))


def test_other_arguments_give_other_ids() -> None:
    """Else a second demo at another hour would contradict the first instead of adding to it."""
    runs = [
        generate_usage(seed, 3, 10, MONDAY_US + later, 1)
        for seed, later in ((7, 0), (8, 0), (7, 1))
    ]
    ids = [event_id for run in runs for event_id in run.event_id]
    assert len(set(ids)) == 30


def test_whales_are_visible_and_nobody_is_missing(demo: UsageBatch) -> None:
    counts = np.bincount(demo.customer, minlength=300)
    assert counts[0] / len(demo) == pytest.approx(0.30, abs=0.01)
    assert counts.argmax() == 0
    assert counts.min() >= 1


def test_hours_and_weekdays_follow_their_profiles(demo: UsageBatch) -> None:
    clock = load_demo_tables().clock
    assert demo.effective_us.min() >= MONDAY_US
    assert demo.effective_us.max() < MONDAY_US + 28 * US_PER_DAY
    assert (np.diff(demo.effective_us) >= 0).all()
    since = demo.effective_us - MONDAY_US
    by_hour = np.bincount(since * 24 // US_PER_DAY % 24, minlength=24) / len(demo)
    by_day = np.bincount(since // US_PER_DAY % 7, minlength=7) / len(demo)
    # About four standard deviations of a share of 20,000 draws.
    assert by_hour == pytest.approx(np.array(clock.hourly) / sum(clock.hourly), abs=0.007)
    assert by_day == pytest.approx(np.array(clock.weekly) / sum(clock.weekly), abs=0.011)


def test_models_and_quantities(demo: UsageBatch) -> None:
    tables = load_demo_tables()
    assert {"gpt-4", "claude-3", "llama-3", "whisper-1"} < set(demo.models)
    assert set(demo.model.tolist()) == set(range(len(tables.models)))
    is_audio = np.array([m.audio for m in tables.models])[demo.model]
    assert 0 < is_audio.mean() < 0.02
    assert (demo.quantities[is_audio, AUDIO] > 0).all()
    assert (demo.quantities[is_audio, :AUDIO] == 0).all()
    tokens = demo.quantities[~is_audio]
    assert (tokens[:, AUDIO] == 0).all()
    assert (tokens[:, OUTPUT] > 0).all()
    assert (tokens[:, INPUT] + tokens[:, CACHED_INPUT] > 0).all()
    assert (tokens >= 0).all()
    failed = (demo.status == EventStatus.FAILED).mean()
    assert failed == pytest.approx(tables.crowd.failed_share, abs=0.003)


def test_tokens_of_a_crowd_without_whales_have_the_tables_means() -> None:
    """The scale of a customer moves tokens between customers, not their distribution."""
    tables = load_demo_tables()
    even = tables.model_copy(
        update={
            "crowd": tables.crowd.model_copy(update={"sigma": 0.0}),
            "models": tables.models[:1],
        }
    )
    tokens = load_token_tables()
    workload = tokens.workloads[2]
    only = tokens.model_copy(update={"workloads": (workload,)})
    batch = generate_usage(1, 20_000, 60_000, MONDAY_US, 7, tables=even, tokens=only)
    total = batch.quantities[:, INPUT] + batch.quantities[:, CACHED_INPUT]
    assert total.mean() == pytest.approx(np.mean(workload.input_tokens), rel=0.03)
    assert batch.quantities[:, OUTPUT].mean() == pytest.approx(
        np.mean(workload.output_tokens), rel=0.03
    )
    # "Cached share of input 37 % where prefixes repeat."
    cached = batch.quantities[:, CACHED_INPUT].sum() / total.sum()
    assert cached == pytest.approx(0.3736, abs=0.012)


def test_customers_differ_in_their_scale(demo: UsageBatch) -> None:
    """With s = 1 a customer always sends the same; with the shipped s it does not."""
    tables = load_demo_tables()
    crowd = tables.crowd.model_copy(update={"buyer_share_of_variance": 1.0, "loyalty": 1.0})
    fixed = generate_usage(
        7, 20, 2_000, MONDAY_US, 7, tables=tables.model_copy(update={"crowd": crowd})
    )
    for customer in range(20):
        assert len(set(fixed.quantities[fixed.customer == customer, OUTPUT].tolist())) == 1
    assert len(set(demo.quantities[demo.customer == 0, OUTPUT].tolist())) > 20


def test_written_parquet_is_read_back_as_the_same_events(demo: UsageBatch, tmp_path: Path) -> None:
    path = tmp_path / "demo.parquet"
    write_parquet(demo, path)
    report = ReadReport()
    batches = list(read_usage(path, None, RULES, report, batch_rows=7_000))
    assert (report.read, report.errors) == (len(demo), [])
    # Our own map names another source, which is part of the key and not of the content.
    contents = [content for batch in batches for content in event_keys(batch)[1]]
    assert contents == event_keys(demo)[1]
    assert [e for batch in batches for e in batch.event_id] == demo.event_id


@pytest.mark.parametrize("arguments", [(-1, 1, 1, 1), (0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0)])
def test_nonsense_is_refused(arguments: tuple[int, int, int, int]) -> None:
    seed, customers, events, days = arguments
    with pytest.raises(BadInput, match="demo usage needs"):
        generate_usage(seed, customers, events, MONDAY_US, days)


@pytest.mark.parametrize(("n", "sigma"), [(300, 2.2), (43, 2.7), (1, 2.0), (10, 0.0)])
def test_sizes_are_the_lorenz_curve_of_a_lognormal_crowd(n: int, sigma: float) -> None:
    """Shares equal those of many lognormal quantiles, largest first, and add up to one."""
    fine = 2_000
    parts = np.exp(sigma * norm.ppf((np.arange(n * fine) + 0.5) / (n * fine)))[::-1]
    expected = np.cumsum(parts.reshape(n, fine).sum(axis=1)) / parts.sum()
    got = cumulative_shares(n, sigma)
    assert got[-1] == 1.0
    assert got == pytest.approx(expected, abs=0.01)


def test_demo_customers_use_models_of_the_genesis_sheet() -> None:
    """Else a newcomer's first import ends in the queue of unpriced usage."""
    genesis = read_toml(DATA_DIR / "sheets" / "genesis.toml")
    priced = {model for provider in genesis["providers"] for model in provider["models"]}
    priced |= {line["model"] for line in genesis["stored"]}
    assert {model.name for model in load_demo_tables().models} <= priced
