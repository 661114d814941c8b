"""Who or what a case is about, as well as it is known, for lists and headings; never an id of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fairlead import reviews
from fairlead.api import withheld_rulings
from fairlead.customers import names_of
from fairlead.kit.ids import is_id
from fairlead.playbooks import read_cases

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

NOBODY_KNOWN = "somebody new"
_GIVEN = ("name", "company", "email", "phone")
_NOTED = ("new_name", "new_company", "new_email", "new_phone")
"""What the rules found in a note: told only where nobody is asked to answer without it."""
_LEAD = "lead"


class About(NamedTuple):
    """What is needed of a case to name it; `facts` None: to be read where nothing else names it."""

    id: str
    subject_id: str
    customer_id: str | None
    facts: Mapping[str, Any] | None = None


def titles_of(reader: Reader, cases: Sequence[About]) -> dict[str, str]:
    """Name and company of each case's customer, else what came in with it, else what a note says of somebody new."""
    names = names_of(reader, sorted({one.customer_id for one in cases if one.customer_id}))
    known = {one.id: names.get(one.customer_id or "", ("", "")) for one in cases}
    facts = {one.id: one.facts or {} for one in cases}
    unnamed = [one.id for one in cases if one.facts is None and not any(known[one.id])]
    facts |= {case_id: row.facts for case_id, row in read_cases(reader, unnamed).items()}
    given = {one.id: _given(facts[one.id], *known[one.id]) for one in cases}
    noted = {one: said for one, facts_of in facts.items() if not given[one] and (said := _named(facts_of, _NOTED))}
    work = reviews.open_of_cases(reader, noted)
    given |= {one: said for one, said in noted.items() if not withheld_rulings(work.get(one, ()))}
    return {one.id: given[one.id] or _about(one, facts[one.id]) for one in cases}


def _given(facts: Mapping[str, Any], name: str, company: str) -> str:
    return _named({**facts, **({"name": name} if name else {}), **({"company": company} if company else {})}, _GIVEN)


def _about(one: About, facts: Mapping[str, Any]) -> str:
    return str(facts.get("about") or "") or (NOBODY_KNOWN if is_id(one.subject_id, _LEAD) else one.subject_id)


def _named(facts: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Name and company, else the first other way to tell who it is."""
    name, company, *others = (str(facts.get(field) or "") for field in fields)
    return " · ".join(part for part in (name, company) if part) or next(filter(None, others), "")
