"""Scores over HTTP: why a lead has its points, and the versions that may score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from fairlead import reviews
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks.tables import case
from fairlead.understanding import models_key, register
from fairlead.understanding.tables import score_model
from tests.api.world import SECRET, ok, refused
from tests.understanding.world import by_hand

if TYPE_CHECKING:
    from tests.api.world import World

KEY = models_key(SECRET)
REASONS = [{"words": "a lead like the average", "add": 20.0}, {"words": "visits is 9", "add": 30.5}]


def stored(world: World, *shifts: float) -> None:
    """Versions made by hand."""
    for shift in shifts:
        with world.database.transaction() as uow:
            register(uow, SYSTEM, KEY, by_hand(shift=shift))


def a_case(world: World, *, blind: bool = False, **facts: Any) -> str:
    """A case with these facts whose proposal a person sees; `blind`: one that waits for an answer without it."""
    with world.database.reading() as reader:
        open_ones = reviews.page(reader, reviews.QueueFilter(), limit=200).items
    case_id = world.blind_case if blind else next(one.case_id for one in open_ones if one.mode is reviews.Mode.ASSIST)
    with world.database.raw() as connection:
        known = connection.execute(select(case.c.facts).where(case.c.id == case_id)).scalar_one()
        connection.execute(update(case).where(case.c.id == case_id).values(facts={**known, **facts}))
        connection.commit()
    return str(case_id)


def test_a_score_comes_with_reasons_and_what_such_scores_came_to(world: World) -> None:
    """The numbers add up; the model's own validation says how often it came true."""
    stored(world, 0.0)
    when = "2026-01-05T10:00:00Z"
    case_id = a_case(world, points=50.5, grade="B", score_reasons=REASONS, producer="lead-score@1", scored_at=when)
    found = ok(world.person("viewer").get(f"/v1/leads/{case_id}/score"))
    assert (found["points"], found["grade"], found["producer"], found["by"]) == (50.5, "B", "lead-score@1", "model")
    assert sum(one["add"] for one in found["reasons"]) == found["points"]
    assert found["like_this"]["words"] == "of 100 leads scored like this, 51 converted (n = 800, 48 to 55)"
    assert found["scored_at"] == when
    assert found["withheld"] is False


def test_a_score_by_rules_says_what_a_model_needs(light_world: World) -> None:
    """No model, no promise; odd facts of a lead's own columns break nothing."""
    case_id = a_case(
        light_world, points=50.5, score_reasons=[*REASONS, "odd", {"words": 1}], producer="rules@1",
        score_note="a model needs more", scored_at="yesterday",
    )  # fmt: skip
    found = ok(light_world.person("viewer").get(f"/v1/leads/{case_id}/score"))
    assert (found["by"], found["note"], found["like_this"], found["scored_at"]) == (
        "rules",
        "a model needs more",
        None,
        None,
    )
    assert len(found["reasons"]) == 2


def test_a_score_is_withheld_while_somebody_answers_without_it(light_world: World) -> None:
    """Neither points nor reasons nor who made them."""
    case_id = a_case(light_world, blind=True, points=50.5, grade="B", score_reasons=REASONS, producer="rules@1")
    found = ok(light_world.person("reviewer").get(f"/v1/leads/{case_id}/score"))
    assert found["withheld"] is True
    assert not any(found[name] for name in ("points", "grade", "reasons", "producer", "by", "like_this", "note"))


@pytest.mark.parametrize("facts", [{"points": "many"}, {"points": True}, {"score_reasons": "none"}])
def test_what_is_no_score_is_none(light_world: World, facts: dict[str, Any]) -> None:
    """A lead's own column may be called so."""
    case_id = a_case(light_world, **{"points": 1.0, "score_reasons": REASONS, **facts})
    refused(light_world.person("viewer").get(f"/v1/leads/{case_id}/score"), 404, "no_score")


def test_no_lead_no_score(light_world: World) -> None:
    """Whatever stands in the address."""
    for name in ("lead_nothing", "case_0660f3d60b73bc67a0147329", "x"):
        refused(light_world.person("viewer").get(f"/v1/leads/{name}/score"), 404)


def test_versions_are_listed_and_put_into_use(world: World) -> None:
    """By whoever may deploy playbooks; audited, and only after the seal was checked."""
    stored(world, 0.0, 1.0)
    admin = world.person("admin")
    listed = ok(admin.get("/v1/models"))["items"]
    assert {(one["producer"], one["in_use"]) for one in listed} == {("lead-score@1", True), ("lead-score@2", False)}
    assert ok(admin.post("/v1/models/lead-score@2/use"))["in_use"] is True
    assert world.audited("lead-score@2") == ["model.registered", "model.used"]
    refused(world.person("viewer").post("/v1/models/lead-score@1/use"), 403)
    refused(admin.post("/v1/models/lead-score@9/use"), 404)
    refused(admin.post("/v1/models/lead-score/use"), 422, "model_name")


def test_a_changed_document_is_not_put_into_use(light_world: World) -> None:
    """The one that scores stays."""
    stored(light_world, 0.0, 1.0)
    with light_world.database.raw() as connection:
        connection.execute(update(score_model).where(score_model.c.version == 2).values(document=b"changed"))
        connection.commit()
    refused(light_world.person("admin").post("/v1/models/lead-score@2/use"), 422, "model_tampered")
    listed = ok(light_world.person("admin").get("/v1/models"))["items"]
    assert [one["producer"] for one in listed if one["in_use"]] == ["lead-score@1"]
