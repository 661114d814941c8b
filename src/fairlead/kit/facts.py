"""Typed values for expressions: what may be read, checked and bounded before any expression sees it."""

from __future__ import annotations

import enum
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TEXT = 10_000
MAX_LIST = 1_000
MAX_MAP_VALUES = 1_000
MAX_MAP_DEPTH = 8
_INT_LIMIT = 2**63


class Type(enum.Enum):
    """The types a variable can have; the values are how workspace files write them."""

    STRING = "string"
    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRINGS = "list(string)"
    MAP = "map(string, dyn)"
    TIMESTAMP = "timestamp"


class Bound(NamedTuple):
    """Values that passed their checks, and for each that did not, the reason as the end of a sentence."""

    values: dict[str, Any]
    problems: dict[str, str]

    def problem(self, name: str) -> str:
        """Why `name` has no value, to be read after the name: "is not known" when it was not given at all."""
        return self.problems.get(name, "is not known")


class _UnusableError(Exception):
    """The value does not fit its type; the message ends a sentence that begins with the variable's name."""


_PYTHON = {
    Type.STRING: str, Type.BOOL: bool, Type.INT: int, Type.DOUBLE: float,
    Type.STRINGS: list, Type.MAP: dict, Type.TIMESTAMP: datetime,
}  # fmt: skip
_WORDS = {
    Type.STRING: "text", Type.BOOL: "true or false", Type.INT: "a whole number", Type.DOUBLE: "a number",
    Type.STRINGS: "a list of texts", Type.MAP: "a mapping", Type.TIMESTAMP: "a time with its zone",
}  # fmt: skip

Check = tuple[str, Type, Any]


def checks_for(variables: Mapping[str, Type]) -> list[Check]:
    """What `bind` walks; made once per set of variables."""
    return [(name, kind, _PYTHON[kind]) for name, kind in variables.items()]


def bind(checks: list[Check], raw: Mapping[str, Any]) -> Bound:
    """Keep what fits its type, within the bounds of this module; None counts as not given.

    Whole numbers become doubles where those are declared, 3.0 becomes 3 where an int is, ISO 8601 text with
    a zone becomes a time. NaN and infinities are unusable, so that no comparison is quietly false.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, kind, python in checks:
        value = raw.get(name)
        if value is None:
            continue
        # The common cases first: this loop runs for every fact of every case.
        if type(value) is python and (
            (python is float and -math.inf < value < math.inf)
            or python is bool
            or (python is str and len(value) <= MAX_TEXT and value.isascii())
        ):
            values[name] = value
            continue
        try:
            values[name] = _clean(kind, value)
        except _UnusableError as error:
            problems[name] = str(error)
    return Bound(values, problems)


def _clean(kind: Type, value: Any) -> Any:
    if isinstance(value, bool) and kind is not Type.BOOL:
        raise _wrong(kind, value)
    match kind:
        case Type.STRING:
            return _text(value, kind)
        case Type.INT | Type.DOUBLE:
            return _number(value, kind)
        case Type.TIMESTAMP:
            return _time(value)
        case Type.STRINGS if isinstance(value, (list, tuple)):
            if len(value) > MAX_LIST:
                message = f"has {len(value)} items; at most {MAX_LIST} are read"
                raise _UnusableError(message)
            return [_text(item, kind) for item in value]
        case Type.MAP if isinstance(value, dict):
            return _tree(value, 0, [0])
        case _:
            raise _wrong(kind, value)


def _wrong(kind: Type, value: Any) -> _UnusableError:
    return _UnusableError(f"is {type(value).__name__} where {_WORDS[kind]} was expected")


def _text(value: Any, kind: Type) -> str:
    if not isinstance(value, str):
        raise _wrong(kind, value)
    if len(value) > MAX_TEXT:
        message = f"has {len(value)} characters; at most {MAX_TEXT} are read"
        raise _UnusableError(message)
    try:
        value.encode()
    except UnicodeEncodeError:
        message = "is not valid Unicode text"
        raise _UnusableError(message) from None
    return value


def _number(value: Any, kind: Type) -> int | float:
    if not isinstance(value, (int, float)):
        raise _wrong(kind, value)
    if isinstance(value, float) and not math.isfinite(value):
        message = "is not a finite number"
        raise _UnusableError(message)
    if not -_INT_LIMIT <= value < _INT_LIMIT and isinstance(value, int):
        message = "is too large a number"
        raise _UnusableError(message)
    if kind is Type.DOUBLE:
        return float(value)
    if value != int(value):
        raise _wrong(kind, value)
    return int(value) if -_INT_LIMIT <= value < _INT_LIMIT else _too_large()


def _too_large() -> int:
    message = "is too large a number"
    raise _UnusableError(message)


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _wrong(Type.TIMESTAMP, value) from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _wrong(Type.TIMESTAMP, value)
    return value


def _tree(value: Any, depth: int, count: list[int]) -> Any:
    count[0] += 1
    if depth > MAX_MAP_DEPTH or count[0] > MAX_MAP_VALUES:
        message = f"is larger than {MAX_MAP_VALUES} values or deeper than {MAX_MAP_DEPTH} levels"
        raise _UnusableError(message)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, Type.STRING)
    if isinstance(value, (int, float)):
        return _number(value, Type.INT if isinstance(value, int) else Type.DOUBLE)
    if isinstance(value, (list, tuple)):
        return [_tree(item, depth + 1, count) for item in value]
    if isinstance(value, dict):
        return {_text(key, Type.STRING): _tree(item, depth + 1, count) for key, item in value.items()}
    raise _wrong(Type.MAP, value)
