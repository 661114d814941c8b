"""Forms made from a checkpoint's answer schema, and typed answers made from posted forms."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead.console.words import plain
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.sales import country_code

if TYPE_CHECKING:
    from fairlead.console.shell import Posted

PREFIX = "answer."
WHOLE = "answer"
FEW = 8
LONG_TEXT = 120
_NUMBER_CHARS = 64
_TWO_WAYS = re.compile(r"([+-]?[1-9]\d{0,2})[.,](\d{3})", re.ASCII)
"""One mark with three digits behind it: thousands to some, a fraction to others."""
_THREE_PLACES = re.compile(r"-?\d+\.\d{3}", re.ASCII)
_COUNTRY_CODE = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an enumeration; `value` is what the form sends, `words` what is shown."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form.

    `kind` is radio, select, checks, number, integer, text, lines, area or json. `value` is what stands in it,
    `values` what is ticked. `required` is told, but left to the server to enforce.
    """

    name: str
    label: str
    kind: str
    required: bool
    value: str = ""
    values: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    least: str = ""
    most: str = ""


def fields_of(schema: Mapping[str, Any], answer: Any, typed: Posted | None = None) -> list[Field]:
    """Inputs for an answer, filled with `answer`, or with what was typed when a form comes back."""
    properties = schema.get("properties") or {}
    given = answer if isinstance(answer, Mapping) else {}
    if not properties:
        text = "" if answer is None else jsons.dumps(answer)
        return [Field(WHOLE, "Answer", "json", required=True, value=typed.text(WHOLE) if typed else text)]
    required = set(schema.get("required", ()))
    return [
        _field(
            PREFIX + name,
            name,
            part if isinstance(part, Mapping) else {},
            given.get(name),
            typed,
            name in required,
        )
        for name, part in properties.items()
    ]


def _field(
    key: str,
    name: str,
    part: Mapping[str, Any],
    value: Any,
    typed: Posted | None,
    required: bool,  # noqa: FBT001
) -> Field:
    kind, choices = _kind(part, required=required)
    label = str(part.get("title") or plain(name))
    hint = str(part.get("description") or "")
    least, most = (str(part.get(word, "")) for word in ("minimum", "maximum"))
    if kind == "checks":
        ticked = typed.all(key) if typed else [_sent(one) for one in value or ()]
        return Field(key, label, kind, required, values=tuple(ticked), choices=choices, hint=hint)
    text = typed.text(key) if typed else _filled(kind, value)
    return Field(key, label, kind, required, text, (), choices, hint, least, most)


def _kind(part: Mapping[str, Any], *, required: bool) -> tuple[str, tuple[Choice, ...]]:
    if "enum" in part or part.get("type") == "boolean":
        values = part.get("enum", [True, False])
        choices = tuple(Choice(_sent(one), _words(one)) for one in values)
        if not required:
            choices = (Choice("", "not given"), *choices)
        return ("radio" if len(values) <= FEW else "select"), choices
    kind = part.get("type")
    if kind in ("integer", "number"):
        return str(kind), ()
    if kind == "string":
        return ("text" if part.get("maxLength", LONG_TEXT + 1) <= LONG_TEXT else "area"), ()
    items = part.get("items")
    if kind == "array" and isinstance(items, Mapping):
        if "enum" in items:
            return "checks", tuple(Choice(_sent(one), _words(one)) for one in items["enum"])
        if items.get("type") == "string":
            return "lines", ()
    return "json", ()


def _sent(value: Any) -> str:
    """JSON text, so that 1, "1" and true stay apart."""
    return jsons.dumps(value)


def _words(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _filled(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind in ("radio", "select", "json"):
        return _sent(value)
    if kind == "lines":
        return "\n".join(map(str, value)) if isinstance(value, list) else ""
    text = str(value) if not isinstance(value, float) or not value.is_integer() else str(int(value))
    # One more nought, so that what is shown cannot be taken for thousands when it comes back.
    return text + "0" if kind == "number" and _THREE_PLACES.fullmatch(text) else text


def answer_from(schema: Mapping[str, Any], form: Posted, before: Any = None) -> dict[str, Any]:
    """The typed answer of a posted form; fields left empty are left out.

    Fields of `before` that the schema does not name are kept, since the form could not show them. InputError
    that names the field for text that is no number, is one in two ways, is no country where two letters of one
    are wanted, or is no JSON; whether it fits is the schema's to say.
    """
    properties = schema.get("properties") or {}
    if not properties:
        whole = _json(form.text(WHOLE) or "{}", "the answer")
        if not isinstance(whole, dict):
            raise InputError("The answer must be a JSON object, in braces.", code="form", field="answer")
        return whole
    found: dict[str, Any] = {}
    if isinstance(before, Mapping):
        found = {name: value for name, value in before.items() if name not in properties}
    for name, part in properties.items():
        shape = part if isinstance(part, Mapping) else {}
        kind, choices = _kind(shape, required=name in schema.get("required", ()))
        value = _read(kind, PREFIX + name, name, choices, form)
        if isinstance(value, str) and name == "country" and shape.get("maxLength") == _COUNTRY_CODE:
            value = _country(value, name)
        if value is not None:
            found[name] = value
    return found


def _read(kind: str, key: str, name: str, choices: tuple[Choice, ...], form: Posted) -> Any:
    known = {choice.value for choice in choices if choice.value}
    if kind == "checks":
        ticked = form.all(key)
        return [_json(one, name) for one in ticked if one in known] if ticked else None
    text = form.text(key)
    if not text:
        return None
    if kind in ("radio", "select"):
        if text not in known:
            raise InputError(f"{plain(name)}: choose one of the values offered.", code="form", field=name)
        return _json(text, name)
    if kind in ("number", "integer"):
        return _number(text, name, whole=kind == "integer")
    if kind == "lines":
        return [line.strip() for line in text.split("\n") if line.strip()]
    return _json(text, name) if kind == "json" else text


def _country(text: str, name: str) -> str:
    code = country_code(text) if len(text) <= LONG_TEXT else None
    if code is None:
        message = f"{plain(name)}: {text[:40]!r} is not known. Write two letters such as DE, or a country's name."
        raise InputError(message, code="form", field=name)
    return code


def _number(text: str, name: str, *, whole: bool) -> int | float:
    if two := _TWO_WAYS.fullmatch(text):
        thousands, places = two[1] + two[2], two[2].rstrip("0")
        written = places.ljust(2, "0") if len(places) < len(two[2]) else places + "0"
        message = f"{plain(name)}: “{text}” can be {thousands} or {two[1]}.{places or '0'}: write {thousands}"
        message += "." if whole else f" or {two[1]}.{written}."
        raise InputError(message, code="form", field=name)
    try:
        text = text if len(text) <= _NUMBER_CHARS else "too long"
        value = int(text) if whole or text.lstrip("-").isdigit() else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):  # Python reads `nan` and `inf`, JSON holds neither
        kind = "a whole number" if whole else "a number"
        raise InputError(f"{plain(name)}: {text[:40]!r} is not {kind}.", code="form", field=name)
    return value


def _json(text: str, name: str) -> Any:
    try:
        return jsons.loads(text)
    except ValueError:
        raise InputError(f"{plain(name)}: this is not valid JSON.", code="form", field=name) from None
