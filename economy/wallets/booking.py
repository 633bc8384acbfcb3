"""A grant's transfers: one linked chain, booked whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from economy.errors import BadInput, invariant
from economy.ledger import Code, Ledger, Result, TransferBuilder, TransferFlag
from economy.ledger.legs import Leg, flowing

MAX_REQUEST_KEY_LENGTH = 200


def checked_request_key(request_key: str) -> str:
    """The caller's idempotency key, or :class:`BadInput`: empty, too long, unprintable."""
    if not 0 < len(request_key) <= MAX_REQUEST_KEY_LENGTH or not request_key.isprintable():
        raise BadInput(
            f"a request key has 1 to {MAX_REQUEST_KEY_LENGTH} printable characters",
            field="request_key",
            value=request_key[:40],
            way_out="Use one key per purchase or contribution, and the same one to repeat it",
        )
    return request_key


def book_linked(
    ledger: Ledger,
    legs: Sequence[Leg],
    *,
    ids: Callable[[int], tuple[int, int]],
    code: Code,
    reference: int,
    effective_us: int,
) -> None:
    """Execute ``legs`` as one chain; ``ids`` gives the transfer id of each leg number.

    Legs of nothing are left out. What would leave an account's range is :class:`BadInput`;
    any other refusal is a bug, because a grant is bounded by nothing else.
    """
    moving = list(flowing(legs))
    accounts = ledger.open_accounts([name for leg in moving for name in (leg.debit, leg.credit)])
    builder = TransferBuilder()
    for number, leg in enumerate(moving):
        last = number == len(moving) - 1
        builder.add(
            ids(number),
            int(accounts[2 * number]),
            int(accounts[2 * number + 1]),
            leg.amount,
            code=code,
            effective_us=effective_us,
            flags=TransferFlag.NONE if last else TransferFlag.LINKED,
            reference=reference,
        )
    codes = ledger.execute(builder.build()).codes
    if (codes == Result.OVERFLOWS).any():
        raise BadInput(
            "an account would grow beyond a signed 64-bit integer",
            way_out="No account holds more than about 9 trillion Credits or 9 billion dollars",
        )
    invariant(bool((codes == Result.OK).all()), f"a grant is booked whole: {codes.tolist()}")
