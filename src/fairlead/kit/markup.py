"""The words of a web page or an HTML mail, as a reader sees them. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MAX_HTML_CHARS = 400_000
"""What is longer is not read to its end."""
_BREAKING = frozenset(
    ["p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"]
)
_LAID_OUT = _BREAKING | frozenset({"hr", "section", "header", "footer", "pre"})
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"})
_SILENT = frozenset({"script", "style", "title", "template"})


class _Words(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self, silent: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silenced = silent
        self._silent = 0
        self._in_head = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        # A head needs no end: the body ends it.
        self._in_head = (self._in_head or tag == "head") and tag != "body"
        if tag in self._silenced:
            self._silent += 1
        elif tag in _BREAKING:
            self.pieces.append("\n")

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append("\n" if tag in _BREAKING else "")

    def handle_endtag(self, tag: str) -> None:
        self._in_head = self._in_head and tag != "head"
        if tag in self._silenced:
            self._silent = max(0, self._silent - 1)
            self.pieces.append("\n" if tag in _BREAKING else "")
        elif tag in _BREAKING:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._in_head:
            self.pieces.append(re.sub(r"\s+", " ", data))


class _Layout(_Words):
    """The same with paragraphs apart, a dash before each item, and the aim of a link behind its words."""

    def __init__(self, schemes: tuple[str, ...]) -> None:
        super().__init__(_SILENT)
        self._schemes = schemes
        self._aim: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LAID_OUT:
            self.pieces.append("\n\n" if tag in _SPACED else "\n")
            self.pieces += ["- "] if tag == "li" else []
        elif tag == "a":
            aim = (dict(attrs).get("href") or "").strip()
            self._aim = (aim, len(self.pieces)) if aim.lower().startswith(self._schemes) else None
        else:
            super().handle_starttag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SPACED:
            self.pieces.append("\n\n")
        elif tag == "a" and self._aim is not None:
            (aim, start), self._aim = self._aim, None
            if "".join(self.pieces[start:]).strip() != aim:
                self.pieces.append(f" ({aim})")
        elif tag not in _LAID_OUT:
            super().handle_endtag(tag)


def without_markup(markup: str, leave_out: frozenset[str] = frozenset()) -> str:
    """The words of a web page or HTML body; scripts and styles are left out, and the elements named in `leave_out`."""
    return _read(_Words(_SILENT | leave_out), markup)


def laid_out(markup: str, schemes: tuple[str, ...]) -> str:
    """The same for a reader of plain text: items have a dash, links with one of `schemes` stand behind their words."""
    return "\n".join(" ".join(line.split()) for line in _read(_Layout(schemes), markup).split("\n"))


def _read(parser: _Words, markup: str) -> str:
    parser.feed(markup[:MAX_HTML_CHARS])
    parser.close()
    lines = (line.strip() for line in "".join(parser.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
