"""Flags that say something delicate about a person: who may set them, and who sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import InputError
from fairlead.kit.actors import Actor, ActorKind

SENSITIVE_FLAGS = frozenset({"vulnerable", "bereaved"})
"""Set only by a person, shown only to those who may `sensitive:read`."""
_PERSONS = frozenset({ActorKind.USER, ActorKind.CUSTOMER})


def check_set_by_person(actor: Actor, flag: str) -> None:
    """InputError `inferred_flag` when a program or the system would say something delicate about a person."""
    if flag in SENSITIVE_FLAGS and actor.kind not in _PERSONS:
        message = f"the flag {flag} is never inferred: only a person may set it or take it back"
        raise InputError(message, code="inferred_flag", field="flag", flag=flag)


def is_delicate(name: str) -> bool:
    """Whether a fact of this name speaks of a delicate flag: `vulnerable`, `is_vulnerable`, `customer_bereaved`."""
    return any(flag in name.lower() for flag in SENSITIVE_FLAGS)


def visible_flags(flags: Mapping[str, Any], *, sensitive: bool) -> dict[str, Any]:
    """The flags that may be shown to somebody; `sensitive` when they may see delicate ones."""
    return {name: value for name, value in flags.items() if sensitive or name not in SENSITIVE_FLAGS}


def visible_facts(facts: Mapping[str, Any], *, sensitive: bool) -> dict[str, Any]:
    """Facts of a customer as policies read them (flags as a mapping, as a list, and each under its own name),
    without delicate ones unless `sensitive`.
    """  # fmt: skip
    if sensitive:
        return dict(facts)
    shown = {name: value for name, value in facts.items() if name not in SENSITIVE_FLAGS}
    flags = shown.get("flags")
    if isinstance(flags, Mapping):
        shown["flags"] = visible_flags(flags, sensitive=False)
    elif isinstance(flags, list):
        shown["flags"] = [one for one in flags if one not in SENSITIVE_FLAGS]
    return shown
