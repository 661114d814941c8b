"""Conditions and values in CEL: typed before use, bounded in use, never raising for what the data hold.

The only file that imports the CEL library. Its errors are text and may change between versions; the tests of
this module are the contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cel_expr_python import cel

from fairlead.errors import SourceError
from fairlead.kit.cel_dialect import dialect
from fairlead.kit.facts import Bound, Type, bind, checks_for
from fairlead.kit.yamlmarks import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.kit.yamlmarks import Node

__all__ = ["Bound", "Condition", "Conditions", "Environment", "Type", "Unevaluable", "ValueExpression"]

MAX_CHARS = 2_000
MAX_CONDITIONS = 500
MAX_REMEMBERED, MAX_REMEMBERED_CHARS = 2_000, 200
MAX_PLANS = 64

_CEL_TYPES = {
    Type.STRING: cel.Type.STRING,
    Type.BOOL: cel.Type.BOOL,
    Type.INT: cel.Type.INT,
    Type.DOUBLE: cel.Type.DOUBLE,
    Type.STRINGS: cel.Type.List(cel.Type.STRING),
    Type.MAP: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    Type.TIMESTAMP: cel.Type.TIMESTAMP,
}
_TYPES_BY_NAME = {kind.name(): ours for ours, kind in _CEL_TYPES.items()}
_TOKEN = re.compile(
    r"""(?P<string>[rRbB]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<comment>//[^\n]*) | (?P<field>\.\s*[A-Za-z_]\w*) | (?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
_REGEX_CALL = re.compile(r"\.?\s*matches\s*\(\s*(?:[A-Za-z_][\w.]*\s*,\s*)?$")
_STATUS = re.compile(r"^[A-Z_]+: ")
_SINGLE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")
_EXCLUDED = {"bytes", "map", "filter", "all", "exists", "exists_one"}


@dataclass(frozen=True, slots=True)
class Unevaluable:
    """Why an expression has no value for these data; `missing` names variables that were not there or
    unusable.
    """

    reason: str
    missing: tuple[str, ...] = ()


class Condition(NamedTuple):
    """A compiled yes-or-no expression; `reads` are the declared variables that occur in it, sorted."""

    source: str
    reads: tuple[str, ...]
    program: Any

    def evaluate(self, bound: Bound) -> bool | Unevaluable:
        """True, false, or why not; `a || b` is true when one side is, even if the other cannot be
        evaluated.
        """
        value = _evaluate(self.program, bound, self.reads)
        if isinstance(value, (bool, Unevaluable)):
            return value
        return Unevaluable(f"it gave {value!r:.60} instead of true or false")


class ValueExpression(NamedTuple):
    """A compiled expression that gives a value of `type`; `reads` as for conditions."""

    source: str
    reads: tuple[str, ...]
    type: Type
    program: Any

    def evaluate(self, bound: Bound) -> Any:
        """The plain value, or `Unevaluable`."""
        return _evaluate(self.program, bound, self.reads)


class Conditions:
    """Many conditions evaluated in one go; about four times as fast as one by one.

    Joined are those whose variables are all there; if any of them cannot be evaluated, all are evaluated
    singly, so that one does not hide the others. The library compiles a regular expression anew at each use,
    30 µs; a condition that uses one and reads a single text is therefore remembered by that text.
    """

    __slots__ = ("_join", "_plans", "_reads", "_remembered", "conditions")

    def __init__(
        self,
        conditions: Sequence[Condition],
        join: Callable[[Sequence[Condition]], Any],
        texts: frozenset[str],
    ) -> None:
        """`join` gives one program for a list of all results, None where they cannot be joined; `texts` are
        the variables that hold text. Made by Environment.
        """
        self.conditions = tuple(conditions)
        self._join = join
        self._reads = frozenset(name for condition in conditions for name in condition.reads)
        self._plans: dict[frozenset[str], tuple[Any, tuple[int, ...], tuple[int, ...]]] = {}
        self._remembered: dict[int, dict[str, bool | Unevaluable]] = {
            number: {}
            for number, condition in enumerate(conditions)
            if len(condition.reads) == 1 and condition.reads[0] in texts and "matches" in condition.source
        }

    def evaluate(self, bound: Bound) -> list[bool | Unevaluable]:
        """One result per condition, in order."""
        absent = self._reads.difference(bound.values)
        plan = self._plans.get(absent)
        if plan is None:
            plan = self._plan(absent)
        program, joined, single = plan
        found: list[Any] = [None] * len(self.conditions)
        if program is not None:
            try:
                results = program.eval(data=bound.values).plain_value()
            except RuntimeError:
                results = None
            if type(results) is not list:
                return [condition.evaluate(bound) for condition in self.conditions]
            for number, result in zip(joined, results, strict=True):
                found[number] = result
        for number in single:
            found[number] = self._single(number, bound)
        return found

    def _single(self, number: int, bound: Bound) -> bool | Unevaluable:
        condition, memory = self.conditions[number], self._remembered.get(number)
        text = None if memory is None else bound.values.get(condition.reads[0])
        if memory is None or text is None or len(text) > MAX_REMEMBERED_CHARS:
            return condition.evaluate(bound)
        known = memory.get(text)
        if known is None:
            if len(memory) >= MAX_REMEMBERED:
                memory.clear()
            known = memory[text] = condition.evaluate(bound)
        return known

    def _plan(self, absent: frozenset[str]) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
        """The joined program with the places of its results, and the places of the others."""
        joined = tuple(
            number
            for number, condition in enumerate(self.conditions)
            if number not in self._remembered and absent.isdisjoint(condition.reads)
        )
        program = self._join([self.conditions[number] for number in joined]) if joined else None
        joined = joined if program is not None else ()
        plan = (program, joined, tuple(n for n in range(len(self.conditions)) if n not in joined))
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[absent] = plan
        return plan


@cache
def _config(*, loops: bool) -> Any:
    """Read once in a process: reading takes milliseconds, and every policy and stage has environments of its own."""
    return cel.NewEnvConfigFromYaml(dialect(loops=loops))


class Environment:
    """The variables that expressions may read, with their types."""

    def __init__(self, variables: Mapping[str, Type]) -> None:
        """Names must be CEL identifiers; the caller checks them where it has their places."""
        self.variables = dict(variables)
        self._checks = checks_for(self.variables)
        kinds = {name: _CEL_TYPES[kind] for name, kind in self.variables.items()}
        self._loops = cel.NewEnv(config=_config(loops=True), variables=kinds)
        self._joins = cel.NewEnv(config=_config(loops=False), variables=kinds)

    def bind(self, raw: Mapping[str, Any]) -> Bound:
        """The usable values among `raw` and why the others are not; names that are not declared are left
        out.
        """
        return bind(self._checks, raw)

    def condition(self, node: Node) -> Condition:
        """Compile the text at `node`; SourceError at the very character for unknown names, wrong types or
        syntax.
        """
        source = node.text(max_chars=MAX_CHARS, what="a condition")
        program = self._compile(self._loops, source, node)
        if program.return_type().name() != "BOOL":
            kind = program.return_type().name().lower()
            node.fail(f"A condition must be true or false; this is {kind}.", suggestion=_compare_hint(kind))
        return Condition(source, self._reads(source), program)

    def all_of(self, node: Node) -> Condition:
        """One condition from a text or a list of texts that must all be true; each is checked at its own
        place.
        """
        parts = [self.condition(item) for item in (node.items(least=1, most=50) if node.is_list else [node])]
        if len(parts) == 1:
            return parts[0]
        joined = " && ".join(f"({part.source}\n)" for part in parts)
        reads = tuple(sorted({name for part in parts for name in part.reads}))
        return Condition(joined, reads, self._compile(self._loops, joined, node))

    def value(self, node: Node, *types: Type) -> ValueExpression:
        """Compile a value of one of `types` (none given = any); loops are not allowed, joining text is."""
        source = node.text(max_chars=MAX_CHARS, what="an expression")
        program = self._compile(self._joins, source, node)
        kind = _TYPES_BY_NAME.get(program.return_type().name())
        if kind is None or (types and kind not in types):
            wanted = " or ".join(t.value for t in types) or "a value of a known type"
            found = program.return_type().name().lower()
            node.fail(f"This gives {found}; {wanted} is needed.", code="wrong_type")
        return ValueExpression(source, self._reads(source), kind, program)

    def together(self, conditions: Sequence[Condition]) -> Conditions:
        """Join compiled conditions of this environment, so that they are evaluated in one go."""
        if len(conditions) > MAX_CONDITIONS:
            message = f"{len(conditions)} conditions; at most {MAX_CONDITIONS} can be judged together."
            raise ValueError(message)
        texts = frozenset(name for name, kind in self.variables.items() if kind is Type.STRING)
        return Conditions(conditions, self._joined, texts)

    def _joined(self, conditions: Sequence[Condition]) -> Any:
        joined = "[" + ",\n".join(f"({condition.source}\n)" for condition in conditions) + "]"
        try:
            return self._loops.compile(joined)
        except RuntimeError:  # too long or deep as one; singly they compiled, so only speed is lost
            return None

    def _reads(self, source: str) -> tuple[str, ...]:
        names = {match["name"] for match in _TOKEN.finditer(source) if match["name"]}
        return tuple(sorted(names & self.variables.keys()))

    def _compile(self, env: Any, source: str, node: Node) -> Any:
        try:
            program = env.compile(source)
        except RuntimeError as error:
            self._explain(str(error), source, node)
        self._check_patterns(source, node)
        return program

    def _check_patterns(self, source: str, node: Node) -> None:
        """A bad regular expression fails only when it is used, so those written out are tried now."""
        for match in _TOKEN.finditer(source):
            if match["string"] and _REGEX_CALL.search(source[: match.start()]):
                result = self._loops.compile(f'"".matches({match["string"]})').eval()
                if result.type().name() == "ERROR":
                    reason = _STATUS.sub("", str(result.value()))
                    raise SourceError(_sentence(reason), node.place_of(match.start()), code="pattern")

    def _explain(self, text: str, source: str, node: Node) -> NoReturn:
        found = _ERROR.search(text)
        if found is None or "recursion" in text:
            reason = "nested too deep" if "recursion" in text else _STATUS.sub("", text.splitlines()[0])
            node.fail(f"This expression cannot be used: {reason}.", code="expression")
        if (single := _single_equals(source)) is not None:
            cure = "Write >= for “at least”." if source[single : single + 2] == "=>" else "Use == to compare."
            message = "A single '=' compares nothing."
            raise SourceError(message, node.place_of(single), suggestion=cure, code="expression")
        line, column, message = int(found[1]), int(found[2]), found[3]
        offset = _offset(source, line, column)
        suggestion: str | None = None
        if undeclared := _UNDECLARED.search(message):
            name = undeclared[1]
            if source[offset : offset + 1] == "(":  # the library marks a call at its bracket
                offset = max(source.rfind(name, 0, offset), 0)
            message = f"{name!r} is not known here"
            suggestion = did_you_mean(name, self.variables)
            if name in _EXCLUDED or f".{name}(" in source:
                message = f"{name!r} is not allowed or not known here"
        elif overload := _OVERLOAD.search(message):
            operator = overload[1].strip("_").replace("_", " ").replace("@", "").strip() or overload[1]
            message = f"{operator!r} does not work on ({overload[2]})"
            suggestion = _number_hint(overload[2])
        raise SourceError(_sentence(message), node.place_of(offset), suggestion=suggestion, code="expression")


def text_matches(pattern: str) -> Condition:
    """A condition on the variable `text`: does RE2 `pattern` occur in it; ValueError where the pattern is
    malformed.

    RE2 takes time linear in the text, so a pattern from outside cannot hang the process.
    """
    escaped = "".join(f"\\U{ord(char):08x}" for char in pattern)
    env = cel.NewEnv(variables={"text": cel.Type.STRING})
    try:
        program = env.compile(f'text.matches("{escaped}")')
    except RuntimeError as error:
        message = "this is not valid text"
        raise ValueError(message) from error
    result = program.eval(data={"text": ""})
    if result.type().name() == "ERROR":
        raise ValueError(_STATUS.sub("", str(result.value())))
    return Condition(pattern, ("text",), program)


def _evaluate(program: Any, bound: Bound, reads: tuple[str, ...]) -> Any:
    try:
        result = program.eval(data=bound.values)
    except RuntimeError as error:
        return Unevaluable(_STATUS.sub("", str(error)).split(" [")[0].lower())
    if result.type().name() != "ERROR":
        return result.plain_value()
    missing = tuple(name for name in reads if name not in bound.values)
    if missing:
        return Unevaluable("; ".join(f"{name} {bound.problem(name)}" for name in missing), missing)
    return Unevaluable(_STATUS.sub("", str(result.value())))


def _single_equals(source: str) -> int | None:
    """Where a `=` stands alone outside of texts and comments, None where none does."""
    blanked = _TOKEN.sub(lambda match: match[0] if match["name"] else " " * len(match[0]), source)
    found = _SINGLE_EQUALS.search(blanked)
    return found.start() if found else None


def _offset(source: str, line: int, column: int) -> int:
    lines = source.split("\n")
    if not 1 <= line <= len(lines):
        return 0
    return min(sum(len(text) + 1 for text in lines[: line - 1]) + max(column - 1, 0), len(source))


def _sentence(text: str) -> str:
    for noise in (" (in container", " [", " expecting {"):
        text = text.partition(noise)[0]
    text = text.strip().rstrip(".")
    return text[:1].upper() + text[1:300] + "."


def _number_hint(operands: str) -> str | None:
    if "int" in operands and "double" in operands:
        return "Write whole numbers with .0, or use double(…) or int(…)."
    if "null" in operands:
        return "A fact is never null; a missing one sends the case to a person, unless it has a default."
    return None


def _compare_hint(kind: str) -> str | None:
    return "Compare it, for instance with == true." if kind == "dyn" else None
