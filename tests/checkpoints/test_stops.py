"""Stop switches: what they cover, what they hold, and what goes on when they are lifted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import actions, checkpoints
from fairlead.actions import ActionDraft
from fairlead.checkpoints import Path
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from tests.checkpoints.desk import Desk

USER = Actor(ActorKind.USER, "usr_1")
SCOPES = ["workspace", "playbook:leads", "checkpoint:refund"]


def _stop(desk: Desk, scope: str, words: str = "Incident 7") -> int:
    with desk.database.transaction() as uow:
        return checkpoints.switch_stop(uow, USER, scope, words)


def _lift(desk: Desk, scope: str) -> int:
    with desk.database.transaction() as uow:
        return checkpoints.lift_stop(uow, USER, scope)


def _queue(desk: Desk, **changed: Any) -> str:
    values: dict[str, Any] = {"playbook": "leads", "checkpoint": "refund", **changed}
    with desk.database.transaction() as uow:
        uow.record(AuditEntry("case.moved", "case_1"))
        return actions.queue_many(uow, [ActionDraft(str(changed), "log", "note", {}, **values)])[0]


def _states(desk: Desk, *ids: str) -> list[str]:
    with desk.database.reading() as reader:
        found = actions.states_of(reader, ids)
    return [found[one].value for one in ids]


def _stop_seen(desk: Desk, playbook: str | None) -> str | None:
    with desk.database.reading() as reader:
        stop = checkpoints.read_state(reader, desk.policy, playbook, desk.clock.now()).stop
    return stop.scope if stop else None


@pytest.mark.parametrize("scope", SCOPES)
def test_a_stop_sends_everything_to_people(desk: Desk, scope: str) -> None:
    """At every scope the machine acts no more from the next ruling on, and again once it is lifted."""
    desk.grant()
    assert desk.ruled("a", playbook="leads").ruling.path is Path.AUTO

    _stop(desk, scope)
    assert desk.ruled("b", playbook="leads").ruling.path is Path.HUMAN
    _lift(desk, scope)
    assert desk.ruled("c", playbook="leads").ruling.path is Path.AUTO


@pytest.mark.parametrize("scope", ["playbook:other", "checkpoint:other", "playbook:refund", "checkpoint:leads"])
def test_a_stop_elsewhere_changes_nothing(light_desk: Desk, scope: str) -> None:
    """Another playbook's or checkpoint's switch is not this one's, whatever the names have in common."""
    light_desk.grant()
    one = _queue(light_desk)

    assert _stop(light_desk, scope) == 0

    assert light_desk.ruled("a", playbook="leads").ruling.path is Path.AUTO
    assert _states(light_desk, one) == ["queued"]


def test_a_playbooks_stop_leaves_asking_programs(light_desk: Desk) -> None:
    """A proposal that came from outside belongs to no playbook."""
    light_desk.grant()
    _stop(light_desk, "playbook:leads")

    assert light_desk.ruled("a").ruling.path is Path.AUTO


def test_the_widest_stop_is_named(light_desk: Desk) -> None:
    """Of several that apply the widest explains the ruling, in whatever order they were switched on."""
    for scope, seen in zip(reversed(SCOPES), reversed(SCOPES), strict=True):
        _stop(light_desk, scope)
        assert _stop_seen(light_desk, "leads") == seen
    assert _stop_seen(light_desk, "other") == "workspace"
    _lift(light_desk, "workspace")
    assert _stop_seen(light_desk, "other") == "checkpoint:refund"


def test_a_stop_blocks_nobody_who_was_banned_before(light_desk: Desk) -> None:
    """A rule that blocks is stricter than a person; a stop does not open what it closed."""
    _stop(light_desk, "workspace")

    assert light_desk.ruled("a", "ban").ruling.path is Path.BLOCKED


@pytest.mark.parametrize("scope", SCOPES)
def test_undelivered_automatic_actions_are_held(desk: Desk, scope: str) -> None:
    """What machines queued waits, what a person decided goes on; lifting brings back what was held."""
    auto, person = _queue(desk), _queue(desk, checkpoint=None)

    assert _stop(desk, scope) == 1
    assert _states(desk, auto, person) == ["held", "queued"]
    assert _lift(desk, scope) == 1
    assert _states(desk, auto, person) == ["queued", "queued"]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_under_overlapping_stops_the_last_one_releases(desk: Desk, first: int) -> None:
    """An action covered by three switches is held once and goes out when the last is lifted, in any order."""
    one = _queue(desk)
    assert [_stop(desk, scope) for scope in SCOPES] == [1, 0, 0]
    order = SCOPES[first:] + SCOPES[:first]

    assert [_lift(desk, scope) for scope in order[:2]] == [0, 0]
    assert _states(desk, one) == ["held"]
    assert _lift(desk, order[2]) == 1
    assert _states(desk, one) == ["queued"]


def test_lifting_one_stop_releases_only_its_own(light_desk: Desk) -> None:
    """Of the actions that a switch held those go out that no other switch covers."""
    here = _queue(light_desk)
    there = _queue(light_desk, checkpoint="discount")
    elsewhere = _queue(light_desk, playbook="service", checkpoint="discount")
    assert _stop(light_desk, "workspace") == 3
    assert _stop(light_desk, "checkpoint:refund") == 0
    assert _stop(light_desk, "playbook:service") == 0

    assert _lift(light_desk, "workspace") == 1

    assert _states(light_desk, here, there, elsewhere) == ["held", "queued", "held"]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_switch_has_two_positions(light_desk: Desk, scope: str) -> None:
    """Switching on what is on, or off what is off, is refused, and the first words stay."""
    with pytest.raises(ConflictError):
        _lift(light_desk, scope)
    _stop(light_desk, scope, "first")
    with pytest.raises(ConflictError):
        _stop(light_desk, scope, "second")
    with light_desk.database.reading() as reader:
        assert [(row.scope, row.words, row.set_by) for row in checkpoints.stops(reader)] == [
            (scope, "first", "user:usr_1")
        ]
    _lift(light_desk, scope)
    with pytest.raises(ConflictError):
        _lift(light_desk, scope)


@pytest.mark.parametrize(
    "scope",
    ["", ":", "workspace:", "workspace:x", "playbook", "playbook:", "checkpoint", "Workspace", "team:a", " workspace"],
)
def test_what_is_no_scope_is_refused(light_desk: Desk, scope: str) -> None:
    """A switch that would cover nothing, or not what its writer thinks, is never stored."""
    with pytest.raises(InputError) as caught:
        _stop(light_desk, scope)

    assert caught.value.reason == "stop_scope"
    with light_desk.database.reading() as reader:
        assert checkpoints.stops(reader) == []


def test_both_positions_are_in_the_record(light_desk: Desk) -> None:
    """Who stopped and who lifted is there for good, although the switch itself is gone."""
    _stop(light_desk, "checkpoint:refund")
    _lift(light_desk, "checkpoint:refund")

    verbs = light_desk.verbs("checkpoint:refund")
    assert [verb for verb in verbs if verb.startswith("stop.")] == ["stop.set", "stop.lifted"]


def test_the_epoch_moves_with_every_switch(desk: Desk) -> None:
    """On, off, and one for another at the same moment: a ruling made under either is stale."""
    seen = [desk.epoch()]
    for scope in ("checkpoint:a", "checkpoint:b"):
        _stop(desk, scope)
        seen.append(desk.epoch())
    _lift(desk, "checkpoint:b")
    _stop(desk, "checkpoint:c")
    seen.append(desk.epoch())
    desk.clock.advance(-timedelta(hours=1))
    _lift(desk, "checkpoint:c")
    _stop(desk, "checkpoint:c")
    seen.append(desk.epoch())

    assert len(set(seen)) == len(seen)


def test_a_stop_that_fails_leaves_everything_as_it_was(light_desk: Desk) -> None:
    """Switch, held actions and record are one: an error after them takes back all three."""
    one = _queue(light_desk)

    def crash() -> None:
        with light_desk.database.transaction() as uow:
            checkpoints.switch_stop(uow, USER, "workspace", "?")
            message = "the power is gone"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        crash()
    assert _states(light_desk, one) == ["queued"]
    assert _stop_seen(light_desk, None) is None
    assert light_desk.verbs("workspace") == []
