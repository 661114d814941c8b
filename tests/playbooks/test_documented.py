"""docs/playbooks.md names everything that a playbook may say, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairlead.kit.expressions import Type
from fairlead.playbooks import CaseVerb, StepRegistry, compile_bundle
from fairlead.playbooks.model import ALLOWED
from fairlead.playbooks.parsing import STAGE_KEYS, TOP_KEYS
from fairlead.worker import STEPS
from tests.playbooks.world import POLICY

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """The text below one heading."""
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(text: str) -> set[str]:
    """What stands first in the rows of the tables."""
    return set(re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE))


@pytest.mark.parametrize("kind", sorted(STAGE_KEYS))
def test_every_key_of_every_kind_of_stage_has_its_row(kind: str) -> None:
    """And no row describes a key that there is not."""
    assert rows(section(kind)) == {*STAGE_KEYS[kind]}


def test_every_key_at_the_top_and_every_type_is_described() -> None:
    """As for the stages."""
    assert rows(section("At the top")) == {*TOP_KEYS}
    assert all(f"`{kind.value}`" in PAGE for kind in Type)


def test_every_verb_is_described_and_every_step() -> None:
    """With the states in which it is allowed."""
    assert rows(section("Stepping in, and exceptions")) == {verb.value for verb in CaseVerb} == {*ALLOWED}
    assert all(f"**{step.name}**" in PAGE for step in STEPS)


def test_the_example_and_the_step_compile() -> None:
    """What is printed can be used as it stands."""
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    files = {"playbooks/a.yaml": example, "policies/offer.yaml": POLICY, "steps/a.py": code}
    bundle = compile_bundle(files, StepRegistry(STEPS), frozenset({"file", "message"}))
    assert bundle.registry.find("shout@1") is not None
