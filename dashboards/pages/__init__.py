"""The pages: direct scripts that Streamlit runs. ``app.py`` says who may open which."""
