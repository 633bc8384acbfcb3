"""Fixtures and Hypothesis profiles that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import SHARED_DATA

# ``ci`` draws the same examples on every run: a red test stays red until it is mended.
# ``soak`` draws new ones each time and many more of them (make soak prints the seed).
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=50)
settings.register_profile(
    "soak",
    deadline=None,
    max_examples=300,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real traces. It is optional everywhere, so without it: skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real traces (../shared/data beside the checkout) are not here")
    return SHARED_DATA
