"""What rulings at a checkpoint depend on, as it stands now: grants, signature, stop switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.checkpoints import grant_store
from fairlead.checkpoints.model import Grant, GrantKey, Stop
from fairlead.checkpoints.policy import CheckpointPolicy
from fairlead.checkpoints.signatures import declared, signature_of
from fairlead.kit.unit_of_work import Reader


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """What a ruling depends on besides the proposal, as one read saw it."""

    policy: CheckpointPolicy
    grants: Mapping[GrantKey, Grant]
    stop: Stop | None
    now: datetime
    signed: bool = False
    """Whether somebody signed what this version of the policy declares of itself."""

    @property
    def never_stopped(self) -> bool:
        """Whether stop switches do not reach it: the policy says so and is signed."""
        return self.signed and self.policy.never_stopped


def read_state(reader: Reader, policy: CheckpointPolicy, playbook: str | None, now: datetime) -> CheckpointState:
    """Grants and signature of the policy's checkpoint and the stop switch that applies to it, the widest first."""
    scopes = ["workspace", *([f"playbook:{playbook}"] if playbook else []), f"checkpoint:{policy.checkpoint}"]
    on = {row.scope: row.words for row in grant_store.stops(reader)}
    stop = next((Stop(scope, on[scope]) for scope in scopes if scope in on), None)
    signed = bool(declared(policy)) and signature_of(reader, policy.checkpoint, policy.version) is not None
    return CheckpointState(policy, grant_store.grants_by_key(reader, policy.checkpoint), stop, now, signed)
