"""The human side of a checkpoint: pieces of work, who holds them, what they say, and their queue."""

from fairlead.reviews.counting import Count, counts, tallies
from fairlead.reviews.deciding import CheckAnswer, Decided, decide, undo
from fairlead.reviews.drafting import draft_review, wants_review
from fairlead.reviews.gate import RETRY_AFTER_S, Gate
from fairlead.reviews.gate_model import GateRequest, GateTerms, PolicySource, Standing
from fairlead.reviews.model import (
    Given,
    Kind,
    Labelling,
    Log,
    Mode,
    Review,
    ReviewDraft,
    Reviewer,
    Settlement,
    State,
    Verb,
)
from fairlead.reviews.queues import Page, page, search, search_customers
from fairlead.reviews.service import (
    Claim,
    claim,
    claim_next,
    get,
    heartbeat,
    open_many,
    rebind,
    release,
    resume,
    snooze,
    unsnooze,
    withdraw_for_case,
    withdraw_for_ruling,
)
from fairlead.reviews.store import (
    find_many,
    log_of,
    of_case,
    of_rulings,
    open_of_cases,
    opened_since,
    overdue_unseen,
    siblings,
    who_know_case,
)
from fairlead.reviews.streams import QueueFilter, View
from fairlead.reviews.sweeping import next_due
from fairlead.reviews.telling import tell_askers
from fairlead.reviews.timers import Expired, expire_due, release_lapsed, sweep, wake_snoozed
from fairlead.reviews.transitions import Refusal, next_state

__all__ = [
    "RETRY_AFTER_S", "CheckAnswer", "Claim", "Count", "Decided", "Expired", "Gate", "GateRequest", "GateTerms",
    "Given", "Kind", "Labelling", "Log", "Mode", "Page", "PolicySource", "QueueFilter", "Refusal", "Review",
    "ReviewDraft", "Reviewer", "Settlement", "Standing", "State", "Verb", "View", "claim", "claim_next",
    "counts", "decide", "draft_review", "expire_due", "find_many", "get", "heartbeat", "log_of", "next_due",
    "next_state", "of_case", "of_rulings", "open_many", "open_of_cases", "opened_since", "overdue_unseen", "page",
    "rebind", "release", "release_lapsed", "resume", "search", "search_customers", "siblings", "snooze", "sweep",
    "tallies", "tell_askers", "undo", "unsnooze", "wake_snoozed", "wants_review", "who_know_case", "withdraw_for_case",
    "withdraw_for_ruling",
]  # fmt: skip
