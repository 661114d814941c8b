"""What a customer wrote in a message, as sentences: without history, signature, footers and tricks of letters. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from fairlead.kit.markup import MAX_HTML_CHARS, without_markup

MAX_GIVEN_CHARS = 1_048_576
MAX_CHARS = 65_536
"""Of the words, after markup went; what stands behind them is not read."""
MAX_SENTENCE = 400
_OVERLAP = 80
_SMALL_PRINT = frozenset({"blockquote", "small", "footer", "a"})
_MARKUP = re.compile(
    r"<(?:/?(?:html|body|div|p|br|span|table|blockquote|style|a|b|i|font)\b[^<>]{0,2000}|!doctype[^<>]{0,200})>",
    re.IGNORECASE,
)
_MARKS_LEFT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_INTRO = re.compile(
    r"[ \t]*(?:On [^\n]{5,200} wrote|Am [^\n]{5,120} schrieb[^\n]{0,120}|Le [^\n]{5,200} a écrit|"
    r"El [^\n]{5,200} escribió|Op [^\n]{5,120} schreef[^\n]{0,120}|"
    r"Il (?:giorno )?[^\n]{5,200} ha scritto)[ \t]?:?[ \t]*\Z",
    re.IGNORECASE,
)
_HISTORY = re.compile(
    r"[ \t]*(?:[-_]{2,}[ \t]*(?:original message|ursprüngliche nachricht|message d['’]origine|mensaje original|"
    r"oorspronkelijk bericht|messaggio originale|forwarded message|weitergeleitete nachricht|message transféré|"
    r"mensaje reenviado|doorgestuurd bericht|messaggio inoltrato)|_{10,}[ \t]*\Z|begin forwarded message)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"-- ?\Z")
_MENU = re.compile(r"\w[ \t]*[|•·][ \t]*\w")
_CLOSED = re.compile(r"[.!?…;:]\s*\Z")
_ENDS = re.compile(r"(?<=[.!?…;])[\")”»’]*\s+|(?<=[!?…])(?=\w)|\s+(?=[¿¡])")
_WRAPPED = 50
_FEW_WORDS = 2
_EMOJI = str.maketrans(dict.fromkeys("🛑⛔🚫✋🙅🖐📵", " stopsign ") | {"️": ""})
# Letters of other scripts that look like Latin ones; what is Russian throughout is not read by the rules anyway.
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u043a\u043c\u0442\u0432\u043d"
    "\u03b1\u03b5\u03bf\u03c1\u03c4\u03c5\u03c7\u03b9\u03ba\u03bd\u0131\u0142",
    "aeopcyxijsdhkmtbhaeoptuxikvil",
)
_APOSTROPHES = re.compile("[\u2019\u2018`\u00b4\u02bc\u2032]")
_NOT = re.compile(r"\b(do|does|did|is|was|wo|ca|ha|have|has|would|should|could|must)n'?t\b|\bcan't\b")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_SPELLED = re.compile(r"\b(?:[a-z][ .*_-]{1,2}){3,}[a-z]\b")
_EMAIL = re.compile(r"\be[- ]mail")
_BREAK = re.compile(r"[,:;()\[\]{}/\n—–•|]+|(?:^|\s)-+(?=\s|$)")
_OTHER = re.compile(r"[^\w,]+|_")
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»\n]{2,300}[\"”“»]")


class Sentence(NamedTuple):
    """One sentence as it was written, and folded: Latin small letters without accents, words and commas only."""

    text: str
    folded: str
    asks: bool
    """It ends with a question mark."""


class Written(NamedTuple):
    """What was written now, in order; `whole` is False where the message is longer than what is read."""

    sentences: tuple[Sentence, ...]
    whole: bool


def read_written(text: str) -> Written:
    """The sentences of the newest words; empty when the message holds none of its own.

    HTML is read as a reader sees it, without links and small print unless there is nothing else. Lines that begin
    with `>`, forwarded mails, what stands below a signature's two dashes, and menus (`Unsubscribe | Imprint`) go.
    """
    given = text[:MAX_GIVEN_CHARS]
    whole = len(text) <= MAX_GIVEN_CHARS
    if _MARKUP.search(given[:20_000]):
        whole = len(given) <= MAX_HTML_CHARS
        given = without_markup(given, _SMALL_PRINT) or without_markup(given, frozenset({"blockquote"}))
    given = _visible(given)
    lines = _own_lines(given[:MAX_CHARS].split("\n"))
    found = [made for block in _blocks(lines) for piece in _pieces(block) if (made := _sentence(piece)).folded]
    return Written(tuple(found), whole and len(given) <= MAX_CHARS)


def fold(text: str) -> str:
    """Latin small letters without accents; words with single blanks, and commas where a clause ends."""
    wide = unicodedata.normalize("NFKC", _visible(text))[: 2 * MAX_SENTENCE]  # one letter may stand for eighteen
    folded = _APOSTROPHES.sub("'", wide.casefold().translate(_EMOJI))
    folded = unicodedata.normalize("NFD", folded.translate(_LOOK_ALIKE))
    folded = "".join(c for c in folded if unicodedata.category(c) != "Mn")
    folded = _NOT.sub(lambda found: found[0].replace("'", ""), folded)
    folded = _SPELLED.sub(lambda found: re.sub(r"[^a-z]", "", found[0]), folded)
    folded = _EMAIL.sub("email", _REPEATED.sub(r"\1", folded))
    folded = _OTHER.sub(" ", _BREAK.sub(" , ", folded)).replace(",", " , ")
    return re.sub(r"(?:\A[ ,]+|[ ,]+\Z)", "", re.sub(r"(?: , )[ ,]*", " , ", re.sub(r" +", " ", folded)))


def _visible(text: str) -> str:
    """Without control and format characters: no zero-width letters, marks of direction, NUL."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    if text.isascii() and text.replace("\n", " ").isprintable():
        return text
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _MARKS_LEFT)


def _own_lines(lines: list[str]) -> list[str]:
    own: list[str] = []
    for number, line in enumerate(lines):
        if _HISTORY.match(line[:300]) or (_SIGNATURE.match(line) and any(one.strip() for one in own)):
            break
        if _INTRO.match(line[:400]):
            below = next((one for one in lines[number + 1 : number + 6] if one.strip()), "")
            if not below.lstrip().startswith(">"):
                break  # the whole rest is history that is not marked
            continue
        if line.lstrip().startswith(">") or _MENU.search(line[:300]):
            continue
        own.append(line)
    return own


def _blocks(lines: list[str]) -> list[str]:
    """Wrapped lines become one; others stand for themselves."""
    blocks: list[str] = []
    goes_on = False
    for line in lines:
        said = line.strip()
        if goes_on and said and (said[0].islower() or said[0].isdigit()):
            blocks[-1] = f"{blocks[-1]} {said}"
        elif said:
            blocks.append(said)
        long = goes_on or len(said) >= _WRAPPED or len(said.split()) > _FEW_WORDS
        goes_on = bool(said) and long and not _CLOSED.search(said)
    return blocks


def _pieces(block: str) -> list[str]:
    """Sentences; what is longer than one is cut with an overlap, so that a wish on the cut is still seen."""
    found: list[str] = []
    for piece in _ENDS.split(block):
        if len(piece) <= MAX_SENTENCE:
            found.append(piece)
        else:
            found += [piece[at : at + MAX_SENTENCE] for at in range(0, len(piece), MAX_SENTENCE - _OVERLAP)]
    return found


def _sentence(piece: str) -> Sentence:
    piece = piece.strip()
    rest = _QUOTED.sub(" , ", piece)
    said = rest if len(re.findall(r"\w+", rest)) > _FEW_WORDS else piece  # a message in quotation marks is its own
    return Sentence(piece, fold(said), "?" in piece[-4:])
