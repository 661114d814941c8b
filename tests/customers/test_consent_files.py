"""Files of consents: every row accounted for, nothing half-written, nothing older than what was said since."""

from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from fairlead import customers
from fairlead.audit import history
from fairlead.commands.consent_report import Report
from fairlead.commands.consent_sources import ConsentFile, Refusals
from fairlead.commands.consent_taking import import_file
from fairlead.customers import ConsentReader, ConsentRecord, ConsentState, Downstream, FoundLine, consent_intake
from fairlead.errors import FairleadError, InputError, TooLargeError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.events import since
from fairlead.kit.pace import BatchPace
from tests.customers.test_consents import NEWS, say, somebody, state

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "per_1")
HEADER = "email,purpose,channel,state,said_at,mechanism,proof\n"
GOOD = "ann@example.org,newsletter,email,given,2020-01-01T00:00+00:00,paper,scan 1\n"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Few(BatchPace):
    """So many rows at once, however fast the machine is."""

    def __init__(self, rows: int) -> None:
        super().__init__(20, exclusive=True)
        self._rows = rows

    def size(self) -> int:
        """Always the same."""
        return self._rows


def take(database: Database, text: str, *, few: int = 2, create: bool = False, **how: bool) -> Report:
    """Import a file, by default two rows at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_bytes(text.encode())
        file = ConsentFile(path, "file x.csv", create)
        return import_file(database, USER, file, Few(few), Refusals(None), **how)


def look(database: Database, text: str, *, create: bool = False) -> Report:
    """Only look what would come of it."""
    return take(database, text, create=create, dry_run=True)


def read(text: str, purposes: set[str] | None = None) -> list[FoundLine]:
    """What the rows say, without looking anything up."""
    return list(ConsentReader(io.StringIO(text), NOW, "x", purposes))


def counted(report: Report) -> tuple[int, int, int, int]:
    """recorded, overruled, repeated, refused; together they are the rows."""
    found = (report.recorded, report.overruled, report.repeated, report.refused_rows)
    assert sum(found) == report.rows
    assert sum(report.reasons.values()) == report.refused_rows
    return found


def test_one_bad_row_refuses_the_whole_file(database: Database) -> None:
    """Nothing is written, and the report says which line and why; skipped on request, the others come in once."""
    one = somebody(database, ("email", "ann@example.org"))
    text = HEADER + GOOD + GOOD.replace("scan 1", "") + GOOD.replace("given", "perhaps") + GOOD.replace("ann@", "bob@")
    refused = take(database, text)
    assert counted(refused) == (1, 0, 0, 3)
    assert not refused.written
    assert [(bad.line, bad.code) for bad in refused.refused] == [(3, "no_proof"), (4, "state"), (5, "unknown_customer")]
    assert state(database, one) is None
    assert counted(look(database, text)) == (1, 0, 0, 3)
    assert counted(take(database, text, skip_bad=True)) == (1, 0, 0, 3)
    assert state(database, one) == "given"
    assert counted(take(database, text, skip_bad=True)) == (0, 0, 1, 3)


@pytest.mark.parametrize("few", [1, 2, 500])
def test_a_dry_run_tells_what_will_come(database: Database, clock: FakeClock, few: int) -> None:
    """The same figures before and after, however many rows are taken at once, with rows that overrule each other."""
    one, two = somebody(database, ("email", "ann@example.org")), somebody(database, ("email", "bob@example.org"))
    say(database, clock, two, "withdrawn")
    bob = GOOD.replace("ann@", "bob@")
    text = HEADER + GOOD.replace("2020", "2022").replace("given", "withdrawn") + GOOD + GOOD + bob
    text += GOOD.replace("ann@", "new@") + GOOD.replace("ann@", "New@").replace("email,given", "sms,given")
    text += GOOD.replace("ann@", "cy@EXAMPLE.org") + GOOD.replace("ann@", "cy@example.org").replace("2020", "2021")
    foreseen = look(database, text, create=True)
    came = take(database, text, create=True, few=few)
    assert counted(foreseen) == counted(came) == (5, 2, 1, 0)
    assert foreseen.new_customers == came.new_customers == 2
    assert (state(database, one), state(database, two)) == ("withdrawn", "withdrawn")
    assert counted(take(database, text, few=few)) == counted(look(database, text)) == (0, 0, 8, 0)


def test_what_a_file_changes_is_told(database: Database, clock: FakeClock) -> None:
    """Events and downstreams learn what counts now, not what was overruled; every row has its audit entry."""
    one = somebody(database, ("email", "ann@example.org"))
    with database.transaction() as uow:
        customers.set_downstreams(uow, SYSTEM, [Downstream("crm", "log")])
        customers.publish_notice(uow, SYSTEM, "news", "de", "Ich will Post.")
    before = clock.now()
    header = HEADER.replace("proof", "proof,notice,notice_language,expires_at")
    rows = GOOD.replace("scan 1", '"{""scan"": 1}",news,de,2031-01-01T00:00Z')
    rows += GOOD.replace("2020", "2019").replace("given", "withdrawn").replace("scan 1", "said so,,,")
    assert counted(take(database, header + rows)) == (1, 1, 0, 0)
    with database.reading() as reader:
        assert since(reader, "opted_in", one, before) is not None
        assert since(reader, "opted_out", one, before) is None
        [told] = customers.deliveries(reader)
        assert (told.downstream, told.said) == ("crm", "given")
        verbs = [entry.verb for entry in history(reader, [one], 50)]
        given = next(row for row in customers.consent_history(reader, one) if row.state == "given")
    assert verbs.count("customer.consent_recorded") == 2
    assert given.proof == {"scan": 1}
    assert given.notice is not None
    assert (given.notice.language, given.expires_at) == ("de", datetime(2031, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    ["", "email\n", HEADER.replace("email", "mail") + GOOD, HEADER.replace("proof", "proof,proof"), 'email,"\n', "\0"],
)
def test_a_file_without_its_columns_is_refused(database: Database, text: str) -> None:
    """Missing, unknown and repeated columns name themselves; nothing is guessed."""
    with pytest.raises(InputError):
        look(database, text)


def test_a_line_and_a_customer_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without end is refused before anything is written; of one customer no more words are added than told."""
    one = somebody(database, ("email", "ann@example.org"))
    with pytest.raises(TooLargeError):
        take(database, HEADER + GOOD + "x" * 300_000)
    assert state(database, one) is None
    monkeypatch.setattr(consent_intake, "MAX_OF_ONE", 40)
    text = HEADER + "".join(GOOD.replace("newsletter", f"n{number}") for number in range(42))
    for report in (look(database, text), take(database, text, few=500, skip_bad=True)):
        assert counted(report) == (40, 0, 0, 2)
        assert report.reasons == {"too_many": 2}
    assert counted(take(database, text, few=500, skip_bad=True)) == (0, 0, 40, 2)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2020-01-01T00:00", "said_at"), ("01/02/2020", "said_at"), ("2999-01-01T00:00Z", "said_at"),
        ("0001-01-01T00:00+14:00", "said_at"),
    ],
)  # fmt: skip
def test_a_moment_needs_its_zone(cell: str, code: str) -> None:
    """No date is guessed: without a zone, in the future, or outside of the calendar it is refused."""
    [bad] = read(HEADER + GOOD.replace("2020-01-01T00:00+00:00", cell))
    assert getattr(bad, "code", "") == code


@given(st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=9), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_cells_are_accounted_for(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, each row is a usable one or refused with a sentence, or the file is refused."""
    text = HEADER + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    expected = sum(any(cell.strip() for cell in row) for row in rows)
    try:
        found = read(text)
    except FairleadError:
        return
    assert len(found) == expected
    assert all(getattr(one, "words", "x") for one in found)


def test_a_withdrawal_of_everything_may_come_in_a_file(database: Database, clock: FakeClock) -> None:
    """It counts for what was said before it, and not for what was said since."""
    one = somebody(database, ("phone", "+4930901820"))
    with database.transaction() as uow:
        early = ConsentRecord("sales", "phone", ConsentState.GIVEN, "call", "x", at=clock.now() - timedelta(days=9_000))
        customers.record_consent(uow, USER, one, early)
    say(database, clock, one, "given")
    text = HEADER.replace("email", "phone") + "+49 30 901820,*,*,withdrawn,2020-01-01T00:00+00:00,letter,scan 2\n"
    assert counted(take(database, text)) == (1, 0, 0, 0)
    assert state(database, one, ("sales", "phone")) == "withdrawn"
    assert state(database, one, NEWS) == "given"


HOSTILE = {
    "a NUL": (GOOD.replace("scan 1", "scan\0"), "proof"),
    "an overlong cell": (GOOD.replace("newsletter", "n" * 501), "purpose"),
    "an overlong proof": (GOOD.replace("scan 1", "x" * 16_385), "proof"),
    "a proof that is half of JSON": (GOOD.replace("scan 1", '"{""a"": "'), "proof"),
    "a proof nested without end": (GOOD.replace("scan 1", '"' + '{""a"":' * 900 + "1" + "}" * 900 + '"'), "proof"),
    "a proof with half a character": (GOOD.replace("scan 1", '"{""a"": ""\\ud800""}"'), "proof"),
    "a purpose that is none": (GOOD.replace("newsletter", "newletter"), "unknown_purpose"),
    "a withdrawal of a purpose that is none": (
        GOOD.replace("newsletter", "newletter").replace("given", "withdrawn"), "unknown_purpose"
    ),
    "no address": (GOOD.replace("ann@example.org", "ann"), "email"),
    "too few cells": ("ann@example.org,newsletter\n", "cells"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_row_is_refused_alone(case: str) -> None:
    """With its line and a code, and the rows around it stay usable."""
    row, code = HOSTILE[case]
    first, bad, last = read(HEADER + GOOD + row + GOOD, {"newsletter"})
    assert [getattr(one, "code", "") for one in (first, bad, last)] == ["", code, ""]
    assert [one.line for one in (first, bad, last)] == [2, 3, 4]


def test_a_row_that_names_a_customer_twice_over_lines() -> None:
    """A cell may hold line ends; the line told is the one where the row begins."""
    rows = read(HEADER + GOOD.replace("scan 1", '"two\nlines"') + "\n" + GOOD.replace("given", "perhaps"))
    assert [one.line for one in rows] == [2, 5]


def test_refused_rows_come_back_to_be_mended(database: Database, tmp_path: Path) -> None:
    """As they came, with the reason in a column that the next import passes over; never over a file that is there."""
    somebody(database, ("phone", "+4930901820"))
    header = HEADER.replace("email", "phone")
    row = '+49 30 901820,sms,sms,given,2020-01-01T00:00+00:00,=call(),"page ""7"""\n'
    (tmp_path / "x.csv").write_text(header + row + row.replace("given", "perhaps") + "only one\n", encoding="utf-8")
    for number, bad in ((1, 2), (2, 0)):
        refusals = Refusals(tmp_path / f"bad{number}.csv")
        file = ConsentFile(tmp_path / "x.csv", "file x.csv")
        report = import_file(database, USER, file, Few(1), refusals, skip_bad=True)
        refusals.end(keep=bool(report.refused_rows))
        assert report.refused_rows == bad
        left = (tmp_path / "bad1.csv").read_text(encoding="utf-8").splitlines()
        assert left[0] == header.strip() + ",refused"
        assert left[1].startswith("+49 30 901820,sms,sms,perhaps,")
        assert "line 3: The state 'perhaps' is none" in left[1]
        (tmp_path / "x.csv").write_text("\n".join(left[:2]).replace("perhaps", "withdrawn"), encoding="utf-8")
    assert not (tmp_path / "bad2.csv").exists()
    with pytest.raises(InputError):
        Refusals(tmp_path / "x.csv")


def test_what_is_erased_meanwhile_is_refused_alone(database: Database) -> None:
    """Between the look and the writing a customer is erased: their row is refused, the others are taken."""
    somebody(database, ("email", "ann@example.org"))
    two = somebody(database, ("email", "bob@example.org"))
    done = []

    def erase(what: str, _done: int, _of: int) -> None:
        if what == "looking" and not done:
            done.append(what)
            with database.transaction() as uow:
                customers.erase_customer(uow, USER, two, reason="asked")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_text(HEADER + GOOD + GOOD.replace("ann@", "bob@"), encoding="utf-8")
        file = ConsentFile(path, "file x.csv")
        report = import_file(database, USER, file, Few(1), Refusals(None), tell=erase)
    assert counted(report) == (1, 0, 0, 1)


def test_a_file_leaves_one_message_for_each_system(database: Database) -> None:
    """Taken row by row or at once, the last word alone waits to be told, and what waited before is overtaken."""
    somebody(database, ("email", "ann@example.org"))
    with database.transaction() as uow:
        customers.set_downstreams(uow, SYSTEM, [Downstream("crm", "log"), Downstream("shop", "log", ("sales",))])
    take(database, HEADER + GOOD)
    text = HEADER + GOOD.replace("2020", "2021").replace("given", "withdrawn") + GOOD.replace("2020", "2022")
    take(database, text, few=500)
    take(database, HEADER + GOOD.replace("2020", "2023").replace("given", "withdrawn"), few=1)
    with database.reading() as reader:
        told = [(one.downstream, one.state, one.said) for one in reversed(customers.deliveries(reader))]
    assert [one for one in told if one[0] == "crm"] == [
        ("crm", "skipped", "given"), ("crm", "skipped", "given"), ("crm", "pending", "withdrawn")
    ]  # fmt: skip
    assert {one[1] for one in told if one[0] == "shop"} == {"skipped"}
