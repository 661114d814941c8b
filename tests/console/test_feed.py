"""Live changes: one poller for all open pages, each told only what its roles may see."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from fairlead import reviews
from fairlead.console import Feed
from fairlead.console.feed import MAX_BEHIND, Change, Listener
from fairlead.errors import TooManyRequestsError
from fairlead.testing.seed import add_leads, run_ready

if TYPE_CHECKING:
    from tests.console.world import Site


def test_claims_and_verdicts_are_told_by_id(site: Site) -> None:
    """A claim names its holder, a release frees, and nothing is told when nothing happened."""
    feed, one, client = Feed(site.database), site.one(), site.signed_in("reviewer")
    assert feed.look() is None
    client.post(f"/reviews/{one.id}/claim")
    claimed = feed.look()
    assert claimed is not None
    told = claimed.for_roles(frozenset({"reviewer"}))
    assert told is not None
    assert told["held"][one.id] == [site.desk.people["reviewer"].id, "Rosa Vidal"]

    client.post(f"/reviews/{one.id}/release")
    freed = feed.look()
    assert freed is not None
    assert (freed.for_roles(None) or {})["free"] == [one.id]
    assert feed.look() is None


def test_new_reviews_are_counted_by_place_and_role(site: Site) -> None:
    """As many as were opened since the last look, no matter by whom."""
    feed = Feed(site.database)
    feed.look()
    before = {one.id for one in site.open_reviews()}
    add_leads(site.database, site.desk.bundle, 12, seed=99)
    run_ready(site.desk.engine)
    opened = [one for one in site.open_reviews() if one.id not in before]
    change = feed.look()

    assert change is not None
    told = change.for_roles(None) or {}
    assert sum(count for _, _, count in told["new"]) == len(opened) > 0


def test_other_roles_are_told_nothing(site: Site) -> None:
    """Names and counts of a manager's reviews do not reach a reviewer's page."""
    theirs = next(one for one in site.open_reviews() if one.role == "manager")
    feed = Feed(site.database)
    feed.look()
    site.signed_in("manager").post(f"/reviews/{theirs.id}/claim")
    change = feed.look()
    assert change is not None
    assert "held" not in (change.for_roles(frozenset({"reviewer"})) or {})
    assert theirs.id in (change.for_roles(frozenset({"manager"})) or {})["held"]


def test_two_hundred_pages_cost_one_look_a_tick(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of looks does not depend on the number of pages, and each page is told."""
    feed = Feed(sqlite_site.database, tick_s=30.0)
    one = sqlite_site.one()

    seen = threading.Event()
    look = feed.look

    def watched() -> Change | None:
        try:
            return look()
        finally:
            seen.set()

    monkeypatch.setattr(feed, "look", watched)

    async def scene() -> tuple[int, int]:
        managers = [feed.listening(None) for _ in range(200)]
        listeners = [manager.__enter__() for manager in managers]
        await asyncio.to_thread(seen.wait, 20)
        before = feed.looks
        client = await asyncio.to_thread(sqlite_site.signed_in, "reviewer")
        await asyncio.to_thread(client.post, f"/reviews/{one.id}/claim")
        feed.wake()
        told = await asyncio.wait_for(asyncio.gather(*(each.queue.get() for each in listeners)), 20)
        looks = feed.looks - before
        for manager in managers:
            manager.__exit__(None, None, None)
        feed._bell.set()
        assert feed._task is not None
        await feed._task
        return looks, sum(one.id in message.get("held", {}) for message in told)

    assert asyncio.run(scene()) == (1, 200)


def test_a_slow_page_is_told_to_load_anew(sqlite_site: Site) -> None:
    """What waits for one page is bounded; past the bound one message stands for all."""
    one = sqlite_site.one()
    change = Change(changed=(sqlite_site.review(one.id),))
    listener = Listener(None)
    for _ in range(MAX_BEHIND + 1):
        listener.tell(change)
    assert listener.queue.get_nowait() == {"much": True}
    assert listener.queue.empty()


def test_the_number_of_pages_is_bounded(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the bound is refused instead of slowing everybody."""
    monkeypatch.setattr("fairlead.console.feed.MAX_CLIENTS", 0)
    with pytest.raises(TooManyRequestsError), Feed(sqlite_site.database).listening(None):
        pass


def test_the_stream_needs_a_person_who_may_read(site: Site) -> None:
    """Without a session there is no stream."""
    assert site.client().get("/events").status_code == 401


def test_reading_many_reviews_is_bounded(site: Site) -> None:
    """Unknown ids are absent."""
    one = site.one()
    with site.database.reading() as reader:
        assert list(reviews.find_many(reader, [one.id, "rev_none"])) == [one.id]
