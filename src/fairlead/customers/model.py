"""Customers as pure data: who a draft is, what a policy may read, how a name is looked up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict

from fairlead.errors import InputError

MAX_TEXT = 500
MAX_WORDS = 10_000
MAX_IDENTITIES = 20

Identity = tuple[str, str]
"""(kind, normalised value); the caller normalises, nobody changes it afterwards."""


class IdentityKind(StrEnum):
    """What a customer is recognised by; where two identities disagree, the kind named first here wins."""

    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL_ID = "external_id"


_RANK: dict[str, int] = {kind.value: rank for rank, kind in enumerate(IdentityKind)}


class ConsentState(StrEnum):
    """What the customer said last about a purpose and a channel; no row means never asked."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    PENDING = "pending"
    """Asked with a link that nobody has pressed yet; allows nothing."""


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """What a lead, a message or a caller says about a person.

    `country` is ISO 3166 alpha-2, `language` BCP 47, `value_minor` minor units of the workspace's currency;
    None where unknown. `source` names where it came from. InputError for text that cannot be stored.
    """

    name: str = ""
    company: str = ""
    country: str | None = None
    language: str | None = None
    value_minor: int | None = None
    identities: tuple[Identity, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what is too long, empty where it may not be, or of an unknown kind."""
        check_text("name", self.name)
        check_text("company", self.company)
        check_text("source", self.source)
        check_text("country", self.country or "")
        check_text("language", self.language or "")
        if len(self.identities) > MAX_IDENTITIES:
            message = f"a customer is given {len(self.identities)} identities at once; at most {MAX_IDENTITIES}"
            raise InputError(message, field="identities")
        for kind, value in self.identities:
            check_identity(kind, value)


class ResolvedCustomer(NamedTuple):
    """The customer of a draft; `is_new` for the one draft of a batch that made the customer."""

    id: str
    is_new: bool


class Conflict(NamedTuple):
    """A draft of `customer_id` also named an identity of `kind` that is `other_id`'s; nothing was merged."""

    customer_id: str
    other_id: str
    kind: str


class CustomerFacts(TypedDict):
    """What a policy may read of a customer: a plain dict, ready for JSON and CEL."""

    id: str
    country: str | None
    language: str | None
    owner: str | None
    value_minor: int | None
    erased: bool
    flags: dict[str, Any]
    """Flags that count now, with their values; a flag taken back or expired is absent."""
    consents: dict[str, dict[str, str]]
    """purpose → channel → `given`, `withdrawn`, `pending` or `expired`; absent where never asked, `*` for all."""
    suppressed: list[str]
    """Channels on which nothing at all may be sent to an address of the customer now, sorted."""
    unsubscribed: list[str]
    """Channels on which an address of the customer takes no promotions now, sorted."""
    verified: list[str]
    """Kinds of identity that are verified, sorted."""
    identity_checked: bool
    """Whether account facts may be spoken of now, on the strength of a one-time code."""


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """An identity as it is stored; `verified_at` None: nobody proved that it is theirs."""

    kind: str
    value: str
    source: str
    added_at: datetime
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer's page: everything current, not what it once was."""

    id: str
    name: str
    company: str
    time_zone: str | None
    created_at: datetime
    erased_at: datetime | None
    identities: tuple[KnownIdentity, ...]
    facts: CustomerFacts
    merged: tuple[str, ...] = ()
    """Ids of records that were merged into this one and are answered by it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One hit of a search; `by` says what began with the text: name, company, id or a kind of identity."""

    id: str
    name: str
    company: str
    by: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something on a customer's timeline; `subject` is the id of the case, review or action, "" for none."""

    id: str
    at: datetime
    kind: str
    words: str
    subject: str


@dataclass(frozen=True, slots=True)
class TimelineNote:
    """A line to be written on a timeline."""

    customer_id: str
    kind: str
    words: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What a customer allowed or withdrew, and how that can be shown.

    `mechanism` is how it was said (`web_form`, `double_opt_in`, `reply_stop`); `proof` any JSON that shows
    it, at most 16 KiB, erased with the customer. `notice` is the id of the wording that was shown, None where
    that is not known; a consent given counts until `expires_at`, None: until withdrawn. `at` is when it was said,
    None: now; what is older than a newer word does not overrule it. `*` as purpose or channel, in a withdrawal
    only, means every one.
    """

    purpose: str
    channel: str
    state: ConsentState
    mechanism: str
    source: str
    proof: dict[str, Any] = field(default_factory=dict)
    notice: str | None = None
    expires_at: datetime | None = None
    at: datetime | None = None


@dataclass(slots=True)
class Resolution:
    """What must be written so that every draft has its customer."""

    resolved: list[ResolvedCustomer] = field(default_factory=list)
    new: list[tuple[str, CustomerDraft]] = field(default_factory=list)
    added: dict[Identity, tuple[str, str]] = field(default_factory=dict)
    """Identities nobody had: → (customer id, source)."""
    conflicts: dict[Conflict, None] = field(default_factory=dict)
    """In the order in which they were met; a conflict met twice is noted once."""


def resolve(
    drafts: Sequence[CustomerDraft],
    known: Mapping[Identity, str],
    fresh_ids: Iterable[str],
    mailed: AbstractSet[str] = frozenset(),
) -> Resolution:
    """Whose drafts these are, one after the other, so that cutting a batch in two changes nothing.

    A draft belongs to the customer of its first known identity, by kind and then by position; but a telephone
    number alone does not make two e-mail addresses one person (`mailed`: customers known to have an address),
    since colleagues share numbers. Identities that nobody has become the draft's customer's; one that is somebody
    else's stays there and is a conflict. `fresh_ids` gives at least one id per draft.
    """
    out = Resolution()
    ids = iter(fresh_ids)
    added = out.added
    with_address: set[str] = set()
    for draft in drafts:
        identities = draft.identities
        if len(identities) > 1:
            identities = tuple(sorted(identities, key=_rank))
        holders = [known.get(one) or (added[one][0] if one in added else None) for one in identities]
        holder = next((one for one in holders if one), None)
        if holder is not None and _only_a_number(identities, holders, holder, mailed, with_address):
            holder = None
        customer_id = holder or next(ids)
        if holder is None:
            out.new.append((customer_id, draft))
        for identity, owner in zip(identities, holders, strict=True):
            if identity[0] == IdentityKind.EMAIL:
                with_address.add(owner or customer_id)
            if owner is None:
                added.setdefault(identity, (customer_id, draft.source))
            elif owner != customer_id:
                out.conflicts[Conflict(customer_id, owner, identity[0])] = None
        out.resolved.append(ResolvedCustomer(customer_id, holder is None))
    return out


def _only_a_number(
    identities: Sequence[Identity],
    holders: Sequence[str | None],
    holder: str,
    mailed: AbstractSet[str],
    with_address: AbstractSet[str],
) -> bool:
    """Whether the draft brings an e-mail address of its own and shares but a telephone number with the holder."""
    if holder not in mailed and holder not in with_address:
        return False
    kinds = {identity[0] for identity, owner in zip(identities, holders, strict=True) if owner == holder}
    fresh_mail = any(
        identity[0] == IdentityKind.EMAIL and owner is None for identity, owner in zip(identities, holders, strict=True)
    )
    return fresh_mail and kinds == {IdentityKind.PHONE.value}


def _rank(identity: Identity) -> int:
    return _RANK[identity[0]]


def fold(text: str) -> str:
    """How text is compared in a search: forms and case folded, each run of white space one blank."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def after_prefix(prefix: str) -> str | None:
    """The least text, by code point, above everything that begins with `prefix`; None when there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[end])
        if point < 0x10FFFF:  # noqa: PLR2004  the last code point there is
            following = 0xE000 if point == 0xD7FF else point + 1  # noqa: PLR2004  surrogates are no text
            return prefix[:end] + chr(following)
    return None


def check_text(name: str, text: str, *, limit: int = MAX_TEXT, needed: bool = False) -> None:
    """InputError when `text` is longer than `limit` characters, has a NUL, or is empty though `needed`."""
    if len(text) > limit:
        message = f"{name} has {len(text)} characters; at most {limit} are kept"
        raise InputError(message, field=name)
    if "\0" in text:
        message = f"{name} contains a NUL character; remove it"
        raise InputError(message, field=name)
    if needed and not text.strip():
        message = f"{name} is empty"
        raise InputError(message, field=name)


def check_identity(kind: str, value: str) -> None:
    """InputError for a kind of identity that does not exist, or a value that cannot be one."""
    if kind not in _RANK:
        message = f"there is no kind of identity {kind!r}; known are {', '.join(_RANK)}"
        raise InputError(message, field="identities", kind=kind)
    check_text(kind, value, needed=True)
