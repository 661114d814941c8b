"""Small playbooks made at random, with everything that can happen to a case in any order."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.audit import Signer, StoredRecord, seal_entries, verify
from fairlead.checkpoints import Level
from fairlead.errors import ConflictError
from fairlead.playbooks import CaseState, CaseVerb
from fairlead.reviews import Verb
from fairlead.testing.connectors import RecordingConnector
from tests.playbooks.world import playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.playbooks.world import World

MAX_STAGES = 4
KINDS = ("step", "event", "time", "ask", "act", "detach")


@st.composite
def stages(draw: st.DrawFn) -> str:
    """A road from s0 to the end; waits, rejections and refusals may also lead back."""
    count = draw(st.integers(1, MAX_STAGES))
    names = [*(f"s{n}" for n in range(count)), "z"]
    lines = []
    for number in range(count):
        following = names[number + 1]
        anywhere = draw(st.sampled_from(names))
        ways = {
            "step": f"step: note@1, next: {following}",
            "event": f"wait: replied, for: 2h, next: {{replied: {anywhere}, timeout: {following}}}",
            "time": f"wait: time, for: 1h, next: {{timeout: {following}}}",
            "ask": "checkpoint: offer, producer: rules@1, answer: {price: price}, score: confidence, "
            f"next: {{approved: {following}, rejected: {anywhere}, blocked: z}}",
            "act": f"act: mail, next: {{sent: {following}}}",
            "detach": f"act: mail, detach: true, next: {following}",
        }
        lines.append(f"  {names[number]}: {{{ways[draw(st.sampled_from(KINDS))]}}}")
    return "\n".join([*lines, "  z: {end: z}"])


HAPPENINGS = st.one_of(
    st.tuples(st.just("event"), st.sampled_from(["replied", "opted_out"]), st.integers(0, 2)),
    st.tuples(st.just("time"), st.sampled_from([0.0, 0.004, 1.0, 30.0])),
    st.tuples(st.just("verdict"), st.sampled_from(["approve", "reject", "answer"])),
    st.tuples(st.just("steer"), st.sampled_from(list(CaseVerb)), st.sampled_from(["s0", "z"])),
    st.tuples(st.just("work"), st.integers(0, 5)),
    st.tuples(st.just("grant"), st.sampled_from([Level.AUTO, Level.ASSIST])),
)


class Play:
    """One case, and what happens to it."""

    def __init__(self, world: World, text: str) -> None:
        """Deploys the playbook and opens the case."""
        self.world = world
        world.deploy(playbook(text, head="on: {opted_out: z}"))
        self.customer = world.customer()
        facts = {"price": 1.0, "confidence": 0.9}
        self.case = world.open(facts, customer=self.customer)
        self.turn = 0

    def happens(self, what: tuple[Any, ...]) -> None:
        """One of HAPPENINGS; what is refused changes nothing."""
        world, self.turn = self.world, self.turn + 1
        match what:
            case ("event", name, number):
                world.happens(name, self.customer, f"evt_{self.case}_{number}")
            case ("time", hours):
                world.later(hours=hours)
            case ("work", number):
                source = world.idle.sources[number]
                if source.lease(9, 60.0, f"{self.case}/{self.turn}"):
                    source.run(f"{self.case}/{self.turn}")
            case ("grant", level):
                world.grant(level)
            case ("steer", verb, stage):
                with suppress(ConflictError):
                    world.steer(self.case, verb, stage=stage if verb is CaseVerb.REDIRECT else None)
            case ("verdict", verdict):
                self.decide(verdict)

    def decide(self, verdict: str) -> None:
        """Where there is something to decide, in a way that its path allows."""
        open_ones = [one for one in self.world.reviews_of(self.case) if one.is_open]
        if not open_ones:
            return
        if open_ones[0].path == "human":
            verdict = "answer"
        elif verdict == "answer":
            verdict = "approve"
        said: dict[str, dict[str, Any]] = {"answer": {"answer": {"price": 2.0}}, "reject": {"reason": "no"}}
        self.world.decide(self.case, Verb(verdict), **said.get(verdict, {}))

    def holds(self) -> None:
        """What must be true at every moment."""
        row = self.world.case(self.case)
        state = CaseState(row.state)
        assert (state is CaseState.ENDED) == (row.ended_at is not None) == (row.end is not None)
        assert (state is CaseState.EXCEPTION) == (row.problem is not None)
        assert (state is CaseState.PAUSED) == (row.resume is not None)
        assert state is not CaseState.WAITING or (row.wait_type is not None and row.wait_key is not None)
        open_ones = [one for one in self.world.reviews_of(self.case) if one.is_open]
        assert len(open_ones) <= 1
        assert not open_ones or row.wait_type == "decision", "a review that nobody waits for"
        verbs = self.world.verbs(self.case)
        assert verbs.count("case.ended") + verbs.count("case.cancelled") == (state is CaseState.ENDED)
        mail = self.world.mail
        assert isinstance(mail, RecordingConnector)
        assert max(mail.effects.values(), default=0) <= 1
        assert len(mail.calls) == len({call.idempotency_key for call in mail.calls})


def play(world: World, text: str, happenings: list[tuple[Any, ...]]) -> None:
    """Everything, then a month of peace: whatever is not in somebody's hands has come to its end."""
    one = Play(world, text)
    for what in happenings:
        one.happens(what)
        one.holds()
    for _ in range(5):
        one.decide("approve")
        world.later(days=3)
        one.holds()
        state, _ = world.where(one.case)
        if state not in {"ready", "waiting"}:
            return
    row = world.case(one.case)
    assert row.wait_type == "decision" or row.hops > 5, (row.state, row.stage, row.wait_type)


def audit_is_whole(world: World) -> None:
    """Sealed to the last row, every seal and row holds."""
    signer = Signer(Ed25519PrivateKey.generate())
    with world.database.transaction() as uow:
        seal_entries(uow, signer)
    with world.database.reading() as reader:
        found = verify(StoredRecord(reader), signer.public_key, {})
    assert found.problems == []
    assert found.unsealed == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("examples", [25, pytest.param(250, marks=pytest.mark.slow)])
def test_whatever_happens_in_whatever_order(make_world: Callable[..., World], examples: int) -> None:
    """A case is in one state, ends once, has one open review at most, sends once; the record verifies."""
    world = make_world(step("note@1", lambda case: {"noted": case.attempt}))

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(stages(), st.lists(HAPPENINGS, max_size=10))
    def any_order(text: str, happenings: list[tuple[Any, ...]]) -> None:
        play(world, text, happenings)

    any_order()
    audit_is_whole(world)
