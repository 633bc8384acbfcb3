"""Review: how a price sheet goes from a draft to production.

::

    draft --submit--> in_review --approve--> approved --publish--> published
      ^                   |                     |
      |                   +------ reject -------+----> rejected
      +---- edit (a new revision), from any state but published

A draft is a row per revision, and the events (who did what to which revision) are
append-only, so a state is never stored: it is read from the events of the newest
revision. An edit makes a new revision and thereby resets the review. Whoever wrote any
revision of a draft cannot approve it. *Gates* are checks that register by name; a gate's
``blocked`` finding stops the way from draft to review and from approval to production. A
draft remembers the published sheet that it started from, and cannot undo a later one.

Worked example: ``ben`` (business) saves revision 1, submits it; ``ada`` (admin) approves
and publishes it for 09:00; the price book has a new epoch from 09:00 on.
"""

from economy.review.drafts import Draft, draft, drafts, save_draft
from economy.review.workflow import (
    Gate,
    ReviewEvent,
    approve,
    events,
    publish,
    reject,
    state_of,
    submit,
)

__all__ = [
    "Draft",
    "Gate",
    "ReviewEvent",
    "approve",
    "draft",
    "drafts",
    "events",
    "publish",
    "reject",
    "save_draft",
    "state_of",
    "submit",
]
