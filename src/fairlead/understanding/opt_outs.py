"""Whether a message asks not to be written to any more, in any wording, and how far the wish goes. Pure.

Rules over single sentences in six languages (docs/opt-outs.md has the method and the measured figures). To miss a wish
is worse than to see one too many, so what is only probable is returned too, with `certain` False: that is for a person.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from fairlead.understanding.mending import mend
from fairlead.understanding.opt_out_germanic import DUTCH, GERMAN
from fairlead.understanding.opt_out_hints import hint
from fairlead.understanding.opt_out_romance import FRENCH, ITALIAN, SPANISH
from fairlead.understanding.opt_out_words import ENGLISH, Language
from fairlead.understanding.written import Sentence, Written, fold, read_written

MAX_QUOTE = 160
LANGUAGES = {"en": ENGLISH, "de": GERMAN, "nl": DUTCH, "fr": FRENCH, "es": SPANISH, "it": ITALIAN}
STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
"""Whole messages by SMS that carriers and their gateways take for an opt-out."""
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS = frozenset({"HELP", "INFO"})
_LONGEST_BARE = 7
"""Words of a message, polite ones left out, that may consist of nothing but a stop word."""
_KINDS = {
    "write": "it asks not to be written to or called any more",
    "remove": "it asks to be taken off a list or out of the records",
    "unsubscribe": "it asks to be unsubscribed",
    "consent": "it takes a consent back or objects",
    "peace": "it asks to be left alone",
    "hint": "it may ask not to be written to any more",
}
_EVERYTHING = re.compile(
    r"\b(?:everything|anything|any means|all of it|alles|allem|tout|rien|todo|nada|niets|alle|nulla|all kinds)\b"
)
_POINTS_BACK = re.compile(r"\b(?:it|them|this|these|die|diese|sie|les|la|las|los|ze|li|le|da raus)\b")
_CLAUSE = re.compile(r" , | (?:but|except|keep|just|only|aber|sondern|ausser|mais|sauf|pero|salvo|maar|ma) ")
_AND = re.compile(
    r"(?: (?:,|and|or|nor|me|us|und|oder|noch|mich|mir|uns|et|ou|ni|y|o|e|en|of|no|keine|de|dont|do not|nicht))+ "
)
_ADDRESS = re.compile(
    r"\b(?:(?:my|our|this|meine|unsere|diese|mon|notre|cette|mi|nuestro|este|mijn|il mio|mio)(?: personal)?"
    r" (?:email|mail|correo|adresse mail|adresse email|inbox)(?: address| electronico)?|(?:e ?mail|mail) ?adres\w*)\b"
)


class Keyword(StrEnum):
    """What a carrier's word asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


class Scope(StrEnum):
    """How far a wish goes."""

    ALL = "all"
    CHANNEL = "channel"
    PURPOSE = "purpose"


class OptOut(NamedTuple):
    """A wish to be left alone: how far it goes, how it was told, and the words that told it."""

    scope: Scope
    about: str
    """The channel (`email`, `sms`, `phone`, `post`, `chat`), or the kind of message in the customer's words; or ""."""
    why: str
    quote: str
    certain: bool
    """False: probably such a wish, which a person should say; what would be sent is better held until then."""


class _Rules(NamedTuple):
    sure: tuple[tuple[str, re.Pattern[str]], ...]
    doubtful: tuple[tuple[str, re.Pattern[str]], ...]
    decoys: re.Pattern[str]
    limits: re.Pattern[str]
    for_ever: re.Pattern[str]


def read_keyword(text: str) -> Keyword | None:
    """What a message that is one of the carriers' words asks for; None for every other message.

    Case, blanks and marks around the word do not count. "YES" opts in again only where nothing else was asked.
    """
    words = re.findall(r"\w+", fold(text[:200]).upper()) if len(text) <= 200 else []  # noqa: PLR2004  no word is longer
    if len(words) != 1:
        return None
    for known, meant in ((STOP_WORDS, Keyword.STOP), (START_WORDS, Keyword.START), (HELP_WORDS, Keyword.HELP)):
        if words[0] in known:
            return meant
    return None


def read_opt_out(text: str, channel: str = "email") -> OptOut | None:
    """The wish of the newest words of a message to be left alone, None when there is none.

    `channel` is the one that the message came by: by `sms` a carrier's stop word alone is one. Of several wishes a
    certain one goes before a doubtful one, then one for all before narrower ones. A message that is longer than what
    is read, and has no wish in what was read, gives a doubtful one: somebody has to look.
    """
    if channel == "sms" and read_keyword(text) is Keyword.STOP:
        return OptOut(Scope.ALL, "", "the message is a carrier's stop word", text.strip()[:MAX_QUOTE], certain=True)
    written = read_written(text)
    found = _bare(written, channel)
    found += [one for number in range(len(written.sentences)) if (one := _read(written.sentences, number))]
    if found:
        return min(found, key=lambda one: (not one.certain, list(Scope).index(one.scope)))
    if not written.whole:
        return OptOut(Scope.ALL, "", "it is longer than what is read", text[:MAX_QUOTE].strip(), certain=False)
    return None


def _bare(written: Written, channel: str) -> list[OptOut]:
    """A stop word that is the whole message, or its first line with no more than a greeting around it."""
    words, filler = _bare_words()
    said = [[w for w in one.folded.replace(",", " ").split() if w not in filler] for one in written.sentences]
    whole = [word for one in said for word in one]
    for number, (one, sentence) in enumerate(zip(said, written.sentences, strict=True)):
        phrases = {" ".join(one), sentence.folded.replace(" , ", " ")}
        if number > 1 or len(whole) > _LONGEST_BARE or not phrases & words:
            stop = one[:1] == ["stopsign"]
            if not stop or len(whole) > _LONGEST_BARE:
                continue
        # To a bot, "stop" may mean what it is just doing.
        certain = len(whole) <= len(one) + 1 and not (channel == "chat" and "stop" in sentence.folded)
        return [OptOut(Scope.ALL, "", "the message is a stop word", sentence.text[:MAX_QUOTE], certain)]
    per_se = channel != "chat" and len(whole) == 1 and whole[0].upper() in STOP_WORDS
    if per_se or (channel == "sms" and len(whole) <= 2 and "stop" in whole[:1]):  # noqa: PLR2004  "STOP ALL"
        return [
            OptOut(Scope.ALL, "", "the message is a stop word", written.sentences[0].text[:MAX_QUOTE], certain=False)
        ]
    return []


def _read(sentences: tuple[Sentence, ...], number: int) -> OptOut | None:
    sentence = sentences[number]
    found = _wish(sentence.folded)
    if found is None and (mended := mend(sentence.folded)) is not None:
        found = _wish(mended)
    if found is None:
        return None
    kind, match, certain = found
    scope, about = _scope(match, by_channel=kind != "peace")  # "stay off my phone" means more than calls
    start = max(0, len(sentence.text) - MAX_QUOTE) if len(sentence.text) > MAX_QUOTE else 0
    start = min(start, max(0, match.start() - MAX_QUOTE // 4))
    return OptOut(scope, about, _KINDS[kind], sentence.text[start : start + MAX_QUOTE], certain)


def _wish(folded: str) -> tuple[str, re.Match[str], bool] | None:
    """(kind, where, certain) of the first wish in a folded sentence."""
    doubtful: tuple[str, re.Match[str], bool] | None = None
    rules = _rules()
    said = folded
    for one in rules:
        said = one.decoys.sub(" , ", said)
    for one in rules:
        for kind, pattern in one.sure:
            if (match := pattern.search(said)) is None:
                continue
            if kind == "write" and one.limits.search(said) and not one.for_ever.search(said):
                continue
            return kind, match, True
        for kind, pattern in one.doubtful:
            if doubtful is None and (match := pattern.search(said)):
                doubtful = (kind, match, False)
    if doubtful is None and (match := hint(said)):
        return "hint", match, False
    return doubtful


def _scope(match: re.Match[str], *, by_channel: bool) -> tuple[Scope, str]:
    """How far a wish goes: by its own words, else by its clause, else, where it says "it", by the sentence."""
    said = match.string
    begins = [0] + [one.end() for one in _CLAUSE.finditer(said) if one.end() <= match.start() + 1]
    ends = [one.start() for one in _CLAUSE.finditer(said) if one.start() >= match.end() - 1] + [len(said)]
    clause = said[begins[-1] : ends[0]]
    if _EVERYTHING.search(clause):
        return Scope.ALL, ""
    for part in (match[0], clause, said[: match.end()] if _POINTS_BACK.search(match[0]) else ""):
        part = _ADDRESS.sub(" ", part)  # noqa: PLW2901
        purposes, channels = _narrowing()
        if named := purposes.search(part):
            return Scope.PURPOSE, named[0]
        if part == match[0]:  # "stop calling" may go on: ", texting and mailing me"
            part = said[match.start() : _listed(said, match.end(), channels)]  # noqa: PLW2901
        meant = {name for name, pattern in channels.items() if pattern.search(part)}
        if by_channel and len(meant) == 1:
            return Scope.CHANNEL, meant.pop()
    return Scope.ALL, ""


def _listed(said: str, end: int, channels: dict[str, re.Pattern[str]]) -> int:
    """Where the list of channels ends that goes on behind a wish."""
    while (more := _AND.match(said, end)) and any(one.match(said, more.end()) for one in channels.values()):
        end = more.end() + len(said[more.end() :].split(" ", 1)[0])
    return end


@cache
def _rules() -> tuple[_Rules, ...]:
    return tuple(
        _Rules(
            tuple((kind, _compiled(one, pattern)) for kind, pattern in one.wishes),
            tuple((kind, _compiled(one, pattern)) for kind, pattern in one.doubtful),
            _compiled(one, "|".join(one.decoys)),
            re.compile(one.limits),
            re.compile(one.for_ever),
        )
        for one in LANGUAGES.values()
    )


def _compiled(language: Language, pattern: str) -> re.Pattern[str]:
    for _ in range(3):  # a list may name another
        for name, words in {**language.lists, "PURPOSE": language.purposes}.items():
            pattern = pattern.replace(f"%{name}%", words)
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


@cache
def _narrowing() -> tuple[re.Pattern[str], dict[str, re.Pattern[str]]]:
    names = {name for one in LANGUAGES.values() for name in one.channels}
    purposes = "|".join(rf"(?:\w+ (?=promotion|marketing|offers))?{one.purposes}" for one in LANGUAGES.values())
    channels = {
        name: re.compile(r"\b(?:" + "|".join(one.channels[name] for one in LANGUAGES.values()) + r")\b")
        for name in sorted(names)
    }
    return re.compile(rf"\b(?:{purposes})\b"), channels


@cache
def _bare_words() -> tuple[frozenset[str], frozenset[str]]:
    words = {word for one in LANGUAGES.values() for word in one.bare.split("|")}
    filler = {word for one in LANGUAGES.values() for word in one.filler.split()} - {"stop"}
    return frozenset(words), frozenset(filler)
