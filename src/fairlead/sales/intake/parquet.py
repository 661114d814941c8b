"""Rows of Parquet files, read piece by piece. The library is heavy, so it is loaded when such a file comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fairlead.errors import InputError, TooLargeError
from fairlead.kit.words import counted
from fairlead.sales.intake.lines import open_binary
from fairlead.sales.intake.model import PARQUET, DecodedLines, FileShape, Row, Unreadable
from fairlead.sales.intake.reading import MAX_COLUMNS
from fairlead.sales.intake.records import NAME_CHARS, Flattener, finished, names_of
from fairlead.sales.intake.words import shown

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"PAR1"
ROWS_AT_ONCE = 2_000
MAX_ROWS = 50_000_000
SAMPLE_ROWS, EVIDENCE_ROWS, HEAD_ROWS = 200, 400, 20
_SPREAD = 8


@cache
def _polars() -> Any:
    import polars as pl  # noqa: PLC0415  half a second and 30 MB that only Parquet files should cost

    return pl


def _faults() -> tuple[type[BaseException], ...]:
    """What the library raises for files that are not what they should be; a panic is no `Exception`."""
    found = _polars().exceptions
    return (found.PolarsError, getattr(found, "PanicException", found.PolarsError), OSError, ValueError)


def inspect_parquet(path: Path) -> FileShape:
    """The shape of a Parquet file, from its footer and some rows.

    Raises InputError `damaged_file` when it cannot be read, `empty_file` without rows or columns, and
    TooLargeError above MAX_COLUMNS columns or MAX_ROWS rows.
    """
    open_binary(path).close()
    try:
        lazy = _scan(path)
        schema = lazy.collect_schema()
        rows = int(lazy.select(_polars().len()).collect().item())
        _refuse_extremes(path, len(schema), rows)
        first = lazy.head(SAMPLE_ROWS).collect()
    except _faults() as error:
        raise InputError(
            f"{path.name} begins like a Parquet file but cannot be read: {_short(error)}. Export it again.",
            code="damaged_file", file=str(path),
        ) from None  # fmt: skip
    header = _header(schema)
    _refuse_extremes(path, len(header), rows)
    head = list(_rows(first, header, 1))
    evidence = [row for frame in _later(lazy, rows) for row in _rows(frame, header, 1)]
    return FileShape(
        encoding="parquet", separator="", quote="", has_header=True, header=header,
        sample=tuple(row.cells for row in head if isinstance(row, Row)), bytes=path.stat().st_size,
        header_line=0, first_line=1, line_break="\n", skip_initial_space=False,
        notes=(f"Parquet with {counted(rows, 'row')} and {counted(len(header), 'column')}; rows count from 1.",),
        format=PARQUET,
        evidence=tuple(row.cells for row in evidence if isinstance(row, Row)),
        typed=frozenset(_typed(schema)), head=tuple(head[:HEAD_ROWS]),
    )  # fmt: skip


def _later(lazy: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Some rows from all over a long file; a damaged part of it shows nothing, and is told when it is read."""
    for part in range(1, _SPREAD) if rows > SAMPLE_ROWS else ():
        with suppress(*_faults()):
            yield lazy.slice(rows * part // _SPREAD, EVIDENCE_ROWS // _SPREAD).collect()


class ParquetRows:
    """Iterate once; memory is bounded by what the library decodes at a time, a row group at most."""

    other_encodings: tuple[DecodedLines, ...] = ()

    def __init__(self, path: Path, shape: FileShape) -> None:
        """Raises InputError when the file cannot be opened."""
        open_binary(path).close()
        self._path = path
        self._header = shape.header
        self.total_bytes = path.stat().st_size
        self.bytes_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Nothing is held open between two pieces."""

    def __iter__(self) -> Iterator[Row | Unreadable]:
        number, total = 1, 0
        try:
            lazy = _scan(self._path)
            total = int(lazy.select(_polars().len()).collect().item())
            for frame in lazy.collect_batches(chunk_size=ROWS_AT_ONCE, maintain_order=True):
                for piece in frame.iter_slices(ROWS_AT_ONCE):
                    yield from _rows(piece, self._header, number)
                    number += piece.height
                    self.bytes_read = self.total_bytes * (number - 1) // max(total, 1)
        except _faults() as error:
            last = max(total, number)
            words = f"Rows {number:,} to {last:,} cannot be read, the file is damaged there: {_short(error)}."
            yield Unreadable(number, "damaged", words, last - number + 1)
        self.bytes_read = self.total_bytes


def _scan(path: Path) -> pl.LazyFrame:
    return _polars().scan_parquet(path, glob=False, hive_partitioning=False)  # type: ignore[no-any-return]


def _refuse_extremes(path: Path, columns: int, rows: int) -> None:
    for count, limit, unit in ((columns, MAX_COLUMNS, "columns"), (rows, MAX_ROWS, "rows")):
        if count > limit:
            message = f"{path.name} has {count:,} {unit}; at most {limit:,} are read. Split it, or keep what you need."
            raise TooLargeError(message, limit=limit, unit=unit)
    if not rows or not columns:
        raise InputError(f"{path.name} holds no rows. Export it with its rows.", code="empty_file", file=str(path))


def _header(schema: Any) -> tuple[str, ...]:
    """One name per column, one per field of a structure; names are made distinct."""
    found: dict[str, None] = {}
    for name, kind in schema.items():
        inner = {field.name: None for field in kind.fields} if _is_struct(kind) else {}
        for one in names_of({name: inner}) if inner else names_of({name: None}):
            found.setdefault(one[: 2 * NAME_CHARS])
    return tuple(found)


def _typed(schema: Any) -> Iterator[str]:
    for name, kind in schema.items():
        fields = {field.name: field.dtype for field in kind.fields} if _is_struct(kind) else {}
        if fields:
            yield from (next(names_of({name: {one: None}})) for one, held in fields.items() if held.is_numeric())
        elif kind.is_numeric():
            yield next(names_of({name: None}))


def _is_struct(kind: Any) -> bool:
    return bool(kind == _polars().Struct) and bool(kind.fields)


def _rows(frame: pl.DataFrame, header: tuple[str, ...], first: int) -> Iterator[Row | Unreadable]:
    """Rows of one piece. Plain columns become text in the library; the rest goes value by value."""
    polars = _polars()
    plain = [name for name, kind in frame.schema.items() if _is_plain(kind)]
    frame = frame.with_columns(polars.col(name).cast(polars.String) for name in plain)
    others = [name for name in frame.columns if name not in set(plain)]
    if not others and tuple(frame.columns) == header:
        filled = frame.with_columns(polars.all().fill_null(""))
        for number, cells in enumerate(filled.iter_rows(), start=first):
            yield finished(number, cells)
        return
    flattener = Flattener(header)
    for number, record in enumerate(islice(frame.iter_rows(named=True), frame.height), start=first):
        row = flattener.row(number, {name: _readable(value) for name, value in record.items()})
        yield row


def _is_plain(kind: Any) -> bool:
    polars = _polars()
    return bool(kind.is_integer() or kind in (polars.String, polars.Boolean, polars.Categorical, polars.Enum))


def _readable(value: Any) -> Any:
    """Bytes as text where they are text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"{len(value):,} bytes"
    return value


def _short(error: BaseException) -> str:
    return shown(str(error).splitlines()[0] if str(error) else type(error).__name__, 120).strip("'")
