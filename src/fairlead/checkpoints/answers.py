"""What an answer must look like, and when two answers agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from fairlead.errors import InputError
from fairlead.kit.expressions import text_matches
from fairlead.kit.facts import Bound
from fairlead.kit.yamlmarks import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fairlead.kit.yamlmarks import Node

MAX_SCHEMA_VALUES = 2_000
MAX_ANSWER_DEPTH = 20
MAX_ANSWER_VALUES = 2_000
MAX_PROBLEMS = 20
MAX_PASSED, MAX_PASSED_CHARS = 2_000, 1_000

# Only what checks in bounded time: no references (they can loop or reach outside), unevaluated* or formats.
SCHEMA_KEYWORDS = frozenset((
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "anyOf", "oneOf", "allOf", "not", "minProperties",
    "maxProperties", "title", "description", "default", "examples",
))  # fmt: skip
AGREEMENTS = ("exact", "same_class", "tolerance", "graded")


@dataclass(frozen=True)
class AnswerSchema:
    """A bounded JSON Schema (draft 2020-12); an answer is always an object."""

    schema: Mapping[str, Any]

    @cached_property
    def _validator(self) -> Any:
        return _BoundedValidator(self.schema)

    @property
    def fields(self) -> tuple[str, ...]:
        """The declared fields, in order."""
        return tuple(self.schema.get("properties", {}))

    def problems(self, answer: object) -> list[dict[str, str]]:
        """What is wrong with `answer`, each with `field` (dotted, empty = the whole) and `problem`; at most
        20.
        """
        if not isinstance(answer, dict):
            return [{"field": "", "problem": "an answer must be an object"}]
        if not _within_bounds(answer, 0, [0]):
            return [{"field": "", "problem": f"more than {MAX_ANSWER_VALUES} values or {MAX_ANSWER_DEPTH} levels"}]
        found = []
        for error in self._validator.iter_errors(answer):
            field = ".".join(str(part) for part in error.absolute_path)
            found.append({"field": field, "problem": error.message[:300]})
            if len(found) == MAX_PROBLEMS:
                break
        return found

    @cached_property
    def _passed(self) -> set[str]:
        return set()

    def check(self, answer: object) -> None:
        """InputError with code `off_schema` and all problems, if there are any.

        Machines give the same answers again and again, so those that fit are remembered.
        """
        text = repr(answer)
        if text in self._passed:
            return
        problems = self.problems(answer)
        if not problems and len(text) <= MAX_PASSED_CHARS:
            if len(self._passed) >= MAX_PASSED:
                self._passed.clear()
            self._passed.add(text)
        if problems:
            first = problems[0]
            where = f" at {first['field']!r}" if first["field"] else ""
            message = f"The answer does not fit its schema{where}: {first['problem']}"
            raise InputError(message, code="off_schema", problems=problems)


@dataclass(frozen=True)
class Agreement:
    """When a machine's answer counts as the same as a person's.

    exact: equal in `fields` (none = the whole answer); tolerance: numbers of one field no further apart than
    `absolute` or `relative` × the person's, whichever allows more; same_class: values of one field in the
    same group of `classes`, and a value in no group is a class of its own; graded: a person must say, never
    computed.
    """

    how: str
    fields: tuple[str, ...] = ()
    absolute: float = 0.0
    relative: float = 0.0
    classes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def agrees(self, machine: Mapping[str, Any], person: Mapping[str, Any]) -> bool | None:
        """Whether they agree; None when it must be graded by a person."""
        if self.how == "graded":
            return None
        if self.how == "tolerance":
            return self._near(machine.get(self.fields[0]), person.get(self.fields[0]))
        if self.how == "same_class":
            mine, theirs = machine.get(self.fields[0]), person.get(self.fields[0])
            return self._class_of(mine) == self._class_of(theirs)
        if not self.fields:
            return _same(dict(machine), dict(person))
        return all(_same(machine.get(name), person.get(name)) for name in self.fields)

    def _near(self, machine: object, person: object) -> bool:
        if not _is_number(machine) or not _is_number(person):
            return _same(machine, person)
        allowed = max(self.absolute, self.relative * abs(person))  # type: ignore[arg-type]
        return abs(machine - person) <= allowed  # type: ignore[operator,no-any-return]

    def _class_of(self, value: object) -> tuple[str, str]:
        for name, members in self.classes:
            if value in members:
                return ("class", name)
        return ("alone", repr(value))


def parse_schema(node: Node) -> AnswerSchema:
    """The `answer` of a policy; SourceError at the keyword that is unknown, unsafe or wrong."""
    fields = node.mapping(required=("type",))
    if fields["type"].value != "object":
        fields["type"].fail("An answer must be an object.", suggestion="Write type: object.")
    count = [0]
    _check_keywords(node, count)
    schema = node.plain()
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = _find(node, list(error.absolute_path))
        place.fail(f"This is not a valid JSON Schema: {error.message[:200]}", code="schema")
    return AnswerSchema(schema)


def parse_agreement(node: Node | None, schema: AnswerSchema) -> Agreement:
    """The `agree` of a policy; without one, answers agree when they are equal."""
    if node is None:
        return Agreement("exact")
    if node.is_text:
        how = node.one_of(("exact", "graded"))
        return Agreement(how)
    how = node.mapping(required=("how",), allowed=("fields", "field", "absolute", "relative", "classes"))["how"].one_of(
        AGREEMENTS
    )
    if how == "graded":
        node.mapping(required=("how",), allowed=())
        return Agreement(how)
    if how == "exact":
        body = node.mapping(required=("how",), allowed=("fields",))
        names = [_field(item, schema) for item in body["fields"].items(least=1)] if "fields" in body else []
        return Agreement(how, tuple(names))
    if how == "tolerance":
        body = node.mapping(required=("how", "field"), allowed=("absolute", "relative"))
        absolute = body["absolute"].number(least=0) if "absolute" in body else 0.0
        relative = body["relative"].number(least=0, most=1) if "relative" in body else 0.0
        if not absolute and not relative:
            node.fail("A tolerance needs absolute or relative above 0.")
        return Agreement(how, (_field(body["field"], schema),), absolute, relative)
    body = node.mapping(required=("how", "field", "classes"))
    return Agreement(how, (_field(body["field"], schema),), classes=_classes(body["classes"]))


def _classes(node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    seen: dict[str, str] = {}
    classes = []
    for name, members in node.mapping().items():
        values = []
        for item in members.items(least=1):
            value = item.text(max_chars=200)
            if value in seen:
                item.fail(f"{value!r} is already in the class {seen[value]!r}.")
            seen[value] = str(name)
            values.append(value)
        classes.append((str(name), tuple(values)))
    return tuple(classes)


def _field(node: Node, schema: AnswerSchema) -> str:
    name = node.text(max_chars=200, what="the name of an answer field")
    if name not in schema.fields:
        node.fail(f"The answer has no field {name!r:.80}.", suggestion=did_you_mean(name, schema.fields))
    return name


def _check_keywords(node: Node, count: list[int]) -> None:
    count[0] += 1
    if count[0] > MAX_SCHEMA_VALUES:
        node.fail(f"The schema has more than {MAX_SCHEMA_VALUES} parts.")
    if not node.is_mapping:
        return
    for keyword, child in node.mapping(allowed=SCHEMA_KEYWORDS).items():
        if keyword == "pattern":
            _check_pattern(child)
        elif keyword == "properties":
            for sub in child.mapping().values():
                _check_keywords(sub, count)
        elif keyword in {"items", "additionalProperties", "not"}:
            _check_keywords(child, count)
        elif keyword in {"anyOf", "oneOf", "allOf"}:
            for sub in child.items(least=1, most=50):
                _check_keywords(sub, count)


def _check_pattern(node: Node) -> None:
    try:
        text_matches(node.text(max_chars=500, what="a pattern"))
    except ValueError as error:
        node.fail(f"This pattern cannot be used: {error}.", code="pattern")


def _find(node: Node, path: list[Any]) -> Node:
    for part in path:
        if (node.is_mapping and part in node.value) or (node.is_list and isinstance(part, int)):
            node = node.value[part]
    return node


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        found = text_matches(pattern).evaluate(Bound({"text": instance}, {}))
        if found is not True:
            yield ValidationError(f"{instance!r:.100} does not match {pattern!r}")


# The package would search with a backtracking engine, which a pattern and a text can make hang.
_BoundedValidator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _within_bounds(value: object, depth: int, count: list[int]) -> bool:
    count[0] += 1
    if depth > MAX_ANSWER_DEPTH or count[0] > MAX_ANSWER_VALUES:
        return False
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(_within_bounds(item, depth + 1, count) for item in inner)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
