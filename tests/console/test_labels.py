"""Labels and signatures at the desk: blind pages, forms that say what is signed, counts."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead.checkpoints import Grant, Level, read_ruling, set_grant, signatures_of
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import deploy, read_workspace
from fairlead.reviews import View
from fairlead.testing.seed import EXAMPLE, add_leads, run_ready
from tests.console.world import HIDDEN, Site

if TYPE_CHECKING:
    from fairlead.reviews import Review

POLICY = "policies/lead-assignment.yaml"


@pytest.fixture
def label(sqlite_site: Site) -> Review:
    """An automatic decision of the example that was drawn."""
    site = sqlite_site
    with site.database.transaction() as uow:
        version = site.desk.bundle.policies["lead-assignment"].version
        until = uow.now + timedelta(days=9)
        grant = Grant("", "lead-assignment", "small", "lead-rules@1", Level.AUTO, version, until, 0.5, None, 1.0)
        set_grant(uow, SYSTEM, "manager", grant, {})
    add_leads(site.database, site.desk.bundle, 30, seed=11)
    run_ready(site.desk.engine)
    return site.open_reviews(view=View.LABELS)[0]


def test_a_label_is_answered_blind_and_compared(sqlite_site: Site, label: Review) -> None:
    """Neither page tells the team; the form offers no skip or snooze; the counts stand on the page Autonomy."""
    site, client = sqlite_site, sqlite_site.signed_in("reviewer")
    url = f"/reviews/{label.id}"
    assert url in client.get("/reviews?view=labels").text
    assert client.post(f"{url}/claim").status_code == 303
    page = client.get(url).text
    assert "The machine has decided this already. Answer as if you were first" in html.unescape(page)
    assert "I cannot tell" in page
    assert not re.search(r"/(skip|snooze)\"", page)
    with site.database.reading() as reader:
        ruling = read_ruling(reader, label.ruling_id)
    assert ruling.producer not in page
    assert "What was decided is withheld" in client.get(f"/cases/{label.case_id}").text
    assert client.post(f"{url}/skip").status_code == 409

    digest = HIDDEN.search(page)
    assert digest
    team = ruling.proposal["answer"]["team"]
    form = {"digest": digest[1], "verdict": "answer", "answer.team": f'"{team}"'}
    assert client.post(f"{url}/verdict", data=form).status_code == 303
    assert "What the machine decided" in client.get(url).text
    counts = client.get("/grants").text
    assert "Drawn by lot and answered blind" in counts
    assert "Cannot tell" in counts


def test_who_signs_sees_what_is_signed(sqlite_site: Site) -> None:
    """The form says which property and what it means; a stale page, another role or no reason signs nothing."""
    site, client = sqlite_site, sqlite_site.signed_in("manager")
    files = read_workspace(EXAMPLE)
    changed = {**files, POLICY: files[POLICY] + "deterministic: true\n"}
    with site.database.transaction() as uow:
        bundle, _ = deploy(uow, site.desk.library, SYSTEM, changed)
    page = client.get("/grants").text
    assert "deterministic: true" in page
    assert "It needs no grant and no score" in page
    good = {
        "checkpoint": "lead-assignment", "version": bundle.policies["lead-assignment"].version, "role": "manager",
        "reason": "fixed rules",
    }  # fmt: skip
    for wrong, status in (({"version": "x"}, 409), ({"reason": ""}, 422), ({"checkpoint": "no"}, 422),
                          ({"role": "reviewer"}, 422), ({"role": "admin"}, 403)):  # fmt: skip
        assert client.post("/signatures", data=good | wrong).status_code == status, wrong
    assert site.signed_in("reviewer").post("/signatures", data=good).status_code == 403
    assert client.post("/signatures", data=good).status_code == 303
    with site.database.reading() as reader:
        [one] = signatures_of(reader)
    assert (one.signed_role, one.covers, one.reason) == ("manager", ("deterministic",), "fixed rules")
    assert "Milan Horvat as manager" in client.get("/grants").text
    assert client.post("/signatures/lead-assignment/withdraw", data={"reason": "no"}).status_code == 303
    assert client.post("/signatures/lead-assignment/withdraw", data={"reason": "no"}).status_code == 409
