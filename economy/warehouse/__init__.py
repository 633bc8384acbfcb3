"""The warehouse: the ledger's past, copied out for reading at any size.

The ledger answers "what holds now" in short transactions. Questions over months belong to
a copy that nobody writes to::

    economy.sqlite                      warehouse/
      journal   ----- publish ----->      journal/day=2026-01-31/b1-12.parquet
      charges   ----- publish ----->      charges/day=2026-01-31/b1-9.parquet
                                          manifest.json      which parts count
      customers, lots, sheets ... --->    warehouse.duckdb   dimensions + views over the parts

* :func:`publish` copies what is new, exactly once, and may be interrupted anywhere.
* :func:`query` takes one SELECT; :func:`open_snapshot` gives a locked-down connection.
* :func:`compare` says where copy and ledger differ: nowhere.
* :mod:`economy.warehouse.layers` reads the two layers, Credits and the USD beneath.

The views are documented in ``marts.sql``. Example, the worked request of the rules on a
platform key (1,000 + 500 tokens of GPT-4)::

    SELECT charge_ucr, revenue_reference_nusd, list_cost_nusd FROM layer_usd
    -- 8_000_000, 80_000_000, 45_000_000: 8 Cr, $0.08 against $0.045, margin 43.75 %
"""

from economy.warehouse.agreement import Difference, compare, lag
from economy.warehouse.publish import PublishReport, publish
from economy.warehouse.reading import Answer, open_snapshot, query

__all__ = [
    "Answer",
    "Difference",
    "PublishReport",
    "compare",
    "lag",
    "open_snapshot",
    "publish",
    "query",
]
