"""Sealing: what was committed since the last seal goes into one signed batch."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from fairlead.audit import store
from fairlead.audit.model import GENESIS, SealRow, head_of, signed_bytes
from fairlead.audit.ranges import Gap, gaps_between
from fairlead.kit.clock import to_micros
from fairlead.kit.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.audit.signing import Signer

SEAL_LIMIT = 20_000
_MISSING_FOR_US = 3_600 * 1_000_000  # transactions are cut off after minutes, so an hour is final


def seal_entries(uow: UnitOfWork, signer: Signer, *, limit: int = SEAL_LIMIT) -> SealRow | None:
    """Seal what has been committed since the last seal, in one signed batch; None when there is nothing.

    Order is commit order: a row whose transaction ended after later ids were sealed goes into the next
    seal. At most `limit` rows; call again until None.
    """
    store.lock_sealing(uow)
    last = store.last_seal(uow)
    now = to_micros(uow.now)
    above = last.highest if last else 0
    missing = [gap for gap in last.missing if now - gap[2] < _MISSING_FOR_US] if last else []
    rows = store.unsealed(uow, above, [(a, b) for a, b, _ in missing], limit)
    if not rows:
        return None
    ids = tuple(row.id for row in rows)
    digests = b"".join(row.digest() for row in rows)
    no, previous = (last.no + 1, last.head) if last else (1, GENESIS)
    highest = max(above, ids[-1])
    gaps = _still_missing(missing, ids, above, now)
    head = head_of(no, now, ids, highest, gaps, digests, previous)
    signature = signer.sign(signed_bytes(no, now, head))
    seal = SealRow(no, now, ids, highest, gaps, digests, previous, head, signature)
    store.insert_seal(uow, seal)
    return seal


def _still_missing(before: Sequence[Gap], ids: Sequence[int], above: int, now: int) -> tuple[Gap, ...]:
    kept = []
    for first, last, noticed in before:
        inside = ids[bisect_left(ids, first) : bisect_right(ids, last)]
        kept += [(a, b, noticed) for a, b in gaps_between(inside, first, last)]
    fresh = ids[bisect_right(ids, above) :]
    if fresh:
        kept += [(a, b, now) for a, b in gaps_between(fresh, above + 1, fresh[-1])]
    return tuple(kept)
