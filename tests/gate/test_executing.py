"""Approvals: used once, in time, for exactly what was decided; and the reports on everything else."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.checkpoints import digest_to_execute
from fairlead.checkpoints.tables import approval, unasked
from fairlead.kit.actors import SYSTEM
from fairlead.people import revoke_api_key
from fairlead.reviews import Verb

if TYPE_CHECKING:
    from tests.gate.world import World


def unasked_of(world: World) -> list[dict[str, object]]:
    """The report of executions without leave."""
    found: list[dict[str, object]] = world.get("/v1/reports/executed-unasked").json()["items"]
    return found


def unexecuted_of(world: World) -> list[dict[str, object]]:
    """The report of approvals without an execution."""
    found: list[dict[str, object]] = world.get("/v1/reports/approved-never-executed").json()["items"]
    return found


def test_an_approval_is_used_once(world: World) -> None:
    """The first report is kept, the second refused; the same report again leaves no trace as unasked."""
    found = world.asked()
    first, again = world.executed(found), world.executed(found)

    assert (first.status_code, again.status_code) == (200, 409)
    assert first.json()["answer"] == {"amount": 40}
    assert again.json()["error"]["code"] == "approval_used"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", again.json()["error"]["fields"]["used_at"])
    assert unasked_of(world) == []
    assert world.poll(found)["execution"] == "executed"
    assert world.poll(found)["approval"] is None
    assert world.audited(found["id"])[-1] == "execution.executed"


def test_a_used_approval_with_another_result_was_executed_twice(world: World) -> None:
    """That is an execution without leave, and the report says so."""
    found = world.asked()
    world.executed(found)
    world.executed(found, result={"paid": "again"})

    assert [(one["decision"], one["why"]) for one in unasked_of(world)] == [(found["id"], "approval_used")]


def test_the_digest_covers_checkpoint_answer_and_customer(world: World) -> None:
    """It can be computed by whoever executes, and any other content has another."""
    found = world.asked()
    digest = digest_to_execute("refunds", {"amount": 40}, None)

    assert found["approval"]["digest"] == digest
    others = {
        digest_to_execute("returns", {"amount": 40}, None),
        digest_to_execute("refunds", {"amount": 40.5}, None),
        digest_to_execute("refunds", {"amount": 40}, "cus_1"),
    }
    assert len({digest, *others}) == 4


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"approval": "fla_" + "A" * 43}, "other_approval"),
        ({"digest": "0" * 64}, "other_content"),
        ({"digest": None, "answer": {"amount": 4000}}, "other_content"),
    ],
)
def test_another_token_or_content_is_refused_and_kept(world: World, changes: dict[str, object], why: str) -> None:
    """403, the approval stays good, and what was done without leave stands in the report."""
    found = world.asked()
    answer = world.executed(found, **changes)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, why)
    assert [one["why"] for one in unasked_of(world)] == [why]
    assert world.audited(found["id"])[-1] == "execution.unasked"
    assert world.executed(found).status_code == 200


def test_an_approval_of_another_decision_does_not_fit(world: World) -> None:
    """A replayed token opens nothing else, even for the same content."""
    one, other = world.asked(idempotency_key="a"), world.asked(idempotency_key="b")

    assert world.executed(other, approval=one["approval"]["token"]).status_code == 403


def test_an_approval_expires(world: World) -> None:
    """410 from its last moment on; the decision then shows no approval, and the report what was not done."""
    found = world.asked()
    world.clock.advance(timedelta(minutes=15))
    assert world.executed(found, ok=None, result=None).status_code == 410
    late = world.executed(found)

    assert (late.status_code, late.json()["error"]["code"]) == (410, "approval_expired")
    assert (world.poll(found)["approval"], world.poll(found)["execution"]) == (None, "expired")
    assert [one["why"] for one in unasked_of(world)] == ["approval_expired"]
    assert [(one["decision"], one["execution"]) for one in unexecuted_of(world)] == [(found["id"], "expired")]


def test_a_person_who_decides_at_night_does_not_waste_the_approval(world: World) -> None:
    """Its life begins when it is first read, not when the person decided; until read it is reported."""
    found = world.asked(score=0.1)
    world.decide(found, Verb.APPROVE)
    world.clock.advance(timedelta(hours=9))
    assert [one["execution"] for one in unexecuted_of(world)] == ["none"]
    read = world.poll(found)
    world.clock.advance(timedelta(minutes=14))

    assert world.executed(read).status_code == 200
    assert unexecuted_of(world) == []


def test_a_clock_that_jumps_back_reopens_nothing(world: World) -> None:
    """A used approval stays used, and the one token keeps its one end."""
    found = world.asked()
    world.executed(found)
    world.clock.advance(timedelta(days=-2))

    assert world.executed(found).status_code == 409
    other = world.asked(idempotency_key="b")
    world.clock.advance(timedelta(days=2))
    assert world.executed(other).status_code == 410


def test_beginning_takes_the_approval_and_the_report_completes_it(world: World) -> None:
    """Of many that begin one wins; what was begun and never reported stands in the report."""
    found = world.asked()
    barrier, codes = threading.Barrier(8), []

    def begin() -> None:
        barrier.wait()
        codes.append(world.executed(found, ok=None, result=None).status_code)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    world.clock.advance(timedelta(minutes=20))

    assert sorted(codes) == [200] + [409] * 7
    assert [one["execution"] for one in unexecuted_of(world)] == ["begun"]
    assert world.executed(found, ok=False, result="shop is down").status_code == 200
    assert world.executed(found, ok=True).status_code == 409
    assert world.poll(found)["execution"] == "failed"
    assert unexecuted_of(world) == []


def test_executing_what_waits_is_executing_unasked(world: World) -> None:
    """409 and a row in the report; merely beginning is refused and leaves none."""
    found = world.asked(score=0.1)
    begun, done = world.executed(found, ok=None, result=None), world.executed(found)

    assert (begun.status_code, done.status_code) == (409, 409)
    assert [one["why"] for one in unasked_of(world)] == ["not_decided"]


def test_nothing_secret_is_stored(world: World) -> None:
    """The token stands in no table, so that reading the database executes nothing."""
    found = world.asked()
    with world.database.reading() as reader:
        row = reader.execute(approval.select()).one()

    assert found["approval"]["token"] not in str(tuple(row))


def test_reports_come_as_csv_without_formulas_and_page_by_page(world: World) -> None:
    """The same rows as a file for a spreadsheet; what a caller wrote cannot become a formula."""
    found = [world.asked(idempotency_key=f"k{n}") for n in range(3)]
    for one in found:
        world.executed(one, digest="=1+1", answer=None)
    rows = list(csv.DictReader(io.StringIO(world.get("/v1/reports/executed-unasked?format=csv").text)))
    first = world.get("/v1/reports/executed-unasked?limit=2").json()
    rest = world.get(f"/v1/reports/executed-unasked?limit=2&before={first['next']}").json()

    assert [row["decision"] for row in rows] == [one["id"] for one in found][::-1]
    assert {row["digest"] for row in rows} == {"'=1+1"}
    assert len(first["items"]) + len(rest["items"]) == 3
    assert rest["next"] is None


def test_reports_and_execution_need_their_permissions(world: World) -> None:
    """A key that may only ask reads no report and executes nothing; a revoked one does nothing at all."""
    asker = world.make_key(scopes=["decisions:ask"])
    found = world.ask(asker).json()
    report, done = world.get("/v1/reports/executed-unasked", asker), world.executed(found, asker)
    with world.database.transaction() as uow:
        revoke_api_key(uow, SYSTEM, asker.key.id)

    assert (report.status_code, done.status_code) == (403, 403)
    assert world.get(f"/v1/decisions/{found['id']}", asker).status_code == 401
    assert world.ask(asker).status_code == 401
    assert world.count(unasked) == 0


def test_say_what_was_executed_one_way(world: World) -> None:
    """Neither digest nor answer, or both, is 422; so is a result that is too large; nothing is used up."""
    found = world.asked()

    assert world.executed(found, digest=None).status_code == 422
    assert world.executed(found, answer={"amount": 40}).status_code == 422
    assert world.executed(found, result="x" * 20_000).status_code == 422
    assert world.executed(found).status_code == 200
