"""Between plain text, a small Markdown and HTML, for messages. Pure.

The Markdown knows headings (`#` to `###`), paragraphs, lists (`-`, `*`, `1.`), `**bold**`, `*italic*`, links
`[words](https://…)` and `---`; two blanks at the end of a line break it. Everything else is text, HTML too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from html.parser import HTMLParser
from typing import NamedTuple

from fairlead.kit.markup import laid_out

SCHEMES = ("https:", "http:", "mailto:", "tel:", "cid:")
_REFUSED = frozenset("script iframe object embed form input button textarea select base meta link".split())  # noqa: SIM905
_AIMS = frozenset("href src action background formaction poster srcset xlink:href".split())  # noqa: SIM905
_INLINE = re.compile(
    r"\[(?P<words>[^\[\]\n]{1,500})\]\((?P<aim>[^()\s]{1,2000})\)|\*\*(?P<bold>[^*\n]{1,2000})\*\*|"
    r"(?<!\w)\*(?P<italic>[^*\s](?:[^*\n]{0,2000}[^*\s])?)\*(?!\w)"
)
_BLOCKS = re.compile(r"\n[ \t]*\n+")
_BULLET = re.compile(r"[ \t]*(?:[-*]|(?P<number>\d{1,4})[.)])[ \t]+")
_HEADING = re.compile(r"(#{1,3})[ \t]+(.+)")
_BARE = re.compile(r"https?://[^\s<>\"]{1,1900}[^\s<>\".,;:!?)]")

OPEN, CLOSE = "\ue000", "\ue001"
"""Around the number of a value that is filled in later, in what a template made."""
_AIM, _AIM_END = "\ue002", "\ue003"
_SLOT = re.compile(f"{OPEN}([0-9]{{1,9}}){CLOSE}")
_LATE_AIM = re.compile(f"{_AIM}([^{_AIM_END}]*){_AIM_END}")


class Skeleton(NamedTuple):
    """The two texts of a Markdown message, with places for values where it has some."""

    text: str
    html: str


@lru_cache(maxsize=128)
def skeleton_of(text: str) -> Skeleton:
    """Text and HTML of a Markdown; the same for all recipients of a message but for what is filled in.

    ValueError for a link to anything but the web, a mail address or a telephone.
    """
    return Skeleton(_text_of_markdown(text), html_of_markdown(text))


def filled(skeleton: Skeleton, values: Sequence[str]) -> tuple[str, str]:
    """Text and HTML with the values in their places: escaped in words, checked (ValueError) in the aims of links."""

    def plain(match: re.Match[str]) -> str:
        return values[int(match[1])]

    def aim(match: re.Match[str]) -> str:
        return escape(check_aim(_SLOT.sub(plain, match[1])))

    html = _LATE_AIM.sub(aim, skeleton.html)
    return _SLOT.sub(plain, skeleton.text), _SLOT.sub(lambda match: _broken(escape(plain(match))), html)


def html_of_markdown(text: str) -> str:
    """HTML without head and body. ValueError as `skeleton_of`."""
    return "\n".join(_block(block) for block in _BLOCKS.split(text.strip("\n")) if block.strip())


def _text_of_markdown(text: str) -> str:
    """The same for people who read plain text: marks go, links stand behind their words."""

    def plain(match: re.Match[str]) -> str:
        if match["words"]:
            return match["words"] if match["words"] == match["aim"] else f"{match['words']} ({match['aim']})"
        return str(match["bold"] or match["italic"])

    lines = (_HEADING.sub(r"\2", line) if line.startswith("#") else line for line in text.strip("\n").split("\n"))
    return "\n".join(_INLINE.sub(plain, line) for line in lines).strip("\n") + "\n"


def html_of_text(text: str) -> str:
    """Paragraphs and line breaks as they stand; web addresses become links."""
    blocks = (block for block in _BLOCKS.split(text.strip("\n")) if block.strip())
    return "\n".join(f"<p>{_linked(block)}</p>" for block in blocks)


def text_of_html(markup: str) -> str:
    """The words that a reader would see, links behind their words; scripts and styles are left out."""
    return laid_out(markup, SCHEMES) + "\n"


def check_html(markup: str) -> None:
    """ValueError for what no message of ours holds: programs, forms, frames, and links by another scheme."""
    parser = _Checker()
    parser.feed(markup)
    parser.close()


def check_aim(aim: str) -> str:
    """The aim of a link; ValueError unless it is a web, mail or telephone address."""
    if not aim.lower().startswith(SCHEMES) or re.search(r"[\x00-\x20\x7f]", aim):
        message = f"a link leads to {aim!r:.80}, which is no https:, mailto: or tel: address"
        raise ValueError(message)
    return aim


def _block(block: str) -> str:
    lines = block.split("\n")
    if (heading := _HEADING.fullmatch(block.strip())) is not None:
        level = len(heading[1])
        return f"<h{level}>{_inline(heading[2])}</h{level}>"
    if re.fullmatch(r"-{3,}", block.strip()):
        return "<hr>"
    if (first := _BULLET.match(lines[0])) is not None:
        tag = "ol" if first["number"] else "ul"
        return f"<{tag}>\n{''.join(_items(lines))}</{tag}>"
    ends = ["<br>\n" if line.endswith("  ") else "\n" for line in lines[:-1]]
    return f"<p>{''.join(_inline(line.strip()) + end for line, end in zip(lines, [*ends, ''], strict=True))}</p>"


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if (mark := _BULLET.match(line)) is not None:
            items.append(line[mark.end() :])
        else:
            items[-1] += " " + line.strip()
    return [f"<li>{_inline(item)}</li>\n" for item in items]


def _inline(text: str) -> str:
    pieces, end = [], 0
    for match in _INLINE.finditer(text):
        pieces.append(_words(text[end : match.start()]))
        end = match.end()
        if match["words"]:
            aim = match["aim"]
            late = f"{_AIM}{aim}{_AIM_END}" if OPEN in aim else escape(check_aim(aim))
            pieces.append(f'<a href="{late}">{_words(match["words"])}</a>')
        else:
            tag, words = ("strong", match["bold"]) if match["bold"] else ("em", match["italic"])
            pieces.append(f"<{tag}>{_words(words)}</{tag}>")
    return "".join([*pieces, _words(text[end:])])


def _words(text: str) -> str:
    return _broken(escape(text))


def _broken(text: str) -> str:
    return text.replace("\n", "<br>")


def _linked(text: str) -> str:
    pieces, end = [], 0
    for match in _BARE.finditer(text):
        shown = escape(match[0])
        pieces += [escape(text[end : match.start()]), f'<a href="{shown}">{shown}</a>']
        end = match.end()
    return "".join([*pieces, escape(text[end:])]).replace("\n", "<br>\n")


class _Checker(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _REFUSED:
            message = f"a message holds no <{tag}>"
            raise ValueError(message)
        for name, value in attrs:
            if name.startswith("on"):
                message = f"a message runs no program ({name})"
                raise ValueError(message)
            if name in _AIMS:
                check_aim((value or "").strip())
