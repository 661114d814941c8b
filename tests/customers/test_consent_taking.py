"""Files of consents taken some rows at a time: the same as one word after another, beside others who write."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead import customers
from fairlead.commands.consent_sources import ConsentFile, Refusals
from fairlead.commands.consent_taking import import_file
from fairlead.customers import ConsentRecord, ConsentState
from fairlead.kit.clock import iso
from tests.customers.test_consent_files import GOOD, HEADER, USER, Few, counted, look, take
from tests.customers.test_consents import somebody, state

if TYPE_CHECKING:
    from fairlead.commands.consent_report import Report
    from fairlead.kit.database import Database

DAY = datetime(2020, 1, 1, tzinfo=UTC)
WORDS = st.tuples(
    st.sampled_from(["ann", "bob"]), st.sampled_from(["given", "withdrawn"]),
    st.sampled_from(["newsletter", "sales", "*"]), st.sampled_from(["email", "*"]), st.integers(0, 6),
).filter(lambda one: one[1] == "withdrawn" or "*" not in one[2:4])  # fmt: skip
_examples = iter(range(1_000_000))


@given(st.lists(WORDS, min_size=1, max_size=12), st.sampled_from([1, 3, 500]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_its_words_one_after_another(database: Database, words: list[Any], few: int) -> None:
    """In whatever order it is said, dry run, import and single words agree on the figures and on what counts."""
    number = next(_examples)
    text, alone = HEADER, {}
    for name in ("ann", "bob"):
        somebody(database, ("email", f"{name}{number}@a.example"))
        alone[name] = somebody(database, ("email", f"{name}{number}@b.example"))
    recorded, seen = 0, set()
    for name, said, purpose, channel, day in words:
        at = DAY + timedelta(days=day)
        text += f"{name}{number}@a.example,{purpose},{channel},{said},{iso(at)},paper,scan\n"
        if (name, said, purpose, channel, day) in seen:
            continue
        seen.add((name, said, purpose, channel, day))
        with database.transaction() as uow:
            record = ConsentRecord(purpose, channel, ConsentState(said), "paper", "x", {"n": 1}, at=at)
            row = customers.record_consent(uow, USER, alone[name], record)
            standing = customers.consents_of(uow, [alone[name]], uow.now)[alone[name]][purpose, channel]
            recorded += standing.consent_id == row
    expected = (recorded, len(seen) - recorded, len(words) - len(seen), 0)
    assert counted(look(database, text)) == expected
    assert counted(take(database, text, few=few)) == expected
    with database.reading() as reader:
        for name, other in alone.items():
            one = customers.holder_of(reader, ("email", f"{name}{number}@a.example"))
            assert one is not None
            found = customers.consents_of(reader, [one, other], database.clock.now())
            mine, theirs = ({key: (it.state, it.at) for key, it in found[who].items()} for who in (one, other))
            assert mine == theirs


def test_the_desk_writes_between_the_rows(database: Database, tmp_path: Path) -> None:
    """No transaction is held from one lot of rows to the next; what is said at the desk meanwhile is the newer word."""
    somebody(database, ("email", "ann@example.org"))
    bob = somebody(database, ("email", "bob@example.org"))
    (tmp_path / "x.csv").write_text(HEADER + GOOD + GOOD.replace("ann@", "bob@"), encoding="utf-8")

    def withdraw(what: str, done: int, _of: int) -> None:
        if (what, done) == ("taking", 1):
            with database.transaction() as uow:
                customers.withdraw_all(uow, USER, bob, source="desk", mechanism="phone_call")

    file = ConsentFile(tmp_path / "x.csv", "file x.csv")
    report = import_file(database, USER, file, Few(1), Refusals(None), tell=withdraw)
    assert counted(report) == (1, 1, 0, 0)
    assert state(database, bob) == "withdrawn"


def test_two_imports_of_one_file_at_once(database: Database, tmp_path: Path) -> None:
    """Every row is in the ledger once and every customer is there once; together they account for both files."""
    rows = "".join(GOOD.replace("ann@", f"ann{number}@") for number in range(30))
    (tmp_path / "x.csv").write_text(HEADER + rows, encoding="utf-8")
    file = ConsentFile(tmp_path / "x.csv", "file x.csv", create=True)
    reports: list[Report] = []

    def run() -> None:
        reports.append(import_file(database, USER, file, Few(4), Refusals(None)))

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert [report.rows for report in reports] == [30, 30]
    assert sum(report.recorded for report in reports) == sum(report.repeated for report in reports) == 30
    assert sum(report.new_customers for report in reports) == 30


def test_a_merged_customer_is_told_once_under_both_addresses(database: Database) -> None:
    """Rows by either address, or by the id of the record that is gone, are words of the one who is left."""
    ann, anna = somebody(database, ("email", "ann@example.org")), somebody(database, ("email", "anna@example.org"))
    with database.transaction() as uow:
        customers.merge(uow, USER, ann, anna, reason="same person")
    header = HEADER.replace("email", "email,customer_id")
    text = header + "".join(
        f"{who},newsletter,email,given,202{year}-01-01T00:00Z,paper,scan\n"
        for year, who in enumerate(("ann@example.org,", "anna@example.org,", f",{anna}", f",{ann}"))
    )
    assert counted(look(database, text)) == counted(take(database, text)) == (4, 0, 0, 0)
    with database.reading() as reader:
        assert {row.record_id for row in customers.consent_history(reader, ann)} == {ann}
        assert len(customers.consent_history(reader, anna)) == 4


@pytest.mark.parametrize("create", [False, True])
def test_a_row_that_is_refused_makes_nobody(database: Database, create: bool) -> None:
    """An unknown id is never made; neither is the customer of a row whose notice was never published."""
    header = HEADER.replace("email", "email,customer_id").replace("proof", "proof,notice")
    text = header + "".join(
        f"{who},newsletter,email,given,2020-01-01T00:00Z,paper,scan,{notice}\n"
        for who, notice in ((",cus_none", ""), ("new@example.org,", "nothing"), ("ann@example.org,ann", ""))
    )
    for report in (look(database, text, create=create), take(database, text, create=create, skip_bad=True)):
        assert counted(report) == (0, 0, 0, 3)
        assert report.reasons == {"unknown_customer": 1, "notice": 1, "customer": 1}
        assert report.new_customers == 0
    with database.reading() as reader:
        assert customers.holder_of(reader, ("email", "new@example.org")) is None


def test_a_file_that_changes_nothing_leaves_nothing(database: Database) -> None:
    """Taken again, or without rows, it writes no line of the record either."""
    somebody(database, ("email", "ann@example.org"))
    take(database, HEADER + GOOD)
    with database.raw() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one()
    assert counted(take(database, HEADER + GOOD)) == (0, 0, 1, 0)
    assert counted(take(database, HEADER)) == (0, 0, 0, 0)
    with database.raw() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one() == before
