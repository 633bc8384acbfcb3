"""Law: publishing in pieces, in whatever rhythm, comes to what publishing at once does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from economy.warehouse import compare, publish, query
from tests.unit.warehouse.books import DAY_US, NOON_US, Books, Spent

BATCHES = st.lists(
    st.tuples(st.lists(st.integers(-1, 2), min_size=1, max_size=4), st.booleans()),
    min_size=1,
    max_size=5,
)


@settings(max_examples=8, deadline=None)
@given(batches=BATCHES)
def test_pieces_make_the_whole(batches: list[tuple[list[int], bool]]) -> None:
    rows = "SELECT * FROM charges_parts ORDER BY charge_id"
    with tempfile.TemporaryDirectory() as home:
        books = Books(Path(home))
        pieces, whole = Path(home) / "pieces", Path(home) / "whole"
        for days, publish_now in batches:
            books.charge([Spent(effective_us=NOON_US + day * DAY_US) for day in days])
            if publish_now:
                publish(books.database, pieces)
        publish(books.database, pieces)
        publish(books.database, whole)
        assert query(pieces, rows).rows == query(whole, rows).rows
        assert compare(books.database, pieces) == compare(books.database, whole) == []
