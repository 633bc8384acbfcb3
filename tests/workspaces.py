"""A small real workspace for tests, and usage events made by hand.

The workspace has the shipped policy, cost book and genesis sheet, a clock that stands at
:data:`NOON_US` until it is moved, and whatever customers and packs a test gives it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from economy.economy import DATABASE_NAME, Economy
from economy.identity import Actor
from economy.ledger.reading import TrialRow
from economy.metering.importing import ImportReport
from economy.policy import load_policy
from economy.quantities import N_QUANTITIES
from economy.state import Database, FixedClock
from economy.units import parse_instant
from economy.usage.batch import EventStatus, UsageBatch

NOON_US = parse_instant("2026-03-01T12:00:00Z")
SECOND_US = 1_000_000


def tokens(input_tokens: int, output_tokens: int = 0) -> tuple[int, ...]:
    """Quantities of a text request."""
    return (input_tokens, output_tokens, *[0] * (N_QUANTITIES - 2))


WORKED = tokens(1_000, 500)
"""The request of the rules, section 3: 7.5 Cr on GPT-4, charged as 8."""


@dataclass
class Workspace:
    economy: Economy
    clock: FixedClock
    admin: Actor

    def customer(self, name: str, *packs: str) -> None:
        """Add a customer and sell these packs, one after the other."""
        self.economy.add_customer(self.admin, name)
        for number, pack in enumerate(packs):
            self.economy.top_up(self.admin, name, pack, request_key=f"{name}-{number}")

    def charge(self, *events: Event, source: str = "log") -> ImportReport:
        """Import these events as one log."""
        return self.economy.charge_usage(self.admin, [usage(events, source=source)])

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """What the database holds; for looking behind the facade."""
        with self.economy.database.reading() as connection:
            return list(connection.execute(sql, values))

    def charges(self) -> list[tuple[object, ...]]:
        """What became of every event, by event id, without the numbers of its booking."""
        return self.rows(
            "SELECT event_id, customer_id, model_id, effective_us, status, unrounded_ucr,"
            " rated_ucr, charge_ucr, rounding_ucr, basis_usage_nusd, basis_rounding_nusd,"
            " list_cost_nusd, paid_cost_nusd, key_id, sheet_version, cost_version FROM charges"
            " ORDER BY event_id"
        )

    def balances(self) -> dict[str, tuple[int, ...]]:
        """The four totals of each account that anything has moved on, by name."""
        return {row.name: totals(row) for row in self.economy.trial_balance() if any(totals(row))}

    def available_ucr(self, customer: str) -> int:
        """What the customer's lots can still pay."""
        lots = self.economy.balances([lot.account_id for lot in self.economy.lots(customer)])
        return sum(row.balance.available for row in lots)

    def held_ucr(self, customer: str) -> int:
        lots = self.economy.balances([lot.account_id for lot in self.economy.lots(customer)])
        return sum(row.balance.debits_pending for row in lots)


def totals(row: TrialRow) -> tuple[int, ...]:
    balance = row.balance
    return (
        balance.debits_pending,
        balance.debits_posted,
        balance.credits_pending,
        balance.credits_posted,
    )


_TEMPLATES: dict[str, bytes] = {}
"""Databases of empty workspaces by policy: to set up prices anew for each test takes longer."""


def new_workspace(home: Path, policy: str = "founding") -> Workspace:
    """A workspace as ``economy init`` makes it, at :data:`NOON_US`."""
    if policy not in _TEMPLATES:
        economy = Economy.create(home / "template", load_policy(policy), FixedClock(NOON_US))
        economy.set_up_prices(economy.actor())
        _TEMPLATES[policy] = frozen(economy)
    return thawed(_TEMPLATES[policy], home)


def frozen(economy: Economy) -> bytes:
    """The workspace's whole state, for :func:`thawed` to make copies of."""
    economy.database.close()  # Folds the log into the file.
    return economy.database.path.read_bytes()


def thawed(state: bytes, home: Path, now_us: int = NOON_US) -> Workspace:
    """A workspace in ``home`` with this state."""
    home.mkdir(parents=True, exist_ok=True)
    (home / DATABASE_NAME).write_bytes(state)
    clock = FixedClock(now_us)
    economy = Economy.open(home, clock)
    _do_not_wait_for_the_disk(economy.database)
    return Workspace(economy, clock, economy.actor())


def _do_not_wait_for_the_disk(database: Database) -> None:
    """These workspaces need not survive a power cut, and the tests are faster by half.

    What a killed process leaves behind is the same; tests/soak kills with the real settings.
    """
    connect = database.connect

    def connect_without_waiting() -> sqlite3.Connection:
        connection = connect()
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    database.close()
    database.connect = connect_without_waiting  # type: ignore[method-assign]


@dataclass(frozen=True)
class Event:
    """One usage event; by default the worked request of the rules, a minute before noon."""

    event_id: str
    customer: str = "ana"
    model: str = "gpt-4"
    quantities: tuple[int, ...] = WORKED
    at_us: int = NOON_US - 60 * SECOND_US
    failed: bool = False


def usage(events: Iterable[Event], source: str = "log") -> UsageBatch:
    """Events as a reader would deliver them, rows numbered from 1."""
    events = list(events)
    customers = sorted({event.customer for event in events})
    models = sorted({event.model for event in events})
    status = [EventStatus.FAILED if event.failed else EventStatus.OK for event in events]
    return UsageBatch(
        source=source,
        event_id=[event.event_id for event in events],
        effective_us=np.array([event.at_us for event in events], dtype=np.int64),
        customer=np.array([customers.index(event.customer) for event in events], np.int32),
        customers=customers,
        model=np.array([models.index(event.model) for event in events], np.int32),
        models=models,
        quantities=np.array([event.quantities for event in events], dtype=np.int64).reshape(
            len(events), N_QUANTITIES
        ),
        status=np.array(status, dtype=np.int8),
        row=np.arange(1, len(events) + 1, dtype=np.int64),
    )


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A log in the project's own columns (or any others)."""
    lines = [",".join(header), *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
