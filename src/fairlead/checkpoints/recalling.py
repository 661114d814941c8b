"""A stored ruling as it was made, so that it can be explained at any later time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.checkpoints.model import Path
from fairlead.checkpoints.record import Enrolment, Reason, Ruling, Step, Trace
from fairlead.kit.facts import Bound


def recall(record: Mapping[str, Any]) -> Ruling:
    """The ruling of a `record` column; what `explain` says of it is what it said then."""
    trace = Trace(
        checkpoint=record["checkpoint"],
        policy_version=record["policy_version"],
        segment=record["segment"],
        path=Path(record["path"]),
        steps=tuple(_step(step) for step in record["steps"]),
        rules=tuple(record["rules"]),
        needs=tuple(record["needs"].items()),
        needs_information=tuple((one["fact"], one["why"]) for one in record["needs_information"]),
        grant_id=record["grant"],
        in_population=record["in_population"],
        lottery_probability=record["lottery_probability"],
        delicate=tuple(record.get("delicate", ())),
    )
    experiment = record.get("experiment")
    return Ruling(
        trace.path,
        trace,
        record["proposal"],
        record["producer"],
        Bound(record["values"], record.get("problems", {})),
        record["score"],
        record["lottery_draw"],
        None if experiment is None else Enrolment(**experiment),
        record["priority"],
    )


def _step(step: Mapping[str, Any]) -> Step:
    reasons = tuple(
        Reason(**{**one, "path": Path(one["path"]), "reads": tuple(one.get("reads", ()))}) for one in step["reasons"]
    )
    return Step(step["step"], step["name"], tuple(Path(path) for path in step["left"]), reasons)
