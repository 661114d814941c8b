"""What a step may hand back: plain JSON of a bounded size, whatever its author's code returned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.kit.jsons import dumps, loads
from fairlead.playbooks.model import StepFailure, StepResult

MAX_FACTS_CHARS = 256_000
"""Of all facts of a case as JSON; a case that would pass it goes to the exceptions queue."""
MAX_DEPTH = 32


def usable(step: str, result: Any) -> StepResult:
    """The result as plain JSON, or a failure that says what is wrong with it."""
    if isinstance(result, StepFailure):
        return result
    if not isinstance(result, Mapping):
        return _refused(step, f"{type(result).__name__} where a mapping was expected")
    if not all(isinstance(name, str) and name for name in result):
        return _refused(step, "a fact whose name is no text")
    if type(result) is dict and all(_plain(value, 0) for value in result.values()):
        return result
    try:
        text = dumps(dict(result))
        found: dict[str, Any] = loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        return _refused(step, f"what JSON cannot hold: {error}"[:500])
    deep = not all(_plain(value, 0) for value in found.values())
    return _refused(step, f"a fact nested deeper than {MAX_DEPTH} levels") if deep else found


def _refused(step: str, what: str) -> StepFailure:
    return StepFailure("step_result", f"{step} gave {what}")


def checked_batch(step: str, results: Any, count: int, *, plain: bool = False) -> Sequence[StepResult]:
    """One usable result per case; ValueError when there are not exactly `count`. `plain` ones are as they are."""
    if not isinstance(results, Sequence) or isinstance(results, (str, bytes)) or len(results) != count:
        found = len(results) if isinstance(results, Sequence) else type(results).__name__
        message = f"{step} gave {found} results for {count} cases"
        raise ValueError(message)
    return results if plain else [usable(step, result) for result in results]


def _plain(value: Any, depth: int) -> bool:
    """Whether it is the same after a trip through JSON."""
    kind = type(value)
    if kind is str:
        return value.isascii() or _encodes(value)
    if kind is float:
        return math.isfinite(value)
    if kind in {list, dict} and depth < MAX_DEPTH:
        inner = value if kind is list else [*value, *value.values()]
        named = kind is list or all(type(key) is str for key in value)
        return named and all(_plain(item, depth + 1) for item in inner)
    return value is None or kind in {int, bool}


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
