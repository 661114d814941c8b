"""Leads that are not ready yet: follow-ups, their replies, and how soon somebody was in touch."""

from fairlead.sales.nurture.first_touch import MAX_DAYS, FirstTouch, Group, first_touch, visible_people
from fairlead.sales.nurture.replies import Reading, ReplyKind, read_reply
from fairlead.sales.nurture.speed import HORIZONS, MIN_GROUP, Speed, Wait, WorkClock, median_wait, speed_of
from fairlead.sales.nurture.steps import STEPS
from fairlead.sales.nurture.touches import (
    KIND_WORDS,
    MAX_NOTE_CHARS,
    TOUCHED,
    Touch,
    TouchKind,
    forget_touches,
    log_touch,
    remove_touch,
    touch_by_id,
    touches_of,
)

__all__ = [
    "HORIZONS",
    "KIND_WORDS",
    "MAX_DAYS",
    "MAX_NOTE_CHARS",
    "MIN_GROUP",
    "STEPS",
    "TOUCHED",
    "FirstTouch",
    "Group",
    "Reading",
    "ReplyKind",
    "Speed",
    "Touch",
    "TouchKind",
    "Wait",
    "WorkClock",
    "first_touch",
    "forget_touches",
    "log_touch",
    "median_wait",
    "read_reply",
    "remove_touch",
    "speed_of",
    "touch_by_id",
    "touches_of",
    "visible_people",
]
