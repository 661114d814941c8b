"""Routing: which person of a team gets a lead, by owner, skills, presence, capacity and fair turns; explained."""

from fairlead.sales.routing.changes import Change, parse_change
from fairlead.sales.routing.deviating import assigned_by_hand
from fairlead.sales.routing.explaining import passed_sentences, sentences, why_words
from fairlead.sales.routing.handing import hand_over, mark_worked
from fairlead.sales.routing.model import Given, Handed, Why
from fairlead.sales.routing.reading import (
    WINDOW,
    Holder,
    Load,
    Seat,
    TeamView,
    assignment_of,
    holders_of,
    misroutes,
    team_views,
    unassigned,
)
from fairlead.sales.routing.replay import dry_run
from fairlead.sales.routing.service import assign_many
from fairlead.sales.routing.step import ASSIGN_OWNER, STEPS

__all__ = [
    "ASSIGN_OWNER",
    "STEPS",
    "WINDOW",
    "Change",
    "Given",
    "Handed",
    "Holder",
    "Load",
    "Seat",
    "TeamView",
    "Why",
    "assign_many",
    "assigned_by_hand",
    "assignment_of",
    "dry_run",
    "hand_over",
    "holders_of",
    "mark_worked",
    "misroutes",
    "parse_change",
    "passed_sentences",
    "sentences",
    "team_views",
    "unassigned",
    "why_words",
]
