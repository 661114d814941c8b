"""Files of leads looked at, but not imported: what their columns mean, and what was confirmed before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlead.errors import TooLargeError
from fairlead.sales.importing.model import Remembered
from fairlead.sales.intake import (
    Checker,
    ColumnMapping,
    FileShape,
    RowSource,
    columns_key,
    file_digest,
    guess_mapping,
    inspect,
    parse_overrides,
    read_rows,
)


@dataclass(frozen=True, slots=True)
class LeadFile:
    """A file of leads, looked at but not imported: its shape, its columns' meaning, its SHA-256."""

    path: Path
    digest: str
    mapping: ColumnMapping
    reader: RowSource
    checker: Checker
    currency: str
    notes: tuple[str, ...]
    name: str
    """As its owner calls it; the path may be that of a copy."""
    shape: FileShape
    country: str = ""
    confirmed: bool = False
    """Somebody said what a column means, so that the mapping is worth remembering."""

    @property
    def key(self) -> str:
        """Under which the mapping is remembered; empty for a file whose columns have no names."""
        return columns_key(self.shape.header) if self.shape.has_header else ""


Recall = Callable[[str], Remembered | None]


def open_lead_file(
    path: Path,
    overrides: Sequence[str] | Mapping[str, str],
    currency: str,
    *,
    max_bytes: int | None = None,
    recall: Recall | None = None,
    name: str = "",
    country: str = "",
) -> LeadFile:
    """Look at a file and find out what its columns mean.

    `overrides` are `field=column` as a person wrote them, or field → column. `recall` gives what was confirmed for
    files with such columns, by their key. `country` (alpha-2) is that of phone numbers without country code.
    InputError for a file that cannot be read as a table, an unknown field, column or country; TooLargeError above
    `max_bytes` (None: any size).
    """
    name = name or path.name
    if max_bytes is not None and path.is_file() and path.stat().st_size > max_bytes:
        message = f"{name} is larger than {max_bytes} bytes, which FAIRLEAD_MAX_IMPORT_BYTES allows; split it"
        raise TooLargeError(message, limit=max_bytes, unit="bytes")
    shape = inspect(path)
    said = dict(overrides) if isinstance(overrides, Mapping) else parse_overrides(overrides)
    mapping = map_columns(shape, said, recall)
    checker = Checker(mapping, currency=currency, default_country=country)
    reader = read_rows(path, shape)
    return LeadFile(
        path, file_digest(path), mapping, reader, checker, currency, shape.notes, name, shape, country, bool(said)
    )


def map_columns(shape: FileShape, said: Mapping[str, str], recall: Recall | None) -> ColumnMapping:
    """By what was said, else by what was confirmed for such columns, else by guessing."""
    known = recall(columns_key(shape.header)) if recall is not None and shape.has_header else None
    if known is None:
        return guess_mapping(shape, said)
    return guess_mapping(shape, said, known=known.mapping, known_from=known.words)
