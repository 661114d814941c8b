"""Where personal data stands beside the customer's own tables, and what an erasure puts in its place.

Rooms that have to do more than blank a column (withdraw what is queued, blank what they alone understand) are called
by `erasing`; this is the rest, as one list that tests hold against every table there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, or_, select, update

from fairlead.kit.columns import metadata
from fairlead.kit.ids import is_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_GENERATIONS = 8
_OF_KEYS = "key_"
"""How decisions are named that a program asked for under its own key."""
_CASE_SOURCES = (
    ("playbook_case", "customer_id", "id"), ("lead", "customer_id", "case_id"), ("note", "customer_id", "case_id"),
    ("record_change", "customer_id", "case_id"), ("assignment", "customer_id", "case_id"),
    ("duplicate_pair", "left_id", "case_id"), ("duplicate_pair", "right_id", "case_id"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trail:
    """Ids of everything that is about one customer, all their records together."""

    customers: tuple[str, ...]
    cases: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    rulings: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Of every kind, as events are keyed by any of them."""
        return (*self.customers, *self.cases, *self.leads, *self.rulings, *self.reviews)


class Scrub(NamedTuple):
    """Rows of `table` whose `column` is among the trail's `kind`, and what is put into which column."""

    table: str
    column: str
    kind: str
    blank: dict[str, Any]


def _kept_shape(value: Any) -> Any:
    """Nothing of what was said, in the shape that readers expect; None stays None."""
    return None if value is None else {}


def _shape_of_proposal(value: Any) -> Any:
    return {name: type(part)() if isinstance(part, dict | list) else None for name, part in (value or {}).items()}


def _without_values(record: Any) -> Any:
    """The path and the rules of a ruling without what was read."""
    told = dict(record or {})
    steps = [
        {**step, "reasons": [{k: v for k, v in one.items() if k not in {"detail", "reads"}} for one in step["reasons"]]}
        for step in told.get("steps", ())
    ]
    return {**told, "values": {}, "problems": {}, "steps": steps, "score": None}


def _numbers_alone(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else {}


def _rota_alone(explanation: Any) -> Any:
    """Who of the team was asked and why, without what was read of the customer or typed by hand."""
    told = dict(explanation or {})
    if told.get("why") == "hand":
        told["words"] = ""
    if told.get("territory"):
        told["territory"] = {**told["territory"], "values": {}}
    return told | ({"owner": None} if "owner" in told else {})


Remake = Callable[[Any], Any]
SCRUBS: tuple[Scrub, ...] = (
    Scrub("playbook_case", "id", "cases", {"facts": {}, "signal": None, "problem": None, "resume": None}),
    Scrub("ruling", "id", "rulings", {"facts": {}, "value_minor": None, "score": None, "digest": "",
                                       "proposal": _shape_of_proposal, "record": _without_values}),
    Scrub("decision", "ruling_id", "rulings", {"answer": _kept_shape, "reason": ""}),
    Scrub("approval", "ruling_id", "rulings", {"digest": "", "execution": _kept_shape}),
    Scrub("unasked_execution", "ruling_id", "rulings", {"body": {}}),
    Scrub("decision_request", "ruling_id", "rulings", {"body_digest": ""}),
    Scrub("outcome", "ruling_id", "rulings", {"value": _numbers_alone}),
    Scrub("label", "ruling_id", "rulings", {"answer": _kept_shape}),
    Scrub("review", "id", "reviews", {"title": "", "title_key": "", "value_minor": None}),
    Scrub("verdict", "review_id", "reviews", {"answer": _kept_shape, "reason": ""}),
    Scrub("repair", "review_id", "reviews", {"note": ""}),
    Scrub("lead", "id", "leads", {"fields": {}, "attributes": {}, "problems": [], "value_minor": None,
                                  "outcome": None}),
    Scrub("assignment", "case_id", "cases", {"explanation": _rota_alone}),
    Scrub("form_submission", "customer_id", "customers", {"content_digest": "", "text_digest": "", "signs": []}),
    Scrub("note", "customer_id", "customers", {"digest": ""}),
    Scrub("mail_sent", "customer_id", "customers", {"thread": ""}),
    Scrub("rights_request", "customer_id", "customers", {"identity_checked": "", "reason": "", "changes": {},
                                                         "result": _kept_shape, "extension": _kept_shape}),
)  # fmt: skip
DROPS: tuple[tuple[str, str, str], ...] = (
    ("step_result", "case_id", "cases"), ("duplicate_seen", "customer_id", "customers"), ("event", "key", "all"),
    ("identity_code", "customer_id", "customers"), ("identity_check", "customer_id", "customers"),
)  # fmt: skip


@dataclass(slots=True)
class Scrubbed:
    """How many rows of which table were emptied or dropped."""

    rows: dict[str, int] = field(default_factory=dict)


def trail_of(reader: Reader, customer_ids: Sequence[str]) -> Trail:
    """Everything that is about these records, children of cases included."""
    cases: set[str] = set()
    for name, of, taken in _CASE_SOURCES:
        table = metadata.tables[name]
        cases |= _ids(reader, table, taken, among(reader, table.c[of], customer_ids))
    fresh, case = set(cases), metadata.tables["playbook_case"]
    for _ in range(_GENERATIONS):
        fresh = _ids(reader, case, "id", among(reader, case.c.parent_id, sorted(fresh))) - cases if fresh else set()
        cases |= fresh
    lead, ruling, review = (metadata.tables[name] for name in ("lead", "ruling", "review"))
    leads = _ids(reader, lead, "id", among(reader, lead.c.customer_id, customer_ids))
    theirs = or_(among(reader, ruling.c.customer_id, customer_ids), among(reader, ruling.c.case_id, sorted(cases)))
    rulings = _ids(reader, ruling, "id", theirs)
    reviews = _ids(reader, review, "id", among(reader, review.c.ruling_id, sorted(rulings)))
    return Trail(
        tuple(customer_ids), tuple(sorted(cases)), tuple(sorted(leads)), tuple(sorted(rulings)), tuple(sorted(reviews))
    )  # fmt: skip


def scrub(uow: UnitOfWork, trail: Trail) -> Scrubbed:
    """Empty and drop what the lists name; the caller audits."""
    done = Scrubbed()
    for one in SCRUBS:
        table = metadata.tables[one.table]
        which = among(uow, table.c[one.column], _of_kind(trail, one.kind))
        plain = {name: value for name, value in one.blank.items() if not callable(value)}
        if plain:
            done.rows[one.table] = uow.execute(update(table).where(which).values(**plain)).rowcount
        remade = {name: value for name, value in one.blank.items() if callable(value)}
        if remade:
            done.rows[one.table] = _remake(uow, table, which, remade)
    for name, column, kind in DROPS:
        table = metadata.tables[name]
        done.rows[name] = uow.execute(delete(table).where(among(uow, table.c[column], _of_kind(trail, kind)))).rowcount
    _settle(uow, trail)
    _own_ids(uow, trail)
    return done


def _settle(uow: UnitOfWork, trail: Trail) -> None:
    """What is neither emptied nor dropped but said otherwise."""
    lead, pair = metadata.tables["lead"], metadata.tables["duplicate_pair"]
    # The print of what stood in the row is one of its contents; it has to stay one of a kind.
    gone = {"fingerprint": "erased:" + lead.c.id}
    uow.execute(update(lead).where(among(uow, lead.c.id, trail.leads)).values(**gone))
    theirs = or_(among(uow, pair.c.left_id, trail.customers), among(uow, pair.c.right_id, trail.customers))
    uow.execute(update(pair).where(theirs).values(reasons=[], flags=[], digest=""))
    uow.execute(update(pair).where(theirs, pair.c.state == "open").values(state="gone", changed_at=uow.now))


def _own_ids(uow: UnitOfWork, trail: Trail) -> None:
    """Ids that callers chose, in which a name or an address may stand, become ours; they stay one of a kind."""
    asked, outcome = metadata.tables["decision_request"], metadata.tables["outcome"]
    ruling, case = metadata.tables["ruling"], metadata.tables["playbook_case"]
    mine = among(uow, asked.c.ruling_id, trail.rulings)
    uow.execute(update(asked).where(mine).values(key="erased:" + asked.c.ruling_id))
    theirs = among(uow, outcome.c.ruling_id, trail.rulings)
    uow.execute(update(outcome).where(theirs).values(key="erased:" + outcome.c.id))
    of_keys = ruling.c.decision_key.startswith(_OF_KEYS, autoescape=True)
    rows = uow.execute(
        select(ruling.c.id, ruling.c.decision_key).where(among(uow, ruling.c.id, trail.rulings), of_keys)
    ).all()
    for row in rows:
        key = f"{row.decision_key.partition('/')[0]}/erased/{row.id}"  # whose program asked is not the customer's
        uow.execute(update(ruling).where(ruling.c.id == row.id).values(decision_key=key))
    subjects = uow.execute(select(case.c.id, case.c.subject_id).where(among(uow, case.c.id, trail.cases))).all()
    for row in subjects:
        if not is_id(row.subject_id, row.subject_id.partition("_")[0]):
            uow.execute(update(case).where(case.c.id == row.id).values(subject_id=f"erased:{row.id}"))


def _remake(uow: UnitOfWork, table: Table, which: ColumnElement[bool], remade: dict[str, Remake]) -> int:
    keys = list(table.primary_key.columns)
    rows = uow.execute(select(*keys, *(table.c[name] for name in remade)).where(which)).all()
    for row in rows:
        mine = [key == row[number] for number, key in enumerate(keys)]
        values = {name: make(row[len(keys) + number]) for number, (name, make) in enumerate(remade.items())}
        uow.execute(update(table).where(*mine).values(**values))
    return len(rows)


def _of_kind(trail: Trail, kind: str) -> tuple[str, ...]:
    if kind == "all":
        return trail.all()
    found: tuple[str, ...] = getattr(trail, kind)
    return found


def _ids(reader: Reader, table: Table, column: str, which: ColumnElement[bool]) -> set[str]:
    return {str(row[0]) for row in reader.execute(select(table.c[column]).where(which)) if row[0]}
