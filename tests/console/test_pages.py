"""Cases, imports, grants, stop switches, customers, audit, and what all pages share."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import sales
from fairlead.audit import Signer, seal_all
from fairlead.checkpoints import grants_of, stops
from fairlead.console.assets import STATIC
from fairlead.kit.actors import SYSTEM
from fairlead.kit.ids import new_id
from fairlead.playbooks import CaseDraft, EventSource, cases_page, open_cases, read_case
from fairlead.testing.seed import flag_vulnerable, run_ready

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from tests.console.world import Site


def a_case(site: Site, state: str = "waiting", stage: str = "assign") -> Any:
    """The newest case in this state at this stage."""
    with site.database.reading() as reader:
        rows = cases_page(reader, state=state, playbook=None, before=None, limit=100)
        return read_case(reader, next(row.id for row in rows if row.stage == stage))


def steer(client: TestClient, case: Any, verb: str, **fields: str) -> Any:
    """Post the form of a case's page."""
    form = {"version": str(case.version), "verb": verb, "reason": "because of a test", **fields}
    return client.post(f"/cases/{case.id}/steer", data=form)


def test_a_case_tells_its_story(site: Site) -> None:
    """History in sentences, rulings with their explanation, and the forms to step in."""
    case = a_case(site)
    page = site.signed_in().get(f"/cases/{case.id}").text
    assert "The case was opened." in page
    assert "Went from score to route." in page
    assert "Step in" in page


OWN_ID = re.compile(r"[a-z]{2,12}_[0-9a-f]{24}")
LINE = re.compile(r"<li><time.*?</time> (.*?)</li>", re.DOTALL)


def visible(page: str) -> str:
    """The words of a page's content without its markup, and without what stands in small type for ids."""
    content = re.sub(r'<(p|span) class="ids">.*?</\1>', "", page[page.index("<main") :])
    return re.sub(r"<[^>]+>", " ", content)


def test_a_cases_page_says_everything_once_and_by_name(site: Site) -> None:
    """No id but in the small line, no line of the history twice, nothing found that was told before."""
    client = site.signed_in()
    one = site.one("assist")
    client.post(f"/reviews/{one.id}/claim")
    client.post(f"/reviews/{one.id}/verdict", data={"verdict": "approve", "digest": site.review(one.id).digest})
    site.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    EventSource(site.desk.engine).turn()
    run_ready(site.desk.engine)
    page = client.get(f"/cases/{one.case_id}").text
    assert OWN_ID.findall(visible(page)) == []
    assert page.count(f'<p class="ids">{one.case_id}') == 1
    lines = [re.sub(r"\s+", " ", line) for line in LINE.findall(page[page.index("What happened") :])]
    assert lines
    assert all(line != other for line, other in itertools.pairwise(lines))
    assert sum("Found:" in line and "Team " in line for line in lines) == 1
    assert '<a href="/playbooks/lead-qualification">Lead qualification</a>' in page


def test_who_is_not_known_is_named_by_what_came_with_them(sqlite_site: Site) -> None:
    """Name, else address, else "somebody new"; an id of ours never, a caller's own stays."""
    site = sqlite_site
    known = {"a": {"email": "eve@firm.example"}, "b": {}, "c": {"new_name": "Ann Bell"}}
    with site.database.transaction() as uow:
        drafts = [CaseDraft("lead-qualification", "lead", new_id("lead"), facts) for facts in known.values()]
        drafts.append(CaseDraft("lead-qualification", "order", "order 4711", {}))
        open_cases(uow, drafts, site.desk.bundle)
    client = site.signed_in()
    page = client.get("/cases").text
    assert [words in page for words in ("eve@firm.example", "somebody new", "Ann Bell", "order 4711")] == [True] * 4
    assert OWN_ID.findall(visible(page)) == []
    run_ready(site.desk.engine)
    stage = client.get("/playbooks/lead-qualification/stages/assign?state=waiting").text
    assert OWN_ID.findall(visible(stage)) == []


@pytest.mark.parametrize(
    ("verb", "fields", "state", "stage"),
    [
        ("pause", {}, "paused", "assign"),
        ("take_over", {}, "paused", "assign"),
        ("redirect", {"stage": "score"}, "ready", "score"),
        ("skip", {}, "ready", "ready-or-not"),
        ("cancel", {}, "ended", "assign"),
    ],
)
def test_stepping_in(site: Site, verb: str, fields: dict[str, str], state: str, stage: str) -> None:
    """Each verb is a form; a second one from the same page is refused, because the case changed."""
    case, client = a_case(site), site.signed_in("manager")
    assert steer(client, case, verb, **fields).status_code == 303
    with site.database.reading() as reader:
        after = read_case(reader, case.id)
    assert (after.state, after.stage) == (state, stage)
    again = steer(client, case, "cancel")
    assert again.status_code == 409
    assert "because of a test" in again.text


def test_taken_over_and_handed_back(site: Site) -> None:
    """The page names who has it; handing back sends it on."""
    case, client = a_case(site), site.signed_in("manager")
    steer(client, case, "take_over")
    assert "in hand of Milan Horvat" in client.get(f"/cases/{case.id}").text
    with site.database.reading() as reader:
        case = read_case(reader, case.id)
    assert steer(client, case, "hand_back", stage="assign").status_code == 303


@pytest.mark.parametrize(
    "fields", [{"reason": ""}, {"verb": "explode"}, {"version": "x"}, {"verb": "redirect", "stage": "mars"}]
)
def test_a_bad_step_is_refused(sqlite_site: Site, fields: dict[str, str]) -> None:
    """422, and the case is as it was."""
    case = a_case(sqlite_site)
    assert steer(sqlite_site.signed_in("manager"), case, **{"verb": "cancel", **fields}).status_code == 422
    assert a_case(sqlite_site).version == case.version


def test_permissions_hold_on_every_form(site: Site) -> None:
    """A reviewer manages no cases, signs no grants, sets no switches and reads no audit record."""
    client, case = site.signed_in("reviewer"), a_case(site)
    assert steer(client, case, "cancel").status_code == 403
    assert client.post("/grants", data={}).status_code == 403
    assert client.post("/grants/gra_x/withdraw", data={}).status_code == 403
    assert client.post("/stops", data={"scope": "workspace", "wanted": "on", "words": "x"}).status_code == 403
    assert client.get("/audit").status_code == 403
    assert client.post("/audit/verify").status_code == 403
    assert "Sign this grant" not in client.get("/grants").text


GRANT = {
    "checkpoint": "lead-assignment", "segment": "large", "producer": "lead-rules@1", "level": "auto",
    "days": "30", "threshold": "0.9", "promised": "2", "role": "manager", "evidence": "Watched for a month",
}  # fmt: skip


def test_a_grant_is_set_and_withdrawn_by_hand(site: Site) -> None:
    """It stands in the list with who signed it, and ends with a reason."""
    client = site.signed_in("manager")
    assert "nobody looks first" in client.get("/grants").text
    assert client.post("/grants", data=GRANT).status_code == 303
    with site.database.reading() as reader:
        made = next(row for row in grants_of(reader) if row.segment == "large")
    assert (made.level, made.threshold, made.promised_error, made.signed_role) == (
        "auto",
        0.9,
        0.02,
        "manager",
    )
    assert "Milan Horvat as manager" in client.get("/grants").text

    assert client.post(f"/grants/{made.id}/withdraw", data={"because": ""}).status_code == 422
    assert client.post(f"/grants/{made.id}/withdraw", data={"because": "Too early"}).status_code == 303
    assert client.post(f"/grants/{made.id}/withdraw", data={"because": "Again"}).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": ""}, {"threshold": "nan"}, {"days": "0"}, {"days": ""}, {"segment": "vast"},
     {"level": "god"}, {"checkpoint": "none"}, {"producer": "x"}, {"promised": "101"}, {"evidence": ""}],
)  # fmt: skip
def test_a_grant_that_cannot_hold_is_refused(sqlite_site: Site, wrong: dict[str, str]) -> None:
    """422 with what was typed still there; no grant."""
    answer = sqlite_site.signed_in("manager").post("/grants", data=GRANT | wrong)
    assert answer.status_code == 422
    assert wrong.get("evidence", "Watched for a month") in answer.text
    with sqlite_site.database.reading() as reader:
        assert not [row for row in grants_of(reader) if row.segment == "large"]


def test_nobody_signs_under_a_role_they_lack(sqlite_site: Site) -> None:
    """403 for another role than one's own."""
    answer = sqlite_site.signed_in("manager").post("/grants", data=GRANT | {"role": "compliance"})
    assert answer.status_code == 403


def test_a_stop_switch_shows_on_every_page(site: Site) -> None:
    """On with a reason, in a banner everywhere, off again; twice on is a conflict."""
    client = site.signed_in("manager")
    on = {"scope": "playbook:lead-qualification", "wanted": "on", "words": "Wrong price list"}
    assert client.post("/stops", data=on | {"words": ""}).status_code == 422
    assert client.post("/stops", data=on | {"scope": "playbook:none"}).status_code == 422
    assert client.post("/stops", data=on).status_code == 303
    assert "Wrong price list" in client.get("/reviews").text
    assert client.post("/stops", data=on).status_code == 409
    assert client.post("/stops", data={"scope": on["scope"], "wanted": "off"}).status_code == 303
    with site.database.reading() as reader:
        assert not list(stops(reader))


def test_a_customer_is_found_and_shown(site: Site) -> None:
    """By the first letters of the name; flags and open reviews stand on the page."""
    one = site.one()
    assert one.customer_id
    flag_vulnerable(site.database, one.customer_id)
    client = site.signed_in()
    assert one.customer_id in client.get("/customers", params={"q": one.title.split(" · ")[0][:5]}).text
    page = client.get(f"/customers/{one.customer_id}").text
    assert "Vulnerable" in page
    assert one.id in page
    assert client.get("/customers/nobody").status_code == 404


def test_an_import_shows_what_became_of_its_rows(site: Site, tmp_path: Path) -> None:
    """Counts, mapping and rejected rows; both lists as CSV in which no formula runs."""
    path = tmp_path / "leads.csv"
    path.write_text("name,company,email\n=cmd|x,Acme,a@acme.example\nBo,Bolt,b@bolt.example\nBo,Bolt,b@bolt.example\n")
    with site.database.transaction() as uow:
        file = sales.open_lead_file(path, [], "EUR")
        number = sales.begin_import(uow, SYSTEM, site.desk.bundle, file, "lead-qualification")
    rows = list(sales.checked_rows(file, lambda _: None))
    with site.database.transaction() as uow:
        sales.import_batch(uow, SYSTEM, site.desk.bundle, number, "lead-qualification", rows, "EUR")
        sales.finish_import(uow, SYSTEM, number, 3)
    run_ready(site.desk.engine)
    client = site.signed_in("viewer")

    assert "leads.csv" in client.get("/imports").text
    page = client.get(f"/imports/{number}").text
    assert "Already there" in page
    rejected = client.get(f"/imports/{number}/rejected.csv")
    assert rejected.headers["content-type"].startswith("text/csv")
    assert "duplicate,same_row" in rejected.text
    assert "\r\n2,=cmd" not in client.get(f"/imports/{number}/rows.csv").text
    assert "'=cmd|x" in client.get(f"/imports/{number}/rows.csv").text


def test_the_record_is_checked_on_demand(site: Site) -> None:
    """After sealing the page states that nothing was tampered with; GET checks nothing."""
    assert site.settings.audit_key_file
    signer = Signer.load(site.settings.audit_key_file, create=False)
    seal_all(site.database, signer, site.settings.audit_heads_file)
    client = site.signed_in("compliance")
    assert "untampered" not in client.get("/audit").text
    assert "untampered up to head" in client.post("/audit/verify").text


def test_errors_come_in_the_frame(site: Site) -> None:
    """401, 403 and 404 are pages with a way back; programs get JSON."""
    client = site.signed_in("reviewer")
    for path, status in (("/nowhere", 404), ("/reviews/rev_x", 404), ("/audit", 403)):
        answer = client.get(path)
        assert answer.status_code == status
        assert "Back to the desk" in answer.text
    assert "How to sign in" in site.client().get("/reviews").text
    assert client.get("/reviews/x", headers={"Accept": "application/json"}).json()["error"]["code"] == "not_found"


def test_nothing_inline_and_little_script(site: Site) -> None:
    """Scripts stay within 15 KB; no page holds inline script, style or handlers, so the policy holds."""
    assert sum(path.stat().st_size for path in STATIC.glob("*.js")) <= 15 * 1024
    client = site.signed_in()
    one = site.one()
    pages = [
        "/reviews",
        f"/reviews/{one.id}",
        "/cases",
        "/grants",
        "/stops",
        "/audit",
        "/help",
        "/customers",
        "/imports",
    ]
    for path in pages:
        answer = client.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", answer.text), path


def test_assets_are_cached_for_good_under_their_digest(sqlite_site: Site) -> None:
    """The address in a page is served immutable; another digest or file is not."""
    client = sqlite_site.client()
    address = re.search(r'href="(/static/desk\.css\?v=\w+)"', client.get("/sign-in").text)
    assert address
    assert "immutable" in client.get(address[1]).headers["cache-control"]
    assert client.get("/static/desk.css?v=0").headers["cache-control"] == "no-cache"
    assert client.get("/static/..%2fshell.py").status_code == 404


def test_an_empty_list_says_what_belongs_there(sqlite_site: Site) -> None:
    """No exceptions is told in words, not by an empty table."""
    page = sqlite_site.signed_in().get("/cases?state=exception").text
    assert "No exceptions" in page
