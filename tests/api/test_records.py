"""Imports and the audit record over HTTP."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.sales import batches, begin_import, checked_rows, finish_import, import_batch, open_lead_file
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.world import World

ROWS = 'name,email,country,value\nAnn,ann@a.example,DE,100\nAnn,ann@a.example,DE,100\nBob,bob@b.example,SE,"9,000"\n'


def imported(world: World, folder: Path, copies: int = 1) -> str:
    """The id of a finished import of a small file with a duplicate row."""
    path = folder / "leads.csv"
    path.write_text(ROWS + "Ann,ann@a.example,DE,100\n" * (copies - 1), encoding="utf-8")
    bundle, rows = world.desk.bundle, 0
    file = open_lead_file(path, [], bundle.currency)
    with world.database.transaction() as uow:
        import_id = begin_import(uow, SYSTEM, bundle, file, "lead-qualification")
    for batch in batches(checked_rows(file, lambda _: None), lambda: 500):
        with world.database.transaction() as uow:
            import_batch(uow, SYSTEM, bundle, import_id, "lead-qualification", batch, bundle.currency)
        rows += len(batch)
    with world.database.transaction() as uow:
        finish_import(uow, SYSTEM, import_id, rows)
    world.run()
    return import_id


def test_an_import_is_shown_with_what_became_of_it(world: World, tmp_path: Path) -> None:
    """Counts add up to the rows; without asking for them they are not counted."""
    import_id, viewer = imported(world, tmp_path), world.person("viewer")
    listed = ok(viewer.get("/v1/imports"))
    one = ok(viewer.get(f"/v1/imports/{import_id}", params={"counts": True}))

    assert [found["id"] for found in listed["items"]] == [import_id]
    assert (one["state"], one["rows"], sum(one["counts"].values())) == ("finished", 3, 3)
    assert one["counts"]["duplicate"] == 1
    assert one["mapping"]
    assert ok(viewer.get(f"/v1/imports/{import_id}"))["counts"] is None
    refused(viewer.get("/v1/imports/imp_nothing"), 404)
    refused(viewer.get("/v1/imports/imp_nothing/rejects"), 404)
    refused(viewer.get("/v1/imports/imp_nothing/rejects", params={"format": "csv"}), 404)


def test_rejects_come_in_pages_and_as_a_table(world: World, tmp_path: Path) -> None:
    """JSON pages join without a gap; the CSV holds the same rows, all of them."""
    import_id, viewer = imported(world, tmp_path, copies=7), world.person("viewer")
    url = f"/v1/imports/{import_id}/rejects"
    seen: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = ok(viewer.get(url, params={"after": after, "limit": 2}))
        seen += page["items"]
        after = page["next"]

    assert [one["kind"] for one in seen] == ["duplicate"] * 7
    table = viewer.get(url, params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(int(row["row"]), row["code"]) for row in rows] == [(one["row"], one["code"]) for one in seen]
    refused(viewer.get(url, params={"format": "xml"}), 422)


def test_the_record_is_verified(world: World) -> None:
    """Untampered as it was sealed; an edited row is named; without a key it is not available."""
    auditor = world.person("compliance")
    refused(auditor.get("/v1/audit/verification"), 422, "audit_key_missing")
    world.seal()
    found = ok(auditor.get("/v1/audit/verification"))
    assert (found["untampered"], found["problems"], found["heads_compared"] >= 1) == (True, [], True)
    assert found["statement"].startswith("untampered up to head")
    tamper(world.database)
    found = ok(auditor.get("/v1/audit/verification"))

    assert found["untampered"] is False
    assert found["first_bad_row"] == found["problems"][0]["row"] > 0


def tamper(database: Database) -> None:
    """Rewrite who did the first thing, behind everybody's back."""
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - a hand on the database itself, as an intruder has

    engine = create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE audit_entry SET actor = 'user:mallory' WHERE id = (SELECT min(id) FROM audit_entry)")
        )
    engine.dispose()


def test_entries_come_in_pages(world: World) -> None:
    """All that the record says of one case, page by page to the oldest; nothing for an unknown id."""
    auditor, case_id = world.person("admin"), world.desk.cases[1]
    seen: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        query = {"subject": case_id, "limit": 2} | ({"before": before} if before else {})
        page = ok(auditor.get("/v1/audit/entries", params=query))
        seen = page["items"] + seen
        before = page["next"]
        if before is None:
            break

    assert [one["verb"] for one in seen] == world.audited(case_id)
    assert len(seen) > 2
    assert ok(auditor.get("/v1/audit/entries", params={"subject": "nobody"}))["items"] == []
    refused(auditor.get("/v1/audit/entries"), 422)
    refused(auditor.get("/v1/audit/entries", params={"subject": case_id, "before": 2**60}), 422)
