"""What a sender asks of the gate, what the gate knows when it answers, and the answer; pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from fairlead.errors import InputError

MAX_NAME = 64
MAX_ADDRESS = 320
MAX_TAGS = 20
MAX_KEY = 200


class PurposeClass(StrEnum):
    """What kind of message a purpose stands for; the law asks other things of each."""

    PROMOTIONAL = "promotional"
    TRANSACTIONAL = "transactional"
    SERVICE_ALERT = "service_alert"


class Mechanism(StrEnum):
    """What a purpose needs from the customer: a yes, no no, or only to have been told."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NOTICE_ONLY = "notice_only"


class Sender(StrEnum):
    """Who wants to write."""

    BOT = "bot"
    AGENT = "agent"
    CAMPAIGN = "campaign"
    SALES = "sales"
    API = "api"


class Verdict(StrEnum):
    """Allowed: send now. Held: not now, ask again. Refused: not this message, whenever."""

    ALLOWED = "allowed"
    HELD = "held"
    REFUSED = "refused"


class Code(StrEnum):
    """Why; stable, meant for programs. Every code but `allowed` stops a message."""

    ALLOWED = "allowed"
    ADDRESS_OF_ANOTHER = "address_of_another"
    NO_ADDRESS = "no_address"
    UNUSABLE_ADDRESS = "unusable_address"
    SUPPRESSED = "suppressed"
    UNKNOWN_PURPOSE = "unknown_purpose"
    CHANNEL_NOT_FOR_PURPOSE = "channel_not_for_purpose"
    ERASED = "erased"
    RESTRICTED = "restricted"
    NO_CONSENT = "no_consent"
    WITHDRAWN = "withdrawn"
    CONSENT_PENDING = "consent_pending"
    CONSENT_EXPIRED = "consent_expired"
    PAUSED = "paused"
    HUMAN_ONLY = "human_only"
    QUIET_HOURS = "quiet_hours"
    COMPLAINT_OPEN = "complaint_open"
    HOLDOUT = "holdout"
    CAP = "cap"
    ALREADY_SENT = "already_sent"


class LogState(StrEnum):
    """What became of a place under the caps; `released` alone gives it back."""

    RESERVED = "reserved"
    ACCEPTED = "accepted"
    RELEASED = "released"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message that somebody wants to send now.

    `key` is the idempotency key of the action: the same message keeps it over all retries. `customer_id` None:
    whoever has the address, or nobody known. `address` "": the customer's first address of the channel. `kind` is
    the sender's own word for what it is. `automatic` False: a person wrote or approved this very message. `reply`:
    it answers something the customer just wrote. `value_minor` in minor units of the workspace's currency. `since`
    is when the message was first due, from which a hold expires; None: now. InputError for what cannot be stored.
    """

    key: str
    customer_id: str | None
    channel: str
    address: str
    purpose: str
    sender: str
    kind: str = ""
    tags: tuple[str, ...] = ()
    value_minor: int | None = None
    case_id: str | None = None
    automatic: bool = True
    reply: bool = False
    since: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what is empty, too long or of an unknown sender."""
        _bounded("key", self.key, MAX_KEY)
        for name in ("channel", "purpose"):
            _bounded(name, getattr(self, name), MAX_NAME)
        for name, limit in (("address", MAX_ADDRESS), ("kind", MAX_NAME)):
            _bounded(name, getattr(self, name), limit, empty=True)
        if self.sender not in set(Sender):
            message = f"there is no sender {self.sender!r:.80}; known are {', '.join(Sender)}"
            raise InputError(message, field="sender")
        if len(self.tags) > MAX_TAGS:
            message = f"a message has {len(self.tags)} tags; at most {MAX_TAGS}"
            raise InputError(message, field="tags")
        for tag in self.tags:
            _bounded("tags", tag, MAX_NAME)


def _bounded(name: str, text: str, limit: int, *, empty: bool = False) -> None:
    if len(text) > limit or "\0" in text or not (empty or text.strip()):
        message = f"{name} must have 1 to {limit} characters and no NUL" if not empty else f"{name} is too long"
        raise InputError(message, field=name)


class Consent(NamedTuple):
    """What the customer said last about a purpose and a channel.

    `state` is given, withdrawn, pending or expired; `doubly`: given by answering to the address itself.
    """

    state: str
    at: datetime
    expires_at: datetime | None = None
    doubly: bool = False


class Wish(NamedTuple):
    """A customer's own preference; purpose and channel may be `*`. None: no such wish."""

    purpose: str
    channel: str
    per_week: int | None = None
    paused_until: datetime | None = None


class Sent(NamedTuple):
    """A message that takes up places under caps: reserved, accepted, or of unknown fate. Its words are frozen."""

    at: datetime
    channel: str
    purpose: str
    cls: PurposeClass
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the gate reads about a customer, in one moment of one transaction.

    `customer` False: nobody we know. `usable` False: what was given is no address of the channel. `own_address`
    None: the channel's addresses are not kept, so nobody can tell.
    `suppressed` is (scope, reason) of the address. `zones` empty: nothing is known. `countries` empty: likewise, and
    then every country is possible. `sent` leaves out the message asked about; `sent_all` False: there were more
    than are read, so every cap counts as full.
    """

    customer: bool = True
    erased: bool = False
    own_address: bool | None = True
    address: str = ""
    usable: bool = True
    suppressed: tuple[str, str] | None = None
    consents: Mapping[tuple[str, str], Consent] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()
    flags: Mapping[str, Any] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    zone_evidence: str = ""
    countries: tuple[str, ...] = ()
    held_out: bool = False
    sent: tuple[Sent, ...] = ()
    sent_all: bool = True


class Checked(NamedTuple):
    """One check that was made: its name, `passed` or the code that stopped the message, and why in words."""

    name: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """Whether a message may go out now, and why.

    `allowed_at` is when it would be, as far as can be foreseen, were nothing else to happen; None: not foreseeable, or
    never. `ask_again_at` is None only when that is of no use. `facts` are the values read. `checks` are those made,
    in order; none after the first that stopped it. `reservation` is the place that is held under the caps. `address` is
    the one that was judged, "" without one; a message is delivered to that and no other.
    """

    verdict: Verdict
    code: Code
    words: str
    allowed_at: datetime | None
    facts: dict[str, Any]
    checks: tuple[Checked, ...]
    reservation: str | None = None
    ask_again_at: datetime | None = None
    address: str = ""
