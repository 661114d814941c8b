"""Who is compared with whom, and which of the pairs that were found are opened: reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fairlead.customers import list_living
from fairlead.kit.unit_of_work import Reader
from fairlead.playbooks import states_of
from fairlead.sales.matching import store
from fairlead.sales.matching.blocking import keys_of, pairs_of
from fairlead.sales.matching.model import Band, Pair, Record, Relation, Thresholds
from fairlead.sales.matching.prepared import Prepared, prepare
from fairlead.sales.matching.records import digest_of, records_of, seen_of
from fairlead.sales.matching.search import Search, SearchProgress
from fairlead.sales.matching.service import Candidate, linked

MAX_FRESH = 100_000
"""New or changed customers that one search takes; the others are the next one's."""
PAGE = 1_000
_DUPLICATES = frozenset({Relation.SAME_PERSON, Relation.SAME_ACCOUNT})


def gather(reader: Reader, out: Search, progress: SearchProgress) -> tuple[list[Prepared], set[int], dict[str, str]]:
    """Everybody fresh, and whoever shares a key with one of them; which are fresh; their digests."""
    records: list[Prepared] = []
    digests: dict[str, str] = {}
    keys: set[str] = set()
    for page in _pages(reader):
        seen = seen_of(reader, [record.id for record in page])
        out.customers += len(page)
        progress("reading", out.customers, 0)
        for record in page:
            digest = digest_of(record)
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
    while page := list_living(reader, after, PAGE):
        yield records_of(reader, page)
        after = page[-1].id


def compare_all(records: list[Prepared], fresh: set[int], out: Search, progress: SearchProgress) -> list[Candidate]:
    # Here, because it loads rapidfuzz, which a process that never compares anything can do without.
    """Every pair that shares a key and looks like one customer."""
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


def choose(reader: Reader, found: list[Candidate], out: Search, limit: int) -> tuple[list[Candidate], list[Candidate]]:
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
