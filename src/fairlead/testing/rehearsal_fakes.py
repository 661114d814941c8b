"""What stands in for the world in a rehearsal: connectors that pretend, steps that find what the test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fairlead.connectors import Delivery, Receipt, ReceiptState
from fairlead.playbooks import (
    Bundle,
    BundleLibrary,
    CaseSource,
    CompiledPlaybook,
    StepFailure,
    StepKind,
    StepRegistry,
    StepStage,
)
from fairlead.testing.rehearsal_files import FAILURE
from fairlead.testing.running import UntilIdle
from fairlead.trials import EXPERIMENT

if TYPE_CHECKING:
    from fairlead.jobs import WorkSource
    from fairlead.kit.unit_of_work import Reader


class Pretending:
    """A connector that answers as the test says, by stage; the effect's key names it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: Mapping[str, str] = {}

    def deliver(self, delivery: Delivery) -> Receipt:
        """What the test says for this stage; sent where it says nothing."""
        stage = delivery.idempotency_key.split("/")[1]
        return Receipt(ReceiptState(self.answers.get(stage, ReceiptState.SENT.value)), "rehearsed")


@dataclass(slots=True)
class Stand:
    """What steps may find in the case that runs now: stage → result; steps ask it when they are called."""

    results: Mapping[str, Any] = field(default_factory=dict)


class RehearsedLibrary(BundleLibrary):
    """Bundles whose steps find what the test says; those that would ask a service never do."""

    def __init__(self, registry: StepRegistry, connectors: frozenset[str], stand: Stand) -> None:
        super().__init__(registry, connectors)
        self._stand = stand
        self._rehearsed: dict[str, Bundle] = {}

    def load(self, reader: Reader, digest: str) -> Bundle:
        """As deployed, with the steps replaced."""
        if digest not in self._rehearsed:
            bundle = super().load(reader, digest)
            books = {name: self._playbook(bundle, one) for name, one in bundle.playbooks.items()}
            self._rehearsed[digest] = replace(bundle, playbooks=books)
        return self._rehearsed[digest]

    def _playbook(self, bundle: Bundle, compiled: CompiledPlaybook) -> CompiledPlaybook:
        runs: dict[str, Any] = {}
        for name, real in compiled.runs.items():
            stage = compiled.playbook.stages[name]
            step = bundle.registry.find(stage.step) if isinstance(stage, StepStage) else None
            kind = step.kind if step else StepKind.PURE
            runs[name] = self._step(name, step.name if step else "", kind, real)
        return replace(compiled, runs=runs)

    def _step(self, stage: str, step: str, kind: StepKind, real: Any) -> Callable[..., Sequence[Any]]:
        def run(*given: Any) -> Sequence[Any]:
            if stage in self._stand.results:
                return [_result(self._stand.results[stage]) for _ in given[-1]]
            if kind is StepKind.IO:
                words = f"{step} would ask another service; say what it finds: `steps: {{{stage}: {{…}}}}`"
                return [StepFailure("not_rehearsed", words) for _ in given[-1]]
            if step == EXPERIMENT:
                words = f"{step} draws by chance; say which arm it finds: `steps: {{{stage}: {{arm: …}}}}`"
                return [StepFailure("not_rehearsed", words) for _ in given[-1]]
            found: Sequence[Any] = real(*given)
            return found

        return run


def _result(said: Mapping[str, Any]) -> Any:
    if FAILURE in said:
        failure = said[FAILURE]
        return StepFailure(failure["code"], failure.get("words", "rehearsed"))
    return dict(said)


class Idle(UntilIdle):
    """Looks before it takes: most turns of one case's life find nothing, and looking is cheaper."""

    def _drain(self, source: WorkSource) -> int:
        if isinstance(source, CaseSource):
            due = source.next_due()
            if due is None or due > self.clock.now():
                return 0
        return super()._drain(source)
