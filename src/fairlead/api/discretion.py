"""What a decision says, without what only some may know: delicate flags of a customer and rules that read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fairlead.customers import SENSITIVE_FLAGS, is_delicate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

PROTECTED = "A rule about a protected fact applied."


def discreet_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A ruling's record without delicate facts: their values are gone, and reasons that read one no longer say it.

    Delicate is what is called so, and what the policy reads a delicate flag under, whatever it calls it.
    """
    values, other = record["values"], delicate_names(record)
    hidden = {name for name, value in values.items() if is_delicate(name) or _without(value) != value} | other
    steps = [{**step, "reasons": [_reason(one, hidden) for one in step["reasons"]]} for step in record["steps"]]
    shown = {name: _without(value) for name, value in values.items() if not is_delicate(name) and name not in other}
    asked = [one for one in record["needs_information"] if not is_delicate(one["fact"]) and one["fact"] not in other]
    return {**record, "values": shown, "steps": steps, "needs_information": asked}


def discreet_ruling(row: Any) -> Any:
    """A stored ruling with such a record; every other column stays."""
    return SimpleNamespace(**{**row._mapping, "record": discreet_record(row.record)})  # noqa: SLF001  public in SQLAlchemy


def delicate_names(record: Mapping[str, Any]) -> frozenset[str]:
    """The facts of a ruling that read a delicate flag under another name."""
    return frozenset(record.get("delicate", ()))


def discreet_pairs(pairs: Iterable[tuple[str, Any]], hidden: Collection[str] = ()) -> list[tuple[str, Any]]:
    """Names and values of facts without delicate ones; `hidden` are further names that are."""
    return [(name, _without(value)) for name, value in pairs if not is_delicate(name) and name not in hidden]


def discreet_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a case without delicate ones."""
    return dict(discreet_pairs(facts.items()))


def discreet_payload(value: Any) -> Any:
    """What an entry of the record holds, at any depth, without delicate facts."""
    if isinstance(value, dict):
        return {name: discreet_payload(one) for name, one in _without(value).items() if not is_delicate(str(name))}
    if isinstance(value, list):
        return [discreet_payload(one) for one in _without(value)]
    return _without(value)


def _reason(one: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
    reads = one.get("reads", ())
    if not any(name in hidden or is_delicate(name) for name in reads):
        return dict(one)
    kept = {name: part for name, part in one.items() if name in {"code", "path", "grant"}}
    return {**kept, "words": PROTECTED}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if name not in SENSITIVE_FLAGS}
    if isinstance(value, (list, tuple)):
        return [one for one in value if not (isinstance(one, str) and one in SENSITIVE_FLAGS)]
    if isinstance(value, str) and any(flag in value.split(", ") for flag in SENSITIVE_FLAGS):
        return ", ".join(one for one in value.split(", ") if one not in SENSITIVE_FLAGS)
    return value
