"""Files of consents: every row accounted for, nothing half-written, nothing older than what was said since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from fairlead import customers
from fairlead.audit import history
from fairlead.customers import ConsentImport, ConsentRecord, ConsentState, Downstream
from fairlead.customers.consent_files import read_consents
from fairlead.errors import FairleadError, InputError, TooLargeError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.events import since
from tests.customers.test_consents import NEWS, say, somebody, state

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.testing.clock import FakeClock

USER = Actor(ActorKind.USER, "per_1")
HEADER = "email,purpose,channel,state,said_at,mechanism,proof\n"
GOOD = "ann@example.org,newsletter,email,given,2020-01-01T00:00+00:00,paper,scan 1\n"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def take(database: Database, text: str, **how: bool) -> ConsentImport:
    """Import a file."""
    with database.transaction() as uow:
        return customers.import_consents(uow, USER, text, source="file x.csv", **how)


def look(database: Database, text: str, *, create: bool = False) -> ConsentImport:
    """Only look what would come of it."""
    with database.reading() as reader:
        return customers.check_consents(reader, text, now=database.clock.now(), source="file x.csv", create=create)


def counted(report: ConsentImport) -> tuple[int, int, int, int]:
    """recorded, overruled, repeated, refused; together they are the rows."""
    found = (report.recorded, report.overruled, report.repeated, len(report.refused))
    assert sum(found) == report.rows
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


def test_a_dry_run_tells_what_will_come(database: Database, clock: FakeClock) -> None:
    """The same figures before and after, with rows that overrule each other and newer words in the ledger."""
    one, two = somebody(database, ("email", "ann@example.org")), somebody(database, ("email", "bob@example.org"))
    say(database, clock, two, "withdrawn")
    bob = GOOD.replace("ann@", "bob@")
    text = HEADER + GOOD.replace("2020", "2022").replace("given", "withdrawn") + GOOD + GOOD + bob
    text += GOOD.replace("ann@", "new@") + GOOD.replace("ann@", "New@").replace("email,given", "sms,given")
    foreseen = look(database, text, create=True)
    came = take(database, text, create=True)
    assert counted(foreseen) == counted(came) == (3, 2, 1, 0)
    assert foreseen.new_customers == came.new_customers == 2
    assert (state(database, one), state(database, two)) == ("withdrawn", "withdrawn")


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


def test_a_file_is_bounded(database: Database) -> None:
    """Past 50,000 rows it is refused before anything is written."""
    with pytest.raises(TooLargeError):
        look(database, HEADER + GOOD * 50_001)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2020-01-01T00:00", "said_at"), ("01/02/2020", "said_at"), ("2999-01-01T00:00Z", "said_at"),
        ("0001-01-01T00:00+14:00", "said_at"),
    ],
)  # fmt: skip
def test_a_moment_needs_its_zone(cell: str, code: str) -> None:
    """No date is guessed: without a zone, in the future, or outside of the calendar it is refused."""
    [bad] = list(read_consents(HEADER + GOOD.replace("2020-01-01T00:00+00:00", cell), NOW, "x"))
    assert getattr(bad, "code", "") == code


@given(st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=9), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_cells_are_accounted_for(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, each row is a usable one or refused with a sentence, or the file is refused."""
    text = HEADER + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    expected = sum(any(cell.strip() for cell in row) for row in rows)
    try:
        found = list(read_consents(text, NOW, "x"))
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
