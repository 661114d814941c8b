"""Search by how something begins: what is found, and that no table is read as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import event, text

from fairlead.customers import CustomerDraft, resolve_many, search
from fairlead.customers.model import after_prefix
from fairlead.kit.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from fairlead.kit.database import Database


def _add(database: Database, *drafts: CustomerDraft) -> list[str]:
    with database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        return [one.id for one in resolve_many(uow, drafts)]


def _found(database: Database, words: str, limit: int = 20) -> list[tuple[str, str]]:
    with database.reading() as reader:
        return [(one.name, one.by) for one in search(reader, words, limit)]


def test_what_a_search_finds(database: Database) -> None:
    """Names and companies whatever their case and width, e-mail, phone as people type it, ids."""
    ids = _add(
        database,
        CustomerDraft("Ärger  Straße", "Öl AG", identities=(("email", "oil@x.org"), ("phone", "+4930123"))),
        CustomerDraft("Zoë", "zebra", identities=(("external_id", "K-77"),)),
        CustomerDraft("ann"),
        CustomerDraft("Anna"),
    )
    assert _found(database, "ärger STRASSE") == [("Ärger  Straße", "name")]
    assert _found(database, "ÖL") == [("Ärger  Straße", "company")]
    assert _found(database, "OIL@") == [("Ärger  Straße", "email")]
    assert _found(database, "0049 (30) 12") == [("Ärger  Straße", "phone")]
    assert _found(database, "K-7") == [("Zoë", "external_id")]
    assert _found(database, ids[1]) == [("Zoë", "id")]
    assert _found(database, "z") == [("Zoë", "name")]
    assert _found(database, "\uff21\uff4e\uff4e") == [("ann", "name"), ("Anna", "name")]
    assert _found(database, "an", 1) == [("ann", "name")]
    assert len(_found(database, "cus_")) == 4


@pytest.mark.parametrize("words", ["", "   ", "\0", "%", "_", "' OR 1=1 --", "x" * 100_000, "\U0010ffff"])
def test_hostile_searches_find_nobody(database: Database, words: str) -> None:
    """Blanks, wildcards and quotes are plain text that nobody's name begins with."""
    _add(database, CustomerDraft("Ann"))
    assert _found(database, words) == []


@given(prefix=st.text(min_size=1, max_size=4), rest=st.text(max_size=3), other=st.text(max_size=5))
def test_a_prefix_is_a_range(prefix: str, rest: str, other: str) -> None:
    """Exactly the texts that begin with the prefix lie between it and what follows it."""
    following = after_prefix(prefix)

    def inside(one: str) -> bool:
        return one >= prefix and (following is None or one < following)

    assert inside(prefix + rest)
    assert inside(other) == other.startswith(prefix)
    if following is not None:
        following.encode()


def test_no_search_reads_a_whole_table(database: Database) -> None:
    """With 20,000 customers every statement of a search goes through an index, by a range of it."""
    for start in range(0, 20_000, 2000):
        _add(database, *map(_numbered, range(start, start + 2000)))
    with database.raw() as connection:
        connection.execute(text("ANALYZE"))
    ran: list[tuple[str, Any]] = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: ran.append((call[2], call[3])))
    for words in ("customer 0199", "company 0199", "mail0199", "+49199", "k-0199", "cus_06", "nobody"):
        assert bool(_found(database, words)) == (words != "nobody")
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.raw() as connection:
        plans = [str(connection.exec_driver_sql(explain + sql, args).all()) for sql, args in list(ran)]
    assert len(plans) > 30
    for plan in plans:
        assert "Index Cond" in plan or "SEARCH customer" in plan
        assert not re.search(r"Seq Scan|SCAN customer", plan)


def _numbered(n: int) -> CustomerDraft:
    number = f"{n:05}"
    identities = (("email", f"mail{number}@x"), ("phone", f"+49{number}"), ("external_id", f"k-{number}"))
    return CustomerDraft(f"Customer {number}", f"Company {number}", identities=identities)


@pytest.mark.postgres
def test_order_is_by_code_point_whatever_the_database(postgres_url: str) -> None:
    """Columns searched by range carry their own collation, so a German database finds the same."""
    from fairlead.kit.database import Database  # noqa: PLC0415  for this test alone

    query = (
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " WHERE collation_name = 'C' AND table_name IN ('customer', 'customer_identity')"
    )
    opened = Database(postgres_url)
    with opened.raw() as connection:
        named = set(connection.execute(text(query)).scalars())
        index = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_customer_id_ordered'"))
        assert 'COLLATE "C"' in index.scalar_one()
    opened.close()
    assert named == {"customer.name_folded", "customer.company_folded", "customer_identity.value"}
