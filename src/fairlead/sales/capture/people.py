"""Who a note is about: names, companies, job titles and countries in phrases and signatures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairlead.sales.capture import lexicon as lx
from fairlead.sales.capture.letters import Letter, Line
from fairlead.sales.intake.countries import country_code
from fairlead.sales.intake.words import fold

Hit = tuple[str, str, int, int, float, str]
"""(field, value, start, end, confidence, rule)."""

_NAMED = re.compile(lx.TITLES_OF_RESPECT + f"({lx.NAME.pattern})")
_PIECES = re.compile(r"[ ]*[|·•/][ ]*|[ ]{2,}")
_IN_COUNTRY = re.compile(rf"(?:in|from|aus|en|au|de)[ ]+((?:[{lx.UPPER}][\w'’-]+)(?:[ ][{lx.UPPER}][\w'’-]+){{0,2}})")
_ALONE = re.compile(r"(?<=[,(] )([^,.()\n]{3,30})(?=[.,)])|(?<=\()([^,.()\n]{3,30})(?=\))")
"""A piece of a sentence between commas or in brackets."""
_SHORTEST_COUNTRY = 4
_SHORT_COUNTRIES = frozenset({"USA", "UK", "UAE"})
_MAX_TITLE, _MAX_TITLE_WORDS = 60, 7
_MAX_LINE = 2_000


def find_people(letter: Letter) -> Iterator[Hit]:
    """Everything about the person, best guesses and worse ones alike."""
    yield from _in_signature(letter.part("signature"))
    for line in letter.flowing():
        text = line.text[:_MAX_LINE]
        yield from _met(line, text)
        yield from _companies(line, text)
        yield from _titles(line, text)
    yield from _countries(letter)


def person_in(text: str, at: int) -> Iterator[tuple[str, str, int, int]]:
    """(field, value, start, end) of a phrase such as `Frau Ann Bell, Leiterin IT bei der Bell AG (Schweiz)`.

    Offsets count from the beginning of `text`; reading begins at `at`. Nothing without a name there.
    """
    named = _NAMED.match(text, at)
    if named is None or set(fold(named[1]).split()) & lx.ORG_WORDS:
        return
    name, start = named[1], named.start(1)
    yield "name", name, start, start + len(name)
    rest = re.match(r"[ ]*[,(:–-]?[ ]*", text[named.end() :])
    begin = named.end() + (rest.end() if rest else 0)
    yield from _role_and_company(text, begin, named.end())


def _role_and_company(text: str, begin: int, after_name: int) -> Iterator[tuple[str, str, int, int]]:
    direct = lx.AT_COMPANY.match(text, after_name)
    if direct is None:
        clause = re.compile(r"[^,;()\n.]+").match(text, begin)
        if clause is None or not lx.JOB.search(clause[0]):
            yield from _bracketed_company(text, begin)
            return
        title, end = _split_title(clause[0])
        yield "job_title", title, begin, begin + len(title)
        direct = lx.AT_COMPANY.match(text, begin + len(title)) if end else None
        if direct is None:
            yield from _bracketed_company(text, clause.end())
            return
    company = lx.COMPANY.match(text, direct.end()) or lx.COMPANY_NAME.match(text, direct.end())
    if company is not None:
        value = company[0].rstrip(" ,;") if company.re is lx.COMPANY else _bare(company[0])
        if country_code(value) is None:
            yield "company", value, direct.end(), direct.end() + len(value)
        bracket = re.compile(r"[ ]*\(([^()\n]{3,40})\)").match(text, direct.end() + len(value))
        if bracket and (code := country_code(bracket[1])):
            yield "country", code, bracket.start(1), bracket.end(1)


def _bracketed_company(text: str, begin: int) -> Iterator[tuple[str, str, int, int]]:
    """A company behind the comma, as in `(COO, Larkspur Media Group)`."""
    gap = re.compile(r"[ ]*,[ ]*(?:Firma[ ]+)?").match(text, begin)
    company = lx.COMPANY_NAME.match(text, gap.end()) if gap else None
    if gap and company:
        legal = lx.COMPANY.match(text, gap.end())
        value = legal[1] if legal else _bare(company[0])
        if len(value.split()) > 1 and country_code(value) is None:
            yield "company", value, gap.end(), gap.end() + len(value)


def _split_title(clause: str) -> tuple[str, bool]:
    """The title in a clause that may go on with a company: `Purchasing Lead at Tallgrass` → `Purchasing Lead`.

    True when something follows that may be a company.
    """
    job = lx.JOB.search(clause)
    at = job.end() if job else 0
    gap = re.compile(r"[ ]+(?:at|bei der|bei|beim|von der|chez|en|de|of|for)[ ]+(?=[" + lx.UPPER + r"])").search(
        clause, at
    )
    if gap is None:
        return clause.rstrip(" .,"), False
    behind = clause[gap.end() :]
    # "Head of Operations" and "Jefa de compras" go on; "gerente de Talleres Ortega" does not.
    if gap[0].strip() in {"of", "for"} and not lx.COMPANY.match(behind):
        return clause.rstrip(" .,"), False
    return clause[: gap.start()], True


def _bare(name: str) -> str:
    """Trailing small words and full stops are not part of a name."""
    words = name.rstrip(" .,;").split(" ")
    while len(words) > 1 and not words[-1][:1].isupper() and not words[-1][:1].isdigit():
        words.pop()
    return " ".join(words)


def _met(line: Line, text: str) -> Iterator[Hit]:
    for trigger in lx.MET.finditer(text):
        for field, value, start, end in person_in(text, trigger.end()):
            sure = 0.85 if field == "name" else 0.8
            yield field, value, line.start + start, line.start + end, sure, "phrase"


def _companies(line: Line, text: str) -> Iterator[Hit]:
    for match in lx.COMPANY.finditer(text):
        if not lx.FORMER.search(text[: match.start()]):
            yield "company", match[1], line.start + match.start(1), line.start + match.end(1), 0.7, "pattern"
    for trigger in lx.WORKS_AT.finditer(text):
        company = lx.COMPANY.match(text, trigger.end()) or lx.COMPANY_NAME.match(text, trigger.end())
        if company is not None:
            value = company[0] if company.re is lx.COMPANY else _bare(company[0])
            at = line.start + company.start()
            yield "company", value, at, at + len(value), 0.8, "phrase"


def _titles(line: Line, text: str) -> Iterator[Hit]:
    for trigger in lx.I_AM.finditer(text):
        clause = re.compile(r"[^,;()\n.!?]+").match(text, trigger.end())
        if clause and _is_title(clause[0]):
            value = clause[0].rstrip()
            at = line.start + clause.start()
            yield "job_title", value, at, at + len(value), 0.75, "phrase"
    for match in re.finditer(r"(?<=[.!?:][ ])([^.!?,;:\n]{3,60})(?=[.!?])", text):
        if _is_title(match[1]) and len(match[1].split()) <= 3:  # noqa: PLR2004  a sentence that is a title
            yield "job_title", match[1], line.start + match.start(1), line.start + match.end(1), 0.65, "phrase"


def _is_title(text: str) -> bool:
    words = text.split()
    job = lx.JOB.search(" ".join(words[:4]))
    return (
        bool(job) and 0 < len(words) <= _MAX_TITLE_WORDS and len(text) <= _MAX_TITLE and not re.search(r"[\d@]", text)
    )


def _in_signature(lines: list[Line]) -> Iterator[Hit]:
    """A signature tells by its order: who, what they are, for whom, where."""
    named = titled = False
    for line in lines:
        at = 0
        for raw in _PIECES.split(line.text[:_MAX_LINE]):
            start = line.text.index(raw, at) if raw else at
            at = start + len(raw)
            piece, start = raw.strip(" ,"), line.start + start + (len(raw) - len(raw.lstrip(" ,")))
            if not piece or "@" in piece or re.search(r"\d{3}", piece):
                continue
            if not named and (name := _signed_name(piece)):
                named = True
                first = start + piece.index(name)
                yield "name", name, first, first + len(name), 0.88, "signature"
            elif not titled and _is_title(piece) and not lx.COMPANY.fullmatch(piece):
                titled = True
                yield "job_title", piece, start, start + len(piece), 0.88, "signature"
            else:
                yield from _signed_company(piece, start, after_name=named)


def _signed_name(piece: str) -> str:
    named = _NAMED.fullmatch(piece)
    if named is None or lx.JOB.search(piece) or lx.COMPANY.fullmatch(piece):
        return ""
    return "" if set(fold(piece).split()) & lx.ORG_WORDS else named[1]


def _signed_company(piece: str, start: int, *, after_name: bool) -> Iterator[Hit]:
    company = lx.COMPANY.match(piece)
    if company is not None:
        yield "company", company[1], start, start + len(company[1]), 0.9, "signature"
        return
    first = piece.split(",", maxsplit=1)[0].strip()
    if country_code(first) is not None or re.search(r"\d", first) or ":" in first:
        return
    if lx.COMPANY_NAME.fullmatch(first) and len(first) > 2:  # noqa: PLR2004
        told = bool(set(fold(first).split()) & lx.ORG_WORDS) or "&" in first
        if told or (after_name and len(first.split()) > 1):
            yield "company", first, start, start + len(first), 0.8 if told else 0.6, "signature"


def _countries(letter: Letter) -> Iterator[Hit]:
    """Names of countries: at the end of an address surely, in a sentence only when it is the one country there."""
    spoken: list[tuple[str, int, int]] = []
    for line in [*letter.flowing(), *letter.part("signature")]:
        text = line.text[:_MAX_LINE]
        if line.part == "signature":
            last = text.rsplit(",", 1)[-1].strip(" .")
            if code := _country(last):
                at = line.start + text.rindex(last)
                yield "country", code, at, at + len(last), 0.9, "signature"
            continue
        named = [(m[1], m.start(1), m.end(1)) for m in _IN_COUNTRY.finditer(text)]
        named += [(m[0], m.start(), m.end()) for m in _ALONE.finditer(text)]
        spoken += [(code, line.start + a, line.start + b) for name, a, b in named if (code := _country(name))]
    if len({code for code, _, _ in spoken}) == 1:
        code, start, end = spoken[0]
        yield "country", code, start, end, 0.6, "phrase"


def _country(name: str) -> str | None:
    if len(name) < _SHORTEST_COUNTRY and name not in _SHORT_COUNTRIES:
        return None
    return country_code(name[:60]) if name[:1].isupper() else None
