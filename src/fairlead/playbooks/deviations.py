"""Where people took a case off its standard path: how often, which, who, when and why. Reads only.

The standard is what the playbook says: its main road and the ways that its outcomes take. A deviation is what a
person did to a case besides that, as the audit record has it, and a case that runs under an older version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from fairlead import audit
from fairlead.audit import EntryRow
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import figures, store
from fairlead.playbooks.model import Playbook, main_road

MAX_LOOKED = 20_000
"""So many of the newest entries about stepping in are looked at, over all playbooks."""
MAX_OLD = 1_000
PAUSED_LONG = timedelta(hours=24)


class DeviationKind(StrEnum):
    """What was done; `assigned_by_hand` comes from whoever routes, see `DeviationSource`."""

    SKIPPED = "skipped"
    REDIRECTED = "redirected"
    TAKEN_OVER = "taken_over"
    PAUSED_LONG = "paused_long"
    RETRIED = "retried"
    CANCELLED = "cancelled"
    OLD_VERSION = "old_version"
    ASSIGNED_BY_HAND = "assigned_by_hand"


KIND_WORDS: Mapping[DeviationKind, str] = {
    DeviationKind.SKIPPED: "A stage was skipped",
    DeviationKind.REDIRECTED: "Sent to another stage",
    DeviationKind.TAKEN_OVER: "Taken over by a person",
    DeviationKind.PAUSED_LONG: "Paused for long",
    DeviationKind.RETRIED: "Retried after an exception",
    DeviationKind.CANCELLED: "Cancelled",
    DeviationKind.OLD_VERSION: "Runs under an older version",
    DeviationKind.ASSIGNED_BY_HAND: "Assigned by hand",
}


@dataclass(frozen=True, slots=True)
class Deviation:
    """One of them. `actor` is `kind:id`; "" for an older version, which nobody chose for the case.

    `to_stage` None where there is none. `reason` is what the person wrote, "" when nothing or when it was erased.
    `detail` says more in words: how long a pause took, what the main road would have been.
    """

    kind: DeviationKind
    case_id: str
    at: datetime
    actor: str
    stage: str
    to_stage: str | None
    reason: str
    detail: str = ""


class Span(NamedTuple):
    """From `since` to before `until`."""

    since: datetime
    until: datetime


DeviationSource = Callable[[Reader, Playbook, Span], Iterable[Deviation]]
"""What another room knows of deviations, newest first, at most some thousand: whoever routes adds assignments."""


@dataclass(frozen=True, slots=True)
class Deviations:
    """What was found, newest first; `counts` has every kind, also those without any.

    `capped`: there is more than was looked at; then everything since the last one listed is complete.
    """

    items: list[Deviation]
    counts: dict[DeviationKind, int]
    capped: bool


def find_deviations(
    reader: Reader,
    playbook: Playbook,
    span: Span,
    *,
    paused_long: timedelta = PAUSED_LONG,
    more: Sequence[DeviationSource] = (),
) -> Deviations:
    """Every deviation of the playbook's cases in the span; a pause counts when it began in it."""
    entries = audit.steered(reader, span.since, span.until, MAX_LOOKED)
    mine = figures.only_of(reader, playbook.name, sorted({entry.subject for entry in entries}))
    entries = [entry for entry in entries if entry.subject in mine]
    found = [one for entry in entries if (one := _steered(entry, playbook)) is not None]
    found += _paused(reader, entries, span.until, paused_long)
    old, many_old = _old(reader, playbook, span)
    found += old
    for source in more:
        found += source(reader, playbook, span)
    found.sort(key=lambda one: (one.at, one.case_id), reverse=True)
    counted = Counter(one.kind for one in found)
    capped = len(entries) >= MAX_LOOKED or many_old
    return Deviations(found, {kind: counted[kind] for kind in DeviationKind}, capped)


def deviations_of_case(reader: Reader, row: Any, playbook: Playbook | None, now: datetime) -> list[Deviation]:
    """Those of one case (a row of it), oldest first; `playbook` is its own version, None when that is not readable."""
    span = Span(row.created_at, now + timedelta(microseconds=1))
    entries = audit.happenings(reader, [row.id], list(_KINDS), *span)
    found = [one for entry in entries if (one := _steered(entry, playbook)) is not None]
    newest_first = list(reversed(audit.happenings(reader, [row.id], _PAUSE_VERBS, *span)))
    found += _paused(reader, newest_first, span.until, PAUSED_LONG)
    return sorted(found, key=lambda one: one.at)


_KINDS = {
    "case.skipped": DeviationKind.SKIPPED,
    "case.redirected": DeviationKind.REDIRECTED,
    "case.taken_over": DeviationKind.TAKEN_OVER,
    "case.handed_back": DeviationKind.REDIRECTED,
    "case.retried": DeviationKind.RETRIED,
    "case.cancelled": DeviationKind.CANCELLED,
}
_PAUSE = "case.paused"
_ENDS_PAUSE = ("case.resumed", "case.redirected", "case.skipped", "case.taken_over", "case.cancelled")
_PAUSE_VERBS = (_PAUSE, *_ENDS_PAUSE)


def _steered(entry: EntryRow, playbook: Playbook | None) -> Deviation | None:
    kind = _KINDS.get(entry.verb)
    if kind is None:
        return None
    body = _body(entry)
    stage, target = str(body.get("from") or ""), body.get("to")
    if entry.verb == "case.handed_back" and target == stage:
        return None  # goes on where it was taken: the order of the stages is the standard one
    detail = ""
    if kind is DeviationKind.REDIRECTED and playbook is not None and stage in playbook.stages:
        usual = main_road(playbook.stages[stage])
        detail = f"The main road goes to {usual}." if usual and usual != target else ""
    return Deviation(
        kind, entry.subject, from_micros(entry.at), entry.actor, stage, target, str(body.get("reason") or ""), detail
    )


def _body(entry: EntryRow) -> Mapping[str, Any]:
    found = jsons.loads(entry.body) if entry.body else {}
    return found if isinstance(found, Mapping) else {}


def _paused(reader: Reader, entries: Sequence[EntryRow], until: datetime, least: timedelta) -> list[Deviation]:
    """Pauses among the entries that lasted at least so long, or have lasted so by `until`."""
    pauses = [entry for entry in entries if entry.verb == _PAUSE]
    if not pauses:
        return []
    since = from_micros(min(entry.at for entry in pauses))
    ends: dict[str, list[EntryRow]] = {}
    cases = sorted({entry.subject for entry in pauses})
    for entry in audit.happenings(reader, cases, _ENDS_PAUSE, since, until):
        ends.setdefault(entry.subject, []).append(entry)
    found = []
    for entry in pauses:
        end = next((one.at for one in ends.get(entry.subject, ()) if one.id > entry.id), None)
        lasted = timedelta(microseconds=(to_micros(until) if end is None else end) - entry.at)
        if lasted >= least:
            hours = lasted / timedelta(hours=1)
            words = f"{'for' if end is not None else 'since'} {hours:,.0f} hours"
            body = _body(entry)
            found.append(Deviation(
                DeviationKind.PAUSED_LONG, entry.subject, from_micros(entry.at), entry.actor,
                str(body.get("from") or ""), None, str(body.get("reason") or ""), words,
            ))  # fmt: skip
    return found


def _old(reader: Reader, playbook: Playbook, span: Span) -> tuple[list[Deviation], bool]:
    """Open cases that a deployment left behind, dated by it, however long ago; at most 1,000 of each version."""
    current = store.current_bundle(reader)
    old = [digest for digest in figures.bundles_in_use(reader, playbook.name) if digest != current]
    if current is None or not old:
        return [], False
    replaced = store.replaced_at(reader, old)
    found, many = [], False
    for digest in old:
        at = replaced.get(digest)
        if at is None or at >= span.until:
            continue
        rows = figures.cases_on(reader, playbook.name, digest, MAX_OLD + 1)
        many = many or len(rows) > MAX_OLD
        found += [
            Deviation(
                DeviationKind.OLD_VERSION, row[0], at, "", row[1], None, "", f"Version {digest[:12]} was replaced."
            )
            for row in rows[:MAX_OLD]
        ]
    return found, many
