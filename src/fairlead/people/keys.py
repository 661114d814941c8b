"""API keys: made by a person, shown once, limited to what they are for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairlead.errors import InputError, NotFoundError
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.people import key_store, secrets
from fairlead.people.model import ANY_CHECKPOINT, KEY_SCOPES, ApiKey, Permission, Principal
from fairlead.people.service import clean_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fairlead.kit.actors import Actor

MOST_NAMES = 200
MAX_VALUE_MINOR = 2**53
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made. `text` (`fl_<id>_<secret>`) is shown now and never again.

    `webhook_secret` signs what Fairlead sends back; None for a key that cannot ask for decisions.
    """

    key: ApiKey
    text: str = field(repr=False)
    webhook_secret: str | None = field(repr=False)


def create_api_key(
    uow: UnitOfWork,
    actor: Actor,
    *,
    name: str,
    scopes: Iterable[str],
    checkpoints: Iterable[str],
    max_value_minor: int | None,
    flags: Iterable[str],
) -> NewApiKey:
    """A key with these permissions and limits; none has a default, so that none is wide by accident.

    `checkpoints` are names, or `*` for all; `max_value_minor` None lets it state any value, 0 none; `flags`
    are the customer flags it may assert. InputError for bad names and scopes unknown or not for programs.
    """
    granted = _clean_scopes(scopes)
    key = ApiKey(
        id=new_id("key"),
        name=clean_name(name),
        scopes=granted,
        checkpoints=_clean_names(checkpoints, "checkpoint", wildcard=True),
        max_value_minor=_clean_value(max_value_minor),
        flags=_clean_names(flags, "flag"),
        created_by=actor.id,
        created_at=uow.now,
    )
    secret = secrets.new_key_secret()
    webhook_secret = secrets.new_webhook_secret() if Permission.DECISIONS_ASK in granted else None
    key_store.insert_api_key(uow, key, secrets.hash_of(secret), webhook_secret)
    payload = {
        "name": key.name,
        "scopes": list(key.scopes),
        "checkpoints": list(key.checkpoints),
        "max_value_minor": key.max_value_minor,
        "flags": list(key.flags),
    }
    uow.record(AuditEntry("api_key.created", key.id, payload, actor=actor))
    return NewApiKey(key, secrets.key_text(key.id, secret), webhook_secret)


def revoke_api_key(uow: UnitOfWork, actor: Actor, key_id: str) -> None:
    """Void from the next request on; a second time is harmless. NotFoundError when there is no such key."""
    found = key_store.find_api_key(uow, key_id)
    if found is None:
        raise NotFoundError("There is no such key.", key=key_id[:64])
    if found[0].revoked_at is None:
        key_store.revoke_api_key(uow, key_id)
        uow.record(AuditEntry("api_key.revoked", key_id, actor=actor))


def list_api_keys(reader: Reader) -> Sequence[ApiKey]:
    """Newest first, revoked ones too, at most 1,000."""
    return key_store.all_api_keys(reader)


def resolve_api_key(reader: Reader, text: str) -> Principal | None:
    """Whom `fl_<id>_<secret>` speaks for; None when malformed, unknown, wrong or revoked.

    How long it takes says nothing about the secret, nor whether the id exists.
    """
    parts = secrets.parse_key(text)
    if parts is None:
        return None
    found = key_store.find_api_key(reader, parts.key_id)
    key, stored_hash = found or (None, None)
    right = secrets.matches(parts.secret, stored_hash)
    if key is None or not right or key.revoked_at is not None:
        return None
    return key.principal()


def webhook_secret_of(reader: Reader, key_id: str) -> str | None:
    """What signs messages to this key's owner; None when the key is unknown, revoked, or cannot ask."""
    return key_store.find_webhook_secret(reader, key_id)


def _clean_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    wanted = set(scopes)
    if not wanted:
        raise InputError("A key needs at least one scope.", code="no_scope")
    for scope in sorted(wanted - KEY_SCOPES):
        why = "is not for programs" if scope in set(Permission) else "does not exist"
        raise InputError(f"The scope {scope[:50]!r} {why}.", code="scope", allowed=sorted(KEY_SCOPES))
    return tuple(sorted(str(scope) for scope in wanted))


def _clean_names(names: Iterable[str], what: str, *, wildcard: bool = False) -> tuple[str, ...]:
    wanted = sorted({str(name) for name in names})
    if len(wanted) > MOST_NAMES:
        raise InputError(f"A key names at most {MOST_NAMES} {what}s.", code="too_many", count=len(wanted))
    for name in wanted:
        if not _NAME.fullmatch(name) and not (wildcard and name == ANY_CHECKPOINT):
            raise InputError(f"{name[:64]!r} is no name of a {what}.", code="name")
    return tuple(wanted)


def _clean_value(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MAX_VALUE_MINOR:
        raise InputError(f"The largest value lies between 0 and {MAX_VALUE_MINOR} minor units.", code="value")
    return value
