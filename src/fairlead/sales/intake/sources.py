"""The reader that fits a file's format."""

from __future__ import annotations

from pathlib import Path

from fairlead.sales.intake.jsonrows import JsonRows
from fairlead.sales.intake.model import JSON_ARRAY, JSON_LINES, PARQUET, FileShape
from fairlead.sales.intake.parquet import ParquetRows
from fairlead.sales.intake.reading import RowReader
from fairlead.sales.intake.records import RowSource


def read_rows(path: Path, shape: FileShape) -> RowSource:
    """Records of the file that `shape` describes; InputError when it cannot be opened."""
    if shape.format == PARQUET:
        return ParquetRows(path, shape)
    return JsonRows(path, shape) if shape.format in (JSON_LINES, JSON_ARRAY) else RowReader(path, shape)
