"""Who an actor of the record is, in a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.errors import NotFoundError
from fairlead.people import get_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.kit.unit_of_work import Reader

_KINDS = {"system": "Fairlead", "timer": "the clock", "api_key": "a program", "customer": "the customer"}


def actor_namer(reader: Reader) -> Callable[[str], str]:
    """Names for actors written as `kind:id`, each looked up once; somebody who is not known is "somebody"."""
    known: dict[str, str] = {}

    def name(actor: str) -> str:
        if actor not in known:
            known[actor] = _name(reader, actor)
        return known[actor]

    return name


def _name(reader: Reader, actor: str) -> str:
    kind, _, who = actor.partition(":")
    if kind == "user":
        try:
            return get_person(reader, who).name
        except NotFoundError:
            return "somebody"
    if kind == "system" and who.startswith("cli:"):
        return f"{who.removeprefix('cli:')} at the command line"
    return _KINDS.get(kind, who or kind)
