"""What a playbook may read of a lead, and what a customer is known by: pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from fairlead.customers import CustomerDraft
from fairlead.kit.money import currency_exponent
from fairlead.sales.intake import LeadDraft, LeadField, Problem

MAX_SHOWN_PROBLEMS = 20
_MAX_NAME = 60
_MAX_ID = 200
_OURS = {*map(str, LeadField), "reachable_at", "foreign_value", "problems", "unusable"}
_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")


def full_name(fields: Mapping[str, Any]) -> str:
    """The name, or first and last name together; "" when neither is known."""
    name = str(fields.get("name") or "")
    return name or " ".join(str(fields[part]) for part in ("first_name", "last_name") if fields.get(part))


def lead_facts(draft: LeadDraft, currency: str) -> dict[str, Any]:
    """What a playbook may read of a lead.

    Attributes come under their column's `fact_name`: with `c_` before it where a lead field or a fact below
    is called so, and with `_2`, `_3` … where an earlier column is. `value` is in whole units of the
    workspace's currency; it is missing when the row's is another, since we have no rate, and `foreign_value`
    says what the row gave. `reachable_at` is how to reach the lead (e-mail, else phone), missing when
    there is no way. `problems` are sentences with row and field, at most 20; `unusable` names the fields whose
    cell was given and cannot be used, missing when there is none.
    """
    facts: dict[str, Any] = {}
    for column, value in draft.attributes.items():
        facts[_free(fact_name(column), facts)] = value
    facts.update(draft.fields)
    facts["name"] = full_name(draft.fields)
    contact = draft.fields.get("email") or draft.fields.get("phone")
    if contact:
        facts["reachable_at"] = contact
    if draft.value_minor is not None:
        digits = currency_exponent(draft.currency)
        whole = draft.value_minor / 10**digits
        if draft.currency == currency:
            facts["value"] = whole
        else:
            facts["foreign_value"] = f"{whole:.{digits}f} {draft.currency}"
    problems = all_problems(draft, currency)
    if problems:
        shown = [f"row {draft.number}, {one.field}: {one.words}" for one in problems[:MAX_SHOWN_PROBLEMS]]
        facts["problems"] = shown
        if unusable := list(dict.fromkeys(one.field for one in problems if one.needs_information)):
            facts["unusable"] = unusable[:MAX_SHOWN_PROBLEMS]
    return facts


def all_problems(draft: LeadDraft, currency: str) -> tuple[Problem, ...]:
    """What intake found, and that a value in another currency than the workspace's is not known in ours."""
    if draft.value_minor is None or draft.currency == currency:
        return draft.problems
    digits = currency_exponent(draft.currency)
    given = f"{draft.value_minor / 10**digits:.{digits}f} {draft.currency}"
    words = f"{given} cannot be turned into {currency}: there is no rate."
    return (*draft.problems, Problem("value", "no_rate", words, needs_information=True, row=draft.number))


def fact_name(column: str) -> str:
    """`Cons.Price Idx` → `cons_price_idx`, `Größe` → `grosse`; one that begins with a digit gets a `c_`."""
    plain = unicodedata.normalize("NFKD", column[:200].casefold()).encode("ascii", "ignore").decode()
    name = _NOT_A_NAME.sub("_", plain).strip("_")[:_MAX_NAME] or "column"
    return name if name[0].isalpha() else f"c_{name}"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    if name in _OURS:
        name = f"c_{name}"
    if name not in taken:
        return name
    return next(other for number in range(2, len(taken) + 3) if (other := f"{name}_{number}") not in taken)


def scoped(draft: LeadDraft, file_name: str) -> LeadDraft:
    """The draft with its external id as `system:id`, because an id is only unique where it was given.

    The system is the row's source, else the file's name without digits and ending: next month's list from the
    same system finds the same customers, and another system's `17` finds nobody.
    """
    if not draft.identities or not any(kind == "external_id" for kind, _ in draft.identities):
        return draft
    stem = file_name.casefold().rpartition(".")[0]
    system = str(draft.fields.get("source") or _NO_LETTERS.sub("-", stem).strip("-")).casefold()[:_MAX_ID]
    return draft._replace(
        identities=tuple(
            (kind, f"{system}:{_bounded(value)}" if kind == "external_id" else value)
            for kind, value in draft.identities
        ),
    )


def _bounded(value: str) -> str:
    return value if len(value) <= _MAX_ID else "sha256:" + hashlib.sha256(value.encode()).hexdigest()


def customer_draft(draft: LeadDraft, source: str, currency: str) -> CustomerDraft:
    """Who the lead is, as the customers know people."""
    fields = draft.fields
    return CustomerDraft(
        name=full_name(fields)[:500],
        company=str(fields.get("company", ""))[:500],
        country=_text(fields.get("country")),
        language=_text(fields.get("language")),
        value_minor=draft.value_minor if draft.currency == currency else None,
        identities=draft.identities,
        source=source,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None
