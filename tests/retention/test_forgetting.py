"""Data that was given an end goes when it comes, no earlier, and not while something holds it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.audit import history
from fairlead.customers import clear_flag, merge, set_flag
from fairlead.guardrails import deploy_rules
from fairlead.kit.columns import metadata
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.retention import CLASSES, DEFAULT, RetentionRules, carry_out, jobs, preview
from fairlead.retention.classes import Part
from tests.guardrails.desk import USER, Desk
from tests.retention.planting import count, planted, rows_of

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.kit.database import Database
    from fairlead.kit.unit_of_work import Reader
    from fairlead.testing.clock import FakeClock

DAY = timedelta(days=1)
KEEP = 100 * DAY
ENDED = {"state": "ended", "end": "lost", "subject_kind": "lead"}
DONE = {"done_at", "ended_at", "finished_at", "handled_at", "expires_at"}


def rules(*names: str, keep: timedelta = KEEP, **more: Any) -> RetentionRules:
    """These classes for a hundred days."""
    return RetentionRules(dict.fromkeys(names or CLASSES, keep), frozenset({"won"}), **more)


def old_row(database: Database, part: Part, at: datetime, customer: str) -> dict[str, Any]:
    """A row of the part that came to its end at that moment, of this customer where it is of one."""
    table = metadata.tables[part.table]
    given: dict[str, Any] = {name: at for name in DONE if name in table.c}
    given |= ENDED if part.table == "playbook_case" else {}
    given |= {"state": "accepted"} if part.table == "contact_log" else {}
    given |= {"sketch": {"rows": [["Ada"]]}} if part.table == "lead_import" else {}
    if part.table == "record_change":
        given["note_id"] = planted(database, "note", at, text="")["id"]
    if part.customer is not None and part.customer in table.c:
        given[part.customer] = customer
    if part.through is not None:
        name, own, parent = part.through
        above: dict[str, Any] = {one: at for one in DONE if one in metadata.tables[name].c}
        above |= {"customer_id": customer} if part.customer else {}
        above |= {"playbook_case": {**ENDED, "facts": {}}, "action": {"body": {}}}.get(name, {})
        given[own] = planted(database, name, at, **above)[parent]
    return planted(database, part.table, at, **given)


def kept(database: Database, part: Part) -> int:
    """Rows of the part that are there and not blank."""
    values = part.blank(part.rows().c) if part.blank else {}
    plain = {name: value for name, value in values.items() if name != "fingerprint"}
    return sum(not plain or any(getattr(row, name) != value for name, value in plain.items())
               for row in rows_of(database, part.table))  # fmt: skip


def forgotten(reader: Reader, name: str) -> list[int]:
    """How many rows each entry of the audit record says that this class lost."""
    found = [entry for entry in history(reader, [name]) if entry.verb == "retention.forgot"]
    return [json.loads(entry.body or "{}")["rows"] for entry in found]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_class_loses_what_is_old_and_nothing_else(database: Database, clock: FakeClock, name: str) -> None:
    """Of two rows of each table the older goes; the preview said so, the record says how many, a second run is idle."""
    desk, one = Desk(database), CLASSES[name]
    anna = desk.customer("anna@example.test")
    now = clock.now()
    for part in one.parts:
        old_row(database, part, now - 200 * DAY, anna)
        old_row(database, part, now - 50 * DAY, anna)
    before = {part.table: kept(database, part) for part in one.parts}
    with database.reading() as reader:
        [told] = preview(reader, rules(name), now)
    assert (told.going, told.staying) == (sum(1 for _ in one.parts), {})
    assert {part.table: kept(database, part) for part in one.parts} == before, "a preview changes nothing"

    assert carry_out(database, rules(name)) == Counter({name: told.going})
    for part in one.parts:
        assert kept(database, part) == before[part.table] - 1, part.table
    with database.reading() as reader:
        assert forgotten(reader, name) == [1] * len(one.parts)
    assert carry_out(database, rules(name)) == Counter({name: 0})


HELD = [(name, reason) for name in sorted(CLASSES) for reason in CLASSES[name].held]


@pytest.mark.parametrize(("name", "reason"), HELD)
def test_what_holds_a_row_is_told_and_ends(light_database: Database, clock: FakeClock, name: str, reason: str) -> None:
    """Flag, open complaint, open case: the row stays for that reason, and goes once the reason is gone."""
    database, desk, now = light_database, Desk(light_database), clock.now()
    anna, bert = desk.customer("anna@example.test"), desk.customer("bert@example.test")
    part = CLASSES[name].parts[0]
    old_row(database, part, now - 200 * DAY, anna)
    old_row(database, part, now - 201 * DAY, bert)
    flag = {"legal_hold": "legal_hold", "open_complaint": "complaint_open"}.get(reason)
    case = ""
    if flag:
        desk.flag(anna, flag)
    else:
        case = planted(database, "playbook_case", now, customer_id=anna, state="waiting")["id"]
    with database.reading() as reader:
        [told] = preview(reader, rules(name), now)
    assert (told.going, told.staying) == (1, {reason: 1})
    assert carry_out(database, rules(name))[name] == 1
    assert carry_out(database, rules(name))[name] == 0

    clock.advance(timedelta(seconds=1))
    with database.transaction() as uow:
        if flag:
            clear_flag(uow, USER, anna, flag, source="over")
        else:
            cases = metadata.tables["playbook_case"]
            uow.execute(cases.update().where(cases.c.id == case).values(ended_at=now))
            uow.record(AuditEntry("test.ended", "case"))
    assert carry_out(database, rules(name))[name] == 1


def test_a_merged_persons_records_are_held_together(database: Database, clock: FakeClock) -> None:
    """A flag on the record that stands for both holds the rows of the other; cleared there, it is cleared for both."""
    desk, now, old = Desk(database), clock.now(), clock.now() - 200 * DAY
    kept_one, other = desk.customer("anna@example.test"), desk.customer("a.bell@example.test")
    planted(database, "timeline", old, customer_id=other)
    desk.flag(other, "legal_hold")
    clock.advance(timedelta(seconds=1))
    with database.transaction() as uow:
        merge(uow, USER, kept_one, other, reason="one person")
    assert carry_out(database, rules("timeline"))["timeline"] == 0
    clock.advance(timedelta(seconds=1))
    with database.transaction() as uow:
        clear_flag(uow, USER, kept_one, "legal_hold", source="over")
    with database.reading() as reader:
        [told] = preview(reader, rules("timeline"), now)
    assert told.staying == {}
    assert carry_out(database, rules("timeline"))["timeline"] >= 1


def test_a_flag_that_ran_out_holds_nothing(light_database: Database, clock: FakeClock) -> None:
    """And one that the file names holds, while the usual one then does not."""
    desk, now = Desk(light_database), clock.now()
    anna = desk.customer("anna@example.test")
    planted(light_database, "timeline", now - 200 * DAY, customer_id=anna)
    with light_database.transaction() as uow:
        set_flag(uow, USER, anna, "dispute", value=True, source="t", owner="t", expires_at=now + DAY)
    named = rules("timeline", hold_flags=frozenset({"dispute"}))
    assert carry_out(light_database, named)["timeline"] == 0
    clock.advance(2 * DAY)
    desk.flag(anna, "legal_hold")
    assert carry_out(light_database, named)["timeline"] == 1


def test_a_qualified_lead_stays(light_database: Database, clock: FakeClock) -> None:
    """Whose case came to an end that the file names, or is still open, keeps its fields; another may come again."""
    database, desk, old = light_database, Desk(light_database), clock.now() - 200 * DAY
    leads = []
    for number, end in enumerate(("won", "lost", None)):
        customer = desk.customer(f"c{number}@example.test")
        lead = planted(database, "lead", old, customer_id=customer)
        ended = None if end is None else old
        planted(database, "playbook_case", old, customer_id=customer, subject_kind="lead", subject_id=lead["id"],
                end=end, ended_at=ended)  # fmt: skip
        leads.append(lead)
    assert carry_out(database, rules("leads_never_qualified"))["leads_never_qualified"] == 1
    blank = {row.id for row in rows_of(database, "lead") if row.fields == {}}
    assert blank == {leads[1]["id"]}
    assert leads[1]["fingerprint"] not in {row.fingerprint for row in rows_of(database, "lead")}


def test_the_contact_log_outlives_the_longest_cap(light_database: Database, clock: FakeClock) -> None:
    """However short it is declared: a cap over 90 days still counts what was sent 89 days ago."""
    desk = Desk(light_database)
    desk.deploy("purposes: {sales: {class: promotional, mechanism: opt_out}}\n"
                "caps: [{name: quarter, most: 1, per: 90d, when_full: drop}]\n")  # fmt: skip
    anna = desk.customer("anna@example.test")
    assert desk.ask("a", anna).verdict == "allowed"
    desk.settle("a", "accepted")
    short = rules("contact_log", keep=30 * DAY)
    clock.advance(89 * DAY)
    with light_database.reading() as reader:
        [told] = preview(reader, short, clock.now())
    assert (told.keeping.counted, told.keeping.period) == (92 * DAY, 30 * DAY)
    assert carry_out(light_database, short)["contact_log"] == 0
    assert desk.ask("b", anna).code == "cap"
    clock.advance(4 * DAY)
    assert carry_out(light_database, short)["contact_log"] == 2
    with light_database.transaction() as uow:
        deploy_rules(uow, USER, None)


def test_without_a_file_only_the_mail_journal_ends(light_database: Database, clock: FakeClock) -> None:
    """After a year; nothing else is lost by saying nothing."""
    anna, old = Desk(light_database).customer("anna@example.test"), clock.now() - 400 * DAY
    for one in CLASSES.values():
        for part in one.parts:
            old_row(light_database, part, old, anna)
    tables = {part.table for one in CLASSES.values() for part in one.parts}
    before = {name: count(light_database, name) for name in tables}
    assert carry_out(light_database, DEFAULT) == Counter({"mail_journal": 2})
    after = {name: count(light_database, name) for name in tables}
    assert {name for name in tables if after[name] != before[name]} == {"mail_sent", "mail_taken"}


def test_one_turn_is_bounded(database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction takes more than its share, no turn of the worker more than its chunks; `whole` ends it."""
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    monkeypatch.setattr(jobs, "CHUNKS_A_PART", 2)
    anna, old = Desk(database).customer("anna@example.test"), clock.now() - 200 * DAY
    for _ in range(15):
        planted(database, "timeline", old, customer_id=anna)
    heard: list[tuple[str, int]] = []
    assert carry_out(database, rules("timeline"))["timeline"] == 8
    assert carry_out(database, rules("timeline"), whole=True, progress=lambda *one: heard.append(one))["timeline"] == 7
    assert heard == [("timeline", 4), ("timeline", 7)]
    with database.reading() as reader:
        assert sorted(forgotten(reader, "timeline")) == [3, 4, 4, 4]
