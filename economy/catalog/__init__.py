"""Models, their other names, and what providers charge over time. Knows nothing of Credits.

=============== =====================================================================
``costs``       the cost book: dated, exact provider costs; an immutable, hashed value
``genai``       a cost book from the offline ``genai-prices`` snapshot
``files``       a cost book from TOML that a person wrote (``data/costs``)
``rates``       dated rates in columns, the shape that rating reads for costs and prices
``store``       versions of the book, model ids and aliases in the database
=============== =====================================================================

A workspace lays what a person wrote over the snapshot::

    book = from_genai_prices().overlay(load_costs(DATA_DIR / "costs"))
    book.at("gpt-4", time_us).prices_nusd     {"blended": 30_000_000_000}, $0.03 per 1K
"""
