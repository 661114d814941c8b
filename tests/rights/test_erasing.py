"""Erasing a customer: a word planted in every place is in no table and no file afterwards, and the record verifies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, delete, select, update

from fairlead import customers, rights
from fairlead.actions import ActionDraft, queue_many
from fairlead.audit import Signer, StoredRecord, seal_all, verify
from fairlead.connectors import Delivery, FileConnector
from fairlead.customers import ConsentRecord, ConsentState, Preference, TimelineNote
from fairlead.errors import NotFoundError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.columns import metadata
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.playbooks import CaseDraft, open_cases, read_case
from fairlead.testing.seed import run_ready
from fairlead.worker.erasures import clean_files
from tests.rights.world import CLERK, DORA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rights.world import Desk

WORD = "Quizzaciously"
MAIL = f"{WORD.lower()}@example.com"
FILE = (
    "Name,Company,Email,Country,Employees,Hobby\n"
    f"{WORD} Keller,{WORD} Ltd,{MAIL},DE,12,{WORD}\n"
    "Eve Other,Other Ltd,eve@example.com,DE,3,chess\n"
)


def found_in(desk: Desk) -> Iterator[str]:
    """Every column of every table in which the word stands, and how often."""
    with desk.database.reading() as reader:
        for table in metadata.sorted_tables:
            for row in reader.execute(select(*(Column(one.name) for one in table.columns)).select_from(table)):
                for name, value in row._mapping.items():
                    shown = (
                        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if WORD.lower() in shown.lower():
                        yield f"{table.name}.{name}"


def found_in_files(folder: Path) -> list[str]:
    """Files of a folder that hold the word, a database among them left out: its tables were read."""
    return [
        one.name for one in folder.rglob("*")
        if one.is_file() and ".db" not in one.name and WORD.lower().encode() in one.read_bytes().lower()
    ]  # fmt: skip


def plant(desk: Desk, folder: Path) -> str:
    """A customer with the word in whatever the product lets in; the file of the import itself is not in `folder`."""
    desk.run(FILE, maps=())
    with desk.database.reading() as reader:
        held = customers.holder_of(reader, ("email", MAIL))
    assert held is not None
    with desk.database.transaction() as uow:
        customers.set_flag(uow, CLERK, held, "vip", value=WORD, source=WORD, owner=WORD)
        proof = {"words": WORD}
        given = ConsentRecord("newsletter", "email", ConsentState.GIVEN, "opt_in", WORD, proof)
        customers.record_consent(uow, CLERK, held, given)
        customers.set_preference(uow, CLERK, held, Preference("newsletter", "email", 2, None, WORD))
        customers.learn_zone(uow, CLERK, held, ["Europe/Berlin"], "stated", WORD)
        customers.suppress(uow, CLERK, "email", MAIL, reason=f"said {WORD}", source=WORD)
        customers.note(uow, CLERK, TimelineNote(held, "note", f"likes {WORD}"))
        customers.add_identity(uow, CLERK, held, "external_id", WORD, source=WORD)
        publish(uow, Event("replied", held, {"text": WORD}))
        uow.record(AuditEntry("call.made", held, {"about": WORD}, held, CLERK))
        facts = {"first": {"id": held, "name": WORD}, "second": {"id": held, "name": WORD}, "pair": "dup_1",
                 "first_title": WORD, "second_title": WORD}  # fmt: skip
        open_cases(uow, [CaseDraft("customer-duplicates", "customer_pair", "dup_1", facts, held)], desk.bundle, SYSTEM)
    run_ready(desk.engine)
    with desk.database.transaction() as uow:  # as a mail that went into the folder leaves it
        action = metadata.tables["action"]
        draft = ActionDraft("k0", "log", "mail", {"text": WORD}, customer_id=held)
        [one] = queue_many(uow, [draft])
        words = f"would have been sent to {MAIL}; unsent/mail_1.eml"
        sent = {"state": "sent", "done_at": uow.now, "result": {"words": words}}
        uow.execute(update(action).where(action.c.id == one).values(**sent))
        outbox = metadata.tables["outbox"]
        uow.execute(delete(outbox).where(outbox.c.action_id == one))
        uow.record(AuditEntry("action.sent", held, {}, held, SYSTEM))
    (folder / "unsent").mkdir(parents=True)
    (folder / "unsent" / "mail_1.eml").write_text(f"To: {MAIL}\n\n{WORD}\n", encoding="utf-8")
    for connector in (FileConnector(folder), FileConnector(folder / "unsent")):
        connector.deliver(Delivery("k1", "note", {"text": WORD}, held))
        connector.deliver(Delivery("k2", "note", {"text": "for eve"}, "cus_eve"))
    return held


def test_the_word_is_nowhere_afterwards(desk: Desk, tmp_path: Path) -> None:
    """Planted in every place, erased by request: no row of any table and no file has it, nor what others wrote."""
    folder = tmp_path / "data"
    held = plant(desk, folder)
    before = set(found_in(desk))
    assert len(before) >= 25, sorted(before)  # the test plants in many places, or proves nothing
    assert len(found_in_files(folder)) >= 2
    request = desk.ask(held, "erase")

    done = desk.decide(request, carry_out=True, who=DORA)
    cleaned = clean_files(desk.database, folder, folder / "erasures.jsonl")

    assert (done.state, desk.end_of(request), cleaned) == ("done", "done", 1)
    assert sorted(set(found_in(desk))) == []
    assert found_in_files(folder) == []
    assert '"text":"for eve"' in (folder / "deliveries.jsonl").read_text(encoding="utf-8")
    assert clean_files(desk.database, folder, folder / "erasures.jsonl") == 0


def test_the_record_still_verifies_and_says_who_decided(desk: Desk, tmp_path: Path) -> None:
    """Sealed before and after the erasure, it is whole; the erasure itself can be read."""
    signer = Signer.load(tmp_path / "key.pem", create=True)
    held = plant(desk, tmp_path / "data")
    seal_all(desk.database, signer, tmp_path / "heads")
    request = desk.ask(held, "erase")
    desk.decide(request, carry_out=True, who=DORA)
    seal_all(desk.database, signer, tmp_path / "heads")

    with desk.database.reading() as reader:
        checked = verify(StoredRecord(reader), signer.public_key, {})

    assert checked.problems == []


def test_nobody_writes_to_the_address_again(desk: Desk, tmp_path: Path) -> None:
    """What was suppressed stays so under a keyed digest, and other addresses of theirs get no promotions."""
    held = plant(desk, tmp_path / "data")
    with desk.database.transaction() as uow:
        customers.add_identity(uow, CLERK, held, "phone", "+4930123456", source="test")
        rights.erase(uow, CLERK, held, reason="asked for")

    with desk.database.reading() as reader:
        found = customers.suppressions_of(
            reader, [("email", MAIL), ("sms", "+4930123456"), ("email", "eve@example.com")]
        )

    assert {reach: one.scope for reach, one in found.items()} == {
        ("email", MAIL): "all", ("sms", "+4930123456"): "promotional",
    }  # fmt: skip


def test_a_suppression_of_an_erased_address_can_be_lifted(desk: Desk) -> None:
    """Somebody who comes back and asks for it gets messages again; the newest word counts."""
    ada = desk.customer("Ada Keller", ("email", "ada@example.com"))
    with desk.database.transaction() as uow:
        rights.erase(uow, CLERK, ada, reason="asked for")
    desk.clock.advance(timedelta(days=1))
    with desk.database.transaction() as uow:
        customers.lift_suppression(uow, CLERK, "email", "ada@example.com", reason="came back", source="form")

    with desk.database.reading() as reader:
        assert customers.suppressions_of(reader, [("email", "ada@example.com")]) == {}


def test_others_lose_nothing(desk: Desk, tmp_path: Path) -> None:
    """The other lead of the same file keeps its record, its case and its place at the desk."""
    held = plant(desk, tmp_path / "data")
    with desk.database.reading() as reader:
        eve = customers.holder_of(reader, ("email", "eve@example.com"))

    def told() -> dict[str, Any]:
        with desk.database.reading() as reader:
            return {
                name: [tuple(row) for row in reader.execute(select(table).where(table.c.customer_id == eve))]
                for name, table in metadata.tables.items() if "customer_id" in table.c
            }  # fmt: skip

    before = told()
    with desk.database.transaction() as uow:
        rights.erase(uow, CLERK, held, reason="asked for")

    assert eve is not None
    assert told() == before
    assert before["lead"]


def test_open_cases_end_and_nothing_waits_for_anybody(desk: Desk, tmp_path: Path) -> None:
    """Also merged records are erased with the one that was named."""
    held, twin = plant(desk, tmp_path / "data"), desk.customer("Twin", ("email", "twin@example.com"))
    with desk.database.transaction() as uow:
        customers.merge(uow, CLERK, held, twin, reason="the same")

    with desk.database.transaction() as uow:
        erased = rights.erase(uow, CLERK, twin, reason="asked for")

    review = metadata.tables["review"]
    with desk.database.reading() as reader:
        assert {read_case(reader, one).end for one in erased.ended_cases} == {"cancelled"}
        open_ones = select(review.c.id).where(review.c.customer_id == held, review.c.closed_at.is_(None))
        assert list(reader.execute(open_ones)) == []
    assert set(erased.customer_ids) == {held, twin}


def test_an_erasure_that_fails_did_nothing(desk: Desk, tmp_path: Path) -> None:
    """Whole or not at all: what the transaction does not commit is there as before."""
    held = plant(desk, tmp_path / "data")
    before = sorted(found_in(desk))

    def broken() -> None:
        with desk.database.transaction() as uow:
            rights.erase(uow, CLERK, held, reason="asked for")
            raise NotFoundError("stop")

    with pytest.raises(NotFoundError):
        broken()

    assert sorted(found_in(desk)) == before
    assert clean_files(desk.database, tmp_path / "data", tmp_path / "erasures.jsonl") == 0


def test_every_table_that_names_a_customer_is_accounted_for() -> None:
    """A new table with a customer, a case, a ruling or a review is scrubbed, forgotten by its room, or named here."""
    own_room = {
        "action", "contact_answer", "contact_log", "customer_detail", "lead_touch", "mail_taken",
        "record_change",
    }  # fmt: skip
    of_customers = {
        "consent", "consent_delivery", "customer_flag", "customer_identity", "customer_preference", "customer_zone",
        "timeline",
    }  # fmt: skip
    with_names = {"customer_id", "case_id", "ruling_id", "review_id", "left_id"}
    said = {"duplicate_pair", "experiment_draw", "alert_customer"}  # by reach._settle; the others hold ids alone
    reached = {one.table for one in rights.SCRUBS} | {one[0] for one in rights.DROPS} | own_room | of_customers | said

    named = {name for name, table in metadata.tables.items() if with_names & set(table.c.keys())}

    assert named - reached == set()
