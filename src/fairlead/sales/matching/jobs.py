"""The search for duplicates: everybody new or changed against everybody, in short transactions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from fairlead.customers import list_living
from fairlead.kit.actors import Actor
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import BundleLibrary, states_of
from fairlead.sales.matching import store
from fairlead.sales.matching.blocking import keys_of, pairs_of
from fairlead.sales.matching.model import Band, Pair, Record, Relation, Thresholds
from fairlead.sales.matching.prepared import Prepared, prepare
from fairlead.sales.matching.service import Candidate, check_playbook, has_playbook, linked, open_pairs

MAX_FRESH = 100_000
"""New or changed customers that one search takes; the others are the next one's."""
MAX_OPENED = 1_000
"""Cases that one search opens, so that a bad list does not bury the desk."""
SHOWN = 200
_PAGE = 1_000
_OPENED_AT_ONCE = 50
_DUPLICATES = frozenset({Relation.SAME_PERSON, Relation.SAME_ACCOUNT})
Progress = Callable[[str, int, int], None]
"""(what is being done, how many are done, of how many; 0 when that is not known)."""


@dataclass(slots=True)
class Search:
    """What a search did, or with `dry_run` would have done."""

    dry_run: bool = False
    customers: int = 0
    fresh: int = 0
    """New or changed since they were looked at last."""
    left: int = 0
    """New or changed ones for the next search: this one had its fill."""
    compared: int = 0
    sure: int = 0
    unsure: int = 0
    same_company: int = 0
    """Pairs of different people of one company, or of a person and their company: never merged."""
    known: int = 0
    """Found before: open, or settled and neither has changed."""
    implied: int = 0
    """Pairs that follow from others; looked at again once those are settled."""
    waiting: int = 0
    """Pairs beyond the bound on cases; the next search opens them."""
    opened: list[str] = field(default_factory=list)
    blocks_passed_over: int = 0
    largest_blocks: dict[str, int] = field(default_factory=dict)
    cut_short: int = 0
    seconds: float = 0.0
    pairs: list[dict[str, Any]] = field(default_factory=list)
    """The surest of what is opened, at most 200."""

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def find_duplicates(
    database: Database,
    library: BundleLibrary,
    actor: Actor,
    *,
    dry_run: bool = False,
    limit: int = MAX_OPENED,
    progress: Progress = lambda _what, _done, _of: None,
) -> Search:
    """Compare what is new or changed with everybody, and open a case for each pair that looks like one.

    A pair is opened once for the same two records as they are; what a person called different stays so until
    one of the two changes. `dry_run` writes nothing. InputError when the playbook for pairs is not deployed.
    """
    started = time.perf_counter()
    out = Search(dry_run=dry_run)
    with database.reading() as reader:
        asked = store.searches_asked(reader)
        if not dry_run:
            check_playbook(library.current(reader))
        records, fresh, digests = _gather(reader, out, progress)
    found = _compare(records, fresh, out, progress)
    with database.reading() as reader:
        chosen, later = _choose(reader, found, out, limit)
    unsettled = {record.id for one in later for record in (one.left, one.right)}
    out.pairs = [_shown(one) for one in chosen[:SHOWN]]
    if not dry_run:
        _open(database, library, actor, chosen, out, progress)
        _remember(database, {one: digest for one, digest in digests.items() if one not in unsettled}, asked)
    out.seconds = round(time.perf_counter() - started, 2)
    return out


def search_if_asked(database: Database, library: BundleLibrary, actor: Actor) -> Search | None:
    """A search, if somebody asked for one since the last; None otherwise, or without a playbook for it."""
    with database.reading() as reader:
        if not store.searches_asked(reader) or not has_playbook(library.current(reader)):
            return None
    return find_duplicates(database, library, actor)


def _gather(reader: Reader, out: Search, progress: Progress) -> tuple[list[Prepared], set[int], dict[str, str]]:
    """Everybody fresh, and whoever shares a key with one of them; which are fresh; their digests."""
    records: list[Prepared] = []
    digests: dict[str, str] = {}
    keys: set[str] = set()
    for page in _pages(reader):
        seen = store.seen_of(reader, [record.id for record in page])
        out.customers += len(page)
        progress("reading", out.customers, 0)
        for record in page:
            digest = store.digest_of(record)
            if seen.get(record.id) == digest:
                continue
            if len(records) >= MAX_FRESH:
                out.left += 1
                continue
            digests[record.id] = digest
            records.append(prepare(record))
            keys.update(keys_of(records[-1]))
    out.fresh = len(records)
    if records and out.fresh < out.customers:
        for page in _pages(reader):
            others = (prepare(record) for record in page if record.id not in digests)
            records += [one for one in others if any(key in keys for key in keys_of(one))]
    return records, set(range(out.fresh)), digests


def _pages(reader: Reader) -> Iterator[list[Record]]:
    after = ""
    while page := list_living(reader, after, _PAGE):
        yield store.records_of(reader, page)
        after = page[-1].id


def _compare(records: list[Prepared], fresh: set[int], out: Search, progress: Progress) -> list[Candidate]:
    # Here, because it loads rapidfuzz, which a process that never compares anything can do without.
    from fairlead.sales.matching.scoring import compare_prepared  # noqa: PLC0415

    blocks = pairs_of(records, fresh)
    out.compared = len(blocks.pairs)
    out.blocks_passed_over, out.largest_blocks, out.cut_short = blocks.passed_over, blocks.too_large, blocks.cut_short
    thresholds = Thresholds()
    found: list[Candidate] = []
    counts: Counter[Band] = Counter()
    for done, pair in enumerate(blocks.pairs):
        if done % 5_000 == 0:
            progress("comparing", done, len(blocks.pairs))
        left, right = _ordered(records, pair)
        match = compare_prepared(left, right, thresholds)
        if match.relation in _DUPLICATES:
            counts[match.band] += 1
            found.append(Candidate(left.record, right.record, match))
        elif match.relation is Relation.SAME_COMPANY:
            out.same_company += 1
    out.sure, out.unsure = counts[Band.SURE], counts[Band.UNSURE]
    return found


def _ordered(records: list[Prepared], pair: Pair) -> tuple[Prepared, Prepared]:
    left, right = records[pair.left], records[pair.right]
    return (left, right) if left.record.id < right.record.id else (right, left)


def _choose(reader: Reader, found: list[Candidate], out: Search, limit: int) -> tuple[list[Candidate], list[Candidate]]:
    """Which pairs to open now, and which a later search has to look at again."""
    known = store.known_pairs(reader, {record.id for one in found for record in (one.left, one.right)})
    states = _case_states(reader, [row.case_id for row in known.values() if row.state == "open"])
    running = {ids for ids, row in known.items() if row.state == "open" and states.get(row.case_id) != "ended"}
    fresh: list[Candidate] = []
    for one in found:
        ids = (one.left.id, one.right.id)
        if ids in running or (ids in known and known[ids].digest == one.digest):
            out.known += 1
        else:
            fresh.append(Candidate(one.left, one.right, one.match, again=ids in known))
    chosen, implied = linked(running, fresh)
    out.implied, out.waiting = len(implied), max(0, len(chosen) - limit)
    return chosen[:limit], [*implied, *chosen[limit:]]


def _case_states(reader: Reader, case_ids: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(case_ids), 500):
        found |= states_of(reader, case_ids[start : start + 500])
    return found


def _open(
    database: Database, library: BundleLibrary, actor: Actor, chosen: list[Candidate], out: Search, progress: Progress
) -> None:
    for start in range(0, len(chosen), _OPENED_AT_ONCE):
        progress("opening", start, len(chosen))
        with database.transaction(Lane.BULK) as uow:
            part = chosen[start : start + _OPENED_AT_ONCE]
            out.opened += open_pairs(uow, actor, library.current(uow), part)


def _remember(database: Database, digests: dict[str, str], asked: list[str]) -> None:
    """Last, so that a search that was killed is begun again."""
    listed = list(digests.items())
    for start in range(0, len(listed), _PAGE):
        with database.transaction(Lane.BULK) as uow:
            store.mark_seen(uow, dict(listed[start : start + _PAGE]))
    with database.transaction(Lane.BULK) as uow:
        store.searches_done(uow, asked)


def _shown(one: Candidate) -> dict[str, Any]:
    return {
        "left": one.left.id, "right": one.right.id, "relation": one.match.relation.value, "score": one.match.score,
        "band": one.match.band.value, "reasons": [reason.as_dict() for reason in one.match.reasons],
        "flags": list(one.match.flags), "names": [_name(one.left), _name(one.right)],
    }  # fmt: skip


def _name(record: Record) -> str:
    return " · ".join(part for part in (record.name, record.company) if part) or record.id
