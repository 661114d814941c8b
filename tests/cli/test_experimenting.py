"""`fairlead experiments` on a workspace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.audit import Trail
from fairlead.guardrails import Code
from fairlead.kit.database import Database
from tests.experiments.plans import Trial
from tests.guardrails.desk import RULES as WHOLE, Desk

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

RULES = WHOLE.replace('quiet_hours:\n  - {name: nights, from: "21:00", to: "08:00"}\n', "")
"""The clock here is the machine's: by night everything would wait."""


def test_experiments_in_words_and_json(fairlead: Terminal) -> None:
    """Drawn customers are counted in a line, at length and as JSON; other names and spans are refused in a sentence."""
    database = Database(f"sqlite:///{fairlead.folder / '.fairlead' / 'fairlead.db'}", trail=Trail())
    desk = Desk(database)
    desk.deploy(RULES)
    assert "no experiment has begun" in fairlead("experiments", "list").out
    fairlead("experiments", "show", "contact-holdout").refused(1, "contact-holdout")

    desk.deploy(RULES + "holdout: {share: 0.25}\n")
    assert "nobody yet" in fairlead("experiments", "show", "contact-holdout").out
    codes = [desk.ask(f"k{n}", desk.customer(f"x{n}@example.test")).code for n in range(12)]
    database.close()
    assert fairlead("experiments", "list").out.startswith("contact-holdout: 12 drawn. Too few to tell")
    said = fairlead("experiments", "show", "contact-holdout").out
    for words in (
        "expected 25.00%",
        "sample ratio: Too few",
        "contact.yaml now: 25.00% held out",
        "not sent in 90 days",
    ):
        assert words in said, words
    told = fairlead("experiments", "show", "contact-holdout", "--json").json
    held = codes.count(Code.HOLDOUT)
    assert [one["n"] for one in told["arms"]] == [held, 12 - held]
    listed = fairlead("experiments", "list", "--json").json["items"]
    assert [one["arms"] for one in listed] == [told["arms"]]
    assert listed[0]["unsent"]["messages"] == told["unsent"]["messages"] == held
    assert fairlead("experiments", "show", "contact-holdout", "--days", "0").code == 2


def test_an_experiment_of_the_file_is_shown_and_stopped(fairlead: Terminal) -> None:
    """Declared, it is listed before anybody was drawn; stopped it says for what, once; other arms are refused."""
    database = Database(f"sqlite:///{fairlead.folder / '.fairlead' / 'fairlead.db'}", trail=Trail())
    trial = Trial(database)
    trial.deploy()
    trial.meet(*trial.customers(30))
    database.close()
    assert "Not enough yet" in fairlead("experiments", "list").out
    said = fairlead("experiments", "show", "first-mail").out
    for words in (
        "judged by the event replied within 14 d",
        'eligible: country == "DE"',
        "30 still have time",
        "nobody yet",
    ):
        assert words in said, words
    fairlead("experiments", "stop", "first-mail", "--arm", "shor").refused(2, "'short'")
    fairlead("experiments", "stop", "second-mail", "--arm", "short").refused(1, "second-mail")
    stopped = fairlead("experiments", "stop", "first-mail", "--arm", "short", "--reason", "enough", "--json").json
    assert stopped == {"name": "first-mail", "winner": "short", "changed": True}
    assert "was stopped so before" in fairlead("experiments", "stop", "first-mail", "--arm", "short").out
    assert "(enough): everybody new gets short" in fairlead("experiments", "show", "first-mail").out
    told = fairlead("experiments", "show", "first-mail", "--json").json
    assert (told["plan"]["state"], told["comparison"]["state"]) == ("stopped", "waiting")
