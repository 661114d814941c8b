"""Alerts: each customer once, whatever is sent twice; resolved, nothing more goes out; turned off, nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fairlead.alerts import AlertDraft, AlertKind
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, merge, record_consent, resolve_many
from fairlead.errors import InputError
from fairlead.guardrails import Attempt, deploy_rules, pass_gate
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import open_cases_of
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from tests.api.world import World

LATE = {"id": "late-1", "kind": "delay", "title": "Your delivery is late", "text": "It comes a day later."}


def people(world: World, count: int) -> list[str]:
    """Customers with an address each."""
    drafts = [
        CustomerDraft(name=f"P{n}", identities=(("email", f"p{n}@many.example"),), source="test") for n in range(count)
    ]
    with world.database.transaction() as uow:
        made = [one.id for one in resolve_many(uow, drafts)]
        uow.record(AuditEntry("test.imported", "people"))
        return made


def by_id(ids: list[str]) -> list[dict[str, str]]:
    """As a body names them."""
    return [{"id": one} for one in ids]


def stages(world: World, customer: str) -> list[str]:
    """Where the customer's open cases stand."""
    with world.database.reading() as reader:
        return [row.stage for row in open_cases_of(reader, customer)]


def test_each_customer_is_reached_once(world: World) -> None:
    """However often it is raised, and under whatever name a customer is named; strangers are told of by their place."""
    bot, (one, two) = world.program("events:send", "cases:read"), people(world, 2)
    named = [{"id": one}, {"email": "P0@Many.example"}, {"email": "nobody@strange.example"}, {"id": "cus_none"}]
    assert ok(bot.post("/v1/alerts", json=LATE | {"customers": named}), 202) == {
        "opened": 1, "known": 0, "unknown": [2, 3],
    }  # fmt: skip
    again = ok(bot.post("/v1/alerts", json=LATE | {"customers": by_id([one, two])}), 202)
    assert (again["opened"], again["known"]) == (1, 1)
    shown = ok(bot.get("/v1/alerts/late-1"))
    assert (shown["customers"], shown["state"], shown["kind"]) == (2, "open", "delay")
    world.run()
    assert [stages(world, each) for each in (one, two)] == [["decide"], ["decide"]]
    assert world.audited("late-1") == ["alert.raised", "alert.reached", "alert.reached"]


def test_a_merge_in_between_makes_nobody_hear_twice(world: World) -> None:
    """The merged record was reached, so the survivor is."""
    bot, (one, two) = world.program("events:send"), people(world, 2)
    ok(bot.post("/v1/alerts", json=LATE | {"customers": by_id([two])}), 202)
    with world.database.transaction() as uow:
        merge(uow, SYSTEM, one, two, reason="alike")
    done = ok(bot.post("/v1/alerts", json=LATE | {"customers": by_id([one, two])}), 202)
    assert (done["opened"], done["known"]) == (0, 1)


def test_resolving_takes_back_what_waits(world: World) -> None:
    """Over several chunks; its reviews are gone, nobody else is told, other alerts stay, and again does no harm."""
    bot, many = world.program("events:send", "cases:read"), people(world, 205)
    ok(bot.post("/v1/alerts", json=LATE | {"customers": by_id(many)}), 202)
    ok(bot.post("/v1/alerts", json=LATE | {"id": "other", "customers": by_id(many[:1])}), 202)
    assert ok(bot.post("/v1/alerts/late-1/resolve", json={"reason": "it came"})) == {"cancelled": 205}
    assert ok(bot.post("/v1/alerts/late-1/resolve")) == {"cancelled": 0}
    assert len(stages(world, many[0])) == 1
    assert stages(world, many[-1]) == []
    assert ok(bot.get("/v1/alerts/late-1"))["state"] == "resolved"
    refused(bot.post("/v1/alerts", json=LATE | {"customers": by_id(many[:1])}), 409, "alert_resolved")
    refused(bot.post("/v1/alerts/none/resolve"), 404)


def test_a_known_id_says_what_it_said(light_world: World) -> None:
    """Other words are another alert; who may not send events may not raise one; bad bodies are refused."""
    bot, [one] = light_world.program("events:send"), people(light_world, 1)
    body: dict[str, Any] = LATE | {"customers": by_id([one])}
    ok(bot.post("/v1/alerts", json=body), 202)
    refused(bot.post("/v1/alerts", json=body | {"text": "Two days later."}), 409, "alert_changed")
    refused(light_world.program("cases:read").post("/v1/alerts", json=body), 403)
    for wrong in ({"kind": "offer"}, {"customers": []}, {"id": "a b"}, {"title": " "}, {"fields": {"name": "x"}},
                  {"customers": by_id([one]) * 5_001}, {"customers": [{}]}):  # fmt: skip
        refused(bot.post("/v1/alerts", json=body | wrong), 422)


def test_who_turned_alerts_off_hears_nothing_but_orders(light_world: World) -> None:
    """The opt-out is the purpose's own: alerts are refused, messages about an order go out."""
    [one] = people(light_world, 1)

    def verdict(key: str, purpose: str) -> str:
        with light_world.database.transaction() as uow:
            return pass_gate(uow, Attempt(key, one, "email", "", purpose, "bot")).code.value

    rules = "purposes:\n  alerts: {class: service_alert, mechanism: notice_only}\n  service: {class: transactional}\n"
    with light_world.database.transaction() as uow:
        deploy_rules(uow, SYSTEM, rules)
    assert verdict("a", "alerts") == "allowed"
    said = ConsentRecord("alerts", "email", ConsentState.WITHDRAWN, "preference_centre", "page")
    with light_world.database.transaction() as uow:
        record_consent(uow, SYSTEM, one, said)
    assert verdict("b", "alerts") == "withdrawn"
    assert verdict("c", "service") == "allowed"


@given(st.text(max_size=120))
def test_an_id_is_plain_or_refused(text: str) -> None:
    """It stands in addresses and logs."""
    try:
        made = AlertDraft(text, AlertKind.DELAY, "t", "x")
    except InputError:
        return
    assert made.id.isascii()
    assert made.id.isprintable()
    assert "/" not in made.id


@pytest.mark.parametrize("fields", [{"Send": "x"}, {"send": "x"}, {"a": "x" * 1_001}, {"a": "\0"}])
def test_a_field_is_no_fact_of_ours(fields: dict[str, str]) -> None:
    """Nor too long, nor what no database holds."""
    with pytest.raises(InputError):
        AlertDraft("a", AlertKind.RENEWAL, "t", "x", fields)
