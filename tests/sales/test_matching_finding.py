"""From two records to one decided case: found once, asked, merged, taken back, found again only on change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from fairlead import customers, reviews, sales
from fairlead.api import labels_of
from fairlead.checkpoints import SETTLEMENT, Grant, Level, set_grant
from fairlead.customers import CustomerDraft
from fairlead.errors import InputError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import EventSource, read_case
from fairlead.reviews import Given, Mode, QueueFilter, Review, Reviewer, Verb
from fairlead.sales.matching import finding, tables as t
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from tests.sales.world import World

USER = Actor(ActorKind.USER, "usr_1")
ROSA = Reviewer("usr_rosa", frozenset({"reviewer"}), "Rosa")
TWINS = (
    ("", "Nordwind Optik GmbH", "DE", "info@nordwind-optik.example"),
    ("", "Nordwind Optik G.m.b.H.", "DE", "sales@nordwind-optik.example"),
)


def add(world: World, *people: tuple[str, str, str | None, str]) -> list[str]:
    """Customers of (name, company, country, e-mail)."""
    drafts = [
        CustomerDraft(name, company, country, identities=(("email", email),) if email else (), source="test")
        for name, company, country, email in people
    ]
    with world.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return [one.id for one in customers.resolve_many(uow, drafts)]


def find(world: World, **options: Any) -> sales.Search:
    """Search, and run every case as far as it goes."""
    found = sales.find_duplicates(world.database, world.library, SYSTEM, **options)
    run_ready(world.engine)
    return found


def waiting(world: World) -> list[Review]:
    """Pairs that nobody decided yet. An automatic decision may be drawn by lot for a label; that is no open pair."""
    with world.database.reading() as reader:
        found = reviews.page(reader, QueueFilter(checkpoint="customer-merge"), limit=200).items
    return [one for one in found if one.mode is not Mode.LABEL]


def decide(world: World, one: Review, *, same: bool, keep: str = "first") -> str:
    """Answer as a reviewer; the case's end."""
    with world.database.transaction() as uow:
        claimed = reviews.claim(uow, one.id, ROSA, timedelta(minutes=15)).review
        answer = {"same": same, "keep": keep}
        given = Given(Verb.ANSWER, claimed.digest, answer, "looked at both", None)
        reviews.decide(
            uow, one.id, given, ROSA, settlement=SETTLEMENT, labels=labels_of(world.library),
            check_answer=lambda *_: None, effective_after=timedelta(0),
        )  # fmt: skip
    EventSource(world.engine).turn()
    run_ready(world.engine)
    with world.database.reading() as reader:
        return str(read_case(reader, str(one.case_id)).end)


def pairs(world: World) -> list[Any]:
    """As they are stored."""
    with world.database.reading() as reader:
        return sales.pairs_page(reader, None, None, 100)


def test_a_pair_is_found_decided_and_merged(world: World) -> None:
    """One review per pair, its proposal withheld in shadow; `same` merges, and the survivor answers for both."""
    first, second = add(world, *TWINS)
    found = find(world)
    assert (found.sure, len(found.opened)) == (1, 1)
    [one] = waiting(world)
    assert (one.title, one.mode.value) == ("Nordwind Optik GmbH · Nordwind Optik G.m.b.H.", "human")
    assert decide(world, one, same=True, keep="second") == "merged"
    with world.database.reading() as reader:
        assert customers.survivor_of(reader, first) == second
    [row] = pairs(world)
    assert row.state == "merged"
    assert customers_merge(world, row.merge_id).reason == f"found to be the same, {one.case_id}"


def customers_merge(world: World, merge_id: str) -> customers.Merge:
    """A merge by its id."""
    with world.database.reading() as reader:
        return customers.read_merge(reader, merge_id)


def test_a_pair_is_never_opened_twice_for_the_same_facts(world: World) -> None:
    """Neither while its case is open nor after somebody said that they are two."""
    add(world, *TWINS)
    find(world)
    assert find(world).opened == []
    [one] = waiting(world)
    assert decide(world, one, same=False) == "kept_apart"
    assert pairs(world)[0].state == "different"
    again = find(world)
    assert (again.opened, again.fresh) == ([], 0)


def test_what_was_called_different_is_asked_again_once_it_changes(world: World) -> None:
    """A new e-mail address of one of the two is a new question."""
    first, _ = add(world, *TWINS)
    find(world)
    decide(world, waiting(world)[0], same=False)
    with world.database.transaction() as uow:
        customers.add_identity(uow, USER, first, "phone", "+494012345678", source="call")
    assert len(find(world).opened) == 1
    assert len(pairs(world)) == 1
    assert pairs(world)[0].state == "open"


def test_a_merge_taken_back_stays_apart_until_one_changes(world: World) -> None:
    """Undoing says that they are two; the next search does not ask the same person the same thing."""
    first, _ = add(world, *TWINS)
    find(world)
    decide(world, waiting(world)[0], same=True)
    with world.database.transaction() as uow:
        sales.undo_merge(uow, USER, pairs(world)[0].merge_id)
    assert pairs(world)[0].state == "different"
    assert find(world).opened == []
    with world.database.transaction() as uow:
        customers.add_identity(uow, USER, first, "phone", "+494012345678", source="call")
    assert len(find(world).opened) == 1


def test_a_dry_run_writes_nothing(world: World) -> None:
    """It says what a search would open, as often as one likes."""
    add(world, *TWINS)
    for _ in range(2):
        found = find(world, dry_run=True)
        assert (found.fresh, len(found.pairs), found.opened) == (2, 1, [])
    assert waiting(world) == []
    assert world.count(t.pair) == world.count(t.seen) == 0


def test_a_sure_pair_is_merged_by_itself_only_under_a_grant(world: World) -> None:
    """With a grant for its segment a sure pair needs nobody; an unsure one is still asked about."""
    version = world.bundle.policies["customer-merge"].version
    until = world.database.clock.now() + timedelta(days=9)
    for segment in ("sure-accounts", "unsure"):
        wanted = Grant("", "customer-merge", segment, "duplicate-rules@1", Level.AUTO, version, until, 0.5, 0.02)
        with world.database.transaction() as uow:
            set_grant(uow, SYSTEM, "manager", wanted, {"note": "test"})
    first, second = add(world, *TWINS)
    add(world, ("", "Sund Medtech AB", "SE", ""), ("", "Sund Medtech", None, "info@sund.example"))
    found = find(world)
    assert (found.sure, found.unsure) == (1, 1)
    with world.database.reading() as reader:
        assert customers.survivor_of(reader, second) == first
    assert [one.title for one in waiting(world)] == ["Sund Medtech AB · Sund Medtech"]


def test_colleagues_are_counted_and_never_asked_about(world: World) -> None:
    """Two people of one company are not one; neither are a person and the company."""
    add(
        world,
        ("Ada Keller", "Nordwind Optik GmbH", "DE", "ada.keller@nordwind-optik.example"),
        ("Ada Kessler-Brandt", "Nordwind Optik GmbH", "DE", "a.kessler@nordwind-optik.example"),
        ("", "Nordwind Optik GmbH", "DE", "info@nordwind-optik.example"),
    )
    found = find(world)
    assert found.opened == []
    assert found.sure == found.unsure == 0


def test_of_three_that_look_alike_two_pairs_are_asked(world: World) -> None:
    """The third follows; once one pair turns out different, it is asked after all."""
    add(world, *TWINS, ("", "NORDWIND OPTIK", "DE", "office@nordwind-optik.example"))
    found = find(world)
    assert (len(found.opened), found.implied) == (2, 1)
    decide(world, waiting(world)[0], same=False)
    assert len(find(world).opened) == 1


def test_an_erased_customer_ends_the_question(world: World) -> None:
    """The decision comes too late: nothing is merged, and the case does not fail."""
    _, second = add(world, *TWINS)
    find(world)
    [one] = waiting(world)
    with world.database.transaction() as uow:
        customers.erase_customer(uow, USER, second, reason="asked")
    assert decide(world, one, same=True) == "kept_apart"
    assert pairs(world)[0].state == "gone"


def test_a_pair_merged_by_hand_meanwhile_needs_no_second_merge(world: World) -> None:
    """The decision agrees with what was done already."""
    first, second = add(world, *TWINS)
    find(world)
    [one] = waiting(world)
    with world.database.transaction() as uow:
        customers.merge(uow, USER, first, second, reason="by hand")
    assert decide(world, one, same=True) == "merged"


def test_a_search_is_asked_for_once_and_done_once(world: World) -> None:
    """Requests do not pile up; without one nothing is searched."""
    assert sales.search_if_asked(world.database, world.library, SYSTEM) is None
    add(world, *TWINS)
    for _ in range(2):
        with world.database.transaction() as uow:
            uow.record(AuditEntry("lead_import.finished", "imp_1"))
            sales.ask_search(uow, "imp_1")
    done = sales.search_if_asked(world.database, world.library, SYSTEM)
    assert done is not None
    assert len(done.opened) == 1
    assert sales.search_if_asked(world.database, world.library, SYSTEM) is None


def test_a_workspace_without_the_playbook_is_told_so(world: World) -> None:
    """The search names what is missing and where to get it."""
    add(world, *TWINS)
    files = {path: text for path, text in world.files.items() if "duplicates" not in path}
    with world.database.transaction() as uow:
        sales_deploy(world, uow, files)
    with pytest.raises(InputError) as failed:
        find(world)
    assert failed.value.reason == "no_playbook"
    assert len(find(world, dry_run=True).pairs) == 1


def sales_deploy(world: World, uow: Any, files: dict[str, str]) -> None:
    """Deploy these files."""
    from fairlead.playbooks import deploy  # noqa: PLC0415

    deploy(uow, world.library, SYSTEM, files)


def test_a_search_bounds_what_it_opens_and_goes_on_later(world: World) -> None:
    """Beyond the limit pairs wait for the next search; none is forgotten."""
    for number in range(4):
        add(world, *((name, f"{word} {company}", country, mail.replace("@", f"@{word.lower()}"))
                     for name, company, country, mail in TWINS
                     for word in (("Alra", "Brimo", "Celto", "Dranu")[number],)))  # fmt: skip
    assert [len(find(world, limit=3).opened) for _ in range(3)] == [3, 1, 0]


def test_ten_thousand_of_one_name_stay_linear(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that is too large is passed over and named; the search still ends with what other keys find."""
    monkeypatch.setattr(finding, "MAX_FRESH", 400)
    rows = [("", "Nordwind", None, f"info@n{number}.example") for number in range(500)]
    add(world, *rows, *TWINS)
    first = find(world)
    assert (first.fresh, first.left) == (400, 102)
    assert first.blocks_passed_over > 0
    assert max(first.largest_blocks.values()) >= 400
    assert first.compared < 4_000
    second = find(world)
    assert (second.fresh, second.left, len(second.opened)) == (102, 0, 1)


def test_leads_lend_what_their_customers_lack(world: World) -> None:
    """A telephone number that stayed with somebody else still speaks for the two being one."""
    world.run(
        "name,company,email,phone,country\n"
        "Ada Keller,Riva Mobili,ada@riva.example,+4940111222333,DE\n"
        "A. Keller,Riva Mobili Srl,ada.keller@post.example,+4940111222333,DE\n"
    )
    found = find(world)
    assert [pair["band"] for pair in found.pairs] == ["sure"]
    assert "phone" in {reason["code"] for reason in found.pairs[0]["reasons"]}


def test_the_store_keeps_one_row_per_pair(world: World) -> None:
    """Two searches at once: the second finds the pair taken."""
    add(world, *TWINS)
    find(world)
    with world.database.reading() as reader:
        listed = customers.list_living(reader)
        left, right = sales.matching.records.records_of(reader, listed)
    from fairlead.sales.matching.scoring import compare  # noqa: PLC0415

    candidate = sales.matching.service.Candidate(left, right, compare(left, right))
    with world.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        assert sales.matching.service.open_pairs(uow, SYSTEM, world.bundle, [candidate]) == []
    with world.database.reading() as reader:
        assert reader.execute(select(func.count()).select_from(t.pair)).scalar_one() == 1


def test_an_opt_out_reaches_the_cases_of_every_merged_record(world: World) -> None:
    """What the customer does under one record interrupts the cases that were opened under another; the merge of
    one record is about that record's cases alone.
    """
    imported = world.run(
        "name,company,email,country\n"
        "Ada Keller,Riva Mobili,ada@riva.example,DE\nAda Keler,Riva Mobili,ada.keller@riva.example,DE\n"
    )
    kept, other = world.leads(imported.id)
    with world.database.transaction() as uow:
        customers.merge(uow, USER, kept.customer_id, other.customer_id, reason="by hand")
    EventSource(world.engine).turn()
    with world.database.reading() as reader:
        assert read_case(reader, other.case_id).end is None
    with world.database.transaction() as uow:
        uow.record(AuditEntry("event.told", "evt_1"))
        publish(uow, Event("opted_out", kept.customer_id))
    EventSource(world.engine).turn()
    run_ready(world.engine)
    with world.database.reading() as reader:
        assert [read_case(reader, one.case_id).end for one in (kept, other)] == ["closed", "closed"]
