"""Leads that are not ready yet: follow-ups, their replies, and how soon somebody was in touch."""

from fairlead.sales.nurture.first_touch import MAX_DAYS, FirstTouch, Group, first_touch, visible_people
from fairlead.sales.nurture.replies import Reading, ReplyKind, read_reply
from fairlead.sales.nurture.speed import HORIZONS, MIN_GROUP, Speed, median_wait, speed_of
from fairlead.sales.nurture.steps import STEPS
from fairlead.sales.nurture.touch_model import KIND_WORDS, Touch, TouchKind
from fairlead.sales.nurture.touch_news import TOUCHED
from fairlead.sales.nurture.touch_store import forget_touches, touch_by_id, touches_of
from fairlead.sales.nurture.touches import MAX_NOTE_CHARS, log_touch, remove_touch
from fairlead.sales.nurture.waits import Wait, WorkClock

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
