"""Who is told of a contact: whatever waits for it about the customer, and the customer's timeline."""

from __future__ import annotations

from datetime import timedelta

from fairlead.customers import TimelineNote, note_many
from fairlead.kit.events import Event, drop, publish
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.sales.nurture.touch_model import KIND_WORDS, Touch

TOUCHED = "touched"
"""Type of the event about the customer that a contact publishes; playbooks may wait for it."""
_AFTER = timedelta(microseconds=1)


def tell(uow: UnitOfWork, touch: Touch, customer_id: str | None) -> None:
    """Publish the event and note it on the timeline; nothing for a lead without a customer."""
    if customer_id is None:
        return
    note_many(uow, [TimelineNote(customer_id, "touch", KIND_WORDS[touch.kind], touch.case_id)])
    told = {"case": touch.case_id, "lead": touch.lead, "touch": touch.id, "kind": touch.kind.value}
    publish(uow, Event(TOUCHED, customer_id, told, id=_event_id(touch), at=touch.at))


def take_word_back(uow: UnitOfWork, touch: Touch, customer_id: str | None) -> None:
    """Drop the event and say so on the timeline; a case that went on with it does not come back."""
    drop(uow, TOUCHED, [_event_id(touch)], uow.now + _AFTER)
    if customer_id:
        words = f"{KIND_WORDS[touch.kind]} taken back: it was logged by mistake"
        note_many(uow, [TimelineNote(customer_id, "touch", words, touch.case_id)])


def _event_id(touch: Touch) -> str:
    return f"touched/{touch.id}"
