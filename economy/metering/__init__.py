"""Metering: usage becomes charges, once, in one commit with the money it moves.

Two ways in, one book:

* **Past usage** (:mod:`economy.metering.charging`): a batch of events is deduplicated,
  rated under the sheet in force when each happened, and charged to its customers' lots,
  all or nothing per event. What a balance cannot pay is refused and recorded as refused.
* **Live requests** (:mod:`economy.metering.holds`): *authorise* holds the largest possible
  price, *settle* charges what was used under the sheet pinned by the hold, *release* gives
  the rest back.

Both end in :func:`economy.metering.booking.book`: it releases the lots' USD basis, relieves
the keys that served, posts the platform's own legs once per batch as sums, and writes the
charges table in which the sums can be taken apart again.

Worked example (rules, section 3): 1,000 + 500 tokens on GPT-4 at 5 Cr per 1K are 7.5 Cr,
rounded up to 8. One transfer of 8 Cr leaves the customer's lot for ``clearing:usage``; the
batch's legs carry 7.5 on to ``revenue:usage`` and 0.5 to ``revenue:rounding``. Served by a
contributed GPT-4 key, its quota falls by $0.045, its booked capacity by 7.5 Cr, and
``expense:capacity`` takes the $0.06075 that the contributor was paid for it.
"""
