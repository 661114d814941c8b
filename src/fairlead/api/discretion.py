"""What a decision says, without what only some may know: delicate flags of a customer and rules that read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fairlead.customers import SENSITIVE_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROTECTED = "A rule about a protected fact applied."


def is_delicate(name: str) -> bool:
    """Whether a fact of this name speaks of a delicate flag: `vulnerable`, `is_vulnerable`, `customer_bereaved`."""
    return any(flag in name.lower() for flag in SENSITIVE_FLAGS)


def discreet_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A ruling's record without delicate facts: their values are gone, and reasons that read one no longer say it."""
    values = record["values"]
    hidden = {name for name, value in values.items() if is_delicate(name) or _without(value) != value}
    steps = [{**step, "reasons": [_reason(one, hidden) for one in step["reasons"]]} for step in record["steps"]]
    shown = {name: _without(value) for name, value in values.items() if not is_delicate(name)}
    asked = [one for one in record["needs_information"] if not is_delicate(str(one["fact"]))]
    return {**record, "values": shown, "steps": steps, "needs_information": asked}


def discreet_ruling(row: Any) -> Any:
    """A stored ruling with such a record; every other column stays."""
    return SimpleNamespace(**{**row._mapping, "record": discreet_record(row.record)})  # noqa: SLF001  public in SQLAlchemy


def discreet_pairs(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names and values of facts without delicate ones."""
    return [(name, _without(value)) for name, value in pairs if not is_delicate(name)]


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
