"""Search by how something begins: every part is one range of one index, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, collate, select

from fairlead.customers import store, tables as t
from fairlead.customers.lineage import survivors_of
from fairlead.customers.model import MAX_TEXT, Found, after_prefix, fold
from fairlead.kit.unit_of_work import Reader

_PHONE_MARKS = str.maketrans("", "", " -/().\u00a0")


def search(reader: Reader, text: str, limit: int) -> list[Found]:
    """The first `limit` hits, by name, company, identities, id; each customer once, merged ones as their survivor."""
    text = text.replace("\0", "").strip()[:MAX_TEXT]
    if not text or limit < 1:
        return []
    found: dict[str, str] = {}
    for by, query in _queries(text, reader.dialect):
        if len(found) >= limit:
            break
        for row in reader.execute(query.limit(limit)):
            found.setdefault(row[0], by)
    survivors = survivors_of(reader, found)
    hits: dict[str, str] = {}
    for one, by in found.items():
        if one in survivors:
            hits.setdefault(survivors[one], by)
    wanted = list(hits)[:limit]
    rows = store.customers(reader, wanted)
    return [Found(one, rows[one].name, rows[one].company, hits[one]) for one in wanted if one in rows]


def _queries(text: str, dialect: str) -> Iterator[tuple[str, Select[Any]]]:
    customer, identity = t.customer.c, t.identity.c
    folded = fold(text)
    for by, column in (("name", customer.name_folded), ("company", customer.company_folded)):
        yield by, select(customer.id).where(_begins(column, folded)).order_by(column)
    for kind, values in (("email", {text.lower(), text}), ("phone", _phones(text)), ("external_id", {text})):
        for value in sorted(values):
            mine = and_(identity.kind == kind, _begins(identity.value, value))
            yield kind, select(identity.customer_id).where(mine).order_by(identity.value)
    key: ColumnElement[str] = collate(customer.id, "C") if dialect == "postgresql" else customer.id
    yield "id", select(customer.id).where(_begins(key, text)).order_by(key)


def _begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    following = after_prefix(prefix)
    return column >= prefix if following is None else and_(column >= prefix, column < following)


def _phones(text: str) -> set[str]:
    digits = text.translate(_PHONE_MARKS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return {digits} if digits.removeprefix("+").isdigit() else set()
