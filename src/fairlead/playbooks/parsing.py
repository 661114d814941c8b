"""From a playbook's YAML to a `Playbook`; every mistake is a SourceError with its place and a cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from fairlead.actions import MESSAGE
from fairlead.errors import Place, SourceError
from fairlead.kit.expressions import Environment, Type
from fairlead.kit.yamlmarks import Key, Node, did_you_mean, load_yaml
from fairlead.playbooks.model import (
    ActStage,
    BranchStage,
    CheckpointStage,
    EndStage,
    Playbook,
    SpawnStage,
    Stage,
    StepStage,
    WaitStage,
)
from fairlead.playbooks.objectives import Objective, parse_objective

MAX_STAGES = 200
MAX_FACTS = 200
FACT_PATTERN = r"[a-z][a-z0-9_]{0,63}"
STAGE_PATTERN = r"[a-z][a-z0-9_-]{0,63}"
STEP_PATTERN = r"[a-z][a-z0-9-]*@[1-9][0-9]*"
OWN_EVENTS = ("decision", "action", "time")
TAKEN = frozenset((
    "as", "bool", "break", "bytes", "const", "continue", "double", "duration", "dyn", "else", "false", "for",
    "function", "if", "import", "in", "int", "let", "list", "loop", "map", "namespace", "null", "null_type", "package",
    "return", "string", "timestamp", "true", "type", "uint", "var", "void", "while",
))  # fmt: skip
TOP_KEYS = ("playbook", "description", "objective", "subject", "serial_key", "facts", "on", "start", "stages")
STAGE_KEYS = {
    "step": ("step", "with", "retries", "timeout", "concurrency", "max_batch", "next"),
    "checkpoint": ("checkpoint", "answer", "producer", "score", "value", "signals", "title", "next"),
    "act": (
        "act",
        "kind",
        "body",
        "channel",
        "purpose",
        "sender",
        "template",
        "fields",
        "priority",
        "value",
        "detach",
        "expires",
        "next",
    ),
    "wait": ("wait", "for", "next"),
    "branch": ("branch", "otherwise"),
    "spawn": ("spawn", "each", "until", "next"),
    "end": ("end",),
}
"""Every key of every kind of stage; docs/playbooks.md describes them."""
_TITLE_FIELD = re.compile(r"\{([^{}]*)\}")
MESSAGE_WORDS = ("channel", "purpose", "sender", "template")
"""Keys of an act whose text goes into the body as it is, for messages to customers."""
MAX_PRIORITY = 9
ACT_OUTCOMES = ("sent", "held", "refused", "failed", "expired", "ambiguous")


def parse_playbook(text: str, file: str) -> Playbook:
    """The playbook written in `text`; `file` names it in errors. Steps and policies are looked up by the bundle."""
    root = load_yaml(text, file).mapping(allowed=TOP_KEYS, required=("playbook", "subject", "stages"))
    name = root["playbook"].name()
    facts = _facts(root.get("facts"))
    environment = Environment(facts)
    stage_nodes = root["stages"].mapping()
    for key in stage_nodes:
        if not re.fullmatch(STAGE_PATTERN, key):
            message = f"{str(key)!r:.80} is not a stage's name."
            raise SourceError(message, key.place, suggestion="Use small letters, digits, - and _.")  # type: ignore[attr-defined]
    if not 1 <= len(stage_nodes) <= MAX_STAGES:
        root["stages"].fail(f"A playbook has 1 to {MAX_STAGES} stages.")
    reader = _StageReader(name, environment, set(stage_nodes))
    stages = {str(key): reader.read(str(key), node) for key, node in stage_nodes.items()}
    start = reader.stage_name(root["start"]) if "start" in root else next(iter(stages))
    interrupts = _interrupts(root.get("on"), reader)
    _check_graph(stages, stage_nodes, {start, *interrupts.values()})
    return Playbook(
        name=name,
        description=root["description"].text() if "description" in root else "",
        subject=root["subject"].name(),
        serial_key=root["serial_key"].one_of(["customer", "case"]) if "serial_key" in root else "customer",
        start=start,
        stages=stages,
        interrupts=interrupts,
        environment=environment,
        objective=_objective(root.get("objective"), stages),
    )


def _objective(node: Node | None, stages: Mapping[str, Stage]) -> Objective | None:
    if node is None:
        return None
    ends = {stage.end for stage in stages.values() if isinstance(stage, EndStage)}
    checkpoints = {stage.checkpoint for stage in stages.values() if isinstance(stage, CheckpointStage)}
    return parse_objective(node, ends=ends, stages=stages, checkpoints=checkpoints)


def _place_of(key: str, value: Node) -> Place:
    return key.place if isinstance(key, Key) else value.place


def _facts(node: Node | None) -> dict[str, Type]:
    declared: dict[str, Type] = {}
    if node and len(node.mapping()) > MAX_FACTS:
        node.fail(f"{len(node.mapping())} facts are declared; at most {MAX_FACTS} are allowed.")
    for key, value in node.mapping().items() if node else ():
        if not re.fullmatch(FACT_PATTERN, key):
            raise SourceError(
                f"{key!r} is not a fact's name.", _place_of(key, value), suggestion="Use small letters and _."
            )
        if key in TAKEN:
            message = f"{str(key)!r} is a word of the conditions and cannot name a fact."
            raise SourceError(message, _place_of(key, value), suggestion=f"Write for example lead_{key}.")
        declared[str(key)] = Type(value.one_of([kind.value for kind in Type]))
    return declared


def _interrupts(node: Node | None, reader: _StageReader) -> dict[str, str]:
    found: dict[str, str] = {}
    for event, stage in node.mapping().items() if node else ():
        if not re.fullmatch(STAGE_PATTERN, event) or event in OWN_EVENTS:
            message = f"{str(event)!r:.80} is not a type of event that can interrupt a case."
            raise SourceError(message, event.place, suggestion="Write for example opted_out.")  # type: ignore[attr-defined]
        found[str(event)] = reader.stage_name(stage)
    return found


class _StageReader:
    """Reads one stage at a time; knows the names of all."""

    def __init__(self, playbook: str, environment: Environment, names: set[str]) -> None:
        self._playbook = playbook
        self._environment = environment
        self._names = {str(name) for name in names}

    def read(self, name: str, node: Node) -> Stage:
        kinds = [kind for kind in STAGE_KEYS if kind in node.mapping()]
        if len(kinds) != 1:
            found = " and ".join(kinds) if kinds else "none"
            node.fail(f"Stage {name!r} must have exactly one of {', '.join(STAGE_KEYS)}; it has {found}.")
        readers: Mapping[str, Callable[[str, Node], Stage]] = {
            "step": self._step,
            "checkpoint": self._checkpoint,
            "act": self._act,
            "wait": self._wait,
            "branch": self._branch,
            "spawn": self._spawn,
            "end": self._end,
        }
        return readers[kinds[0]](name, node)

    def stage_name(self, node: Node) -> str:
        """A stage of this playbook."""
        target = node.text(max_chars=64, what="a stage's name")
        if target not in self._names:
            node.fail(
                f"There is no stage {target!r}.",
                suggestion=did_you_mean(target, self._names),
                code="no_stage",
            )
        return target

    def _outcomes(self, node: Node, required: tuple[str, ...], allowed: tuple[str, ...]) -> dict[str, str]:
        fields = node.mapping(allowed=allowed, required=required)
        return {str(outcome): self.stage_name(target) for outcome, target in fields.items()}

    def _fact(self, node: Node) -> str:
        return node.text(max_chars=64, pattern=FACT_PATTERN, what="a fact's name")

    def _fact_map(self, node: Node | None) -> dict[str, str]:
        return {str(key): self._fact(value) for key, value in node.mapping().items()} if node else {}

    def _step(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["step"], required=("step", "next"))
        day = timedelta(days=1)
        return StepStage(
            name,
            {"next": self.stage_name(fields["next"])},
            place=fields["step"].place,
            step=fields["step"].text(max_chars=80, pattern=STEP_PATTERN, what="a step (name@1)"),
            config=fields.get("with"),
            retries=fields["retries"].integer(least=0, most=20) if "retries" in fields else 3,
            timeout=fields["timeout"].duration(least=timedelta(milliseconds=1), most=day)
            if "timeout" in fields
            else timedelta(seconds=30),
            concurrency=fields["concurrency"].integer(least=1, most=64) if "concurrency" in fields else 4,
            max_batch=fields["max_batch"].integer(least=1, most=500) if "max_batch" in fields else 20,
        )

    def _checkpoint(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["checkpoint"], required=("checkpoint", "answer", "next"))
        title = fields["title"].text(max_chars=200) if "title" in fields else ""
        for match in _TITLE_FIELD.finditer(title):
            if not re.fullmatch(FACT_PATTERN, match[1]):
                fields["title"].fail(f"{{{match[1]}}} in the title is not a fact's name.")
        producer, producer_fact = self._producer(fields.get("producer"))
        return CheckpointStage(
            name,
            self._outcomes(fields["next"], ("approved", "rejected", "blocked"), ("expired",)),
            place=fields["checkpoint"].place,
            checkpoint=fields["checkpoint"].name(),
            producer=producer,
            producer_fact=producer_fact,
            answer=self._fact_map(fields["answer"]),
            score=self._fact(fields["score"]) if "score" in fields else None,
            value=self._fact(fields["value"]) if "value" in fields else None,
            signals=[self._fact(item) for item in fields["signals"].items(most=200)] if "signals" in fields else (),
            title=title,
        )

    def _producer(self, node: Node | None) -> tuple[str, str | None]:
        """Fixed text, or `{fact: name}`: a step finds it, as a model's version that scored the case."""
        if node is None:
            return f"{self._playbook}@1", None
        if node.is_mapping:
            return "", self._fact(node.mapping(allowed=(), required=("fact",))["fact"])
        return node.text(max_chars=100), None

    def _act(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["act"], required=("act", "next"))
        detach = "detach" in fields and fields["detach"].boolean()
        if detach:
            following: dict[str, str] = {"next": self.stage_name(fields["next"])}
        else:
            following = self._outcomes(fields["next"], ("sent",), ACT_OUTCOMES)
        body = self._fact_map(fields.get("body"))
        if fields["act"].name() == MESSAGE and "purpose" not in {*fields, *body}:
            fields["act"].fail(
                "A message to a customer says what it is for.", suggestion="Add `purpose:`, one of contact.yaml's."
            )
        return ActStage(
            name,
            following,
            place=fields["act"].place,
            connector=fields["act"].name(),
            kind=fields["kind"].text(max_chars=80) if "kind" in fields else name,
            body=body,
            words={key: fields[key].name() for key in MESSAGE_WORDS if key in fields},
            fields=self._fact_map(fields.get("fields")),
            priority=fields["priority"].integer(least=-MAX_PRIORITY, most=MAX_PRIORITY) if "priority" in fields else 0,
            value=self._fact(fields["value"]) if "value" in fields else None,
            detach=detach,
            expires=fields["expires"].duration() if "expires" in fields else None,
        )

    def _wait(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["wait"], required=("wait", "next"))
        event = fields["wait"].name()
        if event in OWN_EVENTS[:2]:
            fields["wait"].fail(f"{event!r} is told inside a case; a wait is for what a customer does.")
        event_type = None if event == "time" else event
        timeout = fields["for"].duration() if "for" in fields else None
        if event_type is None and timeout is None:
            node.fail("A wait for time needs to say how long.", suggestion="Add `for: 3d`.")
        required = ([event_type] if event_type else []) + (["timeout"] if timeout is not None else [])
        return WaitStage(name, self._outcomes(fields["next"], tuple(required), ()), event=event_type, timeout=timeout)

    def _branch(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["branch"], required=("branch", "otherwise"))
        arms, following = [], {}
        for position, item in enumerate(fields["branch"].items(least=1, most=50), 1):
            arm = item.mapping(allowed=(), required=("when", "next"))
            target = self.stage_name(arm["next"])
            arms.append((self._environment.condition(arm["when"]), target))
            following[f"arm {position}"] = target
        otherwise = self.stage_name(fields["otherwise"])
        return BranchStage(name, {**following, "next": otherwise}, arms=arms, otherwise=otherwise)

    def _spawn(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["spawn"], required=("spawn", "each", "next"))
        return SpawnStage(
            name,
            {"done": self.stage_name(fields["next"])},
            place=fields["spawn"].place,
            playbook=fields["spawn"].name(),
            each=self._fact(fields["each"]),
            until=fields["until"].one_of(["all", "any"]) if "until" in fields else "all",
        )

    def _end(self, name: str, node: Node) -> Stage:
        fields = node.mapping(allowed=STAGE_KEYS["end"], required=("end",))
        return EndStage(name, {}, end=fields["end"].text(max_chars=64, what="the end's name"))


def _at_once(stage: Stage) -> Iterator[str]:
    """The stages that a case can enter from here without waiting for anything."""
    if isinstance(stage, (StepStage, BranchStage, SpawnStage)) or (isinstance(stage, ActStage) and stage.detach):
        yield from stage.next.values()
    if isinstance(stage, CheckpointStage):  # a rejection or an expiry takes a person or a timer
        yield from (stage.next["approved"], stage.next["blocked"])


def _check_graph(stages: Mapping[str, Stage], nodes: Mapping[Any, Node], roots: set[str]) -> None:
    reached: set[str] = set()
    pending = [*roots]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(stages[name].next.values())
    for name in stages:
        if name not in reached:
            nodes[name].fail(f"Nothing leads to stage {name!r}.", suggestion="Remove it or point a `next` at it.")
    _refuse_endless(stages, nodes)


def _refuse_endless(stages: Mapping[str, Stage], nodes: Mapping[Any, Node]) -> None:
    done: set[str] = set()
    for root in stages:
        path: list[str] = []
        trail = [(root, iter(_at_once(stages[root])))]
        path.append(root)
        while trail:
            name, following = trail[-1]
            target = next(following, None)
            if target is None:
                done.add(name)
                path.pop()
                trail.pop()
            elif target in path:
                circle = " → ".join([*path[path.index(target) :], target])
                nodes[target].fail(f"These stages go round without ever waiting: {circle}.", code="endless")
            elif target not in done:
                path.append(target)
                trail.append((target, iter(_at_once(stages[target]))))
