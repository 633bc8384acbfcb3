"""The Lab, in a browser that has to load the chart library for it."""

from __future__ import annotations

from tests.bench.dashboard.pages import measured
from tests.bench.measuring import Measurement

NAME = "dashboard.lab_page_s"


def measure(quick: bool) -> Measurement:
    return measured(NAME, "/lab", quick)
