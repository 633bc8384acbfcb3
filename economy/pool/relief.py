"""What a contributed key's service uses up: a loop over columns, and its postings.

A key stands in the books with a quota (the provider's dollars), a capacity (Credits) and
the USD that the capacity costs the platform. Serving a request takes the request's list
cost from the quota, and relieves capacity by *quota dollars x the valuation rate*,
whichever model it served. Example: $500 valued on GPT-4 (5 Cr and $0.03 per 1K, so 1/6
ucr per nusd) is 83,330 Cr; a request of list cost $0.045 takes

    upfront   0.045 quota, 7.5 Cr of capacity, $0.06075 of the $674.973 paid at contribution
    on_use    0.045 quota, 7.5 Cr of capacity: 6.75 earned, 0.75 fee; $0.06075 now owed
              (4.5, 3.0 and $0.0405 where the policy caps the payout at $0.90 per dollar)

Capacity is whole price units, so the last of a quota may be served at zero capacity. All
four amounts are floors from the key's beginning, so that an exhausted key is relieved of
exactly its capacity, has earned exactly its share and has cost exactly its USD.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from economy.compiled import compiled
from economy.errors import BadInput, invariant
from economy.ledger.legs import Leg
from economy.pool.keys import PoolKey, keys
from economy.pool.postings import KeyRelief, service_postings
from economy.state.database import Unit
from economy.wide import mul_div

I64 = NDArray[np.int64]

PLATFORM = -1
"""In the place of a key's row: the platform's own key."""


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """``K`` keys as columns, all (K,) int64; a key's *row* is its position here.

    ``earn`` is the contributor's part of each relieved ucr (0 for ``upfront``, who was given
    the share at once). ``pay`` is nusd per relieved ucr for ``upfront``, per earned ucr for
    ``on_use``. The last four columns are what has happened so far; relief advances them.
    """

    keys: tuple[PoolKey, ...]
    key_id: I64
    quota_nusd: I64
    capacity_ucr: I64
    rate_num: I64
    rate_den: I64
    earn_num: I64
    earn_den: I64
    pays_on_relief: I64
    pay_num: I64
    pay_den: I64
    served_quota_nusd: I64
    relieved_ucr: I64
    earned_ucr: I64
    paid_nusd: I64

    def __len__(self) -> int:
        return len(self.key_id)


@dataclass(frozen=True, slots=True)
class Relief:
    """What each of ``n`` events took from which key, all (n,) int64.

    ``served_by`` is a row of the key columns, or :data:`PLATFORM`: asked for, or because the
    key's quota was short. ``paid_nusd`` is what the service costs the platform in the end:
    the list cost on a platform key, what is (or was) paid to the contributor on a contributed
    one. The other columns are 0 on a platform key; ``relief_ucr`` is ``earned_ucr +
    fee_ucr`` for ``on_use``, and both are 0 for ``upfront``.
    """

    served_by: I64
    quota_nusd: I64
    relief_ucr: I64
    earned_ucr: I64
    fee_ucr: I64
    paid_nusd: I64


def key_columns(pool: Sequence[PoolKey]) -> KeyColumns:
    """The columns of these keys, in this order."""
    zero = Fraction(0)
    earn = [
        zero if key.scheme == "upfront" else Fraction(key.share_ucr, key.capacity_ucr)
        for key in pool
    ]
    pay = [
        Fraction(key.capacity_nusd, key.capacity_ucr)
        if key.scheme == "upfront"
        else key.share_basis
        for key in pool
    ]
    return KeyColumns(
        keys=tuple(pool),
        key_id=_column([key.key_id for key in pool]),
        quota_nusd=_column([key.quota_nusd for key in pool]),
        capacity_ucr=_column([key.capacity_ucr for key in pool]),
        rate_num=_column([key.rate.numerator for key in pool]),
        rate_den=_column([key.rate.denominator for key in pool]),
        earn_num=_column([part.numerator for part in earn]),
        earn_den=_column([part.denominator for part in earn]),
        pays_on_relief=_column([int(key.scheme == "upfront") for key in pool]),
        pay_num=_column([part.numerator for part in pay]),
        pay_den=_column([part.denominator for part in pay]),
        served_quota_nusd=_column([key.served_quota_nusd for key in pool]),
        relieved_ucr=_column([key.relieved_ucr for key in pool]),
        earned_ucr=_column([0 if key.scheme == "upfront" else key.earned_ucr for key in pool]),
        paid_nusd=_column([key.relieved_nusd for key in pool]),
    )


def load_key_columns(connection: sqlite3.Connection) -> KeyColumns:
    """All keys of the pool, oldest first."""
    return key_columns(keys(connection))


def save_key_columns(unit: Unit, columns: KeyColumns) -> None:
    """Write back what relief has advanced."""
    unit.connection.executemany(
        "UPDATE pool_keys SET served_quota_nusd = ?1, relieved_ucr = ?2, relieved_nusd = ?3 "
        "WHERE key_id = ?4 AND (served_quota_nusd, relieved_ucr, relieved_nusd) <> (?1, ?2, ?3)",
        list(
            zip(
                columns.served_quota_nusd.tolist(),
                columns.relieved_ucr.tolist(),
                columns.paid_nusd.tolist(),
                columns.key_id.tolist(),
                strict=True,
            )
        ),
    )


@compiled
def relief_loop(  # noqa: PLR0917 -- compiled code takes its columns by position
    key_index: I64,
    cost_nusd: I64,
    quota_nusd: I64,
    capacity_ucr: I64,
    rate_num: I64,
    rate_den: I64,
    earn_num: I64,
    earn_den: I64,
    pays_on_relief: I64,
    pay_num: I64,
    pay_den: I64,
    served_quota_nusd: I64,
    relieved_ucr: I64,
    earned_ucr: I64,
    paid_nusd: I64,
    out: I64,
) -> None:
    """Fill ``out`` (6, n) in the order of :class:`Relief`, and advance the last four columns.

    No product here can leave int64: relief stops at the capacity, and earnings and USD are
    parts of totals that were checked when the key was contributed.
    """
    for event in range(len(key_index)):
        key = key_index[event]
        cost = cost_nusd[event]
        if key < 0 or cost > quota_nusd[key] - served_quota_nusd[key]:
            out[0, event] = PLATFORM
            out[1, event] = 0
            out[2, event] = 0
            out[3, event] = 0
            out[4, event] = 0
            out[5, event] = cost
            continue
        served_quota_nusd[key] += cost
        relieved = mul_div(served_quota_nusd[key], rate_num[key], rate_den[key])
        # Beyond int64 (-1) is beyond the capacity too, which is an int64.
        if relieved < 0 or relieved > capacity_ucr[key]:
            relieved = capacity_ucr[key]
        earned = mul_div(relieved, earn_num[key], earn_den[key])
        paid_for = relieved if pays_on_relief[key] != 0 else earned
        paid = mul_div(paid_for, pay_num[key], pay_den[key])
        relief_step = relieved - relieved_ucr[key]
        earned_step = earned - earned_ucr[key]
        out[0, event] = key
        out[1, event] = cost
        out[2, event] = relief_step
        out[3, event] = earned_step
        out[4, event] = 0 if pays_on_relief[key] != 0 else relief_step - earned_step
        out[5, event] = paid - paid_nusd[key]
        relieved_ucr[key] = relieved
        earned_ucr[key] = earned
        paid_nusd[key] = paid


def relieve(key_index: I64, cost_nusd: I64, columns: KeyColumns) -> Relief:
    """Serve ``n`` events, in order, by the keys that the router chose.

    ``key_index`` (n,) are rows of ``columns`` or :data:`PLATFORM`; ``cost_nusd`` (n,) the list
    cost of each. An event that its key's remaining quota cannot pay whole goes to the platform;
    a later, smaller one may still fit. The last four columns are **advanced in place**.
    Raises :class:`BadInput` on a negative cost or an unknown row, before anything is used up.
    """
    n = len(key_index)
    invariant(len(cost_nusd) == n, "the columns of events have one length")
    if n and int(cost_nusd.min()) < 0:
        raise BadInput("may not be negative", field="cost_nusd", value=int(cost_nusd.min()))
    if n and not PLATFORM <= int(key_index.min()) <= int(key_index.max()) < len(columns):
        raise BadInput(
            f"an event's key is not among the {len(columns)} of the pool", field="key_index"
        )
    out = np.empty((len(Relief.__dataclass_fields__), n), dtype=np.int64)
    relief_loop(
        key_index,
        cost_nusd,
        columns.quota_nusd,
        columns.capacity_ucr,
        columns.rate_num,
        columns.rate_den,
        columns.earn_num,
        columns.earn_den,
        columns.pays_on_relief,
        columns.pay_num,
        columns.pay_den,
        columns.served_quota_nusd,
        columns.relieved_ucr,
        columns.earned_ucr,
        columns.paid_nusd,
        out,
    )
    return Relief(*out)


def relief_postings(columns: KeyColumns, relief: Relief) -> Iterator[Leg]:
    """The platform's legs for a relieved batch, by key, as sums over the batch."""
    served = relief.served_by >= 0
    rows = relief.served_by[served]
    sums = np.zeros((len(KeyRelief._fields), len(columns)), dtype=np.int64)
    for total, name in zip(sums, KeyRelief._fields, strict=True):
        np.add.at(total, rows, getattr(relief, name)[served])
    for row in np.unique(rows).tolist():
        yield from service_postings(columns.keys[row], KeyRelief(*sums[:, row].tolist()))


def _column(values: list[int]) -> I64:
    return np.array(values, dtype=np.int64)
