"""The first page that anybody sees: Home."""

from __future__ import annotations

from tests.bench.dashboard.pages import measured
from tests.bench.measuring import Measurement

NAME = "dashboard.first_page_s"


def measure(quick: bool) -> Measurement:
    return measured(NAME, "/", quick)
