"""Parts of statements that read differently on the two databases."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, select

from fairlead.kit.unit_of_work import Reader


def among(reader: Reader, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """`column` is one of `values`, as one parameter: the statement stays the same however many there are."""
    if reader.dialect == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(Text), unique=True))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
