"""Golden: charging a request, the rules, section 3."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from economy.catalog.costs import CostBook
from economy.catalog.files import load_costs
from economy.policy import DATA_DIR
from economy.pricing.book import Epoch, PriceBook
from economy.pricing.sheet import PriceLine, PriceSheet
from economy.quantities import INPUT, N_QUANTITIES, OUTPUT, REQUEST
from economy.rating.rate import Rated, cost_one, rate, rate_one
from economy.rating.receipt import make_receipt
from economy.units import (
    BEGINNING_OF_TIME_US,
    UCR_PER_CREDIT,
    credits_text,
    parse_credits,
    parse_usd,
    usd_text,
)

WORKED_REQUEST = (1_000, 500, 0, 0, 0, 0, 0, 0, 1)


def founding_line(price_cr: str) -> PriceLine:
    """A blended line at so many Credits per 1K, rounded up to a whole Credit."""
    return PriceLine(
        "gpt-4", {"blended": parse_credits(price_cr) * 1_000}, UCR_PER_CREDIT, "up", stored=True
    )


def book_of(line: PriceLine) -> PriceBook:
    sheet = PriceSheet("one line", parse_usd("0.01"), (line,))
    return PriceBook((Epoch(1, BEGINNING_OF_TIME_US, sheet),))


def percent(part: int, whole: int) -> str:
    ratio = Fraction(part * 100, whole)
    value = Decimal(ratio.numerator) / Decimal(ratio.denominator)
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.fixture(scope="module")
def costs() -> CostBook:
    return load_costs(DATA_DIR / "costs" / "founding.toml")


def test_worked_request(costs: CostBook) -> None:
    """ "1,000 in + 500 out = 1.5K tokens x 5 = 7.5, rounded up to a whole Credit = 8, once
    per request, on the sum"; "Cost on a platform key 1.5 x $0.03 = $0.045"."""
    rated = rate_one(founding_line("5"), WORKED_REQUEST)
    assert credits_text(rated.unrounded_ucr) == "7.5"
    assert credits_text(rated.charge_ucr) == "8"
    entry = costs.at("gpt-4", 0)
    assert entry is not None
    assert usd_text(cost_one(entry, WORKED_REQUEST).cost_nusd) == "0.045"
    # "The rounding gain ... +6.7 % here".
    assert percent(rated.charge_ucr - rated.unrounded_ucr, rated.unrounded_ucr) == "6.67"


def test_receipt_of_the_worked_request() -> None:
    """The receipt shows 5 + 2.5 = 7.5, 0.5 of rounding, 8 together, and the sheet's hash."""
    book = book_of(founding_line("5"))
    receipt = make_receipt(book, "gpt-4", 0, WORKED_REQUEST)
    steps = [(line.quantity, credits_text(int(line.exact_ucr))) for line in receipt.lines]
    assert steps == [("input_tokens", "5"), ("output_tokens", "2.5")]
    amounts = (receipt.unrounded_ucr, receipt.rounding_ucr, receipt.charge_ucr)
    assert [credits_text(ucr) for ucr in amounts] == ["7.5", "0.5", "8"]
    assert receipt.sheet_sha256 == book.epochs[0].sheet.sha256


def rated_trace(path: Path, price_cr: str, costs: CostBook) -> Rated:
    table = pq.read_table(path)
    n = table.num_rows
    quantities = np.zeros((n, N_QUANTITIES), dtype=np.int64)
    quantities[:, INPUT] = table["input_tokens"].to_numpy()
    quantities[:, OUTPUT] = table["output_tokens"].to_numpy()
    quantities[:, REQUEST] = 1
    return rate(
        np.zeros(n, dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        quantities,
        book_of(founding_line(price_cr)).table(["gpt-4"]),
        costs.table(["gpt-4"], 1),
    )


@pytest.mark.parametrize(
    ("trace", "price_cr", "gain"),
    [
        ("code", "5", "4.90"),
        ("code", "4", "5.89"),
        ("code", "2", "12.35"),
        ("code", "1", "26.92"),
        ("conv", "5", "7.28"),
        ("conv", "4", "8.72"),
        ("conv", "2", "16.98"),
        ("conv", "1", "40.61"),
    ],
)
def test_rounding_gain_on_the_real_traces(
    shared_data: Path, costs: CostBook, trace: str, price_cr: str, gain: str
) -> None:
    """ "on the real traces at 5 / 4 / 2 / 1 Cr per 1K: code +4.90 / 5.89 / 12.35 / 26.92 %,
    conversation +7.28 / 8.72 / 16.98 / 40.61 %" """
    path = shared_data / "traces" / f"azure_llm_2023_{trace}.parquet"
    if not path.exists():
        pytest.skip(f"the trace {path.name} is not here")
    rated = rated_trace(path, price_cr, costs)
    unrounded, charged = int(rated.unrounded_ucr.sum()), int(rated.charge_ucr.sum())
    assert not rated.status.any()
    assert percent(charged - unrounded, unrounded) == gain


def test_whole_conversation_trace(shared_data: Path, costs: CostBook) -> None:
    """Every request of the conversation trace on GPT-4 at 5 Cr: 132,252.675 Cr unrounded,
    exactly 141,879 Cr with each request rounded up."""
    path = shared_data / "traces" / "azure_llm_2023_conv.parquet"
    if not path.exists():
        pytest.skip(f"the trace {path.name} is not here")
    rated = rated_trace(path, "5", costs)
    assert credits_text(int(rated.unrounded_ucr.sum())) == "132252.675"
    assert credits_text(int(rated.charge_ucr.sum())) == "141879"
