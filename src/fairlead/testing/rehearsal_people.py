"""The people of a rehearsal: as many as a decision takes, each with every role that is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead import reviews
from fairlead.checkpoints import SETTLEMENT
from fairlead.errors import InputError
from fairlead.evidence import Labels
from fairlead.playbooks import read_case
from fairlead.reviews import Given, Mode, Review, Reviewer, Verb
from fairlead.testing.rehearsal_judging import read_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.kit.database import Database
    from fairlead.playbooks import Bundle
    from fairlead.testing.rehearsal_files import Move

MAX_VOTES = 20
_LEASE = timedelta(hours=1)


class People:
    """They claim and decide like anybody at the desk; what they say takes effect at once."""

    def __init__(self, database: Database, bundle: Bundle, run: Callable[[], object]) -> None:
        """`run` does what is due after each verdict."""
        self._database = database
        self._bundle = bundle
        self._run = run
        self._labels = Labels(lambda _reader, one: bundle.policies.get(one.checkpoint))

    def decide(self, case: str, move: Move) -> None:
        """The verdict of as many people as it takes; where somebody answers blind first, the proposal is the answer."""
        for number in range(MAX_VOTES):
            one = self._open_review(case)
            if one is None:
                if number == 0:
                    message = "no review is open; the case waits for nobody's decision"
                    raise InputError(message, code="no_review")
                return
            if number and move.kind == "reject":
                return
            self._verdict(one, move, number)
            self._run()

    def _open_review(self, case: str) -> Review | None:
        with self._database.reading() as reader:
            waits_for = read_case(reader, case).wait_key
            open_ones = [one for one in reviews.of_case(reader, case) if one.is_open]
        return next((one for one in open_ones if one.ruling_id == waits_for), None)

    def _verdict(self, one: Review, move: Move, number: int) -> None:
        person = Reviewer(f"per_rehearsal{number}", frozenset(role for role, _ in one.needs), f"Person {number + 1}")
        verdict = Verb(move.kind)
        if one.mode is not Mode.ASSIST and verdict in {Verb.APPROVE, Verb.EDIT}:
            if one.mode is Mode.HUMAN:
                message = "the proposal is withheld there, so it can only be answered: `- answer: {…}`"
                raise InputError(message, code="withheld")
            verdict, value = Verb.ANSWER, move.value or self._proposed(one)
        else:
            value = move.value
        with self._database.transaction() as uow:
            held = reviews.claim(uow, one.id, person, _LEASE).review
            reason = move.more.get("reason", "rehearsed")
            given = Given(verdict, held.digest, value, reason)
            reviews.decide(
                uow, one.id, given, person, settlement=SETTLEMENT,
                check_answer=lambda checkpoint, answer: self._bundle.policies[checkpoint].answer.check(answer),
                effective_after=timedelta(0), labels=self._labels,
            )  # fmt: skip

    def _proposed(self, one: Review) -> Any:
        with self._database.reading() as reader:
            return read_found(reader, self._bundle, one.case_id or "").proposal
