"""The words of a web page or an HTML mail, as a reader sees them. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MAX_HTML_CHARS = 400_000
"""What is longer is not read to its end."""
_BREAKING = frozenset(
    ["p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"]
)
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


def without_markup(markup: str, leave_out: frozenset[str] = frozenset()) -> str:
    """The words of a web page or HTML body; scripts and styles are left out, and the elements named in `leave_out`."""
    parser = _Words(_SILENT | leave_out)
    parser.feed(markup[:MAX_HTML_CHARS])
    parser.close()
    lines = (line.strip() for line in "".join(parser.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
