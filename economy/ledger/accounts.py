"""The chart of accounts: every name that the books use, its unit and its limits.

A name says what the account is and ends with its unit: ``.cr`` micro-credits, ``.usd``
nano-dollars, ``.quota`` nano-dollars of a provider's quota (never the platform's cash).

==========================================  =============================================
name                                        what stands on it
==========================================  =============================================
``lot:7:purchased:9/1:never.cr``            what is left of customer 7's Pro credits
``clearing:usage.cr``                       credits on their way from lots to revenue
``revenue:usage.cr``, ``.usd``              usage sold, before rounding
``revenue:rounding.cr``, ``.usd``           what rounding up each request added
``issuance:sale.cr`` and its siblings       credits issued, by origin
``cash:clearing.usd``                       money taken for packs
``deferred_revenue.usd``                    dollars of credits sold and not yet spent
``payable:contributors.usd``                owed to those who contributed keys
``payable:providers.usd``                   owed for calls on the platform's own keys
``pool:key7.cr``, ``pool:key7.quota``       what a contributed key can still serve
``escrow:12.quota``                         quota that owner 12 has brought and not used
``capacity:key7.usd``                       a contributed key as an asset, at its payout
``capacity_used.cr``                        capacity of keys that has been served
``expense:provider:openai.usd``             cost of calls on the platform's own keys
``expense:capacity.usd``                    cost of calls on contributed keys
``fee:contribution.cr``                     the platform's share of contributed capacity
==========================================  =============================================

A lot cannot be overdrawn: its debits must not exceed its credits. A pool account is the
mirror image (capacity is booked as a debit), so its credits must not exceed its debits.
"""

from __future__ import annotations

from fractions import Fraction

from economy.errors import BadInput
from economy.ledger.batch import UNIT_SUFFIX, AccountFlag, UnitCode
from economy.units import END_OF_TIME_US

CLEARING_USAGE = "clearing:usage.cr"
REVENUE_USAGE_CR = "revenue:usage.cr"
REVENUE_USAGE_USD = "revenue:usage.usd"
REVENUE_ROUNDING_CR = "revenue:rounding.cr"
REVENUE_ROUNDING_USD = "revenue:rounding.usd"
ISSUANCE_SALE = "issuance:sale.cr"
ISSUANCE_REFERRAL = "issuance:referral.cr"
ISSUANCE_PROMOTION = "issuance:promotion.cr"
CASH_CLEARING = "cash:clearing.usd"
DEFERRED_REVENUE = "deferred_revenue.usd"
PAYABLE_CONTRIBUTORS = "payable:contributors.usd"
PAYABLE_PROVIDERS = "payable:providers.usd"
CAPACITY_USED = "capacity_used.cr"
EXPENSE_CAPACITY = "expense:capacity.usd"
FEE_CONTRIBUTION = "fee:contribution.cr"


def expense_provider(provider: str) -> str:
    """What calls on the platform's own keys with ``provider`` have cost."""
    return f"expense:provider:{_part(provider, 'provider')}.usd"


def pool_cr(key: str) -> str:
    """Credits that a contributed key can still serve."""
    return f"pool:{_part(key, 'key')}.cr"


def pool_quota(key: str) -> str:
    """Quota that is left on a contributed key."""
    return f"pool:{_part(key, 'key')}.quota"


def escrow_quota(owner_id: int) -> str:
    """The other side of an owner's keys: quota brought and not yet used."""
    return f"escrow:{owner_id}.quota"


def capacity_usd(key: str) -> str:
    """A contributed key as an asset, at what is paid out for it."""
    return f"capacity:{_part(key, 'key')}.usd"


def lot_name(customer_id: int, origin: str, basis: Fraction, expires_us: int) -> str:
    """The lot of a customer with this origin, basis (nusd per ucr) and expiry.

    Lots that are equal in all four are one account, so the name is made of exactly these.
    """
    expiry = "never" if expires_us >= END_OF_TIME_US else str(expires_us)
    owner = f"{customer_id}:{_part(origin, 'origin')}"
    return f"lot:{owner}:{basis.numerator}/{basis.denominator}:{expiry}.cr"


def unit_of(name: str) -> UnitCode:
    """The unit that ``name`` ends with; a name without one is refused."""
    for unit, suffix in UNIT_SUFFIX.items():
        if name.endswith(suffix) and len(name) > len(suffix):
            return unit
    raise BadInput(
        "an account's name ends with its unit",
        field="account",
        value=name,
        way_out="End it with .cr, .usd or .quota",
    )


def flags_of(name: str) -> AccountFlag:
    """The limits that the chart gives to ``name``."""
    if name.startswith("lot:"):
        return AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    if name.startswith("pool:"):
        return AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
    return AccountFlag.NONE


def _part(text: str, field: str) -> str:
    """One part of a name: the colon parts names, so it cannot stand inside one."""
    if not text or ":" in text or text != text.strip():
        raise BadInput("cannot be part of an account's name", field=field, value=text)
    return text
