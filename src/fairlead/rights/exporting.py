"""Everything that is stored about a customer as one JSON document, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from fairlead import customers
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.columns import metadata
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader

FORMAT = "fairlead-customer-export@1"
MAX_ROWS = 100_000
"""Rows of one section; what is beyond is counted under `cut_off`."""
PAGE = 500


class Section(NamedTuple):
    """Rows of `table` whose `column` names one of the customer's records, with these columns."""

    name: str
    table: str
    column: str
    columns: tuple[str, ...]


SECTIONS = (
    Section("records", "customer", "id", ("id", "name", "company", "country", "language", "time_zone", "owner",
                                          "value_minor", "created_at", "merged_into")),
    Section("identities", "customer_identity", "customer_id", ("kind", "value", "source", "added_at", "verified_at")),
    Section("flags", "customer_flag", "customer_id", ("flag", "value", "source", "owner", "set_at", "expires_at")),
    Section("details", "customer_detail", "customer_id", ("field", "value", "set_by", "set_at")),
    Section("consents", "consent", "customer_id", ("purpose", "channel", "state", "mechanism", "proof", "source",
                                                    "actor", "notice_id", "expires_at", "at", "recorded_at")),
    Section("consents_passed_on", "consent_delivery", "customer_id", ("downstream", "state", "why", "at")),
    Section("preferences", "customer_preference", "customer_id", ("purpose", "channel", "per_week", "paused_until",
                                                                  "source", "at")),
    Section("time_zones", "customer_zone", "customer_id", ("zones", "evidence", "source", "at")),
    Section("contacts", "contact_log", "customer_id", ("at", "channel", "purpose", "class", "sender", "kind", "tags",
                                                        "state", "case_id")),
    Section("contact_answers", "contact_answer", "customer_id", ("at", "channel", "purpose", "sender", "kind",
                                                                  "verdict", "code", "words", "facts", "checks",
                                                                  "allowed_at", "case_id")),
    Section("messages", "action", "customer_id", ("id", "kind", "connector", "state", "body", "result", "case_id",
                                                   "created_at", "done_at")),
    Section("mail_sent", "mail_sent", "customer_id", ("message_id", "address", "purpose", "state", "words", "at")),
    Section("mail_received", "mail_taken", "customer_id", ("kind", "code", "words", "address", "at")),
    Section("decisions", "ruling", "customer_id", ("id", "checkpoint", "case_id", "path", "segment", "producer",
                                                    "score", "value_minor", "proposal", "facts", "record",
                                                    "created_at")),
    Section("leads", "lead", "customer_id", ("id", "fields", "attributes", "problems", "value_minor", "currency",
                                              "outcome", "created_at")),
    Section("forms", "form_submission", "customer_id", ("form", "signs", "is_new", "at")),
    Section("assignments", "assignment", "customer_id", ("team", "person_id", "at", "way", "explanation")),
    Section("touches", "lead_touch", "customer_id", ("kind", "at", "note", "made_by")),
    Section("notes", "note", "customer_id", ("id", "kind", "text", "found", "added_by", "added_at")),
    Section("changes", "record_change", "customer_id", ("changes", "decided_by", "at", "undone_at")),
    Section("timeline", "timeline", "customer_id", ("at", "kind", "words", "subject")),
    Section("experiments", "experiment_draw", "unit", ("experiment", "version", "eligible", "why", "arm",
                                                        "probability", "at")),
    Section("cases", "playbook_case", "customer_id", ("id", "playbook", "stage", "state", "subject_kind", "facts",
                                                       "end", "created_at", "ended_at")),
    Section("requests", "rights_request", "customer_id", ("id", "kind", "state", "identity_checked", "reason",
                                                           "changes", "asked_at", "due_at", "decided_at")),
)  # fmt: skip
_OF_OTHERS = frozenset({"customer_pair"})
"""Cases that hold the record of somebody else, too: their facts are left out."""
_OTHERS_CHECKPOINTS = frozenset({"customer-merge"})


def export_of(reader: Reader, customer_id: str, now: datetime) -> Iterator[str]:
    """The document in pieces of at most `PAGE` rows; merged records are one person. NotFoundError for an unknown id.

    Delicate flags are in it, since they are the customer's; what is told of other people is not. Read it in one
    transaction, or a row that changes meanwhile may be there twice or in neither form.
    """
    one = customers.profile(reader, customer_id, now)
    family = customers.family_of(reader, customer_id)
    head = {"format": FORMAT, "customer": one.id, "name": one.name, "made_at": iso(now)}
    yield jsons.dumps(head)[:-1]
    cut: dict[str, int] = {}
    for section in SECTIONS:
        yield f",{jsons.dumps(section.name)}:["
        written = 0
        for rows in _pages(reader, section, family):
            for row in rows:
                yield ("," if written else "") + jsons.dumps(_shown(reader, section, row))
                written += 1
        if written >= MAX_ROWS:
            cut[section.name] = MAX_ROWS
        yield "]"
    yield f',"cut_off":{jsons.dumps(cut)}}}'


def _pages(reader: Reader, section: Section, family: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    table = metadata.tables[section.table]
    order = list(table.primary_key.columns)
    columns = [table.c[name] for name in section.columns]
    query = select(*columns).where(among(reader, table.c[section.column], family)).order_by(*order)
    for start in range(0, MAX_ROWS, PAGE):
        rows = [dict(row._mapping) for row in reader.execute(query.limit(PAGE).offset(start))]  # noqa: SLF001  public
        yield rows
        if len(rows) < PAGE:
            return


def _shown(reader: Reader, section: Section, row: dict[str, Any]) -> dict[str, Any]:
    if section.name == "cases" and row["subject_kind"] in _OF_OTHERS:
        row["facts"] = {}
    if section.name == "decisions":
        row |= _decided(reader, row["id"])
        if row["checkpoint"] in _OTHERS_CHECKPOINTS:
            row |= {"facts": {}, "proposal": {}, "record": {}, "answer": None}
    if section.name == "messages":
        copy = metadata.tables["delivery_copy"].c
        found = reader.execute(select(copy.words, copy.at, copy.content).where(copy.action_id == row["id"]))
        row["copies"] = [{"at": iso(one.at), "words": one.words, "content": one.content} for one in found]
    if section.name == "consents" and row["notice_id"]:
        row["notice"] = customers.notice_text(reader, row["notice_id"])
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _decided(reader: Reader, ruling_id: str) -> dict[str, Any]:
    c = metadata.tables["decision"].c
    row = reader.execute(
        select(c.verdict, c.answer, c.decided_by, c.reason, c.decided_at).where(c.ruling_id == ruling_id)
    ).first()
    return {} if row is None else dict(row._mapping)  # noqa: SLF001  public in SQLAlchemy
