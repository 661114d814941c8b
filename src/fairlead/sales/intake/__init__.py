"""The lead import's pure part: read a file row by row, map its columns, check its cells.

    shape = inspect(path)
    mapping = guess_mapping(shape, {"name": "Kunde"})
    checker = Checker(mapping, currency="EUR")
    for item in read_rows(path, shape):
        draft = checker.check(item) if isinstance(item, Row) else None

Nothing here writes or talks to anybody; memory does not grow with the file.
"""

from __future__ import annotations

from fairlead.sales.intake.checking import Checker, check
from fairlead.sales.intake.mapping import as_known, columns_key, guess_mapping, parse_overrides
from fairlead.sales.intake.model import (
    AttributeValue,
    ColumnFormat,
    ColumnGuess,
    ColumnMapping,
    DecodedLines,
    FieldValue,
    FileShape,
    LeadDraft,
    LeadField,
    Problem,
    Row,
    Unreadable,
    identity_key,
)
from fairlead.sales.intake.quality import Profile, completeness
from fairlead.sales.intake.reading import MAX_COLUMNS, MAX_FIELD_CHARS, RowReader, file_digest
from fairlead.sales.intake.records import RowSource
from fairlead.sales.intake.shape import inspect
from fairlead.sales.intake.sources import read_rows

__all__ = [
    "MAX_COLUMNS",
    "MAX_FIELD_CHARS",
    "AttributeValue",
    "Checker",
    "ColumnFormat",
    "ColumnGuess",
    "ColumnMapping",
    "DecodedLines",
    "FieldValue",
    "FileShape",
    "LeadDraft",
    "LeadField",
    "Problem",
    "Profile",
    "Row",
    "RowReader",
    "RowSource",
    "Unreadable",
    "as_known",
    "check",
    "columns_key",
    "completeness",
    "file_digest",
    "guess_mapping",
    "identity_key",
    "inspect",
    "parse_overrides",
    "read_rows",
]
