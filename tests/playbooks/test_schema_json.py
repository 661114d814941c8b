"""The JSON Schemas accept what the parsers accept, and refuse what they refuse by its shape."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from fairlead import sales
from fairlead.checkpoints import parse_policy
from fairlead.errors import SourceError
from fairlead.kit.jsons import dumps
from fairlead.kit.yamlmarks import load_yaml
from fairlead.playbooks import playbook_schema, policy_schema
from fairlead.playbooks.parsing import STAGE_KEYS, TOP_KEYS, parse_playbook
from tests.playbooks.world import OFFER, POLICY

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = Path(sales.__file__).parent / "example"
PARSERS: dict[str, Callable[[str, str], object]] = {"playbook": parse_playbook, "policy": parse_policy}
VALIDATORS = {"playbook": Draft202012Validator(playbook_schema()), "policy": Draft202012Validator(policy_schema())}
GOALS = """
playbook: whole
description: Everything that may stand in a playbook.
objective: {goal: Quick., measure: {median_time_to: ask}, target: 4h, by: 2027-03-31, owner: ida@acme.example}
subject: lead
serial_key: case
facts: {price: double, tags: list(string)}
on: {opted_out: gone}
start: find
stages:
  find: {step: look-up@2, with: {any: [thing, 1]}, retries: 2, timeout: 10s, concurrency: 2, max_batch: 5, next: sort}
  sort: {branch: [{when: price > 1.0, next: ask}], otherwise: parts}
  ask:
    checkpoint: offer
    answer: {price: price}
    producer: rules@1
    score: confidence
    value: price
    signals: [price]
    title: "{name}"
    next: {approved: tell, rejected: rest, blocked: gone, expired: gone}
  tell: {act: mail, kind: x, body: {price: price}, expires: 1h, next: {sent: rest, held: rest, refused: gone}}
  parts: {spawn: other, each: tags, until: any, next: note}
  note: {act: mail, detach: true, next: letter}
  letter: {act: message, channel: email, purpose: service, sender: sales, template: offer, fields: {price: price},
           priority: 3, value: price, next: {sent: rest, refused: gone}}
  rest: {wait: time, for: 2d, next: {timeout: reply}}
  reply: {wait: replied, for: 1d, next: {replied: gone, timeout: ever}}
  ever: {wait: replied, next: {replied: gone}}
  gone: {end: gone}
"""
WHOLE_POLICY = """
checkpoint: offer
description: All of it.
answer: {type: object, required: [price], additionalProperties: false,
         properties: {price: {type: number, minimum: 0}, code: {type: string, pattern: "^a+$"}, of: {enum: [a, b]},
                      list: {type: array, items: {anyOf: [{type: string}, {type: number}]}}}}
agree: {how: tolerance, field: price, absolute: 1}
deterministic: true
stop: never
facts:
  country: string
  tags: {type: "list( string )", from: customer.flags, default: []}
  reach: {type: string, from: subject.reach, required: true, description: How to reach them.}
segments: [{name: small, when: [value < 5.0, 'country == "DE"'], description: Cheap.}]
rules:
  - {id: a, when: value > 5.0, path: assist, role: boss, quorum: 2, words: Why., customer: Why.}
  - {id: b, when: [value > 9.0], path: blocked, words: No., quorum: 1}
review: {role: reviewer, due: 1h30m, priority: value / 2.0, on_expiry: escalate, escalate_to: boss}
lottery: {rate: 0.1}
"""


def documents() -> Iterator[tuple[str, str, str]]:
    """(kind, name, text) of everything that is shown as a whole file anywhere."""
    for kind, folder in (("playbook", "playbooks"), ("policy", "policies")):
        for path in sorted((EXAMPLE / folder).glob("*.yaml")):
            yield kind, path.name, path.read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)):
            if re.search(r"^playbook:", text, re.MULTILINE) and "\nstages:" in text:
                yield "playbook", f"{page.name} {number}", text
            elif re.search(r"^checkpoint:", text, re.MULTILINE) and "\nreview:" in text:
                yield "policy", f"{page.name} {number}", text
    yield "playbook", "offer of the tests", OFFER
    yield "playbook", "every key", GOALS
    yield "policy", "offer of the tests", POLICY
    yield "policy", "every key", WHOLE_POLICY


def plain(text: str) -> Any:
    """As an editor reads it."""
    return load_yaml(text, "x.yaml").plain()


DOCUMENTS = list(documents())


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, _, text in DOCUMENTS], ids=[d[1] for d in DOCUMENTS])
def test_every_example_fits_its_schema(kind: str, text: str) -> None:
    """The example workspace, every file in the docs, and files with every key."""
    problems = [f"{list(one.absolute_path)}: {one.message[:200]}" for one in VALIDATORS[kind].iter_errors(plain(text))]
    assert problems == []


def test_the_files_with_every_key_have_every_key() -> None:
    """A key that is added to the parser must be added here, and with it to the schema."""
    whole = plain(GOALS)
    assert set(whole) == set(TOP_KEYS)
    used: dict[str, set[str]] = {kind: set() for kind in STAGE_KEYS}
    for stage in whole["stages"].values():
        [kind] = [one for one in STAGE_KEYS if one in stage]
        used[kind] |= set(stage)
    assert used == {kind: set(keys) for kind, keys in STAGE_KEYS.items()}
    parse_playbook(GOALS, "p.yaml")
    parse_policy(WHOLE_POLICY, "p.yaml")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def mutants(document: Any) -> Iterator[tuple[str, Any]]:
    """Each part in turn removed, joined by an unknown key, or of another kind."""
    for path in places(document):
        for name, change in (
            ("without it", None), ("null", [None]), ("a list", [["x"]]), ("a mapping", [{"x": "y"}]),
            ("a number", [17]), ("a large number", [10**6]), ("true", [True]), ("a strange word", ["No Such Thing!"]),
            ("nothing", [""]),
        ):  # fmt: skip
            if not path and change is None:
                continue
            changed = copy.deepcopy(document)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if change is None:
                del parent[path[-1]]
            elif path:
                parent[path[-1]] = change[0]
            else:
                changed = change[0]
            yield f"{'.'.join(map(str, path))}: {name}", changed
        target = document
        for key in path:
            target = target[key]
        if isinstance(target, dict):
            changed = copy.deepcopy(document)
            parent = changed
            for key in path:
                parent = parent[key]
            parent["no_such_key"] = "x"
            yield f"{'.'.join(map(str, path))}: an unknown key", changed


# What no schema can say, because it takes two places, a type checker, or more than the shape of one value.
BY_MEANING = (
    "There is no stage", "Nothing leads to stage", "go round without ever waiting", "has no end", "has no stage",
    "has no checkpoint", "There is already a", "is not known here", "has no field", "cannot be used",
    "The default", "is not a valid JSON Schema", "is outside", "Syntax error", "no matching overload",
    "must be true or false", "This gives", "is not a day", "is already in the class", "in the title is not",
    "A condition", "cannot be compared", "expects",
)  # fmt: skip


def by_meaning(name: str, error: SourceError) -> bool:
    """Whether it takes more than shape; the ways out of a wait are named after its event."""
    of_a_wait = name.startswith(("stages.reply", "stages.ever")) and error.reason in {"unknown_key", "missing_key"}
    return of_a_wait or any(part in error.message for part in BY_MEANING)


def compare(kind: str, every: int) -> int:
    """Every n-th single change to a file that has every key; how many the parser refused by shape."""
    document = plain(GOALS if kind == "playbook" else WHOLE_POLICY)
    refused = 0
    for name, changed in itertools.islice(mutants(document), 0, None, every):
        fits = VALIDATORS[kind].is_valid(changed)
        error = refusal(kind, dumps(changed))  # JSON is YAML
        if error is None:
            assert fits, f"{name}: the schema refuses what the parser takes"
        elif not by_meaning(name, error):
            refused += 1
            assert not fits, f"{name}: the schema takes what the parser refuses: {error.message}"
    return refused


def refusal(kind: str, text: str) -> SourceError | None:
    """Of the parser; None when it takes the text."""
    try:
        PARSERS[kind](text, "p.yaml")
    except SourceError as error:
        return error
    return None


@pytest.mark.parametrize("kind", ["playbook", "policy"])
def test_what_the_parser_refuses_by_shape_the_schema_refuses(kind: str) -> None:
    """And nothing that the parser takes is refused; over every eleventh single change."""
    assert compare(kind, 11) > 30


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["playbook", "policy"])
def test_the_same_over_every_single_change(kind: str) -> None:
    """Some hundred of them."""
    assert compare(kind, 1) > 400


@pytest.mark.parametrize("kind", ["playbook", "policy"])
def test_the_schemas_are_schemas(kind: str) -> None:
    """Valid by their own draft, each with a title for the editor."""
    schema = playbook_schema() if kind == "playbook" else policy_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["title"].startswith("A Fairlead")


def test_an_editor_reads_booleans_as_we_do() -> None:
    """`on:` is a key for us and for YAML 1.2; editors that use it need no quotes."""
    assert True in yaml.safe_load("on: {x: y}")
    assert "on" in plain("on: {x: y}")
