"""Colours that read on white and on near black, each with one meaning."""

from typing import Final

PRICE: Final = "#2a9d8a"
ROUNDING: Final = "#d9902f"
COST: Final = "#7c8a96"
GAIN: Final = "#2a9d8a"
LOSS: Final = "#d1495b"
FORECAST: Final = "#5b8fd6"
TODAY: Final = "#7c8a96"
