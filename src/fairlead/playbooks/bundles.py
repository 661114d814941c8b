"""Bundles: the files of a workspace under the digest of their contents, and what they compile to.

Workers load bundles from the database only, so that every process runs exactly what was deployed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.checkpoints import CheckpointPolicy
from fairlead.connectors import check_messages
from fairlead.errors import InputError, SourceError
from fairlead.guardrails import check_rules
from fairlead.kit import jsons
from fairlead.kit.money import currency_exponent
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import store
from fairlead.playbooks.checking import Check
from fairlead.playbooks.model import Playbook
from fairlead.playbooks.steps import RecordRun, StepRegistry, StepRun
from fairlead.playbooks.workspace import CONFIG, name_and_currency

_KEPT_COMPILED = 16


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
    check = Check(files, connectors)
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
    check.errors += check_messages(files)
    check.errors += check_rules(files, connectors)
    config = check.attempt(lambda: name_and_currency(files.get(CONFIG, "")))
    if check.errors or config is None:
        return None, check.errors
    return Bundle(*config, digest, dict(files), compiled, policies, known), []


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
        return self.compile(store.bundle_files(reader, digest))

    def compile(self, files: Mapping[str, str]) -> Bundle:
        """The bundle of these files, kept under its digest; the first mistake is a SourceError."""
        bundle = compile_bundle(files, self.registry, self.connectors)
        with self._lock:
            self._kept[bundle.digest] = bundle
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
