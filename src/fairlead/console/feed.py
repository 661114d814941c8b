"""What changed at the desk, for every open page: one poller for all of them, asleep while nobody looks."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead import audit, reviews
from fairlead.errors import TooManyRequestsError, UnavailableError
from fairlead.kit.ids import new_id
from fairlead.kit.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.kit.database import Database
    from fairlead.kit.unit_of_work import Reader
    from fairlead.reviews import Review

TICK_S = 0.7
MAX_CLIENTS = 1_000
MAX_BEHIND = 100
"""Messages that may wait for one slow client before it is told to load its page anew."""
LOOK_BACK = 200
"""Ids below the highest seen that are looked at again: on Postgres a lower id may be committed later."""
A_TICK = 500

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What one look found: changed reviews, new ones as (id, role, checkpoint); `much`: too many to list."""

    changed: tuple[Review, ...] = ()
    opened: tuple[tuple[str, str, str], ...] = ()
    much: bool = False

    def for_roles(self, roles: frozenset[str] | None) -> dict[str, Any] | None:
        """What a page of these roles (None: every role) is told, None when nothing is for it."""
        seen = [one for one in self.changed if roles is None or one.role in roles]
        fresh = Counter((place, role) for _, role, place in self.opened if roles is None or role in roles)
        told: dict[str, Any] = {
            "gone": [one.id for one in seen if not one.is_open or one.snoozed_until is not None],
            "held": {one.id: [one.claimed_by, one.claimer_name] for one in seen if one.state == "claimed"},
            "free": [one.id for one in seen if one.state == "waiting" and one.snoozed_until is None],
            "new": [[place, role, count] for (place, role), count in fresh.items()],
        }
        # A review that was passed on to another role is gone from the queue of the old one.
        told["gone"] += [one.id for one in self.changed if roles is not None and one.role not in roles]
        told = {name: value for name, value in told.items() if value}
        if self.much:
            told["much"] = True
        return told or None


@dataclass(eq=False, slots=True)
class Listener:
    """One open page; `roles` None means every role."""

    roles: frozenset[str] | None
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(MAX_BEHIND))

    def tell(self, change: Change) -> None:
        """Pass on what is for this page; one that has fallen behind is told to load anew."""
        message = change.for_roles(self.roles)
        if message is None:
            return
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            message = {"much": True}
        self.queue.put_nowait(message)


class Feed:
    """Looks for changes once a tick while pages are open, whatever their number; belongs to one event loop.

    An idle tick is one query on the primary key of the audit record. Only when something was recorded about
    reviews are these read, by id.
    """

    def __init__(self, database: Database, *, tick_s: float = TICK_S) -> None:
        """Nothing is read before the first page is open."""
        self._database = database
        self._tick_s = tick_s
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._above: int | None = None
        self._newest = ""
        self._seen: OrderedDict[int, None] = OrderedDict()
        self.looks = 0
        """How often the database was looked at so far."""

    @contextmanager
    def listening(self, roles: frozenset[str] | None) -> Iterator[Listener]:
        """Take part from now on; call it inside the event loop. TooManyRequestsError past 1,000 pages."""
        if len(self._listeners) >= MAX_CLIENTS:
            message = "Too many pages are open; this one is not updated by itself."
            raise TooManyRequestsError(message, retry_after_s=60)
        listener = Listener(roles)
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._bell = asyncio.Event()
            self._task = self._loop.create_task(self._run(), name="fairlead-feed")
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def wake(self) -> None:
        """Look now instead of at the next tick; safe from any thread, nothing without open pages."""
        if self._loop is not None and not self._loop.is_closed() and self._listeners:
            self._loop.call_soon_threadsafe(self._bell.set)

    async def _run(self) -> None:
        self._above, self._seen = None, OrderedDict()
        while self._listeners:
            try:
                change = await asyncio.to_thread(self.look)
            except UnavailableError as error:
                log.warning("feed_cannot_read", detail=error.message)
                change = None
            if change is not None:
                for listener in tuple(self._listeners):
                    listener.tell(change)
            try:
                await asyncio.wait_for(self._bell.wait(), self._tick_s)
            except TimeoutError:
                continue
            self._bell.clear()

    def look(self) -> Change | None:
        """What happened since the last look, None for nothing; the first look notes where things stand."""
        self.looks += 1
        with self._database.reading() as reader:
            if self._above is None:
                newest = audit.changes_since(reader, None, 1)
                self._above = newest[-1][0] if newest else 0
                self._newest = new_id("rev")
                return None
            return self._since(reader, self._above)

    def _since(self, reader: Reader, above: int) -> Change | None:
        rows = audit.changes_since(reader, above - LOOK_BACK, A_TICK + LOOK_BACK)
        fresh = [row for row in rows if row[0] not in self._seen and (row[0] > above or self._seen)]
        for number, _, _ in rows:
            self._seen[number] = None
        while len(self._seen) > A_TICK + 2 * LOOK_BACK:
            self._seen.popitem(last=False)
        if not fresh:
            return None
        if len(rows) >= A_TICK + LOOK_BACK:
            self._above = audit.changes_since(reader, None, 1)[-1][0]
            self._newest = new_id("rev")
            return Change(much=True)
        self._above = max(above, rows[-1][0])
        subjects = list(dict.fromkeys(subject for _, verb, subject in fresh if verb.startswith("review.")))
        changed = tuple(reviews.find_many(reader, subjects).values()) if subjects else ()
        opened: tuple[tuple[str, str, str], ...] = ()
        if any(verb == "ruling.made" for _, verb, _ in fresh):
            opened = tuple(reviews.opened_since(reader, self._newest, A_TICK))
            self._newest = opened[-1][0] if opened else self._newest
        return Change(changed, opened) if changed or opened else None
