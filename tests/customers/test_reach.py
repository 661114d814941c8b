"""Where customers are, what they wish, which addresses are shut, which flags nobody may infer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers
from fairlead.customers import CustomerDraft, Preference, normalise_address, shown_address
from fairlead.customers.zones import zones_of_country, zones_of_phone
from fairlead.errors import InputError
from fairlead.kit.actors import SYSTEM, TIMER, Actor, ActorKind
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from fairlead.customers import Zones
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "per_1")


def somebody(database: Database, country: str | None = None, *identities: tuple[str, str]) -> str:
    """A customer of this country with these identities."""
    with database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return customers.resolve_many(uow, [CustomerDraft("Ann", country=country, identities=identities)])[0].id


def where(database: Database, one: str) -> Zones:
    """Where the customer may be now."""
    with database.reading() as reader:
        return customers.zones_of(reader, [one], database.clock.now())[one]


def test_the_strongest_evidence_counts_then_the_newest(database: Database, clock: FakeClock) -> None:
    """Nothing, a country, a number, a colleague's word, the customer's own word; taken back, the next one counts."""
    nobody = somebody(database)
    assert where(database, nobody).zones == ()
    one = somebody(database, "US", ("phone", "+4930901820"))
    assert where(database, one).zones == ("Europe/Berlin",)
    assert where(database, one).evidence == "phone"
    for zones, evidence in (
        ("Asia/Tokyo", "staff"),
        ("Asia/Seoul", "web"),
        ("Asia/Manila", "stated"),
        ("Asia/Dubai", "stated"),
    ):
        with database.transaction() as uow:
            customers.learn_zone(uow, USER, one, [zones], evidence, "call")
        clock.advance(timedelta(minutes=1))
    assert where(database, one).zones == ("Asia/Dubai",)
    with database.transaction() as uow:
        customers.learn_zone(uow, USER, one, [], "stated", "call")
    clock.advance(timedelta(minutes=1))
    assert where(database, one).zones == ("Asia/Tokyo",)


def test_several_zones_are_all_of_them(database: Database, clock: FakeClock) -> None:
    """A country with many zones, and two numbers in two places, give every zone; merged and told apart again."""
    american = somebody(database, "US")
    assert len(where(database, american).zones) > 5
    assert "America/New_York" in where(database, american).zones
    one = somebody(database, None, ("phone", "+4930901820"))
    other = somebody(database, None, ("phone", "+12125550100"))
    with database.transaction() as uow:
        merged = customers.merge(uow, USER, one, other, reason="same person")
    assert where(database, one).zones == where(database, other).zones == ("America/New_York", "Europe/Berlin")
    clock.advance(timedelta(minutes=1))
    with database.transaction() as uow:
        customers.unmerge(uow, USER, merged)
    assert (where(database, one).zones, where(database, other).zones) == (("Europe/Berlin",), ("America/New_York",))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe/Berlin\0", "x" * 5_000])
def test_a_made_up_zone_is_refused(database: Database, zone: str) -> None:
    """Nothing is written down that no clock can be read by; evidence of an unknown kind neither."""
    one = somebody(database)
    for zones, evidence in (([zone], "stated"), (["Europe/Berlin"], "guess"), (["Europe/Berlin"] * 61, "staff")):
        with pytest.raises(InputError), database.transaction() as uow:
            customers.learn_zone(uow, USER, one, zones, evidence, "call")
    assert where(database, one).zones == ()


def test_what_numbers_and_countries_tell() -> None:
    """One zone, many, or none for what has no place."""
    assert zones_of_phone("+4930901820") == ("Europe/Berlin",)
    assert len(zones_of_phone("+18005550100")) > 5
    assert zones_of_phone("+8002345678") == zones_of_phone("nonsense") == zones_of_phone("") == ()
    assert zones_of_country("DE") == zones_of_country("de") == ("Europe/Berlin",)
    assert zones_of_country("CH") == ("Europe/Zurich",)
    assert {"America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu"} < set(zones_of_country("US"))
    assert len(zones_of_country("US")) < 12
    assert len(zones_of_country("AU")) > 5
    assert zones_of_country("ZZ") == zones_of_country(None) == ()


def test_only_a_person_says_something_delicate(database: Database) -> None:
    """No machine, key, timer or the system may set or clear vulnerable and bereaved; other flags they may."""
    one = somebody(database)
    for kind in (ActorKind.MACHINE, ActorKind.API_KEY):
        for actor in (Actor(kind, "x"), SYSTEM, TIMER):
            for flag in sorted(customers.SENSITIVE_FLAGS):
                with pytest.raises(InputError) as refused, database.transaction() as uow:
                    customers.set_flag(uow, actor, one, flag, value=True, source="model", owner="model")
                assert refused.value.reason == "inferred_flag"
                with pytest.raises(InputError), database.transaction() as uow:
                    customers.clear_flag(uow, actor, one, flag, source="model")
    with database.transaction() as uow:
        customers.set_flag(uow, SYSTEM, one, "vip", value=True, source="crm", owner="sales")
        customers.set_flag(uow, USER, one, "vulnerable", value=True, source="letter", owner="care")
    with database.reading() as reader:
        now = database.clock.now()
        assert [f.flag for f in customers.flags_of(reader, one, now, sensitive=False)] == ["vip"]
        assert [f.source for f in customers.flags_of(reader, one, now, sensitive=True)] == ["crm", "letter"]
        facts = customers.facts_of(reader, [one], now)[one]
        assert "vulnerable" not in str(customers.visible_facts(facts, sensitive=False))
        assert not [line for line in customers.happened(reader, one, 50) if "vulnerable" in line.words]
        assert [line for line in customers.happened(reader, one, 50, sensitive=True) if "vulnerable" in line.words]


def test_a_promotional_suppression_never_weakens_a_whole_one(database: Database) -> None:
    """The strictest that stands counts; each scope is lifted by itself, `all` lifts both."""
    reach = ("email", "ann@example.org")

    def scope() -> str | None:
        with database.reading() as reader:
            found = customers.suppressions_of(reader, [reach]).get(reach)
        return found.scope if found else None

    def change(verb: str, scope: str) -> None:
        with database.transaction() as uow:
            act = customers.suppress if verb == "suppress" else customers.lift_suppression
            act(uow, USER, *reach, reason="r", source="s", scope=scope)

    seen = []
    for verb, wide in (
        ("suppress", "promotional"), ("suppress", "all"), ("suppress", "promotional"), ("lift", "promotional"),
        ("suppress", "promotional"), ("lift", "all"),
    ):  # fmt: skip
        change(verb, wide)
        seen.append(scope())
    assert seen == ["promotional", "all", "all", "all", "all", None]
    with pytest.raises(InputError):
        change("suppress", "some")


@pytest.mark.parametrize(
    ("channel", "one", "other", "same"),
    [
        ("email", "Ann@Example.ORG", " ann@example.org ", True),
        ("email", "ann@bücher.example", "ann@xn--bcher-kva.example", True),
        ("email", "ann@example.org", "ann@ex\u0430mple.org", False),  # a Cyrillic letter that looks the same
        ("email", "ann+news@example.org", "ann@example.org", False),
        ("sms", "+49 (0)30 901820", "+4930901820", True),
        ("phone", "004930901820", "+4930901820", True),
        ("post", " 1 High Street ", "1 High Street", True),
    ],
)
def test_spellings_of_an_address(database: Database, channel: str, one: str, other: str, same: bool) -> None:
    """One address in several spellings is one; look-alikes are two."""
    assert (normalise_address(channel, one) == normalise_address(channel, other)) is same
    with database.transaction() as uow:
        customers.suppress(uow, USER, channel, one, reason="asked", source="test")
    with database.reading() as reader:
        assert (customers.suppressions_of(reader, [(channel, other)]) != {}) is same


def test_a_look_alike_is_shown_as_what_it_is() -> None:
    """In punycode, so that nobody takes it for the other; plain addresses stay."""
    assert shown_address("ann@ex\u0430mple.org") == "ann@xn--exmple-4nf.org"
    assert shown_address("ann@example.org") == "ann@example.org"
    assert shown_address("+4930901820") == "+4930901820"


def test_wishes(database: Database, clock: FakeClock) -> None:
    """The newest counts, a pause ends by itself; of merged records the rarer and longer, until a newer word."""
    one, other = somebody(database), somebody(database)
    later = clock.now() + timedelta(days=2)

    def wish(who: str, per_week: int | None, until: object = None) -> None:
        with database.transaction() as uow:
            customers.set_preference(uow, USER, who, Preference("newsletter", "email", per_week, until, "page"))  # type: ignore[arg-type]
        clock.advance(timedelta(minutes=1))

    def known(who: str) -> tuple[int | None, bool]:
        with database.reading() as reader:
            found = customers.preferences_of(reader, [who], clock.now())[who]["newsletter", "email"]
        return found.per_week, found.paused_until is not None

    wish(one, 5)
    wish(one, 2)
    wish(other, 3, later)
    assert (known(one), known(other)) == ((2, False), (3, True))
    with database.transaction() as uow:
        merged = customers.merge(uow, USER, one, other, reason="same person")
    clock.advance(timedelta(minutes=1))
    assert known(one) == known(other) == (2, True)
    wish(one, 7)
    assert known(other) == (7, False)
    with database.transaction() as uow:
        customers.unmerge(uow, USER, merged)
    assert (known(one), known(other)) == ((7, False), (3, True))
    clock.advance(timedelta(days=2))
    assert known(other) == (3, False)
    for wrong in (0, -1, 1_001):
        with pytest.raises(InputError):
            wish(one, wrong)
