"""The search for duplicates: everybody new or changed against everybody, in short transactions."""

from __future__ import annotations

import time

from fairlead.kit.actors import Actor
from fairlead.kit.database import Database
from fairlead.kit.lanes import Lane
from fairlead.playbooks import BundleLibrary
from fairlead.sales.matching import records, store
from fairlead.sales.matching.finding import PAGE, choose, compare_all, gather
from fairlead.sales.matching.search import Search, SearchProgress, shown
from fairlead.sales.matching.service import Candidate, check_playbook, has_playbook, open_pairs

MAX_OPENED = 1_000
"""Cases that one search opens, so that a bad list does not bury the desk."""
SHOWN = 200
_OPENED_AT_ONCE = 50


def find_duplicates(
    database: Database,
    library: BundleLibrary,
    actor: Actor,
    *,
    dry_run: bool = False,
    limit: int = MAX_OPENED,
    progress: SearchProgress = lambda _what, _done, _of: None,
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
        records, fresh, digests = gather(reader, out, progress)
    found = compare_all(records, fresh, out, progress)
    with database.reading() as reader:
        chosen, later = choose(reader, found, out, limit)
    unsettled = {record.id for one in later for record in (one.left, one.right)}
    out.pairs = [shown(one) for one in chosen[:SHOWN]]
    if not dry_run:
        _open(database, library, actor, chosen, out, progress)
        _remember(database, {one: digest for one, digest in digests.items() if one not in unsettled}, asked)
    out.seconds = round(time.perf_counter() - started, 2)
    return out


def search_if_asked(
    database: Database, library: BundleLibrary, actor: Actor, progress: SearchProgress = lambda _what, _done, _of: None
) -> Search | None:
    """A search, if somebody asked for one since the last; None otherwise, or without a playbook for it."""
    with database.reading() as reader:
        if not store.searches_asked(reader) or not has_playbook(library.current(reader)):
            return None
    return find_duplicates(database, library, actor, progress=progress)


def _open(
    database: Database,
    library: BundleLibrary,
    actor: Actor,
    chosen: list[Candidate],
    out: Search,
    progress: SearchProgress,
) -> None:
    for start in range(0, len(chosen), _OPENED_AT_ONCE):
        progress("opening", start, len(chosen))
        with database.transaction(Lane.BULK) as uow:
            part = chosen[start : start + _OPENED_AT_ONCE]
            out.opened += open_pairs(uow, actor, library.current(uow), part)


def _remember(database: Database, digests: dict[str, str], asked: list[str]) -> None:
    """Last, so that a search that was killed is begun again."""
    listed = list(digests.items())
    for start in range(0, len(listed), PAGE):
        with database.transaction(Lane.BULK) as uow:
            records.mark_seen(uow, dict(listed[start : start + PAGE]))
    with database.transaction(Lane.BULK) as uow:
        store.searches_done(uow, asked)
