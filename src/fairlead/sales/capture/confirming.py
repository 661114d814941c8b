"""Asking by a message whether a consent that was ticked is wanted: nothing is given before its link is pressed."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.actions import MESSAGE, ActionDraft, queue_many
from fairlead.customers import CONFIRM_WITHIN, ConsentRecord, ask_consent, question_waits
from fairlead.guardrails import ContactRules, Mechanism, PurposeClass
from fairlead.kit.actors import Actor
from fairlead.kit.links import read_link
from fairlead.kit.unit_of_work import UnitOfWork

TEMPLATE = "confirm-consent"
KIND = "consent.confirmation"
CONSENT = "consent"
BY = {"email": "email", "phone": "sms", "sms": "sms", "whatsapp": "sms"}
"""By which channel the address of a consent's channel can be sent a link."""


class ConfirmLinks(NamedTuple):
    """What the links of a double opt-in are made of: the installation's secret and its public address."""

    secret: bytes
    public_url: str


class Question(NamedTuple):
    """Who asks whom, where, and in which language; `to` "" is the customer's first address of the channel."""

    customer_id: str
    to: str
    language: str
    company: str


def carrier_of(rules: ContactRules, channel: str) -> str | None:
    """The purpose that a confirmation by this channel goes out under: it answers a request, so a transactional one.

    Of several the one of the highest priority, then the first of the file; None where the rules have none.
    """
    fit = [
        one for one in rules.purposes.values()
        if one.cls is PurposeClass.TRANSACTIONAL and one.mechanism is Mechanism.NOTICE_ONLY
        and (not one.channels or channel in one.channels)
    ]  # fmt: skip
    return max(fit, key=lambda one: one.priority).name if fit else None


def ask_by_message(
    uow: UnitOfWork, actor: Actor, rules: ContactRules, asked: ConsentRecord, about: Question, links: ConfirmLinks
) -> bool:
    """Write the question down and queue the one message with its link; it passes the gate like every other.

    False when nothing was asked: a question about the same still waits for its answer, so that nobody's mailbox is
    filled by other people's forms, or the contact rules leave no way to send one.
    """
    channel = BY.get(asked.channel, asked.channel)
    carrier = carrier_of(rules, channel)
    if carrier is None or question_waits(uow, about.customer_id, (asked.purpose, asked.channel), uow.now):
        return False
    token = ask_consent(uow, actor, about.customer_id, asked, links.secret)
    purpose = rules.purposes[asked.purpose]
    body = {
        "channel": channel, "purpose": carrier, "sender": "api", "automatic": True, "template": TEMPLATE,
        "language": about.language,
        "fields": {
            "confirm_url": f"{links.public_url}/c/{token}", "company": about.company,
            "purpose": purpose.words or purpose.name.replace("_", " ").replace("-", " ").capitalize(),
            "days": CONFIRM_WITHIN.days,
        },
    }  # fmt: skip
    if about.to:
        body["to"] = about.to
    key = f"confirm/{read_link(links.secret, CONSENT, token, now=uow.now)[CONSENT]}"
    ends = uow.now + CONFIRM_WITHIN
    draft = ActionDraft(key, MESSAGE, KIND, body, customer_id=about.customer_id, expires_at=ends)
    queue_many(uow, [draft])
    return True
