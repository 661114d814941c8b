"""A million open reviews: does the desk feel them? Each request is measured beside its own figure at 1,000
rows.

Calls on the small and the large database alternate, so that what else the machine does hits both. Reported is
the median of several rounds' p99, with the lowest and highest round. Memory is that of a process of its own
after 10,000 mixed requests. Run alone: `python -m bench.waiting [ROWS]`.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from fairlead import reviews
from fairlead.audit import Trail
from fairlead.checkpoints.tables import ruling
from fairlead.kit.clock import to_micros
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.reviews.tables import review, tally
from fairlead.schema import create_schema
from fairlead.testing.clock import FakeClock
from fairlead.testing.postgres import EmbeddedPostgres

SMALL = 1_000
CHUNK = 2_000
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
ROLES = ("sales", "support", "finance", "legal", "lead")
CHECKPOINTS = ("route", "reply", "refund", "terms")
ME = reviews.Reviewer("per_me", frozenset(ROLES), "Me")
BIG = 5_000_000
LEASE = timedelta(minutes=10)
LATENCY_BAR, MEMORY_BAR = 2.0, 1.25
MEMORY_REQUESTS = 10_000
_SYLLABLES = ("ba", "den", "ko", "lu", "mar", "ne", "ros", "ti", "ver", "wa")


class _Nothing:
    """Settles nowhere: the rulings of this bench are shared."""

    def settle(self, *_: Any) -> None:
        """Accepts everything."""

    def unsettle(self, *_: Any) -> bool:
        """Nothing was stored."""
        return False


class Desk:
    """One seeded database and the requests on it; a request returns how many rows it showed or changed."""

    def __init__(self, url: str, clock: FakeClock, seed: int = 7) -> None:
        self.clock = clock
        self.database = Database(url, clock=clock, trail=Trail())
        self.dice = random.Random(seed)
        self.ids: list[str] = []
        self._cursors: dict[str, str | None] = {}

    def requests(self) -> dict[str, Callable[[], int]]:
        """By name; those that write are `claim`, `claim next` and `due sweep`."""
        views = {
            "mine": reviews.QueueFilter(reviews.View.MINE, person=ME.id),
            "unclaimed": reviews.QueueFilter(reviews.View.UNCLAIMED),
            "high value": reviews.QueueFilter(reviews.View.HIGH_VALUE, min_value_minor=BIG),
            "overdue": reviews.QueueFilter(reviews.View.OVERDUE, roles=ROLES),
            "needs information": reviews.QueueFilter(reviews.View.NEEDS_INFORMATION),
            "snoozed": reviews.QueueFilter(reviews.View.SNOOZED),
            "one checkpoint": reviews.QueueFilter(checkpoint="refund"),
            "one role": reviews.QueueFilter(roles=("legal",)),
        }
        calls: dict[str, Callable[[], int]] = {
            "default page": lambda: self._page(reviews.QueueFilter()),
            "page after page": lambda: self._page(reviews.QueueFilter(), turn="deep"),
        }
        for name, wanted in views.items():
            calls[f"filter: {name}"] = lambda wanted=wanted: self._page(wanted)  # type: ignore[misc]
        return calls | {
            "search by title": self._search,
            "search by customer": self._customers,
            "counts": self._counts,
            "claim": self._claim,
            "claim next": self._claim_next,
            "due sweep": self.sweep,
        }

    def _page(self, wanted: reviews.QueueFilter, turn: str = "") -> int:
        with self.database.reading() as reader:
            found = reviews.page(reader, wanted, after=self._cursors.get(turn))
        if turn:
            self._cursors[turn] = found.cursor
        return len(found.items)

    def _search(self) -> int:
        begin = "".join(self.dice.choices(_SYLLABLES, k=2))
        with self.database.reading() as reader:
            return len(reviews.search(reader, begin).items)

    def _customers(self) -> int:
        some = [f"cus_{self.dice.randrange(len(self.ids) // 3 + 1):07d}" for _ in range(5)]
        with self.database.reading() as reader:
            return len(reviews.search_customers(reader, some).items)

    def _counts(self) -> int:
        with self.database.reading() as reader:
            return len(reviews.counts(reader, person=ME.id, min_value_minor=BIG))

    def _claim(self) -> int:
        with self.database.transaction() as uow:
            return reviews.claim(uow, self.dice.choice(self.ids), ME, LEASE).review.version

    def _claim_next(self) -> int:
        with self.database.transaction() as uow:
            return 1 if reviews.claim_next(uow, ME, LEASE) else 0

    def sweep(self) -> int:
        """A second passes, and what is due is dealt with."""
        self.clock.advance(timedelta(seconds=1))
        with self.database.transaction() as uow:
            uow.record(AuditEntry("sweep.done", "reviews"))
            return reviews.sweep(uow, 100, settlement=_Nothing())

    def put_back(self) -> None:
        """Release what was claimed, so that both sizes always have the same few claims."""
        with self.database.transaction() as uow:
            uow.record(AuditEntry("bench.released", "reviews"))
            for one in reviews.page(uow, reviews.QueueFilter(reviews.View.MINE, person=ME.id), limit=200).items:
                if one.state == "claimed":
                    reviews.release(uow, one.id, ME)


def seed(url: str, rows: int, ticks: int) -> Desk:
    """A desk with `rows` open reviews; the first of them fall due one a second, `ticks` of them, the rest in
    a year.
    """
    create_schema(url)
    desk = Desk(url, FakeClock(START))
    dice = random.Random(11)
    with desk.database.transaction(Lane.BULK) as uow:
        uow.execute(insert(ruling).values(_ruling()))
        uow.record(AuditEntry("bench.began", "reviews"))
    for start in range(0, rows, CHUNK):
        desk.clock.advance(timedelta(seconds=1))
        with desk.database.transaction(Lane.BULK) as uow:
            drafts = [_draft(dice, number, rows, ticks) for number in range(start, min(start + CHUNK, rows))]
            ids = reviews.open_many(uow, drafts)
            _shelve(uow, list(zip(ids, drafts, strict=True)), dice)
            uow.record(AuditEntry("bench.opened", "reviews"))
        desk.ids += ids
    while desk.clock.now() < START + timedelta(days=1):
        desk.clock.advance(START + timedelta(days=1) - desk.clock.now())
    while desk.sweep() > 100:  # folds the counts, as the worker does twice a second
        pass
    with desk.database.raw() as connection:
        connection.execute(text("ANALYZE"))
    return desk


def _ruling() -> dict[str, Any]:
    return {
        "id": "rul_1", "checkpoint": "route", "decision_key": "1", "path": "assist", "segment": "other",
        "producer": "rules@1", "policy_version": "1", "digest": "0" * 64, "proposal": {}, "facts": {},
        "record": [], "lottery": False, "lottery_p": 0.0, "created_at": START,
    }  # fmt: skip


def _draft(dice: random.Random, number: int, rows: int, ticks: int) -> reviews.ReviewDraft:
    due = START + timedelta(days=1, seconds=number + 10) if number < ticks else START + timedelta(days=400)
    return reviews.ReviewDraft(
        ruling_id="rul_1",
        checkpoint=dice.choice(CHECKPOINTS),
        path="assist",
        title="".join(dice.choices(_SYLLABLES, k=5)).title() + f" {number % 97}",
        segment="other",
        role=dice.choices(ROLES, weights=(50, 30, 10, 7, 3))[0],
        proposal_digest=f"{number:064x}",
        facts_digest=f"{number:064x}",
        needs_information=dice.random() < 0.05,
        priority=dice.randrange(101),
        case_id=f"case_{number:07d}",
        customer_id=f"cus_{dice.randrange(rows // 3 + 1):07d}",
        value_minor=int(dice.paretovariate(1.1) * 100_000) if dice.random() < 0.6 else None,
        due_at=due,
    )


def _shelve(uow: UnitOfWork, opened: list[tuple[str, reviews.ReviewDraft]], dice: random.Random) -> None:
    """Snooze 3 % for a year and let 3 % be overdue, counted as the verbs would; a loop of verbs takes too
    long.
    """
    snoozed, overdue = [], []
    changes: Counter[tuple[str, str, str]] = Counter()
    year, day = to_micros(START + timedelta(days=400)), to_micros(START)
    for row_id, draft in opened:
        key = (draft.checkpoint, draft.needs[0][0])
        if draft.due_at is None or draft.due_at < START + timedelta(days=300):
            continue
        if (drawn := dice.random()) < 0.03:
            snoozed.append((year, row_id))
            changes[*key, "free"] -= 1
            changes[*key, "snoozed"] += 1
        elif drawn < 0.06:
            overdue.append((day + dice.randrange(10**10), row_id))
            changes[*key, "overdue"] += 1
    uow.update_many(review, "shelf = 'snoozed', snoozed_until = ?", "id = ?", snoozed)
    uow.update_many(review, "overdue_since = ?", "id = ?", overdue)
    rows = [(new_id("tal"), *key, change) for key, change in changes.items()]
    uow.insert_many(tally, ("id", "checkpoint", "role", "bucket", "change"), rows)


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def _measured(small: Desk, large: Desk, calls: int, rounds: int) -> list[dict[str, Any]]:
    rows = []
    pairs = list(zip(small.requests().items(), large.requests().values(), strict=True))
    for (name, on_small), on_large in pairs:
        both: tuple[list[float], list[float]] = ([], [])
        middles: tuple[list[float], list[float]] = ([], [])
        for turn in range(rounds + 1):  # the first warms both up
            spent: tuple[list[float], list[float]] = ([], [])
            gc.collect()
            gc.disable()
            for _ in range(calls):
                for desk, call, times in ((small, on_small, spent[0]), (large, on_large, spent[1])):
                    began = time.perf_counter()
                    call()
                    times.append((time.perf_counter() - began) * 1000)
                    if name.startswith("claim"):
                        desk.put_back()
            gc.enable()
            if turn:
                for store, middle, times in zip(both, middles, spent, strict=True):
                    store.append(_p99(times))
                    middle.append(statistics.median(times))
        ratios = [b / a for a, b in zip(*both, strict=True)]
        rows.append({
            "request": name,
            "p50_small_ms": round(statistics.median(middles[0]), 3),
            "p50_large_ms": round(statistics.median(middles[1]), 3),
            "p99_small_ms": round(statistics.median(both[0]), 3),
            "p99_large_ms": round(statistics.median(both[1]), 3),
            "ratio": round(statistics.median(both[1]) / statistics.median(both[0]), 3),
            "ratio_rounds": [round(min(ratios), 3), round(max(ratios), 3)],
        })  # fmt: skip
    return rows


def _memory(url: str, desk: Desk, requests: int) -> float:
    """MiB that a fresh process holds after its requests."""
    order = {"url": url, "now": desk.clock.now().isoformat(), "ids": desk.ids[:500], "requests": requests}
    done = subprocess.run(
        [sys.executable, "-m", "bench.waiting", "--memory"],
        input=json.dumps(order), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.strip().splitlines()[-1])


def _memory_child() -> None:
    order = json.loads(sys.stdin.read())
    desk = Desk(order["url"], FakeClock(datetime.fromisoformat(order["now"])))
    desk.ids = order["ids"]
    calls = list(desk.requests().items())
    for number in range(order["requests"]):
        name, call = calls[number % len(calls)]
        call()
        if name.startswith("claim"):
            desk.put_back()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    print(kilobytes / 1024)


@contextmanager
def _urls(folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'small.db'}", f"sqlite:///{folder / 'large.db'}"
        return
    server = EmbeddedPostgres(folder / "pg").start()
    try:
        yield server.create_database("small"), server.create_database("large")
    finally:
        server.destroy()


def run(
    rows: int = 1_000_000,
    *,
    kinds: tuple[str, ...] = ("sqlite", "postgres"),
    calls: int = 150,
    rounds: int = 3,
    memory_requests: int = MEMORY_REQUESTS,
) -> dict[str, Any]:
    """Seed, measure, compare; `rows` is the size of the large database, 1,000 at least."""
    result: dict[str, Any] = {"rows": [], "bars": []}
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            with _urls(folder, kind) as (small_url, large_url):
                _one_database(result, kind, (small_url, large_url), rows, calls, rounds, memory_requests)
    return result


def _one_database(
    result: dict[str, Any],
    kind: str,
    urls: tuple[str, str],
    rows: int,
    calls: int,
    rounds: int,
    memory_requests: int,
) -> None:
    ticks = min(calls * (rounds + 1), SMALL - 100)
    small = seed(urls[0], SMALL, ticks)
    began = time.perf_counter()
    large = seed(urls[1], rows, ticks)
    took = time.perf_counter() - began
    result["rows"].append({"database": kind, "request": "seeding", "rows_per_s": round(rows / took), "large": rows})
    for row in _measured(small, large, calls, rounds):
        result["rows"].append({"database": kind, "large": rows, **row})
        result["bars"].append(_bar(f"{kind}: {row['request']}, p99 against 1,000 rows", row["ratio"], LATENCY_BAR))
    sizes = [_memory(url, desk, memory_requests) for url, desk in zip(urls, (small, large), strict=True)]
    for desk in (small, large):
        desk.database.close()
    result["rows"].append({
        "database": kind, "large": rows, "request": f"memory after {memory_requests:,} mixed requests",
        "small_mib": round(sizes[0], 1), "large_mib": round(sizes[1], 1),
    })  # fmt: skip
    ratio = round(sizes[1] / sizes[0], 3)
    result["bars"].append(_bar(f"{kind}: memory against 1,000 rows", ratio, MEMORY_BAR))


def _bar(name: str, value: float, bar: float) -> dict[str, Any]:
    return {"name": name, "value": value, "op": "<=", "bar": bar, "met": value <= bar}


if __name__ == "__main__":
    if "--memory" in sys.argv:
        _memory_child()
    else:
        found = run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
        for line in found["rows"]:
            print(json.dumps(line))
        for line in found["bars"]:
            print(json.dumps(line))
