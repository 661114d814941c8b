"""Uploads read by any worker, gone on with after a kill, taken back; mappings that are remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from fairlead import sales
from fairlead.audit.tables import entry
from fairlead.errors import ConflictError, FaultError, InputError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.columns import metadata
from fairlead.playbooks import CaseVerb, read_case, steer
from fairlead.reviews import QueueFilter, View, page as review_page
from fairlead.sales import ImportState, tables as t
from fairlead.sales.importing import cancelling, jobs, reports, service, store
from fairlead.sales.importing.sketch import preview, shape_of, sketch_of
from fairlead.sales.intake import file_digest, guess_mapping, inspect
from fairlead.sales.uploads import drafts, jobs as upload_jobs, model as upload_model, service as uploads
from fairlead.settings import Settings
from fairlead.testing.seed import PLAYBOOK, run_ready

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.sales.world import World

HEADER = "Name;E-Mail;Firma;Land;Auftragswert\n"
ANN = Actor(ActorKind.USER, "person_ann")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches in a short file, on Postgres, too."""
    monkeypatch.setattr("fairlead.kit.pace.LEAST_BESIDE", 20)


def table(rows: int, start: int = 0) -> str:
    """So many good leads."""
    body = (f"Ann {n};a{n}@firm.example;Firm {n};DE;{n + 100}\n" for n in range(start, start + rows))
    return HEADER + "".join(body)


def work_of(world: World, folder: Path) -> jobs.ImportWork:
    """What a worker process does about imports; each call is another worker."""
    settings = Settings(workspace=folder, data_dir=folder / "data", bulk_transaction_ms=1, import_high_water=100_000)
    return jobs.ImportWork(world.database, world.library, settings, lambda: None)


def upload(
    world: World, text: str, *, start: bool = True, said: Mapping[str, str] | None = None, name: str = "leads.csv"
) -> str:
    """A file that was sent in."""
    path = world.write(text, "spooled")
    shape = inspect(path)

    def recall(key: str) -> sales.Remembered | None:
        with world.database.reading() as reader:
            return sales.remembered(reader, key)

    mapping = sales.map_columns(shape, said or {}, recall)
    digest, size = file_digest(path), path.stat().st_size
    sent = upload_model.Upload(name, digest, size, PLAYBOOK, shape, mapping, "", bool(said))
    return upload_jobs.store_upload(world.database, ANN, world.bundle, path, sent, start=start)


def sweep(world: World, folder: Path) -> None:
    """One look of one worker, and everything it finds."""
    work = work_of(world, folder)
    found: list[Any] = []
    work.sweep(lambda _name, payload: found.append(payload))
    for payload in found:
        work.run(payload)


def imported(world: World, import_id: str) -> Any:
    """The import as it stands."""
    with world.database.reading() as reader:
        return sales.read_import(reader, import_id)


def verbs(world: World, subject: str) -> list[str]:
    """What the record says of it."""
    with world.database.reading() as reader:
        query = select(entry.c.verb).where(entry.c.subject == subject).order_by(entry.c.id)
        return list(reader.execute(query).scalars())


def test_an_upload_is_read_by_whoever_sweeps(world: World, tmp_path: Path) -> None:
    """Its rows become leads under its own name and person, its pieces go, its report and sums are there."""
    import_id = upload(world, table(30) + "Ann 0;a0@firm.example;Firm 0;DE;100\nshort\n;bad;;Atlantis;-5\n")
    assert imported(world, import_id).state == ImportState.WAITING
    assert world.count(t.lead_upload) == 1
    sweep(world, tmp_path)
    run_ready(world.engine)
    row = imported(world, import_id)

    assert (row.state, row.rows, row.name, row.started_by) == (ImportState.FINISHED, 33, "leads.csv", str(ANN))
    assert world.count(t.lead_upload) == 0
    with world.database.reading() as reader:
        found = reports.quality_of(reader, import_id)
        leads = reports.leads_quality(reader, import_id, 31, 10)
        problems = list(reports.quality_table(world.database.reading, import_id, "problems")[1])
    assert found["accounted"] == {
        "rows": 33, "leads": 31, "duplicate": 1, "unreadable": 1, "cancelled": 0, "sum": 33, "complete": True,
    }  # fmt: skip
    assert found["quality"]["readable"] == 32
    assert leads[0]["missing"] == ["name", "email", "company", "country", "value"]
    assert (leads[0]["completeness_percent"], leads[0]["needs_information"]) == (0, True)
    told = {one[:4] for one in problems}
    assert {(34, "email", "email_invalid", True), (34, "value", "value_negative", True)} <= told
    assert (33, "", "too_few_fields", False) in told
    assert verbs(world, import_id)[:3] == ["lead_import.uploaded", "lead_import.received", "lead_import.started"]


@pytest.mark.parametrize("batches", [1, 3])
def test_a_killed_import_is_gone_on_with(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Killed between two batches, the next sweep after the lease finishes the same import: every row once."""
    import_id = upload(world, table(90))
    left = batches

    def die(name: str) -> None:
        nonlocal left
        left -= name == "import.batch"
        if left == 0:
            raise FaultError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "fault_point", die)
        with pytest.raises(FaultError):
            sweep(world, tmp_path)
    killed = imported(world, import_id)
    assert killed.state == ImportState.READING
    assert 0 < killed.rows < 90
    sweep(world, tmp_path)
    assert imported(world, import_id).rows == killed.rows  # its lease has not run out yet

    world.database.clock.advance(timedelta(seconds=61))  # type: ignore[attr-defined]
    sweep(world, tmp_path)
    row = imported(world, import_id)
    assert (row.state, row.rows) == (ImportState.FINISHED, 90)
    assert [lead.row_no for lead in world.leads(import_id)] == list(range(2, 92))
    assert world.rejects(import_id) == []
    assert row.quality["readable"] == 90  # the report is of all rows, also those of the dead worker


def test_two_workers_do_not_share_an_import(world: World, tmp_path: Path) -> None:
    """Who has the lease reads; the other finds nothing to do, and a lost lease ends the reading at once."""
    import_id = upload(world, table(5))
    with world.database.transaction() as uow:
        until = uow.now + timedelta(seconds=60)
        assert store.lease(uow, import_id, "somebody", until, [ImportState.WAITING])
    work_of(world, tmp_path).run({"import": import_id})
    assert imported(world, import_id).state == ImportState.WAITING
    hold = jobs.Hold(world.database, import_id, "another", 60.0)
    with pytest.raises(ConflictError) as caught, world.database.transaction() as uow:
        hold.renew(uow, 0)
    assert caught.value.reason == "import_lost"


def test_a_run_of_the_same_file_goes_on(world: World) -> None:
    """A command that died is taken up by the next one on the same file, not begun anew; a living one is left alone."""
    path = world.write(table(40))

    def begin(*maps: str) -> tuple[str, int]:
        file = sales.open_lead_file(path, maps, "EUR")
        with file.reader, world.database.transaction() as uow:
            until = uow.now + timedelta(seconds=60)
            return service.begin_or_resume(uow, SYSTEM, world.bundle, file, PLAYBOOK, service.lease_token(), until)

    first, done = begin()
    assert done == 0
    second, _ = begin()
    assert second != first  # this process lives, so the first may be under way
    world.database.clock.advance(timedelta(seconds=61))  # type: ignore[attr-defined]
    again, _ = begin()
    assert again == second
    world.database.clock.advance(timedelta(seconds=61))  # type: ignore[attr-defined]
    other, _ = begin("note=Firma")
    assert other not in {first, second}
    assert {imported(world, one).state for one in (first, second)} == {ImportState.INTERRUPTED}


def test_a_dead_process_of_this_machine_is_known() -> None:
    """The process in a token is looked up where it ran; elsewhere only the lease can tell."""
    host = service.lease_token().partition("@")[2].rpartition(":")[0]
    assert not service.is_gone(service.lease_token())
    assert service.is_gone(f"lease_x@{host}:{2**22 + 1}")
    assert not service.is_gone(f"lease_x@elsewhere:{2**22 + 1}")
    assert not service.is_gone("nonsense")


def test_a_draft_waits_for_a_person(world: World, tmp_path: Path) -> None:
    """Nothing is read before somebody confirmed the columns; the first rows can be looked at; choices count."""
    import_id = upload(world, table(25), start=False)
    sweep(world, tmp_path)
    row = imported(world, import_id)
    assert (row.state, row.rows) == (ImportState.DRAFT, 0)
    shape = shape_of(row.sketch)
    rows = preview(shape, guess_mapping(shape, row.said), "EUR", "")
    assert len(rows) == 20
    assert rows[0]["fields"]["email"] == "a0@firm.example"

    with pytest.raises(InputError), world.database.transaction() as uow:
        drafts.start_draft(uow, ANN, world.bundle, import_id, {"email": "Nowhere"}, "")
    with world.database.transaction() as uow:
        drafts.start_draft(uow, ANN, world.bundle, import_id, {"company": "", "note": "Firma"}, "DE")
    with pytest.raises(ConflictError), world.database.transaction() as uow:
        drafts.start_draft(uow, ANN, world.bundle, import_id, {}, "")
    sweep(world, tmp_path)
    assert imported(world, import_id).state == ImportState.FINISHED
    assert world.leads(import_id)[0].fields["note"] == "Firm 0"


def test_what_was_confirmed_is_remembered(world: World, tmp_path: Path) -> None:
    """The next file with these columns, in any order and case, is mapped so and says from where; it can be undone."""
    first = upload(world, table(3), said={"note": "Firma", "company": ""})
    sweep(world, tmp_path)
    turned = "LAND;firma;E-Mail;name;auftragswert\nDE;Acme;x@y.example;Bo;5\n"
    second = imported(world, upload(world, turned, start=False))

    mapped = {one["field"]: one["column"] for one in second.mapping["mapped"]}
    assert mapped == {"name": "name", "email": "E-Mail", "country": "LAND", "value": "auftragswert", "note": "firma"}
    assert second.mapping["remembered"].startswith(f"import {first} of ")
    other = imported(world, upload(world, "Name;Mail;Firma\nA;b@c.example;D\n", start=False))
    assert other.mapping["remembered"] is None
    with world.database.transaction() as uow:
        drafts.guess_again(uow, ANN, second.id)
    assert {one["field"] for one in imported(world, second.id).mapping["mapped"]} >= {"company", "name"}
    assert imported(world, upload(world, turned, start=False)).mapping["remembered"] is None
    assert "lead_mapping.forgotten" in verbs(world, first)


def test_files_without_a_header_are_not_remembered(world: World) -> None:
    """column_1 of one file says nothing about that of another."""
    file = sales.open_lead_file(world.write("a@b.example;5\nc@d.example;6\n"), ["note=column_2"], "EUR")
    with file.reader, world.database.transaction() as uow:
        sales.begin_import(uow, SYSTEM, world.bundle, file, PLAYBOOK)
    assert file.key == ""
    assert world.count(t.lead_mapping) == 0


def test_an_import_is_taken_back(world: World, tmp_path: Path) -> None:
    """Open cases are cancelled and their leads marked, ended ones stay; the same rows can come in again."""
    import_id = upload(world, table(120))
    sweep(world, tmp_path)
    run_ready(world.engine)
    ended = world.leads(import_id)[0].case_id
    with world.database.transaction() as uow:
        steer(uow, world.library, SYSTEM, ended, CaseVerb.CANCEL)
        assert cancelling.cancel_import(uow, ANN, import_id) is ImportState.CANCELLING
    sweep(world, tmp_path)

    assert imported(world, import_id).state == ImportState.CANCELLED
    leads = world.leads(import_id)
    assert sum(lead.cancelled_at is not None for lead in leads) == 119
    with world.database.reading() as reader:
        assert {read_case(reader, lead.case_id).state for lead in leads} == {"ended"}
        assert review_page(reader, QueueFilter(), limit=200).items == []
        counts, _ = sales.count_import(reader, import_id)
    assert sum(counts.values()) == 120
    assert verbs(world, import_id)[-1] == "lead_import.taken_back"
    again = upload(world, table(120))
    sweep(world, tmp_path)
    assert len(world.leads(again)) == 119
    assert [one[2] for one in world.rejects(again)] == ["same_row"]


def test_what_cannot_be_taken_back(world: World, tmp_path: Path) -> None:
    """One that is taken back already, or that is a day old; a draft is simply dropped."""
    draft = upload(world, table(2), start=False)
    old = upload(world, table(2, start=50))
    sweep(world, tmp_path)
    with world.database.transaction() as uow:
        assert cancelling.cancel_import(uow, ANN, draft) is ImportState.CANCELLED
    with pytest.raises(ConflictError) as caught, world.database.transaction() as uow:
        cancelling.cancel_import(uow, ANN, draft)
    assert caught.value.reason == "not_cancellable"
    world.database.clock.advance(timedelta(hours=25))  # type: ignore[attr-defined]
    with pytest.raises(ConflictError) as caught, world.database.transaction() as uow:
        cancelling.cancel_import(uow, ANN, old)
    assert caught.value.reason == "too_late"


def test_cancelled_while_it_is_read(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ends at the next batch, and what had come in is taken back."""
    import_id = upload(world, table(90))

    def cancel(name: str) -> None:
        if name == "import.batch":
            with world.database.transaction() as uow:
                cancelling.cancel_import(uow, ANN, import_id)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "fault_point", cancel)
        sweep(world, tmp_path)
    assert 0 < imported(world, import_id).rows < 90
    sweep(world, tmp_path)
    assert imported(world, import_id).state == ImportState.CANCELLED
    assert all(lead.cancelled_at for lead in world.leads(import_id))


def test_what_nobody_goes_on_with_is_ended(world: World, tmp_path: Path) -> None:
    """Half an upload and an old draft are dropped, a dead run is called interrupted, none is left reading for ever."""
    draft = upload(world, table(2), start=False)
    path = world.write(table(3, start=9))
    shape = inspect(path)
    half = upload_model.Upload("half.csv", "d", 1, PLAYBOOK, shape, guess_mapping(shape), "", confirmed=False)
    file = sales.open_lead_file(path, [], "EUR")
    with file.reader, world.database.transaction() as uow:
        receiving = uploads.receive(uow, ANN, world.bundle, half)
        until = uow.now + timedelta(seconds=60)
        dead, _ = service.begin_or_resume(uow, SYSTEM, world.bundle, file, PLAYBOOK, "lease_x@elsewhere:1", until)
    world.database.clock.advance(timedelta(hours=25))  # type: ignore[attr-defined]
    sweep(world, tmp_path)

    states = {imported(world, one).state for one in (draft, receiving)}
    assert states == {ImportState.CANCELLED}
    assert imported(world, dead).state == ImportState.INTERRUPTED
    assert world.count(t.lead_upload) == 0


def test_a_file_that_turns_out_bad_is_refused_with_the_reason(world: World, tmp_path: Path) -> None:
    """A piece that is not what was sent ends the import in words; no worker tries for ever."""
    import_id = upload(world, table(3))
    with world.database.transaction() as uow:
        store.drop_chunks(uow, import_id)
        store.insert_chunk(uow, import_id, 0, b"PAR1 nothing")
    sweep(world, tmp_path)
    row = imported(world, import_id)
    assert (row.state, row.problem["code"]) == (ImportState.REFUSED, "damaged_file")


def test_a_playbook_without_a_checkpoint_fails_nobody(world: World) -> None:
    """A case that ended or waits without having met a checkpoint is automatic; one in the exceptions queue failed."""
    flow = (
        "playbook: plain\nsubject: lead\nfacts: {value: double}\nstart: size\nstages:\n"
        "  size:\n    branch: [{when: value > 100.0, next: later}]\n    otherwise: done\n"
        "  later: {wait: replied, for: 3d, next: {replied: done, timeout: done}}\n  done: {end: done}\n"
    )
    world.files = {**world.files, "playbooks/plain.yaml": flow}
    bundle = world.deploy()
    file = sales.open_lead_file(world.write(HEADER + "Ann;a@b.example;A;DE;5\nBo;b@b.example;B;DE;500\n"), [], "EUR")
    with file.reader:
        with world.database.transaction() as uow:
            import_id = sales.begin_import(uow, SYSTEM, bundle, file, "plain")
        rows = list(sales.checked_rows(file, lambda _: None))
        with world.database.transaction() as uow:
            sales.import_batch(uow, SYSTEM, bundle, import_id, "plain", rows, "EUR")
            sales.finish_import(uow, SYSTEM, import_id, 2)
    with world.database.reading() as reader:
        assert sales.count_import(reader, import_id)[0]["pending"] == 2
    run_ready(world.engine)
    result = world.result(import_id, 2, 2)
    assert (result.counts["auto"], result.counts["failed"]) == (2, 0)
    assert "pending" not in result.counts


def test_needs_information_means_one_thing(world: World) -> None:
    """The run's number and the desk's tab hold the same leads: a fact is missing, or a cell cannot be used."""
    rows = "Ann;a@b.example;A;DE;-5\nBo;;B;DE;5\nCy;c@b.example;C;DE;5\nDi;d@b.example;D;Atlantis;7\n"
    result = world.run(HEADER + rows)
    with world.database.reading() as reader:
        listed = review_page(reader, QueueFilter(view=View.NEEDS_INFORMATION), limit=50).items
    assert result.counts["needs_information"] == 3
    assert {one.title.split(" ")[0] for one in listed} == {"Ann", "Bo", "Di"}


def test_a_sketch_holds_a_shape(tmp_path: Path) -> None:
    """What is kept of a file is bounded and gives the same mapping and first rows back."""
    path = tmp_path / "x.csv"
    path.write_text("Name;Wert\n" + "".join(f"A{n};1.{n:03},5\n" for n in range(400)) + "short\n", encoding="utf-8")
    shape = inspect(path)
    back = shape_of(sketch_of(shape))
    assert guess_mapping(back).as_dict() == guess_mapping(shape).as_dict()
    assert back.head == shape.head
    assert len(str(sketch_of(shape))) < 100_000


def test_tables_of_imports_are_known() -> None:
    """Uploads and mappings are part of the schema."""
    assert {"lead_upload", "lead_mapping"} <= metadata.tables.keys()
