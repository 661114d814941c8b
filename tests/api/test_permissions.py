"""Every route refuses whoever does not hold its permission, before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fairlead.api.routes import lottery_seed
from fairlead.people import KEY_SCOPES, ROLE_PERMISSIONS, Permission, Role
from fairlead.settings import Settings
from fairlead.worker import derive
from tests.api.world import SAME_ORIGIN, SECRET, ok, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.world import World

P = Permission
NEEDS: dict[str, Permission] = {
    "GET /v1/reviews": P.REVIEWS_READ,
    "GET /v1/reviews/counts": P.REVIEWS_READ,
    "GET /v1/reviews/next": P.REVIEWS_DECIDE,
    "POST /v1/reviews/next": P.REVIEWS_DECIDE,
    "GET /v1/reviews/{review_id}": P.REVIEWS_READ,
    "POST /v1/reviews/{review_id}/claim": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/release": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/heartbeat": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/snooze": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/unsnooze": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/resume": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/verdict": P.REVIEWS_DECIDE,
    "POST /v1/reviews/{review_id}/undo": P.REVIEWS_DECIDE,
    "GET /v1/cases": P.CASES_READ,
    "POST /v1/cases": P.CASES_START,
    "GET /v1/cases/{case_id}": P.CASES_READ,
    "POST /v1/cases/{case_id}/{verb}": P.CASES_MANAGE,
    "POST /v1/events": P.EVENTS_SEND,
    "POST /v1/leads/{lead}/touches": P.LEADS_TOUCH,
    "GET /v1/leads/{lead}/touches": P.CASES_READ,
    "DELETE /v1/leads/{lead}/touches/{touch_id}": P.LEADS_TOUCH,
    "GET /v1/reports/first-touch": P.REPORTS_READ,
    "GET /v1/grants": P.GRANTS_READ,
    "POST /v1/grants": P.GRANTS_SIGN,
    "POST /v1/grants/{grant_id}/withdrawal": P.GRANTS_SIGN,
    "GET /v1/signatures": P.GRANTS_READ,
    "POST /v1/checkpoints/{checkpoint}/signature": P.GRANTS_SIGN,
    "DELETE /v1/checkpoints/{checkpoint}/signature": P.GRANTS_SIGN,
    "GET /v1/labels": P.REPORTS_READ,
    "GET /v1/labels/counts": P.REPORTS_READ,
    "GET /v1/stops": P.GRANTS_READ,
    "GET /v1/stops/{scope}": P.GRANTS_READ,
    "PUT /v1/stops/{scope}": P.SWITCHES_SET,
    "DELETE /v1/stops/{scope}": P.SWITCHES_SET,
    "GET /v1/checkpoints": P.PLAYBOOKS_READ,
    "GET /v1/playbooks": P.PLAYBOOKS_READ,
    "GET /v1/playbooks/{name}": P.PLAYBOOKS_READ,
    "GET /v1/playbooks/{name}/deviations": P.CASES_READ,
    "GET /v1/leads/{lead_id}/score": P.CASES_READ,
    "GET /v1/repairs": P.REVIEWS_READ,
    "POST /v1/repairs/{repair_id}/done": P.REVIEWS_DECIDE,
    "GET /v1/models": P.PLAYBOOKS_READ,
    "POST /v1/models/{producer}/use": P.PLAYBOOKS_DEPLOY,
    "GET /v1/customers": P.CUSTOMERS_READ,
    "GET /v1/customers/{customer_id}": P.CUSTOMERS_READ,
    "GET /v1/customers/{customer_id}/timeline": P.CUSTOMERS_READ,
    "POST /v1/customers/{customer_id}/flags": P.CUSTOMERS_EDIT,
    "DELETE /v1/customers/{customer_id}/flags/{flag}": P.CUSTOMERS_EDIT,
    "POST /v1/customers/{customer_id}/consents": P.CUSTOMERS_EDIT,
    "GET /v1/customers/{customer_id}/consents": P.CUSTOMERS_READ,
    "GET /v1/customers/{customer_id}/consents/export": P.CUSTOMERS_READ,
    "POST /v1/customers/{customer_id}/consents/question": P.CUSTOMERS_EDIT,
    "POST /v1/customers/{customer_id}/withdrawal": P.CUSTOMERS_EDIT,
    "POST /v1/customers/{customer_id}/privacy-signal": P.CUSTOMERS_EDIT,
    "POST /v1/customers/{customer_id}/zones": P.CUSTOMERS_EDIT,
    "GET /v1/customers/{customer_id}/preferences": P.CUSTOMERS_READ,
    "POST /v1/customers/{customer_id}/preferences": P.CUSTOMERS_EDIT,
    "GET /v1/notices": P.CUSTOMERS_READ,
    "POST /v1/notices": P.PLAYBOOKS_DEPLOY,
    "GET /v1/consent-deliveries": P.CUSTOMERS_READ,
    "POST /v1/consent-deliveries/{delivery_id}/retry": P.CUSTOMERS_EDIT,
    "PUT /v1/customers/{customer_id}/owner": P.CUSTOMERS_EDIT,
    "POST /v1/suppressions": P.CUSTOMERS_EDIT,
    "GET /v1/imports": P.CASES_READ,
    "POST /v1/imports": P.CASES_START,
    "GET /v1/imports/{import_id}/preview": P.CASES_READ,
    "POST /v1/imports/{import_id}/start": P.CASES_START,
    "POST /v1/imports/{import_id}/cancel": P.CASES_MANAGE,
    "GET /v1/imports/{import_id}/quality": P.CASES_READ,
    "GET /v1/imports/{import_id}/quality/leads": P.CASES_READ,
    "GET /v1/imports/{import_id}": P.CASES_READ,
    "GET /v1/imports/{import_id}/rejects": P.CASES_READ,
    "DELETE /v1/absences/{absence_id}": P.TEAMS_MANAGE,
    "DELETE /v1/teams/{name}/members/{person_id}": P.TEAMS_MANAGE,
    "GET /v1/cases/{case_id}/assignment": P.CASES_READ,
    "GET /v1/duplicates": P.CUSTOMERS_READ,
    "GET /v1/leads/{lead_id}": P.CASES_READ,
    "GET /v1/notes": P.CUSTOMERS_READ,
    "GET /v1/notes/{note_id}": P.CUSTOMERS_READ,
    "GET /v1/teams": P.PEOPLE_READ,
    "GET /v1/teams/{name}": P.PEOPLE_READ,
    "PATCH /v1/teams/{name}": P.TEAMS_MANAGE,
    "POST /v1/customers/{customer_id}/merge": P.CUSTOMERS_EDIT,
    "POST /v1/leads": P.CASES_START,
    "POST /v1/leads/{lead}/assign": P.CASES_MANAGE,
    "POST /v1/leads/{lead}/worked": P.CASES_MANAGE,
    "POST /v1/merges/{merge_id}/undo": P.CUSTOMERS_EDIT,
    "POST /v1/notes": P.CASES_START,
    "POST /v1/notes/{note_id}/undo": P.CUSTOMERS_EDIT,
    "POST /v1/people/{person_id}/absences": P.TEAMS_MANAGE,
    "POST /v1/teams": P.TEAMS_MANAGE,
    "PUT /v1/people/{person_id}/hours": P.TEAMS_MANAGE,
    "PUT /v1/teams/{name}/members/{person_id}": P.TEAMS_MANAGE,
    "GET /v1/audit/verification": P.AUDIT_READ,
    "GET /v1/audit/entries": P.AUDIT_READ,
    "POST /v1/decisions": P.DECISIONS_ASK,
    "GET /v1/decisions": P.DECISIONS_READ,
    "GET /v1/decisions/{decision_id}": P.DECISIONS_READ,
    "GET /v1/decisions/{decision_id}/explanation": P.DECISIONS_READ,
    "POST /v1/decisions/{decision_id}/executed": P.DECISIONS_EXECUTE,
    "GET /v1/decisions/{decision_id}/outcomes": P.DECISIONS_READ,
    "POST /v1/outcomes": P.OUTCOMES_REPORT,
    "GET /v1/customers/{customer_id}/links": P.CUSTOMERS_EDIT,
    "GET /v1/experiments": P.REPORTS_READ,
    "GET /v1/experiments/{name}": P.REPORTS_READ,
    "POST /v1/experiments/{name}/stop": P.SWITCHES_SET,
    "GET /v1/contact/rules": P.PLAYBOOKS_READ,
    "GET /v1/contact/log": P.CUSTOMERS_READ,
    "POST /v1/contact/would": P.CUSTOMERS_READ,
    "POST /v1/contact/replay": P.CUSTOMERS_READ,
    "POST /v1/alerts": P.EVENTS_SEND,
    "GET /v1/alerts/{alert_id}": P.CASES_READ,
    "POST /v1/alerts/{alert_id}/resolve": P.EVENTS_SEND,
    "GET /v1/customers/{customer_id}/identity-checks": P.CUSTOMERS_READ,
    "POST /v1/customers/{customer_id}/identity-checks": P.CUSTOMERS_EDIT,
    "POST /v1/customers/{customer_id}/identity-checks/confirm": P.CUSTOMERS_EDIT,
    "POST /v1/mail": P.EVENTS_SEND,
    "POST /v1/rights": P.CUSTOMERS_EDIT,
    "GET /v1/rights": P.CUSTOMERS_READ,
    "GET /v1/rights/{request_id}": P.CUSTOMERS_READ,
    "GET /v1/rights/{request_id}/export": P.RIGHTS_EXPORT,
    "POST /v1/rights/{request_id}/extension": P.CUSTOMERS_EDIT,
    "GET /v1/actions": P.OUTBOX_READ,
    "GET /v1/outlets": P.OUTBOX_READ,
    "GET /v1/actions/{action_id}": P.OUTBOX_READ,
    "POST /v1/actions/retries": P.OUTBOX_MANAGE,
    "POST /v1/actions/{action_id}/retry": P.OUTBOX_MANAGE,
    "POST /v1/actions/{action_id}/settle": P.OUTBOX_MANAGE,
    "GET /v1/reports/approved-never-executed": P.REPORTS_READ,
    "GET /v1/reports/executed-unasked": P.REPORTS_READ,
}
OPEN_TO_ALL_KNOWN = {"GET /v1/me"}


def send(client: Any, route: str) -> Any:
    """The route with made-up ids and no usable body: what comes back is about the caller, not the request."""
    method, _, path = route.partition(" ")
    for name in ("review_id", "case_id", "grant_id", "customer_id", "import_id", "decision_id", "flag"):
        path = path.replace(f"{{{name}}}", f"{name[:3]}_none")
    path = path.replace("{verb}", "pause").replace("{scope}", "workspace")
    return client.request(method, path, **({"json": {}} if method in {"POST", "PUT", "PATCH"} else {}))


def test_the_matrix_knows_every_route(light_world: World) -> None:
    """A new route fails here until somebody writes down who may use it."""
    paths = light_world.app.openapi()["paths"]
    found = {f"{m.upper()} {path}" for path, one in paths.items() if path.startswith("/v1/") for m in one}

    assert found == NEEDS.keys() | OPEN_TO_ALL_KNOWN


def test_nobody_is_refused_everywhere(light_world: World) -> None:
    """Without credentials, with a wrong key and with a made-up cookie: 401."""
    wrong = light_world.client(headers={"Authorization": "Bearer fl_nonsense"})
    forged = light_world.client(cookies={"fairlead_session": "x" * 43}, headers=SAME_ORIGIN)

    for route in sorted(NEEDS.keys() | OPEN_TO_ALL_KNOWN):
        refused(send(light_world.client(), route), 401)
        refused(send(forged, route), 401)
    refused(send(wrong, "GET /v1/cases"), 401, "key_not_valid")


def test_another_scope_opens_nothing(light_world: World) -> None:
    """A key for figures alone gets 403 with the permission's name from every route, and changes nothing."""
    program = light_world.program(P.METRICS_READ)
    before = light_world.entries()

    for route, permission in sorted(NEEDS.items()):
        assert refused(send(program, route), 403, "forbidden")["fields"] == {"permission": permission.value}, route
    assert light_world.entries() == before


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_its_routes_and_no_other(light_world: World, role: Role) -> None:
    """403 exactly where the role lacks the permission; elsewhere the request itself is judged."""
    person = light_world.person(role.value)
    held = frozenset[Permission]().union(
        *(ROLE_PERMISSIONS[Role(one)] for one in light_world.desk.people[role.value].roles)
    )

    for route, permission in sorted(NEEDS.items()):
        if "stops" in route and permission in held and not route.startswith("GET"):
            continue  # would really switch
        answer = send(person, route)
        assert answer.status_code != 401, route
        assert (answer.status_code == 403) == (permission not in held), (route, answer.text)
        assert answer.status_code < 500, (route, answer.text)


def test_no_key_can_do_what_only_people_may(light_world: World) -> None:
    """Deciding, signing and erasing are refused to the mightiest key that can be made."""
    program = light_world.almighty()
    people_only = {route for route, permission in NEEDS.items() if permission not in KEY_SCOPES}

    assert len(people_only) >= 12
    for route in sorted(people_only):
        refused(send(program, route), 403, "forbidden")


def test_another_site_cannot_use_a_session(light_world: World) -> None:
    """A form on another site, sent by a signed-in browser, changes nothing."""
    manager, before = light_world.person("manager"), light_world.entries()
    foreign = {"Sec-Fetch-Site": "cross-site"}

    refused(manager.put("/v1/stops/workspace", json={"words": "x"}, headers=foreign), 403, "cross_site")
    refused(manager.post("/v1/reviews/next", headers=foreign), 403, "cross_site")
    assert light_world.entries() == before
    ok(manager.get("/v1/reviews"))


def test_gate_and_engine_draw_alike(tmp_path: Path) -> None:
    """The routes key their draws as the engine does: a proposal gets the same draw whichever way it comes."""
    settings = Settings(workspace=tmp_path, secret_key=SECRET)

    assert lottery_seed(settings) == derive(SECRET, "lottery")
