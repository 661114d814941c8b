"""Figures, times and record verbs in the words that people use; everything a template filters with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fairlead import api
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, iso
from fairlead.kit.money import currency_exponent
from fairlead.kit.words import counted

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
MAX_SHOWN = 300
_GRANT = re.compile(r"\b([Gg])rant gra_[0-9a-f]{24}\b")
_OWN_ID = re.compile(r"\b[a-z]{2,12}_[0-9a-f]{24}\b")

actor_namer = api.actor_namer
PATHS = {
    "auto": "automatic",
    "assist": "a person, with the proposal",
    "human": "a person, without the proposal",
    "blocked": "refused",
}
ASKED = {
    "assist": "Approve, change or reject what the machine proposes",
    "human": "Give your own answer; the proposal is withheld",
    "blind": "Answer first without the proposal, then see it and decide",
    "label": "Answer what the machine has decided already; your answer is only compared",
}
VIEWS = {
    "open": "All open",
    "mine": "Mine",
    "unclaimed": "Unclaimed",
    "high_value": "High value",
    "overdue": "Overdue",
    "needs_information": "Needs information",
    "snoozed": "Snoozed",
    "labels": "Labels",
}
LOGGED = {
    "approve": "approved",
    "edit": "changed the answer",
    "reject": "rejected",
    "answer": "answered",
    "label": "answered without the proposal",
    "cannot_tell": "could not tell",
    "escalate": "passed it on",
    "request_info": "asked for information",
    "return": "returned it",
    "expired": "time ran out",
    "withdrawn": "withdrawn",
    "passed_on": "passed on by the clock",
}
VERDICTS = {
    "auto": "Decided automatically",
    "approve": "Approved",
    "edit": "Changed",
    "reject": "Rejected",
    "answer": "Answered",
    "blocked": "Refused by the policy",
    "expired": "Nobody decided in time",
}

EXECUTED = frozenset({"auto", "approve", "edit", "answer"})
"""Verdicts after which something is done."""


def money(minor: int | None, currency: str) -> str:
    """`€48,000` or `€12.50`; a dash where it is not known. Other currencies stand by their code behind it."""
    if minor is None:
        return "–"
    digits = currency_exponent(currency)
    text = f"{abs(minor) / 10**digits:,.{digits}f}".removesuffix("." + "0" * digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{sign}{text} {currency}".rstrip()


def minor_units(whole: int, currency: str) -> int:
    """Whole units as money is stored: 12 EUR are 1,200, 12 JPY are 12."""
    minor: int = whole * 10 ** currency_exponent(currency)
    return minor


def span(seconds: float) -> str:
    """A length of time in its largest unit, rounded down: `3 days`."""
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def lasting(seconds: float) -> str:
    """A length of time with one decimal in the unit that fits: `3.5 hours`."""
    for size, unit in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} seconds"


def short(seconds: float) -> str:
    """A length of time where there is little room: `3 d`, `4 h`, `12 min`, `18 s`."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago: `3 days ago`; a moment ahead of us is `in 2 hours`."""
    if moment is None:
        return "–"
    seconds = (now - moment).total_seconds()
    if -1 < seconds < _MINUTE:
        return "just now"
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def due(review: Any, now: datetime) -> str:
    """Until when: `due in 2 hours`, `overdue by 1 day`, or why there is no clock."""
    if review.paused_at is not None:
        return "clock stands still"
    if review.snoozed_until is not None:
        return f"back {age(review.snoozed_until, now)}"
    if review.due_at is None:
        return "no clock"
    seconds = (review.due_at - now).total_seconds()
    return f"due in {span(seconds)}" if seconds > 0 else f"overdue by {span(-seconds)}"


def is_late(review: Any, now: datetime) -> bool:
    """Whether its clock has run out, noticed by a sweep or not."""
    return review.due_at is not None and review.due_at <= now


def moment(value: datetime | int | None) -> str:
    """`2 Nov 2026, 09:00 UTC`; whole microseconds since 1970 too."""
    if value is None:
        return "–"
    at = from_micros(value) if isinstance(value, int) else value.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def stamp(value: datetime | int) -> str:
    """For the `datetime` attribute."""
    return iso(from_micros(value) if isinstance(value, int) else value)


def plain(name: str) -> str:
    """`lead-assignment` and `job_title` as words: `Lead assignment`, `Job title`."""
    text = str(name).replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def shown(value: Any) -> str:
    """A value of a fact or answer on one line, at most 300 characters; lists by commas."""
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping) and value and all(map(_is_plain, value.values())):
        value = "; ".join(f"{str(name).replace('_', ' ')}: {shown(one)}" for name, one in value.items())
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        value = ", ".join(map(str, value))
    if isinstance(value, list) and all(isinstance(item, Mapping) and "words" in item for item in value):
        value = "; ".join(_reason(item) for item in value)
    text = " ".join((value if isinstance(value, str) else jsons.dumps(value)).split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _is_plain(value: Any) -> bool:
    """Whether a value within an object can stand in a sentence: no list of objects, nothing nested deeper."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return not any(isinstance(part, (Mapping, list)) for part in parts)


def _reason(item: Mapping[str, Any]) -> str:
    add = item.get("add")
    return f"{item['words']} ({add:+g})" if isinstance(add, (int, float)) else str(item["words"])


def is_own_id(value: Any) -> bool:
    """Whether it is nothing but an id that Fairlead made."""
    return isinstance(value, str) and _OWN_ID.fullmatch(value) is not None


def without_ids(text: str) -> str:
    """`The grant allows assist` for `Grant gra_0660… allows assist`; where its number helps it is shown apart."""
    return _GRANT.sub(lambda found: "The grant" if found[1] == "G" else "the grant", text)


def told(verb: str, payload: Mapping[str, Any] | None) -> str:
    """An entry of the audit record as a sentence; one whose payload was erased says only what kind it was."""
    if payload is None:
        return f"{plain(verb.replace('.', ' '))} (erased)."
    template = api.SENTENCES.get(verb)
    if template is None:
        return plain(verb.replace(".", " ")) + "."
    if "checkpoint" in payload:
        payload = {**payload, "checkpoint": plain(payload["checkpoint"])}
    if "verdict" in payload:
        payload = {**payload, "verdict": LOGGED.get(str(payload["verdict"]), payload["verdict"])}
    if "path" in payload:
        payload = {**payload, "path": PATHS.get(payload["path"], payload["path"])}
    return template.format_map(_Shown(payload))


class _Shown(dict[str, str]):
    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__({name: shown(value) for name, value in payload.items()})

    def __missing__(self, key: str) -> str:
        return "–"


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "minor_units": minor_units,
    "age": age,
    "lasting": lasting,
    "due": due,
    "late": is_late,
    "moment": moment,
    "stamp": stamp,
    "plain": plain,
    "counted": counted,
    "shown": shown,
    "without_ids": without_ids,
    "path_words": lambda path: PATHS.get(path, path),
    "view_words": lambda view: VIEWS.get(view, view),
    "verdict_words": lambda verdict: VERDICTS.get(verdict, plain(verdict)),
    "logged": lambda word: LOGGED.get(word, word),
}
