"""Bundles: the files of a workspace under the digest of their contents, and what they compile to.

Workers load bundles from the database only, so that every process runs exactly what was deployed.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fairlead.checkpoints import CheckpointPolicy, parse_policy
from fairlead.errors import InputError, Place, SourceError, TooLargeError
from fairlead.kit import jsons
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import store
from fairlead.playbooks.model import ActStage, CheckpointStage, Playbook, SpawnStage, Stage, StepStage
from fairlead.playbooks.parsing import parse_playbook
from fairlead.playbooks.plugins import steps_of_file
from fairlead.playbooks.steps import RecordRun, Step, StepRegistry, StepRun

CONFIG = "fairlead.toml"
MAX_FILES = 500
MAX_FILE_BYTES = 1_000_000
_FOLDERS = {"playbooks": ".yaml", "policies": ".yaml", "steps": ".py", "forms": ".yaml"}
_KEPT_COMPILED = 16
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CompiledPlaybook:
    """A playbook with its steps configured; `runs` maps a step stage to what it calls."""

    playbook: Playbook
    runs: Mapping[str, StepRun | RecordRun]
    bundle: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A compiled workspace; `digest` names it, `files` are its sources by relative path.

    `currency` is the ISO code of the workspace's money.
    """

    name: str
    currency: str
    digest: str
    files: Mapping[str, str]
    playbooks: Mapping[str, CompiledPlaybook]
    policies: Mapping[str, CheckpointPolicy]
    registry: StepRegistry

    @property
    def minor_digits(self) -> int:
        """Decimal places of the currency's minor unit."""
        return currency_exponent(self.currency)


def read_workspace(folder: Path) -> dict[str, str]:
    """The workspace's files by relative path; InputError when there are none, TooLargeError past the bounds."""
    files: dict[str, str] = {}
    if (folder / CONFIG).is_file():
        files[CONFIG] = _text_of(folder / CONFIG, CONFIG)
    for name, suffix in _FOLDERS.items():
        for path in sorted((folder / name).glob(f"*{suffix}")):
            if path.stat().st_size > MAX_FILE_BYTES:
                message = f"{name}/{path.name} is larger than {MAX_FILE_BYTES} bytes"
                raise TooLargeError(message, limit=MAX_FILE_BYTES)
            files[f"{name}/{path.name}"] = _text_of(path, f"{name}/{path.name}")
    if not any(path.startswith("playbooks/") for path in files):
        message = f"no playbooks/*.yaml below {folder}; `fairlead init NAME` makes a workspace with an example"
        raise InputError(message, code="no_workspace")
    if len(files) > MAX_FILES:
        message = f"{len(files)} files are more than the {MAX_FILES} that a workspace may have"
        raise TooLargeError(message, limit=MAX_FILES)
    return files


def _text_of(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8 text"
        raise SourceError(message, Place(name, 1 + error.object.count(b"\n", 0, error.start))) from None


def compile_bundle(files: Mapping[str, str], registry: StepRegistry, connectors: frozenset[str]) -> Bundle:
    """Everything the files say, checked against one another; the first mistake is a SourceError."""
    bundle, errors = check_files(files, registry, connectors)
    if errors:
        raise errors[0]
    assert bundle is not None  # noqa: S101  no errors means a bundle
    return bundle


def check_files(
    files: Mapping[str, str], registry: StepRegistry, connectors: frozenset[str]
) -> tuple[Bundle | None, list[SourceError]]:
    """The bundle, or every mistake that could be found: one per file that cannot be read, one per reference."""
    check = _Check(files, connectors)
    known = check.steps(registry)
    policies = check.policies()
    parsed = check.playbooks()
    digest = jsons.digest(dict(files))
    compiled = {}
    for name, (_, playbook) in parsed.items():
        check.references(playbook, policies, {*parsed})
        compiled[name] = CompiledPlaybook(playbook, check.configure(playbook, known), digest)
    check.spawn_circles({name: playbook for name, (_, playbook) in parsed.items()})
    check.errors += [e for one in registry.checks for e in one(files, {n: p for n, (_, p) in parsed.items()})]
    config = check.attempt(lambda: _config(files.get(CONFIG, "")))
    if check.errors or config is None:
        return None, check.errors
    return Bundle(*config, digest, dict(files), compiled, policies, known), []


class _Check:
    """Goes through the files of a workspace and keeps what is wrong with them, in the order in which it is found."""

    def __init__(self, files: Mapping[str, str], connectors: frozenset[str]) -> None:
        self.errors: list[SourceError] = []
        self._files = files
        self._connectors = connectors
        self._broken: set[str] = set()

    def attempt(self, call: Callable[[], _T], folder: str = "") -> _T | None:
        try:
            return call()
        except SourceError as error:
            self.errors.append(error)
            self._broken.add(folder)  # what it would have defined is unknown, so nobody is told that it lacks
            return None

    def steps(self, registry: StepRegistry) -> StepRegistry:
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
        for stage in playbook.stages.values():
            if isinstance(stage, CheckpointStage):
                self._refer(stage, "policy for checkpoint", stage.checkpoint, {*policies}, "policies/")
                if stage.checkpoint in policies:
                    self._answers(stage, policies[stage.checkpoint])
            elif isinstance(stage, ActStage):
                self._refer(stage, "connector", stage.connector, {*self._connectors}, None)
            elif isinstance(stage, SpawnStage):
                self._refer(stage, "playbook", stage.playbook, playbooks, "playbooks/")

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


def _config(text: str) -> tuple[str, str]:
    """Name and currency from `fairlead.toml`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(CONFIG, int(found[1]), int(found[2])) if found else Place(CONFIG)
        raise SourceError(f"this is not valid TOML: {error}.", place, code="toml") from None
    for key, table in document.items():
        if key != "workspace" or not isinstance(table, dict):
            hint = "Write the section [workspace]."
            raise SourceError(f"{key!r} is not known here.", _line_of(text, key), suggestion=hint, code="unknown_key")
    known = {"name": "My company", "currency": "EUR"}
    for key, value in document.get("workspace", {}).items():
        place = _line_of(text, key)
        if key not in known:
            raise SourceError(f"unknown key {key!r}.", place, suggestion=did_you_mean(key, known), code="unknown_key")
        if not isinstance(value, str) or not value or (key == "currency" and not re.fullmatch("[A-Z]{3}", value)):
            example = 'Write for example "EUR".' if key == "currency" else "Write a text in quotes."
            raise SourceError(f"{key} cannot be {value!r:.80}.", place, suggestion=example)
        known[key] = value
    return known["name"], known["currency"]


def _line_of(text: str, key: str) -> Place:
    """Where a key or section of the TOML file stands, as far as that can be told."""
    found = re.search(rf"^[ \t\[\"']*({re.escape(key)})\b", text, flags=re.MULTILINE)
    if found is None:
        return Place(CONFIG)
    start = found.start(1)
    return Place(CONFIG, 1 + text.count("\n", 0, start), start - text.rfind("\n", 0, start))


def _of(files: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in sorted(files.items()) if path.startswith(folder))


class BundleLibrary:
    """Compiled bundles of the database, kept while they are used; safe for threads."""

    def __init__(self, registry: StepRegistry, connectors: frozenset[str]) -> None:
        """`registry` and `connectors` are what this build has."""
        self.registry = registry
        self.connectors = connectors
        self._kept: OrderedDict[str, Bundle] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, reader: Reader, digest: str) -> Bundle:
        """The bundle of this digest; SourceError when this build cannot run it (a step is missing)."""
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
        bundle = compile_bundle(store.bundle_files(reader, digest), self.registry, self.connectors)
        with self._lock:
            self._kept[digest] = bundle
            while len(self._kept) > _KEPT_COMPILED:
                self._kept.popitem(last=False)
        return bundle

    def current(self, reader: Reader) -> Bundle:
        """The bundle that new cases use; InputError before the first deploy."""
        digest = store.current_bundle(reader)
        if digest is None:
            message = "nothing is deployed yet; run `fairlead deploy` in the workspace"
            raise InputError(message, code="not_deployed")
        return self.load(reader, digest)
