"""Who or what a case is about, as well as it is known, for lists and headings; never an id of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fairlead import reviews
from fairlead.api import withheld_rulings
from fairlead.customers import names_of
from fairlead.kit.ids import is_id
from fairlead.playbooks import read_case

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
    return {one.id: _title(reader, one, names.get(one.customer_id or "", ("", ""))) for one in cases}


def _title(reader: Reader, one: About, known: tuple[str, str]) -> str:
    facts = one.facts
    if facts is None:
        facts = {} if any(known) else read_case(reader, one.id).facts
    name, company = known
    given = _named({**facts, **({"name": name} if name else {}), **({"company": company} if company else {})}, _GIVEN)
    if not given and any(facts.get(name) for name in _NOTED):
        hidden = withheld_rulings(reviews.of_case(reader, one.id))
        given = "" if hidden else _named(facts, _NOTED)
    about = str(facts.get("about") or "")
    return given or about or (NOBODY_KNOWN if is_id(one.subject_id, _LEAD) else one.subject_id)


def _named(facts: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Name and company, else the first other way to tell who it is."""
    name, company, *others = (str(facts.get(field) or "") for field in fields)
    return " · ".join(part for part in (name, company) if part) or next(filter(None, others), "")
