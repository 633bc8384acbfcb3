"""The workbench in the browser: what staff tune and approve, what a customer sees.

A page is a direct script: read state, call the economy or a view, draw. Nothing is
computed here that the command line could not ask for as well. One request to read the
house by:

    browser -> app.py (who is it, which pages) -> app_pages/lab.py (sliders)
            -> economy.views.staff.what_if (numbers) -> charts/waterfall.py (figure)

Three rules hold everywhere.

* Customers see Credits. Their pages draw models of ``economy.views.customer``, which
  have no cost, markup or USD field; leaving a column out of a grid is not hiding it.
* A page is a convenience, not a guard: the functions of the economy check the actor's
  role, whatever the page offered.
* What must survive a reload stands in the address or in the store, never only in the
  session.
"""
