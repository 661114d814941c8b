"""One lead from a program or a form: checked as a row of a file is, and taken in once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.customers import resolve_many
from fairlead.errors import InputError, TooLargeError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import Bundle, CaseDraft, open_cases
from fairlead.sales import store
from fairlead.sales.facts import all_problems, customer_draft, lead_facts, scoped
from fairlead.sales.intake import Checker, ColumnGuess, ColumnMapping, LeadDraft, LeadField, Row

Plain = str | int | float | bool
MAX_FIELD_CHARS = 20_000
MAX_ATTRIBUTES = 100
MAX_NAME_CHARS = 100
MAX_FACTS_CHARS = 128_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it; `is_new` False: the same had come before, and nothing was added."""

    lead_id: str
    case_id: str
    customer_id: str
    is_new: bool
    problems: tuple[dict[str, Any], ...]
    """`field`, `code`, `words`, `needs_information` of each cell that could not be used, or only under an
    assumption."""


def lead_playbook(bundle: Bundle, name: str) -> None:
    """InputError when the playbook is not deployed or is not about leads; the cure names the nearest."""
    compiled = bundle.playbooks.get(name)
    ours = [one for one, other in bundle.playbooks.items() if other.playbook.subject == "lead"]
    if compiled is None:
        message = f"There is no playbook {name!r:.80}. {did_you_mean(name, ours) or ''}".rstrip()
        raise InputError(message, code="no_playbook", field="playbook")
    if compiled.playbook.subject != "lead":
        hint = f"Playbooks about leads: {', '.join(sorted(ours))}." if ours else ""
        message = f"Playbook {name!r} is about a {compiled.playbook.subject}, not about leads. {hint}".rstrip()
        raise InputError(message, code="wrong_subject", field="playbook")


def lead_of(
    fields: Mapping[str, Plain], attributes: Mapping[str, Plain], currency: str, *, country: str = "", source: str = ""
) -> LeadDraft:
    """The lead as a row of a file with these columns would give it; `country`: of numbers without country code.

    InputError whose `fields` say, by `fields.NAME` or `attributes.NAME`, what is wrong with each and how to mend it:
    unknown fields, empty or overlong names, texts above 20,000 characters, and nothing given at all.
    """
    _refuse(fields, attributes)
    names, cells = [*fields, *attributes], [_cell(value) for value in (*fields.values(), *attributes.values())]
    guesses = tuple(ColumnGuess(LeadField(name), name, at, 1.0, "given") for at, name in enumerate(fields))
    numeric = frozenset(name for name, value in attributes.items() if _is_number(value))
    mapping = ColumnMapping(
        header=tuple(names),
        guesses=guesses,
        unmapped=tuple(attributes),
        late=(),
        missing=(),
        numeric=numeric,
        decimal_mark="." if _is_number(fields.get("value")) else "",
        header_currency="",
    )
    draft = Checker(mapping, currency=currency, default_country=country).check(Row(0, tuple(cells)))
    return scoped(draft, source or "api")


def _refuse(fields: Mapping[str, Plain], attributes: Mapping[str, Plain]) -> None:
    wrong = {**_wrong_names(fields, attributes)}
    for part, values in (("fields", fields), ("attributes", attributes)):
        for name, value in values.items():
            if isinstance(value, str) and len(value) > MAX_FIELD_CHARS:
                wrong[f"{part}.{name[:64]}"] = f"It has {len(value):,} characters; send at most {MAX_FIELD_CHARS:,}."
    if not any(str(value).strip() for value in (*fields.values(), *attributes.values())):
        wrong["fields"] = "Nothing is given. Send at least one field, such as an e-mail address."
    if wrong:
        first = "; ".join(f"{name}: {words}" for name, words in list(wrong.items())[:3])
        raise InputError(f"The lead cannot be used: {first}", **wrong)


def _wrong_names(fields: Mapping[str, Plain], attributes: Mapping[str, Plain]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    known = {str(field) for field in LeadField}
    for name in fields:
        if name not in known:
            hint = did_you_mean(name, known) or ""
            wrong[f"fields.{name[:64]}"] = f"No such field. {hint} Everything else goes into attributes."
    if len(attributes) > MAX_ATTRIBUTES:
        wrong["attributes"] = f"There are {len(attributes)}; send at most {MAX_ATTRIBUTES}."
    for name in attributes:
        if not name.strip() or len(name) > MAX_NAME_CHARS:
            wrong[f"attributes.{name[:64]}"] = f"A name has 1 to {MAX_NAME_CHARS} characters."
        elif name in fields:
            wrong[f"attributes.{name}"] = "It stands among the fields, too. Send it once."
    return wrong


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Plain) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def take_lead(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    playbook: str,
    draft: LeadDraft,
    *,
    source: str,
    more: Mapping[str, Any] | None = None,
    lead_id: str = "",
) -> Taken:
    """Make the lead, its customer and its case; what is there already in this playbook adds nothing.

    `more` are facts of the case that the lead's own do not hold. `source` is where it came from, as the customer's
    identities remember it. TooLargeError when its facts would take more than 128,000 characters.
    """
    lead_playbook(bundle, playbook)
    before = known_lead(uow, playbook, draft)
    if before is not None:
        return taken_before(uow, before)
    facts = {**lead_facts(draft, bundle.currency), **(more or {})}
    if (size := len(dumps(facts))) > MAX_FACTS_CHARS:
        message = f"The lead takes {size:,} characters; at most {MAX_FACTS_CHARS:,} fit into a case."
        raise TooLargeError(message, limit=MAX_FACTS_CHARS, unit="characters")
    customer = resolve_many(uow, [customer_draft(draft, source, bundle.currency)])[0].id
    new, case_id = lead_id or new_id("lead"), new_id("case")
    problems = tuple(problem._asdict() for problem in all_problems(draft, bundle.currency))
    row = {
        "id": new, "import_id": None, "row_no": 0, "playbook": playbook, "fingerprint": draft.fingerprint,
        "customer_id": customer, "case_id": case_id, "fields": dumps(draft.fields),
        "attributes": dumps(draft.attributes), "problems": dumps(problems), "value_minor": draft.value_minor,
        "currency": draft.currency, "outcome": draft.outcome, "created_at": to_micros(uow.now),
    }  # fmt: skip
    store.insert_leads(uow, [tuple(row[column] for column in store.LEAD_COLUMNS)])
    open_cases(uow, [CaseDraft(playbook, "lead", new, facts, customer, id=case_id)], bundle, actor)
    uow.record(AuditEntry("lead.taken", new, {"playbook": playbook, "source": source}, customer, actor))
    return Taken(new, case_id, customer, is_new=True, problems=problems)


def known_lead(uow: UnitOfWork, playbook: str, draft: LeadDraft) -> str | None:
    """The lead that this one would repeat, None when it is new; nobody else takes one in until the end."""
    store.take_turn(uow, playbook)
    return store.known_fingerprints(uow, playbook, [draft.fingerprint]).get(draft.fingerprint)


def taken_before(reader: Reader, lead_id: str) -> Taken:
    """A lead that is there, as its taking would have answered; NotFoundError when there is none."""
    row = store.read_lead(reader, lead_id)
    return Taken(row.id, row.case_id or "", row.customer_id, is_new=False, problems=tuple(row.problems))
