"""Small tables of exact amounts: text as it was formatted, numbers to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st


def draw(columns: Mapping[str, Sequence[str]], *, texts: int, alt: str) -> None:
    """A grid whose first ``texts`` columns are words and whose others are amounts."""
    amounts = list(columns)[texts:]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={name: st.column_config.TextColumn(alignment="right") for name in amounts},
        alt=alt,
    )
