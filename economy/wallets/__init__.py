"""Wallets: what customers own, how they come by it, and which of it pays first.

A wallet is a customer's lots (:mod:`~economy.wallets.lots`). A pack fills a lot
(:mod:`~economy.wallets.top_ups`); requests empty lots in spend order and release the USD
behind them (:mod:`~economy.wallets.spending`, two column functions that simulations
share). Example, a customer with a Pro pack (10,000 Cr for $90) who makes one request of
8 Cr, of which 0.5 Cr is rounding::

    top-up    deferred revenue $90          lot 10,000 Cr, basis $0.009
    request   revenue $0.0675 + $0.0045     lot  9,992 Cr, deferred revenue $89.928

Nothing here knows a provider or a price sheet.
"""
