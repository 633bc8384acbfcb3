"""Simulated economies: agents that act on the same meter and ledger as production.

What is asked: "GPT-4's provider goes from $0.03 to $0.05; should the platform pass it on,
take part of it, or absorb it?" What is done: 2,000 buyers (whales among them) live through
30 days under each answer. They have occasions to ask, choose a model or nobody by price,
are rated by :mod:`economy.rating`, pay from lots by :mod:`economy.wallets.spending`, are
refused when short, top up by pack; contributed keys are relieved by :mod:`economy.pool`;
everything is booked by the kernel of :mod:`economy.ledger`. Ten replications give each
number an interval, and each difference a paired one.

    scenario    one TOML file: who, how long, what moves, which answers
    streams     random numbers with an address: common to all answers
    agents/     buyers, provider, operator: one habit a file, with its source
    market      price book and cost book in force, and the shares that follow
    books       accounts and postings;  recording  one row of exact totals a tick
    world       what both engines start from
    cohort      all buyers as columns, one SimPy process, a tick an hour
    reference   one SimPy process a buyer, one request at a time: the judge
    runner      replications, workers, cancel;  results  Parquet parts by run hash
    statistics  t and paired-t intervals;  studies/  questions with their tables

**Two engines, one meaning.** Fed the same occasions in the same order (tick, account,
sequence), with choices made by shared integer thresholds, they give the same requests,
refusals, revenue and account totals in every tick, to the last micro-credit and
nano-dollar. A test holds them to it.

A worked request. Occasion 17 of tick 131 belongs to buyer 42 and carries the choice mark
1,200,000,000: below GPT-4's threshold, so GPT-4 it is, under any answer that leaves the
threshold above the mark. Its token marks give 1,000 + 500 tokens: 8 Cr at the old sheet, 12
at 8 Cr per 1K. The buyer's Pro lot pays; $0.072 of its USD becomes revenue; the platform key
costs $0.045 before the move and $0.075 after it.

What is left out so far, and would matter: habit, churn, nests in the choice, competitors,
contributors who come and go, withdrawals. Each default's source stands in its docstring:
[D] measured, [L] literature, [A] assumption.
"""
