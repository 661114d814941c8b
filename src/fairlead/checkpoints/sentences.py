"""A ruling in sentences: in full for staff, and in words that are fit for the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.checkpoints.model import Path
from fairlead.kit import jsons

if TYPE_CHECKING:
    from fairlead.checkpoints.record import Reason, Ruling

MAX_SHOWN = 80

_OUTCOMES = {
    Path.AUTO: "Decided automatically.",
    Path.ASSIST: "A person sees the proposal and decides.",
    Path.HUMAN: "A person answers without seeing the proposal.",
    Path.BLOCKED: "Refused; nobody may approve it in this case.",
}
_CUSTOMER_OUTCOMES = {
    Path.AUTO: "This was decided automatically, under rules that people set and check.",
    Path.ASSIST: "A person looks at this before anything is decided.",
    Path.HUMAN: "A person decides this.",
    Path.BLOCKED: "We cannot do this.",
}
_ASK_AGAIN = "You can ask us to have a person look at it."
_TAKE_PART = "We still need some information before this can go on."
_SENTENCES = {
    "stopped": "The stop switch of this {detail} is on.",
    "fact_missing": "Information is missing: {detail}.",
    "rule_failed": "Rule {rule} could not be evaluated ({detail}), so a person decides.",
    "segment_failed": "The segment could not be told ({detail}), so a person decides.",
    "deterministic": "This checkpoint is deterministic, as signed: it needs no grant.",
    "no_grant": "No grant for {producer} in segment {segment}, so it only runs in shadow.",
    "grant_expired": "Grant {grant} has expired, so {producer} only runs in shadow.",
    "shadow": "Grant {grant} keeps {producer} in shadow.",
    "grant_policy_changed": "Grant {grant} was given under another policy version; until certified again "
    "it allows assist at most.",
    "assist_only": "Grant {grant} allows assist, not auto.",
    "score_missing": "The proposal has no usable score, and grant {grant} asks for {detail} or more.",
    "score_below": "The score {score} is below {detail}, which grant {grant} asks for.",
    "score_enough": "The score {score} reaches {detail}, which grant {grant} asks for.",
    "arm": "Experiment {detail} assigned this path at most.",
    "price": "Review is worth its time here: {detail}.",
    "price_not_reached": "Review is not worth its time here: {detail}.",
    "price_unknown": "The capacity price changed nothing: {detail}.",
    "price_not_in_experiments": "The capacity price does not apply inside an experiment.",
}
_SILENT = {"least_strict", "price_unknown", "price_not_in_experiments"}


def explain(ruling: Ruling) -> str:
    """Every reason that counted, for staff: rules with the values they read, the grant, the draw, who must
    decide.
    """
    sentences = [_OUTCOMES[ruling.path]]
    for step in ruling.steps:
        sentences += [_staff_sentence(ruling, reason) for reason in step.reasons if reason.code not in _SILENT]
    if ruling.needs:
        people = ", ".join(f"{count} × {role}" for role, count in ruling.needs.items())
        sentences.append(f"Needed to decide: {people}.")
    enrolment = ruling.enrolment
    if enrolment is not None and not enrolment.eligible:
        sentences.append(f"Not eligible for experiment {enrolment.experiment}.")
    if ruling.lottery.drawn:
        chance = f"{100 * ruling.lottery.probability:.4g} %"
        sentences.append(f"Drawn to be checked blind, with a probability of {chance}.")
    return " ".join(sentences)


def decisive_reasons(ruling: Ruling) -> list[tuple[Reason, str]]:
    """The reasons that left no looser path than the one taken, each with its sentence for staff."""
    found = [reason for step in ruling.steps for reason in step.reasons if reason.code not in _SILENT]
    return [(reason, _staff_sentence(ruling, reason)) for reason in found if reason.path is ruling.path]


def explain_for_customer(ruling: Ruling) -> str:
    """What happens and why, for the customer: only sentences that the policy wrote for customers, or
    general ones.

    Never holds a score, a value, an id, a role or the words written for staff.
    """
    sentences = [_CUSTOMER_OUTCOMES[ruling.path]]
    for step in ruling.steps:
        for reason in step.reasons:
            # A looser rule that also matched explains nothing about a stricter outcome.
            if reason.customer and reason.path is ruling.path and reason.customer not in sentences:
                sentences.append(_closed(reason.customer))
    if ruling.needs_information and ruling.path is not Path.BLOCKED:
        sentences.append(_TAKE_PART)
    if ruling.path in {Path.AUTO, Path.BLOCKED}:
        sentences.append(_ASK_AGAIN)
    return " ".join(sentences)


def _staff_sentence(ruling: Ruling, reason: Reason) -> str:
    if reason.code == "rule":
        values = "; ".join(f"{name} = {_shown(ruling.facts.values.get(name))}" for name in reason.reads)
        return f"{_closed(reason.words)[:-1]} (rule {reason.rule}{': ' if values else ''}{values})."
    sentence = _SENTENCES[reason.code].format(
        detail=reason.detail,
        rule=reason.rule,
        grant=reason.grant,
        producer=ruling.producer,
        segment=ruling.segment,
        score="none" if ruling.score is None else f"{ruling.score:g}",
    )
    return f"{sentence} {_closed(reason.words)}" if reason.words else sentence


def _shown(value: Any) -> str:
    if value is None:
        return "not known"
    text = value if isinstance(value, str) else jsons.dumps(value).strip('"')
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _closed(sentence: str) -> str:
    sentence = sentence.strip()
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."
