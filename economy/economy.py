"""The one door to the economy: every driver, live or simulated time, comes through here.

An :class:`Economy` is a workspace folder with its rules. The facade is thin: it opens the
unit of work, checks that the actor may do what is asked, and calls the room that knows
how. It holds no state of its own beyond what was read from the database's versions.

::

    economy = Economy.create(Path(".economy"), load_policy("sound"))
    admin = economy.actor("ada")
    economy.set_up_prices(admin)
    economy.add_customer(admin, "acme")
    economy.top_up(admin, "acme", "starter", request_key="order-1")
    economy.import_usage(admin, Path("log.parquet"))
    economy.verify().ok
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from economy import identity, review
from economy.catalog.costs import CostBook
from economy.catalog.files import load_costs
from economy.catalog.genai import from_genai_prices
from economy.catalog.store import (
    Aliases,
    load_aliases,
    load_cost_book,
    register_models,
    save_cost_book,
    set_alias,
)
from economy.errors import BadInput, Conflict, Forbidden
from economy.identity import Actor, Customer, require
from economy.ledger import SqliteLedger
from economy.ledger.reading import (
    HistoryRow,
    TrialRow,
    account_named,
    balances_of,
    history,
    trial_balance,
)
from economy.ledger.verify import VerifyReport, verify
from economy.metering import checks as charge_checks
from economy.metering.holds import (
    Authorisation,
    LiveRequest,
    Settlement,
    authorise,
    release,
    release_expired,
    settle,
)
from economy.metering.importing import (
    ImportReport,
    Progress,
    check_file,
    import_batches,
    import_file,
)
from economy.metering.meter import MeterSource
from economy.metering.rating_file import RatingReport, rate_file
from economy.metering.tracing import Trace, trace
from economy.metering.unpriced import UnpricedModel, unpriced_models
from economy.policy import DATA_DIR, Policy, policy_from, policy_text
from economy.pool import checks as pool_checks
from economy.pool.contribution import contribute
from economy.pool.keys import PoolKey, key_named, keys
from economy.pricing.book import PriceBook, load_price_book, publish_sheet
from economy.pricing.genesis import build_genesis, load_genesis
from economy.pricing.lint import Finding, lint
from economy.pricing.sheet import PriceSheet
from economy.review import Draft, ReviewEvent
from economy.state import Clock, Database, Unit
from economy.units import EARLIEST_US, instant_text
from economy.usage.batch import UsageBatch
from economy.usage.maps import ColumnMap
from economy.wallets import checks as wallet_checks
from economy.wallets.lots import Lot, lots_of
from economy.wallets.top_ups import TopUp, top_up
from economy.warehouse.agreement import Difference, compare
from economy.warehouse.publish import PublishReport, publish
from economy.warehouse.reading import Answer, query

DATABASE_NAME = "economy.sqlite"
GENESIS_FILE = DATA_DIR / "sheets" / "genesis.toml"
COSTS_DIR = DATA_DIR / "costs"


class Economy:
    """A workspace and its rules. One instance may serve many threads."""

    def __init__(self, home: Path, database: Database, policy: Policy) -> None:
        self.home = home
        self.database = database
        self.policy = policy
        self._meters = MeterSource(policy)

    # The workspace ------------------------------------------------------------------

    @classmethod
    def create(cls, home: Path, policy: Policy, clock: Clock | None = None) -> Economy:
        """Make the workspace, or open it if it has the same rules; safe to repeat."""
        database = Database.create(home / DATABASE_NAME, clock)
        document = policy_text(policy)
        with database.unit() as unit:
            stored = _policy_document(unit.connection)
            if stored is None:
                unit.connection.executemany(
                    "INSERT INTO workspace VALUES (?, ?)",
                    [("policy", document), ("created_us", str(unit.recorded_us))],
                )
            elif stored != document:
                name = json.loads(stored)["name"]
                raise Conflict(
                    f"the workspace already has the policy {name}, and its rules differ",
                    where=str(home),
                    way_out="Choose another folder with --home, or leave --policy out",
                )
        return cls(home, database, policy)

    @classmethod
    def open(cls, home: Path, clock: Clock | None = None) -> Economy:
        """Open an existing workspace with the rules that it was made with."""
        database = Database.open(home / DATABASE_NAME, clock)
        with database.reading() as connection:
            stored = _policy_document(connection)
        if stored is None:
            raise BadInput(
                "the workspace has no policy", where=str(home), way_out="Run: economy init"
            )
        return cls(home, database, policy_from(json.loads(stored), str(home)))

    def created_us(self) -> int:
        """When the workspace was made, on the recorded axis."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT value FROM workspace WHERE key = 'created_us'")
            return int(row.fetchone()[0])

    @property
    def clock(self) -> Clock:
        return self.database.clock

    @property
    def warehouse_dir(self) -> Path:
        return self.home / "warehouse"

    # Who is acting ------------------------------------------------------------------

    def actor(self, name: str | None = None) -> Actor:
        """A member of staff by name; without a name the person at the keyboard.

        Whoever can open an embedded workspace's files is its admin, unless staff of that
        name has another role.
        """
        here = identity.system_user()
        wanted = name or here
        with self.database.reading() as connection:
            known = identity.staff_member(connection, wanted)
            if known is not None:
                return known
            if name is not None and name != here:
                raise BadInput(
                    "nobody on the staff has this name",
                    field="actor",
                    value=name,
                    way_out="Add them with: economy users add NAME --role ROLE",
                )
        return identity.embedded_admin(wanted)

    def customer_actor(self, name: str) -> Actor:
        """A customer as an actor: it sees and spends its own wallet."""
        with self.database.reading() as connection:
            found = identity.customer(connection, name)
        return Actor(found.name, "customer", found.customer_id)

    def add_staff(self, actor: Actor, name: str, role: str) -> Actor:
        require(actor, "admin")
        with self.database.unit() as unit:
            return identity.add_staff(unit, name, role)

    def staff(self) -> list[Actor]:
        with self.database.reading() as connection:
            return identity.staff(connection)

    def add_customer(self, actor: Actor, name: str) -> Customer:
        require(actor, "business", "admin")
        with self.database.unit() as unit:
            return identity.add_customer(unit, name)

    def ensure_customers(self, actor: Actor, names: Iterable[str]) -> dict[str, int]:
        """Add those of ``names`` that are new; the numbers of all."""
        require(actor, "business", "admin")
        with self.database.unit() as unit:
            return identity.ensure_customers(unit, names)

    def customers(self) -> list[Customer]:
        with self.database.reading() as connection:
            return identity.customers(connection)

    # Costs and prices ---------------------------------------------------------------

    def set_up_prices(self, actor: Actor, genesis_path: Path = GENESIS_FILE) -> int:
        """Fill the cost book and publish the genesis sheet; the version that is in force.

        The cost book is the providers' recorded prices under what a person has set by hand
        in ``data/costs``. Repeated, it changes nothing.
        """
        require(actor, "admin")
        costs = from_genai_prices().overlay(load_costs(COSTS_DIR))
        definition = load_genesis(genesis_path)
        with self.database.unit() as unit:
            cost_version = save_cost_book(unit, costs)
            book = load_price_book(unit.connection)
            if book.epochs:
                return book.sheet_at(unit.recorded_us).version
            sheet = build_genesis(
                definition, costs, cost_version, self.policy, at_us=unit.recorded_us
            )
            _register_models(unit, costs, sheet)
            for alias, model in definition.aliases.items():
                set_alias(unit, alias, model)
            return publish_sheet(unit, sheet, None, author=actor.name, publisher=actor.name)

    def price_book(self) -> PriceBook:
        with self.database.reading() as connection:
            return load_price_book(connection)

    def cost_book(self) -> tuple[int, CostBook]:
        with self.database.reading() as connection:
            return load_cost_book(connection)

    def aliases(self) -> Aliases:
        with self.database.reading() as connection:
            return load_aliases(connection)

    # Wallets and the pool -----------------------------------------------------------

    def top_up(
        self,
        actor: Actor,
        customer: str,
        pack: str,
        *,
        request_key: str,
        effective_us: int | None = None,
    ) -> TopUp:
        """Sell a pack, once per ``request_key``. A customer may buy for itself."""
        with self._acting_for(actor, customer) as (unit, found):
            return top_up(
                unit,
                SqliteLedger(unit),
                self.policy,
                customer_id=found.customer_id,
                pack_name=pack,
                request_key=request_key,
                effective_us=_effective(unit, actor, effective_us),
            )

    def lots(self, customer: str) -> list[Lot]:
        with self.database.reading() as connection:
            return lots_of(connection, identity.customer(connection, customer).customer_id)

    def contribute(
        self,
        actor: Actor,
        owner: str,
        model: str,
        *,
        quota_nusd: int,
        request_key: str,
        effective_us: int | None = None,
    ) -> PoolKey:
        """Value a key's stated quota on ``model`` and take it into the pool, by the rules."""
        with self._acting_for(actor, owner) as (unit, found):
            at_us = _effective(unit, actor, effective_us)
            meter = self._meters.load(unit.connection)
            canonical = meter.aliases.resolve(model, at_us)
            line = meter.book.line_at(canonical, at_us) if canonical else None
            entry = meter.cost_book.at(canonical, at_us) if canonical else None
            if canonical is None or line is None or entry is None:
                raise BadInput(
                    "a key is valued on a model that has a price and a cost",
                    field="model",
                    value=model,
                    way_out="List them with: economy models list",
                )
            return contribute(
                unit,
                SqliteLedger(unit),
                self.policy,
                owner_id=found.customer_id,
                provider=entry.provider,
                valued_on=canonical,
                line=line,
                cost=entry,
                quota_nusd=quota_nusd,
                request_key=request_key,
                effective_us=at_us,
            )

    def pool_keys(self) -> list[PoolKey]:
        with self.database.reading() as connection:
            return keys(connection)

    # Metering -----------------------------------------------------------------------

    def import_usage(
        self,
        actor: Actor,
        path: Path,
        column_map: ColumnMap | None = None,
        *,
        add_customers: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Rate and charge a usage file; see :func:`economy.metering.importing.import_file`."""
        require(actor, "business", "admin")
        return import_file(
            self.database,
            self._meters,
            path,
            column_map,
            add_customers=add_customers,
            progress=progress,
        )

    def check_usage(
        self, actor: Actor, path: Path, column_map: ColumnMap | None = None
    ) -> ImportReport:
        """Read a file and say which rows could not be used; charges and keeps nothing."""
        require(actor, "business", "analyst", "admin")
        return check_file(path, column_map, self.policy.usage)

    def charge_usage(
        self,
        actor: Actor,
        batches: Iterable[UsageBatch],
        *,
        add_customers: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Rate and charge usage that is already in columns."""
        require(actor, "business", "admin")
        return import_batches(
            self.database, self._meters, batches, add_customers=add_customers, progress=progress
        )

    def rate_usage(
        self,
        actor: Actor,
        path: Path,
        column_map: ColumnMap | None,
        *,
        sheet: PriceSheet,
        out: Path,
    ) -> RatingReport:
        """What a file would cost under any sheet, written to ``out``; charges nobody."""
        require(actor, "business", "analyst", "admin")
        with self.database.reading() as connection:
            meter = self._meters.load(connection)
        versions = [e.version for e in meter.book.epochs if e.sheet.sha256 == sheet.sha256]
        return rate_file(
            meter,
            path,
            column_map,
            sheet=sheet,
            sheet_version=versions[-1] if versions else 0,
            out=out,
        )

    def authorise(
        self,
        actor: Actor,
        customer: str,
        model: str,
        quantities: Sequence[int],
        *,
        source: str,
        event_id: str,
        key: str | None = None,
    ) -> Authorisation:
        """Hold the price of the most that a request may use.

        ``key`` names the contributed key that shall serve it; only staff may choose one.
        """
        if key is not None:
            require(actor, "business", "admin")
        with self._acting_for(actor, customer) as (unit, found):
            request = LiveRequest(source, event_id, found.customer_id, model, tuple(quantities))
            return authorise(
                unit,
                SqliteLedger(unit),
                self._meters.load(unit.connection),
                request,
                key_id=0 if key is None else key_named(unit.connection, key).key_id,
            )

    def settle(
        self, actor: Actor, source: str, event_id: str, quantities: Sequence[int]
    ) -> Settlement:
        """Charge what an authorised request used and free the rest of its hold."""
        require(actor, "business", "admin")
        with self.database.unit() as unit:
            meter = self._meters.load(unit.connection)
            return settle(
                unit,
                SqliteLedger(unit),
                meter,
                source=source,
                event_id=event_id,
                quantities=quantities,
            )

    def release(self, actor: Actor, source: str, event_id: str) -> int:
        """Give a whole hold back; the micro-credits freed."""
        require(actor, "business", "admin")
        with self.database.unit() as unit:
            return release(unit, SqliteLedger(unit), source, event_id)

    def release_expired(self, actor: Actor) -> int:
        """Release every hold whose time is over; how many."""
        require(actor, "admin")
        with self.database.unit() as unit:
            return release_expired(unit, SqliteLedger(unit))

    def unpriced(self) -> list[UnpricedModel]:
        with self.database.reading() as connection:
            return unpriced_models(connection)

    # Price sheets -------------------------------------------------------------------

    def lint(self, sheet: PriceSheet) -> tuple[Finding, ...]:
        """What the linter says of a sheet against today's costs."""
        _, costs = self.cost_book()
        return lint(sheet, costs, self.clock.now_us(), self.policy)

    def save_draft(
        self,
        actor: Actor,
        sheet: PriceSheet,
        expected_revision: int | None = None,
        *,
        base_version: int | None = None,
    ) -> Draft:
        """The next revision of a draft; see :func:`economy.review.drafts.save_draft`."""
        with self.database.unit() as unit:
            return review.save_draft(unit, actor, sheet, expected_revision, base_version)

    def draft(self, sheet_id: str) -> Draft:
        with self.database.reading() as connection:
            return review.draft(connection, sheet_id)

    def drafts(self) -> list[tuple[Draft, str]]:
        """The newest revision of every draft, with its state."""
        with self.database.reading() as connection:
            return [(one, review.state_of(connection, one)) for one in review.drafts(connection)]

    def review_events(self, sheet_id: str) -> list[ReviewEvent]:
        with self.database.reading() as connection:
            return review.events(connection, sheet_id)

    def submit(self, actor: Actor, sheet_id: str, revision: int) -> list[Finding]:
        with self.database.unit() as unit:
            _, costs = load_cost_book(unit.connection)
            return review.submit(unit, actor, sheet_id, revision, self._gates(costs))

    def approve(self, actor: Actor, sheet_id: str, revision: int, comment: str = "") -> None:
        with self.database.unit() as unit:
            review.approve(unit, actor, sheet_id, revision, comment)

    def reject(self, actor: Actor, sheet_id: str, revision: int, comment: str) -> None:
        with self.database.unit() as unit:
            review.reject(unit, actor, sheet_id, revision, comment)

    def publish_sheet(
        self, actor: Actor, sheet_id: str, revision: int, effective_us: int | None = None
    ) -> int:
        """Put an approved revision in force, at once or from an instant on; its version."""
        with self.database.unit() as unit:
            _, costs = load_cost_book(unit.connection)
            version = review.publish(
                unit,
                actor,
                sheet_id,
                revision,
                effective_us=effective_us,
                gates=self._gates(costs),
            )
            _register_models(unit, costs, review.draft(unit.connection, sheet_id).sheet)
            return version

    # Books and history --------------------------------------------------------------

    def verify(self) -> VerifyReport:
        """Recompute everything that can be recomputed, and say where it first breaks."""
        with self.database.reading() as connection:
            return verify(
                connection,
                (*charge_checks.CHECKS, *wallet_checks.CHECKS, *pool_checks.CHECKS),
            )

    def history(self, account: str, limit: int = 100, after_seq: int = 0) -> list[HistoryRow]:
        """Transfers on an account, oldest first."""
        with self.database.reading() as connection:
            return history(connection, account_named(connection, account), limit, after_seq)

    def trace(self, event_id: str, source: str | None = None) -> Trace:
        """A request from its hold to its settlement, with every transfer it made."""
        with self.database.reading() as connection:
            return trace(connection, event_id, source)

    def balances(self, account_ids: Sequence[int]) -> list[TrialRow]:
        """Names and totals of these accounts, in this order."""
        with self.database.reading() as connection:
            return balances_of(connection, account_ids)

    def trial_balance(self) -> list[TrialRow]:
        with self.database.reading() as connection:
            return trial_balance(connection)

    def publish_warehouse(self) -> PublishReport:
        """Copy what is new to the warehouse, exactly once."""
        return publish(self.database, self.warehouse_dir)

    def compare_warehouse(self) -> list[Difference]:
        """Where the warehouse and the ledger disagree: nowhere."""
        return compare(self.database, self.warehouse_dir)

    def query_warehouse(self, actor: Actor, sql: str) -> Answer:
        """One SELECT over the warehouse."""
        require(actor, "business", "analyst", "admin")
        return query(self.warehouse_dir, sql)

    # --------------------------------------------------------------------------------

    @contextmanager
    def _acting_for(self, actor: Actor, customer: str) -> Iterator[tuple[Unit, Customer]]:
        """A unit of work on one customer's behalf: staff for anybody, customers for themselves."""
        require(actor, "customer", "business", "admin")
        with self.database.unit() as unit:
            found = identity.customer(unit.connection, customer)
            if actor.role == "customer" and actor.customer_id != found.customer_id:
                raise Forbidden(
                    "a customer acts on its own wallet alone",
                    field="customer",
                    value=customer,
                    way_out=f"Act as {found.name}, or ask the platform's staff",
                )
            yield unit, found

    def _gates(self, costs: CostBook) -> dict[str, review.Gate]:
        return {
            "credit value": self._values_credits_as_the_policy,
            "lint": lambda sheet, at_us: lint(sheet, costs, at_us, self.policy),
        }

    def _values_credits_as_the_policy(self, sheet: PriceSheet, _at_us: int) -> list[Finding]:
        """A sheet that values a Credit otherwise would hide a loss from every other check."""
        value_nusd = self.policy.credit.reference_value_nusd
        if sheet.credit_value_nusd == value_nusd:
            return []
        fault = (
            f"the sheet says that a Credit is worth {sheet.credit_value_nusd} nusd, "
            f"the policy {value_nusd}"
        )
        return [Finding("all", "blocked", "credit-value", fault)]


def _effective(unit: Unit, actor: Actor, effective_us: int | None) -> int:
    """When an act counts from: now, or, for staff alone, an earlier instant."""
    if effective_us is None:
        return unit.recorded_us
    require(actor, "business", "admin")
    if not EARLIEST_US <= effective_us <= unit.recorded_us:
        raise BadInput(
            "an act counts from now or from an earlier time, not before the year 2000",
            field="effective_us",
            value=instant_text(effective_us) if effective_us > 0 else effective_us,
        )
    return effective_us


def _register_models(unit: Unit, costs: CostBook, sheet: PriceSheet) -> None:
    """Number the models that a sheet prices; a model without cost has no provider yet."""
    register_models(
        unit, {line.model: costs.provider(line.model) or "unknown" for line in sheet.lines}
    )


def _policy_document(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM workspace WHERE key = 'policy'").fetchone()
    return None if row is None else str(row[0])
