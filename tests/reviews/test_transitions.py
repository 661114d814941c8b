"""The table of states and verbs, and what is computed from a review alone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import InputError
from fairlead.reviews import Mode, Refusal, ReviewDraft, State, Verb, binding, next_state
from fairlead.reviews.model import parse_expiry, rank_of, title_key
from tests.reviews.world import sha

W, C, D, X, V = State
ASSIST, HUMAN, BLIND, LABEL = Mode

# Everything that is allowed, written out a second time; whatever is not here has to be refused.
EVERY_MODE = {
    (W, Verb.CLAIM): C, (W, Verb.SNOOZE): W, (W, Verb.UNSNOOZE): W, (W, Verb.RESUME): W, (W, Verb.REBIND): W,
    (W, Verb.OVERDUE): W, (W, Verb.PASS_ON): W, (W, Verb.EXPIRE): X, (W, Verb.WITHDRAW): V,
    (C, Verb.CLAIM): C, (C, Verb.RELEASE): W, (C, Verb.HEARTBEAT): C, (C, Verb.SNOOZE): W,
    (C, Verb.RESUME): C,
    (C, Verb.REBIND): C, (C, Verb.LAPSE): W, (C, Verb.OVERDUE): C, (C, Verb.PASS_ON): W, (C, Verb.EXPIRE): X,
    (C, Verb.WITHDRAW): V, (C, Verb.ESCALATE): W, (C, Verb.REQUEST_INFO): W, (C, Verb.RETURN): W,
    (D, Verb.UNDO): W,
}  # fmt: skip
ONE_MODE = {
    (C, Verb.APPROVE, ASSIST): D, (C, Verb.EDIT, ASSIST): D, (C, Verb.REJECT, ASSIST): D,
    (C, Verb.ANSWER, HUMAN): D, (C, Verb.ANSWER, BLIND): C, (C, Verb.CANNOT_TELL, BLIND): C,
    (C, Verb.ANSWER, LABEL): D, (C, Verb.CANNOT_TELL, LABEL): D,
}  # fmt: skip
# What was drawn is never put off, withdrawn, bound anew or closed by a clock.
NEVER_OF_A_LABEL = {
    Verb.SNOOZE, Verb.UNSNOOZE, Verb.REQUEST_INFO, Verb.RESUME, Verb.REBIND, Verb.PASS_ON, Verb.EXPIRE, Verb.WITHDRAW,
}  # fmt: skip
CODES = {
    D: {"decided"}, X: {"expired"}, V: {"withdrawn"}, W: {"not_claimed", "not_decided", "drawn"},
    C: {"not_for_this_path", "answer_first", "not_snoozed", "not_decided", "drawn"},
}  # fmt: skip


@pytest.mark.parametrize(("state", "verb", "mode"), list(itertools.product(State, Verb, Mode)))
def test_every_state_and_verb_is_allowed_or_refused_with_a_code(state: State, verb: Verb, mode: Mode) -> None:
    """The full product: listed moves lead where they should, all others are refused with a code of that
    state.
    """
    refused = mode is LABEL and verb in NEVER_OF_A_LABEL
    expected = None if refused else EVERY_MODE.get((state, verb)) or ONE_MODE.get((state, verb, mode))
    found = next_state(state, verb, mode)
    if expected is not None:
        assert found is expected
    else:
        assert isinstance(found, Refusal)
        assert found.code in CODES[state]
        assert found.words.endswith(".")


def test_only_an_assisted_blind_review_is_asked_twice() -> None:
    """A human path's answer is its own label."""
    assert [ASSIST, BLIND] == [Mode.of("assist", blind=one) for one in (False, True)]
    assert [HUMAN, HUMAN] == [Mode.of("human", blind=one) for one in (False, True)]
    assert Mode.of("human", blind=False, kind="label") is LABEL


@pytest.mark.parametrize("text", ["approve", "escalate", "escalate:", "reject:x", "", "wait ", "auto"])
def test_a_clock_has_no_word_for_approving(text: str) -> None:
    """What a timer may do is listed; anything else is refused when the review is opened."""
    with pytest.raises(InputError):
        parse_expiry(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "auto"},
        {"path": "blocked"},
        {"priority": 101},
        {"priority": -1},
        {"quorum": 0},
        {"quorum": 21},
        {"role": ""},
        {"needs": (("a", 1), ("a", 1))},
        {"needs": (("a", 0),)},
        {"needs": tuple((f"r{n}", 1) for n in range(11))},
        {"title": ""},
        {"on_expiry": "approve"},
    ],
)
def test_a_draft_that_could_never_be_decided_is_refused(wrong: dict[str, object]) -> None:
    """At the door, with an InputError."""
    good: dict[str, object] = {
        "ruling_id": "rul_1", "checkpoint": "route", "path": "assist", "title": "t", "segment": "other",
        "role": "sales", "proposal_digest": sha("p"), "facts_digest": sha("f"),
    }  # fmt: skip
    assert ReviewDraft(**good).digest  # type: ignore[arg-type]
    with pytest.raises(InputError):
        ReviewDraft(**good | wrong)  # type: ignore[arg-type]


_binding = st.tuples(st.sampled_from("pqr"), st.sampled_from("fg"), st.sampled_from(["a", "b"]), st.integers(1, 3))


@given(_binding, _binding)
def test_a_digest_tells_exactly_what_differs(one: tuple[str, str, str, int], two: tuple[str, str, str, int]) -> None:
    """Each part counts, no other part is named, and equal bindings have equal digests."""
    first, second = (binding.bind(sha(p), sha(f), role, ((role, n),)) for p, f, role, n in (one, two))
    names = ("proposal", "facts", "role", "quorum")
    differing = {name for name, a, b in zip(names, one, two, strict=True) if a != b}
    assert differing == set(binding.changes(first, second, two[2], ((two[2], two[3]),)))


@given(st.text(max_size=200), st.text(max_size=200))
def test_made_up_digests_differ(text: str, other: str) -> None:
    """Whatever is sent, comparing it neither fails nor finds it equal."""
    now = binding.bind(sha(other), sha("f"), "role", (("role", 1),))
    assert binding.changes(text, now, "role", (("role", 1),))


_moments = st.datetimes(datetime(1971, 1, 1), datetime(2111, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.tuples(st.integers(0, 100), _moments), min_size=2, max_size=6))
def test_one_number_sorts_by_priority_then_age(rows: list[tuple[int, datetime]]) -> None:
    """Higher priority first, then older first, for every moment until 2112; and it fits a BIGINT."""
    by_rank = sorted(rows, key=lambda row: rank_of(*row))
    assert sorted(rows, key=lambda row: (-row[0], row[1])) == by_rank
    assert all(0 <= rank_of(*row) < 2**63 for row in rows)


def test_a_rank_after_2111_is_refused() -> None:
    """Rather than sorting wrongly."""
    with pytest.raises(InputError):
        rank_of(5, datetime(2112, 1, 1, tzinfo=UTC) + timedelta(days=1))


@given(st.text(max_size=400))
def test_a_title_key_is_storable_and_found_by_its_own_beginning(title: str) -> None:
    """Casefolded, without NUL, valid Unicode, at most 80 characters."""
    key = title_key(title)
    assert len(key) <= 80
    assert "\x00" not in key
    assert key.encode() or not key
