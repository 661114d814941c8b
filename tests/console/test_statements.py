"""Lists at the desk ask the database as often for many rows as for few."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from fairlead import customers, sales
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry, Reader
from fairlead.people import Terms, create_team, list_people, put_member
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.console.world import Site

FEW, MANY = 2, 7


@contextmanager
def asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the block asks the database."""
    seen: list[str] = []
    fetch = Reader.fetch

    def note(_c: Any, _cursor: Any, sql: str, _params: Any, _context: Any, _many: bool) -> None:
        seen.append(sql)

    def note_fetch(self: Reader, sql: str, *params: Any) -> list[Any]:
        seen.append(sql)
        return fetch(self, sql, *params)

    engine = site.database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Reader, "fetch", note_fetch)
            yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def notes(site: Site, first: int, last: int) -> None:
    """Notes about people nobody knows, each with its case."""
    client = site.signed_in("manager")
    for number in range(first, last):
        text = f"Name: Ann Bell{number}\nCompany: Bell{number} Ltd\nEmail: ann{number}@bell{number}.example\n"
        assert client.post("/notes", data={"text": text}).status_code == 303
    run_ready(site.desk.engine)


def duplicates(site: Site, first: int, last: int) -> None:
    """Pairs that wait for somebody."""
    with site.database.transaction() as uow:
        uow.record(AuditEntry("case.opened", "case_1"))
        resolve_many(uow, [
            CustomerDraft("", f"Zanderwerk {'xyzuvwab'[number] * 6} {form}", "DE",
                          identities=(("email", f"{form}{number}@zander{number}.example"),))
            for number in range(first, last) for form in ("GmbH", "Gmbh")
        ])  # fmt: skip
    sales.find_duplicates(site.database, site.desk.library, SYSTEM)
    run_ready(site.desk.engine)


def consents(site: Site, first: int, last: int) -> None:
    """Consents of one customer, each under a notice of its own."""
    one = site.one().customer_id
    for number in range(first, last):
        with site.database.transaction() as uow:
            notice = customers.publish_notice(uow, SYSTEM, f"n{number}", "en", f"Text {number}.")
            said = ConsentRecord(f"p{number}", "email", ConsentState.GIVEN, "form", "site", {"n": number}, notice.id)
            customers.record_consent(uow, SYSTEM, one, said)


def teams(site: Site, first: int, last: int) -> None:
    """Teams with everybody in them."""
    for number in range(first, last):
        with site.database.transaction() as uow:
            create_team(uow, SYSTEM, name=f"team{number}", title="")
            for person in list_people(uow)[: number + 1]:
                put_member(uow, SYSTEM, f"team{number}", person.id, Terms())


LISTS: dict[str, tuple[str, Callable[[Site, int, int], None], str]] = {
    "notes": ("/notes", notes, "data-row"),
    "cases of people nobody knows": ("/cases?playbook=record-changes", notes, "data-row"),
    "duplicates": ("/duplicates", duplicates, "Zanderwerk"),
    "consents": ("", consents, "Text "),
    "teams": ("/teams", teams, "/teams/team"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_as_often_for_many_rows_as_for_few(
    sqlite_site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that rows need besides themselves is read for all of them at once."""
    path, make, mark = LISTS[name]
    path = path or f"/customers/{sqlite_site.one().customer_id}/consents"
    client = sqlite_site.signed_in("manager")
    found = []
    for first, last in ((0, FEW), (FEW, MANY)):
        make(sqlite_site, first, last)
        client.get(path)  # what is read once in a while, such as the bundle, is known now
        with asked(sqlite_site, monkeypatch) as seen:
            page = client.get(path)
        assert page.status_code == 200
        found.append((page.text.count(mark), len(seen)))
    (few, asked_for_few), (many, asked_for_many) = found
    assert few < many
    assert asked_for_few == asked_for_many
