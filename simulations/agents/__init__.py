"""Who acts in the simulated economy, one kind of agent (or one of its habits) a file.

===============  ======================================================================
population       who the buyers are: sizes (whales), own token scales, needs, budgets
arrivals         when they have an occasion to ask: bursty Poisson with a daily profile
tokens           how much a request consumes: quantile tables with exact bin means
choice           whom they ask: a logit over models and an outside option
top_ups          when they buy Credits, and which pack
provider         moves its prices by a written schedule
operator         answers a move after a review lag, by publishing a new price sheet
===============  ======================================================================

Every random draw is made here, ahead of any decision, and becomes a *mark* of the
occasion: an integer that is compared with integer thresholds. Both engines read the same
marks, so they must reach the same decisions.
"""
