"""The log judged by other rules, and what came of it in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fairlead.errors import InputError
from fairlead.experiments import held_out
from fairlead.guardrails.caps import longest
from fairlead.guardrails.deploying import current_rules
from fairlead.guardrails.history import asked_between, history, newest_since
from fairlead.guardrails.logging import WITHHELD
from fairlead.guardrails.model import Code, Verdict
from fairlead.guardrails.replaying import EXAMPLES, Change, Fate, Replay, replay
from fairlead.guardrails.rules import ContactRules
from fairlead.guardrails.telling import span
from fairlead.kit.clock import iso
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.words import counted

LONGEST = timedelta(days=3_650)
LEFT_OUT = (
    "What would have become later of a message that the rules hold, and which place it would have taken, is unknown.",
    "A message that went only by these rules is taken as accepted.",
)
"""What no replay can know, in words."""
_DRAWS = "The holdout's share is another: who was drawn keeps their draw, and others are taken as they would be drawn."
_ERASED = "Messages to customers who were erased since cannot be judged: their facts are gone."


class Shift(NamedTuple):
    """One line of the table: how many messages went from one verdict and reason to others."""

    old: str
    old_code: str
    new: str
    new_code: str
    messages: int
    differs: bool


def replay_log(
    reader: Reader,
    rules: ContactRules,
    now: datetime,
    back: timedelta,
    *,
    most: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Judge by these rules what was asked in the time `back` from `now`; nothing is written.

    `most`: with more askings than that, only the newest are judged, and the answer's `since` says from when.
    `progress` is told how many askings are through, of how many. InputError for a span of nothing or above ten years.
    """
    if not timedelta(0) < back <= LONGEST:
        message = "a replay reaches back by more than nothing and at most ten years"
        raise InputError(message, field="since")
    since = now - back if most is None else newest_since(reader, now - back, now, most)
    begin = since - max(longest(rules), longest(current_rules(reader)))
    count = asked_between(reader, begin, now) if progress else 0

    def drawn(family: Collection[str]) -> bool:
        return bool(held_out(reader, family, rules.holdout_share))

    told = (lambda done: progress(min(done, count), count)) if progress else None
    return replay(rules, history(reader, begin, now), since, now, drawn=drawn, progress=told)


def replay_line(found: Replay) -> str:
    """The whole in one sentence, such as "of 4,210 messages asked …, 120 that went would be held"."""
    a, h, r = Verdict.ALLOWED, Verdict.HELD, Verdict.REFUSED
    days = f"in the last {span(_rounded(found.until - found.since))}"
    moved = [
        (found.moved(a, h), "that went would be held"), (found.moved(a, r), "that went would be refused"),
        (found.moved(r, a), "that were refused would go"), (found.moved(h, a), "that were held would go at once"),
        (found.moved(h, r), "that were held would be refused"), (found.moved(r, h), "that were refused would be held"),
    ]  # fmt: skip
    parts = [f"{n:,} {words}" for n, words in moved if n] or ["none would fare otherwise"]
    unknown = f"; {found.unknown.total():,} cannot be judged" if found.unknown else ""
    return f"of {counted(found.total, 'message')} asked {days}, {', '.join(parts)}{unknown}"


def _rounded(length: timedelta) -> timedelta:
    """To whole days, hours or minutes, whichever is not nothing."""
    for unit in (timedelta(days=1), timedelta(hours=1)):
        if length >= unit:
            return round(length / unit) * unit
    return max(timedelta(minutes=1), round(length / timedelta(minutes=1)) * timedelta(minutes=1))


def replay_notes(found: Replay, rules: ContactRules, before: ContactRules) -> list[str]:
    """What the replay does not know, in sentences."""
    said = [*LEFT_OUT]
    if rules.holdout_share != before.holdout_share:
        said.append(_DRAWS)
    return [*said, _ERASED] if found.unknown else said


def replay_table(found: Replay, *, sensitive: bool = True) -> list[Shift]:
    """Changes of verdict first, each by how many; then what stays. A delicate reason is withheld unless `sensitive`."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for change, n in found.messages.items():
        counts[_shown(change, sensitive)] += n
    rows = [Shift(*key, n, differs=key[0] != key[2]) for key, n in counts.items()]
    return sorted(rows, key=lambda one: (not one.differs, -one.messages, one))


def _shown(change: Change, sensitive: bool) -> tuple[str, str, str, str]:  # noqa: FBT001
    return (*_fate(change.old, sensitive), *_fate(change.new, sensitive))


def _fate(fate: Fate, sensitive: bool) -> tuple[str, str]:  # noqa: FBT001
    hidden = fate.code is Code.HUMAN_ONLY and not sensitive
    return fate.verdict.value, WITHHELD if hidden else fate.code.value


def replay_examples(found: Replay, *, sensitive: bool = True) -> list[dict[str, Any]]:
    """Messages that would fare otherwise, at most five for each change; whose reason is delicate are left out."""
    shown = []
    for change, some in found.examples.items():
        if not sensitive and Code.HUMAN_ONLY in {change.old.code, change.new.code}:
            continue
        old, old_code, new, new_code = _shown(change, sensitive=True)
        shown += [
            {"id": one.id, "at": iso(one.at), "key": one.key, "customer": one.customer_id, "channel": one.channel,
             "purpose": one.purpose, "old": old, "old_code": old_code, "new": new, "new_code": new_code,
             "words": one.words}
            for one in some[:EXAMPLES]
        ]  # fmt: skip
    return shown


def replay_json(found: Replay, said: list[str], *, sensitive: bool = True) -> dict[str, Any]:
    """All of it for programs."""
    purposes: Counter[tuple[str, str, str]] = Counter()
    for (purpose, change), n in found.purposes.items():
        purposes[purpose, change.old.verdict.value, change.new.verdict.value] += n
    askings: Counter[tuple[str, str, str, str]] = Counter()
    for change, n in found.askings.items():
        askings[_shown(change, sensitive)] += n
    names = ("old", "old_code", "new", "new_code")
    return {
        "rules": found.version, "since": iso(found.since), "until": iso(found.until), "words": replay_line(found),
        "messages": found.total, "unknown": dict(found.unknown),
        "changes": [one._asdict() for one in replay_table(found, sensitive=sensitive)],
        "purposes": [{"purpose": p, "old": old, "new": new, "messages": n}
                     for (p, old, new), n in sorted(purposes.items())],
        "askings": [dict(zip(names, key, strict=True)) | {"askings": n} for key, n in sorted(askings.items())],
        "examples": replay_examples(found, sensitive=sensitive), "notes": said,
    }  # fmt: skip
