"""The record as one file of JSON lines that a third party verifies without us.

First a `header` line, then each `seal` followed by its `entry` lines, then the entries not sealed yet, then
an `end` line with their number.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from fairlead.audit.export_lines import FORMAT, entry_fields, line_of, seal_fields

if TYPE_CHECKING:
    from fairlead.audit.verifying import Record


def write_export(record: Record, public_key: bytes, file: IO[str]) -> int:
    """Write every seal and entry; returns the number of entries."""
    count = 0
    file.write(line_of(type="header", format=FORMAT, public_key=public_key.hex()))
    for seal, rows in record.blocks():
        file.write(line_of(type="seal", **seal_fields(seal)))
        for row in rows.values():
            file.write(line_of(type="entry", **entry_fields(row)))
            count += 1
    for row, _ in record.others():
        file.write(line_of(type="unsealed", **entry_fields(row)))
        count += 1
    file.write(line_of(type="end", entries=count))
    return count
