"""``economy demo``: the main job, from an empty folder to the open workbench.

1 cost book and genesis sheet, 2 customers who top up by pack, 3 usage rated and charged,
4 live requests (hold, settle, release) on every model, one of them on a contributed key,
5 the warehouse, 6 the simulation of a provider's price move, 7 the dashboard. Every step may
be repeated: what is already done stays, and is not done twice.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from economy.cli.common import progress_bar
from economy.economy import Economy
from economy.errors import Conflict, NotFound
from economy.identity import Actor
from economy.metering.booking import ChargeStatus
from economy.metering.holds import HoldState
from economy.metering.importing import ImportReport
from economy.pricing.sheet import PriceLine
from economy.quantities import N_QUANTITIES, QUANTITIES
from economy.units import US_PER_DAY, div_half_even, parse_usd
from economy.usage.batch import ReadReport, UsageBatch
from economy.usage.demo import generate_usage
from economy.usage.demo_tables import load_demo_tables
from economy.usage.maps import ColumnMap
from economy.usage.readers.table import read_usage

SEED = 20_261_122
STAFF = (("ada", "admin"), ("ben", "business"), ("lin", "analyst"))
LIVE_CUSTOMER = "live-demo"
CONTRIBUTOR = "key-owner"
WORKED_MODEL = "gpt-4"
WORKED_EVENT = "worked-request"
LIVE_SOURCE = "demo-live"

ENTERPRISE_SHARE = 0.003
PRO_SHARE = 0.08
"""The busiest customers buy the bigger packs; what their packs cannot pay is refused."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who appears in the usage, how often, and when it begins."""

    requests: Counter[str]
    first_us: int

    def packs(self) -> Iterator[tuple[str, str]]:
        """(customer, pack), the busiest first."""
        ranked = [name for name, _ in sorted(self.requests.items(), key=lambda p: (-p[1], p[0]))]
        for rank, name in enumerate(ranked):
            share = rank / len(ranked)
            if share < ENTERPRISE_SHARE:
                yield name, "enterprise"
            else:
                yield name, "pro" if share < PRO_SHARE else "starter"


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """Everything that the ledger knows of one source of usage."""

    events: int
    unrounded_ucr: int
    rated_ucr: int
    charged: int
    charge_ucr: int
    refused: int
    refused_ucr: int


def prepare(economy: Economy, actor: Actor) -> None:
    """Prices, and people to act as."""
    economy.set_up_prices(actor)
    known = {member.name for member in economy.staff()}
    for name, role in STAFF:
        if name not in known:
            economy.add_staff(actor, name, role)


def demo_usage(economy: Economy) -> UsageBatch:
    """Generated usage for the days before the workspace was made; always the same for it."""
    size = load_demo_tables().size
    until_us = economy.created_us() // US_PER_DAY * US_PER_DAY
    return generate_usage(
        SEED, size.customers, size.events, until_us - size.days * US_PER_DAY, size.days
    )


def crowd_of(batches: Iterator[UsageBatch]) -> Crowd:
    """Count the customers of a log, in one pass over it."""
    requests: Counter[str] = Counter()
    first_us: int | None = None
    for batch in batches:
        for code, n in Counter(batch.customer.tolist()).items():
            requests[batch.customers[code]] += n
        earliest = int(batch.effective_us.min())
        first_us = earliest if first_us is None else min(first_us, earliest)
    return Crowd(requests, first_us or 0)


def sell_packs(economy: Economy, actor: Actor, crowd: Crowd) -> None:
    """Register the crowd and sell each one pack, the day before its usage begins."""
    economy.ensure_customers(actor, sorted(crowd.requests))
    with progress_bar("top-ups", len(crowd.requests)) as progress:
        for done, (name, pack) in enumerate(crowd.packs(), start=1):
            economy.top_up(
                actor,
                name,
                pack,
                request_key=f"demo:{name}",
                effective_us=crowd.first_us - US_PER_DAY,
            )
            progress(done)


def charge(
    economy: Economy, actor: Actor, file: Path | None, column_map: ColumnMap | None
) -> tuple[str, ImportReport]:
    """Charge a file, or the demo's own usage; the source's name and what became of it."""
    if file is None:
        batch = demo_usage(economy)
        sell_packs(economy, actor, crowd_of(iter([batch])))
        with progress_bar("charging demo usage", len(batch)) as progress:
            return batch.source, economy.charge_usage(actor, [batch], progress=progress)
    source = ""

    def batches() -> Iterator[UsageBatch]:
        nonlocal source
        for batch in read_usage(file, column_map, economy.policy.usage, ReadReport()):
            source = batch.source
            yield batch

    crowd = crowd_of(batches())
    sell_packs(economy, actor, crowd)
    with progress_bar(f"charging {file.name}", crowd.requests.total()) as progress:
        return source, economy.import_usage(actor, file, column_map, progress=progress)


def live_requests(economy: Economy, actor: Actor) -> int:
    """One settled and one released request on every model; how many models.

    The worked request of the rules (1,000 + 500 tokens of GPT-4) runs on a contributed key
    of $500, so that its story can be read from hold to settlement.
    """
    economy.ensure_customers(actor, [LIVE_CUSTOMER, CONTRIBUTOR])
    economy.top_up(actor, LIVE_CUSTOMER, "starter", request_key=f"demo:{LIVE_CUSTOMER}")
    key = economy.contribute(
        actor,
        CONTRIBUTOR,
        WORKED_MODEL,
        quota_nusd=parse_usd("500"),
        request_key="demo:key",
    )
    _live(economy, actor, WORKED_MODEL, _tokens(1_000, 500), WORKED_EVENT, key=key.name)
    lines = economy.price_book().sheet_at(economy.clock.now_us()).sheet.lines
    with progress_bar("live requests", len(lines)) as progress:
        for done, line in enumerate(lines, start=1):
            _live(economy, actor, line.model, _small_request(line), f"settled:{line.model}")
            _live(
                economy,
                actor,
                line.model,
                _small_request(line),
                f"released:{line.model}",
                settle=False,
            )
            progress(done)
    return len(lines)


def _live(
    economy: Economy,
    actor: Actor,
    model: str,
    used: tuple[int, ...],
    event_id: str,
    *,
    key: str | None = None,
    settle: bool = True,
) -> None:
    """Authorise twice what will be used, then settle or release; what is done stays done."""
    if _is_done(economy, event_id):
        return
    most = tuple(2 * quantity for quantity in used)
    try:
        held = economy.authorise(
            actor, LIVE_CUSTOMER, model, most, source=LIVE_SOURCE, event_id=event_id, key=key
        )
    except Conflict:
        if settle:
            raise
        return  # An earlier run has released it, and a released hold does not come back.
    if held.refused is not None:
        raise Conflict(held.refused, where=f"live request {event_id}")
    if settle:
        economy.settle(actor, LIVE_SOURCE, event_id, used)
    else:
        economy.release(actor, LIVE_SOURCE, event_id)


def _is_done(economy: Economy, event_id: str) -> bool:
    try:
        hold = economy.trace(event_id, LIVE_SOURCE).hold
    except NotFound:
        return False
    return hold is not None and hold.state != HoldState.OPEN


def _small_request(line: PriceLine) -> tuple[int, ...]:
    """A few hundred tokens or a minute of audio: what the line has a price for."""
    amounts = {"input": 300, "output": 200, "audio": 60_000}
    return tuple(
        amounts.get(quantity.key, 0) if price >= 0 else 0
        for quantity, price in zip(QUANTITIES, line.price_columns(), strict=True)
    )


def _tokens(input_tokens: int, output_tokens: int) -> tuple[int, ...]:
    return (input_tokens, output_tokens) + (0,) * (N_QUANTITIES - 2)


def source_totals(connection: sqlite3.Connection, source: str) -> SourceTotals:
    """Sums over the charges of one source, whenever they were imported."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(unrounded_ucr), 0), coalesce(sum(rated_ucr), 0),"
        " coalesce(sum(status = ?1), 0), coalesce(sum(charge_ucr), 0),"
        " coalesce(sum(status = ?2), 0),"
        " coalesce(sum(CASE WHEN status = ?2 THEN rated_ucr ELSE 0 END), 0)"
        " FROM charges JOIN sources USING (source_id) WHERE sources.name = ?3",
        (int(ChargeStatus.CHARGED), int(ChargeStatus.REFUSED), source),
    ).fetchone()
    return SourceTotals(*row)


def totals_document(totals: SourceTotals) -> dict[str, Any]:
    """The main figures: what the sheet asks for, what balances paid, what they could not."""
    rounding_ucr = totals.rated_ucr - totals.unrounded_ucr
    return {
        "rated": {
            "events": totals.events,
            "unrounded_ucr": totals.unrounded_ucr,
            "charge_ucr": totals.rated_ucr,
            "rounding_ucr": rounding_ucr,
            "rounding_percent": _percent(rounding_ucr, totals.unrounded_ucr),
        },
        "charged": {"events": totals.charged, "charge_ucr": totals.charge_ucr},
        "refused": {"events": totals.refused, "rated_ucr": totals.refused_ucr},
    }


def _percent(part: int, whole: int) -> str | None:
    """Three decimals, ties to even, computed from integers."""
    if whole == 0:
        return None
    thousandths = div_half_even(100_000 * part, whole)
    return f"{thousandths // 1_000}.{thousandths % 1_000:03d}"
