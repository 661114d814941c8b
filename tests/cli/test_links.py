"""The links that are handed to customers, as the command line prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.kit.links import read_link
from tests.cli.test_commands import GIVE, leads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal


def key(fairlead: Terminal) -> bytes:
    """What this installation signs with."""
    return (fairlead.folder / ".fairlead" / "secret_key").read_bytes().strip()


def test_links_of_a_customer_and_of_a_decision(fairlead: Terminal, tmp_path: Path) -> None:
    """Each line is an address whose token says whose it is, and for which channel it was sent."""
    fairlead("grant", "set", "lead-assignment", *GIVE)
    assert fairlead("run", "lead-qualification", "-i", str(leads(tmp_path, 40)), "--json").json["auto"] > 0
    cases = fairlead("cases", "list", "--limit", "40", "--json").json["cases"]
    told = [(one, line) for one in cases[:8] if (line := fairlead("why", "link", one["id"]))]
    alone = [(one, line) for one, line in told if line.code == 0]
    assert alone
    next(line for _, line in told if line.code).refused(1, "decided automatically")
    address, _, token = alone[0][1].out.strip().rpartition("/")
    assert address.endswith("/why")
    decision = read_link(key(fairlead), "why", token)["decision"]
    assert fairlead("why", "link", decision).out == alone[0][1].out

    history = fairlead("cases", "show", alone[0][0]["id"], "--json").json["history"]
    address = next(one["payload"]["facts"]["email"] for one in history if one["what"] == "case.opened")
    plain = fairlead("preferences", "link", address).out.strip()
    customer = read_link(key(fairlead), "preferences", plain.rpartition("/p/")[2])["customer"]
    assert fairlead("preferences", "link", customer).out.strip() == plain
    mailed = fairlead("preferences", "link", customer, "--channel", "email", "--json").json["links"][0]["link"]
    assert read_link(key(fairlead), "preferences", mailed.rpartition("/p/")[2])["channel"] == "email"
    fairlead("preferences", "link", customer, "--channel", "fax").refused(2, "no address", "email")


def test_links_of_nobody(fairlead: Terminal) -> None:
    """A sentence, not a link."""
    fairlead("preferences", "link", "cus_nobody").refused(1, "cus_nobody")
    fairlead("preferences", "link", "nobody@nowhere.example").refused(1, "nobody is known as")
    fairlead("why", "link", "case_nobody").refused(1, "case_nobody")
    fairlead("why", "link", "rul_" + "0" * 24).refused(1, "decided automatically")
