"""Rating: what each status means, tier edges, fallbacks, and amounts at the limits."""

from __future__ import annotations

import numpy as np
import pytest

from economy.catalog.costs import CostBook, CostEntry, CostTier
from economy.catalog.rates import MAX_AMOUNT
from economy.errors import BadInput, InvariantBroken
from economy.pricing.book import Epoch, PriceBook
from economy.pricing.sheet import PriceLine, PriceSheet, TierPrices
from economy.quantities import (
    AUDIO,
    CACHE_WRITE_1H,
    CACHED_INPUT,
    IMAGE,
    INPUT,
    MAX_PRICE,
    MAX_QUANTITY,
    N_QUANTITIES,
    OUTPUT,
    REASONING,
    REQUEST,
)
from economy.rating.rate import Rated, RateStatus, rate, rate_one
from economy.rating.receipt import make_receipt
from economy.units import BEGINNING_OF_TIME_US, parse_credits

CR_PER_MTOK = 1_000_000


def request(**amounts: int) -> tuple[int, ...]:
    """A request of so many units of each named quantity."""
    index = {
        "input": INPUT,
        "output": OUTPUT,
        "cached": CACHED_INPUT,
        "write_1h": CACHE_WRITE_1H,
        "reasoning": REASONING,
        "audio_ms": AUDIO,
        "images": IMAGE,
        "requests": REQUEST,
    }
    quantities = [0] * N_QUANTITIES
    for name, amount in amounts.items():
        quantities[index[name]] = amount
    return tuple(quantities)


def line(prices_cr: dict[str, int], **rest: object) -> PriceLine:
    """A line with prices in Credits per unit and no visible rounding."""
    prices = {key: cr * CR_PER_MTOK for key, cr in prices_cr.items()}
    return PriceLine("m", prices, 1, "half_even", **rest)  # type: ignore[arg-type]


TIERED = line(
    {"input": 100, "output": 400, "cached_input": 10},
    tiers=(
        TierPrices(200_000, {"input": 200_000_000, "output": 600_000_000}),
        TierPrices(400_000, {"input": 300_000_000, "output": 900_000_000}),
    ),
)


def rated_by(
    price: PriceLine | None, cost: CostEntry | None, quantities: tuple[int, ...], m: int = 0
) -> Rated:
    sheet = PriceSheet("s", 10_000_000, (price,) if price else ())
    prices = PriceBook((Epoch(1, BEGINNING_OF_TIME_US, sheet),)).table(["m"])
    costs = CostBook((cost,) if cost else ()).table(["m"], 1)
    return rate(
        np.array([m], dtype=np.int32),
        np.array([0], dtype=np.int64),
        np.array([quantities], dtype=np.int64),
        prices,
        costs,
    )


def cost(prices_nusd: dict[str, int], from_us: int = 0, **rest: object) -> CostEntry:
    return CostEntry("m", "p", from_us, prices_nusd, **rest)  # type: ignore[arg-type]


TOKENS = request(input=10, output=10)
BLENDED, CHEAP = line({"blended": 1}), cost({"blended": 1})


@pytest.mark.parametrize(
    ("m", "price", "entry", "quantities", "status"),
    [
        (0, BLENDED, CHEAP, TOKENS, RateStatus.OK),
        (-1, None, None, TOKENS, RateStatus.UNKNOWN_MODEL),
        (1, BLENDED, CHEAP, TOKENS, RateStatus.UNKNOWN_MODEL),
        (0, None, None, TOKENS, RateStatus.NO_PRICE),
        (0, line({"input": 1}), None, TOKENS, RateStatus.QUANTITY_NOT_PRICED),
        (0, line({"audio": 1}), CHEAP, TOKENS, RateStatus.QUANTITY_NOT_PRICED),
        (0, BLENDED, CHEAP, request(images=1), RateStatus.QUANTITY_NOT_PRICED),
        (0, BLENDED, None, TOKENS, RateStatus.NO_COST),
        (0, BLENDED, cost({"blended": 1}, from_us=1), TOKENS, RateStatus.NO_COST),
        (0, BLENDED, cost({"input": 1}), TOKENS, RateStatus.NO_COST),
        (0, BLENDED, None, request(input=MAX_QUANTITY + 1), RateStatus.OVERFLOW),
        (0, BLENDED, None, request(input=-1), RateStatus.OVERFLOW),
        (0, line({"image": 9}), CHEAP, request(images=MAX_QUANTITY), RateStatus.NO_COST),
    ],
)
def test_status_by_precedence(
    m: int,
    price: PriceLine | None,
    entry: CostEntry | None,
    quantities: tuple[int, ...],
    status: RateStatus,
) -> None:
    rated = rated_by(price, entry, quantities, m)
    assert rated.status[0] == status
    if status is not RateStatus.OK:
        assert (rated.unrounded_ucr[0], rated.charge_ucr[0], rated.cost_nusd[0]) == (0, 0, 0)


def test_amount_beyond_the_limit_is_overflow_not_wrap_around() -> None:
    dear = PriceLine("m", {"image": MAX_PRICE}, 1, "up")
    assert rate_one(dear, request(images=MAX_QUANTITY)).status is RateStatus.OVERFLOW
    assert rated_by(dear, cost({"image": 1}), request(images=MAX_QUANTITY)).status[0] == (
        RateStatus.OVERFLOW
    )
    most = MAX_AMOUNT // MAX_PRICE
    rated = rated_by(dear, cost({"image": 1}), request(images=most))
    assert (rated.status[0], rated.charge_ucr[0]) == (RateStatus.OK, most * MAX_PRICE)


def test_largest_request_is_exact() -> None:
    """Whole parts, remainders and their carry, all as large as they can be: the price is 1
    modulo every unit, so the remainder of each quantity is its unit less one."""
    dearest = MAX_PRICE - 2_999_999
    dear = PriceLine("m", {"blended": dearest, "audio": dearest}, 1, "half_even")
    entry = cost({"blended": dearest, "audio": dearest})
    quantities = (MAX_QUANTITY - 1,) * 6 + (60_000 * 16_666 - 1, 0, 0)
    expected = rate_one(dear, quantities)
    assert expected.exact.denominator > 1
    rated = rated_by(dear, entry, quantities)
    assert rated.unrounded_ucr[0] == rated.cost_nusd[0] == expected.unrounded_ucr


@pytest.mark.parametrize("audio_ms", [1, 29_999, 30_000, 59_999, 60_001])
def test_parts_of_tokens_and_audio_add_up(audio_ms: int) -> None:
    """Thirds of a part cannot be lost: a millisecond at 1 ucr a minute is 1/60,000 ucr."""
    fine = PriceLine("m", {"input": 500_000, "audio": 1}, 1, "up")
    quantities = request(input=1, audio_ms=audio_ms)
    expected = rate_one(fine, quantities)
    rated = rated_by(fine, cost({"input": 1, "audio": 1}), quantities)
    assert (rated.unrounded_ucr[0], rated.charge_ucr[0]) == (
        expected.unrounded_ucr,
        expected.charge_ucr,
    )


@pytest.mark.parametrize(
    ("quantities", "credits"),
    [
        (request(input=200_000, output=1_000), "20.4"),
        (request(input=200_001, output=1_000), "40.6002"),
        (request(input=400_000, output=1_000), "80.6"),
        (request(input=400_001, output=1_000), "120.9003"),
        # Cached and written input count for the tier's size, output and reasoning do not.
        (request(input=150_000, cached=50_000), "15.5"),
        (request(input=150_000, cached=50_001), "40.0002"),
        (request(input=199_999, write_1h=2), "40.0002"),
        (request(input=200_000, reasoning=50_000), "40"),
    ],
)
def test_context_tier_is_a_cliff(quantities: tuple[int, ...], credits: str) -> None:
    """Above the start, *all* of the request is at the tier's prices; its cached input falls
    back on the tier's own input price."""
    assert rate_one(TIERED, quantities).unrounded_ucr == parse_credits(credits)
    assert rated_by(TIERED, CHEAP, quantities).unrounded_ucr[0] == parse_credits(credits)


def test_tiers_of_price_and_cost_are_looked_up_apart() -> None:
    tiered_cost = cost({"blended": 1_000_000}, tiers=(CostTier(100, {"blended": 2_000_000}),))
    for tokens, nusd in ((100, 100), (101, 202)):
        assert rated_by(BLENDED, tiered_cost, request(input=tokens)).cost_nusd[0] == nusd


def test_audio_is_priced_by_the_minute_and_tokens_of_whisper_are_not_free() -> None:
    whisper = PriceLine("m", {"audio": parse_credits("2")}, parse_credits("1"), "up")
    rated = rate_one(whisper, request(audio_ms=90_001, requests=1))
    assert rated.unrounded_ucr == 3_000_033  # 90,001 ms x 2 Cr / 60,000 ms, half-even
    assert rated.charge_ucr == parse_credits("4")
    unpriced = rate_one(whisper, request(audio_ms=1, input=1))
    assert unpriced.status is RateStatus.QUANTITY_NOT_PRICED


def test_cached_input_has_its_price_or_falls_back_on_input() -> None:
    own = line({"input": 100, "output": 1, "cached_input": 10})
    plain = line({"input": 100, "output": 1})
    quantities = request(cached=1_000_000)
    assert rate_one(own, quantities).charge_ucr == parse_credits("10")
    assert rate_one(plain, quantities).charge_ucr == parse_credits("100")


def test_rows_of_time_are_half_open() -> None:
    old, new = line({"blended": 1}), line({"blended": 2})
    book = PriceBook(
        (
            Epoch(1, BEGINNING_OF_TIME_US, PriceSheet("a", 1, (old,))),
            Epoch(2, 100, PriceSheet("b", 1, (new,))),
            Epoch(3, 200, PriceSheet("c", 1, ())),
        )
    )
    table, costs = book.table(["m"]), CostBook([CHEAP]).table(["m"], 1)
    times = np.array([0, 99, 100, 199, 200], dtype=np.int64)
    tokens = np.tile(np.array(request(input=1_000_000), dtype=np.int64), (5, 1))
    rated = rate(np.zeros(5, dtype=np.int32), times, tokens, table, costs)
    assert rated.charge_ucr.tolist() == [1_000_000, 1_000_000, 2_000_000, 2_000_000, 0]
    assert rated.status.tolist() == [0, 0, 0, 0, RateStatus.NO_PRICE]
    assert table.version[rated.price_row[:4]].tolist() == [1, 1, 2, 2]


def test_misuse_is_told() -> None:
    one, n = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int64)
    tokens = np.zeros((1, N_QUANTITIES), dtype=np.int64)
    prices = PriceBook((Epoch(1, 0, PriceSheet("s", 1, (BLENDED,))),)).table(["m"])
    costs = CostBook([CHEAP])
    with pytest.raises(BadInput, match="different models"):
        rate(one, n, tokens, prices, costs.table(["other"], 1))
    with pytest.raises(BadInput, match="differ in length"):
        rate(one, n, tokens[:, :3], prices, costs.table(["m"], 1))
    with pytest.raises(InvariantBroken):
        rate(one, n, tokens, prices, costs.table(["m"], 1), out=Rated.empty(2))


def test_receipt_says_the_tier_and_leaves_out_a_free_request_fee() -> None:
    sheet = PriceSheet("s", 10_000_000, (TIERED,))
    book = PriceBook((Epoch(4, 0, sheet),))
    receipt = make_receipt(book, "m", 0, request(input=200_001, requests=1))
    assert [(row.quantity, row.price_ucr) for row in receipt.lines] == [
        ("input_tokens", 200 * CR_PER_MTOK)
    ]
    assert receipt.sheet_version == 4
    assert receipt.unrounded_ucr + receipt.rounding_ucr == receipt.charge_ucr


@pytest.mark.parametrize(
    ("model", "quantities", "said"),
    [("x", TOKENS, "no price at that time"), ("m", request(images=1), "does not price")],
)
def test_receipt_of_what_cannot_be_rated(
    model: str, quantities: tuple[int, ...], said: str
) -> None:
    book = PriceBook((Epoch(1, 0, PriceSheet("s", 1, (BLENDED,))),))
    with pytest.raises(BadInput, match=said):
        make_receipt(book, model, 0, quantities)
