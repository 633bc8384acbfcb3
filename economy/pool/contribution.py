"""Contributing a key: its quota is valued, booked, and shared with its owner.

Both schemes book the quota; they differ in when the contributor is paid (rules, section 9)::

    both     QUOTA  Dr pool:key.quota    Cr escrow:owner              500
    upfront  CR     Dr pool:key.cr       Cr lot(earned)            74,997
             CR     Dr pool:key.cr       Cr fee:contribution        8,333
             USD    Dr capacity:key      Cr payable:contributors  674.973

Under ``on_use`` Credits and USD follow with what the key serves
(:mod:`economy.pool.relief`). The terms of a contribution (rate, fee, cap, redemption) are
fixed here and kept with the key: a later policy does not change them.
"""

from __future__ import annotations

from fractions import Fraction

from economy.catalog.costs import CostEntry
from economy.errors import BadInput, Conflict
from economy.identity.customers import customer_by_id
from economy.ledger import Code, Ledger, transfer_id
from economy.policy import Policy
from economy.pool.keys import PoolKey, key, key_of_request, keys
from economy.pool.postings import contribution_postings
from economy.pool.valuation import Valuation, limit_share, unit_price, value_quota
from economy.pricing.sheet import PriceLine
from economy.state.database import Unit
from economy.units import UCR_PER_CREDIT
from economy.wallets.booking import book_linked, checked_request_key
from economy.wallets.lots import open_lot

__all__ = ["PoolKey", "contribute", "key", "keys", "redemption_basis", "value_contribution"]


def redemption_basis(policy: Policy) -> Fraction:
    """USD behind an earned Credit, in nusd per ucr: $0.009 a Credit is 9."""
    return Fraction(policy.redemption.rate_nusd, UCR_PER_CREDIT)


def value_contribution(
    policy: Policy, quota_nusd: int, line: PriceLine, cost: CostEntry
) -> Valuation:
    """What this quota is worth under the policy, valued on the line's model. Moves nothing."""
    unit = unit_price(line, cost)
    valuation = value_quota(quota_nusd, unit.cost_nusd, unit.price_ucr, policy.contribution.fee)
    return limit_share(
        valuation, redemption_basis(policy), policy.contribution.payout_cap_usd_per_quota_usd
    )


def contribute(
    unit: Unit,
    ledger: Ledger,
    policy: Policy,
    *,
    owner_id: int,
    provider: str,
    valued_on: str,
    quota_nusd: int,
    line: PriceLine,
    cost: CostEntry,
    request_key: str,
    effective_us: int,
) -> PoolKey:
    """Take a key of ``owner_id`` into the pool, once per ``request_key``.

    ``line`` and ``cost`` are the price and cost of the model ``valued_on`` in force at
    ``effective_us``. The same key for the same owner, provider, model and quota returns the
    key as it stands now; with other content it is a :class:`Conflict`. A quota or model that
    cannot be valued is :class:`BadInput`, an unknown owner :class:`NotFound`; nothing moves.
    """
    request_key = checked_request_key(request_key)
    before = key_of_request(unit.connection, request_key)
    if before is not None:
        content = (before.owner_id, before.provider, before.valued_on, before.quota_nusd)
        if content != (owner_id, provider, valued_on, quota_nusd):
            raise Conflict(
                f"this request has already contributed {before.name}",
                field="request_key",
                value=request_key,
                way_out="Use a new request key for another contribution",
            )
        return before
    customer_by_id(unit.connection, owner_id)
    if not line.model == cost.model == valued_on or cost.provider != provider:
        raise BadInput(
            f"a key of {provider} is not valued on {cost.model} of {cost.provider}, "
            f"priced as {line.model}",
            field="model",
            value=valued_on,
            way_out="Name a model of the key's own provider",
        )
    valuation = value_contribution(policy, quota_nusd, line, cost)
    basis = redemption_basis(policy)
    key_id = int(
        unit.connection.execute("SELECT coalesce(max(key_id), 0) + 1 FROM pool_keys").fetchone()[0]
    )
    contributed = PoolKey(
        key_id=key_id,
        name=f"key{key_id}",
        owner_id=owner_id,
        provider=provider,
        valued_on=valued_on,
        scheme=policy.contribution.scheme,
        quota_nusd=quota_nusd,
        capacity_ucr=valuation.capacity_ucr,
        fee_ucr=valuation.fee_ucr,
        share_ucr=valuation.share_ucr,
        capacity_nusd=int(valuation.share_ucr * basis),
        rate=valuation.rate,
        contributed_us=effective_us,
    )
    if contributed.share_ucr:
        open_lot(unit, ledger, owner_id, "earned", contributed.share_basis)
    book_linked(
        ledger,
        contribution_postings(contributed),
        ids=lambda leg: transfer_id(effective_us, "contribution", request_key, leg=leg),
        code=Code.CONTRIBUTION,
        reference=key_id,
        effective_us=effective_us,
    )
    _insert(unit, contributed, request_key)
    return contributed


def _insert(unit: Unit, contributed: PoolKey, request_key: str) -> None:
    unit.connection.execute(
        "INSERT INTO pool_keys (key_id, name, request_key, owner_id, provider, valued_on, scheme, "
        "quota_nusd, capacity_ucr, fee_ucr, share_ucr, capacity_nusd, rate_num, rate_den, "
        "contributed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            contributed.key_id,
            contributed.name,
            request_key,
            contributed.owner_id,
            contributed.provider,
            contributed.valued_on,
            contributed.scheme,
            contributed.quota_nusd,
            contributed.capacity_ucr,
            contributed.fee_ucr,
            contributed.share_ucr,
            contributed.capacity_nusd,
            contributed.rate.numerator,
            contributed.rate.denominator,
            contributed.contributed_us,
        ),
    )
