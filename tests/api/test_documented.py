"""docs/api.md says of every route which fields it needs, as the program itself does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.api.bodies import BEGIN, END, documented_rows, rows_of
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from tests.api.world import World


def test_required_fields_are_marked(light_world: World) -> None:
    """The table of docs/api.md is that of the OpenAPI description; a new, renamed or newly required field fails."""
    expected = rows_of(light_world.app.openapi())
    found = documented_rows((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))

    assert expected == found, "run tools/bodies.py; docs/api.md should say:\n" + "\n".join(expected)


def test_a_newly_required_field_is_noticed() -> None:
    """Required and optional fields, query parameters and objects in objects are told apart."""
    answer = {"type": "object", "required": ["team"], "properties": {"team": {}, "why": {}}}
    body = {"type": "object", "required": ["a", "b"], "properties": {"a": {"$ref": "#/c/Answer"}, "b": {}, "c": {}}}
    content = {"application/json": {"schema": {"anyOf": [{"$ref": "#/c/Body"}, {"type": "null"}]}}}
    query = [{"in": "query", "name": "q", "required": True}, {"in": "query", "name": "n"}, {"in": "path", "name": "id"}]
    spec = {
        "components": {"schemas": {"Answer": answer, "Body": body}},
        "paths": {
            "/v1/x": {"post": {"requestBody": {"content": content}}, "get": {"parameters": query}},
            "/v1/y": {"get": {"parameters": query[1:]}},
            "/x": {"post": {"requestBody": {"content": content}}},
        },
    }
    rows = ["| `POST /v1/x` | `a.team`, `b` | `c` |", "| `GET /v1/x` | `?q` | – |"]
    assert rows_of(spec) == rows
    assert documented_rows(f"| `POST /v1/z` | – | – |\n{BEGIN}\n\n| route |\n" + "\n".join(rows) + f"\n{END}\n") == rows
    assert documented_rows("| `POST /v1/x` | `b` | – |") == []
