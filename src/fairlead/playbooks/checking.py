"""The check of a workspace's files against one another, which goes on behind a mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from fairlead.checkpoints import CheckpointPolicy, parse_policy
from fairlead.connectors import shipped_templates
from fairlead.errors import InputError, Place, SourceError
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks.model import ActStage, CheckpointStage, Playbook, SpawnStage, Stage, StepStage
from fairlead.playbooks.parsing import parse_playbook
from fairlead.playbooks.plugins import steps_of_file
from fairlead.playbooks.steps import RecordRun, Step, StepRegistry, StepRun

_T = TypeVar("_T")


class Check:
    """Goes through the files of a workspace and keeps what is wrong with them, in the order in which it is found."""

    def __init__(self, files: Mapping[str, str], connectors: frozenset[str]) -> None:
        self.errors: list[SourceError] = []
        self._files = files
        self._connectors = connectors
        self._broken: set[str] = set()

    def attempt(self, call: Callable[[], _T], folder: str = "") -> _T | None:
        """What the call gives; None behind a mistake, which is kept, and what `folder` holds counts as unknown."""
        try:
            return call()
        except SourceError as error:
            self.errors.append(error)
            self._broken.add(folder)  # what it would have defined is unknown, so nobody is told that it lacks
            return None

    def steps(self, registry: StepRegistry) -> StepRegistry:
        """This build's steps with those of the workspace."""
        known = registry
        for path, text in _of(self._files, "steps/"):
            found = self.attempt(lambda p=path, t=text: steps_of_file(t, p), "steps/")  # type: ignore[misc]
            for step in found or ():
                try:
                    known = known.with_more([step])
                except InputError as error:
                    self.errors.append(SourceError(f"{error.message}.", Place(path, step.line), code=error.reason))
        return known

    def policies(self) -> dict[str, CheckpointPolicy]:
        """By checkpoint; the first of two for one checkpoint counts."""
        found: dict[str, CheckpointPolicy] = {}
        for path, text in _of(self._files, "policies/"):
            policy = self.attempt(lambda p=path, t=text: parse_policy(t, p), "policies/")  # type: ignore[misc]
            if policy is not None and policy.checkpoint in found:
                message = f"there is another policy for checkpoint {policy.checkpoint!r}."
                self.errors.append(SourceError(message, Place(path), code="twice"))
            elif policy is not None:
                found[policy.checkpoint] = policy
        return found

    def playbooks(self) -> dict[str, tuple[str, Playbook]]:
        """File and playbook by name; the first of two with one name counts."""
        found: dict[str, tuple[str, Playbook]] = {}
        for path, text in _of(self._files, "playbooks/"):
            playbook = self.attempt(lambda p=path, t=text: parse_playbook(t, p), "playbooks/")  # type: ignore[misc]
            if playbook is not None and playbook.name in found:
                message = f"{found[playbook.name][0]} is named {playbook.name!r} too."
                self.errors.append(SourceError(message, Place(path), code="twice"))
            elif playbook is not None:
                found[playbook.name] = (path, playbook)
        return found

    def references(self, playbook: Playbook, policies: Mapping[str, CheckpointPolicy], playbooks: set[str]) -> None:
        """Whether everything is there that the stages name."""
        for stage in playbook.stages.values():
            if isinstance(stage, CheckpointStage):
                self._refer(stage, "policy for checkpoint", stage.checkpoint, {*policies}, "policies/")
                if stage.checkpoint in policies:
                    self._answers(stage, policies[stage.checkpoint])
            elif isinstance(stage, ActStage):
                self._refer(stage, "connector", stage.connector, {*self._connectors}, None)
                self._template(stage)
            elif isinstance(stage, SpawnStage):
                self._refer(stage, "playbook", stage.playbook, playbooks, "playbooks/")

    def _template(self, stage: ActStage) -> None:
        """Whether the message template that an act names is there; one with a mistake of its own is."""
        wanted = stage.words.get("template")
        known = {path.removeprefix("messages/").partition(".")[0] for path, _ in _of(self._files, "messages/")}
        known |= {*shipped_templates()}
        if isinstance(wanted, str) and wanted not in known:
            message = f"stage {stage.name!r}: there is no message template {wanted!r:.80} in messages/."
            hint = did_you_mean(wanted, known)
            self.errors.append(SourceError(message, stage.place, suggestion=hint, code="no_template"))

    def _refer(self, stage: Stage, kind: str, wanted: str, known: set[str], folder: str | None) -> None:
        if wanted not in known and folder not in self._broken:
            message = f"stage {stage.name!r}: there is no {kind} {wanted!r}."
            hint = did_you_mean(wanted, known)
            self.errors.append(SourceError(message, stage.place, suggestion=hint, code="dangling"))

    def _answers(self, stage: CheckpointStage, policy: CheckpointPolicy) -> None:
        closed = policy.answer.schema.get("additionalProperties") is False
        for field in stage.answer:
            if closed and field not in policy.answer.fields:
                message = f"stage {stage.name!r}: the answer of {stage.checkpoint!r} has no field {field!r}."
                hint = did_you_mean(field, policy.answer.fields)
                self.errors.append(SourceError(message, stage.place, suggestion=hint, code="dangling"))

    def configure(self, playbook: Playbook, registry: StepRegistry) -> dict[str, StepRun | RecordRun]:
        """What each step stage calls, by stage; a stage whose step cannot be configured is left out."""
        runs = {}
        for stage in playbook.stages.values():
            if not isinstance(stage, StepStage):
                continue
            step = registry.find(stage.step)
            if step is not None:
                run = self.attempt(lambda one=stage, s=step: _configured(one, s, playbook))  # type: ignore[misc]
                if run is not None:
                    runs[stage.name] = run
            elif "steps/" not in self._broken:
                message = f"stage {stage.name!r}: this build has no step {stage.step!r}."
                hint = did_you_mean(stage.step, registry.names())
                self.errors.append(SourceError(message, stage.place, suggestion=hint, code="no_step"))
        return runs

    def spawn_circles(self, playbooks: Mapping[str, Playbook]) -> None:
        """A playbook that starts itself, over however many others, would never come to an end of it."""
        spawns = {
            name: [stage for stage in playbook.stages.values() if isinstance(stage, SpawnStage)]
            for name, playbook in playbooks.items()
        }
        for name, stages in spawns.items():
            for stage in stages:
                reached, pending = set(), [stage.playbook]
                while pending:
                    one = pending.pop()
                    if one not in reached:
                        reached.add(one)
                        pending += [each.playbook for each in spawns.get(one, ())]
                if name in reached:
                    message = f"stage {stage.name!r}: playbook {name!r} starts itself again by this."
                    self.errors.append(SourceError(message, stage.place, code="endless"))


def _configured(stage: StepStage, step: Step, playbook: Playbook) -> StepRun | RecordRun:
    try:
        return step.configure(stage.config, playbook.environment)
    except SourceError as error:
        if error.place.line:
            raise
        raise SourceError(error.bare, stage.place, suggestion=error.suggestion, code=error.reason) from None


def _of(files: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in sorted(files.items()) if path.startswith(folder))
