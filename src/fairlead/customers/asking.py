"""Looking at what the link of a double opt-in asks, before anybody presses it, and whether one is under way."""

from __future__ import annotations

from datetime import datetime

from fairlead.customers import consent_store, lineage
from fairlead.customers.consenting import CONFIRM_WITHIN
from fairlead.customers.consents import Key
from fairlead.customers.model import ConsentState
from fairlead.errors import InputError
from fairlead.kit.links import read_link
from fairlead.kit.unit_of_work import Reader


def asked_by_link(reader: Reader, secret: bytes, token: str, now: datetime) -> tuple[str, Key]:
    """The record and the (purpose, channel) of a link that `ask_consent` made; InputError `link` for any other."""
    parts = read_link(secret, "consent", token, now=now)
    row = consent_store.row_of(reader, parts.get("consent", ""))
    if row is None or row.state != ConsentState.PENDING:
        raise InputError("This link is not valid, or its time is over.", code="link")
    return row.customer_id, (row.purpose, row.channel)


def question_waits(reader: Reader, customer_id: str, key: Key, now: datetime) -> bool:
    """Whether this very purpose and channel was asked about by a link that can still be pressed."""
    said = consent_store.said_of(reader, lineage.families_of(reader, [customer_id])[customer_id])
    return any(
        one.state == ConsentState.PENDING and (one.purpose, one.channel) == key and one.at > now - CONFIRM_WITHIN
        for one in said
    )
