"""What a letter or note says about a person and a deal, with the words it was taken from: rules, pure.

The producer of these proposals is `note-rules@1`; a change that makes them answer otherwise is a new version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

from fairlead.sales.capture import lexicon as lx
from fairlead.sales.capture.amounts import find_amounts, find_headcount, read_headcount, read_money
from fairlead.sales.capture.dates import find_date
from fairlead.sales.capture.hints import hinted
from fairlead.sales.capture.letters import Letter, Line
from fairlead.sales.capture.people import find_people, person_in
from fairlead.sales.capture.wishes import MAX_SENTENCE, find_next_step
from fairlead.sales.intake.contacts import read_email
from fairlead.sales.intake.countries import country_code
from fairlead.sales.intake.words import fold

PRODUCER = "note-rules@1"
FIELDS = (
    "name", "company", "email", "phone", "country", "job_title", "employees", "value", "next_step", "next_date",
)  # fmt: skip
"""What the rules look for. `value` is text such as `15000.00 GBP`, `next_date` an ISO day."""
MAX_OTHERS = 5
MAX_PHONES = 20
ABROAD = "ZZ"
"""Where nothing tells the country: only numbers with a country code are read."""
MAX_NAME = 120
"""Characters of a company or title; what is longer is a sentence."""
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}(?![\w-])")
_LABEL = re.compile(r"[ ]*(?:[-*•][ ]*)?([^\W\d_][^:=\n]{0,30}?)[ ]?[:=][ ]*(\S[^\n]*)\Z")
_INLINE = re.compile(r"(?:^|[.;,/·|][ ]+)([^\W\d_][^:.;,\n]{1,24}?)[ ]?:[ ]*([^\n]+?)(?=[.;]?[ ]*\Z|[.;][ ]+[A-ZÀ-Þ])")


@dataclass(frozen=True, slots=True)
class Found:
    """One value and the words it was taken from: characters `start` to `end` of the letter's text."""

    field: str
    value: str | int
    start: int
    end: int
    confidence: float
    rule: str
    """How it was found: header, label, signature, phrase, pattern, address."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The best value of a field, and others that differ from it, best first."""

    best: Found
    others: tuple[Found, ...] = ()

    @property
    def confidence(self) -> float:
        """Of the best value; halved when another value is as likely."""
        close = any(one.confidence >= self.best.confidence - 0.1 for one in self.others)
        return round(self.best.confidence / 2 if close else self.best.confidence, 2)


def find(letter: Letter) -> dict[str, Finding]:
    """Every field that the letter tells, in the order of `FIELDS`; quoted history tells nothing."""
    found = [one for one in _all(letter) if str(one.value)]
    picked = {name: _picked([one for one in found if one.field == name]) for name in FIELDS}
    return {name: finding for name, finding in picked.items() if finding is not None}


def _all(letter: Letter) -> Iterator[Found]:
    own = [*letter.flowing(), *letter.part("signature")]
    yield from _of_sender(letter)
    yield from _of_labels(letter, letter.part("body", "signature"))
    yield from _of_patterns(letter, own)
    for field, value, start, end, confidence, rule in find_people(letter):
        yield Found(field, value, start, end, confidence, rule)
    for field, value, start, end, confidence, rule in hinted(own, letter.sender_email):
        yield Found(field, value, start, end, confidence, rule)
    for value, start, end, confidence in find_amounts(own):
        yield Found("value", value, start, end, confidence, "pattern")
    for count, start, end, confidence in find_headcount(own):
        yield Found("employees", count, start, end, confidence, "pattern")
    for field, text, start, end, confidence in find_next_step(letter):
        yield Found(field, text, start, end, confidence, "phrase")


def _picked(found: list[Found]) -> Finding | None:
    if not found:
        return None
    ranked = sorted(found, key=lambda one: (-one.confidence, one.start))
    best, others = ranked[0], dict[str, Found]()
    for one in ranked[1:]:
        if not _same(one, best):
            others.setdefault(fold(str(one.value)), one)
    return Finding(best, tuple(others.values())[:MAX_OTHERS])


def _same(one: Found, other: Found) -> bool:
    """Whether two values mean the same: one may be a shorter way to say the other."""
    if one.field in {"email", "phone", "value", "employees", "country", "next_date"}:
        return str(one.value).casefold() == str(other.value).casefold()
    words, known = set(fold(str(one.value)).split()), set(fold(str(other.value)).split())
    return one.field == "next_step" or words <= known or known <= words


def _of_sender(letter: Letter) -> Iterator[Found]:
    start, end = letter.sender_at
    if letter.sender_email and (address := read_email(letter.sender_email).value):
        yield Found("email", address, start, end, 0.95, "header")
    name = letter.sender_name
    words = set(fold(name).split())
    if name and lx.NAME.fullmatch(name) and not words & lx.ORG_WORDS:
        yield Found("name", name, start, end, 0.85, "header")


def _of_labels(letter: Letter, lines: Iterable[Line]) -> Iterator[Found]:
    for line in lines:
        whole = _LABEL.match(line.text)
        labels = [(whole[1], whole[2], whole.start(2))] if whole and fold(whole[1]) in lx.LABELS else []
        if not labels:
            labels = [(one[1], one[2], one.start(2)) for one in _INLINE.finditer(line.text)]
        for label, text, at in labels:
            field = lx.LABELS.get(fold(label))
            if field is not None:
                yield from _labelled(letter, field, text.rstrip(), line.start + at)


def _labelled(letter: Letter, field: str, text: str, start: int) -> Iterator[Found]:
    """What stands behind a label; nothing when it cannot be what the label says."""
    for name, value, first, last in _behind_label(field, text):
        yield Found(name, value, start + first, start + last, 0.95, "label")
    if field in {"next_step", "next_date"}:
        yield from _day(letter, text, start, 0.9)


def _behind_label(field: str, text: str) -> list[tuple[str, str | int, int, int]]:
    """(field, value, start, end) within the text behind a label."""
    if field == "name":
        return list(person_in(text, 0))
    if field == "value":
        return [(field, value, first, last) for value, first, last in read_money(text)]
    value: str | int | None = None
    if field == "company" and len(text) <= MAX_NAME:
        company = lx.COMPANY.match(text)
        value = company[1] if company else re.split(r"[;,(]|\.\s", text)[0].strip()
    elif field == "country":
        value = country_code(text[:60].strip(" ."))
    elif field == "job_title" and len(text) <= MAX_NAME:
        value = text.rstrip(" .")
    elif field == "employees":
        value = read_headcount(text)
    elif field == "next_step":
        value = text[:MAX_SENTENCE]
    if value is None:
        return []
    return [(field, value, 0, len(value) if isinstance(value, str) and field != "country" else len(text))]


def _day(letter: Letter, text: str, start: int, confidence: float) -> Iterator[Found]:
    found = find_date(text, letter.received)
    if found:
        lower = 0.0 if found.sure else 0.2
        yield Found(
            "next_date", found.day.isoformat(), start + found.start, start + found.end, confidence - lower, "label"
        )


def _of_patterns(letter: Letter, lines: list[Line]) -> Iterator[Found]:
    for line in lines:
        sure = 0.9 if line.part == "signature" else 0.8
        for match in _EMAIL.finditer(line.text):
            if address := read_email(match[0]).value:
                yield Found("email", address, line.start + match.start(), line.start + match.end(), sure, "pattern")
    yield from _phones(letter, lines)


def _phones(letter: Letter, lines: list[Line]) -> Iterator[Found]:
    regions = _regions(letter, lines)
    seen = 0
    for line in lines:
        if not re.search(r"\d[\d ()./-]{5,}", line.text[:1_000]):
            continue
        taken: set[tuple[int, int]] = set()
        for rank, region in enumerate(regions):
            for match in PhoneNumberMatcher(
                line.text[:1_000], None if region == ABROAD else region, leniency=Leniency.VALID, max_tries=50
            ):
                written = match.raw_string.lstrip().startswith("+")
                if (match.start, match.end) in taken or lx.FAX.search(
                    line.text[max(0, match.start - 14) : match.start]
                ):
                    continue
                taken.add((match.start, match.end))
                seen += 1
                if seen > MAX_PHONES:
                    return
                value = format_number(match.number, PhoneNumberFormat.E164)
                sure = 0.9 if written else 0.8 - 0.05 * rank
                at = line.start + match.start
                yield Found("phone", value, at, line.start + match.end, sure, "pattern")


def _regions(letter: Letter, lines: list[Line]) -> tuple[str, ...]:
    """Where numbers without country code are looked for: a country that the signature names, else the language's."""
    for line in lines:
        if line.part == "signature":
            last = line.text.rsplit(",", 1)[-1].strip(" .")
            if len(last) > 3 and (code := country_code(last[:60])):  # noqa: PLR2004  no two-letter words
                return (code,)
    return lx.REGIONS.get(lx.language_of(letter.text), (ABROAD,))


def as_stored(findings: dict[str, Finding]) -> list[dict[str, Any]]:
    """JSON-ready: field, value, start, end, confidence, rule, and `also` with the values that differ."""
    return [
        {**_plain(one.best), "confidence": one.confidence, "also": [_plain(other) for other in one.others]}
        for one in findings.values()
    ]


def _plain(one: Found) -> dict[str, Any]:
    return {
        "field": one.field, "value": one.value, "start": one.start, "end": one.end,
        "confidence": round(one.confidence, 2), "rule": one.rule,
    }  # fmt: skip
