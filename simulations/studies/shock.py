"""The shock study: a provider moves its price; which answer pays, and at what cost in demand?

Every answer is lived through in the same replications (same buyers, same occasions, same
marks), so an answer's difference to the baseline is taken replication by replication, and
its interval is narrow enough to say something. A difference whose interval holds zero is
marked: its sign is not known.

What is measured, over the whole horizon

======================  =================================================================
``profit_nusd``         nominal: charges at the Credit's reference value less list cost
``profit_basis_nusd``   charges at what was paid for the Credits (packs' bonuses counted)
                        less what serving is really paid with
``served``              demand served, requests
``refused``             requests that a balance could not pay
``charge_ucr``          Credits charged
======================  =================================================================

Before the move all answers are one world; the days before it dilute no difference, they
cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulations.recording import nominal_nusd
from simulations.results import Outcome
from simulations.scenario import Scenario
from simulations.statistics import Interval, paired_interval, t_interval

MEASURES = ("profit_nusd", "profit_basis_nusd", "served", "refused", "charge_ucr")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of one answer: its level, and its paired difference to the baseline.

    ``values`` are the exact totals, one a replication. The baseline has no difference.
    """

    measure: str
    values: tuple[int, ...]
    level: Interval
    difference: Interval | None

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.level.as_dict(),
            "values": list(self.values),
            "difference": None if self.difference is None else self.difference.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer: the prices it sets, and what came of it."""

    answer: str
    prices_ucr: dict[str, dict[str, int]]
    measures: dict[str, Measured]


@dataclass(frozen=True, slots=True)
class ShockTable:
    """The study's result; rows in the order of the scenario."""

    scenario: str
    question: str
    run_id: str
    replications: int
    baseline: str
    rows: tuple[AnswerRow, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "question": self.question,
            "run_id": self.run_id,
            "replications": self.replications,
            "baseline": self.baseline,
            "answers": [
                {
                    "answer": row.answer,
                    "prices_ucr_per_mtok": row.prices_ucr,
                    **{name: measured.as_dict() for name, measured in row.measures.items()},
                }
                for row in self.rows
            ],
        }


def shock_table(scenario: Scenario, outcome: Outcome) -> ShockTable:
    """The table of a finished run of ``scenario``."""
    value_nusd = scenario.policy().credit.reference_value_nusd
    exact = {
        answer.name: measured_totals(outcome, answer.name, value_nusd)
        for answer in scenario.answers
    }
    baseline = exact[scenario.baseline]
    rows = []
    for answer in scenario.answers:
        totals = exact[answer.name]
        rows.append(
            AnswerRow(
                answer.name,
                dict(answer.prices_ucr),
                {
                    name: Measured(
                        name,
                        tuple(totals[name]),
                        t_interval(totals[name]),
                        None
                        if answer.name == scenario.baseline
                        else paired_interval(totals[name], baseline[name]),
                    )
                    for name in MEASURES
                },
            )
        )
    return ShockTable(
        scenario.name,
        scenario.question,
        outcome.run_id,
        outcome.days.shape[1],
        scenario.baseline,
        tuple(rows),
    )


def measured_totals(outcome: Outcome, answer: str, credit_value_nusd: int) -> dict[str, list[int]]:
    """Exact totals of each measure of an answer, one a replication."""
    charge = outcome.totals(answer, "charge_ucr")
    nominal = [nominal_nusd(charge_ucr, credit_value_nusd) for charge_ucr in charge]
    return {
        "profit_nusd": _less(nominal, outcome.totals(answer, "list_cost_nusd")),
        "profit_basis_nusd": _less(
            outcome.totals(answer, "revenue_basis_nusd"), outcome.totals(answer, "paid_cost_nusd")
        ),
        "served": outcome.totals(answer, "served"),
        "refused": outcome.totals(answer, "refused"),
        "charge_ucr": charge,
    }


def _less(revenue: list[int], cost: list[int]) -> list[int]:
    return [earned - spent for earned, spent in zip(revenue, cost, strict=True)]
