"""Where a rehearsed case stands, how that differs from what was expected and why, and what it touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead import audit
from fairlead.checkpoints import CheckpointPolicy, Path, Ruling, decisive_reasons, recall, rulings_of_case
from fairlead.kit import jsons
from fairlead.kit.clock import from_micros
from fairlead.playbooks import BranchStage, Bundle, CaseState, StepStage, cases_page, read_case

if TYPE_CHECKING:
    from fairlead.kit.expressions import Condition
    from fairlead.kit.unit_of_work import Reader
    from fairlead.testing.rehearsal_files import Expectation

MAX_CASES_SEEN = 2_000
MAX_SHOWN = 120
_MISSING = object()
_VISITS = ("case.opened", "case.moved", "case.redirected", "case.skipped", "case.handed_back", "case.interrupted")
Item = tuple[str, str, str]
"""(what it is, where it stands, its name): ("rule", "lead-assignment", "high-value")."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the case stands; `ruling` is its newest, None before the first."""

    stage: str
    state: str
    end: str | None
    waits_for: str | None
    problem: Mapping[str, Any] | None
    facts: Mapping[str, Any]
    ruling: Ruling | None = None
    proposal: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Where it stands, as the end of a sentence."""
        if self.end is not None:
            return f"it ended as {self.end}"
        if self.problem is not None:
            return f"it came to a stop at {self.problem['stage']}: {self.problem['words']}"
        waits = f", waits for {self.waits_for}" if self.waits_for else ""
        return f"it stands at {self.stage} ({self.state}{waits})"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cases of one rehearsal touched."""

    items: frozenset[Item] = frozenset()


def read_found(reader: Reader, bundle: Bundle, case_id: str) -> Found:
    """Where the case stands now."""
    del bundle
    row = read_case(reader, case_id)
    rulings = rulings_of_case(reader, case_id)
    last = rulings[-1] if rulings else None
    waits = f"{row.wait_type}" if row.state == CaseState.WAITING.value else None
    return Found(
        row.stage, row.state, row.end, waits, row.problem, row.facts,
        recall(last.record) if last is not None else None,
        last.proposal["answer"] if last is not None else {},
    )  # fmt: skip


def differences(found: Found, expect: Expectation, bundle: Bundle) -> list[str]:
    """What is not as expected, one sentence each; empty when all is."""
    told: list[str] = []
    for key, wanted in expect.wanted.items():
        told += _DIFFERENCES[key](found, wanted, bundle)
    said = "exception" in expect.wanted or any("came to a stop" in one for one in told)
    if found.problem is not None and not said:
        told.append(f"it came to a stop at {found.problem['stage']}: {found.problem['words']}")
    return told


def _path(found: Found, wanted: str, bundle: Bundle) -> list[str]:
    if found.ruling is None:
        return [f"expected path {wanted}, got none: {found.words}"]
    got = found.ruling.path
    if got.value == wanted:
        return []
    policy = bundle.policies[found.ruling.checkpoint]
    if got.strictness > Path(wanted).strictness:
        why = "; ".join(_because(found.ruling, policy))
    else:
        asking = [rule for rule in policy.rules if rule.path.value == wanted]
        why = "; ".join(f"rule {rule.id} did not match ({_read(rule.when, found.ruling)})" for rule in asking)
        why = why or f"no rule asks for {wanted}"
    return [f"expected path {wanted}, got {got.value}: {why or 'nothing narrowed it'}"]


def _because(ruling: Ruling, policy: CheckpointPolicy) -> Iterable[str]:
    """The reasons that left no looser path; rules with their condition and the values they read."""
    conditions = {rule.id: rule.when for rule in policy.rules}
    for reason, sentence in decisive_reasons(ruling):
        if reason.rule in conditions and reason.code == "rule":
            yield f"rule {reason.rule} ({_read(conditions[reason.rule], ruling)})"
        else:
            yield sentence[:1].lower() + sentence[1:].rstrip(".")


def _read(condition: Condition, ruling: Ruling) -> str:
    """`deal >= 50000.0, deal was 60000.0`."""
    source = " ".join(condition.source.split())
    values = [f"{name} was {_shown(ruling.facts.values.get(name, _MISSING))}" for name in condition.reads]
    return ", ".join([source, *values])


def _shown(value: Any) -> str:
    if value is _MISSING or value is None:
        return "not known"
    text = value if isinstance(value, str) and value else jsons.dumps(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _role(found: Found, wanted: Sequence[str], _bundle: Bundle) -> list[str]:
    got = sorted(found.ruling.needs) if found.ruling is not None else []
    if got == list(wanted):
        return []
    rules = ", ".join(found.ruling.rules) if found.ruling is not None and found.ruling.rules else "none"
    return [f"expected role {', '.join(wanted)}, got {', '.join(got) or 'nobody'}: rules that matched: {rules}"]


def _rules(found: Found, wanted: Sequence[str], bundle: Bundle) -> list[str]:
    got = list(found.ruling.rules) if found.ruling is not None else []
    if set(got) == set(wanted):
        return []
    told = f"expected rules [{', '.join(wanted)}], got [{', '.join(got)}]"
    if found.ruling is None:
        return [f"{told}: {found.words}"]
    conditions = {rule.id: rule.when for rule in bundle.policies[found.ruling.checkpoint].rules}
    why = [
        f"{rule} {'matched' if rule in got else 'did not match'}"
        + (f" ({_read(conditions[rule], found.ruling)})" if rule in conditions else ", it is another checkpoint's")
        for rule in sorted(set(got) ^ set(wanted))
    ]
    return [f"{told}: {'; '.join(why)}"]


def _segment(found: Found, wanted: str, bundle: Bundle) -> list[str]:
    if found.ruling is None:
        return [f"expected segment {wanted}, got none: {found.words}"]
    if found.ruling.segment == wanted:
        return []
    segments = {one.name: one.when for one in bundle.policies[found.ruling.checkpoint].segments}
    why = f": {wanted} asks for {_read(segments[wanted], found.ruling)}" if wanted in segments else ""
    return [f"expected segment {wanted}, got {found.ruling.segment}{why}"]


def _stage(found: Found, wanted: str, _bundle: Bundle) -> list[str]:
    return [] if found.stage == wanted else [f"expected stage {wanted}, got {found.stage}: {found.words}"]


def _ended(found: Found, wanted: str, _bundle: Bundle) -> list[str]:
    return [] if found.end == wanted else [f"expected it to end as {wanted}, but {found.words}"]


def _exception(found: Found, wanted: str, _bundle: Bundle) -> list[str]:
    got = found.problem["code"] if found.problem is not None else None
    return [] if got == wanted else [f"expected exception {wanted}, got {got or 'none'}: {found.words}"]


def _facts(found: Found, wanted: Mapping[str, Any], _bundle: Bundle) -> list[str]:
    return [
        f"expected fact {name} = {_shown(value)}, got {_shown(found.facts.get(name, _MISSING))}"
        for name, value in wanted.items()
        if not _same(found.facts.get(name, _MISSING), value)
    ]


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and not true."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


_DIFFERENCES: dict[str, Callable[[Found, Any, Bundle], list[str]]] = {
    "path": _path, "role": _role, "rules": _rules, "segment": _segment, "stage": _stage, "ended": _ended,
    "exception": _exception, "facts": _facts,
}  # fmt: skip


def seen_of(reader: Reader) -> Seen:
    """Everything that the cases in the database touched, children included."""
    rows = cases_page(reader, state=None, playbook=None, before=None, limit=MAX_CASES_SEEN)
    books = {row.id: row.playbook for row in rows}
    items: set[Item] = set()
    beginning, end = from_micros(0), from_micros(2**52)
    for entry in audit.happenings(reader, list(books), _VISITS, beginning, end):
        body, book = jsons.loads(entry.body or "{}"), books[entry.subject]
        target = body.get("stage") if entry.verb == "case.opened" else body.get("to")
        items.add(("stage", book, str(target)))
        if entry.verb == "case.moved":
            items.add(("way", book, f"{body['from']} → {target}"))
            items |= {(kind, book, f"{body['from']}: {name}") for kind, name in _named(body.get("found") or {})}
        elif entry.verb == "case.interrupted":
            items.add(("interrupt", book, str(body["event"])))
    for case_id in books:
        for row in rulings_of_case(reader, case_id):
            items.add(("segment", row.checkpoint, row.segment))
            items |= {("rule", row.checkpoint, rule) for rule in row.record["rules"]}
    return Seen(frozenset(items))


def _named(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What the built-in steps say that they used: a territory's condition, the words of score rules."""
    if isinstance(found.get("territory_reason"), str):
        yield "territory", found["territory_reason"]
    reasons = found.get("score_reasons")
    for reason in reasons if isinstance(reasons, list) else ():
        if isinstance(reason, Mapping) and "words" in reason:
            yield "score rule", str(reason["words"])


def everything(bundle: Bundle) -> list[Item]:
    """What there is to be touched in a workspace, in the order of its files."""
    items: list[Item] = []
    for book, compiled in bundle.playbooks.items():
        playbook = compiled.playbook
        items += [("stage", book, name) for name in playbook.stages]
        items += [("interrupt", book, event) for event in playbook.interrupts]
        for stage in playbook.stages.values():
            if isinstance(stage, BranchStage):
                targets = dict.fromkeys([target for _, target in stage.arms] + [stage.otherwise])
                items += [("way", book, f"{stage.name} → {target}") for target in targets]
            elif isinstance(stage, StepStage) and stage.config is not None:
                items += [(kind, book, f"{stage.name}: {name}") for kind, name in _declared(stage.config.plain())]
    for checkpoint, policy in bundle.policies.items():
        items += [("rule", checkpoint, rule.id) for rule in policy.rules]
        items += [("segment", checkpoint, segment.name) for segment in policy.segments]
    return items


def _declared(config: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(config, Mapping):
        return
    for one in config.get("territories") or ():
        if isinstance(one, Mapping) and isinstance(one.get("when"), str):
            yield "territory", one["when"]
    if isinstance(config.get("grades"), Mapping) or "base" in config:
        for one in config.get("rules") or ():
            if isinstance(one, Mapping) and isinstance(one.get("words"), str):
                yield "score rule", one["words"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was touched and what never was."""

    hit: int
    total: int
    never: tuple[Item, ...]

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where there is nothing to touch."""
        return self.hit / self.total if self.total else 1.0


def coverage(bundle: Bundle, seen: Iterable[Seen]) -> Coverage:
    """Over all rehearsals of a workspace."""
    touched = frozenset[Item]().union(*(one.items for one in seen))
    items = everything(bundle)
    never = tuple(item for item in items if item not in touched)
    return Coverage(len(items) - len(never), len(items), never)
