"""Opening a case for a pair that looks like a duplicate, and writing down what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead import customers
from fairlead.errors import ConflictError, InputError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, UnitOfWork
from fairlead.playbooks import Bundle, CaseDraft, open_cases
from fairlead.sales.matching import records, store
from fairlead.sales.matching.model import PLAYBOOK, SUBJECT, Match, Record

DECIDED = Actor(ActorKind.SYSTEM, PLAYBOOK)
"""Who merges what was decided at the checkpoint; the case's record says who decided."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two records, the lower id left, that look like one; `again`: settled before, but one changed since."""

    left: Record
    right: Record
    match: Match
    again: bool = False

    @property
    def digest(self) -> str:
        """Of both records as they were compared."""
        return records.pair_digest(self.left, self.right)


def has_playbook(bundle: Bundle) -> bool:
    """Whether the workspace says what to do with pairs of customers."""
    compiled = bundle.playbooks.get(PLAYBOOK)
    return compiled is not None and compiled.playbook.subject == SUBJECT


def check_playbook(bundle: Bundle) -> None:
    """InputError when the workspace has no playbook for pairs of customers."""
    if not has_playbook(bundle):
        message = (
            f"the workspace has no playbook {PLAYBOOK!r} about a {SUBJECT}; "
            "copy it and its policy from a new one (fairlead init)"
        )
        raise InputError(message, code="no_playbook")


def open_pairs(uow: UnitOfWork, actor: Actor, bundle: Bundle, candidates: Sequence[Candidate]) -> list[str]:
    """A case for each pair that nobody else has opened meanwhile; the cases' ids."""
    drafts = []
    for one in candidates:
        case_id = new_id("case")
        values = {
            "left_id": one.left.id, "right_id": one.right.id, "relation": one.match.relation.value,
            "score": one.match.score, "band": one.match.band.value, "flags": list(one.match.flags),
            "reasons": [reason.as_dict() for reason in one.match.reasons], "digest": one.digest, "case_id": case_id,
        }  # fmt: skip
        pair_id = store.put_pair(uow, values, again=one.again)
        if pair_id is not None:
            facts = pair_facts(pair_id, one.left, one.right)
            drafts.append(CaseDraft(PLAYBOOK, SUBJECT, pair_id, facts, one.left.id, "import", None, case_id))
    return open_cases(uow, drafts, bundle, actor)


def pair_facts(pair_id: str, left: Record, right: Record) -> dict[str, Any]:
    """What a case about a pair knows when it is opened; a page shows `first` and `second` side by side."""
    return {
        "pair": pair_id,
        "first": {"id": left.id, **left.as_dict()},
        "second": {"id": right.id, **right.as_dict()},
        "first_title": _title(left),
        "second_title": _title(right),
    }


def _title(record: Record) -> str:
    return (record.name or record.company or next(iter(record.emails), "") or record.id)[:120]


def record_of(facts: Mapping[str, Any]) -> Record:
    """A record as `pair_facts` wrote it."""
    return Record(
        str(facts.get("id", "")), str(facts.get("name", "")), str(facts.get("company", "")),
        str(facts.get("country", "")), str(facts.get("city", "")), str(facts.get("postal_code", "")),
        tuple(map(str, facts.get("emails", ()))), tuple(map(str, facts.get("phones", ()))), str(facts.get("owner", "")),
    )  # fmt: skip


def settle(uow: UnitOfWork, case_id: str, facts: Mapping[str, Any]) -> str:
    """Do what was decided about a pair: merge it, or remember that it is none.

    `merged`, `already` (somebody merged them meanwhile), `different`, or `gone` (one of them was erased).
    """
    pair_id = str(facts["pair"])
    first, second = str(facts["first"]["id"]), str(facts["second"]["id"])
    if facts.get("same") is not True:
        state, merge_id = "different", None
        store.ask_search(uow, case_id)  # what followed from this pair has to be looked at by itself now
    else:
        state, merge_id = _merge(uow, case_id, first, second, str(facts.get("keep") or "first"))
    store.settle_pair(uow, pair_id, "merged" if state == "already" else state, merge_id)
    payload = {"pair": pair_id, "outcome": state, "merge": merge_id, "case": case_id}
    uow.record(AuditEntry("duplicate.settled", pair_id, payload, customer_id=first, actor=DECIDED))
    return state


def _merge(uow: UnitOfWork, case_id: str, first: str, second: str, keep: str) -> tuple[str, str | None]:
    """`keep` is `first`, `second` or one of the two ids; records merged meanwhile are their survivors."""
    kept, other = (second, first) if keep in {"second", second} else (first, second)
    kept, other = customers.survivor_of(uow, kept), customers.survivor_of(uow, other)
    if kept == other:
        return "already", None
    try:
        merge_id = customers.merge(uow, DECIDED, kept, other, reason=f"found to be the same, {case_id}")
    except ConflictError as error:
        if error.reason != "customer_erased":
            raise
        return "gone", None
    return "merged", merge_id


def undo_merge(uow: UnitOfWork, actor: Actor, merge_id: str) -> customers.Unmerged:
    """Take a merge back; a pair that led to it counts as different until one of the two changes."""
    done = customers.unmerge(uow, actor, merge_id)
    row = store.pair_of_merge(uow, merge_id)
    if row is not None:
        store.settle_pair(uow, row.id, "different", merge_id)
        living = customers.living_of(uow, [row.left_id, row.right_id])
        left, right = (records.records_of(uow, [living[one]])[0] for one in (row.left_id, row.right_id))
        store.redigest(uow, row.id, records.pair_digest(left, right))
    return done


def ask_search(uow: UnitOfWork, asked_by: str) -> None:
    """Have the next worker look for duplicates among what is new or changed; asking twice is asking once."""
    store.ask_search(uow, asked_by)


def linked(pairs: Iterable[tuple[str, str]], chosen: Iterable[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Which candidates to open, surest first, and which follow from others.

    Of three records that look alike, two pairs are enough: the third follows. `pairs` are open already.
    """
    above: dict[str, str] = {}

    def top(one: str) -> str:
        while (higher := above.get(one, one)) != one:
            above[one] = above.get(higher, higher)
            one = higher
        return one

    for left, right in pairs:
        above[top(left)] = top(right)
    opened, implied = [], []
    for one in sorted(chosen, key=lambda item: (-item.match.score, item.left.id, item.right.id)):
        left, right = top(one.left.id), top(one.right.id)
        if left == right:
            implied.append(one)
        else:
            above[left] = right
            opened.append(one)
    return opened, implied
