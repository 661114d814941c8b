"""Who did something: the word that stands in the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What sort of actor; a machine is a producer that decides, the system is Fairlead itself."""

    USER = "user"
    API_KEY = "api_key"
    MACHINE = "machine"
    SYSTEM = "system"
    TIMER = "timer"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a user, key or customer id, or the name of a producer or part of the system."""

    kind: ActorKind
    id: str

    def __str__(self) -> str:
        """`kind:id`, as the audit record stores it."""
        return f"{self.kind.value}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Actor:
        """The actor that `str` made `text` of; ValueError for anything else."""
        kind, _, name = text.partition(":")
        return cls(ActorKind(kind), name)


SYSTEM = Actor(ActorKind.SYSTEM, "fairlead")
TIMER = Actor(ActorKind.TIMER, "fairlead")
