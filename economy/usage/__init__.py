"""Usage: what was consumed, by whom and when, read from the logs of others.

A log becomes *usage batches* (:mod:`economy.usage.batch`): columns of events that know
nothing of money. A *column map* (:mod:`economy.usage.maps`) says which column of a file
is which field; a reader (:mod:`economy.usage.readers`) turns rows into events and lists
the rows it could not use; :mod:`economy.usage.keys` gives each event the identity by
which a repeat is found.

Worked example. A row of a log whose input count includes cached tokens::

    event_id,time,customer,model,input_tokens,output_tokens,cached_input_tokens
    r-1,2026-01-31T09:30:00Z,acme,gpt-4,1000,500,400

becomes one event of *disjoint* quantities: 600 input, 400 cached input, 500 output.
The next row with ``12.5`` output tokens becomes a row error (row 2, field
``output_tokens``), and the row after it is read as if nothing had happened.
"""
