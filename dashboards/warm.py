"""Runs Streamlit with the heavy libraries already imported.

Streamlit imports a page's libraries when the first browser asks for it, and that browser
would wait two seconds for pandas, numba and the charts. Here they are in memory before
the server answers for the first time. ``python -m dashboards.warm run app.py ...`` takes
Streamlit's own arguments.
"""

from __future__ import annotations

import sys

import altair  # noqa: F401
import pandas  # noqa: F401
import plotly.graph_objects  # noqa: F401
from streamlit.web.cli import main

import dashboards.lab
import dashboards.session
import dashboards.stored  # noqa: F401

if __name__ == "__main__":
    main(sys.argv[1:], prog_name="streamlit")
