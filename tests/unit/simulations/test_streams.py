"""Streams: a number's address decides it, and nothing else."""

import numpy as np
import pytest

from economy.errors import BadInput
from simulations.streams import Purpose, checked_seed, stream


def test_an_address_always_gives_the_same_numbers():
    first = stream(7, 3, Purpose.CHOICE, 12).integers(0, 2**32, 100)
    stream(7, 3, Purpose.TOKENS, 12).integers(0, 2**32, 1_000)
    again = stream(7, 3, Purpose.CHOICE, 12).integers(0, 2**32, 100)
    assert (first == again).all()


@pytest.mark.parametrize(
    "other", [(8, 3, Purpose.CHOICE, 12), (7, 4, Purpose.CHOICE, 12), (7, 3, Purpose.TOKENS, 12),
              (7, 3, Purpose.CHOICE, 13)],
)  # fmt: skip
def test_any_other_address_gives_others(other):
    here = stream(7, 3, Purpose.CHOICE, 12).random(10_000)
    there = stream(*other).random(10_000)
    assert abs(np.corrcoef(here, there)[0, 1]) < 0.05
    assert not (here == there).any()


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "7", True, None])
def test_a_seed_that_is_none_is_told(seed):
    with pytest.raises(BadInput, match="seed"):
        checked_seed(seed)


def test_purposes_keep_their_numbers():
    """Renumbering would silently change every stored result's meaning."""
    assert {p.name: int(p) for p in Purpose} == {
        "POPULATION": 1,
        "ARRIVALS": 2,
        "CHOICE": 3,
        "TOKENS": 4,
        "TOP_UP": 5,
    }
