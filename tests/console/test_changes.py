"""What one look tells a page of some roles, and how little of it a slow page may keep waiting."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.console import Feed
from fairlead.console.feed import MAX_BEHIND, Change, Listener
from fairlead.errors import UnavailableError
from fairlead.testing.seed import add_leads, run_ready

if TYPE_CHECKING:
    from tests.console.world import Site

ROLES = ("reviewer", "manager", "legal")


def seen(number: int, role: str = "reviewer", state: str = "waiting", *, snoozed: bool = False) -> Any:
    """The parts of a review that the feed looks at."""
    return SimpleNamespace(
        id=f"rev_{number}",
        role=role,
        state=state,
        is_open=state in {"waiting", "claimed"},
        snoozed_until="later" if snoozed else None,
        claimed_by="per_ann" if state == "claimed" else None,
        claimer_name="Ann" if state == "claimed" else None,
    )


REVIEWS = st.lists(
    st.builds(
        seen,
        st.integers(1, 9),
        st.sampled_from(ROLES),
        st.sampled_from(["waiting", "claimed", "decided", "withdrawn"]),
        snoozed=st.booleans(),
    ),
    unique_by=lambda one: one.id,
    max_size=6,
)
OPENED = st.lists(st.tuples(st.just("rev_x"), st.sampled_from(ROLES), st.sampled_from(["offer", "refund"])), max_size=6)
PAGES = st.none() | st.frozensets(st.sampled_from(ROLES))


@settings(max_examples=50, deadline=None)
@given(REVIEWS, OPENED, PAGES, st.booleans())
def test_a_page_is_told_of_its_own_roles_alone(
    changed: list[Any], opened: list[tuple[str, str, str]], roles: frozenset[str] | None, much: bool
) -> None:
    """Names and counts of other roles never reach it; of those reviews it hears only that they are gone."""
    told = Change(tuple(changed), tuple(opened), much).for_roles(roles)
    mine = [one for one in changed if roles is None or one.role in roles]
    if told is None:
        assert not much
        assert not changed or (roles is None and not mine)
        assert not [one for one in opened if roles is None or one[1] in roles]
        return
    assert {*told.get("held", {}), *told.get("free", [])} <= {one.id for one in mine}
    assert {role for _, role, _ in told.get("new", [])} <= (roles if roles is not None else set(ROLES))
    assert all(told.values()), "a part without content is left out"
    assert {one.id for one in changed if one not in mine} <= set(told.get("gone", []))


def test_each_state_is_told_in_its_place() -> None:
    """Closed and put away: gone; claimed: held, with the name; back in the queue: free."""
    changed = (seen(1), seen(2, state="claimed"), seen(3, state="decided"), seen(4, snoozed=True))
    assert Change(changed).for_roles(None) == {
        "gone": ["rev_3", "rev_4"],
        "held": {"rev_2": ["per_ann", "Ann"]},
        "free": ["rev_1"],
    }


def test_a_review_passed_on_leaves_the_old_queue() -> None:
    """The page of the old role drops it without hearing whose it is now; the new role's page gains it."""
    change = Change((seen(1, "manager", "claimed"),))
    assert change.for_roles(frozenset({"reviewer"})) == {"gone": ["rev_1"]}
    assert (change.for_roles(frozenset({"manager"})) or {})["held"] == {"rev_1": ["per_ann", "Ann"]}


def test_new_ones_are_counted_by_place_and_role() -> None:
    """Two of one kind are one entry with a two."""
    opened = (("rev_1", "reviewer", "offer"), ("rev_2", "reviewer", "offer"), ("rev_3", "legal", "offer"))
    assert Change(opened=opened).for_roles(None) == {"new": [["offer", "reviewer", 2], ["offer", "legal", 1]]}


def test_too_much_is_told_to_everybody() -> None:
    """A page without any role is told too, since it cannot know what it missed."""
    assert Change(much=True).for_roles(frozenset()) == {"much": True}
    assert Change().for_roles(None) is None


def test_a_page_keeps_its_bound_and_recovers() -> None:
    """Up to the bound nothing is lost; behind it one message stands for all, and then it goes on as usual."""
    change, listener = Change((seen(1),)), Listener(None)
    for _ in range(MAX_BEHIND):
        listener.tell(change)
    assert listener.queue.qsize() == MAX_BEHIND
    listener.tell(Change((seen(9, "legal"),)))
    assert listener.queue.qsize() == 1
    listener.tell(change)
    assert [listener.queue.get_nowait() for _ in range(2)] == [{"much": True}, {"free": ["rev_1"]}]


def test_what_is_not_for_a_page_takes_no_place() -> None:
    """A message for nobody is not queued, so other roles' traffic pushes no page past its bound."""
    listener = Listener(frozenset({"legal"}))
    for _ in range(MAX_BEHIND * 2):
        listener.tell(Change(opened=(("rev_1", "reviewer", "offer"),)))
    assert listener.queue.empty()


def test_a_flood_is_one_message(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """More entries than one look reads are not listed; the next look goes on from the newest."""
    feed = Feed(sqlite_site.database)
    feed.look()
    monkeypatch.setattr("fairlead.console.feed.A_TICK", 5)
    monkeypatch.setattr("fairlead.console.feed.LOOK_BACK", 5)
    add_leads(sqlite_site.database, sqlite_site.desk.bundle, 12, seed=3)
    run_ready(sqlite_site.desk.engine)
    flood = feed.look()
    assert flood is not None
    assert flood.much
    assert feed.look() is None


def test_a_database_that_is_away_ends_no_stream(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that cannot be made is skipped; the page is told by the next one."""
    feed = Feed(sqlite_site.database, tick_s=0.001)
    answers: list[Any] = [UnavailableError("gone"), UnavailableError("gone"), Change((seen(1),))]

    def look() -> Change | None:
        answer = answers.pop(0) if answers else None
        if isinstance(answer, UnavailableError):
            raise answer
        return answer

    monkeypatch.setattr(feed, "look", look)

    async def scene() -> dict[str, Any]:
        with feed.listening(None) as listener:
            told = await asyncio.wait_for(listener.queue.get(), 20)
        feed._bell.set()
        assert feed._task is not None
        await feed._task
        return told

    assert asyncio.run(scene()) == {"free": ["rev_1"]}


def test_waking_without_pages_is_harmless(sqlite_site: Site) -> None:
    """Before the first page, after the last and after the loop ended, a wake looks at nothing."""
    feed = Feed(sqlite_site.database, tick_s=30.0)
    feed.wake()
    assert feed.looks == 0

    async def scene() -> None:
        with feed.listening(None):
            pass
        feed.wake()
        feed._bell.set()
        assert feed._task is not None
        await feed._task

    asyncio.run(scene())
    looked = feed.looks
    feed.wake()
    assert feed.looks == looked
