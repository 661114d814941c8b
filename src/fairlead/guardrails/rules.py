"""The workspace's contact rules as data; `parsing` makes them from `contact.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from fairlead.guardrails.model import Attempt, Mechanism, PurposeClass

DAY_MINUTES = 24 * 60
PROMOTIONAL = frozenset({PurposeClass.PROMOTIONAL})
ALL_DAYS = frozenset(range(7))


class Period(StrEnum):
    """A calendar period, beginning at midnight; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class WhenFull(StrEnum):
    """What a full cap does to a message: holds it until there is a place, drops it, or holds it for a digest."""

    DEFER = "defer"
    DROP = "drop"
    DIGEST = "digest"


class Lift(StrEnum):
    """What may lift a quiet window that does not always hold."""

    REPLY = "reply"
    CONSENT = "consent"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What messages may be for. `channels` empty: every channel. `expires` None: a yes does not run out.

    `double`: a yes counts only once it was confirmed from the address itself. Higher `priority` goes first.
    """

    name: str
    cls: PurposeClass
    mechanism: Mechanism
    words: str = ""
    channels: frozenset[str] = frozenset()
    double: bool = False
    expires: timedelta | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """Hours by the recipient's clock in which messages wait.

    `start` and `end` are minutes after midnight; an end before the start is on the following day. `days` are those
    on which the window starts, Monday is 0. `channels` empty: all. `countries`, `zones` and `flags` empty: everywhere
    and everybody; else the customer must match one of each. `lifted_by` empty: nothing lifts it.
    """

    name: str
    start: int
    end: int
    days: frozenset[int] = ALL_DAYS
    channels: frozenset[str] = frozenset()
    applies_to: frozenset[PurposeClass] = PROMOTIONAL
    countries: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    lifted_by: frozenset[Lift] = frozenset({Lift.REPLY})

    @property
    def everywhere(self) -> bool:
        """Whether it holds for customers of all places and flags."""
        return not (self.countries or self.zones or self.flags)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` messages in a period. `per` a timedelta: rolling; a `Period`: by the calendar.

    `applies_to` are the classes that it binds, `counts` those whose messages take up its places. `channels`, `purposes`
    and `tags` empty: all; else both what it binds and what it counts is narrowed to them, several together being
    counted as one. `by_customer`: the calendar of the customer's place, else of the workspace. `expires` is how long
    after it was first due a message may wait for a place; None: as long as it takes.
    """

    name: str
    most: int
    per: timedelta | Period
    channels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    applies_to: frozenset[PurposeClass] = PROMOTIONAL
    counts: frozenset[PurposeClass] = PROMOTIONAL
    by_customer: bool = True
    when_full: WhenFull = WhenFull.DEFER
    expires: timedelta | None = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Downstream:
    """Another system that is told of each change of consent to these purposes (empty: all)."""

    name: str
    connector: str
    purposes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ContactRules:
    """All rules; `version` is a digest of their content, `is_default` says that the workspace has no file.

    `time_zone` is the workspace's own, used where nothing is known of the customer's place.
    """

    version: str
    purposes: Mapping[str, Purpose]
    quiet: tuple[QuietWindow, ...] = ()
    caps: tuple[Cap, ...] = ()
    human_flags: frozenset[str] = frozenset()
    human_classes: frozenset[PurposeClass] = frozenset(PurposeClass)
    complaint_off: frozenset[PurposeClass] = frozenset()
    holdout_share: float = 0.0
    holdout_classes: frozenset[PurposeClass] = PROMOTIONAL
    time_zone: str = "UTC"
    downstreams: tuple[Downstream, ...] = ()
    is_default: bool = False
    text: str = field(default="", repr=False)


DEFAULT = ContactRules(
    version="default",
    purposes={
        "service": Purpose(
            "service", PurposeClass.TRANSACTIONAL, Mechanism.NOTICE_ONLY, "About an order or a request of yours"
        ),
        "sales": Purpose("sales", PurposeClass.PROMOTIONAL, Mechanism.OPT_OUT, "Following up on your interest"),
    },
    quiet=(QuietWindow("nights", 21 * 60, 8 * 60),),
    caps=(Cap("one-a-day", 1, Period.DAY),),
    human_flags=frozenset({"vulnerable"}),
    is_default=True,
)
"""What counts while the workspace has no `contact.yaml`."""


def precedence(rules: ContactRules, attempt: Attempt) -> tuple[int, int, str]:
    """Sort key of competing messages, lowest first: the purpose's priority, then the value, then the key.

    The gate gives a place to whoever asks first; the outbox asks in this order for what is due at one moment.
    """
    purpose = rules.purposes.get(attempt.purpose)
    return (-(purpose.priority if purpose else 0), -(attempt.value_minor or 0), attempt.key)
