"""What each route takes, read from the OpenAPI description, as rows of docs/api.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

BEGIN, END = "<!-- bodies: from OpenAPI -->", "<!-- /bodies -->"


def rows_of(spec: Mapping[str, Any]) -> list[str]:
    """A table row for every route below /v1 with a body or required query parameters: required, then optional."""
    rows = []
    for path, verbs in sorted(spec["paths"].items()):
        for verb, route in verbs.items():
            required, optional = [], []
            for name, needed in _fields(spec, route):
                (required if needed else optional).append(f"`{name}`")
            body = "requestBody" in route
            if path.startswith("/v1/") and (body or required):
                rows.append(
                    f"| `{verb.upper()} {path}` | {', '.join(required) or '–'} | {', '.join(optional) or '–'} |"
                )
    return rows


def documented_rows(page: str) -> list[str]:
    """The rows that stand between the two marks of the page; empty without them."""
    part = page.partition(BEGIN)[2].partition(END)[0]
    return [line for line in part.splitlines() if line.startswith("| `")]


def _fields(spec: Mapping[str, Any], route: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for one in route.get("parameters", ()):
        if one["in"] == "query" and one.get("required"):
            yield f"?{one['name']}", True
    for media in route.get("requestBody", {}).get("content", {}).values():
        yield from _of_object(spec, media["schema"])


def _of_object(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:  # a body that may be left out
            schema = next((one for one in schema["anyOf"] if "$ref" in one or "properties" in one), {})
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        yield from _nested(spec, name, field, needed=name in required)


def _nested(
    spec: Mapping[str, Any], name: str, field: Mapping[str, Any], *, needed: bool
) -> Iterator[tuple[str, bool]]:
    """The field itself; a required object by its own required fields, as `proposal.answer`."""
    inner = [part for part, must in _of_object(spec, field) if must] if needed else []
    if inner:
        yield from ((f"{name}.{part}", True) for part in inner)
    else:
        yield name, needed
