"""All SQL of forms, notes and record changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.errors import NotFoundError
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.sales.capture import tables as t


def submission_with(reader: Reader, token_digest: str) -> Row[Any] | None:
    """The submission that used this token, None when it is unused."""
    query = select(t.form_submission).where(t.form_submission.c.token_digest == token_digest)
    return reader.execute(query).first()


def same_text(reader: Reader, form: str, text_digest: str, since: datetime, most: int = 1_000) -> int:
    """How many submissions of this form since then had this text, at most `most`; 0 for an empty digest."""
    if not text_digest:
        return 0
    s = t.form_submission.c
    found = select(s.id).where(s.form == form, s.text_digest == text_digest, s.at >= since).limit(most)
    return int(reader.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def insert_submission(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep what was sent in."""
    uow.execute(insert(t.form_submission).values(**values))


def submission_counts(reader: Reader) -> dict[str, tuple[int, datetime]]:
    """Form → (submissions, when the last one came)."""
    s = t.form_submission.c
    last = func.max(s.at, type_=s.at.type).label("last")
    query = select(s.form, func.count().label("posts"), last).group_by(s.form)
    return {row.form: (row.posts, row.last) for row in reader.execute(query)}


def submissions(reader: Reader, form: str, limit: int, before: str | None = None) -> list[Row[Any]]:
    """Submissions of a form, newest first."""
    s = t.form_submission.c
    query = select(t.form_submission).where(s.form == form)
    query = query.where(s.id < before) if before else query
    return list(reader.execute(query.order_by(s.id.desc()).limit(limit)))


def add_refusals(uow: UnitOfWork, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts by (form, kind), all in one order so that none wait in a ring."""
    make = postgresql.insert if uow.dialect == "postgresql" else sqlite.insert
    for (form, kind), posts in sorted(counts.items()):
        fresh: Any = make(t.form_refusal).values(form=form, kind=kind, posts=posts, last_at=uow.now)
        more = {"posts": t.form_refusal.c.posts + posts, "last_at": uow.now}
        uow.execute(fresh.on_conflict_do_update(index_elements=["form", "kind"], set_=more))


def refusals(reader: Reader) -> dict[str, dict[str, int]]:
    """Form → kind → refused posts."""
    found: dict[str, dict[str, int]] = {}
    for row in reader.execute(select(t.form_refusal)):
        found.setdefault(row.form, {})[row.kind] = row.posts
    return found


def insert_note(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep a note."""
    uow.execute(insert(t.note).values(**values))


def read_note(reader: Reader, note_id: str) -> Row[Any]:
    """The note; NotFoundError when there is none."""
    row = reader.execute(select(t.note).where(t.note.c.id == note_id)).first()
    if row is None:
        raise NotFoundError("There is no such note.", note=note_id[:64])
    return row


def note_of_case(reader: Reader, case_id: str) -> Row[Any] | None:
    """The note that opened this case, None for every other case."""
    return reader.execute(select(t.note).where(t.note.c.case_id == case_id)).first()


def notes_of_cases(reader: Reader, case_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Case → its note."""
    query = select(t.note).where(t.note.c.case_id.in_(sorted(case_ids)))
    return {row.case_id: row for row in reader.execute(query)}


def same_note(reader: Reader, playbook: str, digest: str) -> Row[Any] | None:
    """The first note of exactly this text in this playbook."""
    n = t.note.c
    query = select(t.note).where(n.playbook == playbook, n.digest == digest).order_by(n.id).limit(1)
    return reader.execute(query).first()


def notes_page(reader: Reader, limit: int, before: str | None = None) -> list[Row[Any]]:
    """Notes, newest first."""
    query = select(t.note)
    query = query.where(t.note.c.id < before) if before else query
    return list(reader.execute(query.order_by(t.note.c.id.desc()).limit(limit)))


def details_of(reader: Reader, customer_id: str) -> dict[str, Row[Any]]:
    """Field → what is known and who set it."""
    query = select(t.customer_detail).where(t.customer_detail.c.customer_id == customer_id)
    return {row.field: row for row in reader.execute(query)}


def set_detail(uow: UnitOfWork, customer_id: str, field: str, value: Any, set_by: str) -> None:
    """Write one value and who decided it."""
    make = postgresql.insert if uow.dialect == "postgresql" else sqlite.insert
    values = {"value": value, "set_by": set_by, "set_at": uow.now}
    fresh: Any = make(t.customer_detail).values(customer_id=customer_id, field=field, revision=1, **values)
    more = {**values, "revision": t.customer_detail.c.revision + 1}
    uow.execute(fresh.on_conflict_do_update(index_elements=["customer_id", "field"], set_=more))


def insert_change(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Keep what was written because of a note."""
    uow.execute(insert(t.record_change).values(**values))


def change_of_note(reader: Reader, note_id: str) -> Row[Any] | None:
    """What was written because of this note, None while nothing was."""
    query = select(t.record_change).where(t.record_change.c.note_id == note_id)
    return reader.execute(query.order_by(t.record_change.c.id.desc()).limit(1)).first()


def settle_undo(uow: UnitOfWork, change_id: str, actor: str) -> bool:
    """Mark a change as undone; False when somebody was faster."""
    c = t.record_change.c
    done = update(t.record_change).where(c.id == change_id, c.undone_at.is_(None))
    return uow.execute(done.values(undone_at=uow.now, undone_by=actor)).rowcount == 1


def forget_customer(uow: UnitOfWork, customer_id: str) -> int:
    """Blank every note and change of a customer; how many notes there were."""
    n, c, d = t.note.c, t.record_change.c, t.customer_detail.c
    blanked = uow.execute(update(t.note).where(n.customer_id == customer_id).values(text="", found=[])).rowcount
    uow.execute(update(t.record_change).where(c.customer_id == customer_id).values(changes=[]))
    uow.execute(update(t.customer_detail).where(d.customer_id == customer_id).values(value=None))
    return int(blanked)
