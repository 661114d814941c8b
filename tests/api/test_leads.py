"""Leads and notes over HTTP: taken in once, refused with a cure, shown with what is wrong; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.checkpoints import Grant, Level, set_grant
from fairlead.kit.actors import SYSTEM
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.api.world import World

LEAD: dict[str, Any] = {
    "playbook": "lead-qualification",
    "fields": {"name": "Eve Stone", "email": "Eve@Example.COM", "phone": "020 7946 0123", "country": "UK",
               "value": 12500, "employees": 51},
    "attributes": {"plan": "gold", "seats": 12, "trial": True},
}  # fmt: skip
NOTE = "Name: Ann Bell\nCompany: Bell Optics Ltd\nE-mail: ann@bell.example\nBudget: 12,000 EUR\n"


def post(client: TestClient, status: int = 201, **changes: Any) -> dict[str, Any]:
    """Send the lead with these changes; the answer."""
    answer: dict[str, Any] = ok(client.post("/v1/leads", json={**LEAD, **changes}), status)
    return answer


def test_a_lead_is_taken_in_and_shown(world: World) -> None:
    """Checked and normalised as a file's row is, with its case moving and its completeness told."""
    client = world.almighty()
    taken = post(client)
    assert taken["is_new"]
    assert taken["problems"] == []
    world.run()
    shown = ok(client.get(f"/v1/leads/{taken['id']}"))
    assert shown["fields"]["phone"] == "+442079460123"
    assert shown["fields"]["country"] == "GB"
    assert shown["attributes"] == {"plan": "gold", "seats": 12, "trial": "yes"}
    assert shown["value_minor"] == 1_250_000
    assert shown["case"]["id"] == taken["case"]
    assert shown["case"]["stage"] == "assign"
    assert shown["quality"]["missing"] == ["company"]
    assert world.audited(taken["id"]) == ["lead.taken"]


def test_the_same_lead_adds_nothing(world: World) -> None:
    """By content in any spelling, and by key; the existing one is the answer."""
    client = world.almighty()
    first = post(client, idempotency_key="k1")
    for again in ({"idempotency_key": "k1"}, {}, {"idempotency_key": "k2"}, {"idempotency_key": "k2"}):
        answer = post(client, 200, **again)
        assert (answer["id"], answer["case"], answer["is_new"]) == (first["id"], first["case"], False)
    refused(
        client.post("/v1/leads", json={**LEAD, "idempotency_key": "k1", "fields": {"name": "x"}}), 409, "key_reused"
    )


def test_a_visitor_who_asked_for_privacy_is_heard_through_the_program(light_world: World) -> None:
    """`Sec-GPC: 1` passed on withdraws sharing, once, for a lead that was known, too; any other value says nothing."""
    client = light_world.almighty()
    taken = post(client)
    for value, expected in (("0", 0), ("1", 1), ("1", 1)):
        ok(client.post("/v1/leads", json=LEAD, headers={"Sec-GPC": value}), 200)
        lines = ok(client.get(f"/v1/customers/{taken['customer']}/consents"))["items"]
        assert len(lines) == expected
    assert (lines[0]["purpose"], lines[0]["state"], lines[0]["mechanism"]) == ("sharing", "withdrawn", "gpc")
    assert lines[0]["proof"] == {"header": "Sec-GPC: 1", "where": "/v1/leads"}
    light_world.erase(taken["customer"])
    anew = ok(client.post("/v1/leads", json=LEAD, headers={"Sec-GPC": "1"}), 201)
    assert anew["customer"] != taken["customer"]
    lines = ok(client.get(f"/v1/customers/{anew['customer']}/consents"))["items"]
    assert [(line["purpose"], line["mechanism"]) for line in lines] == [("sharing", "gpc")]


def test_what_cannot_be_used_is_a_problem_not_a_refusal(world: World) -> None:
    """Field, reason, and that a person has to look; the lead is there."""
    client = world.almighty()
    taken = post(client, fields={"email": "nope", "phone": "12", "value": -3, "country": "Atlantis"})
    problems = {problem["field"]: problem for problem in taken["problems"]}
    assert set(problems) == {"email", "phone", "value", "country"}
    assert all(problem["needs_information"] and problem["words"] for problem in problems.values())
    quality = ok(client.get(f"/v1/leads/{taken['id']}"))["quality"]
    assert quality["unusable"] == ["country", "email", "phone", "value"]


@pytest.mark.parametrize(
    ("body", "field", "cure"),
    [
        ({**LEAD, "fields": {"emial": "x@y.example"}}, "fields.emial", "Did you mean 'email'"),
        ({**LEAD, "fields": {}, "attributes": {}}, "fields", "at least one"),
        ({**LEAD, "fields": {"name": " "}, "attributes": {}}, "fields", "at least one"),
        ({**LEAD, "attributes": {"name": "x"}}, "attributes.name", "once"),
        ({**LEAD, "attributes": {"n": "x" * 20_001}}, "attributes.n", "20,000"),
        ({**LEAD, "attributes": {f"a{n}": 1 for n in range(101)}}, "attributes", "at most 100"),
        ({**LEAD, "fields": {"email": ["x"]}}, "body.fields.email", "a text, a number"),
        ({**LEAD, "surprise": 1}, "body.surprise", ""),
    ],
)
def test_a_wrong_body_is_refused_by_field_with_the_cure(
    light_world: World, body: dict[str, Any], field: str, cure: str
) -> None:
    """Nothing is stored, and the answer says what to mend."""
    client, before = light_world.almighty(), light_world.entries()
    error = refused(client.post("/v1/leads", json=body), 422)
    assert cure in error["fields"][field]
    assert light_world.entries() == before


def test_other_playbooks_and_missing_scopes_are_refused(light_world: World) -> None:
    """One that is not deployed, one that is not about leads, and a key that may not start cases."""
    client = light_world.almighty()
    near = refused(client.post("/v1/leads", json={**LEAD, "playbook": "lead-qualificaton"}), 422, "no_playbook")
    assert "Did you mean 'lead-qualification'" in near["message"]
    refused(client.post("/v1/leads", json={**LEAD, "playbook": "record-changes"}), 422, "wrong_subject")
    refused(light_world.program("cases:read").post("/v1/leads", json=LEAD), 403)
    refused(client.get("/v1/leads/lead_unknown"), 404)
    refused(client.get("/v1/leads/lead_000000000000000000000000"), 404)


def test_null_is_the_same_as_left_out_and_a_number_is_never_ambiguous(light_world: World) -> None:
    """`12.5` as a number is twelve and a half, whatever the locale."""
    client = light_world.almighty()
    taken = post(client, fields={"email": "a@b.example", "phone": None, "value": 12.5})
    assert taken["problems"] == []
    assert ok(client.get(f"/v1/leads/{taken['id']}"))["value_minor"] == 1_250


def test_a_note_is_proposed_and_listed(world: World) -> None:
    """Once; its text stays out of the list and out of the audit record."""
    client = world.almighty()
    taken = ok(client.post("/v1/notes", json={"text": NOTE}), 201)
    assert not taken["known"]
    again = ok(client.post("/v1/notes", json={"text": NOTE}), 200)
    assert (again["id"], again["is_new"]) == (taken["id"], False)
    assert ok(client.get("/v1/notes"))["items"][0]["id"] == taken["id"]
    assert "text" not in ok(client.get("/v1/notes"))["items"][0]
    assert ok(client.get(f"/v1/notes/{taken['id']}"))["text"].startswith("Name: Ann Bell")
    refused(client.post(f"/v1/notes/{taken['id']}/undo"), 409, "nothing_written")


def test_what_was_found_is_withheld_while_a_person_answers_alone(world: World) -> None:
    """Neither the note nor its case's title tells the reviewer what the rules think."""
    client = world.almighty()
    taken = ok(client.post("/v1/notes", json={"text": NOTE}), 201)
    world.run()
    shown = ok(client.get(f"/v1/notes/{taken['id']}"))
    assert shown["withheld"]
    assert shown["found"] == []
    case = ok(client.get(f"/v1/cases/{taken['case']}"))
    assert case["withheld"]
    assert "Bell" not in str({**case, "history": []})


def test_what_was_found_is_told_only_where_nobody_answers_without_it(world: World) -> None:
    """Not by the answer to a new note, whose ruling is to come; nor to the same text later, unless it is assisted."""
    client = world.almighty()
    for text in (NOTE, NOTE.replace("Ann", "Eva")):
        new = ok(client.post("/v1/notes", json={"text": text}), 201)
        assert (new["found"], "not ruled yet" in new["withheld"]) == ([], True)
        assert ok(client.get(f"/v1/notes/{new['id']}"))["found"] == []
        if "Eva" in text:
            with world.database.transaction() as uow:
                version = world.desk.bundle.policies["record-change"].version
                expires = world.clock.now() + timedelta(days=30)
                grant = Grant(
                    "", "record-change", "other", "note-rules@1", Level.ASSIST, version, expires, None, 0.02, 0.0
                )
                set_grant(uow, SYSTEM, "manager", grant, {"note": "for a test"})
        world.run()
        again = ok(client.post("/v1/notes", json={"text": text}), 200)
        if "Eva" in text:
            assert again["withheld"] is None
            assert {one["field"] for one in again["found"]} == {"name", "company", "email", "value"}
        else:
            assert (again["found"], "from the text alone" in again["withheld"]) == ([], True)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("Nice weather.", 422, "nothing_found"), ("x " * 100_000, 413, "too_large"),
        ("MIME-Version: 1.0\nFrom: a@b.example\n" + "Content-Type: multipart/mixed\n" * 50 + "\n", 413, "too_large"),
        ("\u200b", 422, "empty_note"),
    ],
)  # fmt: skip
def test_hostile_notes_are_refused_without_a_trace(light_world: World, text: str, status: int, code: str) -> None:
    """Each with its reason."""
    client, before = light_world.almighty(), light_world.entries()
    refused(client.post("/v1/notes", json={"text": text}), status, code)
    assert light_world.entries() == before


def test_erasing_a_customer_erases_their_notes(world: World) -> None:
    """Like everything else about them."""
    client = world.almighty()
    taken = ok(client.post("/v1/notes", json={"text": NOTE}), 201)
    world.erase(taken["customer"])
    shown = ok(client.get(f"/v1/notes/{taken['id']}"))
    assert (shown["text"], shown["found"]) == ("", [])
