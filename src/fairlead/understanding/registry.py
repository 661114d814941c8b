"""The registry of trained scores: their versions, and which one is in use."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairlead.errors import ConflictError, InputError, NotFoundError
from fairlead.kit.actors import Actor
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.understanding import store
from fairlead.understanding.sealing import digest_of, seal

if TYPE_CHECKING:
    from fairlead.understanding.predicting import LeadModel

_LABEL = re.compile(r"([a-z][a-z0-9-]{0,63})@([1-9][0-9]{0,8})")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class Registered:
    """A stored version; `producer` is its `name@version`."""

    producer: str
    name: str
    version: int
    digest: str
    in_use: bool


def models_key(secret: str) -> bytes:
    """What trained scores are sealed with, from the installation's secret key; it tells nothing of other keys."""
    return hmac.digest(secret.encode(), b"fairlead models", hashlib.sha256)


def require_name(name: str) -> None:
    """InputError unless `name` can stand before the `@` of a producer."""
    if not _NAME.fullmatch(name):
        message = f"{name[:80]!r} cannot name a model; use small letters, digits and -"
        raise InputError(message, code="model_name")


def parse_producer(producer: str) -> tuple[str, int]:
    """`lead-score@3` → ("lead-score", 3); InputError for anything else."""
    found = _LABEL.fullmatch(producer)
    if found is None:
        message = f"{producer[:80]!r} is no model; write name@version, e.g. lead-score@3"
        raise InputError(message, code="model_name")
    return found[1], int(found[2])


def register(
    uow: UnitOfWork, actor: Actor, key: bytes, model: LeadModel, *, origin: str = "trained", note: str = ""
) -> Registered:
    """Store a model as the next version of its name; the first one that tells more than chance is in use at once.

    ConflictError when somebody stored one at the same moment.
    """
    from fairlead.understanding.documents import pack  # noqa: PLC0415  loads numpy

    require_name(model.name)
    version = store.next_version(uow, model.name)
    producer, packed = f"{model.name}@{version}", pack(model)
    report = dict(model.report)
    values = {
        "id": new_id("mod"), "name": model.name, "version": version, "digest": digest_of(packed),
        "seal": seal(key, producer, packed), "data_fingerprint": str(report.get("data_fingerprint", "")),
        "report": report, "document": packed, "origin": origin, "note": note[:500], "made_by": str(actor),
        "made_at": uow.now,
    }  # fmt: skip
    if not store.insert_model(uow, values):
        message = f"somebody else stored {producer} at this moment; do it again"
        raise ConflictError(message, producer=producer)
    payload = {
        "producer": producer, "digest": values["digest"], "origin": origin, "rows": report.get("rows"),
        "auc": report.get("auc"), "data_fingerprint": values["data_fingerprint"],
        "refused": [one["column"] for one in report.get("columns_refused", [])][:200],
    }  # fmt: skip
    uow.record(AuditEntry("model.registered", producer, payload, actor=actor))
    first = store.in_use(uow, model.name) is None and report.get("useful") is not False
    if first:
        use_model(uow, actor, producer)
    return Registered(producer, model.name, version, str(values["digest"]), in_use=first)


def use_model(uow: UnitOfWork, actor: Actor, producer: str) -> None:
    """Score with this version from now on; NotFoundError when there is none."""
    name, version = parse_producer(producer)
    if version not in store.versions(uow, name):
        raise unknown_model(uow, producer)
    before = store.in_use(uow, name)
    store.set_in_use(uow, name, version, str(actor))
    payload = {"producer": producer, "before": f"{name}@{before[0]}" if before else None}
    uow.record(AuditEntry("model.used", producer, payload, actor=actor))


def unknown_model(reader: Reader, producer: str) -> NotFoundError:
    """Says what was probably meant."""
    name, _ = parse_producer(producer)
    known = [f"{name}@{version}" for version in store.versions(reader, name)] or store.names(reader)
    return NotFoundError(f"there is no model {producer}. {did_you_mean(producer, known) or ''}".rstrip())


def report_of(reader: Reader, producer: str) -> dict[str, Any] | None:
    """What is known of a version; None when `producer` is no model of ours."""
    if not _LABEL.fullmatch(producer):
        return None
    found = store.models(reader, parse_producer(producer)[0], 1, parse_producer(producer)[1])
    return _told(found[0])["report"] if found else None


def find_model(reader: Reader, producer: str) -> dict[str, Any]:
    """One version as `list_models` tells it; NotFoundError when there is none."""
    name, version = parse_producer(producer)
    found = store.models(reader, name, 1, version)
    if not found:
        raise unknown_model(reader, producer)
    return _told(found[0])


def list_models(reader: Reader, name: str | None = None, limit: int = MAX_LISTED) -> list[dict[str, Any]]:
    """Versions with their reports, newest first; `in_use` says which ones score now."""
    return [_told(row) for row in store.models(reader, name, limit)]


def _told(row: Any) -> dict[str, Any]:
    return {
        "producer": f"{row.name}@{row.version}", "name": row.name, "version": row.version,
        "in_use": row.used_since is not None, "used_since": row.used_since, "digest": row.digest,
        "data_fingerprint": row.data_fingerprint, "origin": row.origin, "note": row.note, "made_by": row.made_by,
        "made_at": row.made_at, "report": row.report,
    }  # fmt: skip
