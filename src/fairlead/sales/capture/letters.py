"""Pasted text and `.eml` files to one plain text, cut into what was written, signed and quoted: pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from email.utils import parseaddr, parsedate_to_datetime

from fairlead.errors import InputError, TooLargeError
from fairlead.sales.capture.dates import find_date
from fairlead.sales.capture.lexicon import JOB, LEGAL_FORM
from fairlead.sales.capture.messages import is_message, text_of_message

MAX_TEXT_CHARS = 65_536
"""Of a note as it is kept; what is longer is refused, since nobody could review it."""
_LONGEST_SIGNATURE = 16

_HEADERS = {
    "from": "from", "von": "from", "de": "from", "sent": "date", "date": "date", "gesendet": "date", "datum": "date",
    "envoyé": "date", "enviado": "date", "fecha": "date", "to": "to", "an": "to", "à": "to", "para": "to", "cc": "to",
    "subject": "subject", "betreff": "subject", "objet": "subject", "asunto": "subject", "reply-to": "to",
}  # fmt: skip
_HEADER_LINE = re.compile(r"[ \t]*([A-Za-zÀ-ÿ-]{2,12}|[Àà])[ \t]?:[ \t]*(\S.*)?\Z")
_QUOTE_INTRO = re.compile(
    r"[ \t]*(?:On [^\n]{5,200} wrote|Am [^\n]{5,120} schrieb[^\n]{0,120}|Le [^\n]{5,200} a écrit|"
    r"El [^\n]{5,200} escribió)[ \t]?:?[ \t]*\Z|"
    r"[ \t]*-{2,}[ \t]*(?:Original Message|Ursprüngliche Nachricht|Message d['’]origine|Mensaje original|"
    r"Forwarded message|Weitergeleitete Nachricht)|_{10,}\Z",
    re.IGNORECASE,
)
_CLOSINGS = """best regards|kind regards|warm regards|many regards|regards|best wishes|all the best|best|cheers
|sincerely|yours sincerely|yours faithfully|yours truly|many thanks|thanks|thank you|mit freundlichen grüßen
|mit freundlichen gruessen|mit besten grüßen|freundliche grüße|viele grüße|beste grüße|liebe grüße|herzliche grüße
|schöne grüße|grüße|gruß|mfg|lg|vg|hochachtungsvoll|cordialement|bien cordialement|très cordialement|bien à vous
|sincères salutations|salutations distinguées|salutations|merci d['’]avance|amicalement|un saludo|un cordial saludo
|saludos|saludos cordiales|atentamente|cordialmente|muchas gracias""".replace("\n", "")
_CLOSING = re.compile(rf"[ \t]*(?:{_CLOSINGS})(?:[ \t]*[,.!]*[ \t]*\Z|[ \t]*,?[ \t]+(?=[A-ZÀ-Þ]))", re.IGNORECASE)
_SHORT_CLOSING = 60
_FORWARDED = re.compile(
    r"[ \t]*-{2,}[ \t]*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|"
    r"Original Message|Ursprüngliche Nachricht)",
    re.IGNORECASE,
)
_WRAPPED = 60
"""A line this long is taken for one that goes on in the next."""
_TELLS = re.compile(
    rf"@|www\.|https?://|\d[\d ()./-]{{6,}}|(?<!\w){LEGAL_FORM}(?!\w)|(?<!\w){JOB.pattern}", re.IGNORECASE
)
_SENTENCE = re.compile(r"[a-zà-ÿ]{2}[.!?](?:\s|\Z)|\b(?:you|Sie|vous|usted|please|bitte|merci)\b")
_SHORT_LINE = 80
_DASHES = re.compile(r"-- ?\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text; `start` is its offset, `part` is header, body, signature or quoted."""

    start: int
    text: str
    part: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A note, cut up. Offsets count characters of `text`, which is what is kept and shown."""

    text: str
    kind: str
    """`email` when it begins with a sender, else `note`."""
    lines: tuple[Line, ...]
    sender_name: str
    sender_email: str
    sender_at: tuple[int, int]
    """Where the sender's line stands; (0, 0) without one."""
    subject: str
    received: date
    """Of the letter's own date where it can be read, else the day that it was given."""

    def part(self, *parts: str) -> list[Line]:
        """The lines of these parts, in order."""
        return [line for line in self.lines if line.part in parts]

    def flowing(self) -> list[Line]:
        """The body with wrapped lines joined by a blank, so that offsets stay; blank lines are left out."""
        blocks: list[Line] = []
        last = 0  # length of the line above, 0 when the next one cannot go on
        for line in self.part("body"):
            listed = line.text.lstrip().startswith(("-", "*", "•"))
            if last >= _WRAPPED and line.text.strip() and not listed:
                above = blocks.pop()
                blocks.append(Line(above.start, f"{above.text} {line.text}", "body"))
            elif line.text.strip():
                blocks.append(line)
            last = len(line.text) if line.text.strip() else 0
        return blocks


def clean(text: str) -> str:
    """The text without what nobody sees: control and format characters go, odd blanks become plain ones."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    if text.isascii() and text.isprintable():
        return text
    kept = (" " if c in "\u00a0\u202f\u2007\u2009" else c for c in text)
    return "".join(c for c in kept if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})


def read_letter(given: str | bytes, received: date) -> Letter:
    """The letter in a pasted text or in the bytes of an `.eml` file.

    InputError when there is no text in it; TooLargeError when the text is longer than 65,536 characters or the
    message is nested too deeply.
    """
    text = text_of_message(given) if is_message(given) else _decoded(given)
    text = clean(text[: 8 * MAX_TEXT_CHARS]).strip("\n ")
    if len(text) > MAX_TEXT_CHARS:
        message = f"The text has more than {MAX_TEXT_CHARS:,} characters. Leave the quoted history out."
        raise TooLargeError(message, limit=MAX_TEXT_CHARS, unit="characters")
    if not text:
        raise InputError("There is no text in it. Paste the words of the e-mail or note.", code="empty_note")
    return cut(text, received)


def _decoded(given: str | bytes) -> str:
    if isinstance(given, str):
        return given
    try:
        return given.decode("utf-8-sig")
    except UnicodeDecodeError:
        return given.decode("cp1252", errors="replace")


def cut(text: str, received: date) -> Letter:
    """A cleaned text as a letter."""
    raw: list[tuple[int, str]] = []
    at = 0
    for piece in text.split("\n"):
        raw.append((at, piece))
        at += len(piece) + 1
    headers = _header_lines(raw, 1 if _FORWARDED.match(raw[0][1]) else 0)
    parts = ["header"] * headers + ["body"] * (len(raw) - headers)
    quoted = next((n for n in range(headers, len(raw)) if _begins_quote(raw, n)), len(raw))
    parts[quoted:] = ["quoted"] * (len(raw) - quoted)
    lines = _signed(raw, parts, headers, quoted)
    known = _known_headers(lines[:headers])
    sender = known.get("from", ("", 0, 0))
    name, address = parseaddr(sender[0])
    return Letter(
        text=text,
        kind="email" if sender[0] else "note",
        lines=tuple(lines),
        sender_name=_unflipped(name),
        sender_email=address if "@" in address else "",
        sender_at=(sender[1], sender[2]),
        subject=known.get("subject", ("", 0, 0))[0][:300],
        received=_date_of(known.get("date", ("", 0, 0))[0], received),
    )


def _header(text: str) -> str | None:
    found = _HEADER_LINE.match(text)
    return _HEADERS.get(found[1].casefold()) if found else None


def _header_lines(raw: list[tuple[int, str]], skipped: int) -> int:
    """How many lines at the top are headers: a block of known ones that has a sender with an address.

    `skipped` lines above it say that the letter was forwarded.
    """
    count, names = skipped, set()
    for _, text in raw[skipped:30]:
        name = _header(text)
        if name is None:
            break
        names.add(name)
        count += 1
    block = " ".join(text for _, text in raw[:count])
    return count if "from" in names and "@" in block else 0


def _begins_quote(raw: list[tuple[int, str]], number: int) -> bool:
    text = raw[number][1]
    if text.lstrip().startswith(">") or _QUOTE_INTRO.match(text[:400]):
        return True
    if _header(text) != "from" or "@" not in text:
        return False
    following = {_header(below) for _, below in raw[number + 1 : number + 5]}
    return bool(following & {"date", "to", "subject"})


def _signed(raw: list[tuple[int, str]], parts: list[str], first: int, quoted: int) -> list[Line]:
    """The lines with their parts; a signature begins behind a closing or two dashes."""
    lines = [Line(start, text, part) for (start, text), part in zip(raw, parts, strict=True)]
    for number in range(first, quoted):
        start, text = raw[number]
        closing = _CLOSING.match(text) if len(text) <= _SHORT_CLOSING else None
        if closing is None and not _DASHES.match(text):
            continue
        below = sum(1 for _, one in raw[number + 1 : quoted] if one.strip())
        written = any(one.strip() for _, one in raw[first:number])
        if below > _LONGEST_SIGNATURE or not (written or closing is None):
            continue
        cut_at = closing.end() if closing is not None else len(text)
        lines[number] = Line(start + cut_at, text[cut_at:], "signature")
        for later in range(number + 1, quoted):
            lines[later] = Line(raw[later][0], raw[later][1], "signature")
        return lines
    return _trailing(lines, raw, first, quoted)


def _trailing(lines: list[Line], raw: list[tuple[int, str]], first: int, quoted: int) -> list[Line]:
    """A last block of short lines that holds an address, a number or a company is a signature without a closing."""
    end = quoted
    while end > first and not raw[end - 1][1].strip():
        end -= 1
    begin = end
    while begin > first and raw[begin - 1][1].strip():
        begin -= 1
    block = [text for _, text in raw[begin:end]]
    written = any(text.strip() for _, text in raw[first:begin])
    told = any(_TELLS.search(text) for text in block)
    labelled = sum(":" in text for text in block)
    if not (written and told and 1 < len(block) <= _LONGEST_SIGNATURE and labelled <= len(block) / 2):
        return lines
    if max(map(len, block)) > _SHORT_LINE or any(_SENTENCE.search(text) for text in block):
        return lines
    for number in range(begin, end):
        lines[number] = Line(raw[number][0], raw[number][1], "signature")
    return lines


def _known_headers(lines: list[Line]) -> dict[str, tuple[str, int, int]]:
    found: dict[str, tuple[str, int, int]] = {}
    for line in lines:
        match = _HEADER_LINE.match(line.text)
        name = _HEADERS.get(match[1].casefold()) if match else None
        if match and match[2] and name and name not in found:
            found[name] = (match[2].strip(), line.start + match.start(2), line.start + len(line.text.rstrip()))
    return found


def _unflipped(name: str) -> str:
    """`Okonjo, Ada` → `Ada Okonjo`; "" for an address in the place of a name."""
    name = " ".join(name.split()).strip("'\"")
    last, comma, first = name.partition(",")
    name = f"{first.strip()} {last.strip()}" if comma and first.strip() else name
    return "" if "@" in name else name[:100]


def _date_of(text: str, received: date) -> date:
    if not text:
        return received
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        found = find_date(text, received, past=True)
        return found.day if found else received
