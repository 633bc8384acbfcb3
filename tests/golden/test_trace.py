"""Rules, section 3: "on the real traces at 5 Cr per 1K: conversation +7.28 %", through the ledger.

19,366 requests of the Azure conversation trace, imported by its shipped map. Customers with
an unlimited balance pay every one of them; the warehouse and the books say the same sums.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from economy.units import parse_credits, parse_usd
from economy.usage.maps import load_map
from tests.workspaces import new_workspace

EVENTS = 19_366
UNROUNDED_UCR = parse_credits("132252.675")
CHARGED_UCR = parse_credits("141879")
LIST_COST_NUSD = parse_usd("793.51605")
"""132,252.675 Cr are 26,450.535 thousand tokens, at $0.03."""


def test_every_request_of_the_conversation_trace_is_charged(
    tmp_path: Path, shared_data: Path
) -> None:
    trace = shared_data / "traces" / "azure_llm_2023_conv.parquet"
    column_map = load_map("azure_llm_2023")
    shop = new_workspace(tmp_path)
    names = [f"customer-{n:04}" for n in range(1, 301)]
    shop.economy.ensure_customers(shop.admin, names)
    for name in names:
        shop.economy.top_up(shop.admin, name, "enterprise", request_key=name)

    report = shop.economy.import_usage(shop.admin, trace, column_map)
    assert (report.read, report.accepted, report.rejected) == (EVENTS, EVENTS, 0)
    charges = report.charges
    assert (charges.charged, charges.refused) == (EVENTS, 0)
    assert charges.rated_unrounded_ucr == UNROUNDED_UCR
    assert charges.rated_ucr == charges.charge_ucr == CHARGED_UCR
    assert charges.rounding_ucr == CHARGED_UCR - UNROUNDED_UCR
    rounding = Fraction(charges.rounding_ucr, UNROUNDED_UCR)
    assert round(rounding * 100, 3) == Fraction(7_279, 1_000)
    assert charges.list_cost_nusd == charges.paid_cost_nusd == LIST_COST_NUSD

    balances = shop.balances()
    assert balances["revenue:usage.cr"][3] == UNROUNDED_UCR
    assert balances["revenue:rounding.cr"][3] == CHARGED_UCR - UNROUNDED_UCR
    assert balances["expense:provider:openai.usd"][1] == LIST_COST_NUSD
    assert shop.economy.verify().ok

    again = shop.economy.import_usage(shop.admin, trace, column_map)
    assert (again.accepted, again.duplicates) == (0, EVENTS)
    assert shop.balances() == balances
