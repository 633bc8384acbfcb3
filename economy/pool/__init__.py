"""The pool: keys that customers contribute, what they are worth, what they have served.

A key brings a quota, a provider's dollars. It is valued once, on one model
(:mod:`~economy.pool.valuation`); its owner gets a share in Credits, at once or as it serves
(:mod:`~economy.pool.contribution`); serving uses it up (:mod:`~economy.pool.relief`). $500
valued on GPT-4, under ``upfront`` and a fee of 10 %, and one request of list cost $0.045::

                     quota       capacity       what it costs the platform
    contributed    $500.000     83,330 Cr       $674.973 payable for 74,997 Cr
    the request      $0.045       7.5 Cr         $0.06075
    left           $499.955  83,322.5 Cr       $674.91225

Quota dollars are a unit of their own and never the platform's cash.
"""
