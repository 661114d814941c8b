"""The whole story of one review, as far as the person who decides may see it now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from fairlead import audit, reviews
from fairlead.api.discretion import delicate_names, discreet_pairs, discreet_ruling
from fairlead.api.timeline import customer_timeline
from fairlead.checkpoints import explain, read_decision, read_ruling, recall
from fairlead.customers import CustomerFacts, profile, visible_facts
from fairlead.errors import FairleadError, NotFoundError
from fairlead.kit import jsons
from fairlead.kit.facts import Type
from fairlead.playbooks import read_case
from fairlead.reviews import Log, Mode, Review

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fairlead.api.timeline import Line
    from fairlead.checkpoints import CheckpointPolicy
    from fairlead.customers import Profile
    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle, BundleLibrary

MAX_TIMELINE = 20
_OPEN_REASONS = frozenset({"stopped", "fact_missing"})
_MACHINE_SOURCES = frozenset({"signal", "answer"})
_EMPTY: tuple[Any, ...] = (None, "", [])
_FIRST = {
    Mode.BLIND: "This one was drawn to be checked: answer first from the facts alone, then you see the proposal.",
    Mode.HUMAN: "A person answers this without seeing what the machine proposes.",
    Mode.LABEL: "It was drawn by lot. The machine has decided this already; your answer shows how often it is right, "
    "and changes nothing.",
}
_ASKED_BY_CUSTOMER = (
    "The customer asked that a person looks at it. The machine has decided this already; answer as if you were first."
)
_VALUE_FROM = {
    "record": "the customer's record",
    "caller": "the program",
    "nobody": "nobody; it is not known",
}
_MACHINE_FACTS = frozenset({"score", "producer"})
_NUMBERS = frozenset({Type.INT, Type.DOUBLE})


@dataclass(slots=True)
class Story:
    """What a review's page shows; `proposal`, `steps` and the like are empty while they are withheld."""

    review: Review
    ruling: Any
    mode: Mode
    withheld: bool
    policy: CheckpointPolicy | None
    schema: Mapping[str, Any]
    facts: list[tuple[str, Any]]
    found: list[tuple[str, Any]]
    why: str
    proposal: Mapping[str, Any] | None = None
    signals: Mapping[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    customer: Profile | None = None
    timeline: list[Line] = field(default_factory=list)
    siblings: list[Review] = field(default_factory=list)
    busy: Review | None = None
    log: list[Log] = field(default_factory=list)
    decision: Any = None


def read_story(
    reader: Reader, library: BundleLibrary, review: Review, me: str, now: datetime, *, sensitive: bool = False
) -> Story:
    """Read everything about a review; `me` is the person who looks, `sensitive` whether they may see delicate flags.

    An open human or blind review withholds the proposal and whatever would give it away: score, producer,
    signals, facts that steps found, the ruling's steps, earlier answers, everything dated after the ruling.
    """
    ruling = read_ruling(reader, review.ruling_id)
    if not sensitive:
        ruling = discreet_ruling(ruling)
    mode = review.mode
    withheld = review.is_open and mode is not Mode.ASSIST  # then a label's decision is kept back, too
    policy = policy_of(reader, library, review)
    story = Story(
        review, ruling, mode, withheld, policy,
        schema=policy.answer.schema if policy else {},
        facts=[], found=[],
        why=_guarded_why(ruling, policy, mode, appeal=review.is_appeal)
        if withheld
        else explain(recall(ruling.record)),
        decision=None if withheld else read_decision(reader, ruling.id),
        log=[_without_answer(one) if withheld else one for one in reviews.log_of(reader, review.id)],
    )  # fmt: skip
    story.facts, story.found = _facts(reader, review, ruling, policy, withheld=withheld)
    if not withheld:
        story.proposal = ruling.proposal["answer"]
        story.signals = ruling.proposal.get("signals") or {}
        story.steps = ruling.record["steps"]
    if not sensitive:
        hidden = delicate_names(ruling.record)
        story.facts, story.found = (discreet_pairs(pairs, hidden) for pairs in (story.facts, story.found))
    if review.customer_id:
        _add_customer(reader, story, review.customer_id, me, now)
        if story.customer is not None:
            facts = cast("CustomerFacts", visible_facts(story.customer.facts, sensitive=sensitive))
            story.customer = replace(story.customer, facts=facts)
    return story


def policy_of(reader: Reader, library: BundleLibrary, review: Review) -> CheckpointPolicy | None:
    """The policy of the case's version, else the current one; None when neither can be had."""
    bundle: Bundle | None = None
    try:
        bundle = library.load(reader, read_case(reader, review.case_id).bundle) if review.case_id else None
        bundle = bundle or library.current(reader)
    except FairleadError:
        return None
    return bundle.policies.get(review.checkpoint)


def _facts(
    reader: Reader, review: Review, ruling: Any, policy: CheckpointPolicy | None, *, withheld: bool
) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """The stored inputs, what the rules read first; and apart from them what steps found, unless withheld.

    A number that was not given is None, also where the policy has a default for it.
    """
    stored = ruling.facts if review.case_id else _told_by_program(ruling.facts)
    subject = {name: value for name, value in stored.items() if value not in _EMPTY}
    machine = {*ruling.proposal["answer"], *(ruling.proposal.get("signals") or {})}
    arrived = _arrived(reader, review)
    if arrived is None:
        inputs = {fact.field for fact in policy.facts if fact.source == "subject"} if policy else set()
        arrived = {name: value for name, value in subject.items() if name in inputs or name not in machine}
    declared = {fact.name: fact for fact in policy.facts} if policy else {}
    read = {
        name: value
        for name, value in ruling.record["values"].items()
        if name in declared and value not in _EMPTY and _is_input(declared[name], arrived, withheld=withheld)
    }
    defaulted = {name: None for name in read if _not_given(declared[name], ruling.facts)}
    shown = {*read, *(declared[name].field for name in read if declared[name].source == "subject")}
    rest = [(name, value) for name, value in arrived.items() if name not in shown and value not in _EMPTY]
    found = [(name, value) for name, value in subject.items() if name not in arrived and name not in shown]
    known = ruling.proposal["answer"]
    return [*(read | defaulted).items(), *rest], [] if withheld else [pair for pair in found if pair[0] not in known]


def _not_given(fact: Any, subject: Mapping[str, Any]) -> bool:
    """Whether a number is the policy's default: nobody said 0, so nobody may be shown a 0."""
    return fact.type in _NUMBERS and fact.source == "subject" and subject.get(fact.field) is None


def _told_by_program(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the gate noted about a request, in words instead of as it is stored."""
    asked = facts.get("asked")
    if not isinstance(asked, dict):
        return dict(facts)
    rest = {name: value for name, value in facts.items() if name != "asked"}
    said = asked.get("value_from")
    return rest | {
        "asked_by": f"a program ({asked.get('by')})",
        "value_from": _VALUE_FROM.get(str(said), said),
        "flags_stated": ", ".join(asked.get("flags") or ()),
    }


def _is_input(fact: Any, arrived: Mapping[str, Any], *, withheld: bool) -> bool:
    """Whether a declared fact may be shown: while the proposal is withheld, nothing that the machine made."""
    if not withheld:
        return fact.name not in _MACHINE_FACTS
    return fact.source not in _MACHINE_SOURCES and (fact.source != "subject" or fact.field in arrived)


def _arrived(reader: Reader, review: Review) -> dict[str, Any] | None:
    return arrived_facts(reader, review.case_id) if review.case_id else None


def arrived_facts(reader: Reader, case_id: str) -> dict[str, Any]:
    """The case's facts as it arrived, before any step added to them; {} when the record of it was erased."""
    for entry in audit.history(reader, [case_id], 500):
        if entry.verb == "case.opened" and entry.body is not None:
            return dict(jsons.loads(entry.body).get("facts") or {})
    return {}


def _guarded_why(ruling: Any, policy: CheckpointPolicy | None, mode: Mode, *, appeal: bool) -> str:
    """The reasons that tell nothing of what the machine thinks."""
    told = [_ASKED_BY_CUSTOMER if appeal else _FIRST[mode]]
    machine = _MACHINE_FACTS | {f.name for f in (policy.facts if policy else ()) if f.source in _MACHINE_SOURCES}
    for step in ruling.record["steps"] if mode is Mode.HUMAN else ():
        for reason in step["reasons"]:
            tells = (
                reason["code"] == "rule" and policy is not None and not machine.intersection(reason.get("reads", ()))
            )
            if (tells or reason["code"] in _OPEN_REASONS) and reason.get("words"):
                told.append(reason["words"])
    if ruling.record["needs_information"]:
        missing = ", ".join(str(one["fact"]).replace("_", " ") for one in ruling.record["needs_information"])
        told.append(f"Information is missing: {missing}.")
    return " ".join(told)


def _without_answer(one: Log) -> Log:
    return Log(
        one.id,
        one.review_id,
        one.verdict,
        one.actor,
        one.name,
        None,
        one.reason,
        one.digest,
        one.at,
        one.undone_at,
    )


def _add_customer(reader: Reader, story: Story, customer_id: str, me: str, now: datetime) -> None:
    try:
        story.customer = profile(reader, customer_id, now)
    except NotFoundError:
        return
    if story.withheld and story.mode is Mode.LABEL:
        # The customer as they are now may show what the machine did; that is no input of the decision.
        facts = story.customer.facts
        empty: dict[str, Any] = {"flags": {}, "consents": {}, "suppressed": [], "unsubscribed": [], "verified": []}
        empty["identity_checked"] = False
        then = cast("CustomerFacts", {**facts, "owner": None, **empty})
        story.customer = replace(story.customer, identities=(), facts=then)
    # An automatic decision has the time of its ruling, and must not be told to who answers it blind.
    mark = (story.ruling.created_at, story.ruling.id) if story.withheld else None
    erased = story.customer.erased_at is not None
    story.timeline = customer_timeline(reader, customer_id, MAX_TIMELINE, before=mark, erased=erased)
    story.siblings = reviews.siblings(reader, story.review)
    story.busy = next((one for one in story.siblings if one.held_by_other(me, now)), None)
