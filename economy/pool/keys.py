"""A contributed key: whose it is, what it was valued at, how far it has served."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from economy.errors import NotFound
from economy.policy import PayoutScheme


@dataclass(frozen=True, slots=True)
class PoolKey:
    """One row of the pool. All but the last three amounts are fixed at contribution.

    ``quota_nusd`` is what the provider grants the key, ``capacity_ucr`` what the pool books
    for it, ``share_ucr`` what the contributor gets of that (at once, or as the key serves)
    and ``fee_ucr`` what the platform keeps. ``capacity_nusd`` is the share at the redemption
    rate; ``rate`` the valuation rate, ucr of capacity per nusd of quota served.
    ``relieved_nusd`` is the USD that its service has cost so far, of ``capacity_nusd``.
    """

    key_id: int
    name: str
    owner_id: int
    provider: str
    valued_on: str
    scheme: PayoutScheme
    quota_nusd: int
    capacity_ucr: int
    fee_ucr: int
    share_ucr: int
    capacity_nusd: int
    rate: Fraction
    contributed_us: int
    served_quota_nusd: int = 0
    relieved_ucr: int = 0
    relieved_nusd: int = 0

    @property
    def left_nusd(self) -> int:
        """Quota that the key can still serve."""
        return self.quota_nusd - self.served_quota_nusd

    @property
    def share_basis(self) -> Fraction:
        """USD behind each Credit of the share, nusd per ucr: the redemption rate then."""
        return Fraction(self.capacity_nusd, self.share_ucr) if self.share_ucr else Fraction(0)

    @property
    def earned_ucr(self) -> int:
        """Credits that the owner has had from this key so far."""
        if self.scheme == "upfront":
            return self.share_ucr
        return self.relieved_ucr * self.share_ucr // self.capacity_ucr


_COLUMNS = (
    "key_id, name, owner_id, provider, valued_on, scheme, quota_nusd, capacity_ucr, fee_ucr, "
    "share_ucr, capacity_nusd, rate_num, rate_den, contributed_us, served_quota_nusd, "
    "relieved_ucr, relieved_nusd"
)


def keys(connection: sqlite3.Connection) -> list[PoolKey]:
    """All keys, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM pool_keys ORDER BY key_id")
    return [_key(row) for row in rows]


def key(connection: sqlite3.Connection, key_id: int) -> PoolKey:
    """The key of this number, or :class:`NotFound`."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM pool_keys WHERE key_id = ?", (key_id,)
    ).fetchone()
    if row is None:
        raise NotFound(
            "no such contributed key",
            field="key_id",
            value=key_id,
            way_out="List them with: economy pool list",
        )
    return _key(row)


def key_named(connection: sqlite3.Connection, name: str) -> PoolKey:
    """The key of this name, or :class:`NotFound`."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM pool_keys WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(
            "no such contributed key",
            field="key",
            value=name,
            way_out="List them with: economy pool list",
        )
    return _key(row)


def key_of_request(connection: sqlite3.Connection, request_key: str) -> PoolKey | None:
    """The key that this request has contributed, if it has been here before."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM pool_keys WHERE request_key = ?", (request_key,)
    ).fetchone()
    return None if row is None else _key(row)


def _key(row: tuple[Any, ...]) -> PoolKey:
    rate = Fraction(row[11], row[12])
    values = [*row[:11], rate, *row[13:]]
    return PoolKey(*values)
