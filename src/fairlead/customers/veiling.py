"""Addresses of erased customers: kept as keyed digests alone, so that nobody writes to them and nobody reads them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.customers import tables as t
from fairlead.kit.ids import new_id
from fairlead.kit.statements import among
from fairlead.kit.unit_of_work import Reader, UnitOfWork

NAME = "erased"
VEIL = "erased:"
WORDS = "kept when the customer was erased"
_BYTES = 32
_SEED = "SELECT seed FROM address_seed WHERE name = ?"


def veiled(reader: Reader, addresses: Iterable[str]) -> dict[str, str]:
    """Digest → normalised address; empty until somebody was erased."""
    rows = reader.fetch(_SEED, NAME)
    return {_digest(rows[0][0], address): address for address in addresses} if rows else {}


def veil(uow: UnitOfWork, reaches: Iterable[tuple[str, str]]) -> None:
    """Put digests in the place of these normalised (channel, address), and send them nothing promotional any more.

    What was suppressed stays so; words and sources, in which anything may stand, go.
    """
    wanted = sorted(set(reaches))
    if not wanted:
        return
    seed = _ensure_seed(uow)
    c = t.suppression.c
    for address in sorted({address for _, address in wanted}):
        mine = among(uow, c.address, [address, _digest(seed, address)])
        uow.execute(update(t.suppression).where(mine).values(address=_digest(seed, address), reason=WORDS, source=NAME))
    for channel, address in wanted:
        values = {"channel": channel, "address": _digest(seed, address), "state": "suppressed", "scope": "promotional"}
        uow.execute(insert(t.suppression).values(id=new_id("sup"), at=uow.now, reason=WORDS, source=NAME, **values))


def _ensure_seed(uow: UnitOfWork) -> str:
    dialect = postgresql if uow.dialect == "postgresql" else sqlite
    values = {"name": NAME, "seed": secrets.token_bytes(_BYTES).hex(), "at": uow.now}
    uow.execute(dialect.insert(t.address_seed).values(**values).on_conflict_do_nothing())
    found: str = uow.execute(select(t.address_seed.c.seed).where(t.address_seed.c.name == NAME)).scalar_one()
    return found


def _digest(seed: str, address: str) -> str:
    return VEIL + hmac.digest(bytes.fromhex(seed), address.encode(), hashlib.sha256).hex()
