"""Duplicates over HTTP: listed without giving the answer away, merged by hand, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.sales import find_duplicates
from fairlead.testing.seed import run_ready
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World


def twins(world: World) -> tuple[str, str]:
    """Two records of one company."""
    known = ("Zanderwerk Optik GmbH", "info@zanderwerk.example"), ("ZANDERWERK OPTIK", "b@zanderwerk.example")
    drafts = [CustomerDraft("", name, "DE", identities=(("email", email),)) for name, email in known]
    with world.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        first, second = (one.id for one in resolve_many(uow, drafts))
    return first, second


def test_a_pair_is_listed_and_its_score_withheld_until_it_was_answered(light_world: World) -> None:
    """In shadow nobody may be led: neither score nor reasons stand in the list while a person has to answer."""
    first, second = twins(light_world)
    find_duplicates(light_world.database, light_world.desk.library, SYSTEM)
    run_ready(light_world.desk.engine)
    viewer = light_world.person("viewer")
    items = ok(viewer.get("/v1/duplicates", params={"state": "open", "limit": 200}))["items"]
    [mine] = [one for one in items if (one["left"], one["right"]) == (first, second)]
    assert (mine["withheld"], mine["score"], mine["band"], mine["reasons"]) == (True, None, None, [])
    refused(viewer.get("/v1/duplicates", params={"state": "closed"}), 422)


def test_two_customers_are_merged_and_taken_apart(world: World) -> None:
    """By those who may edit; the merged id answers with the survivor, and the undoing says what it did."""
    first, second = twins(world)
    manager, viewer = world.person("manager"), world.person("viewer")
    body = {"other": second, "reason": "the same firm"}
    refused(viewer.post(f"/v1/customers/{first}/merge", json=body), 403)
    merge = ok(manager.post(f"/v1/customers/{first}/merge", json=body))
    assert (merge["kept"], merge["other"]) == (first, second)
    assert ok(viewer.get(f"/v1/customers/{second}"))["id"] == first
    refused(manager.post(f"/v1/customers/{first}/merge", json=body), 409)
    refused(manager.post(f"/v1/customers/{first}/merge", json={"other": first, "reason": "x"}), 422)
    refused(viewer.post(f"/v1/merges/{merge['id']}/undo"), 403)
    done = ok(manager.post(f"/v1/merges/{merge['id']}/undo"))
    assert (done["survivor"], done["other"], done["carried"]) == (first, second, [])
    assert ok(viewer.get(f"/v1/customers/{second}"))["id"] == second
    refused(manager.post(f"/v1/merges/{merge['id']}/undo"), 409)
    refused(manager.post("/v1/merges/mrg_nothing/undo"), 404)
