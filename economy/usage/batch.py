"""A usage batch: what was consumed, by whom, when. Knows nothing of money."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from economy.errors import RowError


class EventStatus(IntEnum):
    """Whether the request succeeded; whether failed ones are charged is policy."""

    OK = 0
    FAILED = 1


@dataclass(frozen=True, slots=True)
class UsageBatch:
    """``n`` usage events as columns, in the order of the file.

    ``source`` names where the log came from; (source, event id) is an event's identity.
    ``customer`` and ``model`` are int32 codes into ``customers`` and ``models`` (names as
    the source wrote them). ``quantities`` is int64 ``(n, N_QUANTITIES)``, disjoint (see
    :mod:`economy.quantities`). ``row`` is the data row in the file, from 1.
    """

    source: str
    event_id: list[str]
    effective_us: NDArray[np.int64]
    customer: NDArray[np.int32]
    customers: list[str]
    model: NDArray[np.int32]
    models: list[str]
    quantities: NDArray[np.int64]
    status: NDArray[np.int8]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.event_id)

    def take(self, index: NDArray[np.int64]) -> UsageBatch:
        """The events at ``index`` (positions), in that order."""
        return UsageBatch(
            self.source,
            [self.event_id[i] for i in index.tolist()],
            self.effective_us[index],
            self.customer[index],
            self.customers,
            self.model[index],
            self.models,
            self.quantities[index],
            self.status[index],
            self.row[index],
        )


MAX_ERRORS_KEPT: Final = 10_000
"""A file that is wrong throughout is told by its first errors and their number."""


@dataclass(slots=True)
class ReadReport:
    """What a reader saw: rows read, and those that it could not use.

    ``rejected`` counts refused rows; ``errors`` has the first fault of each, up to
    :data:`MAX_ERRORS_KEPT` rows. So ``read - rejected`` events were delivered.
    """

    read: int = 0
    rejected: int = 0
    errors: list[RowError] = field(default_factory=list)

    def reject(self, errors: list[RowError]) -> None:
        """Note refused rows, one error each."""
        self.rejected += len(errors)
        self.errors.extend(errors[: max(0, MAX_ERRORS_KEPT - len(self.errors))])
