"""Laws of charging.

1. Charging a batch equals charging its events one by one: same charges, same net balance of
   every account, however many lots, refusals and roundings there are.
2. Whatever is sold, held, settled, released, imported or repeated, in any order: the books
   verify, nobody's balance is below zero, no event is charged twice, what is pending is what
   open holds reserve, and revenue is the sum of the charges. A plain model of wallets, three
   dictionaries and a price formula, predicts every answer.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from economy.errors import Conflict
from economy.units import UCR_PER_CREDIT, US_PER_SECOND, parse_usd
from tests.workspaces import (
    NOON_US,
    Event,
    Workspace,
    frozen,
    new_workspace,
    thawed,
    tokens,
    usage,
)

# Law 1 --------------------------------------------------------------------------------

PACKS = ("starter", "pro", "enterprise", "volume")
CUSTOMERS = ("ana", "bo", "cy")
MODELS = ("gpt-4", "claude-3", "llama-3", "gpt-4o-mini")


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Up to 15 events in order of time, large enough now and then that lots run dry."""
    n = draw(st.integers(1, 15))
    return [
        Event(
            f"event-{i}",
            customer=draw(st.sampled_from(CUSTOMERS)),
            model=draw(st.sampled_from(MODELS)),
            quantities=tokens(
                draw(st.one_of(st.integers(0, 3_000), st.integers(0, 400_000))),
                draw(st.integers(0, 5_000)),
            ),
            at_us=NOON_US - (n - i) * US_PER_SECOND,
            failed=draw(st.booleans()) and draw(st.booleans()),
        )
        for i in range(n)
    ]


def open_books(home: Path, packs: dict[str, list[str]], lends: bool) -> Workspace:
    """Lots of several bases under a sheet that rounds in every direction."""
    shop = thawed(rounded_prices(), home, NOON_US + 60 * US_PER_SECOND)
    for name in CUSTOMERS:
        shop.customer(name, *packs[name])
    if lends:
        shop.economy.contribute(
            shop.admin, "bo", "gpt-4", quota_nusd=parse_usd("5"), request_key="lend"
        )
    return shop


@cache
def rounded_prices() -> bytes:
    """A workspace in which llama-3 rounds down and claude-3 to the nearest Credit."""
    with tempfile.TemporaryDirectory() as folder:
        shop = new_workspace(Path(folder))
        publish_rounded(shop)
        return frozen(shop.economy)


def publish_rounded(shop: Workspace) -> None:
    live = shop.economy.price_book().sheet_at(NOON_US).sheet
    changed = {
        line.model: replace(line, direction=direction)
        for line in live.lines
        for model, direction in (("llama-3", "down"), ("claude-3", "half_even"))
        if line.model == model
    }
    author = shop.economy.add_staff(shop.admin, "ben", "business")
    shop.economy.save_draft(author, replace(live, sheet_id="rounded").with_lines(changed))
    shop.economy.submit(author, "rounded", 1)
    shop.economy.approve(shop.admin, "rounded", 1)
    shop.economy.publish_sheet(shop.admin, "rounded", 1)


def net(shop: Workspace) -> dict[str, int]:
    """Credits less debits of each account; a batch's sums may cancel what single legs do not."""
    moved = {name: t[3] - t[1] for name, t in shop.balances().items()}
    return {name: amount for name, amount in moved.items() if amount}


@settings(max_examples=20)
@given(
    events=event_lists(),
    packs=st.fixed_dictionaries(
        {name: st.lists(st.sampled_from(PACKS), max_size=3) for name in CUSTOMERS}
    ),
    lends=st.booleans(),
)
def test_a_batch_is_its_events_one_by_one(
    events: list[Event], packs: dict[str, list[str]], lends: bool
) -> None:
    # Later than the sheet that rounds in every way has come into force.
    events = [replace(event, at_us=event.at_us + 50 * US_PER_SECOND) for event in events]
    with tempfile.TemporaryDirectory() as folder:
        together = open_books(Path(folder, "together"), packs, lends)
        apart = open_books(Path(folder, "apart"), packs, lends)
        together.economy.charge_usage(together.admin, [usage(events)])
        for event in events:
            apart.economy.charge_usage(apart.admin, [usage([event])])
        assert len(together.charges()) == len(events)
        assert together.charges() == apart.charges()
        assert net(together) == net(apart)
        spent = "SELECT account_id, spent_ucr, spent_rounding_ucr FROM lots ORDER BY account_id"
        assert together.rows(spent) == apart.rows(spent)
        for shop in (together, apart):
            assert shop.economy.verify().ok


# Law 2 --------------------------------------------------------------------------------

CR_PER_1K = {"gpt-4": 5, "llama-3": 1}
SOURCE = "live"
REQUESTS = st.builds(
    lambda model, n: (model, n), st.sampled_from(sorted(CR_PER_1K)), st.integers(1, 120_000)
)
WAITS = st.sampled_from([0, 0, 0, 250, 700])
"""Seconds that pass before a call; a hold lasts 600."""


def price_ucr(model: str, n_tokens: int) -> int:
    """Rules, section 3: Credits per 1K tokens, rounded up to a whole Credit."""
    return -(-n_tokens * CR_PER_1K[model] // 1_000) * UCR_PER_CREDIT


@dataclass
class Held:
    """What the model knows of a hold."""

    customer: str
    model: str
    n_tokens: int
    amount_ucr: int
    expires_us: int
    open: bool = True
    settled_tokens: int | None = None


class Charging(RuleBasedStateMachine):
    """The economy on one side, three dictionaries on the other."""

    requests = Bundle("requests")
    logs = Bundle("logs")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.shop = new_workspace(self.folder)
        self.economy, self.admin = self.shop.economy, self.shop.admin
        self.granted_ucr = dict.fromkeys(CUSTOMERS, 0)
        self.charged_ucr: dict[str, tuple[str, int]] = {}
        self.refused: set[str] = set()
        self.holds: dict[str, Held] = {}
        self.numbers = 0
        for name in CUSTOMERS:
            self.economy.add_customer(self.admin, name)
        for name in ("ana", "bo"):
            self.economy.top_up(self.admin, name, "starter", request_key=name)
            self.granted_ucr[name] = 1_000 * UCR_PER_CREDIT

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            report = self.economy.verify()
            self.economy.database.close()
            shutil.rmtree(self.folder)
            assert report.ok, report.faults

    # What the model says --------------------------------------------------------------

    def held_ucr(self, customer: str) -> int:
        return sum(h.amount_ucr for h in self.holds.values() if h.open and h.customer == customer)

    def available_ucr(self, customer: str) -> int:
        spent = sum(ucr for who, ucr in self.charged_ucr.values() if who == customer)
        return self.granted_ucr[customer] - spent - self.held_ucr(customer)

    def expire(self, customer: str | None = None) -> int:
        """Holds whose time is over are released when their customer is touched."""
        over = [
            held
            for held in self.holds.values()
            if held.open
            and held.expires_us <= self.shop.clock.now_us()
            and customer in (None, held.customer)
        ]
        for held in over:
            held.open = False
        return len(over)

    # What may happen ------------------------------------------------------------------

    @rule(customer=st.sampled_from(CUSTOMERS), pack=st.sampled_from(PACKS[:2]), twice=st.booleans())
    def top_up(self, customer: str, pack: str, twice: bool) -> None:
        self.numbers += 1
        for _ in range(1 + twice):
            sold = self.economy.top_up(
                self.admin, customer, pack, request_key=f"order-{self.numbers}"
            )
        self.granted_ucr[customer] += sold.credits_ucr

    @rule(target=requests, customer=st.sampled_from(CUSTOMERS), request=REQUESTS)
    def authorise(self, customer: str, request: tuple[str, int]) -> object:
        model, n_tokens = request
        self.numbers += 1
        event_id = f"request-{self.numbers}"
        self.expire(customer)
        amount_ucr = price_ucr(model, n_tokens)
        answer = self.economy.authorise(
            self.admin, customer, model, tokens(n_tokens), source=SOURCE, event_id=event_id
        )
        assert answer.amount_ucr == amount_ucr
        if amount_ucr > self.available_ucr(customer):
            assert answer.refused is not None
            return multiple()
        assert answer.refused is None
        self.holds[event_id] = Held(customer, model, n_tokens, amount_ucr, answer.expires_us)
        return event_id

    @rule(event_id=requests)
    def authorise_again(self, event_id: str) -> None:
        held = self.holds[event_id]
        still_held = held.open and held.expires_us > self.shop.clock.now_us()
        try:
            answer = self.economy.authorise(
                self.admin,
                held.customer,
                held.model,
                tokens(held.n_tokens),
                source=SOURCE,
                event_id=event_id,
            )
        except Conflict:
            # Refused as a whole: not even what has expired was released on the way.
            assert not still_held
            assert held.settled_tokens is None
        else:
            assert still_held or held.settled_tokens is not None
            assert (answer.amount_ucr, answer.expires_us) == (held.amount_ucr, held.expires_us)
            self.expire(held.customer)

    @rule(event_id=requests, n_tokens=st.integers(0, 150_000), wait_s=WAITS)
    def settle(self, event_id: str, n_tokens: int, wait_s: int) -> None:
        self.shop.clock.advance(wait_s)
        held = self.holds[event_id]
        if held.settled_tokens is not None:
            n_tokens = held.settled_tokens if n_tokens % 2 else held.settled_tokens + 1
        in_time = held.open and held.expires_us > self.shop.clock.now_us()
        try:
            answer = self.economy.settle(self.admin, SOURCE, event_id, tokens(n_tokens))
        except Conflict:
            repeated_otherwise = held.settled_tokens not in (None, n_tokens)
            imported = event_id in self.charged_ucr and held.settled_tokens is None
            assert repeated_otherwise or imported or event_id in self.refused or not in_time
            return
        assert in_time or held.settled_tokens == n_tokens
        charge_ucr = min(price_ucr(held.model, n_tokens), held.amount_ucr)
        assert answer.charge_ucr == charge_ucr
        assert answer.released_ucr == held.amount_ucr - charge_ucr
        if held.settled_tokens is None:
            assert event_id not in self.charged_ucr, "charged twice"
        held.open = False
        held.settled_tokens = n_tokens
        self.charged_ucr[event_id] = (held.customer, charge_ucr)

    @rule(event_id=requests)
    def settle_too_late(self, event_id: str) -> None:
        self.settle(event_id, 1_000, wait_s=700)

    @rule(event_id=requests, wait_s=WAITS)
    def release(self, event_id: str, wait_s: int) -> None:
        self.shop.clock.advance(wait_s)
        held = self.holds[event_id]
        if held.settled_tokens is not None:
            try:
                self.economy.release(self.admin, SOURCE, event_id)
            except Conflict:
                return
            raise AssertionError("a settled hold was released")
        freed_ucr = self.economy.release(self.admin, SOURCE, event_id)
        assert freed_ucr == (held.amount_ucr if held.open else 0)
        held.open = False

    @rule(wait_s=WAITS)
    def release_expired(self, wait_s: int) -> None:
        self.shop.clock.advance(wait_s)
        assert self.economy.release_expired(self.admin) == self.expire()

    @rule(
        target=logs,
        rows=st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), REQUESTS, st.booleans()), min_size=1, max_size=5
        ),
    )
    def import_log(self, rows: list[tuple[str, tuple[str, int], bool]]) -> object:
        """A small log; some of its rows stand in it twice."""
        events = []
        for customer, (model, n_tokens), twice in rows:
            self.numbers += 1
            event = Event(
                f"event-{self.numbers}",
                customer=customer,
                model=model,
                quantities=tokens(n_tokens),
                at_us=self.shop.clock.now_us(),
            )
            events += [event] * (1 + twice)
        self._import(events, "log")
        return tuple(events)

    @rule(log=logs)
    def import_the_log_again(self, log: tuple[Event, ...]) -> None:
        before = self.economy.verify().transfers
        report = self.shop.charge(*log)
        assert (report.accepted, report.duplicates) == (0, len(log))
        assert self.economy.verify().transfers == before

    @rule(event_id=consumes(requests))
    def import_a_held_request(self, event_id: str) -> None:
        """The gateway's own log has the request too; it is charged on one way alone."""
        held = self.holds[event_id]
        event = Event(
            event_id,
            customer=held.customer,
            model=held.model,
            quantities=tokens(held.n_tokens),
            at_us=self.shop.clock.now_us(),
        )
        if held.settled_tokens is None:
            self._import([event], SOURCE)
            self.settle(event_id, held.n_tokens, 0)
        else:
            assert self.shop.charge(event, source=SOURCE).accepted == 0

    def _import(self, events: list[Event], source: str) -> None:
        first = {event.event_id: event for event in reversed(events)}
        self.expire()
        report = self.shop.charge(*events, source=source)
        assert report.accepted == len(first)
        assert report.duplicates == len(events) - len(first)
        for event_id in dict.fromkeys(event.event_id for event in events):
            event = first[event_id]
            charge_ucr = price_ucr(event.model, event.quantities[0])
            if charge_ucr > self.available_ucr(event.customer):
                self.refused.add(event_id)
            else:
                self.charged_ucr[event_id] = (event.customer, charge_ucr)
        refused = sum(event_id in self.refused for event_id in first)
        assert report.charges.refused == refused

    # What must hold after every step --------------------------------------------------

    @invariant()
    def wallets_are_as_the_model_says(self) -> None:
        for name in CUSTOMERS:
            assert self.shop.available_ucr(name) == self.available_ucr(name) >= 0
            assert self.shop.held_ucr(name) == self.held_ucr(name)

    @invariant()
    def each_event_is_charged_once_and_revenue_is_the_sum(self) -> None:
        rows = self.shop.rows("SELECT event_id, charge_ucr FROM charges WHERE status = 1")
        assert sorted(rows) == sorted(
            (event_id, ucr) for event_id, (_, ucr) in self.charged_ucr.items()
        )
        balances = self.shop.balances()
        revenue_ucr = sum(
            totals[3] - totals[1]
            for name, totals in balances.items()
            if name in ("revenue:usage.cr", "revenue:rounding.cr")
        )
        assert revenue_ucr == sum(ucr for _, ucr in self.charged_ucr.values())
        pending_ucr = balances.get("clearing:usage.cr", (0, 0, 0, 0))[2]
        assert pending_ucr == sum(self.held_ucr(name) for name in CUSTOMERS)


TestCharging = Charging.TestCase
TestCharging.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
