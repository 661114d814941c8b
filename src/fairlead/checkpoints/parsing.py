"""From `policies/<checkpoint>.yaml` to a compiled policy. docs/policies.md describes every key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead.checkpoints.answers import AnswerSchema, parse_agreement, parse_schema
from fairlead.checkpoints.model import Path
from fairlead.checkpoints.policy import BUILT_IN, OTHER, SOURCES, CheckpointPolicy, ReviewTerms
from fairlead.checkpoints.rules import Fact, Rule, Segment
from fairlead.kit import jsons
from fairlead.kit.expressions import Environment, Type
from fairlead.kit.yamlmarks import did_you_mean, load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.kit.yamlmarks import Node

MAX_FACTS = 100
MAX_SEGMENTS = 50
MAX_RULES = 200
MAX_QUORUM = 10
MAX_DUE = timedelta(days=365)

POLICY_KEYS = (
    "checkpoint", "description", "answer", "agree", "deterministic", "stop", "facts", "segments", "rules",
    "review", "lottery",
)  # fmt: skip
FACT_KEYS = ("type", "from", "required", "default", "description")
SEGMENT_KEYS = ("name", "when", "description")
RULE_KEYS = ("id", "when", "path", "role", "quorum", "words", "customer")
REVIEW_KEYS = ("role", "due", "priority", "on_expiry", "escalate_to")
LOTTERY_KEYS = ("rate",)
ON_EXPIRY = ("keep", "expire", "escalate")
STOPS = ("applies", "never")

# Words of the expression language and of its types; a fact of such a name could never be read.
TAKEN = frozenset((
    "as", "break", "bool", "bytes", "const", "continue", "double", "duration", "dyn", "else", "false",
    "for", "function", "has", "if", "import", "in", "int", "let", "list", "loop", "map", "matches", "now",
    "null", "null_type", "namespace", "package", "return", "size", "string", "timestamp", "true", "type",
    "uint", "var", "void", "while", "all", "exists", "exists_one", "filter",
))  # fmt: skip
_TYPES = {kind.value.replace(" ", ""): kind for kind in Type}
_PATHS = tuple(path.value for path in Path if path is not Path.AUTO)


def parse_policy(text: str, file: str) -> CheckpointPolicy:
    """Parse and compile one policy; SourceError with line, column and a cure for whatever is wrong."""
    return policy_from(load_yaml(text, file))


def policy_from(root: Node) -> CheckpointPolicy:
    """As `parse_policy`, from a loaded document."""
    body = root.mapping(required=("checkpoint", "answer", "review"), allowed=POLICY_KEYS)
    schema = parse_schema(body["answer"])
    facts = _facts(body.get("facts"), schema)
    environment = Environment({**BUILT_IN, **{fact.name: fact.type for fact in facts}})
    segments = _segments(body.get("segments"), environment)
    rules = _rules(body.get("rules"), environment)
    deterministic = "deterministic" in body and body["deterministic"].boolean()
    never_stopped = "stop" in body and body["stop"].one_of(STOPS) == "never"
    if never_stopped and not deterministic:
        body["stop"].fail(
            "Only a deterministic checkpoint may go on while the stop switch is on.",
            suggestion="Write deterministic: true, or leave stop out.",
        )
    plain = root.plain()
    return CheckpointPolicy(
        checkpoint=body["checkpoint"].name(),
        version=jsons.digest(plain),
        segments_version=jsons.digest([plain.get("segments"), plain.get("facts")]),
        description=body["description"].text(max_chars=2_000) if "description" in body else "",
        answer=schema,
        agreement=parse_agreement(body.get("agree"), schema),
        facts=facts,
        segments=segments,
        rules=rules,
        review=_review(body["review"], environment),
        lottery_rate=_lottery(body.get("lottery")),
        deterministic=deterministic,
        never_stopped=never_stopped,
        environment=environment,
        conditions=environment.together([*(s.when for s in segments), *(r.when for r in rules)]),
        required=tuple(fact.name for fact in facts if fact.required),
    )


def _facts(node: Node | None, schema: AnswerSchema) -> tuple[Fact, ...]:
    if node is None:
        return ()
    declared = node.mapping()
    if len(declared) > MAX_FACTS:
        node.fail(f"{len(declared)} facts are declared; at most {MAX_FACTS} are allowed.")
    return tuple(_fact(str(name), item, schema) for name, item in declared.items())


def _fact(name: str, node: Node, schema: AnswerSchema) -> Fact:
    if not name.isascii() or not name.isidentifier() or len(name) > 64:  # noqa: PLR2004 - as Node.name
        node.fail(f"{name!r:.80} cannot be the name of a fact.", suggestion="Use letters, digits and _.")
    if name in TAKEN or name in BUILT_IN:
        node.fail(f"{name!r} is already taken.", suggestion="Choose another name and say from: where it comes from.")
    body: Mapping[str, Node] = {"type": node} if node.is_text else node.mapping(required=("type",), allowed=FACT_KEYS)
    kind = _type(body["type"])
    required = "required" in body and body["required"].boolean()
    source, field = _source(body["from"], schema) if "from" in body else ("signal", name)
    default = _default(body["default"], name, kind) if "default" in body else None
    if required and default is not None:
        body["default"].fail("A required fact has no default.", suggestion="Leave out required or default.")
    description = body["description"].text(max_chars=500) if "description" in body else ""
    return Fact(name, kind, source, field, required, default, description)


def _type(node: Node) -> Type:
    written = node.text(what="a type").replace(" ", "")
    if written not in _TYPES:
        node.fail(f"{written!r:.60} is not a type.", suggestion=did_you_mean(written, [t.value for t in Type]))
    return _TYPES[written]


def _source(node: Node, schema: AnswerSchema) -> tuple[str, str]:
    written = node.text(max_chars=200, what="where a fact comes from")
    if written == "now":
        return "now", "now"
    source, dot, field = written.partition(".")
    if source not in SOURCES or not dot or not field:
        known = ["now", *(f"{name}.…" for name in SOURCES)]
        node.fail(f"{written!r:.80} is not a source of facts.", suggestion=f"Write one of {', '.join(known)}.")
    if source == "answer" and field not in schema.fields:
        node.fail(f"The answer has no field {field!r:.80}.", suggestion=did_you_mean(field, schema.fields))
    return source, field


def _default(node: Node, name: str, kind: Type) -> Any:
    bound = Environment({name: kind}).bind({name: node.plain()})
    if name not in bound.values:
        node.fail(f"The default {bound.problem(name)}.", code="wrong_type")
    return bound.values[name]


def _segments(node: Node | None, environment: Environment) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for item in node.items(most=MAX_SEGMENTS) if node is not None else []:
        body = item.mapping(required=("name", "when"), allowed=SEGMENT_KEYS)
        name = body["name"].name()
        if name == OTHER or any(name == segment.name for segment in segments):
            body["name"].fail(f"There is already a segment {name!r}; 'other' is always there.")
        description = body["description"].text(max_chars=500) if "description" in body else ""
        segments.append(Segment(name, environment.all_of(body["when"]), description))
    return tuple(segments)


def _rules(node: Node | None, environment: Environment) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for item in node.items(most=MAX_RULES) if node is not None else []:
        rule = _rule(item, environment)
        if any(rule.id == other.id for other in rules):
            item.value["id"].fail(f"There is already a rule {rule.id!r}.")
        rules.append(rule)
    return tuple(rules)


def _rule(node: Node, environment: Environment) -> Rule:
    body = node.mapping(required=("id", "when", "path", "words"), allowed=RULE_KEYS)
    if body["path"].value == Path.AUTO.value:
        body["path"].fail(
            "A rule cannot allow auto; only a grant can.", suggestion=f"Write one of {', '.join(_PATHS)}."
        )
    path = Path(body["path"].one_of(_PATHS))
    role = body["role"].name() if "role" in body else None
    quorum = body["quorum"].integer(least=1, most=MAX_QUORUM) if "quorum" in body else 1
    if path is Path.BLOCKED and (role or quorum > 1):
        node.fail("A blocked case has no review, so the rule cannot ask for a role or a quorum.")
    return Rule(
        id=body["id"].name(),
        when=environment.all_of(body["when"]),
        path=path,
        words=body["words"].text(max_chars=500),
        customer=body["customer"].text(max_chars=500) if "customer" in body else "",
        role=role,
        quorum=quorum,
    )


def _review(node: Node, environment: Environment) -> ReviewTerms:
    body = node.mapping(required=("role", "due"), allowed=REVIEW_KEYS)
    on_expiry = body["on_expiry"].one_of(ON_EXPIRY) if "on_expiry" in body else "keep"
    escalate_to = body["escalate_to"].name() if "escalate_to" in body else None
    if (on_expiry == "escalate") != (escalate_to is not None):
        node.fail("on_expiry: escalate and escalate_to: <role> belong together.")
    priority = environment.value(body["priority"], Type.INT, Type.DOUBLE) if "priority" in body else None
    due = body["due"].duration(least=timedelta(seconds=1), most=MAX_DUE)
    return ReviewTerms(body["role"].name(), due, on_expiry, escalate_to, priority)


def _lottery(node: Node | None) -> float:
    if node is None:
        return DEFAULT_LOTTERY_RATE
    return node.mapping(required=("rate",), allowed=LOTTERY_KEYS)["rate"].number(least=0, most=1)


DEFAULT_LOTTERY_RATE = 0.05
