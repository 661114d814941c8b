"""Assignments explained: as data that is stored with them, and as sentences made from that data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.kit.clock import iso
from fairlead.sales.routing.model import MAX_TOLD, Ask, Choice, PassedOver, Why

MAX_VALUE_CHARS = 120


def explanation_of(ask: Ask, choice: Choice) -> dict[str, Any]:
    """What is stored with an assignment: plain JSON; who was passed over is told one by one up to 30 people."""
    told = choice.passed[:MAX_TOLD]
    data: dict[str, Any] = {
        "team": choice.team,
        "asked_team": ask.team,
        "why": choice.why.value if choice.why else None,
        "words": choice.words,
        "person": {"id": choice.person_id, "name": choice.name} if choice.person_id else None,
        "required": sorted(ask.required),
        "preferred": sorted(ask.preferred),
        "owner": {"id": ask.owner, "of": "company" if ask.is_company else "customer"} if ask.owner else None,
        "territory": dict(ask.territory),
        "passed_over": [_passed(one) for one in told],
        "not_told": len(choice.passed) - len(told),
        "tried": [{"team": one.team, "words": one.words} for one in choice.tried],
        "again_at": iso(choice.again_at) if choice.again_at else None,
    }
    if choice.due:
        data["due"] = dict(choice.due)
    return data


def _passed(one: PassedOver) -> dict[str, Any]:
    return {
        "id": one.person_id, "name": one.name, "why": one.bar.value, "words": one.words,
        "until": iso(one.until) if one.until else None,
    }  # fmt: skip


def handed_explanation(team: str, person: Mapping[str, str], kind: str, reason: str) -> dict[str, Any]:
    """The same for a lead that a person handed over; `reason` is in their own words."""
    return {"team": team, "asked_team": team, "why": "hand", "words": reason, "kind": kind, "person": dict(person)}


def sentences(explanation: Mapping[str, Any]) -> list[str]:
    """The explanation for people, the most important first."""
    person, team = explanation.get("person"), explanation["team"]
    if explanation.get("why") == "hand":
        kind = str(explanation.get("kind") or "other").replace("_", " ")
        said = f" “{explanation['words']}”" if explanation.get("words") else ""
        return [f"Handed to {person['name'] if person else 'nobody'} ({team}) by a person: {kind}.{said}"]
    if person:
        told = [f"Assigned to {person['name']} ({team}): {explanation['words']}."]
    else:
        told = [f"Nobody of {team} has it: {explanation['words']}."]
    told += [f"{one['team']} was asked first: {one['words']}." for one in explanation.get("tried", ())]
    if (territory := _territory(explanation)) is not None:
        told.append(territory)
    for name in ("required", "preferred"):
        if skills := explanation.get(name):
            told.append(f"{name.capitalize()} skills: {', '.join(skills)}.")
    if explanation.get("again_at"):
        told.append(f"Somebody is in again at {explanation['again_at']}.")
    return told


def _territory(explanation: Mapping[str, Any]) -> str | None:
    territory = explanation.get("territory") or {}
    condition = territory.get("condition")
    if not territory:
        return None
    if not condition:
        return f"{_team(territory, explanation)} because no territory fits."
    values = territory.get("values") or {}
    read = ", ".join(f"{name} = {_value(value)}" for name, value in values.items())
    return f"{_team(territory, explanation)} because {condition}" + (f" (with {read})." if read else ".")


def _team(territory: Mapping[str, Any], explanation: Mapping[str, Any]) -> str:
    asked = explanation.get("asked_team") or explanation["team"]
    proposed = territory.get("team", asked)
    return f"Team {asked}" if proposed == asked else f"Team {asked} was decided; {proposed} was proposed,"


def _value(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 1] + "…"


def passed_sentences(explanation: Mapping[str, Any]) -> list[str]:
    """One sentence for each who was passed over, and how many are not told."""
    told = [f"{one['name']}: {one['words']}." for one in explanation.get("passed_over", ())]
    if rest := explanation.get("not_told", 0):
        told.append(f"{rest} more.")
    return told


def why_words(why: str | None) -> str:
    """A stored reason in words."""
    return _WHY.get(why or "", "nobody could take it")


_WHY = {
    Why.TURN.value: "by turn",
    Why.OWNER.value: "the customer's owner",
    Why.COMPANY_OWNER.value: "the company's owner",
    Why.HAND.value: "by hand",
}
