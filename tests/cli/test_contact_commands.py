"""contact: the rules in force, and what the gate would say, in words and as JSON; neither writes a row."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fairlead import customers, guardrails
from fairlead.audit import Trail
from fairlead.customers import ConsentRecord, ConsentState, CustomerDraft, Preference
from fairlead.guardrails import Attempt
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.clock import FakeClock
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.kit.unit_of_work import UnitOfWork

USER = Actor(ActorKind.USER, "usr_1")
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
NOON, NIGHT = "2027-03-01T12:30+00:00", "2027-03-01T23:00+00:00"
CHECKS = ["address", "suppression", "purpose", "person", "consent", "pause", "human_only", "quiet_hours", "complaint",
          "holdout", "cap"]  # fmt: skip
FLAGS = {"vic": "vulnerable", "cora": "complaint_open", "rex": "restricted"}
NAMES = ("ann", "will", "sue", "pam", "pat", "newsy", "old", "asked", "tia", "full", "eve", *FLAGS)
NEWS, SALES, EMAIL = ("--purpose", "newsletter"), ("--purpose", "sales"), ("--channel", "email")


@dataclass
class Company:
    """A workspace with the rules that `init` makes, and customers by their names."""

    run: Terminal
    ids: dict[str, str]

    def would(self, name: str, *args: str, at: str = NOON) -> tuple[str, str]:
        """(verdict, code) of a message to the customer, which is sales by mail unless `args` say otherwise."""
        found = self.run("contact", "would", self.ids[name], *EMAIL, *SALES, "--at", at, "--json", *args)
        assert found.code == 0, found.err
        return found.json["verdict"], found.json["code"]


def _people(uow: UnitOfWork) -> dict[str, str]:
    drafts = [CustomerDraft(name=n, identities=(("email", f"{n}@firm.example"),), source="test") for n in NAMES]
    drafts.append(CustomerDraft(name="uma", identities=(("phone", "+12125550123"),), source="test"))
    made = [one.id for one in customers.resolve_many(uow, drafts)]
    uow.record(AuditEntry("test.made", made[0]))
    return dict(zip([*NAMES, "uma"], made, strict=True))


def _lives(uow: UnitOfWork, ids: dict[str, str]) -> None:
    customers.withdraw_all(uow, USER, ids["will"], source="test", mechanism="phone")
    for name, scope in (("sue", "all"), ("pam", "promotional")):
        customers.suppress(uow, USER, "email", f"{name}@firm.example", reason="bounced", source="test", scope=scope)
    pause = Preference("*", "*", paused_until=NOW + timedelta(days=3, hours=2), source="test")
    customers.set_preference(uow, USER, ids["pat"], pause)
    for name, how, days in (("newsy", "double_opt_in", 1), ("old", "double_opt_in", 731), ("asked", "form", 1)):
        said = ConsentRecord("newsletter", "email", ConsentState.GIVEN, how, "test", at=NOW - timedelta(days=days))
        customers.record_consent(uow, USER, ids[name], said)
    for name, flag in FLAGS.items():
        customers.set_flag(uow, USER, ids[name], flag, True, source="test", owner="usr_1")
    customers.learn_zone(uow, USER, ids["tia"], ["Asia/Tokyo"], "stated", "test")
    customers.erase_customer(uow, USER, ids["eve"], reason="asked")
    sent = Attempt("sent-1", ids["full"], "email", "", "sales", "sales")
    assert guardrails.pass_gate(uow, sent).verdict == "allowed"
    guardrails.settle_contact(uow, "sent-1", "accepted")


@pytest.fixture(scope="module")
def company(_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """One workspace for all tests here, which read alone; everything in it happened on 1 March 2027 at noon."""
    folder = tmp_path_factory.mktemp("contacts") / "co"
    shutil.copytree(_example, folder)
    database = Database(f"sqlite:///{folder / '.fairlead' / 'fairlead.db'}", clock=FakeClock(NOW), trail=Trail())
    try:
        with database.transaction() as uow:
            ids = _people(uow)
        with database.transaction() as uow:
            _lives(uow, ids)
    finally:
        database.close()
    return Company(Terminal(folder), ids)


ANSWERS = {
    "nothing against it": ("ann", (), "allowed", "allowed"),
    "withdrawn": ("will", ("--purpose", "newsletter"), "refused", "suppressed"),
    "withdrawn by another channel": ("will", ("--channel", "phone"), "refused", "no_address"),
    "withdrawn, about an order": ("will", ("--purpose", "service"), "allowed", "allowed"),
    "withdrawn, an alert": ("will", ("--purpose", "alerts"), "refused", "withdrawn"),
    "suppressed": ("sue", (), "refused", "suppressed"),
    "suppressed, about an order": ("sue", ("--purpose", "service"), "refused", "suppressed"),
    "suppressed, by hand": ("sue", ("--by-hand", "--reply"), "refused", "suppressed"),
    "no promotions": ("pam", (), "refused", "suppressed"),
    "no promotions, about an order": ("pam", ("--purpose", "service"), "allowed", "allowed"),
    "paused": ("pat", (), "held", "paused"),
    "paused, about an order": ("pat", ("--purpose", "service"), "allowed", "allowed"),
    "no yes": ("ann", NEWS, "refused", "no_consent"),
    "a confirmed yes": ("newsy", NEWS, "allowed", "allowed"),
    "a yes that is over": ("old", NEWS, "refused", "consent_expired"),
    "a yes without its answer": ("asked", NEWS, "refused", "consent_pending"),
    "an unknown purpose": ("ann", ("--purpose", "gossip"), "refused", "unknown_purpose"),
    "a purpose in capitals": ("ann", ("--purpose", "Sales"), "refused", "unknown_purpose"),
    "a purpose not for post": ("ann", ("--channel", "post"), "refused", "channel_not_for_purpose"),
    "an unknown channel": ("ann", ("--channel", "telex"), "refused", "channel_not_for_purpose"),
    "an address of nobody": ("ann", ("--address", "zoe@firm.example"), "refused", "address_of_another"),
    "an address of another": ("ann", ("--address", "sue@firm.example"), "refused", "address_of_another"),
    "the own address": ("ann", ("--address", "ANN@Firm.Example"), "allowed", "allowed"),
    "no number": ("ann", ("--channel", "sms"), "refused", "no_address"),
    "only a person": ("vic", (), "refused", "human_only"),
    "only a person, about an order": ("vic", ("--purpose", "service"), "refused", "human_only"),
    "a person": ("vic", ("--by-hand",), "allowed", "allowed"),
    "an open complaint": ("cora", (), "held", "complaint_open"),
    "an open complaint, about an order": ("cora", ("--purpose", "service"), "allowed", "allowed"),
    "restricted": ("rex", ("--purpose", "service"), "refused", "restricted"),
    "restricted, a person": ("rex", ("--purpose", "service", "--by-hand"), "allowed", "allowed"),
    "restricted, a person's promotion": ("rex", ("--by-hand",), "refused", "restricted"),
    "erased": ("eve", (), "refused", "no_address"),
    "erased, by chat": ("eve", ("--channel", "chat", "--purpose", "service"), "refused", "erased"),
    "full for today": ("full", (), "held", "cap"),
    "full, about an order": ("full", ("--purpose", "service"), "allowed", "allowed"),
    "by tags": ("ann", ("--tag", "a", "--tag", "b"), "allowed", "allowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_each_customer_gets_the_answer_of_the_rules(company: Company, case: str) -> None:
    """The verdict and the code that docs/contact.md names for it."""
    name, args, verdict, code = ANSWERS[case]
    assert company.would(name, *args) == (verdict, code)


@pytest.mark.parametrize("sender", ["bot", "agent", "campaign", "sales", "api"])
def test_every_sender_passes_the_same_rules(company: Company, sender: str) -> None:
    """Who sends it lifts nothing: an opt-out stops all of them, and nobody else is stopped for it."""
    assert company.would("pam", "--sender", sender) == ("refused", "suppressed")
    assert company.would("ann", "--sender", sender) == ("allowed", "allowed")


WAITS = {
    "by night": ("ann", (), NIGHT, "quiet_hours", "2027-03-02T08:00:00Z"),
    "by night, in a zone of its own": ("ann", (), "2027-03-02T01:00+01:00", "quiet_hours", "2027-03-02T08:00:00Z"),
    "from the first minute": ("ann", (), "2027-03-01T21:00+00:00", "quiet_hours", "2027-03-02T08:00:00Z"),
    "to the last": ("ann", (), "2027-03-02T07:59+00:00", "quiet_hours", "2027-03-02T08:00:00Z"),
    "the customer's night": ("tia", (), NOON, "quiet_hours", "2027-03-01T23:00:00Z"),
    "a pause": ("pat", (), NOON, "paused", "2027-03-04T14:00:00Z"),
    "the cap of a day": ("full", (), NOON, "cap", "2027-03-02T08:00:00Z"),
    "an alert to the United States": ("uma", ("--channel", "sms", "--purpose", "alerts"), NOON, "quiet_hours",
                                      "2027-03-01T13:00:00Z"),
}  # fmt: skip


@pytest.mark.parametrize("case", WAITS)
def test_what_waits_says_until_when(company: Company, case: str) -> None:
    """The first moment at which nothing else stands against it; asked about then, it goes out."""
    name, args, at, code, then = WAITS[case]
    line = ("contact", "would", company.ids[name], *EMAIL, *SALES, *args)
    found = company.run(*line, "--at", at, "--json").json
    assert (found["verdict"], found["code"], found["allowed_at"]) == ("held", code, then)
    assert found["ask_again_at"] <= then
    assert company.run(*line, "--at", then, "--json").json["verdict"] == "allowed"
    said = company.run(*line, "--at", at)
    assert said.out.splitlines()[-1] == f"it would go out at {then}"


@pytest.mark.parametrize("at", ["2027-03-01T20:59:59+00:00", "2027-03-02T08:00+00:00", "2027-03-01T22:59+02:00"])
def test_at_the_edges_of_the_night_it_goes_out(company: Company, at: str) -> None:
    """The minute before it begins and the one in which it ends are day."""
    assert company.would("ann", at=at) == ("allowed", "allowed")


def test_a_reply_about_a_request_is_no_promotion(company: Company) -> None:
    """By night a message about an order goes out; saying that a promotion is a reply changes nothing."""
    assert company.would("ann", "--purpose", "service", "--reply", at=NIGHT) == ("allowed", "allowed")
    assert company.would("ann", "--reply", at=NIGHT) == ("held", "quiet_hours")


def test_what_nobody_can_foresee_promises_nothing(company: Company) -> None:
    """An open complaint: no moment, in JSON and in words, but one at which to ask again."""
    line = ("contact", "would", company.ids["cora"], *EMAIL, *SALES, "--at", NOON)
    found = company.run(*line, "--json").json
    assert (found["allowed_at"], found["ask_again_at"]) == (None, "2027-03-01T18:30:00Z")
    assert company.run(*line).out.splitlines()[-1] == "nobody can foresee when it would go out"


def test_the_words_name_every_check_in_its_order(company: Company) -> None:
    """A line for each, then the verdict; a refusal ends with the check that refused and no moment."""
    passed = company.run("contact", "would", company.ids["ann"], *EMAIL, *SALES, "--at", NOON).out.splitlines()
    assert [line.split(":")[0].strip() for line in passed[:-1]] == CHECKS
    assert passed[-1] == "allowed (allowed): Nothing stands against it."
    stopped = company.run("contact", "would", company.ids["sue"], *EMAIL, *SALES, "--at", NOON).out.splitlines()
    assert stopped[-2:] == ["  suppression: suppressed. The address is suppressed: bounced.",
                            "refused (suppressed): The address is suppressed: bounced."]  # fmt: skip


def test_the_shape_of_the_json_answer(company: Company) -> None:
    """One object with the checks as objects, moments in UTC, and no place taken."""
    found = company.run("contact", "would", company.ids["ann"], *EMAIL, *SALES, "--at", "2027-03-01T14:00+01:00",
                        "--json").json  # fmt: skip
    assert set(found) == {"verdict", "code", "words", "allowed_at", "facts", "checks", "reservation", "ask_again_at",
                          "address"}  # fmt: skip
    assert [one["name"] for one in found["checks"]] == CHECKS
    assert {one["code"] for one in found["checks"]} == {"passed"}
    assert found["allowed_at"] == "2027-03-01T13:00:00Z"
    assert (found["reservation"], found["ask_again_at"]) == (None, None)
    assert (found["facts"]["class"], found["facts"]["automatic"]) == ("promotional", True)


def test_the_flag_that_keeps_machines_away_is_not_told(company: Company) -> None:
    """Only that a person must write; not the word for what is the matter with the customer."""
    for more in ((), ("--json",)):
        said = company.run("contact", "would", company.ids["vic"], *EMAIL, *SALES, "--at", NOON, *more)
        assert "Only a person may write to this customer" in said.out
        assert "vulnerable" not in said.out


def test_whoever_has_the_address(company: Company) -> None:
    """With - the address finds its customer and what stands against them; nobody's has only its own standing."""
    answers = {}
    for name in ("ann", "will", "sue", "full", "zoe"):
        address = ("--address", f"{name}@firm.example", "--at", NOON, "--json")
        answers[name] = company.run("contact", "would", "-", *EMAIL, *SALES, *address).json
    codes = {name: found["code"] for name, found in answers.items()}
    assert codes == {"ann": "allowed", "will": "suppressed", "sue": "suppressed", "full": "cap", "zoe": "allowed"}
    assert "no customer that we know" in answers["zoe"]["checks"][0]["words"]
    assert company.run("contact", "would", "-", *EMAIL, *SALES, "--at", NOON, "--json").json["code"] == "no_address"


def test_asking_takes_no_place_and_writes_nothing(company: Company) -> None:
    """However often it is asked, now or for a moment to come, the answer stays and no table has a row more."""
    before = company.run.counts()
    for _ in range(3):
        assert company.would("ann") == ("allowed", "allowed")
    now = company.run("contact", "would", company.ids["ann"], *EMAIL, "--purpose", "service", "--json")
    assert now.json["verdict"] == "allowed"
    company.run("contact", "rules")
    assert company.run.counts() == before


ASK = ("contact", "would", "{ann}", *EMAIL)
WRONG = {
    "an unknown customer": (1, ("contact", "would", "cus_" + "0" * 24, *EMAIL, *SALES), "nobody is known as cus_000"),
    "an address for a customer": (
        1,
        ("contact", "would", "bob@firm.example", *EMAIL, *SALES),
        "nobody is known as bob@",
    ),
    "a blank customer": (1, ("contact", "would", "", *EMAIL, *SALES), "nobody is known as"),
    "a statement for a customer": (1, ("contact", "would", "' OR 1=1 --", *EMAIL, *SALES), "nobody is known as"),
    "no zone": (2, (*ASK, *SALES, "--at", "2027-03-01T12:00"), "2027-03-01T12:00+01:00"),
    "the first day of all": (2, (*ASK, *SALES, "--at", "0001-01-01T00:00+14:00"), "between 1970 and 2200"),
    "the last day of all": (2, (*ASK, *SALES, "--at", "9999-12-31T23:00-10:00"), "between 1970 and 2200"),
    "a day": (2, (*ASK, *SALES, "--at", "2027-03-01"), "no moment with a time zone"),
    "a word": (2, (*ASK, *SALES, "--at", "tomorrow"), "'tomorrow' is no moment"),
    "a day that never was": (2, (*ASK, *SALES, "--at", "2027-02-30T12:00Z"), "no moment"),
    "an hour that never was": (2, (*ASK, *SALES, "--at", "2027-03-01T24:30Z"), "no moment"),
    "no purpose": (2, (*ASK, "--purpose", ""), "purpose must have 1 to 64 characters"),
    "an endless purpose": (2, (*ASK, "--purpose", "x" * 65), "purpose must have 1 to 64 characters"),
    "no channel": (2, (*ASK, *SALES, "--channel", " "), "channel must have 1 to 64 characters"),
    "an endless address": (2, (*ASK, *SALES, "--address", "x" * 321), "address is too long"),
    "an empty tag": (2, (*ASK, *SALES, "--tag", ""), "tags must have 1 to 64 characters"),
    "too many tags": (2, (*ASK, *SALES, *("--tag", "t") * 21), "21 tags; at most 20"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_is_wrong_is_said_and_not_written(company: Company, case: str, more: tuple[str, ...]) -> None:
    """A status and a sentence on standard error, also where JSON was asked for; no row more in any table."""
    code, args, part = WRONG[case]
    before = company.run.counts()
    company.run(*(one.format(**company.ids) if one == "{ann}" else one for one in args), *more).refused(code, part)
    assert company.run.counts() == before


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("would",), "{customer}"), (("would", "cus_1", *SALES), "--channel"),
        (("would", "cus_1", *EMAIL), "--purpose"),
        (("would", "cus_1", *EMAIL, *SALES, "--sender", "postman"), "'postman' is not one of"),
        (("would", "cus_1", *EMAIL, *SALES, "--force"), "--force"), (("rule",), "No such command"),
        (("rules", "sales"), "unexpected extra argument"),
    ],
)  # fmt: skip
def test_what_is_left_out_or_unknown_is_named(company: Company, args: tuple[str, ...], part: str) -> None:
    """Status 2, the word in the message, nothing on standard output."""
    said = company.run("contact", *args)
    assert (said.code, said.out) == (2, "")
    assert part in said.err


def test_the_rules_in_words(company: Company) -> None:
    """By whom they were deployed, and each purpose, window and cap of the file with its figures."""
    said = company.run("contact", "rules").out
    assert "deployed by system:cli:" in said.splitlines()[0]
    for title in ("Purposes.", "Quiet hours.", "Caps.", "Also."):
        assert f"\n{title} " in said
    for part in (
        "  service: class: transactional", "a yes lasts: 730 days", "channels: email, phone;",
        "  nights: hours: 21:00 to 08:00", "at most: 3 in any 7 days", "a flag bereaved, vulnerable",
        "Holdout: nobody is held out",
    ):  # fmt: skip
        assert part in said


def test_the_rules_as_json(company: Company) -> None:
    """Their version, who put them into force and when, and tables whose rows are as wide as their columns."""
    found = company.run("contact", "rules", "--json").json
    assert set(found) == {"version", "is_default", "deployed_by", "deployed_at", "sections"}
    assert found["is_default"] is False
    assert found["deployed_at"].endswith("Z")
    assert [one["name"] for one in found["sections"]] == ["purposes", "quiet_hours", "caps", "others"]
    for section in found["sections"]:
        assert {len(row) for row in section["rows"]} == {len(section["columns"])}
    assert [row[0] for row in found["sections"][0]["rows"]] == ["service", "alerts", "sales", "newsletter"]


def test_without_a_file_the_built_in_rules_count(fairlead: Terminal) -> None:
    """Taken away and deployed: the page says so, and a purpose that only the file knew is refused."""
    ask = ("contact", "would", "-", *EMAIL, "--address", "zoe@firm.example", "--purpose", "alerts", "--at", NOON)
    (fairlead.folder / "contact.yaml").unlink()
    assert fairlead(*ask, "--json").json["verdict"] == "allowed"  # nothing counts before it is deployed
    assert fairlead("deploy").code == 0
    assert fairlead("contact", "rules").out.startswith("The built-in rules count: the workspace deployed no contact")
    assert fairlead("contact", "rules", "--json").json["is_default"] is True
    assert fairlead(*ask, "--json").json["code"] == "unknown_purpose"


def test_new_rules_count_once_deployed(fairlead: Terminal) -> None:
    """A file with a cap of none and nothing else: sections without rows say so, and nothing promotional goes out."""
    text = "purposes:\n  sales: {class: promotional, mechanism: opt_out}\ncaps:\n  - {name: shut, most: 0, per: day}\n"
    (fairlead.folder / "contact.yaml").write_text(text, encoding="utf-8")
    assert fairlead("deploy").code == 0
    said = fairlead("contact", "rules").out.splitlines()
    assert said[said.index(next(line for line in said if line.startswith("Quiet hours."))) + 1] == "  none"
    assert any(line.startswith("  shut: at most: 0 in a calendar day") for line in said)
    ask = ("contact", "would", "-", *EMAIL, *SALES, "--address", "zoe@firm.example", "--at", NIGHT, "--json")
    found = fairlead(*ask).json
    assert (found["code"], found["facts"]["caps"]) == ("cap", ["shut"])
    assert found["allowed_at"] is None


@pytest.mark.parametrize("command", [("rules",), ("would", "cus_1", *EMAIL, *SALES)])
def test_a_folder_that_is_no_workspace(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Status 2 with the cure, and no database is made in it."""
    Terminal(tmp_path)("contact", *command).refused(2, "is not a workspace", "fairlead init")
    assert list(tmp_path.iterdir()) == []


def test_other_rules_on_the_log(fairlead: Terminal) -> None:
    """The workspace's own file changes nothing; a stricter one says what it stops, check and deploy too"""
    database = Database(f"sqlite:///{fairlead.folder / '.fairlead' / 'fairlead.db'}", trail=Trail())
    with database.transaction() as uow:
        asked = Attempt("k", None, "email", "who@firm.example", "service", "sales", automatic=False)
        assert guardrails.pass_gate(uow, asked).verdict == "allowed"
    database.close()
    own = fairlead("contact", "replay")
    assert "of 1 message asked in the last 30 days, none would fare otherwise" in own.out
    stricter = "purposes: {service: {class: promotional, mechanism: opt_in}}\n"
    path = fairlead.folder / "stricter.yaml"
    path.write_text(stricter, encoding="utf-8")
    found = fairlead("contact", "replay", "--rules", str(path), "--since", "8w", "--json").json
    assert (found["messages"], found["unchanged"]) == (1, False)
    assert [(one["old"], one["new_code"]) for one in found["changes"]] == [("allowed", "no_consent")]
    fairlead("contact", "replay", "--rules", "nowhere.yaml").refused(2, "cannot be read")
    mine = fairlead.folder / "contact.yaml"
    mine.write_text(mine.read_text(encoding="utf-8").replace("transactional", "promotional, mechanism: opt_in", 1))
    line = "contact rules change: of 1 message asked in the last 30 days, 1 that went would be refused"
    assert line in fairlead("check").out
    assert line in fairlead("deploy").err


def test_what_is_no_address(company: Company) -> None:
    """Somebody unknown can only be written to by something that has the form of an address."""
    for address, code in (("not an address", "unusable_address"), ("zoe@firm.example", "allowed")):
        found = company.run("contact", "would", "-", *EMAIL, "--purpose", "service", "--address", address, "--json")
        assert found.json["code"] == code


def test_an_act_names_a_template_that_is_there(fairlead: Terminal) -> None:
    """Else the check says which playbook and line, and what was probably meant."""
    path = fairlead.folder / "playbooks" / "lead-nurture.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("first-follow-up", "first-folow-up"), encoding="utf-8")
    said = fairlead("check")
    assert said.code == 2
    assert "no message template 'first-folow-up'" in said.out
    assert "lead-nurture.yaml:" in said.out
    assert "first-follow-up" in said.out.replace("first-folow-up", "")


def test_an_address_names_the_customer(company: Company) -> None:
    """As everywhere on the command line, an id or an address of the customer is one and the same."""
    by_id = company.run("contact", "would", company.ids["ann"], *EMAIL, *SALES)
    assert by_id.code == 0
    assert company.run("contact", "would", "ann@firm.example", *EMAIL, *SALES).out == by_id.out
