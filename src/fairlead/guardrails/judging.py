"""The decision of the gate, pure: rules, the message, what is known and the moment give one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fairlead.guardrails import caps
from fairlead.guardrails.hours import is_quiet, opens_at, zone_named
from fairlead.guardrails.model import (
    Attempt,
    Checked,
    Code,
    Consent,
    GateAnswer,
    Known,
    Mechanism,
    PurposeClass,
    Verdict,
)
from fairlead.guardrails.rules import Cap, ContactRules, Lift, Purpose, QuietWindow, WhenFull
from fairlead.kit.clock import iso
from fairlead.kit.words import counted

COMPLAINT = "complaint_open"
RESTRICTED = "restricted"
LOOK_AGAIN = timedelta(hours=6)
"""After how long a held message is asked about again when nobody can foresee what ends the hold."""
_LOOKS = 64


class Finding(NamedTuple):
    """What one check says; `verdict` None: it does not stop the message. `again` is when it may have changed."""

    code: str
    words: str
    verdict: Verdict | None = None
    again: datetime | None = None


PASSED = "passed"


def _passed(words: str) -> Finding:
    return Finding(PASSED, words)


def _refused(code: Code, words: str) -> Finding:
    return Finding(code, words, Verdict.REFUSED)


def _held(code: Code, words: str, again: datetime | None) -> Finding:
    return Finding(code, words, Verdict.HELD, again)


@dataclass(frozen=True)
class _Question:
    rules: ContactRules
    attempt: Attempt
    known: Known
    since: datetime
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def purpose(self) -> Purpose | None:
        return self.rules.purposes.get(self.attempt.purpose)

    @cached_property
    def cls(self) -> PurposeClass:
        """Strict where the purpose is unknown: as a promotion."""
        return self.purpose.cls if self.purpose else PurposeClass.PROMOTIONAL

    @cached_property
    def zones(self) -> list[ZoneInfo]:
        found = [zone for name in self.known.zones if (zone := zone_named(name)) is not None]
        return found or [self.workspace_zone]

    @cached_property
    def workspace_zone(self) -> ZoneInfo:
        return zone_named(self.rules.time_zone) or ZoneInfo("UTC")

    @cached_property
    def zone_words(self) -> str:
        if not self.known.zones:
            return f"the workspace's zone {self.rules.time_zone}, as nothing is known of the customer's place"
        return ", ".join(self.known.zones[:3]) + (" …" if len(self.known.zones) > 3 else "")  # noqa: PLR2004 - a line


Check = Callable[[_Question, datetime], Finding]


def judge(rules: ContactRules, attempt: Attempt, known: Known, now: datetime) -> GateAnswer:
    """Whether the message may go out at `now`; the checks in their order, up to the first that stops it.

    `allowed_at` is found by asking again at each moment at which the check that stopped it may have changed.
    """
    question = _Question(rules, attempt, known, attempt.since or now)
    checks = tuple(_made(question, now))
    last = checks[-1][1]
    facts = _facts(question)
    shown = tuple(Checked(name, finding.code, finding.words) for name, finding in checks)
    if last.verdict is None:
        return GateAnswer(Verdict.ALLOWED, Code.ALLOWED, "Nothing stands against it.", now, facts, shown)
    if last.verdict is Verdict.REFUSED:
        return GateAnswer(Verdict.REFUSED, Code(last.code), last.words, None, facts, shown)
    again = last.again or now + LOOK_AGAIN
    allowed_at = _allowed_at(question, last.again)
    return GateAnswer(Verdict.HELD, Code(last.code), last.words, allowed_at, facts, shown, ask_again_at=again)


def _made(question: _Question, moment: datetime) -> Iterator[tuple[str, Finding]]:
    for name, check in CHECKS.items():
        finding = check(question, moment)
        yield name, finding
        if finding.verdict is not None:
            return


def _allowed_at(question: _Question, moment: datetime | None) -> datetime | None:
    for _ in range(_LOOKS):
        if moment is None:
            return None
        later = _Question(question.rules, question.attempt, question.known, question.since)
        *_, (_, last) = _made(later, moment)
        if last.verdict is None:
            return moment
        moment = last.again if last.verdict is Verdict.HELD else None
    return None


def _facts(question: _Question) -> dict[str, Any]:
    return {
        "rules": question.rules.version,
        "class": question.cls.value,
        "automatic": question.attempt.automatic,
        **question.facts,
    }


def _address(question: _Question, _now: datetime) -> Finding:
    own = question.known.own_address
    if not question.known.usable:
        return _refused(Code.UNUSABLE_ADDRESS, f"What was given is no address for {question.attempt.channel}.")
    if own is False and not question.known.address:
        words = f"The customer has no address for {question.attempt.channel}."
        return _refused(Code.NO_ADDRESS, words)
    if own is False:
        return _refused(Code.ADDRESS_OF_ANOTHER, "The address is not one of this customer's.")
    if own is None:
        return _passed(f"Addresses for {question.attempt.channel} are not kept, so nobody can tell whose it is.")
    if not question.known.customer:
        return _passed("The address belongs to no customer that we know.")
    return _passed("The address is the customer's.")


def _suppression(question: _Question, _now: datetime) -> Finding:
    if question.known.suppressed is None:
        return _passed("The address is not suppressed.")
    scope, reason = question.known.suppressed
    question.facts["suppressed"] = {"scope": scope, "reason": reason}
    if scope == "promotional" and question.cls is not PurposeClass.PROMOTIONAL:
        return _passed(f"The address is suppressed for promotions alone ({reason}).")
    return _refused(Code.SUPPRESSED, f"The address is suppressed: {reason}.")


def _purpose(question: _Question, _now: datetime) -> Finding:
    name, channel = question.attempt.purpose, question.attempt.channel
    if question.purpose is None:
        return _refused(Code.UNKNOWN_PURPOSE, f"The contact rules know no purpose {name!r}.")
    if question.purpose.channels and channel not in question.purpose.channels:
        allowed = ", ".join(sorted(question.purpose.channels))
        words = f"Messages for {name!r} do not go out by {channel}, only by {allowed}."
        return _refused(Code.CHANNEL_NOT_FOR_PURPOSE, words)
    return _passed(f"{name!r} is {question.cls.value.replace('_', ' ')} and may go out by {channel}.")


def _person(question: _Question, _now: datetime) -> Finding:
    if question.known.erased:
        return _refused(Code.ERASED, "The customer was erased.")
    by_hand = not question.attempt.automatic and question.cls is PurposeClass.TRANSACTIONAL
    if RESTRICTED in question.known.flags and not by_hand:
        words = "Processing is restricted: only a person may write, and only about a request."
        return _refused(Code.RESTRICTED, words)
    return _passed("Neither erased nor restricted.")


def standing_consent(known: Known, purpose: str, channel: str) -> Consent | None:
    """The newest word about this purpose and channel, or about all of either; None: nothing was ever said."""
    keys = ((purpose, channel), (purpose, "*"), ("*", channel), ("*", "*"))
    said = [known.consents[key] for key in keys if key in known.consents]
    return max(said, key=lambda one: (one.at, one.state == "withdrawn"), default=None)


_NEEDS = {
    Mechanism.OPT_IN: "needs a yes",
    Mechanism.OPT_OUT: "needs no yes, and stops at a no",
    Mechanism.NOTICE_ONLY: "needs no yes",
}


def _consent(question: _Question, now: datetime) -> Finding:
    purpose, attempt = question.purpose, question.attempt
    assert purpose is not None  # noqa: S101  the check before would have stopped it
    if purpose.cls is PurposeClass.TRANSACTIONAL and purpose.mechanism is Mechanism.NOTICE_ONLY:
        return _passed("It concerns an order or a request and rests on no consent.")
    said = standing_consent(question.known, attempt.purpose, attempt.channel)
    state = _state(said, purpose, now)
    question.facts["consent"] = {"state": state, "at": iso(said.at) if said else None}
    stopped = {
        "withdrawn": (Code.WITHDRAWN, "The customer has withdrawn"),
        "pending": (Code.CONSENT_PENDING, "The customer was asked and has not confirmed"),
        "expired": (Code.CONSENT_EXPIRED, "The customer's yes has expired"),
    }
    if state in stopped:
        code, words = stopped[state]
        assert said is not None  # noqa: S101  nothing said has no such state
        return _refused(
            code, f"{words} for {purpose.name!r} by {attempt.channel} (since {said.at:%Y-%m-%d %H:%M} UTC)."
        )
    if state == "none" and purpose.mechanism is Mechanism.OPT_IN:
        return _refused(Code.NO_CONSENT, f"{purpose.name!r} needs a yes for {attempt.channel}, and there is none.")
    words = "there is one" if state == "given" else "nothing was said against it"
    return _passed(f"{purpose.name!r} {_NEEDS[purpose.mechanism]}; {words}.")


def _state(said: Consent | None, purpose: Purpose, now: datetime) -> str:
    if said is None:
        return "none"
    if said.state != "given":
        return said.state
    ends = [said.expires_at] if said.expires_at else []
    ends += [said.at + purpose.expires] if purpose.expires else []
    if ends and min(ends) <= now:
        return "expired"
    return "pending" if purpose.double and not said.doubly else "given"


def _pause(question: _Question, now: datetime) -> Finding:
    if question.cls is PurposeClass.TRANSACTIONAL:
        return _passed("A pause does not concern what is about an order or a request.")
    ends = [w.paused_until for w in _wishes(question) if w.paused_until is not None and w.paused_until > now]
    if not ends:
        return _passed("The customer has not paused it.")
    return _held(Code.PAUSED, f"The customer has paused it until {max(ends):%Y-%m-%d %H:%M} UTC.", max(ends))


def _wishes(question: _Question) -> list[Any]:
    attempt = question.attempt
    fits = ({attempt.purpose, "*"}, {attempt.channel, "*"})
    return [one for one in question.known.wishes if one.purpose in fits[0] and one.channel in fits[1]]


def _human_only(question: _Question, _now: datetime) -> Finding:
    rules = question.rules
    flagged = question.cls in rules.human_classes and any(one in question.known.flags for one in rules.human_flags)
    if flagged and question.attempt.automatic:
        # Which flag it is stays with those who may see it.
        return _refused(Code.HUMAN_ONLY, "Only a person may write to this customer.")
    return _passed("A person wrote or approved it." if flagged else "No flag keeps machines from writing.")


def _quiet_hours(question: _Question, now: datetime) -> Finding:
    windows = [one for one in question.rules.quiet if _concerns(question, one)]
    shut = [(one, zone) for one in windows for zone in question.zones if is_quiet(one, zone, now)]
    question.facts["zones"] = list(question.known.zones) or [question.rules.time_zone]
    question.facts["zones_from"] = question.known.zone_evidence or "workspace"
    if not shut:
        return _passed(f"No quiet hours now ({question.zone_words}).")
    again = _open(question, windows, now)
    window, zone = shut[0]
    words = f"Quiet hours {window.name!r}: it is {now.astimezone(zone):%H:%M} in {zone.key} ({question.zone_words})."
    return _held(Code.QUIET_HOURS, words, again)


def _concerns(question: _Question, window: QuietWindow) -> bool:
    known, attempt, cls = question.known, question.attempt, question.cls
    if cls not in window.applies_to or (window.channels and attempt.channel not in window.channels):
        return False
    if window.countries and known.countries and window.countries.isdisjoint(known.countries):
        return False
    if window.zones and known.zones and window.zones.isdisjoint(known.zones):
        return False
    if window.flags and window.flags.isdisjoint(known.flags):
        return False
    said = standing_consent(known, attempt.purpose, attempt.channel)
    lifted = {
        Lift.REPLY: attempt.reply and cls is PurposeClass.TRANSACTIONAL,
        Lift.CONSENT: said is not None and said.state == "given",
        Lift.PERSON: not attempt.automatic,
    }
    return not any(lifted[one] for one in window.lifted_by)


def _open(question: _Question, windows: list[QuietWindow], now: datetime) -> datetime | None:
    moment: datetime | None = now
    for _ in range(_LOOKS):
        shut = [
            (one, zone) for one in windows for zone in question.zones if moment and is_quiet(one, zone, moment)
        ]  # fmt: skip
        if not shut or moment is None:
            return moment
        opens = [opens_at(one, zone, moment) for one, zone in shut]
        moment = None if None in opens else max(one for one in opens if one)
    return None


def _complaint(question: _Question, _now: datetime) -> Finding:
    if COMPLAINT in question.known.flags and question.cls in question.rules.complaint_off:
        return _held(Code.COMPLAINT_OPEN, "A complaint of the customer is open.", None)
    return _passed("No open complaint stands against it.")


def _holdout(question: _Question, _now: datetime) -> Finding:
    if question.known.held_out and question.cls in question.rules.holdout_classes:
        return _refused(Code.HOLDOUT, "The customer was drawn into the group that is not written to.")
    return _passed("Not in the holdout group.")


def _cap(question: _Question, now: datetime) -> Finding:
    known = question.known
    bound = caps.binding(question.rules, question.attempt, question.cls, _wishes(question))
    if not known.sent_all and bound:
        return _held(Code.CAP, "More was sent to this customer than is counted.", None)
    full = [one for cap in bound if (one := _fullness(question, cap, now)) is not None]
    question.facts["caps"] = [cap.name for cap in bound]
    if not full:
        return _passed(f"A place is free under {counted(len(bound), 'cap')}." if bound else "No cap concerns it.")
    question.facts["full"] = [_shown(one) for one in full]
    lost = next((one for one in full if caps.drops(one, now, question.since)), None)
    if lost is not None:
        late = lost.free_at is not None and lost.cap.when_full is not WhenFull.DROP
        ending = "a place comes too late for it" if late else "it is dropped"
        return _refused(Code.CAP, f"Cap {lost.cap.name!r} is full ({lost.taken} of {lost.cap.most}); {ending}.")
    last = max(full, key=lambda one: one.free_at or now)
    words = f"Cap {last.cap.name!r} is full ({last.taken} of {last.cap.most}); it waits for a place."
    return _held(Code.CAP, words, last.free_at)


def _fullness(question: _Question, cap: Cap, now: datetime) -> caps.Full | None:
    zones = question.zones if cap.by_customer else [question.workspace_zone]
    return caps.fullness(cap, caps.counted(cap, question.known.sent), now, zones)


def _shown(full: caps.Full) -> dict[str, Any]:
    free = iso(full.free_at) if full.free_at else None
    return {
        "cap": full.cap.name, "taken": full.taken, "most": full.cap.most, "free_at": free,
        "when_full": full.cap.when_full.value,
    }  # fmt: skip


CHECKS: dict[str, Check] = {
    "address": _address,
    "suppression": _suppression,
    "purpose": _purpose,
    "person": _person,
    "consent": _consent,
    "pause": _pause,
    "human_only": _human_only,
    "quiet_hours": _quiet_hours,
    "complaint": _complaint,
    "holdout": _holdout,
    "cap": _cap,
}
"""In the order in which they are made; the first that stops a message gives its reason."""
