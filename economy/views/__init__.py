"""Views: what each side may see, as values that hold nothing more.

Hiding a column in the browser is not hiding it, so the customer's side
(:mod:`economy.views.customer`) is built of types that have no field for what the
platform pays or earns. The worked request of the rules, seen from both sides::

    customer   1,500 tokens x 5 Cr per 1K = 7.5, rounded up: 8 Credits
    staff      8 Cr = $0.08 at reference value, cost $0.045, markup 77.78 %, margin 43.75 %

Staff read the two layers, sheets and their differences (:mod:`economy.views.staff`) and
ask what other prices would bring (:mod:`economy.views.whatif`).
"""
