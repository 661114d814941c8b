"""The lines of an export: what a seal and an entry look like there, and back again."""

from __future__ import annotations

from typing import Any

from fairlead.audit.model import DIGEST_BYTES, EntryRow, SealRow
from fairlead.audit.ranges import format_ranges, gaps_of, parse_ranges
from fairlead.kit import jsons

FORMAT = "fairlead-audit-1"
_KINDS = ("seal", "entry", "unsealed", "end")


def line_of(**fields: Any) -> str:
    """The fields as JSON, with the line's end."""
    return jsons.dumps(fields) + "\n"


def seal_fields(seal: SealRow) -> dict[str, Any]:
    """Bytes as hex digits, ids as ranges."""
    return {
        "no": seal.no,
        "at": seal.at,
        "ids": format_ranges(seal.ids),
        "highest": seal.highest,
        "missing": seal.missing,
        "digests": seal.digests.hex(),
        "previous": seal.previous.hex(),
        "head": seal.head.hex(),
        "signature": seal.signature.hex(),
    }


def entry_fields(row: EntryRow) -> dict[str, Any]:
    """Bytes as hex digits; `key` and `body` None once the customer was erased."""
    return {
        "id": row.id,
        "at": row.at,
        "verb": row.verb,
        "actor": row.actor,
        "subject": row.subject,
        "scope": row.scope,
        "commitment": row.commitment.hex(),
        "body": row.body,
        "key": row.secret.hex() if row.secret is not None else None,
    }


def row_of(line: str) -> tuple[str, SealRow | EntryRow | int]:
    """What a line says (the end: how many entries); ValueError unless it stands as we would write it."""
    fields = jsons.loads(line)
    kind = fields.pop("type")
    value: SealRow | EntryRow | int
    if kind == "seal":
        value = _seal_of(fields)
        again = seal_fields(value)
    elif kind in ("entry", "unsealed"):
        value = _entry_of(fields)
        again = entry_fields(value)
    else:
        value = int(fields["entries"])
        again = {"entries": value}
    if kind not in _KINDS or line_of(type=kind, **again) != line:
        message = "not written as Fairlead writes it"
        raise ValueError(message)
    return kind, value


def _seal_of(fields: dict[str, Any]) -> SealRow:
    digests = bytes.fromhex(fields["digests"])
    return SealRow(
        int(fields["no"]),
        int(fields["at"]),
        parse_ranges(fields["ids"], len(digests) // DIGEST_BYTES),
        int(fields["highest"]),
        gaps_of(fields["missing"]),
        digests,
        bytes.fromhex(fields["previous"]),
        bytes.fromhex(fields["head"]),
        bytes.fromhex(fields["signature"]),
    )


def _entry_of(fields: dict[str, Any]) -> EntryRow:
    key = fields["key"]
    return EntryRow(
        int(fields["id"]),
        int(fields["at"]),
        str(fields["verb"]),
        str(fields["actor"]),
        str(fields["subject"]),
        str(fields["scope"]),
        bytes.fromhex(fields["commitment"]),
        fields["body"],
        bytes.fromhex(key) if key is not None else None,
    )
