"""What a request costs a customer: the formula, price sheets, and which sheet holds when.

=============== =====================================================================
``formula``     cost x (1 + markup) x demand factor, on the price grid
``sheet``       one immutable, hashed document of price lines
``genesis``     the sheet that a workspace begins with, from a file
``book``        published sheets over time: half-open periods, no gaps, no overlaps
``lint``        what a sheet says that cannot be meant, against the cost book
=============== =====================================================================

GPT-4 costs $0.03 per 1K tokens. The genesis sheet *stores* 5 Cr for it, a markup of
66.67 % at $0.01 a Credit; the formula at 35 % would make 4.05 Cr. A later sheet may say 8
from an instant on; what was used before that instant stays at 5.
"""
