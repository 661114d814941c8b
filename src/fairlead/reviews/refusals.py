"""The clean 409s: who was first, with what, and when."""

from __future__ import annotations

from fairlead.errors import ConflictError, NotFoundError
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.reviews import store
from fairlead.reviews.model import Review
from fairlead.reviews.transitions import Refusal

_WORDS = {"withdrawn": "withdrawn", "expired": "closed because its time ran out"}


def conflict(code: str, words: str, one: Review) -> ConflictError:
    """A refusal that names the review and where it stands."""
    return ConflictError(words, code=code, review=one.id, state=one.state)


def held_by(one: Review, code: str = "claimed") -> ConflictError:
    """Somebody else has this review, or one of the same customer (`customer_in_work`)."""
    who = one.claimer_name or one.claimed_by or "somebody"
    what = "another review of this customer" if code == "customer_in_work" else "this review"
    until = None if one.claimed_until is None else iso(one.claimed_until)
    return ConflictError(
        f"{who} is working on {what}.", code=code, review=one.id, by=one.claimed_by, name=who, until=until
    )


def closed(reader: Reader, one: Review, why: Refusal) -> ConflictError:
    """The review is closed: who decided what, when."""
    last = store.last_closing(reader, one.id)
    if last is None:
        return conflict(why.code, why.words, one)
    who = last.name or last.actor
    words = _WORDS.get(last.verdict, f"decided ({last.verdict})")
    message = f"This review was {words} by {who} at {iso(last.at)}."
    return ConflictError(
        message, code=why.code, review=one.id, state=one.state,
        verdict=last.verdict, by=last.actor, name=who, at=iso(last.at),
    )  # fmt: skip


def lost(reader: Reader, review_id: str, me: str = "") -> ConflictError:
    """Somebody was first between our reading and our writing; says what they did, as far as it can be read
    now.
    """
    one = store.find(reader, review_id)
    if one is None:
        raise NotFoundError("There is no such review.", review=review_id)
    if not one.is_open:
        return closed(reader, one, Refusal(one.state, f"The review is {one.state}."))
    if one.claimed_until is not None and one.claimed_by != me:
        return held_by(one)
    return conflict("changed", "The review was changed by somebody else; look again.", one)
