"""How much speaks for two records being one, with every reason in words. Pure.

A score is a sum of weights, each with its reason, kept between 0 and 1; the weights were chosen on made-up
companies and people with known truth (`fairlead.testing.companies`), and docs/performance.md says how well
they do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from fairlead.sales.matching.lists import GENERIC
from fairlead.sales.matching.model import DIGITS, Match, Reason, Record, Relation, Thresholds
from fairlead.sales.matching.prepared import Prepared, prepare
from fairlead.sales.matching.similarity import company_similarity, local_similarity, person_similarity

_SURE = 0.97
_JUST_BELOW = 0.01


class _Weighing:
    """Collects reasons; a weight that rounds to nothing is no reason."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def add(self, code: str, weight: float, words: str) -> None:
        rounded = round(weight, DIGITS)
        if rounded:
            self.reasons.append(Reason(code, words, rounded))

    @property
    def total(self) -> float:
        return round(sum(reason.weight for reason in self.reasons), DIGITS)

    def keep_between(self, least: float, most: float, code: str, words: str) -> None:
        """Add what brings the sum back into bounds."""
        self.add(code, min(max(self.total, least), most) - self.total, words)


def compare(left: Record, right: Record, thresholds: Thresholds | None = None) -> Match:
    """Compare two records; see `compare_prepared`."""
    return compare_prepared(prepare(left), prepare(right), thresholds or Thresholds())


def compare_prepared(left: Prepared, right: Prepared, thresholds: Thresholds) -> Match:
    """What the two are to each other, how sure that is, and why; the same whichever comes first."""
    weighing = _Weighing()
    if left.is_person and right.is_person:
        relation = Relation.SAME_PERSON
        _weigh_people(weighing, left, right)
    elif left.is_person or right.is_person:
        return _not_one(left, right, "one record names a person, the other a company alone")
    else:
        relation = Relation.SAME_ACCOUNT
        _weigh_companies(weighing, left, right)
    weighing.keep_between(0.0, 1.0, "bounds", "kept between 0 and 1")
    flags = ("mixed_script",) if _in_disguise(left, right) else ()
    if flags:
        words = "letters of several alphabets that look the same: never sure, a person has to look"
        most = round(thresholds.sure - _JUST_BELOW, DIGITS)
        weighing.reasons.append(Reason("mixed_script", words, round(min(most - weighing.total, 0.0), DIGITS)))
    score = weighing.total
    band = thresholds.band(score)
    if score < thresholds.unsure:
        relation = Relation.SAME_COMPANY if _one_company(left, right) else Relation.DIFFERENT
        if relation is Relation.SAME_COMPANY and not left.is_person:
            relation = Relation.DIFFERENT  # two companies with one address are not one record
    return Match(relation, score, band, tuple(weighing.reasons), flags)


def _not_one(left: Prepared, right: Prepared, words: str) -> Match:
    relation = Relation.SAME_COMPANY if _one_company(left, right) else Relation.DIFFERENT
    return Match(relation, 0.0, Thresholds().band(0.0), (Reason("kind", words, 0.0),))


def _one_company(left: Prepared, right: Prepared) -> bool:
    if left.domains & right.domains:
        return True
    return company_similarity(left.company, right.company) >= _SURE and not left.company.places ^ right.company.places


def _in_disguise(left: Prepared, right: Prepared) -> bool:
    names = (left.company, right.company), (left.person, right.person)
    if any(name.mixed for pair in names for name in pair):
        return True
    return any(a.key and a.key == b.key and a.scripts != b.scripts for a, b in names)


def _share(similarity: float, least: float) -> float:
    """0 up to `least`, then rising to 1."""
    return max(0.0, (similarity - least) / (1.0 - least))


def _percent(similarity: float) -> str:
    return "the same" if similarity == 1.0 else f"{similarity:.0%} alike"


def _weigh_people(weighing: _Weighing, left: Prepared, right: Prepared) -> None:
    alike = person_similarity(left.person, right.person)
    if alike >= 0.6:  # noqa: PLR2004  below, the names are two people's
        weighing.add("person_name", 0.45 * _share(alike, 0.6), f"the people's names are {_percent(alike)}")
    else:
        weighing.add("person_name", -0.5, "the people have different names")
    if left.company.core and right.company.core:
        alike = company_similarity(left.company, right.company)
        if alike >= 0.6:  # noqa: PLR2004
            weighing.add("company", 0.24 * _share(alike, 0.6), f"their companies' names are {_percent(alike)}")
        else:
            weighing.add("company", -0.15, "they work for different companies")
    _weigh_locals(weighing, left, right)
    if left.domains & right.domains:
        weighing.add("domain", 0.1, "their e-mail addresses are at the same company's domain")
    _weigh_phones(weighing, left, right, 0.26)
    _weigh_place(weighing, left, right, country=(0.05, -0.15), place=(0.07, -0.06))


def _weigh_locals(weighing: _Weighing, left: Prepared, right: Prepared) -> None:
    if not left.locals or not right.locals:
        return
    alike = max(local_similarity(a, b) for a, b in product(left.locals, right.locals))
    if alike >= 0.75:  # noqa: PLR2004
        words = f"the names before the @ of their addresses are {_percent(alike)}"
        weighing.add("local_part", 0.22 * _share(alike, 0.6), words)
    elif left.domains & right.domains:
        weighing.add("local_part", -0.15, "two different addresses at one domain")


def _weigh_companies(weighing: _Weighing, left: Prepared, right: Prepared) -> None:
    one, other = left.company, right.company
    alike = company_similarity(one, other)
    if not one.core or not other.core:
        weighing.add("company", 0.0, "a name is missing")
    elif alike >= 0.65:  # noqa: PLR2004  below, chance alone makes names so alike
        common = all(word in GENERIC for word in (*one.core, *other.core))
        words = f"the companies' names are {_percent(alike)}"
        weighing.add("company", (0.4 if common else 0.62) * _share(alike, 0.5), words)
    else:
        weighing.add("company", -0.3, "the companies' names differ")
    if one.form and other.form:
        same = one.form == other.form
        weighing.add("form", 0.06 if same else -0.08, "the same legal form" if same else "another legal form")
    if one.places != other.places:
        if one.places and other.places:
            weighing.add("sister", -0.35, "the names name different countries: sister companies, not one")
        else:
            weighing.add("sister", -0.2, "only one of the names names a country")
    if one.numbers != other.numbers:
        weighing.add("number", -0.4, "the names have different numbers")
    if left.domains & right.domains:
        weighing.add("domain", 0.28, "the same domain of their own")
    elif left.labels & right.labels:
        weighing.add("domain", 0.1, "the same domain but for its ending")
    elif left.labels and right.labels:
        weighing.add("domain", -0.12, "each has a domain of its own")
    _weigh_phones(weighing, left, right, 0.24)
    _weigh_place(weighing, left, right, country=(0.08, -0.22), place=(0.1, -0.1))


def _weigh_phones(weighing: _Weighing, left: Prepared, right: Prepared, weight: float) -> None:
    if left.phones & right.phones:
        weighing.add("phone", weight, "the same telephone number")


def _weigh_place(
    weighing: _Weighing, left: Prepared, right: Prepared, *, country: tuple[float, float], place: tuple[float, float]
) -> None:
    one, other = left.record.country, right.record.country
    if one and other:
        weighing.add("country", country[one != other], "the same country" if one == other else "different countries")
    fields: tuple[tuple[str, Callable[[Prepared], str]], ...] = (
        ("post code", lambda side: side.postal_code),
        ("town", lambda side: side.city),
    )
    for name, read in fields:
        here, there = read(left), read(right)
        if here and there:
            same = here == there
            weighing.add("place", place[not same], f"the same {name}" if same else f"different {name}s")
            return
