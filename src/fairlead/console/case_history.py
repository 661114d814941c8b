"""What happened to a case and what is known of it, each said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairlead import audit
from fairlead.console import words
from fairlead.kit import jsons

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

MAX_SUBJECTS, MAX_ENTRIES = 400, 500
_SAID_ELSEWHERE = frozenset({"decision", "action"})
"""What a case waited for and got: the decision and the effect have lines of their own."""
_IN_SCORE = frozenset({"points", "confidence", "grade", "score_reasons", "producer"})
_IN_ASSIGNMENT = frozenset({
    "owner", "owner_name", "assignment", "assignment_state", "assignment_reason", "territory_reason", "territory_found",
})  # fmt: skip


def told_history(reader: Reader, case_id: str, parts: Sequence[Any], *, guarded: bool) -> list[dict[str, Any]]:
    """The record about the case, its rulings, reviews and actions, oldest first, in sentences.

    What was found is told where it was found first. `guarded` leaves out what steps found and what people said, as
    long as somebody answers without either.
    """
    subjects = [case_id, *(one.id for one in parts)]
    name, lines, told = words.actor_namer(reader), list[dict[str, Any]](), dict[str, Any]()
    for entry in audit.history(reader, subjects[:MAX_SUBJECTS], MAX_ENTRIES):
        payload = {} if entry.body is None else jsons.loads(entry.body)
        if entry.verb == "case.signalled" and payload.get("type") in _SAID_ELSEWHERE:
            continue
        line = {
            "at": entry.at, "who": name(entry.actor), "words": words.told(entry.verb, payload if entry.body else None),
            "found": "" if guarded else _found(payload.get("found") or {}, told),
            "reason": "" if guarded else payload.get("reason") or "", "times": 1,
        }  # fmt: skip
        if lines and _same(lines[-1], line):
            lines[-1]["times"] += 1
        else:
            lines.append(line)
    return lines


def _found(found: Mapping[str, Any], told: dict[str, Any]) -> str:
    fresh = {name: value for name, value in found.items() if _says_something(value) and told.get(name) != value}
    told |= fresh
    return "; ".join(f"{words.plain(name)} {words.shown(value)}" for name, value in fresh.items())


def _same(line: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return not other["found"] and all(line[part] == other[part] for part in ("who", "words", "reason"))


def known_facts(
    facts: Mapping[str, Any], decided: Sequence[Mapping[str, Any]], *, score: Any, assignment: Any
) -> list[tuple[str, Any]]:
    """The facts that the page does not say already: nothing empty, no ids, nothing of its other parts or twice."""
    elsewhere = (_IN_SCORE if score else frozenset()) | (_IN_ASSIGNMENT if assignment else frozenset())
    answered = {name: value for answer in decided for name, value in answer.items()}
    kept: dict[str, Any] = {}
    for name, value in facts.items():
        again = isinstance(value, str) and value in kept.values()
        if name in elsewhere or again or answered.get(name) == value or not _says_something(value):
            continue
        kept[name] = value
    return list(kept.items())


def _says_something(value: Any) -> bool:
    """Whether a person gains by reading it: not empty, no id of ours, no inner working such as an object."""
    parts = value if isinstance(value, list) else [value]
    inner = any(isinstance(part, Mapping) and "words" not in part for part in parts)
    return value not in (None, "", []) and not inner and not all(map(words.is_own_id, parts))
