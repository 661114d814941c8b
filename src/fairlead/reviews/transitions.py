"""The one table of what may happen to a review in which state; everything not listed is refused."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.reviews.model import Mode, State, Verb

_W, _C, _D, _X, _V = State.WAITING, State.CLAIMED, State.DECIDED, State.EXPIRED, State.WITHDRAWN


class Refusal(NamedTuple):
    """Why not: `code` for programs, `words` for the person who tried."""

    code: str
    words: str


_NOT_CLAIMED = Refusal("not_claimed", "Claim the review first.")
_NOT_SNOOZED = Refusal("not_snoozed", "The review is not snoozed.")
_NOT_DECIDED = Refusal("not_decided", "There is no verdict to take back.")
_NOT_HERE = Refusal("not_for_this_path", "This review is answered in another way.")
_DRAWN = Refusal("drawn", "What was drawn is answered, never put off or withdrawn; say so if you cannot tell.")
_ANSWER_FIRST = Refusal("answer_first", "Give your own answer first; the proposal is shown afterwards.")
_CLOSED = {
    _D: Refusal("decided", "The review is decided."),
    _X: Refusal("expired", "The review's time has run out."),
    _V: Refusal("withdrawn", "The review was withdrawn."),
}

# What every kind of review shares. A verdict short of its quorum puts the review back to waiting instead.
_SHARED: dict[tuple[State, Verb], State | Refusal] = {
    (_W, Verb.CLAIM): _C,
    (_W, Verb.SNOOZE): _W,
    (_W, Verb.UNSNOOZE): _W,
    (_W, Verb.RESUME): _W,
    (_W, Verb.REBIND): _W,
    (_W, Verb.OVERDUE): _W,
    (_W, Verb.PASS_ON): _W,
    (_W, Verb.EXPIRE): _X,
    (_W, Verb.WITHDRAW): _V,
    (_W, Verb.UNDO): _NOT_DECIDED,
    (_C, Verb.CLAIM): _C,
    (_C, Verb.RELEASE): _W,
    (_C, Verb.HEARTBEAT): _C,
    (_C, Verb.SNOOZE): _W,
    (_C, Verb.UNSNOOZE): _NOT_SNOOZED,
    (_C, Verb.ESCALATE): _W,
    (_C, Verb.REQUEST_INFO): _W,
    (_C, Verb.RESUME): _C,
    (_C, Verb.RETURN): _W,
    (_C, Verb.REBIND): _C,
    (_C, Verb.LAPSE): _W,
    (_C, Verb.OVERDUE): _C,
    (_C, Verb.PASS_ON): _W,
    (_C, Verb.EXPIRE): _X,
    (_C, Verb.WITHDRAW): _V,
    (_C, Verb.UNDO): _NOT_DECIDED,
    (_D, Verb.UNDO): _W,  # not claimed: somebody may be busy with the customer by now
}

_BY_MODE: dict[tuple[Mode, Verb], State | Refusal] = {
    (Mode.ASSIST, Verb.APPROVE): _D,
    (Mode.ASSIST, Verb.EDIT): _D,
    (Mode.ASSIST, Verb.REJECT): _D,
    (Mode.ASSIST, Verb.ANSWER): _NOT_HERE,
    (Mode.HUMAN, Verb.APPROVE): _NOT_HERE,
    (Mode.HUMAN, Verb.EDIT): _NOT_HERE,
    (Mode.HUMAN, Verb.REJECT): _NOT_HERE,
    (Mode.HUMAN, Verb.ANSWER): _D,
    (Mode.BLIND, Verb.APPROVE): _ANSWER_FIRST,
    (Mode.BLIND, Verb.EDIT): _ANSWER_FIRST,
    (Mode.BLIND, Verb.REJECT): _ANSWER_FIRST,
    (Mode.BLIND, Verb.ANSWER): _C,  # the label is stored; the same person then sees the proposal
    (Mode.BLIND, Verb.CANNOT_TELL): _C,
    (Mode.LABEL, Verb.ANSWER): _D,
    (Mode.LABEL, Verb.CANNOT_TELL): _D,
}
# The machine decided already: there is no case to stop, no customer to ask, and no draw may be lost.
_NEVER_OF_A_LABEL = frozenset({
    Verb.SNOOZE, Verb.UNSNOOZE, Verb.REQUEST_INFO, Verb.RESUME, Verb.REBIND, Verb.PASS_ON, Verb.EXPIRE, Verb.WITHDRAW,
})  # fmt: skip


def next_state(state: State, verb: Verb, mode: Mode) -> State | Refusal:
    """Where the verb leads from here, or why it is refused; knows nothing of people, leases and digests."""
    shared = _SHARED.get((state, verb))
    if mode is Mode.LABEL and verb in _NEVER_OF_A_LABEL and state not in _CLOSED:
        return _DRAWN
    if shared is not None:
        return shared
    if state in _CLOSED:
        return _CLOSED[state]
    if state is _C:
        return _BY_MODE.get((mode, verb), _NOT_HERE)
    return _NOT_CLAIMED
