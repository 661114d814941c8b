"""Files sent in over HTTP: streamed, bounded, refused with reasons, read by a worker, reported on, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fairlead import api
from fairlead.people import Permission
from fairlead.sales import tables as t
from fairlead.sales.importing.jobs import ImportWork
from tests.api.world import ok, refused

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.api.world import World

P = Permission
ROWS = "Name,E-mail,Country,Deal value\nAnn,ann@a.example,DE,100\nBo,bo@,Atlantis,-5\nshort\n"


def read_all(world: World) -> None:
    """What a worker does when it looks."""
    work = ImportWork(world.database, world.desk.library, world.settings, lambda: None)
    found: list[Any] = []
    work.sweep(lambda _name, payload: found.append(payload))
    for payload in found:
        work.run(payload)
    world.run()


def accepted(answer: Any) -> dict[str, Any]:
    """The body of a 202."""
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def sent(client: TestClient, content: bytes | str = ROWS, name: str = "fair.csv", **fields: Any) -> Any:
    """A file as a form."""
    data = content.encode() if isinstance(content, str) else content
    return client.post("/v1/imports", files={"file": (name, data, "text/csv")}, data=fields)


def pieces(world: World) -> int:
    """Pieces of files in the database."""
    with world.database.reading() as reader:
        return len(reader.execute(t.lead_upload.select()).all())


def test_a_file_is_taken_in_and_reported_on(world: World) -> None:
    """A form starts at once; a worker reads it; columns, leads and problems come as JSON and CSV; the sum adds up."""
    program = world.program(P.CASES_START, P.CASES_READ)
    one = accepted(sent(program, map=["name=Name"], country="de"))
    assert (one["state"], one["rows"], one["name"]) == ("waiting", 0, "fair.csv")
    url = f"/v1/imports/{one['id']}"
    assert ok(program.get(f"{url}/quality"))["quality"] is None
    read_all(world)

    done = ok(program.get(url, params={"counts": True}))
    assert (done["state"], done["rows"]) == ("finished", 3)
    assert sum(done["counts"].values()) == 3
    quality = ok(program.get(f"{url}/quality"))
    assert quality["accounted"] == {
        "rows": 3, "leads": 2, "duplicate": 0, "unreadable": 1, "cancelled": 0, "sum": 3, "complete": True,
    }  # fmt: skip
    email = next(one for one in quality["quality"]["columns"] if one["column"] == "E-mail")
    assert email["problems"][0]["examples"][0]["row"] == 3
    leads = ok(program.get(f"{url}/quality/leads", params={"limit": 1}))
    assert leads["items"][0]["completeness_percent"] == 100
    (second,) = ok(program.get(f"{url}/quality/leads", params={"after": leads["next"]}))["items"]
    assert second["needs_information"]
    assert second["missing"] == ["email", "country", "value"]
    table = program.get(f"{url}/quality", params={"format": "csv", "table": "problems"})
    assert "3,value,value_negative,True,A deal of '-5' cannot be." in table.text
    assert program.get(f"{url}/quality", params={"format": "csv"}).text.startswith("\ufeffcolumn,used_as")


def test_any_other_body_is_the_file(world: World) -> None:
    """A raw body is named by the query; the rest of the query is what a form would say."""
    program = world.program(P.CASES_START, P.CASES_READ)
    query = {"name": "../../etc/leads.jsonl", "start": "false", "map": "note=x"}
    answer = program.post("/v1/imports", content=b'{"email": "a@b.example", "x": "hello"}\n', params=query)
    one = accepted(answer)
    assert (one["state"], one["name"]) == ("draft", "leads.jsonl")
    preview = ok(program.get(f"/v1/imports/{one['id']}/preview"))
    assert preview["rows"][0]["fields"] == {"email": "a@b.example", "note": "hello"}
    started = program.post(f"/v1/imports/{one['id']}/start", json={"map": {"note": ""}, "country": "DE"})
    assert accepted(started)["state"] == "waiting"
    refused(program.get(f"/v1/imports/{one['id']}/preview"), 409, "not_a_draft")
    refused(program.post(f"/v1/imports/{one['id']}/start", json={}), 409, "not_a_draft")


@pytest.mark.parametrize(
    ("content", "name", "fields", "status", "code"),
    [
        ("", "x.csv", {}, 422, "empty_file"), ("a;b\n", "x.csv", {}, 422, "header_only"),
        (b"PK\x03\x04zip", "x.xlsx", {}, 422, "not_text"), (b"PAR1", "x", {}, 422, "damaged_file"),
        (ROWS, "x.csv", {"map": "emial=Name"}, 422, "unknown_field"),
        (ROWS, "x.csv", {"map": "email=N"}, 422, "unknown_column"),
        (ROWS, "x.csv", {"playbook": "none"}, 422, "no_playbook"),
        (ROWS, "x.csv", {"country": "ZZ"}, 422, "unknown_country"),
        (ROWS, "x.csv", {"start": "perhaps"}, 422, "switch"), (ROWS, "x.csv", {"map": "\0=x"}, 422, "nul"),
        (ROWS, "x.csv", {"x": "y" * 5_000}, 413, "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_nothing_kept(
    world: World, content: bytes | str, name: str, fields: dict[str, str], status: int, code: str
) -> None:
    """The reason names the sender's file, not our copy; neither database nor disk keeps anything."""
    program, before = world.program(P.CASES_START), world.entries()
    error = refused(sent(program, content, name, **fields), status, code)
    assert "upload" not in error["message"]
    assert world.entries() == before
    assert pieces(world) == 0
    assert list((world.settings.data_dir / "uploads").iterdir()) == []


def test_forms_that_are_none(light_world: World) -> None:
    """No file, two files, no boundary, half a form, no name: 4xx with the reason."""
    program = light_world.program(P.CASES_START)
    two = [("file", ("a.csv", b"x\n1\n")), ("file", ("b.csv", b"x\n1\n"))]
    refused(program.post("/v1/imports", files=two), 422, "form")
    refused(program.post("/v1/imports", files={"other": ("a.csv", b"x")}), 422, "no_file")
    refused(program.post("/v1/imports", content=b"x\n1\n"), 422, "no_file_name")
    refused(program.post("/v1/imports", content=b""), 422, "no_file_name")
    headers = {"Content-Type": "multipart/form-data"}
    refused(program.post("/v1/imports", content=b"x", headers=headers), 422, "form")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(program.post("/v1/imports", content=b"--y\r\n", headers=headers), 422, "form")


def test_a_file_above_the_limit_is_refused(world: World) -> None:
    """By its announced length before anything is read, and by what comes when it lies; other routes keep theirs."""
    program = world.program(P.CASES_START, P.CASES_READ)
    svc = world.app.state.services
    small = svc.settings.model_copy(update={"max_import_bytes": 2_048})
    world.app.state.services = api.Services(svc.database, small, svc.clock, svc.wake)
    big = "Name,E-mail\n" + "Ann,a@b.example\n" * 500
    refused(sent(program, big), 413, "too_large")

    def chunks() -> Any:
        yield from (big[at : at + 512].encode() for at in range(0, len(big), 512))

    refused(program.post("/v1/imports", content=chunks(), params={"name": "x.csv"}), 413, "too_large")
    many = {"x": "y" * 2_000_000}
    refused(program.post("/v1/cases", json=many), 413, "too_large")


def test_an_upload_may_be_larger_than_other_requests(world: World) -> None:
    """Three megabytes pass where a request to any other route may hold one."""
    program = world.program(P.CASES_START, P.CASES_READ)
    rows = "Name,E-mail,Note\n" + "".join(f"Ann {n},a{n}@b.example,{'x' * 3_000}\n" for n in range(1_000))
    one = accepted(sent(program, rows, start="false"))
    assert one["bytes"] == len(rows)
    assert pieces(world) == -(-len(rows) // 262_144)


def test_an_import_is_taken_back_over_http(world: World) -> None:
    """Its cases are cancelled by the next worker, and it says so; a second time there is nothing to take back."""
    program = world.program(P.CASES_START, P.CASES_READ, P.CASES_MANAGE)
    one = accepted(sent(program))
    read_all(world)
    assert accepted(program.post(f"/v1/imports/{one['id']}/cancel"))["state"] == "cancelling"
    read_all(world)
    assert ok(program.get(f"/v1/imports/{one['id']}"))["state"] == "cancelled"
    assert ok(program.get(f"/v1/imports/{one['id']}/quality"))["accounted"]["cancelled"] == 2
    refused(program.post(f"/v1/imports/{one['id']}/cancel"), 409, "not_cancellable")


def test_what_was_said_counts_for_the_next_file(world: World) -> None:
    """A mapping given with one file is used for the next with the same columns, until it is forgotten."""
    program = world.program(P.CASES_START, P.CASES_READ)
    first = accepted(sent(program, map=["note=Country", "country="]))
    again = accepted(sent(program, start="false"))
    assert again["mapping"]["remembered"].startswith(f"import {first['id']} of ")
    fresh = accepted(sent(program, start="false", forget_mapping="true"))
    assert fresh["mapping"]["remembered"] is None
