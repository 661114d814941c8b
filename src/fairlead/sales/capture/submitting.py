"""What becomes of a posted form: a lead, the same lead again, or a count of what was refused."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from fairlead.customers import (
    ConsentRecord,
    ConsentState,
    Standing,
    TimelineNote,
    consents_of,
    facts_of,
    note_many,
    publish_notice,
    record_consent,
    record_privacy_signal,
    standing_for,
)
from fairlead.guardrails import current_rules
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle
from fairlead.sales import store as sales_store
from fairlead.sales.capture import store
from fairlead.sales.capture.answers import Answers
from fairlead.sales.capture.confirming import ConfirmLinks, Question, ask_by_message
from fairlead.sales.capture.forms import Consent, Form
from fairlead.sales.capture.spam import spam_signs, text_digest
from fairlead.sales.capture.taking import lead_of, take_lead
from fairlead.sales.capture.tokens import token_digest

SAME_TEXT_WITHIN = timedelta(days=1)
_DOUBLY = "double_opt_in"
_KIND = {"email": "email"}
"""By which kind of identity a consent's channel reaches somebody; the others by telephone."""


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
    uow: UnitOfWork, bundle: Bundle, form: Form, answers: Answers, token: str, *, links: ConfirmLinks,
    private: bool = False,
) -> Submitted:  # fmt: skip
    """Take a form in; its answers have no errors and its token is a good one, used or not.

    `links` make the link by which a consent to a purpose with `double: true` is confirmed. `private`: the browser
    asked by Global Privacy Control that nothing is sold or shared. A lead that looks like spam is a lead, with the
    fact `suspected_spam` for the policy to act on.
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
    agreed = form.consent if answers.consented and not signs else None
    if agreed is not None:
        to = dict(draft.identities).get(_KIND.get(agreed.channel, "phone"), "")
        _consent(uow, bundle, form, actor, _Ticked(taken.customer_id, agreed, to), links)
    values = {
        "id": new_id("sub"), "form": form.name, "token_digest": used, "content_digest": content,
        "text_digest": text, "lead_id": taken.lead_id, "customer_id": taken.customer_id, "is_new": taken.is_new,
        "signs": list(signs), "notice_digest": agreed.digest if agreed else None, "at": uow.now,
    }  # fmt: skip
    store.insert_submission(uow, values)
    note_many(uow, [TimelineNote(taken.customer_id, "form", f"Filled in the form “{form.title}”.", taken.lead_id)])
    _record(uow, actor, form, taken.customer_id, values["id"], taken.is_new)
    return Submitted(Outcome.TAKEN if taken.is_new else Outcome.KNOWN, taken.lead_id)


class _Ticked(NamedTuple):
    """A box that was ticked, for whom, and the address that was typed beside it; "" without one."""

    customer_id: str
    consent: Consent
    address: str


def _consent(
    uow: UnitOfWork, bundle: Bundle, form: Form, actor: Actor, ticked: _Ticked, links: ConfirmLinks
) -> None:  # fmt: skip
    """Keep what was ticked with what was shown; where the purpose says so, as a question to the address itself.

    Anybody can type anybody's address. Where its owner withdrew this consent, the tick alone does not bring it
    back: it is noted, for a person to ask.
    """
    known = facts_of(uow, [ticked.customer_id], uow.now).get(ticked.customer_id)
    if known is None or known["erased"]:
        return
    consent, customer_id = ticked.consent, known["id"]
    before = standing_for(consents_of(uow, [customer_id], uow.now)[customer_id], consent.purpose, consent.channel)
    if before is not None and before.state == ConsentState.WITHDRAWN:
        _note(uow, form, ticked, "having withdrawn it before. It stays withdrawn until somebody has asked.")
        return
    rules = current_rules(uow)
    purpose = rules.purposes.get(consent.purpose)
    double = purpose is not None and purpose.double
    if double and _confirmed(before):
        return
    proof = {
        "form": form.name, "bundle": bundle.digest, "language": form.language, "notice": consent.notice,
        "notice_version": consent.version, "notice_digest": consent.digest,
    }  # fmt: skip
    shown = publish_notice(uow, actor, f"form/{form.name}", form.language, consent.notice)
    said = ConsentRecord(
        consent.purpose, consent.channel, ConsentState.GIVEN, "web_form", f"form {form.name}", proof, shown.id
    )
    if not double:
        record_consent(uow, actor, customer_id, said)
        return
    about = Question(customer_id, ticked.address, form.language, bundle.name)
    if ask_by_message(uow, actor, rules, said, about, links):
        _note(uow, form, ticked, "and was asked to confirm it by the link of a message. Nothing is given before.")
    else:
        _note(uow, form, ticked, "and was not written to again: a question waits, or no message can carry one.")


def _confirmed(before: Standing | None) -> bool:
    """Whether the address itself said yes, so that there is nothing to ask."""
    return before is not None and before.state == ConsentState.GIVEN and before.mechanism == _DOUBLY


def _note(uow: UnitOfWork, form: Form, ticked: _Ticked, rest: str) -> None:
    consent = ticked.consent
    words = f"Ticked “{consent.purpose}” by {consent.channel} on the form “{form.title}”, {rest}"
    note_many(uow, [TimelineNote(ticked.customer_id, "consent", words)])


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
