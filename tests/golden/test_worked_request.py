"""Rules, sections 3, 4 and 9: one request from its hold to its settlement, through the one door.

1,000 + 500 tokens on GPT-4 by a customer with a Starter pack: held, settled, charged 8 Cr.
Served by a contributor's $500 key (upfront under founding, on use under sound), by the
platform's own key, and imported from a log: every posting, account by account.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from economy.ledger import Code
from economy.ledger.reading import HistoryRow
from economy.metering.holds import HoldState
from economy.metering.tracing import Trace
from economy.units import parse_credits, parse_usd
from tests.workspaces import WORKED, Event, Workspace, new_workspace, tokens

CR, USD = parse_credits, parse_usd
LOT = "lot:1:purchased:10/1:never.cr"
OWNER_LOT = "lot:2:earned:9/1:never.cr"
LARGEST = tokens(2_000, 1_000)
"""What is held for: 3,000 tokens, 15 Cr."""


def open_shop(home: Path, policy: str) -> Workspace:
    """ana (customer 1) has 1,000 Cr at $0.01; bo (customer 2) contributes $500 of GPT-4 quota."""
    shop = new_workspace(home, policy)
    shop.customer("ana", "starter")
    shop.customer("bo")
    shop.economy.contribute(shop.admin, "bo", "gpt-4", quota_nusd=USD("500"), request_key="lend-1")
    return shop


def serve(shop: Workspace, key: str | None) -> Trace:
    """Hold the largest price, settle what was used; the request's story."""
    shop.clock.advance(60)
    held = shop.economy.authorise(
        shop.admin, "ana", "gpt-4", LARGEST, source="live", event_id="worked", key=key
    )
    assert held.amount_ucr == CR("15")
    settled = shop.economy.settle(shop.admin, "live", "worked", WORKED)
    assert settled.charge_ucr == CR("8")
    assert settled.unrounded_ucr == CR("7.5")
    assert settled.released_ucr == CR("7")
    return shop.economy.trace("worked")


def postings(rows: list[HistoryRow]) -> list[tuple[str, str, str, int]]:
    return [(row.code.name, row.debit, row.credit, row.amount) for row in rows]


def legs(trace: Trace) -> set[tuple[str, str, int]]:
    """The platform's legs; their order means nothing."""
    assert {row.code for row in trace.platform_legs} == {Code.PLATFORM_LEGS}
    found = [(row.debit, row.credit, row.amount) for row in trace.platform_legs]
    assert len(set(found)) == len(found)
    return set(found)


COMMON_LEGS = {
    ("clearing:usage.cr", "revenue:usage.cr", CR("7.5")),
    ("clearing:usage.cr", "revenue:rounding.cr", CR("0.5")),
    ("deferred_revenue.usd", "revenue:usage.usd", USD("0.075")),
    ("deferred_revenue.usd", "revenue:rounding.usd", USD("0.005")),
}
"""Rule: "charge 8: CR ... clearing -> revenue:usage 7.5, revenue:rounding 0.5; USD Dr
deferred_revenue Cr revenue:usage 7.5 x basis, revenue:rounding 0.5 x basis"."""


def test_the_hold_takes_the_largest_price_and_settlement_gives_the_rest_back(
    tmp_path: Path,
) -> None:
    """Rule: "A request holds its largest possible price, settles what was used, releases the
    rest"; "CR hold lot -> clearing:usage; post 8".
    """
    shop = open_shop(tmp_path, "founding")
    trace = serve(shop, "key1")
    assert postings(trace.transfers) == [
        ("HOLD", LOT, "clearing:usage.cr", CR("15")),
        ("SETTLE", LOT, "clearing:usage.cr", CR("8")),
    ]
    assert trace.transfers[1].pending_seq == trace.transfers[0].seq
    assert trace.hold is not None
    assert trace.hold.state == HoldState.SETTLED
    assert shop.balances()[LOT] == (0, CR("8"), 0, CR("1000"))
    assert shop.balances()["clearing:usage.cr"] == (0, CR("8"), 0, CR("8"))
    assert shop.available_ucr("ana") == CR("992")
    assert shop.economy.verify().ok


def test_on_the_contributors_key_under_founding(tmp_path: Path) -> None:
    """Rule: "upfront key: QUOTA Dr escrow:owner Cr pool:key 0.045; CR Dr capacity_used Cr
    pool:key 7.5; USD Dr expense:capacity Cr capacity:key 0.06075"; "After the request in 3 the
    key has $499.955 left".
    """
    shop = open_shop(tmp_path, "founding")
    trace = serve(shop, "key1")
    assert legs(trace) == COMMON_LEGS | {
        ("escrow:2.quota", "pool:key1.quota", USD("0.045")),
        ("capacity_used.cr", "pool:key1.cr", CR("7.5")),
        ("expense:capacity.usd", "capacity:key1.usd", USD("0.06075")),
    }
    charge = trace.charge
    assert charge is not None
    assert (charge.key, charge.provider, charge.model) == ("key1", "openai", "gpt-4")
    assert (charge.charge_ucr, charge.unrounded_ucr, charge.rounding_ucr) == (
        CR("8"),
        CR("7.5"),
        CR("0.5"),
    )
    assert (charge.basis_usage_nusd, charge.basis_rounding_nusd) == (USD("0.075"), USD("0.005"))
    assert (charge.list_cost_nusd, charge.paid_cost_nusd) == (USD("0.045"), USD("0.06075"))
    (key,) = shop.economy.pool_keys()
    assert key.left_nusd == USD("499.955")
    assert shop.balances()["pool:key1.quota"] == (0, USD("500"), 0, USD("0.045"))
    assert shop.balances()["pool:key1.cr"] == (0, CR("83330"), 0, CR("7.5"))
    assert shop.balances()["capacity:key1.usd"] == (0, USD("674.973"), 0, USD("0.06075"))
    assert shop.balances()["deferred_revenue.usd"] == (0, USD("0.08"), 0, USD("10"))
    assert shop.balances()["payable:contributors.usd"] == (0, 0, 0, USD("674.973"))
    assert shop.economy.verify().ok


def test_on_a_platform_key(tmp_path: Path) -> None:
    """Rule: "platform key: USD Dr expense:provider:p Cr payable:providers 0.045"; "Cost on a
    platform key 1.5 x $0.03 = $0.045".
    """
    shop = open_shop(tmp_path, "founding")
    trace = serve(shop, None)
    assert legs(trace) == COMMON_LEGS | {
        ("expense:provider:openai.usd", "payable:providers.usd", USD("0.045")),
    }
    charge = trace.charge
    assert charge is not None
    assert charge.key is None
    assert (charge.list_cost_nusd, charge.paid_cost_nusd) == (USD("0.045"), USD("0.045"))
    (key,) = shop.economy.pool_keys()
    assert key.left_nusd == USD("500")
    assert shop.economy.verify().ok


def test_on_the_contributors_key_under_sound(tmp_path: Path) -> None:
    """Rule: "on_use: QUOTA Dr escrow:owner Cr pool:key 0.045; ... (under sound's cap: earned
    4.5, fee 3.0, $0.0405)".
    """
    shop = open_shop(tmp_path, "sound")
    assert shop.available_ucr("bo") == 0
    trace = serve(shop, "key1")
    assert legs(trace) == COMMON_LEGS | {
        ("escrow:2.quota", "pool:key1.quota", USD("0.045")),
        ("capacity_used.cr", OWNER_LOT, CR("4.5")),
        ("capacity_used.cr", "fee:contribution.cr", CR("3")),
        ("expense:capacity.usd", "payable:contributors.usd", USD("0.0405")),
    }
    assert trace.charge is not None
    assert trace.charge.paid_cost_nusd == USD("0.0405")
    assert shop.available_ucr("bo") == CR("4.5")
    (key,) = shop.economy.pool_keys()
    assert key.left_nusd == USD("499.955")
    assert shop.economy.verify().ok


def test_imported_from_a_log(tmp_path: Path) -> None:
    """Rule: the same charge of 8; a log's request takes its Credits by one plain transfer."""
    shop = open_shop(tmp_path, "founding")
    shop.charge(Event("worked"))
    trace = shop.economy.trace("worked")
    assert trace.hold is None
    assert postings(trace.transfers) == [("CHARGE", LOT, "clearing:usage.cr", CR("8"))]
    assert legs(trace) == COMMON_LEGS | {
        ("expense:provider:openai.usd", "payable:providers.usd", USD("0.045")),
    }
    assert shop.economy.verify().ok


def test_paid_with_earned_credits(tmp_path: Path) -> None:
    """Rule: "USD Dr deferred_revenue (earned lot: payable:contributors ...) Cr revenue:usage 7.5 x
    basis, revenue:rounding 0.5 x basis", an earned lot's basis being $0.009.
    """
    shop = open_shop(tmp_path, "founding")
    shop.charge(Event("worked", customer="bo"))
    trace = shop.economy.trace("worked")
    assert postings(trace.transfers) == [("CHARGE", OWNER_LOT, "clearing:usage.cr", CR("8"))]
    assert {
        ("payable:contributors.usd", "revenue:usage.usd", USD("0.0675")),
        ("payable:contributors.usd", "revenue:rounding.usd", USD("0.0045")),
    } < legs(trace)
    assert shop.economy.verify().ok


@pytest.mark.parametrize("name", ["GPT-4", "gpt-4"])
def test_the_models_everyday_name_is_the_same_request(tmp_path: Path, name: str) -> None:
    shop = open_shop(tmp_path, "founding")
    shop.charge(Event("worked", model=name))
    assert shop.available_ucr("ana") == CR("992")
