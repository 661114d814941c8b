"""What a note would change in a customer's record, and whether it may: old and new values side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.sales.capture.finding import FIELDS
from fairlead.sales.intake.words import fold

LABELS = {
    "name": "name", "company": "company", "email": "e-mail address", "phone": "telephone number",
    "country": "country", "job_title": "job title", "employees": "number of employees", "value": "deal value",
    "next_step": "next step", "next_date": "day of the next step",
}  # fmt: skip
IDENTITIES = ("email", "phone")
DETAILS = ("job_title", "employees", "next_step", "next_date")


@dataclass(frozen=True, slots=True)
class Known:
    """One value that a record holds: `by_person` when a person decided it, `verified` when it was shown to be true."""

    value: Any
    by_person: bool = False
    verified: bool = False


Record = Mapping[str, Known]
"""A customer's record by field; `email` and `phone` hold a list. Fields that nobody knows are absent."""


def compare(
    found: Sequence[Mapping[str, Any]],
    record: Record,
    currency: str,
    *,
    is_new: bool,
    held_elsewhere: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """The changes that the findings of a note amount to, in the order of the fields; what is known already is none.

    Each has `field`, `old` (None where nothing was known), `new`, `start`, `end`, `confidence`, `also`, and
    `warning` and `protected` where something speaks against it: `blocked` changes are shown and never written.
    `held_elsewhere`: identities that belong to other customers.
    """
    changes = []
    for name in FIELDS:
        one = next((item for item in found if item["field"] == name), None)
        if one is not None and (
            change := _change(name, one, record.get(name), currency, held_elsewhere, is_new=is_new)
        ):
            changes.append(change)
    return changes


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What speaks against a change: `blocked` ones are never written, `protected` ones only by a person."""

    words: str = ""
    protected: bool = False
    blocked: bool = False


def _change(
    name: str, one: Mapping[str, Any], known: Known | None, currency: str, held: frozenset[str], *, is_new: bool
) -> dict[str, Any] | None:
    new: Any = one["value"]
    old = known.value if known is not None else None
    extra: dict[str, Any] = {}
    doubt = _Doubt()
    if name == "value":
        amount, _, given = str(new).partition(" ")
        new = float(amount)
        if given != currency:
            extra = {"currency": given}
            doubt = _Doubt(f"It is in {given}; there is no rate to turn it into {currency}.", blocked=not is_new)
    if name in IDENTITIES:
        if new in (old or ()):
            return None
        doubt = _about_identity(name, new, known, held)
        old = ", ".join(old) if old else None
    elif known is not None:
        if same_value(name, old, new):
            return None
        doubt = doubt if doubt.blocked else _about_value(name, known)
    return {
        "field": name, "old": old, "new": new, "start": one["start"], "end": one["end"],
        "confidence": one["confidence"], "also": list(one.get("also", ())), "warning": doubt.words,
        "protected": doubt.protected, "blocked": doubt.blocked, **extra,
    }  # fmt: skip


def _about_identity(name: str, new: str, known: Known | None, held: frozenset[str]) -> _Doubt:
    if new in held:
        return _Doubt(f"Another customer has this {LABELS[name]}; the two are not merged by a note.", blocked=True)
    if known is None:
        return _Doubt()
    if known.verified:
        return _Doubt(f"The verified {LABELS[name]} stays; this one is added beside it.")
    return _Doubt("It is added beside what is known.")


def _about_value(name: str, known: Known) -> _Doubt:
    if known.verified:
        return _Doubt(f"This overwrites a verified {LABELS[name]}.", protected=True)
    if known.by_person:
        return _Doubt(f"This overwrites a {LABELS[name]} that a person set.", protected=True)
    return _Doubt()


def same_value(name: str, old: Any, new: Any) -> bool:
    """Whether two values of a field say the same, however they are spelt; nothing is the same as nothing."""
    if old is None or new is None:
        return old is None and new is None
    if name in {"value", "employees"}:
        try:
            return abs(float(old) - float(new)) < 0.005  # noqa: PLR2004  half a hundredth of money
        except (TypeError, ValueError):
            return False
    return fold(str(old or "")) == fold(str(new or ""))


def proposal(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The facts that a checkpoint proposes and rules on: `new_FIELD` of each change that may be written, and signs."""
    open_ones = [change for change in changes if not change["blocked"]]
    facts: dict[str, Any] = {f"new_{change['field']}": change["new"] for change in open_ones}
    other = next((change["currency"] for change in open_ones if change.get("currency")), None)
    facts |= {"new_currency": other} if other else {}
    disputed = [change for change in changes if change["also"]]
    return {
        **facts,
        "record_changes": [dict(change) for change in changes],
        "confidence": min((float(change["confidence"]) for change in open_ones), default=0.0),
        "protected": [f"{LABELS[one['field']]}: {one['warning']}" for one in open_ones if one["protected"]],
        "disputed": [f"The text names more than one {LABELS[one['field']]}." for one in disputed],
    }


def source_words(text: str, change: Mapping[str, Any], around: int = 60) -> tuple[str, str, str]:
    """What stands before, in and behind the words that a value was taken from; empty once the text is erased."""
    start, end = int(change["start"]), int(change["end"])
    if not 0 <= start < end <= len(text):
        return "", "", ""
    before = text[max(0, start - around) : start].rsplit("\n", 1)[-1]
    behind = text[end : end + around].split("\n", 1)[0]
    if len(before) == around and " " in before:
        before = "…" + before.split(" ", 1)[1]
    if len(behind) == around and " " in behind:
        behind = behind.rsplit(" ", 1)[0] + "…"
    return before, text[start:end], behind
