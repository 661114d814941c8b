"""Labels over HTTP: what was drawn is answered blind, and only then told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.checkpoints import Grant, Level, read_ruling, set_grant
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import CaseDraft, open_cases
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

LEAD = {
    "name": "Ute Quirin", "country": "DE", "value": 900.0, "employees": 900, "job_title": "Managing Director",
    "source": "referral", "email": "u@q.example", "reachable_at": "u@q.example", "phone": "+493012345678",
}  # fmt: skip


@dataclass
class Drawn:
    """A case that was decided automatically and drawn, and its label."""

    case_id: str
    review: dict[str, Any]


@pytest.fixture
def drawn(world: World) -> Drawn:
    """Small deals are automatic from any score on, and every one is drawn."""
    with world.database.transaction() as uow:
        bundle = world.desk.library.current(uow)
        version = bundle.policies["lead-assignment"].version
        until = uow.now + timedelta(days=9)
        wanted = Grant("", "lead-assignment", "small", "lead-rules@1", Level.AUTO, version, until, 0.0, None, 1.0)
        set_grant(uow, SYSTEM, "manager", wanted, {})
        person = resolve_many(uow, [CustomerDraft("Ute Quirin", identities=(("external_id", "utq"),))])[0].id
        [case_id] = open_cases(uow, [CaseDraft("lead-qualification", "lead", "lead_utq", LEAD, person)], bundle)
    world.run()
    items = ok(world.person("reviewer").get("/v1/reviews", params={"view": "labels", "limit": 200}))["items"]
    [mine] = [one for one in items if one["case_id"] == case_id]
    return Drawn(case_id, mine)


def answer(world: World, drawn: Drawn, verdict: str = "answer", **given: Any) -> dict[str, Any]:
    """Claimed and answered by the reviewer."""
    reviewer, url = world.person("reviewer"), f"/v1/reviews/{drawn.review['id']}"
    shown = ok(reviewer.post(f"{url}/claim"))["review"]
    body = {"verdict": verdict, "digest": shown["digest"], **given}
    done: dict[str, Any] = ok(reviewer.post(f"{url}/verdict", json=body))
    return done


def test_nothing_tells_what_the_machine_did(world: World, drawn: Drawn) -> None:
    """Review, case, decision, explanation and timeline keep answer, score and route back from people until then."""
    reviewer = world.person("reviewer")
    assert (drawn.review["kind"], drawn.review["mode"]) == ("label", "label")
    shown = ok(reviewer.get(f"/v1/reviews/{drawn.review['id']}"))
    nothing = {name: shown[name] for name in ("proposal", "score", "producer", "decision")}
    assert set(nothing.values()) == {None}
    assert (shown["withheld"], shown["signals"], shown["found"], shown["steps"]) == (True, {}, {}, [])
    assert shown["facts"]["employees"] == 900
    assert "decided this already" in shown["explanation"]

    ruling_id = drawn.review["ruling_id"]
    case = ok(reviewer.get(f"/v1/cases/{drawn.case_id}"))
    assert case["withheld"]
    [ruled] = case["rulings"]
    assert (ruled["proposal"], ruled["answer"], ruled["score"], ruled["explanation"]) == (None, None, None, None)
    decision = ok(reviewer.get(f"/v1/decisions/{ruling_id}"))
    assert (decision["answer"], decision["ruling"], decision["review"]) == (None, None, None)
    assert "withheld" in ok(reviewer.get(f"/v1/decisions/{ruling_id}/explanation"))["explanation"]
    team = _team(world, drawn)
    texts = [shown, case, decision, ok(reviewer.get(f"/v1/reviews/{drawn.review['id']}"))]
    assert not any(f'"{team}"' in repr(one["facts"]).replace("'", '"') for one in texts if "facts" in one)


def test_the_answer_is_kept_and_told(world: World, drawn: Drawn) -> None:
    """Afterwards the review shows both, the list has the label, and nothing about the case has changed."""
    team = _team(world, drawn)
    before = ok(world.almighty().get(f"/v1/cases/{drawn.case_id}"))
    done = answer(world, drawn, answer={"team": team})
    assert done["settled"]
    viewer = world.person("viewer")
    listed = ok(viewer.get("/v1/labels", params={"checkpoint": "lead-assignment", "limit": 1}))
    [label] = listed["items"]
    assert (label["review"], label["outcome"], label["source"], label["lottery_p"]) == (
        drawn.review["id"], "agree", "auto", 1.0,
    )  # fmt: skip
    shown = ok(world.person("reviewer").get(f"/v1/reviews/{drawn.review['id']}"))
    assert (shown["withheld"], shown["proposal"]["team"], shown["state"]) == (False, team, "decided")
    after = ok(world.almighty().get(f"/v1/cases/{drawn.case_id}"))
    assert (after["state"], after["stage"], after["version"]) == (before["state"], before["stage"], before["version"])
    counts = ok(viewer.get("/v1/labels/counts", params={"checkpoint": "lead-assignment"}))["items"]
    [small] = [one for one in counts if one["segment"] == "small"]
    assert small["agree"] >= 1


def test_not_being_able_to_tell_is_an_answer(world: World, drawn: Drawn) -> None:
    """With a reason; it counts, and stands for neither."""
    url = f"/v1/reviews/{drawn.review['id']}"
    reviewer = world.person("reviewer")
    shown = ok(reviewer.post(f"{url}/claim"))["review"]
    bare = {"verdict": "cannot_tell", "digest": shown["digest"]}
    refused(reviewer.post(f"{url}/verdict", json=bare), 422, "reason_missing")
    answer(world, drawn, "cannot_tell", reason="the country is missing")
    [label] = ok(reviewer.get("/v1/labels", params={"limit": 1}))["items"]
    assert (label["outcome"], label["answer"], label["agrees"]) == ("cannot_tell", None, None)


@pytest.mark.parametrize(("verb", "body"), [("snooze", {"until": "2026-11-03T09:00:00Z"}), ("resume", {"reason": "x"})])
def test_it_cannot_be_put_off(world: World, drawn: Drawn, verb: str, body: dict[str, str]) -> None:
    """Refused with a code of its own, whatever is tried."""
    reviewer = world.person("reviewer")
    refused(reviewer.post(f"/v1/reviews/{drawn.review['id']}/{verb}", json=body), 409, "drawn")


def test_labels_are_paged_and_bounded(world: World, drawn: Drawn) -> None:
    """Newest first, without gaps or repeats; a limit that is none is refused."""
    answer(world, drawn, "cannot_tell", reason="?")
    viewer = world.person("viewer")
    first = ok(viewer.get("/v1/labels", params={"limit": 1}))
    rest = ok(viewer.get("/v1/labels", params={"limit": 200, "before": first["items"][0]["id"]}))
    assert first["items"][0]["id"] not in {one["id"] for one in rest["items"]}
    assert ok(viewer.get("/v1/labels", params={"checkpoint": "nowhere"})) == {"items": [], "next": None}
    refused(viewer.get("/v1/labels", params={"limit": 0}), 422)


def _team(world: World, drawn: Drawn) -> str:
    """What the machine decided, as the record has it."""
    with world.database.reading() as reader:
        return str(read_ruling(reader, drawn.review["ruling_id"]).proposal["answer"]["team"])
