"""What a run leaves behind: one row of exact totals a tick.

``TickTotals`` collects one tick; ``Recording`` is the table of all of them, int64 throughout.
Flows (requests, charges, costs) add up over ticks; stocks (``liability_ucr``, what buyers
still hold; ``deferred_nusd``, the USD behind it) are as the tick leaves them.

========================  ==============================================================
``occasions``             candidates of the maximal rate
``requests``              those who asked a model (the rest took the outside option)
``served, refused``       by balance; they add up to ``requests``
``tokens``                of served requests
``charge_ucr``            Credits taken, of which ``rounding_ucr`` is rounding
``revenue_basis_nusd``    USD released from lots (their basis) by what was spent
``list_cost_nusd``        providers' list cost of what was served
``paid_cost_nusd``        the same with contributed keys at what is paid to their owners
``top_ups, _ucr, _nusd``  packs bought: number, Credits, dollars
``<flow>:<model>``        served, charge_ucr and list_cost_nusd by model
========================  ==============================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from economy.units import UCR_PER_CREDIT, div_floor

I64 = NDArray[np.int64]

FLOWS = (
    "occasions",
    "requests",
    "served",
    "refused",
    "tokens",
    "charge_ucr",
    "rounding_ucr",
    "revenue_basis_nusd",
    "list_cost_nusd",
    "paid_cost_nusd",
    "top_ups",
    "top_up_ucr",
    "top_up_nusd",
)
STOCKS = ("liability_ucr", "deferred_nusd")
MODEL_FLOWS = ("served", "charge_ucr", "list_cost_nusd")


@dataclass(slots=True)
class TickTotals:
    """One tick's totals, exact integers. Model lists are in the order of the scenario."""

    models: int
    providers: int
    keys: int
    occasions: int = 0
    requests: int = 0
    served: int = 0
    refused: int = 0
    tokens: int = 0
    charge_ucr: int = 0
    rounding_ucr: int = 0
    usage_nusd: int = 0
    rounding_nusd: int = 0
    list_cost_nusd: int = 0
    paid_cost_nusd: int = 0
    top_ups: int = 0
    top_up_ucr: int = 0
    top_up_nusd: int = 0
    served_by_model: list[int] = field(init=False)
    charge_by_model: list[int] = field(init=False)
    list_cost_by_model: list[int] = field(init=False)
    platform_cost_by_provider: list[int] = field(init=False)
    relief_by_key: list[list[int]] = field(init=False)
    """A key's quota_nusd, relief_ucr, earned_ucr, fee_ucr and paid_nusd in this tick."""

    def __post_init__(self) -> None:
        self.served_by_model = [0] * self.models
        self.charge_by_model = [0] * self.models
        self.list_cost_by_model = [0] * self.models
        self.platform_cost_by_provider = [0] * self.providers
        self.relief_by_key = [[0] * 5 for _ in range(self.keys)]

    @property
    def revenue_basis_nusd(self) -> int:
        return self.usage_nusd + self.rounding_nusd


class Recording:
    """The table of a run: ``values`` int64 (ticks, columns), ``columns`` their names."""

    def __init__(self, models: tuple[str, ...], ticks: int) -> None:
        by_model = tuple(f"{flow}:{model}" for flow in MODEL_FLOWS for model in models)
        self.flows = FLOWS + by_model
        self.columns = self.flows + STOCKS
        self.values: I64 = np.zeros((ticks, len(self.columns)), dtype=np.int64)

    def write(self, tick: int, totals: TickTotals, liability_ucr: int, deferred_nusd: int) -> None:
        self.values[tick] = (
            *(getattr(totals, name) for name in FLOWS),
            *totals.served_by_model,
            *totals.charge_by_model,
            *totals.list_cost_by_model,
            liability_ucr,
            deferred_nusd,
        )

    def column(self, name: str) -> I64:
        return self.values[:, self.columns.index(name)]

    def by_day(self, ticks_per_day: int) -> I64:
        """Flows summed and stocks at the end of each day; int64 (days, columns)."""
        by_tick = self.values.reshape(-1, ticks_per_day, len(self.columns))
        days: I64 = by_tick.sum(axis=1)
        days[:, len(self.flows) :] = by_tick[:, -1, len(self.flows) :]
        return days


def nominal_nusd(charge_ucr: int, credit_value_nusd: int) -> int:
    """Credits at the reference value, rounded down to a nano-dollar, once on the sum."""
    return div_floor(charge_ucr * credit_value_nusd, UCR_PER_CREDIT)
