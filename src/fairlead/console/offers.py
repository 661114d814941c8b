"""The purposes of the workspace's contact rules as customers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.console.preference_view import Offer
from fairlead.guardrails import PurposeClass

if TYPE_CHECKING:
    from fairlead.guardrails import ContactRules, Purpose

CHANNELS = ("email", "sms", "phone", "chat", "post")


def offers_of(rules: ContactRules) -> list[Offer]:
    """What customers may turn on and off, in the order of the file; what always comes is left out."""
    return [
        Offer(one.name, words_of(one), _channels(one), one.mechanism.value, one.expires, one.double)
        for one in rules.purposes.values()
        if one.cls is not PurposeClass.TRANSACTIONAL
    ]


def always_of(rules: ContactRules) -> list[str]:
    """What comes whatever is chosen, in the workspace's words."""
    return [words_of(one) for one in rules.purposes.values() if one.cls is PurposeClass.TRANSACTIONAL]


def words_of(purpose: Purpose) -> str:
    """What a purpose is called where customers read it."""
    return purpose.words or purpose.name.replace("_", " ").replace("-", " ").capitalize()


def _channels(purpose: Purpose) -> tuple[str, ...]:
    """Known ones in our order, then the workspace's own; a purpose that names none may use every known one."""
    if not purpose.channels:
        return CHANNELS
    return tuple(sorted(purpose.channels, key=lambda one: (CHANNELS.index(one) if one in CHANNELS else 99, one)))
