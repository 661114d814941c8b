"""test, explain, schema, graph: from the command line, on the example and on what people get wrong."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from fairlead.connectors import ReceiptState
from fairlead.testing.company import write_leads
from fairlead.testing.rehearsal_files import (
    CASE_KEYS,
    CUSTOMER_KEYS,
    EXPECT_KEYS,
    GRANT_KEYS,
    MOVE_KEYS,
    TOP_KEYS,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

PLAYBOOK = """
playbook: renewal
subject: contract
facts: {price: double, sector: string}
on: {cancelled: gone}
stages:
  enrich: {step: look-up@1, next: sort}
  sort: {branch: [{when: price > 100.0, next: ask}], otherwise: send}
  ask:
    checkpoint: renewal
    producer: rules@1
    answer: {price: price}
    score: sure
    value: price
    next: {approved: send, rejected: rest, blocked: gone}
  send: {act: log, body: {price: price}, next: {sent: done, refused: gone, failed: rest, ambiguous: rest}}
  rest: {wait: replied, for: 30d, next: {replied: ask, timeout: gone}}
  done: {end: done}
  gone: {end: gone}
"""
POLICY = """
checkpoint: renewal
answer: {type: object, required: [price], properties: {price: {type: number}}}
facts:
  flags: {type: list(string), from: customer.flags, default: []}
  consents: {type: "map(string, dyn)", from: customer.consents, default: {}}
  price: {type: double, from: subject.price}
segments: [{name: big, when: price >= 1000.0}]
rules:
  - {id: two, when: price >= 1000.0, path: assist, role: manager, quorum: 2, words: Two managers agree.}
  - {id: legal, when: '"vip" in flags', path: assist, role: legal, words: The lawyers look.}
  - {id: asked, when: '"marketing" in consents', path: human, words: They said something about it.}
review: {role: reviewer, due: 1d}
"""
STEPS = """
@step("look-up@1", kind="io")
def look_up(case):
    raise SystemExit("this would ask a service outside")
"""
HEAD = "playbook: renewal\nfacts: {price: 500.0, sure: 0.9}\nsteps: {enrich: {sector: food}}\n"


@pytest.fixture
def workspace(fairlead: Terminal) -> Terminal:
    """With a playbook of every kind of stage but spawn, a policy, and a step that must never be called."""
    for path, text in (
        ("playbooks/renewal.yaml", PLAYBOOK), ("policies/renewal.yaml", POLICY), ("steps/own.py", STEPS),
    ):  # fmt: skip
        (fairlead.folder / path).parent.mkdir(exist_ok=True)
        (fairlead.folder / path).write_text(text, encoding="utf-8")
    for path in (fairlead.folder / "tests").glob("*.yaml"):
        path.unlink()
    return fairlead


def write(workspace: Terminal, cases: str, head: str = HEAD) -> None:
    """The one test file."""
    folder = workspace.folder / "tests"
    folder.mkdir(exist_ok=True)
    (folder / "renewal.yaml").write_text(f"{head}cases:\n{cases}", encoding="utf-8")


def told(workspace: Terminal, cases: str, head: str = HEAD) -> dict[str, Any]:
    """The result of one test case, as JSON."""
    write(workspace, cases, head)
    answer: dict[str, Any] = workspace("test", "--json").json
    return answer


@pytest.mark.slow
def test_the_examples_own_tests_pass(fairlead: Terminal) -> None:
    """A fresh workspace has tests, all pass, and every part of the playbook that they are about is touched."""
    answer = fairlead("test", "--json").json
    assert answer["failed"] == 0
    assert answer["passed"] >= 10
    left = [one for one in answer["coverage"]["never"] if one["in"] in {"lead-qualification", "lead-assignment"}]
    assert left == []


PASSING = """
  - name: nothing is granted
    expect: {path: human, stage: ask, rules: [], segment: other, facts: {sector: food}}
  - name: a small one is sent
    facts: {price: 50.0}
    expect: {ended: done}
  - name: the machine alone
    grants: [{segment: other, threshold: 0.8}]
    expect: {path: auto, ended: done}
  - name: below its threshold
    grants: [{threshold: 0.95}]
    expect: {path: assist, role: reviewer}
  - name: two managers
    facts: {price: 5000.0}
    grants: [{level: auto}]
    then: [expect: {path: assist, role: manager, rules: [two], segment: big}, approve]
    expect: {ended: done}
  - name: two roles
    facts: {price: 5000.0}
    customer: {name: A, email: a@b.example, flags: {vip: true}}
    grants: [{level: assist}]
    then: [expect: {role: [legal, manager], rules: [two, legal]}, {edit: {price: 4000}, reason: a favour}]
    expect: {ended: done, facts: {price: 4000}}
  - name: a flag as a list, and a consent
    customer: {flags: [vip], consents: {marketing: {email: withdrawn}}}
    grants: [{level: auto}]
    expect: {path: human, rules: [legal, asked], role: [legal]}
  - name: rejected, then a reply
    grants: [{level: assist}]
    then: [reject, expect: {stage: rest}, after: 3d, {event: replied, found: {price: 40}}]
    expect: {stage: ask, facts: {price: 40}}
  - name: rejected for good
    then: [answer: {price: 400}, expect: {ended: done}]
    expect: {ended: done, facts: {price: 400}}
  - name: nobody replies
    grants: [{level: assist}]
    then: [{reject: , reason: no}, after: 31d]
    expect: {ended: gone}
  - name: an interrupt
    then: [event: cancelled]
    expect: {ended: gone}
  - name: the other side refuses
    facts: {price: 5.0}
    actions: {send: refused}
    expect: {ended: gone}
  - name: nobody knows
    facts: {price: 5.0}
    actions: {send: ambiguous}
    expect: {stage: rest}
  - name: a service that is down
    steps: {look-up@1: {failure: {code: gone_away, words: no answer}}}
    expect: {exception: gone_away, stage: enrich}
  - name: somebody steps in
    then: [{tell: redirect, stage: rest, reason: later}, {tell: cancel}]
    expect: {ended: cancelled}
"""


def test_everything_that_can_be_said(workspace: Terminal) -> None:
    """Grants, customers, verdicts, quorums, events, time, effects, failures and people who step in."""
    write(workspace, PASSING)
    line = workspace("test")
    assert line.code == 0, line.out + line.err
    assert line.out.count("pass  ") == 15
    assert "15 passed, 0 failed" in line.out
    again = workspace("test", "--json").json
    assert [one["passed"] for one in again["cases"]] == [True] * 15


def test_nothing_leaves_and_nothing_is_kept(workspace: Terminal) -> None:
    """The workspace's own database has not a row more, and no effect was brought about."""
    write(workspace, PASSING)
    before = workspace.counts()
    files = sorted(path for path in workspace.folder.rglob("*"))
    assert workspace("test").code == 0
    assert workspace.counts() == before
    assert sorted(path for path in workspace.folder.rglob("*")) == files


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            "{grants: [{level: auto}], facts: {price: 6000.0}, expect: {path: auto}}",
            "expected path auto, got assist: rule two (price >= 1000.0, price was 6000.0)",
        ),
        ("{expect: {path: assist}}", "expected path assist, got human: no grant for rules@1 in segment other"),
        (
            "{grants: [{threshold: 0.95}], expect: {path: auto}}",
            "expected path auto, got assist: the score 0.9 is below 0.95, which grant",
        ),
        (
            "{grants: [{level: assist}], expect: {path: human}}",
            'expected path human, got assist: rule asked did not match ("marketing" in consents, consents was {})',
        ),
        ("{grants: [{level: assist}], expect: {path: blocked}}", "got assist: no rule asks for blocked"),
        ("{facts: {price: 5.0}, expect: {path: auto}}", "expected path auto, got none: it ended as done"),
        ("{expect: {role: manager}}", "expected role manager, got reviewer: rules that matched: none"),
        (
            "{grants: [{level: assist}], expect: {rules: [two, legal]}}",
            "two did not match (price >= 1000.0, price was 500.0)",
        ),
        ("{expect: {segment: big}}", "expected segment big, got other: big asks for price >= 1000.0, price was 500.0"),
        ("{expect: {stage: rest}}", "expected stage rest, got ask: it stands at ask (waiting, waits for decision)"),
        ("{expect: {ended: done}}", "expected it to end as done, but it stands at ask"),
        ("{expect: {facts: {sector: arms, nothing: 1}}}", "expected fact sector = arms, got food"),
        ("{expect: {facts: {nothing: 1}}}", "expected fact nothing = 1, got not known"),
        ("{expect: {facts: {price: true}}}", "expected fact price = true, got 500.0"),
        ("{expect: {exception: x}}", "expected exception x, got none"),
        ("{then: [approve], expect: {stage: ask}}", "`approve` could not be done: the proposal is withheld there"),
        ("{then: [answer: {price: dear}], expect: {stage: ask}}", "The answer does not fit its schema at 'price'"),
        ("{facts: {price: 5.0}, then: [approve], expect: {ended: done}}", "no review is open"),
        ("{then: [tell: retry], expect: {stage: ask}}", "`tell` could not be done: a case that is waiting cannot"),
        ("{then: [expect: {stage: rest}], expect: {stage: ask}}", "line 5: expected stage rest, got ask"),
    ],
)
def test_a_difference_says_what_to_mend(workspace: Terminal, case: str, said: str) -> None:
    """The rule with its condition and the value that it read, not just two words that differ."""
    found: list[str] = told(workspace, f"  - {{name: one, {case[1:]}\n")["cases"][0]["differences"]
    assert any(said in one for one in found), found


def test_a_step_that_would_ask_a_service_is_never_called(workspace: Terminal) -> None:
    """Without a result the case stops there and says what to write; the plug-in's code does not run."""
    head = "playbook: renewal\nfacts: {price: 5.0}\n"
    [one] = told(workspace, "  - {name: one, expect: {ended: done}}\n", head)["cases"]
    assert any("say what it finds: `steps: {enrich: {…}}`" in each for each in one["differences"])


def test_failing_is_an_exit_status_and_names_the_place(workspace: Terminal) -> None:
    """1, with file, line and column of the case; passing ones beside it still pass."""
    write(workspace, "  - {name: good, expect: {path: human}}\n  - {name: bad, expect: {path: auto}}\n")
    line = workspace("test")
    assert line.code == 1
    assert "pass  good" in line.out
    end = "FAIL  bad\n      tests/renewal.yaml:6:5\n      expected path auto, got human"
    listed, _, shown = line.out.partition("coverage ")
    assert "FAIL  bad\n" in listed
    assert "rules never hit\n" in shown.partition(end)[0], "coverage comes before what failed"
    told = shown.partition(end)[2].splitlines()
    assert re.fullmatch(r"1 passed, 1 failed in \d+\.\d s, coverage \d+%", told[-1])
    assert all(one.startswith("      ") for one in told[1:-1]), "nothing stands between the failure and the sum"
    assert workspace("test", "--only", "good").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("playbook: renewl\ncases: [{name: a, expect: {path: auto}}]\n", "t.yaml:1:11: There is no playbook 'renewl'."),
        (HEAD + "cases: []\n", "t.yaml:4:8: This list has 0 items"),
        (HEAD + "cases: [{name: a, expect: {}}]\n", "Nothing is expected here."),
        (HEAD + "cases: [{name: a}]\n", "'expect' is missing here."),
        (HEAD + "cases: [{name: a, expects: {path: auto}}]\n", "Unknown key 'expects'. Did you mean 'expect'?"),
        (
            HEAD + "cases: [{name: a, expect: {path: automatic}}]\n",
            "'automatic' is not known here. Did you mean 'auto'?",
        ),
        (HEAD + "cases: [{name: a, expect: {rules: [to]}}]\n", "There is no rule 'to'. Did you mean 'two'?"),
        (HEAD + "cases: [{name: a, expect: {stage: asks}}]\n", "There is no stage 'asks'. Did you mean 'ask'?"),
        (HEAD + "cases: [{name: a, expect: {ended: one}}]\n", "There is no end 'one'. Did you mean 'gone'?"),
        (HEAD + "cases: [{name: a, expect: {segment: bg}}]\n", "There is no segment 'bg'. Did you mean 'big'?"),
        (HEAD + "cases: [{name: a, grants: [{segment: bi}], expect: {path: auto}}]\n", "There is no segment 'bi'."),
        (HEAD + "cases: [{name: a, steps: {enrch: {}}, expect: {path: auto}}]\n", "Did you mean 'enrich'?"),
        (HEAD + "cases: [{name: a, actions: {send: lost}, expect: {path: auto}}]\n", "'lost' is not known here."),
        (HEAD + "cases: [{name: a, actions: {ask: sent}, expect: {path: auto}}]\n", "There is no act stage 'ask' in"),
        (HEAD + "cases: [{name: a, then: [wait], expect: {path: auto}}]\n", "'wait' is not known here."),
        (HEAD + "cases: [{name: a, then: [{after: soon}], expect: {path: auto}}]\n", "Expected a duration"),
        (HEAD + "cases: [{name: a, then: [{approve: , event: x}], expect: {path: auto}}]\n", "exactly one of"),
        (HEAD + "cases: [{name: a, then: [{after: 1d, found: {}}], expect: {path: auto}}]\n", "Unknown key 'found'."),
        (HEAD + "cases: [{name: a, customer: {vip: true}, expect: {path: auto}}]\n", "Unknown key 'vip'."),
        (
            HEAD + "cases: [{name: a, customer: {consents: {m: {e: yes}}}, expect: {path: auto}}]\n",
            "'yes' is not known",
        ),
        (
            HEAD + "cases:\n - {name: a, expect: {path: auto}}\n - {name: a, expect: {path: auto}}\n",
            "another case named",
        ),
        (HEAD + "cases: &a [*a]\n", "not allowed"),
        ("cases: [\n", "not valid YAML"),
    ],
)
def test_mistakes_in_test_files_have_a_place_and_a_cure(workspace: Terminal, text: str, said: str) -> None:
    """As mistakes in the files that they test."""
    (workspace.folder / "tests").mkdir(exist_ok=True)
    (workspace.folder / "tests" / "t.yaml").write_text(text, encoding="utf-8")
    workspace("test").refused(2, "tests/t.yaml:", said)


def test_all_files_with_mistakes_are_named_at_once(workspace: Terminal) -> None:
    """One mistake of each."""
    (workspace.folder / "tests").mkdir(exist_ok=True)
    for name in ("a", "b"):
        (workspace.folder / "tests" / f"{name}.yaml").write_text("playbook: none\ncases: []\n", encoding="utf-8")
    workspace("test").refused(2, "tests/a.yaml:1:11", "tests/b.yaml:1:11")


def test_no_tests_and_broken_workspaces(workspace: Terminal) -> None:
    """A workspace without tests says where to write them; one that does not compile says its own mistake."""
    workspace("test").refused(2, "has no tests", "tests/NAME.yaml")
    write(workspace, "  - {name: one, expect: {path: auto}}\n")
    workspace("test", "--only", "two").refused(2, "No test case's name contains 'two'")
    (workspace.folder / "policies" / "renewal.yaml").write_text(
        POLICY.replace("due: 1d", "due: soon"), encoding="utf-8"
    )
    workspace("test").refused(2, "policies/renewal.yaml:", "Expected a duration")


def test_coverage_lists_what_was_never_touched(workspace: Terminal) -> None:
    """Stages, branches, rules, segments, interrupts; a bar for it fails the run."""
    write(workspace, "  - {name: one, expect: {path: human}}\n")
    answer = workspace("test", "--json").json
    never = {(one["kind"], one["in"], one["name"]) for one in answer["coverage"]["never"]}
    for item in (
        ("stage", "renewal", "send"), ("way", "renewal", "sort → send"), ("rule", "renewal", "legal"),
        ("segment", "renewal", "big"), ("interrupt", "renewal", "cancelled"),
    ):  # fmt: skip
        assert item in never
    assert ("stage", "renewal", "ask") not in never
    assert ("way", "renewal", "sort → ask") not in never
    share = answer["coverage"]["share"] * 100
    assert workspace("test", "--min-coverage", str(share - 1)).code == 0
    low = workspace("test", "--min-coverage", str(share + 1))
    assert (low.code, "is below" in low.out) == (1, True)
    assert "rules never hit\n" in low.out


@pytest.mark.slow
def test_fifty_cases_share_one_database_and_know_nothing_of_each_other(workspace: Terminal) -> None:
    """The same customer, the same ids, the same grants: each begins from nothing, at the same moment."""
    one = "facts: {price: 500.0}, customer: {email: a@b.example}"
    cases = "".join(
        f"  - {{name: n{number}, {one}, grants: [{{level: auto}}], then: [after: 10d], expect: {{ended: done}}}}\n"
        f"  - {{name: m{number}, {one}, expect: {{path: human}}}}\n"
        for number in range(25)
    )
    answer = told(workspace, cases)
    assert (answer["passed"], answer["failed"]) == (50, 0)


def test_the_page_of_the_docs_names_every_key_and_its_example_passes(fairlead: Terminal) -> None:
    """docs/testing-playbooks.md, as it is printed."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "testing-playbooks.md").read_text(encoding="utf-8")
    for key in {
        *TOP_KEYS,
        *CASE_KEYS,
        *CUSTOMER_KEYS,
        *GRANT_KEYS,
        *EXPECT_KEYS,
        *(state.value for state in ReceiptState),
    }:
        assert f"`{key}`" in page, key
    for key in MOVE_KEYS:
        assert f"- {key}" in page or f"{{{key}:" in page, key
    [example] = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    (fairlead.folder / "tests" / "docs.yaml").write_text(example, encoding="utf-8")
    line = fairlead("test", "--only", "confirmed by a manager")
    assert line.code == 0, line.out


def first_case(fairlead: Terminal, tmp_path: Path, **wanted: str) -> str:
    """The id of a case that waits at its checkpoint."""
    write_leads(tmp_path / "leads.csv", 30)
    assert fairlead("run", "lead-qualification", "-i", str(tmp_path / "leads.csv")).code == 0
    cases = fairlead("cases", "list", "--json", "--limit", "100").json["cases"]
    return str(next(one["id"] for one in cases if all(one[key] == value for key, value in wanted.items())))


def test_explain_tells_the_whole_story(fairlead: Terminal, tmp_path: Path) -> None:
    """Stages with their stays, the ruling's steps, what it waits for; what is withheld stays so."""
    case = first_case(fairlead, tmp_path, stage="assign", state="waiting")
    text = fairlead("explain", case).out
    for part in (
        "score (step)",
        "assign (checkpoint): here now",
        "ruling at lead-assignment",
        "waits for a decision at",
    ):
        assert part in text
    story = fairlead("explain", case, "--json").json
    assert [one["stage"] for one in story["visits"]] == ["score", "route", "assign"]
    assert story["visits"][0]["outcome"] == "next"
    assert story["withheld"] is True
    assert (story["rulings"][0]["proposal"], story["rulings"][0]["steps"]) == (None, [])
    assert "points" not in story["facts"]
    assert story["waits"]["until"] is not None


def test_explain_shows_rules_values_and_deviations(fairlead: Terminal, tmp_path: Path) -> None:
    """Where nothing is withheld: the words of the rules, the values read, and what a person did beside the path."""
    case = first_case(fairlead, tmp_path, stage="refused")
    story = fairlead("explain", case, "--json").json
    [ruling] = story["rulings"]
    rules = [one for step in ruling["steps"] for one in step["reasons"] if one["rule"] == "embargo"]
    assert rules[0]["words"] == "We do not sell to this country."
    assert rules[0]["read"] == {"country": "IR"}
    assert (ruling["verdict"], story["end"], story["waits"]) == ("blocked", "refused", None)
    text = fairlead("explain", case).out
    assert "rule embargo: We do not sell to this country. [country = IR]" in text
    other = fairlead("cases", "list", "--json", "--state", "waiting").json["cases"][0]["id"]
    fairlead("cases", "tell", other, "redirect", "--stage", "nurture", "--reason", "not now")
    assert "Sent to another stage (assign → nurture) by" in fairlead("explain", other).out
    assert fairlead("explain", other, "--json").json["deviations"][0]["reason"] == "not now"


@pytest.mark.slow
def test_explain_says_who_was_passed_over_and_shows_readable_facts(fairlead: Terminal, tmp_path: Path) -> None:
    """Who has the lead and why, everybody else with the reason; facts as `name: value`, no JSON."""
    today = datetime.now(UTC).date()
    for name in ("ada", "bo"):
        fairlead("person", "add", f"{name}@example.com", "--role", "reviewer", "--name", name.title())
    fairlead("person", "absent", "bo@example.com", "--from", str(today - timedelta(days=1)),
             "--to", str(today + timedelta(days=30)))  # fmt: skip
    fairlead("team", "create", "dach")
    for name in ("ada", "bo"):
        fairlead("team", "add", "dach", f"{name}@example.com", "--skill", "french")
    auto = ("--producer", "lead-rules@1", "--level", "auto", "--threshold", "0.01", "--promised-error", "0.5")
    for segment in ("small", "medium"):
        fairlead("grant", "set", "lead-assignment", "--segment", segment, *auto)
    waiting = first_case(fairlead, tmp_path, stage="assign", state="waiting")
    given = [one["id"] for one in fairlead("cases", "list", "--json", "--limit", "100").json["cases"]
             if one["stage"] in {"hand-over", "assigned"}]  # fmt: skip
    case, text = next((one, said) for one in given if "given out to Ada" in (said := fairlead("explain", one).out))
    assert re.search(r"^given out to Ada, team [a-z-]+, ", text, flags=re.MULTILINE)
    assert re.search(r"^  passed over\n    Bo: absent until ", text, flags=re.MULTILINE)
    assert fairlead("explain", case, "--json").json["assignment"]["passed_over"][0]["why"] == "absent"
    facts = text.partition("\nfacts\n")[2]
    assert re.search(r"^  owner_name: Ada$", facts, flags=re.MULTILINE)
    assert re.search(r"^  score_reasons:\n    starting points \(add 20\)$", facts, flags=re.MULTILINE)
    assert not re.search(r'[{}]|"\w+":', facts)
    assert "given out" not in fairlead("explain", waiting).out


def test_explain_for_the_customer_says_only_what_is_fit(fairlead: Terminal, tmp_path: Path) -> None:
    """Sentences that the policy wrote for customers; no rule id, score or role."""
    case = first_case(fairlead, tmp_path, stage="refused")
    line = fairlead("explain", case, "--for-customer")
    assert "We cannot offer our service in your country." in line.out
    assert "embargo" not in line.out
    assert fairlead("explain", case, "--for-customer", "--json").json["sentences"] == [line.out.strip()]
    fairlead("explain", "case_none").refused(1, "there is no case case_none")


def test_schemas_are_printed(fairlead: Terminal) -> None:
    """One JSON object each, usable as it is."""
    for kind in ("playbook", "policy"):
        Draft202012Validator.check_schema(json.loads(fairlead("schema", kind, bare=True).out))
    assert fairlead("schema", "plan", bare=True).code == 2


def test_a_playbook_is_drawn(fairlead: Terminal, tmp_path: Path) -> None:
    """As Mermaid or SVG, to standard output or a file; unknown names get a suggestion."""
    assert fairlead("graph", "lead-qualification").out.startswith("flowchart TD\n")
    ET.fromstring(fairlead("graph", "lead-qualification", "--format", "svg").out)
    target = tmp_path / "g.svg"
    assert fairlead("graph", "lead-qualification", "--format", "svg", "-o", str(target)).code == 0
    assert ET.fromstring(target.read_text(encoding="utf-8")).tag.endswith("svg")
    fairlead("graph", "lead-qualifcation").refused(2, "Did you mean 'lead-qualification'?")
    fairlead("graph", "lead-qualification", "-o", str(tmp_path / "no" / "g")).refused(2, "cannot be written")


def test_drawing_needs_no_database(workspace: Terminal) -> None:
    """Nor does testing: both work before anything was deployed."""
    database = workspace.folder / ".fairlead"
    for path in database.glob("*"):
        path.unlink()
    assert workspace("graph", "renewal").code == 0
    write(workspace, "  - {name: one, expect: {path: human}}\n")
    assert workspace("test").code == 0
    assert list(database.glob("*.db")) == []
