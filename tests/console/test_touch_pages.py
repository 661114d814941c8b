"""Contacts on the page of a case, and the page that says how soon the first one was."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead.kit.actors import SYSTEM
from fairlead.people import WorkingHours, parse_week, set_hours
from fairlead.testing.clock import FakeClock
from tests.console.test_team_pages import staffed

if TYPE_CHECKING:
    from tests.console.world import Site


def test_a_contact_is_logged_by_form_shown_and_taken_back(site: Site) -> None:
    """In the zone of who types; a refused one comes back as it was typed; the report follows."""
    client = staffed(site)
    assert "not yet identifiable" in client.get("/first-touch").text
    cases = dict.fromkeys(re.findall(r"/cases/(case_\w+)", client.get("/cases").text))
    case_id = next(one for one in cases if "Assigned to" in client.get(f"/cases/{one}").text)
    with site.database.transaction() as uow:
        berlin = WorkingHours("Europe/Berlin", parse_week("Mon-Fri 09:00-17:00"))
        set_hours(uow, SYSTEM, site.desk.people["manager"].id, berlin)
    assert isinstance(site.clock, FakeClock)
    came = site.clock.now()
    site.clock.advance(timedelta(hours=2))
    assert "Europe/Berlin" in client.get(f"/cases/{case_id}").text
    path = f"/cases/{case_id}/touches"
    for wrong, words in (
        ({"touch_kind": "pigeon"}, "Choose how"),
        ({"touch_kind": "call", "touch_at": "never", "touch_note": "<kept>"}, "a day and a time"),
        ({"touch_kind": "call", "touch_at": "2099-01-01T10:00", "touch_note": "<kept>"}, "still to come"),
    ):
        answer = client.post(path, data=wrong)
        assert (answer.status_code, words in answer.text) == (422, True)
        assert "&lt;kept&gt;" in answer.text or "touch_note" not in wrong
    local = (came + timedelta(hours=2)).replace(second=0, microsecond=0)  # Berlin is an hour ahead: an hour ago
    form = {"touch_kind": "meeting", "touch_at": f"{local:%Y-%m-%dT%H:%M}", "touch_note": "knows <them>"}
    assert client.post(path, data=form).status_code == 303
    page = client.get(f"/cases/{case_id}").text
    for part in ("Meeting", "knows &lt;them&gt;", "1 hour ago", "no longer open since", "Was in touch with the lead"):
        assert part in page, part
    report = client.get("/first-touch").text
    assert "<strong>1</strong> touched" in report
    assert client.get("/first-touch?form=csv").headers["content-type"].startswith("text/csv")
    assert "By person" in report
    assert "By person" not in site.signed_in("viewer").get("/first-touch").text
    removal = re.search(rf"/cases/{case_id}/touches/touch_\w+/remove", page)
    assert removal is not None
    assert site.signed_in("reviewer").post(removal[0]).status_code == 403
    assert client.post(removal[0]).status_code == 303
    assert "Nobody has logged a contact" in client.get(f"/cases/{case_id}").text
    assert site.signed_in("viewer").post(path, data=form).status_code == 403
    assert client.get("/first-touch?since=9").status_code == 422
