"""The shape of a policy file as JSON Schema, for editors; what its parser refuses by shape, this does too."""

from __future__ import annotations

from typing import Any

from fairlead.checkpoints.answers import AGREEMENTS, SCHEMA_KEYWORDS
from fairlead.checkpoints.parsing import (
    FACT_KEYS,
    LOTTERY_KEYS,
    MAX_FACTS,
    MAX_QUORUM,
    MAX_RULES,
    MAX_SEGMENTS,
    ON_EXPIRY,
    POLICY_KEYS,
    REVIEW_KEYS,
    RULE_KEYS,
    SEGMENT_KEYS,
    STOPS,
    TAKEN,
)
from fairlead.checkpoints.policy import BUILT_IN, OTHER, SOURCES
from fairlead.kit.expressions import MAX_CHARS, Type

Shape = dict[str, Any]
_NAME: Shape = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"}
_SPAN: Shape = {"type": "string", "pattern": "^([0-9]{1,9}(ms|s|m|h|d|w))+$"}
_EXPRESSION: Shape = {"type": "string", "minLength": 1, "maxLength": MAX_CHARS, "pattern": "\\S"}
_WHEN: Shape = {"anyOf": [_EXPRESSION, {"type": "array", "minItems": 1, "maxItems": 50, "items": _EXPRESSION}]}
_BOOL: Shape = {"type": "boolean"}
_INNER = {"items", "additionalProperties", "not"}
_LISTS = {"anyOf", "oneOf", "allOf"}


def _text(most: int) -> Shape:
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": "\\S"}


def _object(keys: tuple[str, ...], shapes: Shape, required: tuple[str, ...], **more: Any) -> Shape:
    properties = {key: shapes[key] for key in keys}
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False, **more,
    }  # fmt: skip


def policy_shape() -> Shape:
    """Without the `$schema` line; a fresh dictionary each time."""
    shapes: Shape = {
        "checkpoint": {**_NAME, "description": "The name that playbooks and API callers use."},
        "description": _text(2_000),
        "answer": {**_answer(), "description": "JSON Schema of the answer; always an object."},
        "agree": {**_agree(), "description": "When two answers count as the same."},
        "deterministic": _BOOL,
        "stop": {"enum": list(STOPS)},
        "facts": {**_facts(), "description": "What rules and segments may read, each with its type."},
        "segments": {"type": "array", "maxItems": MAX_SEGMENTS, "items": _segment()},
        "rules": {"type": "array", "maxItems": MAX_RULES, "items": _rule()},
        "review": {**_review(), "description": "How people decide."},
        "lottery": _object(LOTTERY_KEYS, {"rate": {"type": "number", "minimum": 0, "maximum": 1}}, LOTTERY_KEYS),
    }
    never = {
        "if": {"properties": {"stop": {"const": "never"}}, "required": ["stop"]},
        "then": {"properties": {"deterministic": {"const": True}}, "required": ["deterministic"]},
    }
    shape = _object(POLICY_KEYS, shapes, ("checkpoint", "answer", "review"), **never)
    return {**shape, "$defs": {"answer": _keywords()}}


def _answer() -> Shape:
    return {
        "$ref": "#/$defs/answer", "type": "object", "properties": {"type": {"const": "object"}}, "required": ["type"],
    }  # fmt: skip


def _keywords() -> Shape:
    """The keywords that an answer's schema may use, all the way down."""
    inner: Shape = {"$ref": "#/$defs/answer"}
    either: Shape = {"anyOf": [_BOOL, inner]}
    properties: Shape = {}
    for keyword in sorted(SCHEMA_KEYWORDS):
        if keyword in _INNER:
            properties[keyword] = either
        elif keyword in _LISTS:
            properties[keyword] = {"type": "array", "minItems": 1, "maxItems": 50, "items": either}
        elif keyword == "properties":
            properties[keyword] = {"type": "object", "additionalProperties": either}
        else:
            properties[keyword] = {}
    properties["pattern"] = _text(500)
    properties["required"] = {"type": "array", "items": {"type": "string"}}
    properties["enum"] = {"type": "array"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _agree() -> Shape:
    field = _text(200)
    number = {"type": "number", "minimum": 0}
    classes = {
        "type": "object",
        "additionalProperties": {"type": "array", "minItems": 1, "items": _text(200)},
    }
    how = {name: {"const": name} for name in AGREEMENTS}
    exact = _object(
        ("how", "fields"), {"how": how["exact"], "fields": {"type": "array", "minItems": 1, "items": field}}, ("how",)
    )
    tolerance = _object(
        ("how", "field", "absolute", "relative"),
        {"how": how["tolerance"], "field": field, "absolute": number, "relative": {**number, "maximum": 1}},
        ("how", "field"),
        anyOf=[{"required": ["absolute"]}, {"required": ["relative"]}],
    )
    same = _object(
        ("how", "field", "classes"),
        {"how": how["same_class"], "field": field, "classes": classes},
        ("how", "field", "classes"),
    )
    graded = _object(("how",), {"how": how["graded"]}, ("how",))
    return {"oneOf": [{"enum": ["exact", "graded"]}, exact, tolerance, same, graded]}


def _facts() -> Shape:
    kinds = "|".join(
        " *".join(_escaped(one) for one in kind.value.replace(" ", "")) for kind in Type
    )  # blanks inside a type do not count
    kind: Shape = {"type": "string", "pattern": f"^ *({kinds}) *$"}
    shapes: Shape = {
        "type": kind,
        "from": {"type": "string", "maxLength": 200, "pattern": f"^(now|({'|'.join(SOURCES)})\\..+)$"},
        "required": _BOOL,
        "default": {},
        "description": _text(500),
    }
    both = {"required": ["required", "default"], "properties": {"required": {"const": True}}}
    long = _object(FACT_KEYS, shapes, ("type",), **{"not": both})
    return {
        "type": "object",
        "maxProperties": MAX_FACTS,
        "propertyNames": {
            "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
            "not": {"enum": sorted({*TAKEN, *BUILT_IN})},
        },
        "additionalProperties": {"anyOf": [kind, long]},
    }


def _escaped(one: str) -> str:
    return f"\\{one}" if one in "()" else one


def _segment() -> Shape:
    name = {**_NAME, "not": {"const": OTHER}}
    return _object(SEGMENT_KEYS, {"name": name, "when": _WHEN, "description": _text(500)}, ("name", "when"))


def _rule() -> Shape:
    shapes: Shape = {
        "id": _NAME,
        "when": _WHEN,
        "path": {
            "enum": ["assist", "human", "blocked"],
            "description": "The loosest path left; only a grant gives auto.",
        },
        "role": _NAME,
        "quorum": {"type": "integer", "minimum": 1, "maximum": MAX_QUORUM},
        "words": {**_text(500), "description": "Why, for staff."},
        "customer": {**_text(500), "description": "Why, for the customer."},
    }
    alone = {
        "if": {"properties": {"path": {"const": "blocked"}}, "required": ["path"]},
        "then": {"properties": {"role": False, "quorum": {"const": 1}}},
    }
    return _object(RULE_KEYS, shapes, ("id", "when", "path", "words"), **alone)


def _review() -> Shape:
    shapes: Shape = {
        "role": _NAME,
        "due": _SPAN,
        "priority": _EXPRESSION,
        "on_expiry": {"enum": list(ON_EXPIRY)},
        "escalate_to": _NAME,
    }
    escalates = {"properties": {"on_expiry": {"const": "escalate"}}, "required": ["on_expiry"]}
    target = {"required": ["escalate_to"]}
    return _object(REVIEW_KEYS, shapes, ("role", "due"), **{"if": escalates, "then": target, "else": {"not": target}})
