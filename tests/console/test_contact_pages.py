"""The desk's pages about contacting: the rules, the log, the dry run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead import guardrails
from fairlead.customers import CustomerDraft, resolve_many, set_flag
from fairlead.guardrails import Attempt
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from tests.console.world import Site

USER = Actor(ActorKind.USER, "usr_1")
RULES = """\
time_zone: Europe/Berlin
purposes:
  service: {class: transactional, words: About a request}
  sales: {class: promotional, mechanism: opt_out}
quiet_hours:
  - {name: nights, from: "21:00", to: "08:00"}
caps:
  - {name: one-a-week, most: 1, per: 7d}
human_only: {flags: [vulnerable]}
"""


def prepared(site: Site) -> str:
    """Rules in force, and a customer <b>Anna</b> who was written to and is not written to again."""
    with site.database.transaction() as uow:
        guardrails.deploy_rules(uow, USER, RULES)
        draft = CustomerDraft(name="<b>Anna</b>", identities=(("email", "anna@gate.test"),), source="t")
        anna = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("customer.created", anna, customer_id=anna))
        for key in ("a", "b"):
            guardrails.pass_gate(uow, Attempt(key, anna, "email", "", "sales", "campaign"))
    return anna


def test_the_rules_are_a_table_in_words(sqlite_site: Site) -> None:
    """Built-in rules say that they are; deployed ones show hours, caps and by whose word."""
    client = sqlite_site.signed_in("viewer")
    with sqlite_site.database.transaction() as uow:
        guardrails.deploy_rules(uow, USER, None)
    assert "built-in rules" in client.get("/contact").text
    prepared(sqlite_site)
    page = client.get("/contact").text
    for words in ("21:00 to 08:00", "1 in any 7 days", "Until the customer says no", "Europe/Berlin", str(USER)):
        assert words in page, words
    assert "built-in rules" not in page


def test_the_log_is_filtered_and_escaped(site: Site) -> None:
    """What was allowed and what was held, each with its reason; filters narrow, names are text."""
    anna = prepared(site)
    client = site.signed_in("viewer")
    page = client.get("/contact/log", params={"customer": anna}).text
    assert "&lt;b&gt;Anna" in page
    assert "<b>Anna" not in page
    assert page.count(f"/customers/{anna}") == 2
    held = client.get("/contact/log", params={"customer": anna, "verdict": "held"}).text
    assert held.count(f"/customers/{anna}") == 1
    assert "one-a-week" in held
    assert "Nothing like that" in client.get("/contact/log", params={"channel": "post"}).text
    assert client.get("/contact/log", params={"before": "rubbish"}).status_code == 422


def test_the_dry_run_answers_and_leaves_no_trace(sqlite_site: Site) -> None:
    """Full now, free after a week, night by the workspace's clock; a mistake is said and keeps what was typed."""
    anna = prepared(sqlite_site)
    client = sqlite_site.signed_in("viewer")
    ask = {"customer": anna, "channel": "email", "purpose": "sales"}
    assert "is full (1 of 1)" in client.get("/contact/would", params=ask).text
    later = (sqlite_site.clock.now() + timedelta(days=8)).strftime("%Y-%m-%dT")
    assert "It would go out" in client.get("/contact/would", params={**ask, "at": later + "12:00"}).text
    assert "Quiet hours" in client.get("/contact/would", params={**ask, "at": later + "20:30+00:00"}).text
    wrong = client.get("/contact/would", params={**ask, "customer": "cus_none"})
    assert wrong.status_code == 404
    assert 'value="cus_none"' in wrong.text
    with sqlite_site.database.reading() as reader:
        assert len(guardrails.contact_log(reader, customer_id=anna)) == 2


def test_delicate_reasons_are_withheld(sqlite_site: Site) -> None:
    """That only a person may write tells of a delicate flag: seen by those who may, withheld from others."""
    anna = prepared(sqlite_site)
    with sqlite_site.database.transaction() as uow:
        set_flag(uow, USER, anna, "vulnerable", value=True, source="call", owner="t")
        guardrails.pass_gate(uow, Attempt("c", anna, "email", "", "service", "bot"))
    ask = {"customer": anna, "channel": "email", "purpose": "service"}
    for role, seen in (("viewer", False), ("compliance", True)):
        client = sqlite_site.signed_in(role)
        log = client.get("/contact/log", params={"customer": anna}).text
        dry = client.get("/contact/would", params=ask).text
        assert ("Only a person may write" in log) is seen
        assert ("Only a person may write" in dry) is seen
        filtered = client.get("/contact/log", params={"code": "human_only"}).text
        assert (f"/customers/{anna}" in filtered) is seen


def test_other_rules_are_tried_on_the_log(sqlite_site: Site) -> None:
    """The form holds the rules in force; changed ones say what would have gone, mistakes are said, no trace is left."""
    prepared(sqlite_site)
    client = sqlite_site.signed_in("viewer")
    assert "most: 1, per: 7d" in client.get("/contact/replay").text
    looser = RULES.replace("most: 1", "most: 2")
    page = client.post("/contact/replay", data={"rules": looser, "days": "30"}).text
    assert "1 that were held would go at once" in page
    assert "&lt;b&gt;Anna" in page
    same = client.post("/contact/replay", data={"rules": RULES, "days": "30"}).text
    assert "none would fare otherwise" in same
    assert "These are the rules in force" in same
    wrong = client.post("/contact/replay", data={"rules": "purposes: 3", "days": "30"})
    assert wrong.status_code == 422
    assert client.post("/contact/replay", data={"rules": RULES, "days": "31"}).status_code == 422
    with sqlite_site.database.reading() as reader:
        assert guardrails.current_rules(reader).caps[0].most == 1
