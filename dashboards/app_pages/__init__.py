"""The pages: direct scripts that Streamlit runs. ``app.py`` says who may open which.

The folder must not be called ``pages``: Streamlit would then serve each script by itself,
without ``app.py``, to whoever opens its path before the first visit of a fresh server.
"""
