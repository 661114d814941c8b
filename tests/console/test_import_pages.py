"""The imports pages: send a file in, see how it is understood, start, watch, judge its data, take it back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fairlead.sales.importing.jobs import ImportWork
from fairlead.testing.seed import run_ready

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.world import Site

ROWS = "Name;Firma;E-Mail;Land;Auftragswert;Hinweis\nAnn <b>;A;a@a.example;DE;1.250,00;x\nBo;B;bo@;Atlantis;-5;y\n"


def send(client: TestClient, content: str = ROWS, name: str = "messe.csv", **fields: str) -> Any:
    """Through the form of the page."""
    fields = {"playbook": "lead-qualification", "country": "", **fields}
    return client.post("/imports", files={"file": (name, content.encode(), "text/csv")}, data=fields)


def work(site: Site) -> None:
    """What a worker does."""
    one = ImportWork(site.database, site.desk.library, site.settings, lambda: None)
    found: list[Any] = []
    one.sweep(lambda _name, payload: found.append(payload))
    for payload in found:
        one.run(payload)
    run_ready(site.desk.engine)


def test_a_file_from_the_form_to_its_report(site: Site) -> None:
    """Nothing comes in before somebody saw the guess with its certainty and the first rows, and confirmed it."""
    client = site.signed_in("manager")
    assert 'enctype="multipart/form-data"' in client.get("/imports").text
    answer = send(client)
    assert answer.status_code == 303
    path = answer.headers["location"]
    draft = client.get(path).text
    assert re.search(r'<select id="f-email".*?<option value="E-Mail" selected>', draft)
    assert "its name and its cells say so" in draft
    assert "Ann &lt;b&gt;" in draft
    assert "A deal of &#39;-5&#39; cannot be." in draft

    looked = client.post(f"{path}/columns", data={"wanted": "look", "field.note": "Hinweis", "country": "de"})
    assert looked.status_code == 200
    assert re.search(r'<select id="f-note".*?<option value="Hinweis" selected>', looked.text)
    assert re.search(r'<select id="f-note".*?<option value="" >|<option value="">', client.get(path).text)
    wrong = client.post(f"{path}/columns", data={"wanted": "start", "field.note": "Nirgends"})
    assert wrong.status_code == 422
    assert "There is no column" in wrong.text
    started = client.post(f"{path}/columns", data={"wanted": "start", "field.note": "Hinweis", "country": "de"})
    assert started.status_code == 303
    waiting = client.get(path).text
    assert "data-busy" in waiting
    assert "waits for a worker" in waiting

    work(site)
    done = client.get(path).text
    assert "data-busy" not in done
    assert "<strong>2 rows</strong> = 2 leads + 0 already there + 0 not readable" in done
    report = client.get(f"{path}/quality").text
    assert "Value negative, 1 (cannot be used)" in report
    assert "Row 3: A deal of" in report
    for table in ("columns", "leads", "problems"):
        assert client.get(f"{path}/quality-{table}.csv").headers["content-type"].startswith("text/csv")
    assert client.get(f"{path}/quality-nothing.csv").status_code == 404
    again = client.get(send(client).headers["location"]).text
    assert "Mapped as in import" in again
    assert "Forget that and guess anew" in again


def test_a_file_that_cannot_be_read_comes_back_with_the_reason(site: Site) -> None:
    """The page of imports says why, under the sender's name; nothing is kept."""
    client = site.signed_in("manager")
    answer = send(client, "", "leer.csv")
    assert answer.status_code == 422
    assert "leer.csv is empty" in answer.text
    assert "No file has come in yet" in answer.text


def test_a_mistake_is_taken_back_on_the_page(site: Site) -> None:
    """The button says what it does; afterwards the page counts what was taken back, and the button is gone."""
    client = site.signed_in("manager")
    path = send(client).headers["location"]
    client.post(f"{path}/columns", data={"wanted": "start"})
    work(site)
    assert "Take this import back" in client.get(path).text
    assert client.post(f"{path}/cancel").status_code == 303
    work(site)
    page = client.get(path).text
    assert "2 of 2 leads had an open case" in page
    assert "Take this import back" not in page
    assert client.post(f"{path}/cancel").status_code == 409


def test_guessing_anew_forgets(site: Site) -> None:
    """What was said before can be undone from the draft; a draft can be dropped."""
    client = site.signed_in("manager")
    first = send(client).headers["location"]
    client.post(f"{first}/columns", data={"wanted": "start", "field.company": "", "field.note": "Firma"})
    second = send(client).headers["location"]
    assert re.search(r'<select id="f-note".*?value="Firma" selected', client.get(second).text)
    assert client.post(f"{second}/columns", data={"wanted": "guess"}).status_code == 303
    assert re.search(r'<select id="f-company".*?value="Firma" selected', client.get(second).text)
    assert client.post(f"{second}/cancel").status_code == 303
    assert "Taken back" in client.get(second).text


def test_who_only_looks_sees_no_form(site: Site) -> None:
    """A viewer sees imports and their quality, but can neither send nor take back."""
    manager, viewer = site.signed_in("manager"), site.signed_in("viewer")
    path = send(manager).headers["location"]
    manager.post(f"{path}/columns", data={"wanted": "start"})
    work(site)
    assert "multipart/form-data" not in viewer.get("/imports").text
    assert "Take this import back" not in viewer.get(path).text
    assert viewer.get(f"{path}/quality").status_code == 200
    assert send(viewer).status_code == 403
    assert viewer.post(f"{path}/cancel").status_code == 403
