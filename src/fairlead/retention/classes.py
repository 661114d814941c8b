"""The classes of data that may be given an end, as conditions on tables; the store turns them into statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, literal, select

from fairlead.kit.columns import metadata
from fairlead.kit.events import REQUESTED
from fairlead.retention.model import RetentionRules

Columns = Any
"""The columns of a table, by attribute."""
Condition = Callable[[Columns, RetentionRules], ColumnElement[bool]]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that belong to a class.

    `at` names the column that says how old a row is; `through` the parent's (table, own column, parent's column) that
    has it, and the customer, where the row itself has not. `blank`: columns and what they hold afterwards; None means
    that the row goes. `where` is what a row must be besides old; rows that are blank already must not match.
    `customer`: the column with the customer's id, None where the data is nobody's in particular.
    """

    table: str
    at: str
    key: tuple[str, ...] = ("id",)
    customer: str | None = "customer_id"
    through: tuple[str, str, str] | None = None
    blank: Callable[[Columns], Mapping[str, Any]] | None = None
    where: Condition | None = None

    def rows(self) -> Table:
        """The table, once the product's tables are registered."""
        return metadata.tables[self.table]


@dataclass(frozen=True, slots=True)
class DataClass:
    """A kind of data that `retention.yaml` may give an end.

    `least`: no shorter period is accepted, because of `because`.
    """

    name: str
    words: str
    parts: tuple[Part, ...]
    least: timedelta = DAY
    because: str = ""
    held: tuple[str, ...] = field(default=("legal_hold", "open_complaint", "open_case"))


def _done(c: Columns, _rules: RetentionRules) -> ColumnElement[bool]:
    return and_(c.done_at.is_not(None), c.body != {})


def _parent(name: str, condition: Callable[[Columns], ColumnElement[bool]], own: str, parent: str) -> Condition:
    def build(c: Columns, _rules: RetentionRules) -> ColumnElement[bool]:
        above = metadata.tables[name].c
        return exists().where(above[parent] == c[own], condition(above))

    return build


def _never_qualified(c: Columns, rules: RetentionRules) -> ColumnElement[bool]:
    case = metadata.tables["playbook_case"].alias("reached").c
    theirs = (case.subject_kind == "lead", case.subject_id == c.id)
    return and_(c.fields != {}, ~exists().where(*theirs, case.end.in_(sorted(rules.qualified))))


def _ended(c: Columns, _rules: RetentionRules) -> ColumnElement[bool]:
    return and_(c.ended_at.is_not(None), c.facts != {})


def _copied(c: Columns, _rules: RetentionRules) -> ColumnElement[bool]:
    action = metadata.tables["action"].c
    return and_(c.content != "", exists().where(action.id == c.action_id, action.done_at.is_not(None)))


def _lead_of(c: Columns) -> Mapping[str, Any]:
    # The old one would keep the same row from coming in again, and would still be a digest of the person.
    return {"fields": {}, "attributes": {}, "problems": [], "fingerprint": literal("forgotten ").concat(c.id)}


_OF_ACTION = ("action", "action_id", "id")
_CASES = Part(
    "playbook_case", "ended_at", where=_ended, blank=lambda _: {"facts": {}, "signal": None, "problem": None}
)  # fmt: skip
_SECURITY = ("legal_hold",)

CLASSES = {
    one.name: one
    for one in (
        DataClass(
            "leads_never_qualified", "What was handed in about leads that came to none of the ends in `qualified`",
            (Part("lead", "created_at", where=_never_qualified, blank=_lead_of),),
            30 * DAY, "a lead needs time to be worked on",
        ),
        DataClass(
            "closed_cases", "What cases knew of the person, after they ended; that they ran, and how they ended, stays",
            (
                _CASES,
                Part("step_result", "ended_at", ("case_id", "stage", "attempt"),
                     through=("playbook_case", "case_id", "id"),
                     where=_parent("playbook_case", lambda c: c.ended_at.is_not(None), "case_id", "id")),
            ),
            30 * DAY, "a verdict may be taken back and an import cancelled",
        ),
        DataClass(
            "message_copies", "Exact copies of messages that were sent, and the orders to send them",
            (
                Part("delivery_copy", "at", ("action_id",), through=_OF_ACTION, where=_copied,
                     blank=lambda _: {"content": "", "words": ""}),
                Part("action", "done_at", where=_done, blank=lambda _: {"body": {}, "result": None}),
            ),
            30 * DAY, "doubtful deliveries are settled from them",
        ),
        DataClass(
            "mail_journal", "Which mail went to whom and what came back, without its text",
            (Part("mail_sent", "at"), Part("mail_taken", "at")),
            30 * DAY, "bounces and replies are recognised by it, and nothing is sent twice", _SECURITY,
        ),
        DataClass(
            "contact_log", "Places taken under caps, and the gate's answers",
            (
                Part("contact_log", "at", where=lambda c, _: c.state != "reserved"),
                Part("contact_answer", "at"),
            ),
            30 * DAY, "caps count by it", ("legal_hold", "open_complaint"),
        ),
        DataClass(
            "form_submissions", "That a form was sent, and the signs of spam in it; the lead made of it is a lead",
            (Part("form_submission", "at"),), 30 * DAY, "a form's token must not be used twice",
        ),
        DataClass(
            "notes", "Pasted mails and call notes, the changes they led to as values, and notes of touches",
            (
                Part("note", "added_at", where=lambda c, _: c.text != "", blank=lambda _: {"text": "", "found": []}),
                Part("record_change", "at", where=lambda c, _: c.changes != [], blank=lambda _: {"changes": []}),
                Part("lead_touch", "at", where=lambda c, _: c.note != "", blank=lambda _: {"note": ""}),
            ),
            30 * DAY, "a change may be undone",
        ),
        DataClass(
            "import_files", "Rows of files that became no lead, and the first rows of files",
            (
                Part("lead_reject", "finished_at", ("import_id", "row_no"), None, ("lead_import", "import_id", "id")),
                Part("lead_import", "finished_at", customer=None, blank=lambda _: {"sketch": None, "said": None},
                     where=lambda c, _: c.sketch.is_not(None) | c.said.is_not(None)),
            ),
            DAY, "an import can be cancelled for a while", (),
        ),
        DataClass(
            "timeline", "Lines of customers' timelines that somebody noted", (Part("timeline", "at"),), 30 * DAY,
            "people work by it",
        ),
        DataClass(
            "events", "Events that were handled, with what they carried",
            (Part("event", "due_at", customer="key",
                  where=lambda c, _: c.handled_at.is_not(None) & (c.type != REQUESTED)),),
            90 * DAY, "a case may still wait for one that came before it asked",
        ),
        DataClass(
            "sign_ins", "Sessions and sign-in links of people at the desk that have run out",
            (
                Part("session", "expires_at", ("token_hash",), None),
                Part("sign_in_link", "expires_at", ("token_hash",), None),
            ),
            DAY, "", (),
        ),
    )
}  # fmt: skip


def where_of(part: Part, rules: RetentionRules) -> ColumnElement[bool] | None:
    """What a row of the part must be besides old."""
    return None if part.where is None else part.where(part.rows().c, rules)


def column_of(part: Part, name: str) -> ColumnElement[Any]:
    """A column of the part's table, or of the row above it where it has none of that name."""
    own = part.rows().c
    if part.through is None or name in own:
        return own[name]
    table, here, there = part.through
    above = metadata.tables[table].c
    return select(above[name]).where(above[there] == own[here]).correlate(part.rows()).scalar_subquery()
