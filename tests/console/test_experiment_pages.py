"""The desk's page about experiments."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead import guardrails
from fairlead.experiments import Arm, Experiment, Unit, arm_of, enrol, ensure_seed
from fairlead.guardrails import Code
from fairlead.kit.events import Event, publish
from fairlead.kit.unit_of_work import AuditEntry
from tests.experiments.plans import PLAN, Trial
from tests.guardrails.desk import RULES, USER, Desk

if TYPE_CHECKING:
    from tests.console.world import Site


def prepared(site: Site) -> tuple[int, int]:
    """Forty customers asked for a promotion while half are held out; how many of them were, and were not."""
    desk = Desk(site.database)
    desk.deploy(RULES + "holdout: {share: 0.5}\n")
    codes = [desk.ask(f"k{n}", desk.customer(f"e{n}@example.test")).code for n in range(40)]
    return codes.count(Code.HOLDOUT), len(codes) - codes.count(Code.HOLDOUT)


def test_the_page_shows_arms_check_and_messages(site: Site) -> None:
    """Shares with intervals, the verdict, what was kept back; the same figures as a CSV file."""
    held, free = prepared(site)
    client = site.signed_in("manager")
    page = client.get("/experiments").text
    for words in (
        "contact-holdout",
        "50.0%",
        "as drawn",
        f"{held} to {held} customers: sales {held}",
        "Share expected",
    ):
        assert words in page, words
    assert "Shares over time" not in page
    assert '<a class="button" href="/experiments">' in client.get("/contact").text
    file = client.get("/experiments?form=csv")
    assert file.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [(row["arm"], int(row["n"])) for row in rows] == [("held_out", held), ("written_to", free)]
    assert rows[0]["verdict"] == "fits"
    assert float(rows[0]["low"]) < held / 40 < float(rows[0]["high"])


def test_an_alarm_is_a_banner_and_old_shares_are_told(sqlite_site: Site) -> None:
    """A version whose draws were lost on one side raises the alarm of the whole; each version has its own verdict."""
    prepared(sqlite_site)
    broken = Experiment("mail-length", (Arm("short", 0.5), Arm("long", 0.5)), unit="case")
    other = Experiment("mail-length", (Arm("short", 0.000_01), Arm("long", 0.999_99)), unit="case")
    with sqlite_site.database.transaction() as uow:
        guardrails.deploy_rules(uow, USER, RULES)
        seed = ensure_seed(uow)
        # A program that forgets to ask for three of four units that would be written to at length.
        keys = [f"case_{n}" for n in range(400)]
        kept = [one for n, one in enumerate(keys) if arm_of(broken, seed, one).name == "short" or n % 4 == 0]
        enrol(uow, broken, [Unit(one) for one in kept])
        enrol(uow, other, [Unit("case_x"), Unit("case_y", "no path was left")])
    page = sqlite_site.signed_in("manager").get("/experiments").text
    for words in (
        "mail-length", "Alarm: the arms are not as they were drawn", "Shares over time", "too few to tell",
        "1 more were not eligible", "hold out nobody now", "under 0.0001",
    ):  # fmt: skip
        assert words in page, words


def test_empty_forbidden_and_hostile(sqlite_site: Site) -> None:
    """Without experiments it says how to begin; without the permission it is not shown; odd spans are refused."""
    client = sqlite_site.signed_in("manager")
    page = client.get("/experiments").text
    assert "No experiment has begun" in page
    assert client.get("/experiments?form=csv").text.splitlines()[1:] == []
    for since in ("0", "-1", "9999", "9e9", "<b>", "99999"):
        assert client.get("/experiments", params={"since": since}).status_code == 422
    assert sqlite_site.signed_in("viewer").get("/experiments").status_code == 200
    assert "No experiment" not in sqlite_site.client().get("/experiments").text


def test_a_declared_experiment_shows_what_came_of_it(sqlite_site: Site) -> None:
    """Words and condition escaped, not enough yet, then the result with its difference; the file has the rates."""
    trial, client = Trial(sqlite_site.database), sqlite_site.signed_in("manager")
    trial.deploy(PLAN.replace("Does a", "<b>Does</b> a"))
    some = trial.customers(80)
    given = trial.meet(*some)
    early = client.get("/experiments").text
    for words in (
        "Not enough yet: ",
        "&lt;b&gt;Does&lt;/b&gt;",
        "country == &#34;DE&#34;",
        "running",
        "80 still have time",
    ):
        assert words in early, words
    assert "Points against" not in early
    with sqlite_site.database.transaction() as uow:
        uow.record(AuditEntry("test.replied", "all"))
        for one, arm in zip(some, given, strict=True):
            if arm.arm == "short":
                publish(uow, Event("replied", one))
    sqlite_site.clock.advance(timedelta(days=15))
    client = sqlite_site.signed_in("manager")
    page = client.get("/experiments").text
    for words in (
        "The result, at the planned 20",
        "Points against long",
        "+100.0",
        "more often",
        "came after the reading",
    ):
        assert words in page, words
    trial.stop("short", "clear")
    assert "everybody new gets <strong>short</strong>" in client.get("/experiments").text
    rows = {row["arm"]: row for row in csv.DictReader(io.StringIO(client.get("/experiments?form=csv").text))}
    assert (rows["short"]["rate"], rows["long"]["outcomes"], rows["long"]["comparison"]) == ("1.0", "0", "read")


def test_one_is_stopped_on_the_page(sqlite_site: Site) -> None:
    """By who may, with a reason and an arm; what was typed stays on a mistake, and the page says who did it."""
    trial, client = Trial(sqlite_site.database), sqlite_site.signed_in("manager")
    trial.deploy()
    url = "/experiments/first-mail/stop"
    page = client.get("/experiments").text
    assert f'action="{url}"' in page
    assert "whichever looks better now is no result" in page
    viewer = sqlite_site.signed_in("viewer")
    assert url not in viewer.get("/experiments").text
    assert viewer.post(url, data={"arm": "short", "reason": "no"}).status_code == 403
    for form, words in (({"arm": "short"}, "Say why"), ({"arm": "odd", "reason": "<i>so</i>"}, "has no arm")):
        wrong = client.post(url, data=form)
        assert wrong.status_code == 422
        assert words in wrong.text
        assert form.get("reason", "").replace("<", "&lt;").replace(">", "&gt;") in wrong.text
    client.post(url, data={"arm": "short", "reason": "it is clear"})
    after = client.get("/experiments").text
    assert "everybody new gets <strong>short</strong>" in after
    assert "it is clear" in after
    assert f'action="{url}"' not in after
