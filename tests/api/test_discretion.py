"""Delicate facts are read by policies and seen by few: in records of rulings, in reviews, cases and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead import customers
from fairlead.api.discretion import PROTECTED, discreet_pairs, discreet_record
from fairlead.kit.actors import Actor, ActorKind
from tests.api.world import ok

if TYPE_CHECKING:
    from tests.api.world import World

RECORD: dict[str, Any] = {
    "values": {"vulnerable": True, "flags": ["vip", "vulnerable"], "value": 5, "country": "DE"},
    "needs_information": [{"fact": "bereaved", "why": "missing"}, {"fact": "value", "why": "missing"}],
    "steps": [
        {"number": 3, "reasons": [
            {"code": "rule", "path": "human", "rule": "care", "words": "Vulnerable customers", "reads": ["vulnerable"]},
            {"code": "rule", "path": "human", "rule": "flags", "words": "Has flags", "reads": ["flags", "value"]},
            {"code": "rule", "path": "assist", "rule": "big", "words": "Over 1,000", "reads": ["value"]},
        ]},
    ],
}  # fmt: skip


def test_a_record_without_delicate_facts() -> None:
    """Values are gone, a rule that read one says only that it applied, other rules stay word for word."""
    shown = discreet_record(RECORD)
    assert shown["values"] == {"flags": ["vip"], "value": 5, "country": "DE"}
    assert [one["fact"] for one in shown["needs_information"]] == ["value"]
    care, flags, big = shown["steps"][0]["reasons"]
    assert care == flags == {"code": "rule", "path": "human", "words": PROTECTED}
    assert big == RECORD["steps"][0]["reasons"][2]
    assert "ulnerable" not in str(shown)
    assert "vulnerable" in RECORD["values"], "the stored record is not touched"


def test_pairs_without_delicate_facts() -> None:
    """By name, and inside of lists and mappings."""
    pairs = [("is_vulnerable", True), ("flags_stated", "vip, bereaved"), ("flags", {"vip": 1, "bereaved": 2}), ("a", 1)]
    assert discreet_pairs(pairs) == [("flags_stated", "vip"), ("flags", {"vip": 1}), ("a", 1)]


def test_a_review_does_not_give_it_away(world: World) -> None:
    """Who may not see the flag finds nothing of it in the review and the case; a manager does see the customer's."""
    case = world.desk.cases[0]
    row = ok(world.person("admin").get(f"/v1/cases/{case}"))
    person = Actor(ActorKind.USER, "per_carer")
    with world.database.transaction() as uow:
        customers.set_flag(uow, person, row["customer"], "vulnerable", value=True, source="letter", owner="care")
    reviewer = world.person("reviewer")
    for one in row["reviews"]:
        assert "ulnerable" not in reviewer.get(f"/v1/reviews/{one['id']}").text
    assert "ulnerable" not in reviewer.get(f"/v1/cases/{case}").text
    assert "vulnerable" in ok(world.person("manager").get(f"/v1/customers/{row['customer']}"))["flags"]
