"""Notices: the wording that stands beside a question, kept in every version that anybody was shown."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any

from fairlead.customers import consent_store, contact_store
from fairlead.customers.consents import Notice
from fairlead.customers.model import check_text
from fairlead.errors import NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork

MAX_NOTICE = 20_000
MAX_NOTICES = 1_000


def publish_notice(uow: UnitOfWork, actor: Actor, name: str, language: str, text: str) -> Notice:
    """The notice with this text as the newest version of (name, language); the standing one if it says just that.

    Consents that were given under another text of the same name and language are `outdated` from then on. Line
    ends and forms of letters do not make another text.
    """
    check_text("name", name, needed=True, limit=100)
    check_text("language", language, needed=True, limit=35)
    text = unicodedata.normalize("NFC", "\n".join(text.splitlines())).strip()
    check_text("text", text, needed=True, limit=MAX_NOTICE)
    digest = hashlib.sha256(text.encode()).hexdigest()
    before = consent_store.newest_notice(uow, name, language)
    if before is None or before.digest != digest:
        contact_store.lock_address(uow, "notice", f"{name} {language}")  # then look again: versions have no gaps
        before = consent_store.newest_notice(uow, name, language)
    if before is not None and before.digest == digest:
        return before
    version = before.version + 1 if before else 1
    one = Notice(new_id("ntc"), name, version, language, digest)
    consent_store.insert_notice(uow, one, text, str(actor))
    payload = {"name": name, "language": language, "version": version, "digest": digest}
    uow.record(AuditEntry("notice.published", one.id, payload, actor=actor))
    return one


def notice_of(reader: Reader, notice_id: str) -> Notice:
    """The notice; NotFoundError when there is none."""
    return _found(reader, notice_id)[0]


def notice_text(reader: Reader, notice_id: str) -> str:
    """Exactly what was shown; NotFoundError for an unknown notice."""
    return _found(reader, notice_id)[1]


def notice_texts(reader: Reader, notice_ids: Iterable[str]) -> dict[str, str]:
    """The same of several, by id; unknown ids are absent."""
    return consent_store.notice_texts(reader, notice_ids)


def current_notice(reader: Reader, name: str, language: str, version: int | None = None) -> Notice | None:
    """The newest version of a notice, or exactly this version; None when it was never published."""
    return consent_store.newest_notice(reader, name, language, version)


def notices(reader: Reader) -> list[Any]:
    """Every version with its `text`, `actor` and `at`, by name and language, newest first; at most 1,000."""
    return consent_store.all_notices(reader, MAX_NOTICES)


def _found(reader: Reader, notice_id: str) -> tuple[Notice, str]:
    found = consent_store.notice(reader, notice_id)
    if found is None:
        message = f"there is no notice {notice_id}"
        raise NotFoundError(message, notice=notice_id)
    return found
