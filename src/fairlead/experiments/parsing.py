"""From `experiments.yaml` to plans; docs/experiments.md describes every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from fairlead.errors import InputError, Place, SourceError
from fairlead.experiments.holdouts import HOLDOUT
from fairlead.experiments.model import CUSTOMER, MAX_ARMS, MIN_SHARE, Arm, Experiment
from fairlead.experiments.plans import Goal, GoalKind, Plan
from fairlead.kit import jsons
from fairlead.kit.expressions import Environment, Type
from fairlead.kit.yamlmarks import Key, load_yaml

if TYPE_CHECKING:
    from fairlead.kit.yamlmarks import Node

FILE = "experiments.yaml"
MAX_PLANS, MAX_FACTS, MAX_NAMES, MAX_VERSION = 100, 100, 20, 10_000
MAX_PER_ARM = 50_000
MAX_WITHIN = timedelta(days=366)
LEAST_PER_ARM = 20
KEYS = ("words", "version", "unit", "facts", "eligible", "otherwise", "from", "until")
NEEDED = ("arms", "outcome", "per_arm")
_FREE = ("words", "until", "version", "unit")
"""What may change without another version: none of it decides who is drawn into what, or how that is judged."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FACT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EVENT = r"[a-z][a-z0-9_.-]{0,63}"


@lru_cache(maxsize=64)
def parse_plans(text: str, file: str = FILE) -> Mapping[str, Plan]:
    """The plans by name; SourceError with line, column and a cure for whatever is wrong."""
    root = load_yaml(text, file)
    declared = root.mapping(required=("experiments",), allowed=())["experiments"]
    if len(declared.mapping()) > MAX_PLANS:
        declared.fail(f"{len(declared.mapping())} experiments are declared; at most {MAX_PLANS} are allowed.")
    return {str(name): _plan(name, node) for name, node in declared.mapping().items()}


def _plan(name: str, node: Node) -> Plan:
    body = node.mapping(required=NEEDED, allowed=KEYS)
    if name == HOLDOUT:
        message = f"{HOLDOUT} is the experiment of contact.yaml."
        raise SourceError(message, _place(name, node), suggestion="Take another name.")
    if "unit" in body:
        body["unit"].one_of((CUSTOMER,))
    arms = _arms(name, node, body["arms"])
    begins, ends = (_moment(body[key]) if key in body else None for key in ("from", "until"))
    if begins and ends and ends <= begins:
        body["until"].fail("It would be over before it begins.", suggestion="Write an `until` after `from`.")
    environment = Environment(_facts(body.get("facts")))
    plain, version = node.plain(), body["version"].integer(least=1, most=MAX_VERSION) if "version" in body else 1
    frozen = {key: value for key, value in plain.items() if key not in _FREE}
    frozen["arms"] = [list(arm) for arm in arms]
    return Plan(
        name=str(name),
        version=version,
        arms=arms,
        otherwise=body["otherwise"].one_of([arm.name for arm in arms]) if "otherwise" in body else arms[0].name,
        goal=_goal(body["outcome"]),
        per_arm=body["per_arm"].integer(least=LEAST_PER_ARM, most=MAX_PER_ARM),
        frozen=jsons.digest([version, frozen]),
        digest=jsons.digest([version, frozen, plain.get("words"), plain.get("until")]),
        words=body["words"].text(max_chars=300, what="the words") if "words" in body else "",
        begins=begins,
        ends=ends,
        eligible=environment.all_of(body["eligible"]) if "eligible" in body else None,
        environment=environment,
        place=body["version"].place if "version" in body else _place(name, node),
    )


def _place(key: str, node: Node) -> Place:
    return key.place if isinstance(key, Key) else node.place


def _arms(name: str, node: Node, arms: Node) -> tuple[Arm, ...]:
    declared = arms.mapping()
    if not 2 <= len(declared) <= MAX_ARMS:  # noqa: PLR2004  one arm compares with nothing
        arms.fail(f"{len(declared)} arms are declared; 2 to {MAX_ARMS} are allowed.")
    found = tuple(Arm(str(arm), share.number(least=MIN_SHARE, most=1 - MIN_SHARE)) for arm, share in declared.items())
    try:
        return Experiment(str(name), found).arms
    except InputError as error:
        if "name" in error.fields.values():
            bad = next((arm for arm, each in declared.items() if repr(str(arm)) in error.message), None)
            place = _place(bad, declared[bad]) if bad is not None else _place(name, node)
            raise SourceError(f"{error.message}.", place, suggestion="Use small letters, digits and -.") from None
        total = f"{sum(arm.share for arm in found):.6g}"
        arms.fail(f"The shares are {total} together.", suggestion="Write shares that are 1 together.")


def _facts(node: Node | None) -> dict[str, Type]:
    found: dict[str, Type] = {}
    declared = node.mapping() if node is not None else {}
    if node is not None and len(declared) > MAX_FACTS:
        node.fail(f"{len(declared)} facts are declared; at most {MAX_FACTS} are allowed.")
    for name, kind in declared.items():
        if not _FACT.fullmatch(name):
            message = f"{str(name)!r:.80} is not a fact's name."
            raise SourceError(message, _place(name, kind), suggestion="Use small letters and _.")
        found[str(name)] = Type(kind.one_of([each.value for each in Type]))
    return found


def _goal(node: Node) -> Goal:
    body = node.mapping(required=("within",), allowed=[kind.value for kind in GoalKind])
    given = [kind for kind in GoalKind if kind in body]
    if len(given) != 1:
        hint = "Write for example {event: replied, within: 14d}, or {ended: won, within: 30d}."
        node.fail("An outcome is one of event and ended.", suggestion=hint)
    named = body[given[0]]
    some = named.items(least=1, most=MAX_NAMES) if named.is_list else [named]
    names = tuple(dict.fromkeys(one.text(pattern=_EVENT, what="a name") for one in some))
    return Goal(given[0], names, body["within"].duration(least=timedelta(minutes=1), most=MAX_WITHIN))


def _moment(node: Node) -> datetime:
    text = node.text(max_chars=40, what="a moment")
    try:
        found = datetime.fromisoformat(f"{text}T00:00Z" if _DAY.fullmatch(text) else text)
        if found.tzinfo is None:
            raise ValueError  # noqa: TRY301  no moment either, and told as such
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "Write a day such as 2027-03-01 (0:00 UTC), or a time with a zone."
        node.fail(f"{text!r} is no moment.", suggestion=hint)
