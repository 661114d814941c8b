"""All SQL about API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from fairlead.people.model import ApiKey
from fairlead.people.store import MOST_LISTED
from fairlead.people.tables import api_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.kit.unit_of_work import Reader, UnitOfWork


def _api_key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        checkpoints=tuple(row.checkpoints),
        max_value_minor=row.max_value_minor,
        flags=tuple(row.flags),
        created_by=row.created_by,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def insert_api_key(uow: UnitOfWork, new: ApiKey, secret_hash: str, webhook_secret: str | None) -> None:
    """One key, of whose secret only the hash is kept."""
    values = {
        "id": new.id,
        "name": new.name,
        "secret_hash": secret_hash,
        "scopes": list(new.scopes),
        "checkpoints": list(new.checkpoints),
        "max_value_minor": new.max_value_minor,
        "flags": list(new.flags),
        "webhook_secret": webhook_secret,
        "created_by": new.created_by,
        "created_at": new.created_at,
    }
    uow.execute(insert(api_key).values(**values))


_FIND_API_KEY = select(api_key).where(api_key.c.id == bindparam("this_id"))  # asked on every request


def find_api_key(reader: Reader, key_id: str) -> tuple[ApiKey, str] | None:
    """The key and its secret's hash, revoked ones too."""
    row = reader.execute(_FIND_API_KEY, {"this_id": key_id}).first()
    return (_api_key(row), str(row.secret_hash)) if row else None


def find_webhook_secret(reader: Reader, key_id: str) -> str | None:
    """None for a revoked key, an unknown one, and one that never got any."""
    query = select(api_key.c.webhook_secret).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
    return reader.execute(query).scalar_one_or_none()


def find_webhook(reader: Reader, key_id: str) -> tuple[str, str] | None:
    """Address and secret of a key in force that registered one."""
    c = api_key.c
    mine = (c.id == key_id, c.revoked_at.is_(None), c.webhook_url.is_not(None), c.webhook_secret.is_not(None))
    row = reader.execute(select(c.webhook_url, c.webhook_secret).where(*mine)).first()
    return (row.webhook_url, row.webhook_secret) if row else None


def set_webhook_url(uow: UnitOfWork, key_id: str, url: str | None) -> bool:
    """False for a key that is unknown, revoked or has no secret to sign with."""
    c = api_key.c
    mine = (c.id == key_id, c.revoked_at.is_(None), c.webhook_secret.is_not(None))
    return uow.execute(update(api_key).where(*mine).values(webhook_url=url)).rowcount == 1


def all_api_keys(reader: Reader) -> Sequence[ApiKey]:
    """Newest first, revoked ones too, at most `MOST_LISTED`."""
    query = select(api_key).order_by(api_key.c.created_at.desc(), api_key.c.id.desc()).limit(MOST_LISTED)
    return [_api_key(row) for row in reader.execute(query)]


def revoke_api_key(uow: UnitOfWork, key_id: str) -> None:
    """The first revocation's time stays."""
    c = api_key.c
    uow.execute(update(api_key).where(c.id == key_id, c.revoked_at.is_(None)).values(revoked_at=uow.now))
