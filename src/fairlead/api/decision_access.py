"""Who may see and change which decision: a key its own, a person with the permission all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.api.timeline import withheld_rulings
from fairlead.checkpoints import Asked, find_asked
from fairlead.errors import NotFoundError
from fairlead.people import Permission, Principal, PrincipalKind
from fairlead.reviews import of_rulings

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader


def require_reading(who: Principal) -> None:
    """ForbiddenError unless the principal may read decisions; a key that may ask may read what it asked."""
    if not (who.kind is PrincipalKind.API_KEY and who.can(Permission.DECISIONS_ASK)):
        who.require(Permission.DECISIONS_READ)


def is_withheld(reader: Reader, who: Principal, decision_id: str) -> bool:
    """Whether its content is kept from this person, since somebody still has to answer without seeing it.

    Programs see what they asked: a key answers nothing.
    """
    return who.kind is PrincipalKind.PERSON and decision_id in withheld_rulings(of_rulings(reader, [decision_id]))


def decision_of(reader: Reader, who: Principal, decision_id: str) -> Asked:
    """The decision; NotFoundError when there is none, or when it is another key's: the two look the same."""
    one = find_asked(reader, decision_id)
    if one is None or (who.kind is PrincipalKind.API_KEY and one.asker != who.id):
        raise NotFoundError("There is no such decision.", decision=decision_id[:64])
    return one
