"""Rules, messages and customers as hypothesis draws them, with a taste for nights in which clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from fairlead.guardrails import (
    Attempt,
    Cap,
    Consent,
    ContactRules,
    Known,
    Mechanism,
    Period,
    Purpose,
    PurposeClass,
    QuietWindow,
    Sender,
    Sent,
    WhenFull,
    Wish,
)
from fairlead.guardrails.rules import Lift

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Asia/Beirut", "America/Havana", "Pacific/Auckland", "America/Santiago",
)  # fmt: skip
EDGES = (
    datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC),
    datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC),
)  # fmt: skip
CHANNELS = ("email", "sms")
PURPOSES = {
    "news": Purpose(
        "news", PurposeClass.PROMOTIONAL, Mechanism.OPT_IN, double=True, expires=timedelta(days=300),
        channels=frozenset({"email", "sms"}),
    ),
    "sales": Purpose("sales", PurposeClass.PROMOTIONAL, Mechanism.OPT_OUT),
    "mail": Purpose("mail", PurposeClass.PROMOTIONAL, Mechanism.OPT_IN, channels=frozenset({"email"})),
    "service": Purpose("service", PurposeClass.TRANSACTIONAL, Mechanism.NOTICE_ONLY),
    "alerts": Purpose("alerts", PurposeClass.SERVICE_ALERT, Mechanism.NOTICE_ONLY),
}  # fmt: skip
FLAGS = ("vulnerable", "complaint_open", "restricted", "florida", "vip")


def mostly(usual: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual value in about three draws of four, so that late checks are reached."""
    return st.integers(0, 3).flatmap(lambda n: other if n == 3 else st.just(usual))


def some(values: Any, least: int = 0) -> st.SearchStrategy[frozenset[Any]]:
    """A small set of these."""
    return st.frozensets(st.sampled_from(list(values)), min_size=least, max_size=3)


moments = st.builds(
    lambda edge, minutes, micros: edge + timedelta(minutes=minutes, microseconds=micros),
    st.sampled_from(EDGES), st.integers(-2_000, 2_000), st.sampled_from((0, 0, 1, 59_999_999)),
)  # fmt: skip
classes = some(PurposeClass, 1)
windows = st.builds(
    QuietWindow,
    name=st.just("w"),
    start=st.integers(0, 1_439),
    end=st.integers(1, 1_440),
    days=mostly(frozenset(range(7)), some(range(7), 1)),
    channels=mostly(frozenset(), some(CHANNELS)),
    applies_to=classes,
    countries=mostly(frozenset(), some(("US", "DE"))),
    zones=mostly(frozenset(), some(ZONES)),
    flags=mostly(frozenset(), some(FLAGS)),
    lifted_by=some(Lift),
).filter(lambda one: one.start != one.end and (one.end - one.start) % 1_440 != 0)
caps = st.builds(
    Cap,
    name=st.just("c"),
    most=mostly(1, st.integers(0, 3)),
    per=st.one_of(st.sampled_from(Period), st.integers(1, 6_000).map(lambda n: timedelta(minutes=n))),
    channels=mostly(frozenset(), some(CHANNELS)),
    purposes=mostly(frozenset(), some(PURPOSES)),
    tags=mostly(frozenset(), some(("a", "b"))),
    applies_to=classes,
    counts=classes,
    by_customer=st.booleans(),
    when_full=st.sampled_from(WhenFull),
    expires=st.one_of(st.none(), st.integers(1, 5_000).map(lambda n: timedelta(minutes=n))),
)
rules = st.builds(
    ContactRules,
    version=st.just("v"),
    purposes=st.just(PURPOSES),
    quiet=st.lists(windows, max_size=3).map(tuple),
    caps=st.lists(caps, max_size=3).map(tuple),
    human_flags=some(FLAGS[:1]),
    human_classes=classes,
    complaint_off=some(PurposeClass),
    holdout_classes=classes,
    time_zone=st.sampled_from(ZONES),
)
attempts = st.builds(
    Attempt,
    key=st.just("k"),
    customer_id=st.just("cus"),
    channel=st.sampled_from(CHANNELS),
    address=st.just("a@example.test"),
    purpose=mostly("sales", st.sampled_from([*PURPOSES, "unheard-of"])),
    sender=st.sampled_from([one.value for one in Sender]),
    tags=some(("a", "b")).map(tuple),
    automatic=mostly(True, st.booleans()),
    reply=st.booleans(),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[ContactRules, Attempt, Known, datetime]:
    """Rules, a message, what is known, and a moment at which it is asked."""
    now = draw(moments)
    past = st.integers(0, 12_000).map(lambda minutes: now - timedelta(minutes=minutes))
    state = st.sampled_from(("given", "given", "withdrawn", "pending", "expired"))
    consents = st.dictionaries(
        st.sampled_from([(p, c) for p in (*PURPOSES, "*") for c in (*CHANNELS, "*")]),
        st.builds(
            Consent, state, st.one_of(past, past.map(lambda at: at - timedelta(days=298))),
            st.one_of(st.none(), past.map(lambda at: at + timedelta(days=9))), st.booleans(),
        ),
        max_size=3,
    )  # fmt: skip
    wishes = st.lists(
        st.builds(
            Wish, st.sampled_from((*PURPOSES, "*")), st.sampled_from((*CHANNELS, "*")),
            st.one_of(st.none(), st.integers(1, 3)), mostly(None, past.map(lambda at: at + timedelta(days=8))),
        ),
        max_size=2,
    )  # fmt: skip
    sent = st.lists(
        st.builds(
            lambda at, channel, purpose, tags: Sent(at, channel, purpose, PURPOSES[purpose].cls, tags),
            past, st.sampled_from(CHANNELS), st.sampled_from(list(PURPOSES)), some(("a", "b")),
        ),
        max_size=5,
    )  # fmt: skip
    known = Known(
        erased=draw(mostly(False, st.just(False))),
        own_address=draw(mostly(True, st.sampled_from((None, False, True)))),
        address="a@example.test",
        usable=draw(mostly(True, st.booleans())),
        suppressed=draw(mostly(None, st.sampled_from((("all", "bounced"), ("promotional", "unsubscribed"))))),
        consents=draw(st.one_of(consents, mostly({}, consents))),
        wishes=tuple(draw(mostly((), wishes))),
        flags=dict.fromkeys(draw(mostly(frozenset(), some(FLAGS))), True),
        zones=tuple(draw(some(ZONES))),
        countries=tuple(draw(some(("US", "DE", "FR")))),
        held_out=draw(mostly(False, st.booleans())),
        sent=tuple(draw(sent)),
    )
    attempt = draw(attempts)
    return draw(rules), attempt, known, now
