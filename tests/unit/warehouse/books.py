"""Books written by hand for warehouse tests: rows as the ledger would write them.

The guards of the schema apply; the rooms below are not needed, so a fault here is a fault
of the warehouse.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from economy.catalog.costs import CostBook, CostEntry
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.state import Database, FixedClock
from economy.units import BEGINNING_OF_TIME_US, parse_instant

NOON_US = parse_instant("2026-03-01T12:00:00Z")
DAY_US = 86_400_000_000
PROVIDERS = {"gpt-4": "openai", "claude-3": "anthropic", "llama-3": "cloudflare"}


@dataclass(frozen=True)
class Spent:
    """One charge to write; amounts in their small units."""

    model: str = "gpt-4"
    customer_id: int = 1
    effective_us: int = NOON_US
    charge_ucr: int = 8_000_000
    unrounded_ucr: int = 7_500_000
    basis_usage_nusd: int = 75_000_000
    basis_rounding_nusd: int = 5_000_000
    list_cost_nusd: int = 45_000_000
    paid_cost_nusd: int = 45_000_000
    status: int = 1
    rated_ucr: int | None = None
    key_id: int = 0
    sheet_version: int = 1


@dataclass
class Books:
    """A fresh workspace with two customers, three models and one sheet."""

    home: Path
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database.create(self.home / "economy.sqlite", FixedClock(NOON_US))
        lines = tuple(
            PriceLine(m, {"blended": 5_000_000_000}, 1_000_000, "up") for m in sorted(PROVIDERS)
        )
        sheet = PriceSheet("genesis", 10_000_000, lines)
        costs = CostBook(
            CostEntry(m, p, BEGINNING_OF_TIME_US, {"blended": 30_000_000_000})
            for m, p in PROVIDERS.items()
        )
        with self.database.unit() as unit:
            run = unit.connection.execute
            for name in ("ana", "bo"):
                run("INSERT INTO customers (name, created_us) VALUES (?, ?)", (name, NOON_US))
            for model, provider in PROVIDERS.items():
                run("INSERT INTO models (name, provider) VALUES (?, ?)", (model, provider))
            run("INSERT INTO sources (name) VALUES ('test')")
            for name in ("clearing:usage.cr", "revenue:usage.cr"):
                run("INSERT INTO accounts (name, unit, flags) VALUES (?, 1, 0)", (name,))
            run(
                "INSERT INTO sheets VALUES (1, 'genesis', ?, ?, ?, 'lin', 'max', ?)",
                (sheet.sha256, BEGINNING_OF_TIME_US, unit.recorded_us, sheet.canonical_json),
            )
            run(
                "INSERT INTO cost_books VALUES (1, ?, ?, ?)",
                (unit.recorded_us, costs.sha256, costs.canonical_json),
            )
            run(
                "INSERT INTO unpriced_events VALUES"
                " (?, ?, 1, 'e', 'ana', 'm', 'unknown', ?, ?, 0, ?)",
                (bytes(16), bytes(16), NOON_US, json.dumps([1]), NOON_US),
            )

    def charge(self, spent: Sequence[Spent]) -> None:
        """Write one batch of charges, and one transfer for each."""
        with self.database.unit() as unit:
            run = unit.connection.execute
            batch = run("SELECT coalesce(max(batch), 0) + 1 FROM journal_batches").fetchone()[0]
            seq = run("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
            digest = sha256(batch.to_bytes(8, "big")).digest()
            run(
                "INSERT INTO journal_batches VALUES (?, ?, ?, ?, ?)",
                (batch, seq + 1, len(spent), unit.recorded_us, digest),
            )
            run(
                "INSERT INTO charge_batches VALUES (?, ?, ?, ?)",
                (batch, len(spent), digest, unit.recorded_us),
            )
            for number, one in enumerate(spent, start=seq + 1):
                key = number.to_bytes(16, "big")
                run(
                    "INSERT INTO journal VALUES (?, ?, ?, 1, 2, ?, 0, 3, ?, 0, 0, ?)",
                    (number, batch, key, one.charge_ucr, number, one.effective_us),
                )
                self._charge_row(run, number, batch, key, one)

    def _charge_row(self, run: object, number: int, batch: int, key: bytes, one: Spent) -> None:
        model_id = list(PROVIDERS).index(one.model) + 1
        charged = one.status == 1
        row = (
            *(number, batch, key, 1, f"event-{number}", one.customer_id, model_id),
            *(one.effective_us, 1_000, 500, 0, 0, 0, 0, 0, 0, 1, one.status),
            one.unrounded_ucr if charged else 0,
            one.charge_ucr if one.rated_ucr is None else one.rated_ucr,
            one.charge_ucr if charged else 0,
            one.charge_ucr - one.unrounded_ucr if charged else 0,
            *((one.basis_usage_nusd, one.basis_rounding_nusd) if charged else (0, 0)),
            *((one.list_cost_nusd, one.paid_cost_nusd) if charged else (0, 0)),
            *(one.key_id, 0, one.sheet_version, 1),
        )
        run(f"INSERT INTO charges VALUES ({','.join('?' * len(row))})", row)  # type: ignore[operator]
