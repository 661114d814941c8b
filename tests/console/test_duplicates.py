"""The Duplicates page: what was found, compared side by side, merged, and taken back by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead import customers, sales
from fairlead.console.comparing import beside_it, side_by_side
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from tests.console.world import Site


def twins(site: Site) -> tuple[str, str]:
    """Two records of one company, found to be a pair."""
    drafts = [
        CustomerDraft("", name, "DE", identities=(("email", email),))
        for name, email in (("Zanderwerk <b>GmbH", "info@zander.example"), ("Zanderwerk <b> Gmbh", "b@zander.example"))
    ]
    with site.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        first, second = (one.id for one in resolve_many(uow, drafts))
    sales.find_duplicates(site.database, site.desk.library, SYSTEM)
    run_ready(site.desk.engine)
    return first, second


def test_a_pair_is_shown_and_compared_without_leading_anybody(sqlite_site: Site) -> None:
    """The list withholds the score while a person has to answer; the review shows both records, differences marked."""
    twins(sqlite_site)
    page = sqlite_site.signed_in("reviewer").get("/duplicates").text
    assert "Zanderwerk &lt;b&gt;GmbH" in page
    assert "Shown once somebody has answered without it." in page
    with sqlite_site.database.reading() as reader:
        [row] = sales.pairs_page(reader, "open", None, 1)
    review = next(one for one in sqlite_site.open_reviews() if one.case_id == row.case_id)
    shown = sqlite_site.signed_in("reviewer").get(f"/reviews/{review.id}").text
    assert "The two records side by side" in shown
    assert "differs" in shown
    assert "match_reasons" not in shown
    assert "What speaks for and against" not in shown


def test_a_merge_is_listed_and_taken_back(sqlite_site: Site) -> None:
    """The page says who brought what; the button tells them apart again, and only for those who may edit."""
    first, second = twins(sqlite_site)
    with sqlite_site.database.transaction() as uow:
        merge_id = customers.merge(uow, SYSTEM, first, second, reason="the same firm")
    assert "Unmerge" not in sqlite_site.signed_in("viewer").get("/merges").text
    assert sqlite_site.signed_in("viewer").post(f"/merges/{merge_id}/undo").status_code == 403
    manager = sqlite_site.signed_in("manager")
    page = manager.get("/merges").text
    assert "b@zander.example" in page
    assert "Unmerge" in page
    assert "2 records merged" in manager.get(f"/customers/{second}").text
    assert manager.post(f"/merges/{merge_id}/undo").headers["location"] == "/merges?said=unmerged"
    assert "taken back" in manager.get("/merges").text
    with sqlite_site.database.reading() as reader:
        assert customers.survivor_of(reader, second) == second


def test_a_search_can_be_asked_for(sqlite_site: Site) -> None:
    """One click asks, a worker searches; who may only read is refused."""
    assert sqlite_site.signed_in("viewer").post("/duplicates/search").status_code == 403
    assert sqlite_site.signed_in("manager").post("/duplicates/search").status_code == 303
    assert sales.search_if_asked(sqlite_site.database, sqlite_site.desk.library, SYSTEM) is not None


def test_empty_pages_say_what_to_do(sqlite_site: Site) -> None:
    """Before anything was found or merged."""
    viewer = sqlite_site.signed_in("viewer")
    assert "fairlead duplicates find" in viewer.get("/duplicates").text
    assert "Nothing was merged yet" in viewer.get("/merges").text


def test_any_two_maps_named_first_and_second_stand_side_by_side() -> None:
    """What differs, what is the same, what one side lacks; other facts stand beside it, and without two maps all do."""
    facts = [("first", {"name": "Ann", "x": 1, "city": "Ulm"}), ("second", {"name": "ANN", "x": 2}), ("score", 1)]
    assert [(row.field, row.verdict) for row in side_by_side(facts)] == [
        ("name", "same"), ("city", "missing"), ("x", "differs"),
    ]  # fmt: skip
    assert beside_it(facts) == [("score", 1)]
    assert side_by_side(facts[1:]) == []
    assert beside_it(facts[1:]) == facts[1:]
