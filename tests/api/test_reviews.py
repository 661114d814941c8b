"""The queue over HTTP does what the desk does, for people; programs may look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.kit.clock import iso
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.api.world import World


def claimed(world: World, who: TestClient, mode: str = "assist") -> dict[str, Any]:
    """A review of this mode in the hands of the client."""
    one = world.review(who, mode)
    found: dict[str, Any] = ok(who.post(f"/v1/reviews/{one['id']}/claim"))["review"]
    return found


def test_pages_join_without_a_gap(world: World) -> None:
    """Paging through in small steps gives each review once, in the order of one large page."""
    admin = world.person("admin")
    whole = ok(admin.get("/v1/reviews", params={"limit": 200, "every_role": True}))
    seen: list[str] = []
    after = None
    while True:
        step = {"limit": 3, "every_role": True} | ({"after": after} if after else {})
        page = ok(admin.get("/v1/reviews", params=step))
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert seen == [one["id"] for one in whole["items"]]
    assert len(seen) == len(set(seen)) > 6
    assert ok(admin.get("/v1/reviews/counts"))["open"]["number"] == len(seen)


def test_filters_are_those_of_the_queue(world: World) -> None:
    """View, checkpoint, title, customer and value narrow the list; a combination that no index serves is a 422."""
    manager = world.person("manager")
    one = world.review(manager)
    taken = claimed(world, manager)

    def ids(**query: Any) -> set[str]:
        return {found["id"] for found in ok(manager.get("/v1/reviews", params={"limit": 200, **query}))["items"]}

    assert ids(view="mine") == {taken["id"]}
    assert taken["id"] not in ids(view="unclaimed")
    assert one["id"] in ids(checkpoint="lead-assignment")
    assert ids(checkpoint="elsewhere") == set()
    assert one["id"] in ids(q=one["title"][:6])
    assert one["id"] in ids(customer=one["customer_id"])
    assert ids(view="high_value", min_value_minor=10**12) == set()
    refused(manager.get("/v1/reviews", params={"view": "high_value"}), 422, "filter")
    refused(manager.get("/v1/reviews", params={"q": "a", "view": "mine"}), 422, "filter")
    refused(manager.get("/v1/reviews", params={"after": "bm9uc2Vuc2U"}), 422, "cursor")
    refused(manager.get("/v1/reviews", params={"colour": "red"}), 422, "input")


def test_a_reviewer_sees_only_their_roles(world: World) -> None:
    """Reviews for managers are not listed for a reviewer and cannot be opened by one."""
    managers, reviewer = world.person("manager"), world.person("reviewer")
    theirs = [
        one for one in ok(managers.get("/v1/reviews", params={"limit": 200}))["items"] if one["role"] == "manager"
    ]
    assert theirs, "the seeded leads hold some of high value"
    listed = ok(reviewer.get("/v1/reviews", params={"limit": 200, "every_role": True}))["items"]

    assert {one["role"] for one in listed} == {"reviewer"}
    refused(reviewer.get(f"/v1/reviews/{theirs[0]['id']}"), 403, "forbidden")
    refused(reviewer.post(f"/v1/reviews/{theirs[0]['id']}/claim"), 403)


@pytest.mark.parametrize("mode", ["human", "blind", "assist"])
def test_the_proposal_is_withheld_until_the_answer_is_given(world: World, mode: str) -> None:
    """Human and blind reviews show no proposal, score, signals or steps, here or in their case; assisted ones do."""
    admin = world.person("admin")
    found = world.review(admin, mode, every_role=True)
    story = ok(admin.get(f"/v1/reviews/{found['id']}"))
    case = ok(admin.get(f"/v1/cases/{found['case_id']}"))
    hidden = mode != "assist"

    assert (story["withheld"], case["withheld"]) == (hidden, hidden)
    assert (story["proposal"] is None, story["score"] is None, story["steps"] == []) == (hidden,) * 3
    assert (case["rulings"][0]["proposal"] is None) == hidden
    assert story["explanation"]
    assert story["answer_schema"]["required"] == ["team"]
    for found_by_steps in ("team", "grade", "points", "confidence", "score_reasons"):
        if hidden:
            assert found_by_steps not in story["facts"]
            assert found_by_steps not in case["facts"]
            assert all(entry["payload"] is None for entry in case["history"])
        else:
            assert found_by_steps in case["facts"]


def test_a_verdict_settles_and_is_audited(world: World) -> None:
    """Claim, approve: the answer is the proposal, the engine is woken, the record says who."""
    reviewer = world.person("reviewer")
    one = claimed(world, reviewer)
    before = len(world.woken)
    done = ok(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json={"verdict": "approve", "digest": one["digest"]}))
    story = ok(reviewer.get(f"/v1/reviews/{one['id']}"))

    assert (done["settled"], done["missing"]) == (True, {})
    assert done["effective_at"] == iso(world.clock.now() + timedelta(seconds=world.settings.undo_s))
    assert story["decision"]["answer"] == story["proposal"]
    assert story["decision"]["decided_by"] == f"user:{world.desk.people['reviewer'].id}"
    assert [said["verdict"] for said in story["log"]] == ["approve"]
    assert world.audited(one["id"])[-2:] == ["review.claimed", "review.decided"]
    assert len(world.woken) > before


def test_the_second_one_gets_a_409(world: World) -> None:
    """Whoever is slower learns who was first, and changes nothing."""
    reviewer, manager = world.person("reviewer"), world.person("manager")
    one = claimed(world, reviewer)
    body = {"verdict": "approve", "digest": one["digest"]}
    before = world.entries()

    error = refused(manager.post(f"/v1/reviews/{one['id']}/claim"), 409, "claimed")
    assert error["fields"]["by"] == world.desk.people["reviewer"].id
    refused(manager.post(f"/v1/reviews/{one['id']}/verdict", json=body), 409)
    assert world.entries() == before
    ok(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json=body))
    refused(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json=body), 409, "decided")


def test_a_verdict_binds_to_what_was_shown(world: World) -> None:
    """Another digest than the review's is refused as stale, with what changed."""
    reviewer = world.person("reviewer")
    one = claimed(world, reviewer)
    answer = reviewer.post(f"/v1/reviews/{one['id']}/verdict", json={"verdict": "approve", "digest": "old"})

    assert refused(answer, 409, "stale")["fields"]["digest"] == one["digest"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"verdict": "edit", "answer": {"team": "dach"}}, "reason_missing"),
        ({"verdict": "edit", "answer": {"team": "moon"}, "reason": "x"}, "off_schema"),
        ({"verdict": "edit", "reason": "x"}, "answer_shape"),
        ({"verdict": "approve", "answer": {"team": "dach"}}, "answer_shape"),
        ({"verdict": "escalate", "reason": "x"}, "target_missing"),
        ({"verdict": "escalate", "reason": "x", "to_role": "manger"}, "input"),
        ({"verdict": "escalate", "reason": "x", "to_person": "per_nobody"}, "input"),
        ({"verdict": "withdraw", "reason": "x"}, "input"),
        ({"verdict": "reject", "reason": "x" * 4_001}, "input"),
        ({"verdict": "approve", "colour": "red"}, "input"),
    ],
)
def test_a_wrong_verdict_leaves_the_review_alone(light_world: World, body: dict[str, Any], code: str) -> None:
    """422 says what is wrong; the review is still its holder's."""
    reviewer = light_world.person("reviewer")
    one = claimed(light_world, reviewer)
    before = light_world.entries()

    refused(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json={"digest": one["digest"], **body}), 422, code)
    assert light_world.entries() == before
    assert ok(reviewer.get(f"/v1/reviews/{one['id']}"))["state"] == "claimed"


def test_escalating_passes_it_on(world: World) -> None:
    """The review then waits for the other role, and the reviewer can no longer see it."""
    reviewer, manager = world.person("reviewer"), world.person("manager")
    one = claimed(world, reviewer)
    body = {
        "verdict": "escalate",
        "reason": "too large for me",
        "to_role": "manager",
        "digest": one["digest"],
    }
    done = ok(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json=body))

    assert (done["settled"], done["review"]["role"], done["review"]["state"]) == (False, "manager", "waiting")
    refused(reviewer.get(f"/v1/reviews/{one['id']}"), 403)
    ok(manager.post(f"/v1/reviews/{one['id']}/claim"))


def test_undo_works_until_it_takes_effect(world: World) -> None:
    """One's own verdict can be taken back for ten seconds, and not afterwards, and not by others."""
    reviewer, manager = world.person("reviewer"), world.person("manager")
    one = claimed(world, reviewer)
    body = {"verdict": "approve", "digest": one["digest"]}
    ok(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json=body))

    refused(manager.post(f"/v1/reviews/{one['id']}/undo"), 403, "not_yours")
    again = ok(reviewer.post(f"/v1/reviews/{one['id']}/undo"))
    assert again["state"] in {"waiting", "claimed"}
    assert again["assignee"] == world.desk.people["reviewer"].id
    ok(reviewer.post(f"/v1/reviews/{one['id']}/claim"))
    ok(reviewer.post(f"/v1/reviews/{one['id']}/verdict", json=body))
    world.clock.advance(timedelta(seconds=world.settings.undo_s))
    refused(reviewer.post(f"/v1/reviews/{one['id']}/undo"), 409, "too_late")


def test_a_blind_review_is_answered_first(world: World) -> None:
    """Its first answer is kept as the label; then the proposal is shown and decided on."""
    admin = world.person("admin")
    found = world.review(admin, "blind", every_role=True)
    url = f"/v1/reviews/{found['id']}"
    one = ok(admin.post(f"{url}/claim"))["review"]
    refused(admin.post(f"{url}/verdict", json={"verdict": "approve", "digest": one["digest"]}), 409)
    label = {"verdict": "answer", "answer": {"team": "dach"}, "digest": one["digest"]}

    assert ok(admin.post(f"{url}/verdict", json=label))["settled"] is False
    story = ok(admin.get(url))
    assert story["withheld"] is False
    assert story["proposal"]["team"]


def test_claims_are_kept_given_back_and_put_away(world: World) -> None:
    """Heartbeat, release, snooze and unsnooze do what they say, for the holder only."""
    reviewer, manager = world.person("reviewer"), world.person("manager")
    one = claimed(world, reviewer)
    url = f"/v1/reviews/{one['id']}"
    world.clock.advance(timedelta(minutes=1))

    assert ok(reviewer.post(f"{url}/heartbeat"))["claimed_until"] > one["claimed_until"]
    refused(manager.post(f"{url}/heartbeat"), 409)
    assert ok(reviewer.post(f"{url}/release"))["state"] == "waiting"
    until = iso(world.clock.now() + timedelta(days=1))
    assert ok(reviewer.post(f"{url}/snooze", json={"until": until}))["snoozed_until"] == until
    assert ok(reviewer.post(f"{url}/unsnooze"))["snoozed_until"] is None
    refused(reviewer.post(f"{url}/unsnooze"), 409, "not_snoozed")
    far = iso(world.clock.now() + timedelta(days=400))
    refused(reviewer.post(f"{url}/snooze", json={"until": far}), 422, "snooze")


def test_the_clock_stands_still_while_information_is_missing(world: World) -> None:
    """Request_info pauses, resume goes on with what was left."""
    reviewer = world.person("reviewer")
    one = claimed(world, reviewer)
    url = f"/v1/reviews/{one['id']}"
    asked = {"verdict": "request_info", "reason": "which country?", "digest": one["digest"]}

    paused = ok(reviewer.post(f"{url}/verdict", json=asked))["review"]
    assert (paused["due_at"], paused["paused_at"] is not None) == (None, True)
    world.clock.advance(timedelta(hours=5))
    gone_on = ok(reviewer.post(f"{url}/resume", json={"reason": "it is Austria"}))
    assert gone_on["due_at"] > one["due_at"]


def test_next_looks_without_taking(world: World) -> None:
    """GET next claims nothing; POST next claims what GET said; others then get another one."""
    reviewer, manager = world.person("reviewer"), world.person("manager")
    seen = ok(reviewer.get("/v1/reviews/next"))["review"]
    assert ok(reviewer.get(f"/v1/reviews/{seen['id']}"))["state"] == "waiting"
    taken = ok(reviewer.post("/v1/reviews/next", json={}))["review"]

    assert (taken["id"], taken["state"]) == (seen["id"], "claimed")
    assert ok(manager.post("/v1/reviews/next"))["review"]["id"] != taken["id"]
    assert ok(reviewer.post("/v1/reviews/next", json={"checkpoint": "elsewhere"}))["review"] is None
    refused(reviewer.post("/v1/reviews/next", json={"role": "admin"}), 403)


def test_a_key_may_look_but_never_decides(world: World) -> None:
    """A program with every scope that keys can hold sees all reviews and can do nothing to one."""
    program = world.almighty()
    one = world.review(program)

    assert ok(program.get(f"/v1/reviews/{one['id']}"))["id"] == one["id"]
    for verb in ("claim", "release", "heartbeat", "undo", "unsnooze"):
        error = refused(program.post(f"/v1/reviews/{one['id']}/{verb}"), 403, "forbidden")
        assert error["fields"]["permission"] == "reviews:decide"
    refused(program.post("/v1/reviews/next"), 403)
    refused(program.get("/v1/reviews/next"), 403)


def test_a_review_that_is_not_there(light_world: World) -> None:
    """Whatever stands in the address, the answer is a plain 404."""
    reviewer = light_world.person("reviewer")
    for name in ("rev_000000000000000000000000", "x", "..", "rev_%27--", "r" * 64):
        refused(reviewer.get(f"/v1/reviews/{name}"), 404, "not_found")
