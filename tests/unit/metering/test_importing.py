"""Importing usage: each row has one fate, and no event has two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from economy.catalog.store import set_alias
from economy.economy import Economy
from economy.errors import BadInput, Forbidden
from economy.identity import Actor
from economy.metering import charging
from economy.metering.importing import ImportReport
from economy.policy import load_policy
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.state import FixedClock
from economy.units import US_PER_DAY, parse_credits
from economy.usage.batch import UsageBatch
from tests.workspaces import (
    NOON_US,
    SECOND_US,
    WORKED,
    Event,
    Workspace,
    new_workspace,
    tokens,
    usage,
    write_csv,
)

CR = parse_credits
HEADER = ("event_id", "time", "customer", "model", "input_tokens", "output_tokens")
EARLIER = "2026-03-01T11:59:00Z"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """ana can pay 1,000 Cr, bo nothing."""
    workspace = new_workspace(tmp_path / "home")
    workspace.customer("ana", "starter")
    workspace.customer("bo")
    return workspace


def fates(report: ImportReport) -> tuple[int, int, int, int]:
    """(accepted, duplicates, unpriced, rejected), which add up to what was read."""
    counts = (report.accepted, report.duplicates, report.unpriced, report.rejected)
    assert sum(counts) == report.read
    return counts


def told(report: ImportReport) -> list[tuple[int, str]]:
    return [(error.row, error.field) for error in report.errors]


def test_an_unknown_customer_is_an_error_of_that_row(shop: Workspace) -> None:
    report = shop.charge(Event("1"), Event("2", customer="nobody"), Event("3"))
    assert fates(report) == (2, 0, 0, 1)
    (error,) = report.errors
    assert (error.row, error.field, error.value) == (2, "customer", "nobody")
    assert "economy customers add" in error.message
    # The event is not remembered: once the customer exists, the same log charges it.
    shop.customer("nobody", "starter")
    again = shop.charge(Event("1"), Event("2", customer="nobody"), Event("3"))
    assert fates(again) == (1, 2, 0, 0)
    assert shop.available_ucr("nobody") == CR("992")


def test_an_unknown_customer_may_be_added_on_the_way(shop: Workspace, tmp_path: Path) -> None:
    log = write_csv(tmp_path / "log.csv", HEADER, [("1", EARLIER, "new", "gpt-4", 1_000, 500)])
    report = shop.economy.import_usage(shop.admin, log, add_customers=True)
    assert fates(report) == (1, 0, 0, 0)
    assert report.charges.refused == 1, "a new customer has no Credits"
    assert "new" in [customer.name for customer in shop.economy.customers()]


def test_a_name_that_no_customer_can_have_spoils_its_row_alone(
    shop: Workspace, tmp_path: Path
) -> None:
    rows = [("1", EARLIER, name, "gpt-4", 1_000, 500) for name in ("ana", "a\x01b", "new")]
    log = write_csv(tmp_path / "log.csv", HEADER, rows)
    report = shop.economy.import_usage(shop.admin, log, add_customers=True)
    assert told(report)[0] == (2, "customer")
    assert report.accepted == 1
    assert "new" in [customer.name for customer in shop.economy.customers()]


def test_an_event_far_ahead_is_refused_and_a_little_ahead_is_not(shop: Workspace) -> None:
    report = shop.charge(
        Event("1", at_us=NOON_US + US_PER_DAY - SECOND_US),
        Event("2", at_us=NOON_US + US_PER_DAY + SECOND_US),
    )
    assert fates(report) == (1, 0, 0, 1)
    assert told(report) == [(2, "time")]
    # Nothing is remembered of it: when its day has come, it is charged.
    shop.clock.advance(86_400)
    late = shop.charge(Event("2", at_us=NOON_US + US_PER_DAY + SECOND_US))
    assert fates(late) == (1, 0, 0, 0)


def test_an_id_that_comes_back_with_the_same_content_is_a_repeat(shop: Workspace) -> None:
    report = shop.charge(Event("1"), Event("2"), Event("1"))
    assert fates(report) == (2, 1, 0, 0)
    assert fates(shop.charge(Event("2"), Event("3"))) == (1, 1, 0, 0)
    assert shop.available_ucr("ana") == CR("976")
    assert shop.economy.verify().ok


@pytest.mark.parametrize(
    "other",
    [
        Event("1", quantities=tokens(1_000, 501)),
        Event("1", model="llama-3"),
        Event("1", customer="bo"),
        Event("1", at_us=NOON_US),
        Event("1", failed=True),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_an_id_that_comes_back_with_other_content_is_an_error(
    shop: Workspace, other: Event, together: bool
) -> None:
    if together:
        report = shop.charge(Event("1"), other)
        assert fates(report) == (1, 0, 0, 1)
    else:
        shop.charge(Event("1"))
        report = shop.charge(other)
        assert fates(report) == (0, 0, 0, 1)
    (error,) = report.errors
    assert (error.row, error.field, error.value) == (2 if together else 1, "event_id", "1")
    assert shop.available_ucr("ana") == CR("992"), "the first content stays charged, once"


def test_an_id_of_another_source_is_another_event(shop: Workspace) -> None:
    shop.charge(Event("1"), source="one")
    assert fates(shop.charge(Event("1"), source="two")) == (1, 0, 0, 0)
    assert shop.available_ucr("ana") == CR("984")
    with pytest.raises(BadInput, match="2 sources") as refused:
        shop.economy.trace("1")
    assert "one, two" in refused.value.message
    assert shop.economy.trace("1", source="two").source == "two"


def test_a_refused_row_does_not_use_up_its_id(shop: Workspace) -> None:
    """The row of a stranger is nobody's event, so the id is free for the next row."""
    report = shop.charge(Event("1", customer="nobody"), Event("1"))
    assert fates(report) == (1, 0, 0, 1)
    assert told(report) == [(1, "customer")]
    twice = shop.charge(Event("2", customer="nobody"), Event("2", customer="nobody"))
    assert fates(twice) == (0, 0, 0, 2), "a repeat of what was not taken is not a duplicate"


def test_what_has_no_price_waits_in_the_queue(shop: Workspace) -> None:
    report = shop.charge(
        Event("1", model="gpt-99"),
        Event("2", model="gpt-99", at_us=NOON_US),
        Event("3", quantities=(10, 0, 0, 0, 0, 0, 1_000, 0, 0)),
        Event("4"),
    )
    assert fates(report) == (1, 0, 3, 0)
    waiting = {(one.model, one.reason): one for one in shop.economy.unpriced()}
    unknown = waiting["gpt-99", "unknown model"]
    assert (unknown.events, unknown.last_us) == (2, NOON_US)
    assert (
        waiting["gpt-4", "the price line does not price a quantity of the request"].events == 1
    ), "a minute of audio on a text model is never free"
    # The queue keeps an event once, and repeating the log does not charge it by guess.
    assert fates(shop.charge(Event("1", model="gpt-99"))) == (0, 1, 0, 0)
    assert sum(one.events for one in shop.economy.unpriced()) == 3
    assert shop.economy.verify().ok


def test_what_waited_is_charged_once_its_name_means_something(shop: Workspace) -> None:
    log = [Event("1", model="house-model"), Event("2", model="gpt-99"), Event("3")]
    assert fates(shop.charge(*log)) == (1, 0, 2, 0)
    with shop.economy.database.unit() as unit:
        set_alias(unit, "house-model", "gpt-4")
    assert fates(shop.charge(*log)) == (1, 2, 0, 0)
    assert [one.model for one in shop.economy.unpriced()] == ["gpt-99"]
    assert shop.available_ucr("ana") == CR("984")
    assert fates(shop.charge(*log)) == (0, 3, 0, 0)
    # While it waits its id is taken: other content is an error, not another event.
    other = shop.charge(Event("2", model="gpt-99", quantities=tokens(5)))
    assert fates(other) == (0, 0, 0, 1)
    assert shop.economy.verify().ok


def test_a_model_that_got_its_price_later_has_none_before(shop: Workspace) -> None:
    """Rule: "A price never changes in the past": the new line holds from its instant on."""
    live = shop.economy.price_book().sheet_at(NOON_US).sheet
    _, costs = shop.economy.cost_book()
    name = next(m for m in costs.models() if live.line(m) is None and costs.at(m, NOON_US))
    entry = costs.at(name, NOON_US)
    assert entry is not None
    prices = {key: price // 5 for key, price in entry.prices_nusd.items()}
    new = PriceLine(name, prices, 1_000, "up", stored=True)
    publish(shop, replace(live, sheet_id="with-new").with_lines({name: new}))
    report = shop.charge(
        Event("1", model=name, at_us=NOON_US - SECOND_US, quantities=tokens(1_000)),
        Event("2", model=name, at_us=shop.clock.now_us(), quantities=tokens(1_000)),
    )
    assert fates(report) == (1, 0, 1, 0)
    (waiting,) = shop.economy.unpriced()
    assert (waiting.model, waiting.reason) == (name, "no price at that time")


def publish(shop: Workspace, sheet: PriceSheet) -> None:
    """Put a sheet in force a second from now, the proper way, and let the second pass."""
    economy = shop.economy
    author = economy.add_staff(shop.admin, "ben", "business")
    draft = economy.save_draft(author, sheet)
    economy.submit(author, draft.sheet_id, 1)
    economy.approve(shop.admin, draft.sheet_id, 1)
    shop.clock.advance(1)
    economy.publish_sheet(shop.admin, draft.sheet_id, 1, shop.clock.now_us() + SECOND_US)
    shop.clock.advance(1)


def test_what_a_balance_cannot_pay_is_refused_whole_and_the_next_may_fit(shop: Workspace) -> None:
    report = shop.charge(
        Event("1", quantities=tokens(190_000)),
        Event("2", quantities=tokens(20_000), at_us=NOON_US - 50 * SECOND_US),
        Event("3", quantities=tokens(10_000), at_us=NOON_US - 40 * SECOND_US),
        Event("4", quantities=tokens(1), at_us=NOON_US - 30 * SECOND_US),
    )
    assert (report.charges.charged, report.charges.refused) == (2, 2)
    statuses = shop.rows("SELECT event_id, status, charge_ucr, rated_ucr FROM charges")
    assert sorted(statuses) == [
        ("1", 1, CR("950"), CR("950")),
        ("2", 2, 0, CR("100")),
        ("3", 1, CR("50"), CR("50")),
        ("4", 2, 0, CR("1")),
    ]
    assert shop.available_ucr("ana") == 0
    refused = shop.rows("SELECT sum(list_cost_nusd + paid_cost_nusd) FROM charges WHERE status = 2")
    assert refused == [(0,)], "what is not served costs nothing"
    # A refusal is final: money that comes later does not pay for it.
    shop.economy.top_up(shop.admin, "ana", "starter", request_key="later")
    assert fates(shop.charge(Event("4", quantities=tokens(1), at_us=NOON_US - 30 * SECOND_US))) == (
        0,
        1,
        0,
        0,
    )
    assert shop.available_ucr("ana") == CR("1000")


def test_who_happened_first_is_charged_first_wherever_it_stands_in_the_file(
    shop: Workspace,
) -> None:
    shop.charge(
        Event("late", quantities=tokens(200_000), at_us=NOON_US - SECOND_US),
        Event("early", quantities=tokens(200_000), at_us=NOON_US - 2 * SECOND_US),
    )
    assert shop.rows("SELECT event_id FROM charges WHERE status = 1") == [("early",)]


def test_failed_requests_cost_nothing_if_the_policy_says_so(shop: Workspace) -> None:
    report = shop.charge(Event("1", failed=True), Event("2"))
    assert fates(report) == (2, 0, 0, 0)
    assert (report.charges.charged, report.charges.not_charged) == (1, 1)
    assert shop.rows("SELECT status, rated_ucr, charge_ucr, list_cost_nusd FROM charges") == [
        (3, 0, 0, 0),
        (1, CR("8"), CR("8"), 45_000_000),
    ]
    assert shop.economy.verify().ok


def test_failed_requests_are_charged_if_the_policy_says_so(tmp_path: Path) -> None:
    policy = load_policy("founding")
    rules = policy.usage.model_copy(update={"charge_failed_requests": True})
    strict = policy.model_copy(update={"usage": rules, "name": "strict"})
    economy = Economy.create(tmp_path / "strict", strict, FixedClock(NOON_US))
    admin = economy.actor()
    economy.set_up_prices(admin)
    economy.add_customer(admin, "ana")
    economy.top_up(admin, "ana", "starter", request_key="1")
    report = economy.charge_usage(admin, [usage([Event("1", failed=True)])])
    assert (report.charges.charged, report.charges.not_charged) == (1, 0)
    assert report.charges.charge_ucr == CR("8")


def test_a_quantity_beyond_counting_is_an_error_of_that_row(shop: Workspace) -> None:
    report = shop.charge(Event("1", quantities=tokens(1_000_000_001)), Event("2"))
    assert fates(report) == (1, 0, 0, 1)
    assert told(report) == [(1, "quantities")]
    assert fates(shop.charge(Event("1"))) == (1, 0, 0, 0), "the id is not used up"


def test_an_alias_means_what_it_meant_when_the_request_happened(shop: Workspace) -> None:
    with shop.economy.database.unit() as unit:
        set_alias(unit, "best", "gpt-4")
        set_alias(unit, "best", "llama-3", NOON_US - 30 * SECOND_US)
    shop.charge(
        Event("before", model="best", at_us=NOON_US - 30 * SECOND_US - 1),
        Event("after", model="Best", at_us=NOON_US - 30 * SECOND_US),
    )
    assert shop.rows(
        "SELECT event_id, m.name, charge_ucr FROM charges JOIN models m USING (model_id)"
    ) == [("before", "gpt-4", CR("8")), ("after", "llama-3", CR("2"))]


def test_expired_holds_do_not_stand_in_the_way_of_an_import(shop: Workspace) -> None:
    """A hold that has expired is released when its customer is next touched."""
    shop.economy.authorise(
        shop.admin, "ana", "gpt-4", tokens(200_000), source="live", event_id="held"
    )
    big = Event("1", quantities=tokens(200_000))
    assert shop.charge(Event("0")).charges.refused == 1, "held Credits cannot be spent"
    shop.clock.advance(601)
    assert shop.charge(big).charges.charged == 1
    assert shop.available_ucr("ana") == shop.held_ucr("ana") == 0
    assert shop.economy.verify().ok


def test_only_business_and_admins_import(shop: Workspace) -> None:
    for actor in (shop.economy.customer_actor("ana"), Actor("lin", "analyst")):
        with pytest.raises(Forbidden):
            shop.economy.charge_usage(actor, [usage([Event("1")])])
    assert shop.rows("SELECT count(*) FROM charges") == [(0,)]


def many(n: int) -> list[Event]:
    """A log of n events of two customers, one of whom runs dry; some ids twice."""
    return [
        Event(
            f"event-{i - (i % 7 == 6)}" if i % 7 == 6 else f"event-{i}",
            customer=("ana", "bo")[i % 2],
            quantities=tokens(9_000 + i, 500),
            at_us=NOON_US - (n - i) * SECOND_US,
        )
        for i in range(n)
    ]


def test_a_log_of_many_chunks_is_charged_like_one_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event for event in many(60) if not event.event_id.endswith("7")]
    books = []
    for size in (8_000, 7, 1):
        monkeypatch.setattr(charging, "CHUNK", size)
        shop = new_workspace(tmp_path / str(size))
        for name in ("ana", "bo"):
            shop.customer(name, "starter", "pro")
        shop.economy.authorise(shop.admin, "bo", "gpt-4", WORKED, source="live", event_id="x")
        done: list[int] = []
        report = shop.economy.charge_usage(shop.admin, [usage(events)], progress=done.append)
        assert done[-1] == report.read == len(events)
        assert len(done) == -(-len(events) // size)
        assert shop.economy.verify().ok
        books.append((shop.charges(), shop.balances(), fates(report), report.charges))
    assert books[0][0] == books[1][0] == books[2][0]
    assert books[0][1] == books[1][1] == books[2][1]
    assert books[0][2:] == books[1][2:] == books[2][2:]


def test_an_import_that_breaks_between_chunks_and_is_repeated_charges_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charging, "CHUNK", 10)
    events = [event for event in many(35) if event.customer == "ana"] + [
        event for event in many(35) if event.customer == "bo"
    ]

    def broken() -> Iterator[UsageBatch]:
        yield usage(events[:25])
        raise OSError("the disk is gone")

    def opened(name: str) -> Workspace:
        shop = new_workspace(tmp_path / name)
        shop.customer("ana", "starter")
        shop.customer("bo", "pro")
        return shop

    whole, torn = opened("whole"), opened("torn")
    with pytest.raises(OSError, match="disk"):
        torn.economy.charge_usage(torn.admin, broken())
    assert torn.economy.verify().ok
    assert 0 < len(torn.charges()) <= 25

    def impatient(done: int) -> None:
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        torn.economy.charge_usage(torn.admin, [usage(events)], progress=impatient)
    assert torn.economy.verify().ok

    last = torn.economy.charge_usage(torn.admin, [usage(events)])
    assert last.duplicates > 0
    first = whole.economy.charge_usage(whole.admin, [usage(events)])
    assert first.accepted == len(torn.charges())
    assert torn.charges() == whole.charges()
    assert torn.balances() == whole.balances()
    again = torn.economy.charge_usage(torn.admin, [usage(events)])
    assert (again.accepted, again.duplicates + again.rejected) == (0, len(events))


def test_a_fault_inside_a_chunk_leaves_nothing_of_it(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("in the middle of a unit of work")

    before = shop.balances()
    with monkeypatch.context() as patched:
        patched.setattr(charging, "remember", breaks)
        with pytest.raises(RuntimeError):
            shop.charge(Event("1"))
    assert shop.charges() == []
    assert shop.balances() == before
    assert shop.economy.verify().ok
    assert fates(shop.charge(Event("1"))) == (1, 0, 0, 0)


def test_bad_rows_of_a_file_are_told_and_the_good_ones_charged(
    shop: Workspace, tmp_path: Path
) -> None:
    log = write_csv(
        tmp_path / "log.csv",
        HEADER,
        [
            ("1", EARLIER, "ana", "gpt-4", 1_000, 500),
            ("2", EARLIER, "ana", "gpt-4", -5, 500),
            ("3", EARLIER, "nobody", "gpt-4", 1_000, 500),
            ("4", "yesterday", "ana", "gpt-4", 1_000, 500),
            ("5", EARLIER, "ana", "gpt-99", 1_000, 500),
            ("1", EARLIER, "ana", "gpt-4", 1_000, 500),
            ("1", EARLIER, "ana", "gpt-4", 9, 9),
        ],
    )
    report = shop.economy.import_usage(shop.admin, log)
    assert fates(report) == (1, 1, 1, 4)
    assert told(report) == [(2, "input_tokens"), (3, "customer"), (4, "time"), (7, "event_id")]
    again = shop.economy.import_usage(shop.admin, log)
    assert fates(again) == (0, 3, 0, 4)
    assert shop.available_ucr("ana") == CR("992")


def test_a_file_that_cannot_be_used_charges_nothing(shop: Workspace, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    missing_column = write_csv(tmp_path / "short.csv", HEADER[:-1], [("1", EARLIER, "ana", "m", 1)])
    truncated = tmp_path / "log.parquet"
    truncated.write_bytes(b"PAR1 and then nothing")
    for bad in (empty, missing_column, truncated, tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(BadInput) as refused:
            shop.economy.import_usage(shop.admin, bad)
        assert str(bad) in refused.value.message
    assert shop.charges() == []


def test_a_page_that_is_damaged_ends_the_file_but_not_what_came_before(
    shop: Workspace, tmp_path: Path
) -> None:
    rows = 120_000
    table = pa.table(
        {
            "event_id": [f"e{i}" for i in range(rows)],
            "time": [EARLIER] * rows,
            "customer": ["ana"] * rows,
            "model": ["gpt-4"] * rows,
            "input_tokens": [1] * rows,
            "output_tokens": [0] * rows,
        }
    )
    log = tmp_path / "log.parquet"
    pq.write_table(table, log, row_group_size=rows // 2, compression="snappy", use_dictionary=False)
    broken = bytearray(log.read_bytes())
    start = pq.ParquetFile(log).metadata.row_group(1).column(0).data_page_offset + 64
    for position in range(start, start + 256):
        broken[position] ^= 0xFF
    log.write_bytes(broken)

    report = shop.economy.import_usage(shop.admin, log)
    assert 0 < report.accepted <= rows // 2
    assert report.rejected == 1
    (fault,) = report.errors
    assert (fault.row, fault.field) == (report.accepted + 1, "file")
    assert "nothing can be read" in fault.message
    assert shop.economy.import_usage(shop.admin, log).duplicates == report.accepted
