"""Who proposes may be a fact: a model's version that scored the case."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import InputError, SourceError
from fairlead.playbooks.model import CheckpointStage
from fairlead.playbooks.parsing import parse_playbook
from fairlead.playbooks.stages import _producer_of

TEXT = """playbook: p
subject: lead
stages:
  ask:
    checkpoint: c
    %s
    answer: {team: team}
    next: {approved: done, rejected: done, blocked: done}
  done: {end: done}
"""


def stage(line: str) -> CheckpointStage:
    """The checkpoint of a playbook with this line in it."""
    found = parse_playbook(TEXT % line, "p.yaml").stages["ask"]
    assert isinstance(found, CheckpointStage)
    return found


def test_a_producer_is_fixed_or_a_fact() -> None:
    """Without the key it is the playbook itself."""
    assert stage("title: x").producer == "p@1"
    assert stage("producer: bot@2").producer == "bot@2"
    assert stage("producer: {fact: producer}").producer_fact == "producer"


@pytest.mark.parametrize(
    "line", ["producer: {fact: Not A Fact}", "producer: {fcat: x}", "producer: [a]", "producer: {}"]
)
def test_a_wrong_producer_is_refused(line: str) -> None:
    """With its place."""
    with pytest.raises(SourceError) as refused:
        stage(line)
    assert refused.value.place.line == 6


def test_the_fact_says_who_proposes() -> None:
    """As it stands in the case; a fixed one is not looked for."""
    by_fact = stage("producer: {fact: made_by}")
    assert _producer_of(by_fact, {"made_by": "lead-score@3"}) == "lead-score@3"
    assert _producer_of(stage("producer: bot@2"), {"made_by": "lead-score@3"}) == "bot@2"


@pytest.mark.parametrize("value", [None, "", "lead-score", 7, "a b@1", "@1", "x@", "a@1@2", "x" * 90 + "@1"])
def test_a_fact_that_names_nobody_is_an_exception(value: Any) -> None:
    """A grant given to one producer never serves another by mistake."""
    with pytest.raises(InputError, match="name@version") as refused:
        _producer_of(stage("producer: {fact: made_by}"), {"made_by": value})
    assert refused.value.reason == "no_producer"
