"""The record steps for notes: what to propose, and writing what was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.checkpoints import rulings_of_case
from fairlead.customers import TimelineNote, holder_of, note_many
from fairlead.errors import ConflictError, InputError, Place, SourceError
from fairlead.kit.actors import SYSTEM, Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.expressions import Environment
from fairlead.kit.ids import new_id
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.kit.yamlmarks import Node
from fairlead.playbooks import RecordRun, Step, StepFailure, StepInput, StepKind, StepResult
from fairlead.sales import store as sales_store
from fairlead.sales.capture import store
from fairlead.sales.capture.changes import IDENTITIES, LABELS, compare, proposal, same_value, source_words
from fairlead.sales.capture.finding import FIELDS
from fairlead.sales.capture.notes import record_of, write_value
from fairlead.sales.capture.taking import lead_of
from fairlead.sales.facts import all_problems, lead_facts

_LEAD_FIELDS = ("name", "company", "email", "phone", "country", "job_title", "employees", "value", "currency")


def _propose(config: Node | None, _environment: Environment) -> RecordRun:
    """`propose-record-changes@1`, no `with:`. Finds `new_FIELD` of each change, `record_changes`, `confidence`,
    `protected` and `disputed`.
    """
    if config is not None and not config.is_null:
        config.fail("propose-record-changes@1 takes no `with:`.")

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        notes = store.notes_of_cases(uow, [case.case_id for case in cases])
        return [_proposed(uow, case, notes.get(case.case_id)) for case in cases]

    return run


def _proposed(uow: UnitOfWork, case: StepInput, note: Any) -> StepResult:
    if note is None or case.customer_id is None:
        return StepFailure("no_note", "no note opened this case; add one with POST /v1/notes or `fairlead note add`")
    currency = str(case.facts.get("currency", "EUR"))
    is_new = bool(case.facts.get("is_new"))
    record = record_of(uow, case.customer_id, uow.now, currency)
    others = set()
    for one in note.found:
        if one["field"] in IDENTITIES:
            value = str(one["value"]).casefold() if one["field"] == "email" else str(one["value"])
            if holder_of(uow, (one["field"], value)) not in (None, case.customer_id):
                others.add(str(one["value"]))
    return proposal(compare(note.found, record, currency, is_new=is_new, held_elsewhere=frozenset(others)))


def _apply(config: Node | None, _environment: Environment) -> RecordRun:
    """`apply-record-changes@1`, `with: {playbook: NAME}` of new leads. Finds `applied`, `skipped`, `new_leads`."""
    if config is None:
        message = "the step needs `with: {playbook: …}`, the playbook of new leads."
        raise SourceError(message, Place("playbook"), code="missing_key")
    playbook = config.mapping(allowed=(), required=("playbook",))["playbook"].name()

    def run(uow: UnitOfWork, cases: Sequence[StepInput]) -> list[StepResult]:
        notes = store.notes_of_cases(uow, [case.case_id for case in cases])
        results: dict[str, StepResult] = {}
        for case in sorted(cases, key=lambda one: (one.customer_id or "", one.case_id)):
            results[case.case_id] = _applied(uow, case, notes.get(case.case_id), playbook)
        return [results[case.case_id] for case in cases]

    return run


def _applied(uow: UnitOfWork, case: StepInput, note: Any, playbook: str) -> StepResult:
    if note is None or case.customer_id is None:
        return StepFailure("no_note", "no note opened this case; add one with POST /v1/notes or `fairlead note add`")
    decider, by_person = _decider(uow, case)
    work = _Work(uow, case, note, decider, by_person=by_person)
    for name in FIELDS:
        if case.facts.get(name) not in (None, ""):
            work.take(name, case.facts[name])
    new_leads = []
    lead_id = None
    if case.facts.get("is_new"):
        lead_id = case.subject_id
        new_leads = [_new_lead(uow, case, playbook)]
    change_id = new_id("chg")
    values = {
        "id": change_id, "note_id": note.id, "case_id": case.case_id, "customer_id": case.customer_id,
        "lead_id": lead_id, "changes": work.done, "decided_by": str(decider), "at": uow.now, "undone_at": None,
        "undone_by": None,
    }  # fmt: skip
    store.insert_change(uow, values)
    payload = {"changes": work.done, "skipped": work.skipped, "note": note.id, "lead": lead_id}
    uow.record(AuditEntry("record_change.applied", change_id, payload, case.customer_id, decider))
    note_many(uow, work.lines)
    return {"applied": [one["field"] for one in work.done], "skipped": work.skipped, "new_leads": new_leads}


class _Work:
    """Writes the approved values of one case, and says of each what was done and why not."""

    def __init__(self, uow: UnitOfWork, case: StepInput, note: Any, decider: Actor, *, by_person: bool) -> None:
        self.done: list[dict[str, Any]] = []
        self.skipped: list[str] = []
        self.lines: list[TimelineNote] = []
        self._uow, self._case, self._note, self._decider, self._by_person = uow, case, note, decider, by_person
        self._currency = str(case.facts.get("currency", "EUR"))
        self._customer = case.customer_id or ""
        self._shown: Mapping[str, Any] = {one["field"]: one for one in case.facts.get("record_changes") or ()}

    def take(self, name: str, new: Any) -> None:
        """Write one value, unless the record or the review speaks against it."""
        known = record_of(self._uow, self._customer, self._uow.now, self._currency).get(name)
        old = known.value if known is not None else None
        seen = self._shown.get(name)
        if name in IDENTITIES:
            if new in (old or ()):
                return
            old = ", ".join(old) if old else None
        elif old is not None and same_value(name, old, new):
            return
        if why := self._against(name, old, seen):
            self.skipped.append(f"{LABELS[name]}: {why}")
            return
        foreign = self._case.facts.get("new_currency") if name == "value" else None
        if foreign and foreign != self._currency:
            self.skipped.append(
                f"{LABELS[name]}: it is in {foreign}, for which there is no rate; it stands in the lead"
            )
            return
        try:
            source = f"note {self._note.id}"
            write_value(self._uow, self._decider, self._customer, name, new, self._currency, source)
        except (ConflictError, InputError) as error:
            self.skipped.append(f"{LABELS[name]}: {error.message}")
            return
        self.done.append({"field": name, "old": old, "new": new})
        self._tell(name, old, new, seen)

    def _against(self, name: str, old: Any, seen: Mapping[str, Any] | None) -> str:
        if seen is not None and seen["blocked"]:
            return str(seen["warning"])
        if seen is not None and name not in IDENTITIES and not same_value(name, old, seen["old"]):
            return f"it was changed meanwhile to {old!r:.80}"
        known = record_of(self._uow, self._customer, self._uow.now, self._currency).get(name)
        guarded = known is not None and name not in IDENTITIES and (known.by_person or known.verified)
        if guarded and not (self._by_person and seen is not None and seen["protected"]):
            return "a person set it, and no review said that it would be overwritten"
        return ""

    def _tell(self, name: str, old: Any, new: Any, seen: Mapping[str, Any] | None) -> None:
        change = f"{_told(old)} → {_told(new)}" if old is not None else _told(new)
        words = source_words(self._note.text, seen, 0)[1] if seen is not None and seen["new"] == new else ""
        taken = f"from the words “{' '.join(words.split())[:200]}”" if words else "as the reviewer wrote it"
        line = f"{LABELS[name].capitalize()}: {change}, {taken}."
        self.lines.append(TimelineNote(self._customer, "record", line, self._case.case_id))


def _told(value: Any) -> str:
    """An amount with its thousands, anything else as it stands."""
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)


def _decider(uow: UnitOfWork, case: StepInput) -> tuple[Actor, bool]:
    """Who approved what is about to be written, and whether that was a person.

    The ruling of an automatic decision is stored only after this step, so an older one of a person counts only when
    its answer is the one that is written.
    """
    approved = {name: case.facts[name] for name in FIELDS if case.facts.get(name) not in (None, "")}
    for ruling in reversed(rulings_of_case(uow, case.case_id)):
        answer = {name: value for name, value in (ruling.answer or {}).items() if name in FIELDS}
        if ruling.decided_by and answer == approved:
            decider = Actor.parse(ruling.decided_by) if ":" in ruling.decided_by else SYSTEM
            return decider, decider.kind.value == "user"
        break
    return SYSTEM, False


def _new_lead(uow: UnitOfWork, case: StepInput, playbook: str) -> dict[str, Any]:
    """The lead's row, and the facts of the case that a `spawn` stage starts for it."""
    currency = str(case.facts.get("currency", "EUR"))
    fields = {name: case.facts[name] for name in _LEAD_FIELDS if case.facts.get(name) not in (None, "")}
    if "value" in fields:
        fields["currency"] = case.facts.get("new_currency") or currency
    attributes = {name: case.facts[name] for name in ("next_step", "next_date") if case.facts.get(name)}
    attributes["note_id"] = str(case.facts["note_id"])
    draft = lead_of(fields, attributes, currency, source="note")
    problems = [problem._asdict() for problem in all_problems(draft, currency)]
    row = {
        "id": case.subject_id, "import_id": None, "row_no": 0, "playbook": playbook, "fingerprint": draft.fingerprint,
        "customer_id": case.customer_id, "case_id": case.case_id, "fields": dumps(draft.fields),
        "attributes": dumps(draft.attributes), "problems": dumps(problems), "value_minor": draft.value_minor,
        "currency": draft.currency, "outcome": None, "created_at": to_micros(uow.now),
    }  # fmt: skip
    sales_store.insert_leads(uow, [tuple(row[column] for column in sales_store.LEAD_COLUMNS)])
    return lead_facts(draft, currency)


STEPS = (
    Step("propose-record-changes@1", StepKind.RECORD, _propose),
    Step("apply-record-changes@1", StepKind.RECORD, _apply),
)
