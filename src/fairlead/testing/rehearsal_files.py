"""The test files of a workspace, `tests/*.yaml`: what is assumed of a case, what is done to it, what must come of it.

Every mistake is a SourceError with file, line, column and a cure, as in the files that they test.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fairlead.checkpoints import CheckpointPolicy, Level, Path as RulingPath
from fairlead.connectors import ReceiptState
from fairlead.customers import ConsentState
from fairlead.errors import InputError, Place, SourceError, TooLargeError
from fairlead.kit.yamlmarks import Node, did_you_mean, load_yaml
from fairlead.playbooks import ActStage, Bundle, CaseVerb, CheckpointStage, EndStage, Playbook, Stage, StepStage

FOLDER = "tests"
MAX_FILES, MAX_FILE_BYTES, MAX_CASES, MAX_MOVES = 200, 1_000_000, 2_000, 100
TOP_KEYS = ("playbook", "facts", "customer", "grants", "steps", "actions", "cases")
CASE_KEYS = ("name", "facts", "customer", "grants", "steps", "actions", "then", "expect")
CUSTOMER_KEYS = ("name", "company", "country", "language", "email", "phone", "flags", "consents")
GRANT_KEYS = ("checkpoint", "segment", "producer", "level", "threshold")
EXPECT_KEYS = ("path", "role", "rules", "segment", "stage", "ended", "exception", "facts")
VERDICTS = ("approve", "edit", "reject", "answer")
MOVE_KEYS = (*VERDICTS, "event", "after", "tell", "expect")
_WITH = {"edit": ("reason",), "reject": ("reason",), "event": ("found",), "tell": ("stage", "reason")}
_ENDED_BY_STEERING = "cancelled"
FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class AssumedGrant:
    """Autonomy that the case finds in force; `segment` "" stands for every segment."""

    checkpoint: str
    segment: str
    producer: str
    level: Level
    threshold: float | None


@dataclass(frozen=True, slots=True)
class AssumedCustomer:
    """What is known of the customer; `flags` by name, `consents` as purpose → channel → state."""

    fields: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must hold at one moment: the keys of EXPECT_KEYS with the values written, and where each stands."""

    wanted: Mapping[str, Any]
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a script: a verdict, an event, time that passes, a person who steps in, or a check."""

    kind: str
    place: Place
    value: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One test case."""

    name: str
    place: Place
    playbook: str
    facts: Mapping[str, Any]
    customer: AssumedCustomer
    grants: tuple[AssumedGrant, ...]
    steps: Mapping[str, Any]
    """Stage → what its step finds, instead of asking another service."""
    actions: Mapping[str, str]
    """Stage → what comes of its effect; sent where nothing is said."""
    script: tuple[Move, ...]
    expect: Expectation


def read_tests(folder: Path) -> dict[str, str]:
    """The test files below a workspace by relative path; TooLargeError past the bounds."""
    found: dict[str, str] = {}
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        name = f"{FOLDER}/{path.name}"
        if len(found) >= MAX_FILES:
            raise TooLargeError(f"There are more than {MAX_FILES} test files.", limit=MAX_FILES, unit="files")
        content = path.read_bytes()
        if len(content) > MAX_FILE_BYTES:
            message = f"{name} is larger than {MAX_FILE_BYTES} bytes"
            raise TooLargeError(message, limit=MAX_FILE_BYTES, unit="bytes")
        try:
            found[name] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            place = Place(name, 1 + content.count(b"\n", 0, error.start))
            raise SourceError("This is not UTF-8 text.", place, code="encoding") from None
    if not found:
        message = f"{folder} has no tests; write {FOLDER}/NAME.yaml, see docs/testing-playbooks.md"
        raise InputError(message, code="no_tests")
    return found


def parse_tests(files: Mapping[str, str], bundle: Bundle) -> tuple[list[Rehearsal], list[SourceError]]:
    """Every case of every file, and the first mistake of each file that has one."""
    found: list[Rehearsal] = []
    errors: list[SourceError] = []
    for name, text in files.items():
        try:
            found += _file(text, name, bundle)
        except SourceError as error:
            errors.append(error)
    if len(found) > MAX_CASES:
        raise TooLargeError(f"There are {len(found)} test cases; at most {MAX_CASES}.", limit=MAX_CASES, unit="cases")
    return found, errors


def _file(text: str, name: str, bundle: Bundle) -> Iterator[Rehearsal]:
    root = load_yaml(text, name).mapping(allowed=TOP_KEYS, required=("playbook", "cases"))
    playbook = _known(root["playbook"], bundle.playbooks, "playbook")
    reader = _Reader(bundle, bundle.playbooks[playbook].playbook)
    seen: set[str] = set()
    for node in root["cases"].items(least=1, most=MAX_CASES):
        one = reader.case(root, node)
        if one.name in seen:
            node.mapping()["name"].fail(f"There is another case named {one.name!r:.80} in this file.", code="twice")
        seen.add(one.name)
        yield one


def _known(node: Node, known: Collection[str], what: str) -> str:
    text = node.text(max_chars=200, what=f"a {what}")
    if text not in known:
        node.fail(f"There is no {what} {text!r:.80}.", suggestion=did_you_mean(text, known), code="dangling")
    return text


class _Reader:
    """Reads cases of one playbook; knows what there is to be named."""

    def __init__(self, bundle: Bundle, playbook: Playbook) -> None:
        self._playbook = playbook
        self._stages: Mapping[str, Stage] = playbook.stages
        places = [stage for stage in playbook.stages.values() if isinstance(stage, CheckpointStage)]
        self._checkpoints = {stage.checkpoint: stage for stage in places}
        self._policies: dict[str, CheckpointPolicy] = {name: bundle.policies[name] for name in self._checkpoints}
        self._ends = {stage.end for stage in playbook.stages.values() if isinstance(stage, EndStage)}
        self._rules = {rule.id for policy in self._policies.values() for rule in policy.rules}
        self._segments = {name for policy in self._policies.values() for name in policy.segment_names}

    def case(self, root: Mapping[str, Node], node: Node) -> Rehearsal:
        fields = node.mapping(allowed=CASE_KEYS, required=("name", "expect"))
        merged = {key: fields.get(key) or root.get(key) for key in ("customer", "grants")}
        return Rehearsal(
            name=fields["name"].text(max_chars=200, what="a name"),
            place=node.place,
            playbook=self._playbook.name,
            facts={**self._plain(root.get("facts")), **self._plain(fields.get("facts"))},
            customer=self._customer(merged["customer"]),
            grants=tuple(self._grants(merged["grants"])),
            steps={**self._steps(root.get("steps")), **self._steps(fields.get("steps"))},
            actions={**self._actions(root.get("actions")), **self._actions(fields.get("actions"))},
            script=tuple(self._script(fields.get("then"))),
            expect=self._expect(fields["expect"]),
        )

    def _plain(self, node: Node | None) -> dict[str, Any]:
        if node is None:
            return {}
        node.mapping()
        found: dict[str, Any] = node.plain()
        return {str(name): value for name, value in found.items()}

    def _customer(self, node: Node | None) -> AssumedCustomer:
        if node is None:
            return AssumedCustomer()
        fields = node.mapping(allowed=CUSTOMER_KEYS)
        known = {
            str(key): value.text(max_chars=300)
            for key, value in fields.items()
            if key not in {"flags", "consents"}
        }  # fmt: skip
        return AssumedCustomer(known, self._flags(fields.get("flags")), self._consents(fields.get("consents")))

    def _flags(self, node: Node | None) -> dict[str, Any]:
        if node is None:
            return {}
        if node.is_list:
            return {item.text(max_chars=100): True for item in node.items(most=50)}
        flags = self._plain(node)
        for name, value in node.mapping().items():
            if value.is_null:
                value.fail(f"The flag {str(name)!r:.60} needs a value.", suggestion="Write true.")
        return flags

    def _consents(self, node: Node | None) -> dict[str, dict[str, str]]:
        states = [state.value for state in ConsentState]
        found: dict[str, dict[str, str]] = {}
        for purpose, channels in node.mapping().items() if node else ():
            found[str(purpose)] = {str(name): state.one_of(states) for name, state in channels.mapping().items()}
        return found

    def _grants(self, node: Node | None) -> Iterator[AssumedGrant]:
        for item in node.items(most=200) if node else ():
            fields = item.mapping(allowed=GRANT_KEYS)
            if "checkpoint" in fields:
                checkpoint = _known(fields["checkpoint"], self._checkpoints, "checkpoint in this playbook")
            elif len(self._checkpoints) == 1:
                [checkpoint] = self._checkpoints
            else:
                item.fail("Say for which checkpoint.", suggestion=did_you_mean("", self._checkpoints))
            policy = self._policies[checkpoint]
            segment = _known(fields["segment"], policy.segment_names, "segment") if "segment" in fields else ""
            level = Level(fields["level"].one_of([one.value for one in Level])) if "level" in fields else Level.AUTO
            threshold = fields["threshold"].number() if "threshold" in fields else None
            if level is Level.AUTO and threshold is None:
                threshold = 0.0
            own = self._checkpoints[checkpoint].producer
            producer = fields["producer"].text(max_chars=100) if "producer" in fields else own
            yield AssumedGrant(checkpoint, segment, producer, level, threshold if level is Level.AUTO else None)

    def _steps(self, node: Node | None) -> dict[str, Any]:
        """By stage, or by the step's name for all stages that run it."""
        by_step: dict[str, list[str]] = {}
        for stage in self._stages.values():
            if isinstance(stage, StepStage):
                by_step.setdefault(stage.step, []).append(stage.name)
        known = {*by_step, *(stage for stages in by_step.values() for stage in stages)}
        found: dict[str, Any] = {}
        for name, value in node.mapping().items() if node else ():
            if name not in known:
                hint = did_you_mean(name, known)
                place = getattr(name, "place", value.place)
                message = f"There is no stage or step {str(name)!r:.80} in this playbook."
                raise SourceError(message, place, suggestion=hint, code="dangling")
            value.mapping()
            if FAILURE in value.value:
                value.mapping(allowed=(FAILURE,))[FAILURE].mapping(allowed=("words",), required=("code",))
            found |= dict.fromkeys(by_step.get(str(name), [str(name)]), value.plain())
        return found

    def _actions(self, node: Node | None) -> dict[str, str]:
        known = {stage.name for stage in self._stages.values() if isinstance(stage, ActStage)}
        found = {}
        for name, value in node.mapping().items() if node else ():
            if name not in known:
                hint = did_you_mean(name, known)
                place = getattr(name, "place", value.place)
                message = f"There is no act stage {str(name)!r:.80} in this playbook."
                raise SourceError(message, place, suggestion=hint, code="dangling")
            found[str(name)] = value.one_of([state.value for state in ReceiptState])
        return found

    def _script(self, node: Node | None) -> Iterator[Move]:
        for item in node.items(most=MAX_MOVES) if node else ():
            if item.is_text:  # `- approve`
                yield Move(item.one_of(("approve", "reject")), item.place)
                continue
            fields = item.mapping(allowed={*MOVE_KEYS, *(key for keys in _WITH.values() for key in keys)})
            kinds = [kind for kind in MOVE_KEYS if kind in fields]
            if len(kinds) != 1:
                item.fail(f"A line of `then` has exactly one of {', '.join(MOVE_KEYS)}.")
            [kind] = kinds
            item.mapping(allowed=(kind, *_WITH.get(kind, ())))
            yield self._move(kind, item, fields)

    def _move(self, kind: str, item: Node, fields: Mapping[str, Node]) -> Move:
        node = fields[kind]
        more = {key: fields[key].text(max_chars=1_000) for key in ("reason", "stage") if key in fields}
        if kind in {"edit", "answer"}:
            return Move(kind, item.place, self._plain(node), more)
        if kind in {"approve", "reject"}:
            if not node.is_null and node.value not in (True, {}):
                node.fail(f"`{kind}` takes nothing.", suggestion=f"Write `- {kind}`.")
            return Move(kind, item.place, None, more)
        if kind == "event":
            found = self._plain(fields.get("found"))
            return Move(kind, item.place, node.name(), {"found": found} if found else {})
        if kind == "after":
            return Move(kind, item.place, node.duration(least=timedelta(milliseconds=1)))
        if kind == "tell":
            if "stage" in fields:
                _known(fields["stage"], self._stages, "stage")
            return Move(kind, item.place, CaseVerb(node.one_of([verb.value for verb in CaseVerb])), more)
        return Move(kind, item.place, self._expect(node))

    def _expect(self, node: Node) -> Expectation:
        fields = node.mapping(allowed=EXPECT_KEYS)
        if not fields:
            node.fail("Nothing is expected here.", suggestion=f"Write one of {', '.join(EXPECT_KEYS)}.")
        wanted: dict[str, Any] = {}
        for key, value in fields.items():
            wanted[str(key)] = self._wanted(str(key), value)
        return Expectation(wanted, {str(key): value.place for key, value in fields.items()})

    def _wanted(self, key: str, node: Node) -> Any:
        if key == "path":
            return node.one_of([path.value for path in RulingPath])
        if key == "role":
            return sorted(item.name() for item in (node.items(least=1, most=20) if node.is_list else [node]))
        if key == "rules":
            return [_known(item, self._rules, "rule") for item in node.items(most=200)]
        if key == "facts":
            return self._plain(node)
        if key == "exception":
            return node.text(max_chars=100)
        known: Mapping[str, Iterable[str]] = {
            "segment": self._segments, "stage": self._stages, "ended": {*self._ends, _ENDED_BY_STEERING},
        }  # fmt: skip
        return _known(node, {*known[key]}, "end" if key == "ended" else key)
