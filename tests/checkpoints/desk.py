"""A desk at which proposals are ruled on, decided and executed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead import checkpoints
from fairlead.audit import history
from fairlead.checkpoints import Ask, Asked, CheckpointPolicy, Grant, Level, Proposal, Ruled, parse_policy
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

SEED = b"a seed of the tests"
USER = Actor(ActorKind.USER, "usr_1")
POLICY = parse_policy(
    """\
checkpoint: refund
answer: {type: object, properties: {amount: {type: integer}}}
facts:
  need: {type: string, required: true}
rules:
  - {id: ban, when: need == 'ban', path: blocked, words: Banned}
  - {id: vip, when: need == 'vip', path: human, words: A VIP}
review: {role: rep, due: 4h}
lottery: {rate: 0.1}
""",
    "refund.yaml",
)


@dataclass
class Desk:
    """One checkpoint with its database and clock."""

    database: Database
    clock: FakeClock
    policy: CheckpointPolicy = POLICY

    def ruled(self, key: str, need: str = "yes", *, store: bool = True, **ask: Any) -> Ruled:
        """A proposal of 5 by `m@1` at a score of 0.9, ruled on and, unless told otherwise, stored."""
        proposal = Proposal("refund", {"amount": 5}, "m@1", ask.pop("score", 0.9), 500, {"need": need})
        with self.database.reading() as reader:
            state = checkpoints.read_state(reader, self.policy, ask.pop("playbook", None), self.clock.now())
        (one,) = checkpoints.rule_asks(state, [Ask(key, proposal, {}, **ask)], SEED)
        if store:
            with self.database.transaction() as uow:
                checkpoints.insert_ruled(uow, [one])
                uow.record(AuditEntry("ruling.made", one.id))
        return one

    def wanted(self, **changed: Any) -> Grant:
        """An auto grant for `ruled`'s proposals that holds for a day."""
        values: dict[str, Any] = {
            "checkpoint": "refund",
            "segment": "other",
            "producer": "m@1",
            "level": Level.AUTO,
            "policy_version": self.policy.version,
            "expires_at": self.clock.now() + timedelta(days=1),
            "threshold": 0.8,
        }
        return Grant("", **{**values, **changed})

    def grant(self, **changed: Any) -> Grant:
        """`wanted`, signed by a manager."""
        with self.database.transaction() as uow:
            return checkpoints.set_grant(uow, USER, "manager", self.wanted(**changed), {"note": "seen"})

    def decide(self, ruling_id: str, verdict: str = "approve", answer: Any = None, *, minutes: int = 0) -> None:
        """A person's decision that takes effect that many minutes from now."""
        at = self.clock.now() + timedelta(minutes=minutes)
        with self.database.transaction() as uow:
            checkpoints.settle(uow, ruling_id, verdict, answer, USER, "because", at)
            uow.record(AuditEntry("review.decided", ruling_id, actor=USER))

    def asked(self, ruling_id: str) -> Asked:
        """How the decision stands now."""
        with self.database.reading() as reader:
            found = checkpoints.find_asked(reader, ruling_id)
        assert found is not None
        return found

    def epoch(self) -> str:
        """Under which a ruling of now would be made."""
        with self.database.reading() as reader:
            return checkpoints.autonomy_epoch(reader)

    def verbs(self, *subjects: str) -> list[str]:
        """What the audit record says of these, oldest first."""
        with self.database.reading() as reader:
            return [entry.verb for entry in history(reader, subjects)]
