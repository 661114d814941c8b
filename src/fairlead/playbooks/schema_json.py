"""JSON Schemas of the playbook and policy files, for editors: names, shapes and bounds, as the parsers have them.

What takes more than one place to judge (does a stage exist, is a condition well typed) is `fairlead check`'s.
"""

from __future__ import annotations

from typing import Any

from fairlead.actions import MESSAGE
from fairlead.checkpoints import policy_shape
from fairlead.kit.expressions import MAX_CHARS, Type
from fairlead.playbooks.objectives import OBJECTIVE_KEYS, OWNER, PERIODS, MeasureKind
from fairlead.playbooks.parsing import (
    ACT_OUTCOMES,
    FACT_PATTERN,
    MAX_FACTS,
    MAX_PRIORITY,
    MAX_STAGES,
    MESSAGE_WORDS,
    OWN_EVENTS,
    STAGE_KEYS,
    STAGE_PATTERN,
    STEP_PATTERN,
    TAKEN,
    TOP_KEYS,
)

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = "^([0-9]{1,9}(ms|s|m|h|d|w))+$"
_STAGE: Schema = {"type": "string", "pattern": f"^{STAGE_PATTERN}$", "description": "A stage of this playbook."}
_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"}
_FACT: Schema = {"type": "string", "pattern": f"^{FACT_PATTERN}$", "description": "A fact of the case."}
_FACTS: Schema = {"type": "object", "additionalProperties": _FACT}
_SPAN: Schema = {"type": "string", "pattern": _DURATION, "description": "Such as 10s, 4h, 2d or 1h30m."}
_SAID = {
    "playbook": "Its name; unique in the workspace.",
    "description": "What it is for, for people.",
    "objective": "What it is to reach, with a figure, a target and an owner.",
    "subject": "The kind of thing a case is about.",
    "serial_key": "Whose effects never overlap and keep their order.",
    "facts": "What conditions may read, each with its type.",
    "on": "Interrupts: an event about the customer, and the stage that it sends the case to.",
    "start": "The first stage; left out, the one that stands first.",
    "stages": "1 to 200 stages by name; each has exactly one of step, checkpoint, act, wait, branch, spawn and end.",
}


def _text(most: int = 10_000) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": "\\S"}


def _object(properties: Schema, required: tuple[str, ...] | list[str], **more: Any) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False, **more,
    }  # fmt: skip


def _outcomes(required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Schema:
    return _object(dict.fromkeys((*required, *optional), _STAGE), required)


def playbook_schema() -> Schema:
    """Of `playbooks/*.yaml`; a fresh dictionary each time."""
    properties: Schema = {
        "playbook": _NAME,
        "description": _text(),
        "objective": _objective(),
        "subject": _NAME,
        "serial_key": {"enum": ["customer", "case"]},
        "facts": {
            "type": "object",
            "maxProperties": MAX_FACTS,
            "propertyNames": {"pattern": f"^{FACT_PATTERN}$", "not": {"enum": sorted(TAKEN)}},
            "additionalProperties": {"enum": [kind.value for kind in Type]},
        },
        "on": {
            "type": "object",
            "propertyNames": {"pattern": f"^{STAGE_PATTERN}$", "not": {"enum": list(OWN_EVENTS)}},
            "additionalProperties": _STAGE,
        },
        "start": _STAGE,
        "stages": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MAX_STAGES,
            "propertyNames": {"pattern": f"^{STAGE_PATTERN}$"},
            "additionalProperties": {"oneOf": [_kinds()[kind] for kind in STAGE_KEYS]},
        },
    }
    described = {key: {**properties[key], "description": _SAID[key]} for key in TOP_KEYS}
    head = {"$schema": DRAFT, "title": "A Fairlead playbook"}
    return {**head, **_object(described, ("playbook", "subject", "stages"))}


def _objective() -> Schema:
    share = {"type": "number", "minimum": 0, "maximum": 1}
    kinds: dict[MeasureKind, tuple[Schema, Schema]] = {
        MeasureKind.ENDED: (_text(64), share),
        MeasureKind.COUNT_ENDED: (_text(64), {"type": "number", "minimum": 1, "maximum": 1e12}),
        MeasureKind.MEDIAN_TIME_TO: (_text(64), _SPAN),
        MeasureKind.WITHOUT_PERSON: (_text(64), share),
        MeasureKind.OUTCOME: ({"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,63}$"}, share),
    }
    measures = [_object({kind.value: of}, [kind.value]) for kind, (of, _) in kinds.items()]
    properties: Schema = {
        "goal": _text(300),
        "measure": {"oneOf": measures},
        "target": {"anyOf": [{"type": "number"}, _SPAN]},
        "by": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
        "per": {"enum": list(PERIODS)},
        "owner": {"type": "string", "pattern": f"^({OWNER})$"},
    }
    targets = [
        {
            "if": {"properties": {"measure": {"required": [kind.value]}}},
            "then": {"properties": {"target": target}},
        }
        for kind, (_, target) in kinds.items()
    ]
    one_of = [{"required": ["by"]}, {"required": ["per"]}]
    ordered = {key: properties[key] for key in OBJECTIVE_KEYS}
    return _object(ordered, ("goal", "measure", "target", "owner"), oneOf=one_of, allOf=targets)


def _kinds() -> dict[str, Schema]:
    when = {"type": "string", "minLength": 1, "maxLength": MAX_CHARS, "pattern": "\\S"}
    arm = _object({"when": when, "next": _STAGE}, ("when", "next"))
    shapes: dict[str, tuple[Schema, tuple[str, ...], Schema]] = {
        "step": (
            {
                "step": {"type": "string", "maxLength": 80, "pattern": f"^{STEP_PATTERN}$"},
                "with": {},
                "retries": {"type": "integer", "minimum": 0, "maximum": 20},
                "timeout": _SPAN,
                "concurrency": {"type": "integer", "minimum": 1, "maximum": 64},
                "max_batch": {"type": "integer", "minimum": 1, "maximum": 500},
                "next": _STAGE,
            },
            ("step", "next"),
            {},
        ),
        "checkpoint": (
            {
                "checkpoint": _NAME,
                "answer": _FACTS,
                "producer": {"anyOf": [_text(100), _object({"fact": _FACT}, ("fact",))]},
                "score": _FACT,
                "value": _FACT,
                "signals": {"type": "array", "maxItems": 200, "items": _FACT},
                "title": _text(200),
                "next": _outcomes(("approved", "rejected", "blocked"), ("expired",)),
            },
            ("checkpoint", "answer", "next"),
            {},
        ),
        "act": (
            {
                "act": _NAME,
                "kind": _text(80),
                "body": _FACTS,
                **dict.fromkeys(MESSAGE_WORDS, _NAME),
                "fields": _FACTS,
                "priority": {"type": "integer", "minimum": -MAX_PRIORITY, "maximum": MAX_PRIORITY},
                "value": _FACT,
                "detach": {"type": "boolean"},
                "expires": _SPAN,
                "next": {},
            },
            ("act", "next"),
            {
                "if": {"properties": {"detach": {"const": True}}, "required": ["detach"]},
                "then": {"properties": {"next": _STAGE}},
                "else": {"properties": {"next": _outcomes(("sent",), ACT_OUTCOMES[1:])}},
                "allOf": [_purposes()],
            },
        ),
        "wait": ({"wait": {**_NAME, "not": {"enum": list(OWN_EVENTS[:2])}}, "for": _SPAN, "next": {}}, *_waits()),
        "branch": (
            {"branch": {"type": "array", "minItems": 1, "maxItems": 50, "items": arm}, "otherwise": _STAGE},
            ("branch", "otherwise"),
            {},
        ),
        "spawn": (
            {"spawn": _NAME, "each": _FACT, "until": {"enum": ["all", "any"]}, "next": _STAGE},
            ("spawn", "each", "next"),
            {},
        ),
        "end": ({"end": _text(64)}, ("end",), {}),
    }
    return {kind: _object(properties, required, **more) for kind, (properties, required, more) in shapes.items()}


def _purposes() -> Schema:
    """A message to a customer says what it is for, as a key or in its body."""
    in_body = {"required": ["body"], "properties": {"body": {"required": ["purpose"]}}}
    message = {"required": ["act"], "properties": {"act": {"const": MESSAGE}}}
    return {"if": message, "then": {"anyOf": [{"required": ["purpose"]}, in_body]}}


def _waits() -> tuple[tuple[str, ...], Schema]:
    """What a wait's `next` must hold depends on its event and on whether it ends by itself."""
    ways = {"type": "object", "additionalProperties": _STAGE}
    exact = {"minProperties": 1, "maxProperties": 1}
    for_time = {"properties": {"wait": {"const": "time"}}}
    return ("wait", "next"), {
        "if": for_time,
        "then": {"required": ["for"], "properties": {"next": {**ways, **exact, "required": ["timeout"]}}},
        "else": {
            "if": {"required": ["for"]},
            "then": {"properties": {"next": {**ways, "required": ["timeout"], "minProperties": 2, "maxProperties": 2}}},
            "else": {"properties": {"next": {**ways, **exact}}},
        },
    }


def policy_schema() -> Schema:
    """Of `policies/*.yaml`; a fresh dictionary each time."""
    return {"$schema": DRAFT, "title": "A Fairlead policy", **policy_shape()}


SCHEMAS = {"playbook": playbook_schema, "policy": policy_schema}
"""By the name under which the command line and `/schemas/NAME.json` give them."""
