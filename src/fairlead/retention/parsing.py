"""From `retention.yaml` to rules; docs/retention.md describes every key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fairlead.errors import SourceError
from fairlead.kit.yamlmarks import did_you_mean, load_yaml
from fairlead.retention.classes import CLASSES
from fairlead.retention.model import DEFAULT, FILE, LEGAL_HOLD, RetentionRules, Silence

if TYPE_CHECKING:
    from fairlead.kit.yamlmarks import Node

MAX_NAMES = 50
RIGHTS_PLAYBOOK = "customer-rights"
LEAST_SILENCE, LEAST_AGAIN = timedelta(days=90), timedelta(days=30)
MOST_AT_ONCE = 500
LEADS = "leads_never_qualified"


@lru_cache(maxsize=8)
def parse_retention(text: str, file: str = FILE) -> RetentionRules:
    """Parse the file; SourceError with line, column and a cure for whatever is wrong."""
    root = load_yaml(text, file)
    body = root.mapping(required=("keep",), allowed=("qualified", "hold", "inactive_customers"))
    keep = dict(DEFAULT.keep)
    for name, node in body["keep"].mapping().items():
        known = CLASSES.get(str(name))
        if known is None:
            node.fail(f"{name!r:.80} is no class of data.", suggestion=did_you_mean(str(name), CLASSES))
        period = node.duration()
        if period < known.least:
            node.fail(
                f"{name} is kept for {known.least.days} days at least: {known.because or 'nothing less is counted'}."
            )
        keep[known.name] = period
    qualified = _names(body["qualified"]) if "qualified" in body else frozenset()
    if LEADS in keep and not qualified:
        body["keep"].mapping()[LEADS].fail(
            "Nothing says which leads were qualified.", suggestion="Add `qualified: [NAMES OF ENDS]` to the file."
        )
    flags = frozenset({LEGAL_HOLD})
    if "hold" in body:
        flags = _names(body["hold"].mapping(required=("flags",), allowed=())["flags"])
    inactive = _inactive(body["inactive_customers"]) if "inactive_customers" in body else None
    return RetentionRules(keep, qualified, flags, inactive)


def _inactive(node: Node) -> Silence:
    body = node.mapping(required=("after",), allowed=("at_once", "again"))
    after = body["after"].duration()
    if after < LEAST_SILENCE:
        body["after"].fail(f"A customer is inactive after {LEAST_SILENCE.days} days at least.")
    at_once = body["at_once"].integer(least=1, most=MOST_AT_ONCE) if "at_once" in body else Silence(after).at_once
    again = body["again"].duration() if "again" in body else Silence(after).again
    if again < LEAST_AGAIN:
        body["again"].fail(f"What was rejected is proposed again after {LEAST_AGAIN.days} days at least.")
    return Silence(after, at_once, again)


def _names(node: Node) -> frozenset[str]:
    return frozenset(one.name() for one in node.items(least=1, most=MAX_NAMES))


def rules_among(files: Mapping[str, str]) -> RetentionRules:
    """The rules of a workspace's files, the built-in ones where they have none."""
    text = files.get(FILE)
    return DEFAULT if text is None else parse_retention(text)


def check_retention(files: Mapping[str, str], playbooks: Mapping[str, Any]) -> list[SourceError]:
    """What is wrong with the `retention.yaml` among a workspace's files, against the ends of its playbooks."""
    try:
        rules_among(files)
    except SourceError as error:
        return [error]
    body = load_yaml(files[FILE], FILE).mapping() if FILE in files else {}
    ends = {stage.end for one in playbooks.values() for stage in one.stages.values() if getattr(stage, "end", None)}
    named = body["qualified"].items() if "qualified" in body else []
    found = []
    if "inactive_customers" in body and RIGHTS_PLAYBOOK not in playbooks:
        message = f"inactive customers are proposed to people by the playbook {RIGHTS_PLAYBOOK!r}, which is not there."
        found = [SourceError(message, body["inactive_customers"].place, code="dangling")]
    return found + [
        SourceError(
            f"no playbook has the end {node.value!r}.", node.place, code="dangling",
            suggestion=did_you_mean(str(node.value), ends),
        )
        for node in named
        if node.value not in ends
    ]  # fmt: skip
