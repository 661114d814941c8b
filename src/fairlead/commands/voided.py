"""Grants that a deploy leaves without effect, because somebody else proposes from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.checkpoints import Level, grants_of
from fairlead.errors import FairleadError
from fairlead.kit.unit_of_work import UnitOfWork
from fairlead.playbooks import Bundle, BundleLibrary, CheckpointStage, Playbook, StepStage, current_bundle
from fairlead.sales.scoring import RULES_PRODUCER
from fairlead.understanding import list_models

_MODEL_STEP = "score-by-model@"


@dataclass(frozen=True, slots=True)
class VoidGrant:
    """A grant of who no longer proposes at a checkpoint; `to` are those who do, with the level each may go to there."""

    grant: str
    checkpoint: str
    segment: str
    producer: str
    level: str
    to: Mapping[str, str]

    def words(self) -> str:
        """The warning for people, with what to do."""
        head = f"warning: {self.checkpoint}, segment {self.segment}: the grant of {self.producer} ({self.level})"
        if not self.to:
            return f"{head} has no effect on new cases: no playbook proposes at this checkpoint any more"
        told = [
            f"{one} proposes now and has no grant there, so it starts in shadow and people decide"
            if level == Level.SHADOW.value else f"{one} proposes now and may go {level} there by a grant of its own"
            for one, level in self.to.items()
        ]  # fmt: skip
        return f"{head} has no effect on new cases; {'; '.join(told)}"


def proposers(reader: UnitOfWork, bundle: Bundle) -> dict[str, frozenset[str] | None]:
    """By checkpoint, who proposes there for the playbooks' new cases; None where only the cases' facts will tell."""
    found: dict[str, frozenset[str] | None] = {}
    for compiled in bundle.playbooks.values():
        for stage in compiled.playbook.stages.values():
            if isinstance(stage, CheckpointStage):
                mine = _scorers(reader, compiled.playbook) if stage.producer_fact else frozenset({stage.producer})
                known = found.get(stage.checkpoint, frozenset())
                found[stage.checkpoint] = None if mine is None or known is None else known | mine
    return found


def _scorers(reader: UnitOfWork, playbook: Playbook) -> frozenset[str] | None:
    """Who the scoring steps name as the producer: the version in use of a model, else the rules that stand in."""
    found: set[str] = set()
    for stage in playbook.stages.values():
        if isinstance(stage, StepStage) and stage.step.startswith(_MODEL_STEP) and stage.config is not None:
            fields = stage.config.mapping()
            used = [one["producer"] for one in list_models(reader, fields["model"].name()) if one["in_use"]]
            rules = fields["rules_producer"].text() if "rules_producer" in fields else RULES_PRODUCER
            found.add(used[0] if used else rules)
    return frozenset(found) or None


def proposers_now(uow: UnitOfWork, library: BundleLibrary) -> dict[str, frozenset[str] | None]:
    """The same of what is deployed; empty where nothing is, or nothing that this build can read."""
    digest = current_bundle(uow)
    if digest is None:
        return {}
    try:
        return proposers(uow, library.load(uow, digest))
    except FairleadError:  # it needs a step that this build lacks: what it named cannot be told
        return {}


def voided(
    uow: UnitOfWork, before: Mapping[str, frozenset[str] | None], after: Mapping[str, frozenset[str] | None]
) -> list[VoidGrant]:
    """Grants in force of who proposed before and does not now, by checkpoint and segment."""
    grants = {(row.checkpoint, row.segment, row.producer): row for row in reversed(grants_of(uow))}
    levels = {key: row.level for key, row in grants.items() if row.expires_at > uow.now}
    found = []
    for (checkpoint, segment, producer), level in sorted(levels.items()):
        then, now = before.get(checkpoint), after.get(checkpoint, frozenset())
        if level == Level.SHADOW.value or then is None or now is None or producer not in then - now:
            continue
        to = {one: levels.get((checkpoint, segment, one), Level.SHADOW.value) for one in sorted(now)}
        found.append(VoidGrant(grants[checkpoint, segment, producer].id, checkpoint, segment, producer, level, to))
    return found
