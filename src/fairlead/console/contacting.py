"""What the page of a case shows of contacts with its lead."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fairlead.errors import InputError, NotFoundError
from fairlead.people import Permission, Principal, colleagues_of
from fairlead.sales import TOUCH_WORDS, touches_of

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader


def contacts(reader: Reader, principal: Principal, case_id: str, now: datetime) -> dict[str, Any] | None:
    """Contacts with the lead, which of them may still be taken back; None for a case that is about no lead."""
    try:
        found = touches_of(reader, case_id)
    except (InputError, NotFoundError):
        return None
    removable = {
        one.id
        for one in found
        if one.removable(now) and (one.made_by == str(principal.actor) or principal.can(Permission.CASES_MANAGE))
    }
    return {"items": found, "words": TOUCH_WORDS, "zone": zone_of(reader, principal, now), "removable": removable}


def zone_of(reader: Reader, principal: Principal, now: datetime) -> str:
    """In which zone somebody types a time: that of their working hours, else UTC."""
    found = colleagues_of(reader, [principal.id], now).get(principal.id)
    return found.zone if found and found.zone else "UTC"
