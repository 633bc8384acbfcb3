"""A small real workspace for view tests: founding rules, two customers, a contributed key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from economy.economy import Economy
from economy.identity import Actor
from economy.policy import load_policy
from economy.quantities import N_QUANTITIES
from economy.state import FixedClock
from economy.units import NUSD_PER_USD, US_PER_DAY, parse_instant
from economy.usage.batch import EventStatus, UsageBatch

NOON_US = parse_instant("2026-03-01T12:00:00Z")
WORKED = (1_000, 500, 0, 0, 0, 0, 0, 0, 1)
"""The request of the rules, section 3."""


@dataclass
class Shop:
    economy: Economy
    clock: FixedClock
    admin: Actor
    ana: Actor
    bo: Actor


def open_shop(home: Path) -> Shop:
    """ana has a Pro pack and six requests on three days, one of them on bo's key."""
    clock = FixedClock(NOON_US)
    economy = Economy.create(home, load_policy("founding"), clock)
    admin = economy.actor()
    economy.set_up_prices(admin)
    for name in ("ana", "bo"):
        economy.add_customer(admin, name)
    economy.top_up(admin, "ana", "pro", request_key="order-1")
    key = economy.contribute(
        admin, "bo", "gpt-4", quota_nusd=500 * NUSD_PER_USD, request_key="key-1"
    )
    clock.advance(60)
    economy.authorise(admin, "ana", "gpt-4", WORKED, source="live", event_id="worked", key=key.name)
    economy.settle(admin, "live", "worked", WORKED)
    economy.charge_usage(admin, [past_usage()])
    return Shop(economy, clock, admin, economy.customer_actor("ana"), economy.customer_actor("bo"))


def past_usage() -> UsageBatch:
    """Charged: gpt-4 today (8 Cr) and two days ago (13), llama-3 yesterday (1).

    Refused: 50 million tokens of gpt-4. Failed: a request of llama-3.
    """
    days = [0, 1, 2, 3, 4]
    models = [0, 1, 0, 0, 1]
    quantities = np.zeros((len(days), N_QUANTITIES), dtype=np.int64)
    quantities[:, 0] = [1_000, 100, 2_000, 50_000_000, 10]
    quantities[:, 1] = 500
    quantities[:, 8] = 1
    return UsageBatch(
        source="log",
        event_id=[f"event-{day}" for day in days],
        effective_us=np.array([NOON_US - day * US_PER_DAY for day in days]),
        customer=np.zeros(len(days), dtype=np.int32),
        customers=["ana"],
        model=np.array(models, dtype=np.int32),
        models=["gpt-4", "llama-3"],
        quantities=quantities,
        status=np.array([EventStatus.OK] * 4 + [EventStatus.FAILED], dtype=np.int8),
        row=np.arange(1, len(days) + 1, dtype=np.int64),
    )
