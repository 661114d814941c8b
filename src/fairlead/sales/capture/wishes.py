"""What is to be done next, and when: the sentence that asks for something. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairlead.sales.capture import lexicon as lx
from fairlead.sales.capture.dates import FoundDate, find_date
from fairlead.sales.capture.letters import Letter, Line

MAX_SENTENCE = 300
_ABBREVIATION = re.compile(
    r"(?:\d|\b(?:M|Mr|Mrs|Ms|Dr|Prof|Hr|Fr|Sr|Sra|D|Dña|Tel|Tél|Nr|No|St|Inc|Ltd|ca|bzw|Mio|Tsd))\.\Z"
)
_END = re.compile(r"[.!?][)\"”»]?(?=\s)")


def find_next_step(letter: Letter) -> Iterator[tuple[str, str, int, int, float]]:
    """(field, value, start, end, confidence): the sentence that asks for something, and its day.

    Of several the first that names a day counts, else the first.
    """
    asked: list[tuple[int, int, FoundDate | None]] = []
    for start, end in sentences(letter.flowing(), letter.text):
        text = letter.text[start:end]
        if lx.ACTION.search(text):
            asked.append((start, end, find_date(text, letter.received)))
    if not asked:
        return
    start, end, day = next((one for one in asked if one[2]), asked[0])
    yield "next_step", " ".join(letter.text[start:end].split()), start, end, 0.75 if day else 0.65
    if day:
        yield "next_date", day.day.isoformat(), start + day.start, start + day.end, 0.8 if day.sure else 0.65


def sentences(lines: list[Line], text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence of these paragraphs of `text`, at most 300 characters."""
    for line in lines:
        first, last = line.start, line.start + len(line.text)
        begin = first
        for match in _END.finditer(text, first, last):
            if _ABBREVIATION.search(text, max(first, match.start() - 8), match.start() + 1):
                continue
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
        yield from _trimmed(text, begin, last)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start] in " \n-*•":
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, min(end, start + MAX_SENTENCE)
