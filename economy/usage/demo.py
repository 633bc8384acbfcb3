"""Generated usage for a newcomer who has no log: a crowd with whales, days and nights.

Customers have sizes (:mod:`economy.usage.sizes`), a workload, a favourite model and an
own scale of tokens; requests fall on hours by a daily and a weekly profile. All tables
stand in ``data/demo``, with their sources.

A request's tokens are drawn from the workload's quantile table at ``Phi(z)``, with::

    z = sqrt(s) z_customer + sqrt(1 - s) z_request

where ``s`` is the share of variance between customers. However ``s`` is set, requests of
all customers together follow the table; with ``s = 0`` customers are alike, with
``s = 1`` each always sends the same. Input and output are drawn apart.

The same arguments give the same events, on any machine: draws are raw Philox bits, one
stream for each purpose, so a new purpose never moves another's numbers.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from economy.errors import BadInput
from economy.quantities import (
    AUDIO,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    CACHED_INPUT,
    IMAGE,
    INPUT,
    N_QUANTITIES,
    OUTPUT,
    REASONING,
    REQUEST,
)
from economy.units import US_PER_DAY
from economy.usage.batch import EventStatus, UsageBatch
from economy.usage.demo_tables import (
    Clock,
    DemoTables,
    TokenTables,
    load_demo_tables,
    load_token_tables,
)
from economy.usage.sizes import cumulative_shares, customer_names

DEMO_SOURCE: Final = "demo"
MAX_EVENTS: Final = 50_000_000

_US_PER_HOUR: Final = US_PER_DAY // 24
_THURSDAY: Final = 3
"""The weekday of 1970-01-01, Monday being 0."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
T = TypeVar("T", bound=np.generic)


class _Purpose(IntEnum):
    """What a stream of random numbers is for; numbers are never used again."""

    CUSTOMER = 1
    WORKLOAD = 2
    FAVOURITE = 3
    INPUT_SCALE = 4
    OUTPUT_SCALE = 5
    HOUR = 6
    MOMENT = 7
    LOYALTY = 8
    MODEL = 9
    INPUT = 10
    OUTPUT = 11
    CACHED = 12
    AUDIO = 13
    FAILED = 14


def generate_usage(
    seed: int,
    n_customers: int,
    n_events: int,
    from_us: int,
    days: int,
    *,
    tables: DemoTables | None = None,
    tokens: TokenTables | None = None,
) -> UsageBatch:
    """``n_events`` requests of ``n_customers`` in ``[from_us, from_us + days)``, by time.

    Every customer sends one request if there are enough; the rest go by size.
    """
    tables = tables or load_demo_tables()
    tokens = tokens or load_token_tables()
    if not (0 <= seed < 2**64 and n_customers > 0 and 0 < n_events <= MAX_EVENTS and days > 0):
        raise BadInput(
            "demo usage needs a seed from 0, at least one customer, event and day, "
            f"and at most {MAX_EVENTS:,} events"
        )
    draw = _Draws(seed)
    customer = _customers(draw, n_customers, n_events, tables.crowd.sigma)
    model = _models(draw, customer, n_customers, tables)
    effective_us = _times(draw, n_events, from_us, days, tables.clock)
    quantities = _quantities(draw, customer, model, n_customers, tables=tables, tokens=tokens)
    failed = draw.uniform(_Purpose.FAILED, n_events) < tables.crowd.failed_share
    order = np.argsort(effective_us, kind="stable")
    # Other arguments are other events: their ids must not be taken for repeats.
    arguments = f"{seed} {n_customers} {n_events} {from_us} {days} {tables!r} {tokens!r}"
    run = blake2b(arguments.encode(), digest_size=4).hexdigest()
    return UsageBatch(
        source=DEMO_SOURCE,
        event_id=[f"demo-{run}-{i:06d}" for i in range(1, n_events + 1)],
        effective_us=effective_us[order],
        customer=customer[order].astype(np.int32),
        customers=customer_names(n_customers),
        model=model[order].astype(np.int32),
        models=[m.name for m in tables.models],
        quantities=quantities[order],
        status=np.where(failed[order], EventStatus.FAILED, EventStatus.OK).astype(np.int8),
        row=np.arange(1, n_events + 1, dtype=np.int64),
    )


def write_parquet(batch: UsageBatch, path: Path) -> None:
    """Write a batch in the project's own columns, as :mod:`economy.usage.readers.table` reads."""
    q = batch.quantities
    cached = q[:, CACHED_INPUT] + q[:, CACHE_WRITE_5M] + q[:, CACHE_WRITE_1H]
    columns = {
        "event_id": batch.event_id,
        "time": pa.array(batch.effective_us, pa.timestamp("us", "UTC")),
        "customer": pa.DictionaryArray.from_arrays(batch.customer, pa.array(batch.customers)),
        "model": pa.DictionaryArray.from_arrays(batch.model, pa.array(batch.models)),
        "input_tokens": q[:, INPUT] + cached,
        "output_tokens": q[:, OUTPUT] + q[:, REASONING],
        "cached_input_tokens": q[:, CACHED_INPUT],
        "cache_write_5m_tokens": q[:, CACHE_WRITE_5M],
        "cache_write_1h_tokens": q[:, CACHE_WRITE_1H],
        "reasoning_tokens": q[:, REASONING],
        "audio_seconds": q[:, AUDIO] / 1000,
        "images": q[:, IMAGE],
        "requests": q[:, REQUEST],
        "status": np.where(batch.status == EventStatus.FAILED, "failed", "ok"),
    }
    pq.write_table(pa.table(columns), path)


class _Draws:
    """Uniform numbers strictly between 0 and 1, one stream for each purpose."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def uniform(self, purpose: _Purpose, n: int) -> Floats:
        key = np.array([self._seed, purpose], dtype=np.uint64)
        bits = np.random.Philox(key=key).random_raw(n) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def pick(self, purpose: _Purpose, n: int, weights: list[float]) -> Codes:
        """Positions in ``weights``, each as often as its weight says."""
        return _pick(self.uniform(purpose, n), np.asarray(weights))

    def normal(self, purpose: _Purpose, n: int) -> Floats:
        return np.asarray(ndtri(self.uniform(purpose, n)), dtype=np.float64)


def _pick(drawn: Floats, weights: Floats) -> Codes:
    edges = np.cumsum(weights) / weights.sum()
    # Sums of floats may end a hair below one; the last entry with a weight takes the rest.
    edges[np.flatnonzero(weights)[-1] :] = 1.0
    return np.searchsorted(edges, drawn, side="right")


def _customers(draw: _Draws, n_customers: int, n_events: int, sigma: float) -> Codes:
    shares = cumulative_shares(n_customers, sigma)
    by_size = np.searchsorted(shares, draw.uniform(_Purpose.CUSTOMER, n_events), side="right")
    first = min(n_customers, n_events)
    by_size[:first] = np.arange(first)
    return by_size


def _models(draw: _Draws, customer: Codes, n_customers: int, tables: DemoTables) -> Codes:
    """A customer's favourite takes tokens; other requests go by the models' weights."""
    weights = [m.weight for m in tables.models]
    for_text = [0.0 if m.audio else m.weight for m in tables.models]
    favourite = draw.pick(_Purpose.FAVOURITE, n_customers, for_text)
    loyal = draw.uniform(_Purpose.LOYALTY, len(customer)) < tables.crowd.loyalty
    other = draw.pick(_Purpose.MODEL, len(customer), weights)
    return np.where(loyal, favourite[customer], other)


def _times(draw: _Draws, n: int, from_us: int, days: int, clock: Clock) -> NDArray[np.int64]:
    hours = from_us // _US_PER_HOUR + np.arange(days * 24)
    weekday = (hours // 24 + _THURSDAY) % 7
    rate = np.asarray(clock.hourly)[hours % 24] * np.asarray(clock.weekly)[weekday]
    hour = _pick(draw.uniform(_Purpose.HOUR, n), rate)
    moment = draw.uniform(_Purpose.MOMENT, n) * _US_PER_HOUR
    return from_us + hour * _US_PER_HOUR + moment.astype(np.int64)


def _quantities(
    draw: _Draws,
    customer: Codes,
    model: Codes,
    n_customers: int,
    *,
    tables: DemoTables,
    tokens: TokenTables,
) -> NDArray[np.int64]:
    n = len(customer)
    own = tables.crowd.buyer_share_of_variance
    quantities = np.zeros((n, N_QUANTITIES), dtype=np.int64)
    workload = draw.pick(_Purpose.WORKLOAD, n_customers, [w.weight for w in tokens.workloads])
    scale_in = draw.normal(_Purpose.INPUT_SCALE, n_customers)[customer]
    scale_out = draw.normal(_Purpose.OUTPUT_SCALE, n_customers)[customer]
    place_in = _places(scale_in, draw.normal(_Purpose.INPUT, n), own)
    place_out = _places(scale_out, draw.normal(_Purpose.OUTPUT, n), own)
    place_cached = draw.uniform(_Purpose.CACHED, n)
    caches = np.array([m.caches for m in tables.models])[model]
    for code, table in enumerate(tokens.workloads):
        rows = np.flatnonzero(workload[customer] == code)
        total = _look_up(np.asarray(table.input_tokens), place_in[rows])
        quantities[rows, OUTPUT] = _look_up(np.asarray(table.output_tokens), place_out[rows])
        cached = np.zeros(len(rows), dtype=np.int64)
        if table.cached_share:
            share = _look_up(np.asarray(table.cached_share), place_cached[rows])
            cached = np.where(caches[rows], np.rint(total * share), 0).astype(np.int64)
        quantities[rows, CACHED_INPUT] = cached
        quantities[rows, INPUT] = total - cached
    audio = np.flatnonzero(np.array([m.audio for m in tables.models])[model])
    seconds = _look_up(np.asarray(tokens.audio.seconds), draw.uniform(_Purpose.AUDIO, n)[audio])
    quantities[audio] = 0
    quantities[audio, AUDIO] = np.rint(seconds * 1000).astype(np.int64)
    return quantities


def _places(of_customer: Floats, of_request: Floats, own: float) -> Floats:
    """Where in its quantile table each request stands, in (0, 1); see the module."""
    z = np.sqrt(own) * of_customer + np.sqrt(1 - own) * of_request
    return np.asarray(ndtr(z), dtype=np.float64)


def _look_up(table: NDArray[T], place: Floats) -> NDArray[T]:
    return table[np.minimum((place * len(table)).astype(np.int64), len(table) - 1)]
