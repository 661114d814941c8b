"""Erasing a customer everywhere, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update

from fairlead import actions, customers
from fairlead.connectors import forget_mail
from fairlead.guardrails import forget_contacts
from fairlead.kit.actors import Actor
from fairlead.kit.columns import metadata
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.playbooks import end_cases
from fairlead.rights import tables as t
from fairlead.rights.model import RequestState
from fairlead.rights.reach import Trail, scrub, trail_of
from fairlead.sales import forget_customer, forget_in_files, forget_touches

KEPT = {
    "suppression": "keyed digests of the addresses, so that nobody writes to them again",
    "audit": "commitments without their contents, so that the record still verifies",
    "consent": "purpose, channel, state and time, without proof: that there was a ground to write",
    "evidence": "paths, rules and whether a person agreed, without any content: what autonomy rests on",
    "counts": "blank rows, so that counts and deliveries stay right",
}
"""What an erasure leaves, and why."""
_WHY = "the customer was erased"
_UNSENT = re.compile(r"unsent/([A-Za-z0-9_-]{1,100}\.eml)")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: every record of the person, cases that were ended, rows by table, files to be cleaned.

    `uploads`: files of leads that nobody had read yet and that named the person; they were dropped whole.
    """

    customer_ids: tuple[str, ...]
    ended_cases: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    uploads: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As it is told: counts, and what stays."""
        return {
            "records": len(self.customer_ids), "ended_cases": len(self.ended_cases), "rows": self.rows,
            "files": self.files, "uploads": self.uploads, "kept": KEPT,
        }  # fmt: skip


def erase(uow: UnitOfWork, actor: Actor, customer_id: str, *, reason: str, keep_case: str = "") -> Erased:
    """Make the person unrecognisable in everything that is stored; merged records are erased together.

    `reason` stays readable in the audit record, so nothing personal belongs there. `keep_case` is not ended: the case
    that carries the erasure out. Whole or nothing, with the transaction; files of the data folder are cleaned after it
    by `clean_files`. A second time erases what came since. NotFoundError for an unknown id.
    """
    customers.lock_contact(uow, customer_id)
    family = customers.family_of(uow, customer_id)
    uploads = forget_in_files(uow, actor, _words_of(uow, family))
    trail = trail_of(uow, family)
    files = _unsent_files(uow, trail)
    cases = (one for one in trail.cases if one != keep_case)
    ended = end_cases(uow, actor, cases, _WHY, rulings=_reviewed(uow, trail, keep_case))
    forget_contacts(uow, family)
    for one in family:
        actions.forget_customer(uow, one, actor)
        forget_customer(uow, one)
        forget_touches(uow, one)
        forget_mail(uow, one)
    done = scrub(uow, trail)
    _overtake(uow, family, keep_case)
    customers.erase_customer(uow, actor, family[0], reason=reason)
    values = {"id": new_id("rfs"), "customer_ids": list(family), "files": sorted(files), "asked_at": uow.now}
    uow.execute(insert(t.file_sweep).values(**values))
    rows = {name: count for name, count in done.rows.items() if count}
    return Erased(family, tuple(ended), rows, len(files), uploads)


def _words_of(reader: Reader, family: Sequence[str]) -> list[str]:
    """What tells the person apart in a file: addresses, ids elsewhere, and the name where it is more than one word."""
    one, known = metadata.tables["customer"].c, metadata.tables["customer_identity"].c
    names = [str(name) for name in reader.execute(select(one.name).where(among(reader, one.id, family))).scalars()]
    values = reader.execute(select(known.value).where(among(reader, known.customer_id, family))).scalars()
    return [*(str(value) for value in values), *(name for name in names if " " in name.strip())]


def _reviewed(reader: Reader, trail: Trail, keep_case: str) -> set[str]:
    """Rulings with open reviews: of programs that asked, and checks of what was decided long ago."""
    c = metadata.tables["review"].c
    mine = among(reader, c.id, trail.reviews)
    rows = reader.execute(select(c.ruling_id, c.case_id).where(mine, c.closed_at.is_(None)).distinct())
    return {row.ruling_id for row in rows if row.case_id != keep_case}


def _overtake(uow: UnitOfWork, family: Sequence[str], keep_case: str) -> None:
    c = t.request.c
    others = (among(uow, c.customer_id, family), c.state == RequestState.ASKED.value, c.case_id != keep_case)
    uow.execute(update(t.request).where(*others).values(state=RequestState.GONE.value, decided_at=uow.now))


def _unsent_files(reader: Reader, trail: Trail) -> set[str]:
    """Names of the mails that lie in the data folder, as their actions tell them."""
    action, copy = metadata.tables["action"], metadata.tables["delivery_copy"]
    mine = among(reader, action.c.customer_id, trail.customers)
    joined = action.outerjoin(copy, copy.c.action_id == action.c.id)
    rows = reader.execute(select(action.c.result, copy.c.words).select_from(joined).where(mine))
    return set(_named(text for row in rows for text in (str(row.result or ""), row.words or "")))


def _named(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from _UNSENT.findall(text)
