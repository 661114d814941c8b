"""What a verdict binds to, as one text that can tell afterwards which part of it changed.

Four parts joined by dots: digest of the proposal, digest of the facts, the role that decides now, and all
that is needed to settle (the number of people, or a digest where several roles have a say).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from fairlead.errors import InputError

Needs = tuple[tuple[str, int], ...]

_PARTS = ("proposal", "facts", "role", "quorum")
_HEX = 32  # 128 bits of each SHA-256: nobody finds a second proposal to the same digits
_ROLE_HEX = 16
MATTER_CHARS = 2 * _HEX + 2
TERMS_FROM = MATTER_CHARS + _ROLE_HEX + 2  # counted from 1, as SQL does
MAX_DIGEST_CHARS = 120


@lru_cache(maxsize=1024)
def role_part(role: str) -> str:
    """How a digest names a role."""
    return hashlib.sha256(role.encode("utf-8", "surrogatepass")).hexdigest()[:_ROLE_HEX]


@lru_cache(maxsize=1024)
def _terms_part(needs: Needs) -> str:
    return str(needs[0][1]) if len(needs) == 1 else role_part(repr(needs))


def bind(proposal_digest: str, facts_digest: str, role: str, needs: Needs) -> str:
    """The digest; the two given ones are SHA-256 in hex, InputError when they are too short for it."""
    if len(proposal_digest) < _HEX or len(facts_digest) < _HEX:
        message = "A review binds to SHA-256 digests of its proposal and its facts."
        raise InputError(message, proposal=proposal_digest, facts=facts_digest)
    return f"{proposal_digest[:_HEX]}.{facts_digest[:_HEX]}.{role_part(role)}.{_terms_part(needs)}"


def rebind(
    digest: str,
    role: str,
    needs: Needs,
    *,
    proposal_digest: str | None = None,
    facts_digest: str | None = None,
) -> str:
    """The same binding before another role or with other needs, and of other content where it is given."""
    proposal, facts, _, _ = digest.split(".")
    return bind(proposal_digest or proposal, facts_digest or facts, role, needs)


def matter(digest: str) -> tuple[str, ...]:
    """What is decided, whichever role is just looking at it; votes on the same matter count together."""
    parts = digest.split(".")
    return (*parts[:2], *parts[3:])


def cast_as(digest: str) -> str:
    """The role part of a vote's digest, to be compared with `role_part`."""
    return digest.split(".")[2]


def changes(shown: str, now: str, role: str, needs: Needs) -> dict[str, dict[str, Any]]:
    """By part what differs between the page's digest and the review's; {} when nothing does.

    The present role and what is needed are named, since a page can say them; content only by its digest. A
    text that is no digest of ours differs in every part.
    """
    if shown == now:
        return {}
    old, new = shown[:MAX_DIGEST_CHARS].split("."), now.split(".")
    if len(old) != len(new):
        old = [""] * len(new)
    words = {"role": role, "quorum": ", ".join(f"{count} × {one}" for one, count in needs)}
    return {
        part: {"now": words[part]} if part in words else {"was": a, "now": b}
        for part, a, b in zip(_PARTS, old, new, strict=True)
        if a != b
    }
