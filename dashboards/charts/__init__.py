"""Figures as pure functions: data in, figure out, no Streamlit and no store.

Amounts arrive as exact integers with their unit in the name and become floats here,
at the last step, because a pixel is not money.
"""
