"""The small language of message templates: which filters and tests there are, and the sandbox they run in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fairlead.connectors.message_markup import CLOSE, OPEN

FILTERS = frozenset({
    "abs", "capitalize", "default", "first", "float", "int", "join", "last", "length", "lower", "round", "title",
    "trim", "truncate", "upper", "urlencode",
})  # fmt: skip
TESTS = frozenset({
    "defined", "undefined", "number", "string", "even", "odd", "eq", "ne", "lt", "le", "gt", "ge", "in", "true",
    "false", "divisibleby", "equalto",
})  # fmt: skip
SLOTS = "_slots"
"""Under this name a render keeps what it filled in; no template can read it, since it begins with an underscore."""


_NAMED = 3


class FieldError(Exception):
    """A value that cannot be written into a message."""


def _names_of(context: Context, value: Any) -> str:
    """The fields that a value may have come from, "a value" where none is known."""
    own = {name: one for name, one in context.get_all().items() if not name.startswith("_")}
    inner = {f"{name}.{key}": item for name, one in own.items() if isinstance(one, dict) for key, item in one.items()}
    found = sorted(name for name, one in {**own, **inner}.items() if one is value)[:_NAMED]
    return f"the field {' or '.join(found)}" if found else "a value"


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """What stands in the message for a value: a place that is filled in after the markup was made, or itself."""
    if isinstance(value, Undefined):
        return str(value)  # raises, and says which
    if value is None or isinstance(value, (list, tuple, dict)):
        named = _names_of(context, value)
        message = f"{named} is empty" if value is None else f"{named} is a list or an object and not a text"
        raise FieldError(message)
    if isinstance(value, bool):
        value = "true" if value else "false"
    slots: list[str] | None = context.get(SLOTS)
    if slots is None:
        return value
    slots.append(str(value))
    return f"{OPEN}{len(slots) - 1}{CLOSE}"


@lru_cache(maxsize=2)
def template_environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    """Sandboxed, without globals and with the listed filters and tests alone; `html` escapes what is filled in."""
    environment = ImmutableSandboxedEnvironment(
        autoescape=html, undefined=StrictUndefined, finalize=_finalize, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, cache_size=0,
    )  # fmt: skip
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.tests = {name: one for name, one in environment.tests.items() if name in TESTS}
    return environment
