"""Fair shares: whose turn it is, by what each was due of the leads that they could have taken.

Every lead is worth one `UNIT`. Of each lead, everybody who could take it is due a part by their weight; who
gets it has taken the whole. The difference, summed up, is a member's credit: above 0 they are owed leads,
below 0 they are ahead. The next lead goes to the highest credit. Whoever could not take a lead, being away,
off, full or without the skill, is due nothing of it: there is nothing to catch up on afterwards.

All of it is whole numbers, so that any number of workers reckons exactly alike. The credits of a team's
members always sum up to 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

UNIT = 10**9
"""One lead in the unit of credits; parts are rounded down to it."""


def settle(owed: Mapping[str, int], members: Iterable[str]) -> dict[str, int]:
    """The credits of exactly these members: newcomers begin at 0, and who left passes theirs on evenly.

    Nobody's place among those who stay changes; with nobody left there is nothing to keep.
    """
    ids = sorted(set(members))
    if not ids:
        return {}
    kept = {one: owed.get(one, 0) for one in ids}
    rest = -sum(kept.values())  # what those who left had, so that the sum is 0 again
    each, over = divmod(rest, len(ids))
    for number, one in enumerate(ids):
        kept[one] += each + (1 if number < over else 0)
    return kept


def parts(weights: Mapping[str, int]) -> dict[str, int]:
    """What each is due of one lead, in `UNIT`s; weights are whole numbers above 0."""
    total = sum(weights.values())
    return {one: UNIT * weight // total for one, weight in weights.items()}


def turn(owed: Mapping[str, int], due: Mapping[str, int]) -> str:
    """Who is next among those who are due a part: the highest credit with that part, ties by the smaller id."""
    return min(due, key=lambda one: (-owed.get(one, 0) - due[one], one))


def take(owed: dict[str, int], due: Mapping[str, int], taker: str) -> None:
    """Book a lead: all are due their part, the taker has the whole."""
    _book(owed, due, taker, 1)


def give_back(owed: dict[str, int], due: Mapping[str, int], taker: str) -> None:
    """Book a lead as if it had never been taken, among those who are still there."""
    _book(owed, {one: part for one, part in due.items() if one in owed}, taker, -1)


def _book(owed: dict[str, int], due: Mapping[str, int], taker: str, sign: int) -> None:
    for one, part in due.items():
        owed[one] = owed.get(one, 0) + sign * part
    if taker in due:
        owed[taker] -= sign * sum(due.values())
