"""Usage x price book x cost book -> charges, exactly. Knows nothing of balances.

A request of 1,000 + 500 tokens on GPT-4 at 5 Cr and $0.03 per 1K is 7.5 Cr, charged as 8
(rounded up to a whole Credit, once, on the sum), and costs $0.045.

=============== =====================================================================
``rate``        columns of events to columns of charges; and one request, by definition
``kernel``      the loop behind it, compiled or as plain Python
``receipt``     how the price of one request came about, in Credits only
=============== =====================================================================
"""
