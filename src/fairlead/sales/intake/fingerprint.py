"""One digest over a row's content, the same wherever and however often the row turns up."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from fairlead.sales.intake.synonyms import canonical_header
from fairlead.sales.intake.words import fold

_CELL_END = "\x1e"
_NAME_END = "\x1f"
_ESCAPES = str.maketrans({"\\": "\\\\", _CELL_END: "\\e", _NAME_END: "\\f"})


class Fingerprint:
    """Digests rows of one header.

    Columns count by name: one that is known under many spellings (`E-Mail Adresse`, `email`) by its field,
    any other by its folded name. Empty cells do not count, so an added empty column changes nothing. How
    columns were mapped has no influence: importing a file again with another mapping must not double its
    leads.
    """

    def __init__(self, header: Sequence[str]) -> None:
        """Fix the order of columns: by name, never by position."""
        names = [canonical_header(name) for name in header]
        repeated = {name for name, count in Counter(names).items() if count > 1}
        names = [(fold(raw) or raw) if name in repeated else name for name, raw in zip(names, header, strict=True)]
        self._columns = sorted((name.translate(_ESCAPES) + _NAME_END, at) for at, name in enumerate(names))

    def of(self, cells: Sequence[str], everything: str | None = None) -> str:
        """40 hex digits; letter case, surplus blanks and Unicode composition do not matter.

        `everything` spares joining the cells to one text when that was done already.
        """
        if everything is None:
            everything = "".join(cells)
        if _CELL_END in everything or _NAME_END in everything or "\\" in everything:
            cells = [cell.translate(_ESCAPES) for cell in cells]
        text = _CELL_END.join([name + cell for name, at in self._columns if (cell := cells[at].strip())]).lower()
        if not text.isascii():
            text = unicodedata.normalize("NFC", text.casefold())
        if "  " in text or "\n" in text or "\t" in text or "\xa0" in text:
            text = _blanked(text)
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _blanked(text: str) -> str:
    for blank in "\n\t\r\xa0":
        text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text
