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
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import store
from fairlead.playbooks.model import ActStage, CheckpointStage, Playbook, SpawnStage, StepStage
from fairlead.playbooks.parsing import parse_playbook
from fairlead.playbooks.plugins import steps_of_file
from fairlead.playbooks.steps import StepRegistry, StepRun

CONFIG = "fairlead.toml"
MAX_FILES = 500
MAX_FILE_BYTES = 1_000_000
_FOLDERS = {"playbooks": ".yaml", "policies": ".yaml", "steps": ".py"}
_KEPT_COMPILED = 16
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CompiledPlaybook:
    """A playbook with its steps configured; `runs` maps a step stage to what it calls."""

    playbook: Playbook
    runs: Mapping[str, StepRun]
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
    """The bundle, or every mistake that could be found, one per file and per reference."""
    errors: list[SourceError] = []

    def attempt(call: Callable[[], _T]) -> _T | None:
        try:
            return call()
        except SourceError as error:
            errors.append(error)
            return None

    plugins = [attempt(lambda p=p, t=t: steps_of_file(t, p)) for p, t in _of(files, "steps/")]  # type: ignore[misc]
    known = attempt(lambda: registry.with_more([step for steps in plugins for step in steps or ()])) or registry
    policies = {}
    for path, text in _of(files, "policies/"):
        policy = attempt(lambda p=path, t=text: parse_policy(t, p))  # type: ignore[misc]
        if policy is not None:
            policies[policy.checkpoint] = policy
    parsed: dict[str, tuple[str, Playbook]] = {}
    for path, text in _of(files, "playbooks/"):
        playbook = attempt(lambda p=path, t=text: parse_playbook(t, p))  # type: ignore[misc]
        if playbook is not None and playbook.name in parsed:
            errors.append(SourceError(f"{parsed[playbook.name][0]} is named {playbook.name!r} too.", Place(path)))
        elif playbook is not None:
            parsed[playbook.name] = (path, playbook)
    digest = jsons.digest(dict(files))
    compiled = {}
    for path, playbook in parsed.values():
        found = list(_dangling(path, playbook, policies, {*parsed}, connectors))
        errors.extend(found)
        runs = attempt(lambda p=path, b=playbook: _configure(p, b, known))  # type: ignore[misc]
        compiled[playbook.name] = CompiledPlaybook(playbook, runs or {}, digest)
    config = attempt(lambda: _config(files.get(CONFIG, "")))
    if errors or config is None:
        return None, errors
    return Bundle(*config, digest, dict(files), compiled, policies, known), []


def _config(text: str) -> tuple[str, str]:
    """Name and currency from `fairlead.toml`."""
    try:
        table = tomllib.loads(text).get("workspace", {})
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(CONFIG, int(found[1]), int(found[2])) if found else Place(CONFIG)
        raise SourceError(f"this is not valid TOML: {error}.", place, code="toml") from None
    known = {"name": "My company", "currency": "EUR"}
    for key, value in table.items() if isinstance(table, dict) else ():
        if key not in known:
            raise SourceError(f"unknown key {key!r}.", Place(CONFIG), suggestion=did_you_mean(key, known))
        if not isinstance(value, str) or (key == "currency" and not re.fullmatch("[A-Z]{3}", value)):
            raise SourceError(f"{key} cannot be {value!r}.", Place(CONFIG), suggestion='Write for example "EUR".')
        known[key] = value
    return known["name"], known["currency"]


def _of(files: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in sorted(files.items()) if path.startswith(folder))


def _dangling(
    path: str,
    playbook: Playbook,
    policies: Mapping[str, CheckpointPolicy],
    playbooks: set[str],
    connectors: frozenset[str],
) -> Iterator[SourceError]:
    for stage in playbook.stages.values():
        if isinstance(stage, CheckpointStage):
            kind, wanted, known = "policy for checkpoint", stage.checkpoint, {*policies}
        elif isinstance(stage, ActStage):
            kind, wanted, known = "connector", stage.connector, {*connectors}
        elif isinstance(stage, SpawnStage):
            kind, wanted, known = "playbook", stage.playbook, playbooks
        else:
            continue
        if wanted not in known:
            message = f"stage {stage.name!r}: there is no {kind} {wanted!r}."
            yield SourceError(message, Place(path), suggestion=did_you_mean(wanted, known), code="dangling")


def _configure(path: str, playbook: Playbook, registry: StepRegistry) -> dict[str, StepRun]:
    runs = {}
    for stage in playbook.stages.values():
        if isinstance(stage, StepStage):
            step = registry.find(stage.step)
            if step is None:
                message = f"stage {stage.name!r}: this build has no step {stage.step!r}."
                hint = did_you_mean(stage.step, registry.names())
                raise SourceError(message, Place(path), suggestion=hint, code="no_step")
            runs[stage.name] = step.configure(stage.config, playbook.environment)
    return runs


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
