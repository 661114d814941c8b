"""What becomes of a posted form: a lead, the same lead again, or a count of what was refused."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fairlead.customers import (
    ConsentRecord,
    ConsentState,
    TimelineNote,
    facts_of,
    note_many,
    publish_notice,
    record_consent,
    record_privacy_signal,
)
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle
from fairlead.sales import store as sales_store
from fairlead.sales.capture import store
from fairlead.sales.capture.answers import Answers
from fairlead.sales.capture.forms import Form
from fairlead.sales.capture.spam import spam_signs, text_digest
from fairlead.sales.capture.taking import lead_of, take_lead
from fairlead.sales.capture.tokens import token_digest

SAME_TEXT_WITHIN = timedelta(days=1)


class Outcome(StrEnum):
    """What became of a good post."""

    TAKEN = "taken"
    KNOWN = "known"
    """The same had been sent in today; nothing was added."""
    REPEATED = "repeated"
    """The very post had come before, as by a double click; nothing was added."""
    REPLAYED = "replayed"
    """Its token had been used for something else; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """`lead_id` is empty for what was replayed."""

    outcome: Outcome
    lead_id: str = ""


def submit(
    uow: UnitOfWork, bundle: Bundle, form: Form, answers: Answers, token: str, *, private: bool = False
) -> Submitted:
    """Take a form in; its answers have no errors and its token is a good one, used or not.

    `private`: the browser asked by Global Privacy Control that nothing is sold or shared. A lead that looks like spam
    is a lead, with the fact `suspected_spam` for the policy to act on.
    """
    sales_store.take_turn(uow, form.playbook)
    used = token_digest(token)
    content = hashlib.sha256(jsons.dumps([dict(answers.typed), answers.consented]).encode()).hexdigest()
    earlier = store.submission_with(uow, used)
    if earlier is not None:
        same = earlier.form == form.name and earlier.content_digest == content
        return Submitted(Outcome.REPEATED, earlier.lead_id) if same else Submitted(Outcome.REPLAYED)
    text = text_digest(form, answers.typed)
    signs = spam_signs(form, answers.typed, store.same_text(uow, form.name, text, uow.now - SAME_TEXT_WITHIN))
    fields, attributes = answers.lead(form)
    # The day is part of the lead, so that who writes the same again next month is a new lead.
    attributes |= {"form": form.name, "submitted_on": uow.now.date().isoformat()}
    source = f"form {form.name}"
    draft = lead_of(fields, attributes, bundle.currency, country=form.country, source=source)
    actor = Actor(ActorKind.CUSTOMER, f"form:{form.name}")
    more = {"suspected_spam": True, "spam_signs": list(signs)} if signs else {}
    taken = take_lead(uow, actor, bundle, form.playbook, draft, source=source, more=more)
    if private and not _erased(uow, taken.customer_id):
        record_privacy_signal(uow, actor, taken.customer_id, source=source, where=f"/forms/{form.name}")
    agreed = answers.consented and form.consent is not None and not signs
    if agreed:
        _consent(uow, bundle, form, actor, taken.customer_id)
    values = {
        "id": new_id("sub"), "form": form.name, "token_digest": used, "content_digest": content,
        "text_digest": text, "lead_id": taken.lead_id, "customer_id": taken.customer_id, "is_new": taken.is_new,
        "signs": list(signs), "notice_digest": form.consent.digest if agreed and form.consent else None, "at": uow.now,
    }  # fmt: skip
    store.insert_submission(uow, values)
    note_many(uow, [TimelineNote(taken.customer_id, "form", f"Filled in the form “{form.title}”.", taken.lead_id)])
    _record(uow, actor, form, taken.customer_id, values["id"], taken.is_new)
    return Submitted(Outcome.TAKEN if taken.is_new else Outcome.KNOWN, taken.lead_id)


def _consent(uow: UnitOfWork, bundle: Bundle, form: Form, actor: Actor, customer_id: str) -> None:
    """Keep what was ticked with what was shown.

    Anybody can type anybody's address. Where its owner withdrew this consent, the tick alone does not bring it
    back: it is noted, for a person to ask.
    """
    consent = form.consent
    assert consent is not None  # noqa: S101  the caller looked
    known = facts_of(uow, [customer_id], uow.now).get(customer_id)
    before = known["consents"].get(consent.purpose, {}).get(consent.channel) if known else None
    if known and known["erased"]:
        return
    if before == ConsentState.WITHDRAWN:
        words = (
            f"Ticked “{consent.purpose}” by {consent.channel} on the form “{form.title}”, having withdrawn it before. "
            "It stays withdrawn until somebody has asked."
        )
        note_many(uow, [TimelineNote(customer_id, "consent", words)])
        return
    proof = {
        "form": form.name, "bundle": bundle.digest, "language": form.language, "notice": consent.notice,
        "notice_version": consent.version, "notice_digest": consent.digest,
    }  # fmt: skip
    shown = publish_notice(uow, actor, f"form/{form.name}", form.language, consent.notice)
    given = ConsentRecord(
        consent.purpose, consent.channel, ConsentState.GIVEN, "web_form", f"form {form.name}", proof, shown.id
    )
    record_consent(uow, actor, customer_id, given)


def _erased(uow: UnitOfWork, customer_id: str) -> bool:
    known = facts_of(uow, [customer_id], uow.now).get(customer_id)
    return known is not None and known["erased"]


def _record(uow: UnitOfWork, actor: Actor, form: Form, customer_id: str, submission: object, is_new: bool) -> None:  # noqa: FBT001
    payload = {"form": form.name, "is_new": is_new}
    uow.record(AuditEntry("form.submitted", str(submission), payload, customer_id, actor))


class RefusalCounter:
    """Refused posts, counted in memory and written now and then: a flood must not become a flood of writes.

    What is not written yet is lost with the process: at most what came in the last ten seconds.
    """

    def __init__(self, *, every: timedelta = timedelta(seconds=10)) -> None:
        """`every`: how long a count may stay in memory while further posts come."""
        self._every = every
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._written_at: datetime | None = None

    def add(self, form: str, kind: str) -> None:
        """Count one; `form` is a deployed form's name, so their number is bounded."""
        with self._lock:
            self._counts[form, kind] += 1

    def pending(self) -> dict[tuple[str, str], int]:
        """What is not written yet."""
        with self._lock:
            return dict(self._counts)

    def take(self, now: datetime) -> dict[tuple[str, str], int]:
        """The counts to write now, each given once; empty while the last writing is less than `every` ago."""
        with self._lock:
            if not self._counts or (self._written_at is not None and now - self._written_at < self._every):
                return {}
            self._written_at = now
            counts, self._counts = self._counts, Counter()
            return dict(counts)

    def give_back(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Counts that could not be written."""
        with self._lock:
            self._counts.update(counts)
