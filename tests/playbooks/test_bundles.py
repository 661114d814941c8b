"""Workspaces: what is wrong with them is said with its place and a cure; what is deployed is what runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairlead.errors import ConflictError, InputError, SourceError, TooLargeError
from fairlead.playbooks import CaseVerb, StepRegistry, check_files, compile_bundle, plain_step, read_workspace
from fairlead.testing.seed import EXAMPLE
from fairlead.worker import CHECKS, STEPS
from tests.playbooks.world import OFFER, POLICY, playbook, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.playbooks.world import World

Z = "  z: {end: z}"
CONNECTORS = frozenset({"mail", "file", "message"})


def errors_of(*texts: str, policy: str = POLICY, **files: str) -> list[SourceError]:
    """What is wrong with a workspace of these playbooks."""
    everything = (
        {f"playbooks/p{n}.yaml": text for n, text in enumerate(texts)} | {"policies/offer.yaml": policy} | files
    )
    bundle, errors = check_files(everything, StepRegistry(STEPS), CONNECTORS)
    assert (bundle is None) == bool(errors)
    return errors


def one_error(*texts: str, **files: str) -> SourceError:
    """The only one."""
    errors = errors_of(*texts, **files)
    assert len(errors) == 1, [error.message for error in errors]
    return errors[0]


def test_the_example_is_right() -> None:
    """The workspace that `fairlead init` makes has no mistake."""
    bundle = compile_bundle(read_workspace(EXAMPLE), StepRegistry(STEPS, CHECKS), CONNECTORS)
    leads = ["lead-nurture", "lead-qualification", "record-changes"]
    assert [*bundle.playbooks] == ["alerts", "customer-duplicates", "customer-rights", *leads]


WRONG = {
    "unknown stage": ("  a: {wait: time, for: 1h, next: {timeout: zz}}\n" + Z, 5, "Did you mean 'z'?"),
    "unreachable stage": (Z + "\n  lonely: {end: x}", 6, "Nothing leads to stage 'lonely'"),
    "endless circle": (
        '  a: {branch: [{when: "true", next: b}], otherwise: z}\n'
        "  b: {act: mail, detach: true, next: a}\n" + Z,
        5, "go round without ever waiting: a → b → a",
    ),
    "unknown key": ("  z: {end: z, nxt: z}", 5, "Unknown key 'nxt'"),
    "two kinds": ("  z: {end: z, wait: time}", 5, "exactly one of"),
    "no kind": ("  z: {next: z}", 5, "it has none"),
    "missing key": ("  a: {wait: time, for: 1h}\n" + Z, 5, "'next' is missing"),
    "time without end": ("  a: {wait: time, next: {timeout: z}}\n" + Z, 5, "how long"),
    "own event": ("  a: {wait: decision, next: {decision: z}}\n" + Z, 5, "inside a case"),
    "no step": ("  a: {step: score-by-rule@1, next: z}\n" + Z, 5, "Did you mean 'score-by-rules@1'?"),
    "no major": ("  a: {step: score, next: z}\n" + Z, 5, "name@1"),
    "step without its with": ("  a: {step: score-by-rules@1, next: z}\n" + Z, 5, "the step needs `with:"),
    "with where none belongs": ("  a: {step: plain@1, with: {a: 1}, next: z}\n" + Z, 5, "no `with:`"),
    "no connector": ("  a: {act: mial, next: {sent: z}}\n" + Z, 5, "Did you mean 'mail'?"),
    "no playbook": ("  a: {spawn: tset, each: items, next: z}\n" + Z, 5, "Did you mean 'test'?"),
    "spawns itself": ("  a: {spawn: test, each: items, next: z}\n" + Z, 5, "starts itself again"),
    "no policy": (
        "  a: {checkpoint: ofer, answer: {price: p}, next: {approved: z, rejected: z, blocked: z}}\n" + Z,
        5, "Did you mean 'offer'?",
    ),
    "no such answer": (
        "  a: {checkpoint: offer, answer: {prize: p}, next: {approved: z, rejected: z, blocked: z}}\n" + Z,
        5, "Did you mean 'price'?",
    ),
    "outcome missing": (
        "  a: {checkpoint: offer, answer: {price: p}, next: {approved: z, rejected: z}}\n" + Z,
        5, "'blocked' is missing",
    ),
    "unknown outcome": ("  a: {act: mail, next: {sent: z, bounced: z}}\n" + Z, 5, "Unknown key 'bounced'"),
    "bad condition": ("  a: {branch: [{when: n > 'x', next: z}], otherwise: z}\n" + Z, 5, "does not work on"),
    "bad duration": ("  a: {wait: time, for: soon, next: {timeout: z}}\n" + Z, 5, "Expected a duration"),
    "bad title": (
        "  a: {checkpoint: offer, title: '{Name}', answer: {price: p}, "
        "next: {approved: z, rejected: z, blocked: z}}\n"
        + Z, 5, "not a fact's name",
    ),
    "bad stage name": ("  A b: {end: z}", 5, "not a stage's name"),
    "no stage": ("  {}", 5, "1 to 200 stages"),
    "an alias": ("  a: &x {end: z}\n  b: *x", 5, "Anchors"),
    "malformed": ("  a: {end: z", 6, "not valid YAML"),
    "a tab": ("\tz: {end: z}", 5, "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_mistake_in_a_playbook_has_its_place_and_a_cure(case: str) -> None:
    """File, line and column of the very place, and what was probably meant."""
    stages, line, words = WRONG[case]
    text = playbook(stages, head="facts: {n: int}")
    registry = StepRegistry([*STEPS, plain_step("plain@1", lambda _case: {})])
    _, [error, *more] = check_files({"playbooks/p.yaml": text, "policies/offer.yaml": POLICY}, registry, CONNECTORS)
    assert not more
    assert words in error.message
    assert (error.place.file, error.place.line) == ("playbooks/p.yaml", line)
    assert error.place.column > 0
    assert error.status == 422


HEADS = {
    "facts: {n: number}": "is not known here",
    "facts: {Name: int}": "not a fact's name",
    "facts: {type: string}": "word of the conditions",
    "facts: [a]": "Expected a mapping",
    "serial_key: phone": "Known here: case, customer",
    "on: {opted_out: y}": "no stage 'y'",
    "on: {Opted Out: z}": "not a type of event",
    "start: y": "no stage 'y'",
    "descripton: x": "Did you mean 'description'?",
    "playbook: again": "stands here twice",
    "description: [x]": "Expected text",
}


@pytest.mark.parametrize("head", sorted(HEADS))
def test_a_mistake_at_the_top(head: str) -> None:
    """The keys at the top of a playbook are checked as strictly."""
    error = one_error(playbook(Z, head=head))
    assert HEADS[head] in error.message
    assert error.place.line == 3


def test_several_mistakes_are_told_at_once() -> None:
    """One per broken file and one per dangling reference; nothing that only follows from them."""
    broken = playbook("  a: {end: z, x: y}", name="broken")
    dangling = playbook(
        "  a: {act: fax, detach: true, next: b}\n  b: {act: pigeon, detach: true, next: c}\n"
        "  c: {step: no@1, next: d}\n  d: {step: non@1, next: z}\n" + Z
    )
    parent = playbook("  a: {spawn: broken, each: items, next: z}\n" + Z, name="parent")
    errors = errors_of(broken, dangling, parent, **{"fairlead.toml": "[workspace]\ncurency = 'EUR'\n"})
    assert [(e.place.file, e.place.line) for e in errors] == [
        ("playbooks/p0.yaml", 5),
        ("playbooks/p1.yaml", 5),
        ("playbooks/p1.yaml", 6),
        ("playbooks/p1.yaml", 7),
        ("playbooks/p1.yaml", 8),
        ("fairlead.toml", 2),
    ]


def test_a_broken_policy_is_told_once() -> None:
    """The playbooks that use it are not blamed for it."""
    error = one_error(OFFER, policy=POLICY.replace("due: 1d", "due: never"))
    assert error.place.file == "policies/offer.yaml"


def test_two_of_one_name_are_refused() -> None:
    """Neither quietly wins."""
    assert "named 'test' too" in one_error(playbook(Z), playbook(Z)).message
    assert "another policy" in one_error(playbook(Z), **{"policies/zwei.yaml": POLICY}).message


def test_playbooks_that_start_each_other_for_ever_are_refused() -> None:
    """A circle over several playbooks, too."""
    one = playbook("  a: {spawn: two, each: items, next: z}\n" + Z, name="one")
    two = playbook("  a: {spawn: one, each: items, next: z}\n" + Z, name="two")
    assert [error.reason for error in errors_of(one, two)] == ["endless", "endless"]


TOML = {
    "[workspace]\nname = = 1": "not valid TOML",
    "[workspace]\nname = 5": "name cannot be 5",
    "[workspace]\nname = ''": "name cannot be",
    "[workspace]\ncurrency = 'euro'": "currency cannot be 'euro'",
    "[workspce]\nname = 'x'": "'workspce' is not known",
    "workspace = 3": "'workspace' is not known",
    "[workspace]\nnam = 'x'": "Did you mean 'name'?",
}


@pytest.mark.parametrize("text", sorted(TOML))
def test_a_mistake_in_the_settings_of_the_workspace(text: str) -> None:
    """`fairlead.toml` is read strictly, with the line."""
    error = one_error(playbook(Z), **{"fairlead.toml": text})
    assert TOML[text] in error.message
    assert error.place.line in {1, 2}


PLUGINS = {
    "def broken(:\n": (1, "not valid Python"),
    "x = 1\n1 / 0\n": (2, "ZeroDivisionError"),
    "import no_such_module_anywhere\n": (1, "ModuleNotFoundError"),
    "raise SystemExit(3)\n": (1, "SystemExit"),
    "x = 1\n": (0, "defines no step"),
    "\n@step('Bad Name')\ndef a(case): return {}\n": (2, "not a step's name"),
    "@step('a@1', kind='slow')\ndef a(case): return {}\n": (1, "ValueError"),
    "@step('a@1')\ndef a(case): return {}\n\n@step('a@1')\ndef b(case): return {}\n": (
        4,
        "two steps named 'a@1'",
    ),
    "@step('score-by-rules@1')\ndef a(case): return {}\n": (1, "two steps named"),
    "x = '\x00'\n": (0, ""),
}


@pytest.mark.parametrize("text", sorted(PLUGINS))
def test_a_broken_step_file_is_told_with_its_line(text: str) -> None:
    """Whatever a workspace's own code does when it is loaded, the answer is an error with its place."""
    line, words = PLUGINS[text]
    error = one_error(playbook(Z), **{"steps/mine.py": text})
    assert words in error.message
    assert error.place.file == "steps/mine.py"
    assert not line or error.place.line == line


def test_the_workspaces_own_steps_run(world: World) -> None:
    """A step in `steps/` is deployed with the bundle and pinned like its YAML; with `retry` and kinds."""
    code = "@step('greet@1', kind='{kind}')\ndef greet(case):\n"
    code += "    return {{'hello': '{word} ' + case.facts['name']}}\n"
    text = playbook("  w: {wait: time, for: 1h, next: {timeout: a}}\n  a: {step: greet@1, next: z}\n" + Z)
    world.deploy(text, **{"steps/mine.py": code.format(kind="pure", word="Hello")})
    old = world.open({"name": "Ada"})
    world.deploy(text, **{"steps/mine.py": code.format(kind="io", word="Hi")})
    new = world.open({"name": "Ada"})
    world.later(hours=2)
    assert [world.case(one).facts["hello"] for one in (old, new)] == ["Hello Ada", "Hi Ada"]


def test_a_step_file_that_fails_later_stops_its_case(world: World) -> None:
    """An exception of the workspace's own code is its case's problem, with the words."""
    code = "@step('boom@1')\ndef boom(case):\n    raise RuntimeError('boom ' + str(case.facts['n']))\n"
    world.deploy(playbook("  a: {step: boom@1, next: z}\n" + Z), **{"steps/mine.py": code})
    case = world.open({"n": 1})
    world.run()
    assert "RuntimeError: boom 1" in world.case(case).problem["words"]


def test_a_case_keeps_the_version_it_began_with(world: World) -> None:
    """After a deploy the old cases go on under the old bundle, new ones under the new."""
    flow = "  w: {{wait: time, for: 1h, next: {{timeout: z}}}}\n  z: {{end: {end}}}"
    first = world.deploy(playbook(flow.format(end="first")))
    old = world.open()
    world.run()
    second = world.deploy(playbook(flow.format(end="second")))
    new = world.open()
    world.later(hours=1)
    assert [world.case(one).end for one in (old, new)] == ["first", "second"]
    assert (world.case(old).bundle, world.case(new).bundle) == (first.digest, second.digest)
    assert first.digest != second.digest


def test_a_redirect_knows_the_cases_own_version(world: World) -> None:
    """A stage that only the newer version has is not offered to an older case."""
    world.deploy(playbook("  w: {wait: time, for: 1h, next: {timeout: z}}\n" + Z))
    case = world.open()
    world.run()
    world.deploy(playbook("  w: {wait: time, for: 1h, next: {timeout: fresh}}\n  fresh: {end: fresh}"))
    with pytest.raises(InputError, match="no stage 'fresh'"):
        world.steer(case, CaseVerb.REDIRECT, stage="fresh")


def test_content_is_the_address(world: World) -> None:
    """The same files are the same bundle; going back to an old one is a deploy of its own."""
    first = world.deploy(playbook(Z))
    assert world.deploy(playbook(Z)).digest == first.digest
    other = world.deploy(playbook(Z + "  # a comment"))
    assert other.digest != first.digest
    world.clock.advance(timedelta(seconds=1))
    assert world.deploy(playbook(Z)).digest == first.digest
    with world.database.reading() as reader:
        assert world.library.current(reader).digest == first.digest


def test_what_a_deploy_compiled_is_what_runs(world: World) -> None:
    """It is not compiled a second time by the process that deployed it; another one compiles it from the database."""
    deployed = world.deploy(playbook(Z))
    with world.database.reading() as reader:
        assert world.library.current(reader) is deployed
        other = world.with_steps()
        assert other.library.current(reader) is not deployed
        assert other.library.current(reader).digest == deployed.digest
    other.database.close()


def test_nothing_runs_before_the_first_deploy(world: World) -> None:
    """And the error says what to do."""
    with world.database.reading() as reader, pytest.raises(InputError, match="fairlead deploy"):
        world.library.current(reader)


def test_a_deploy_is_refused_while_a_case_needs_what_is_gone(make_world: Callable[..., World]) -> None:
    """It lists those cases; when they have ended, it goes through."""
    old = make_world(step("ancient@1", lambda _case: {}))
    old.deploy(playbook("  w: {wait: time, for: 1h, next: {timeout: a}}\n  a: {step: ancient@1, next: z}\n" + Z))
    case = old.open()
    old.run()
    build = make_world()
    with pytest.raises(ConflictError) as refused:
        build.deploy(playbook(Z))
    [stranded] = refused.value.fields["cases"]
    assert (stranded["cases"], stranded["example"]) == (1, case)
    assert "ancient@1" in refused.value.message
    old.later(hours=1)
    assert build.deploy(playbook(Z)).digest


def test_a_case_of_a_bundle_this_build_lacks_is_an_exception(make_world: Callable[..., World]) -> None:
    """It does not crash the chunk: the others go on, and this one says what is missing."""
    old = make_world(step("ancient@1", lambda _case: {}))
    old.deploy(playbook("  a: {step: ancient@1, next: z}\n" + Z, name="old"), playbook(Z))
    stuck = old.open(playbook="old")
    build = make_world()
    build.run()
    assert build.case(stuck).problem["code"] == "bundle"
    assert "ancient@1" in build.case(stuck).problem["words"]


def test_a_wrong_deploy_stores_nothing(world: World) -> None:
    """What was deployed before stays."""
    first = world.deploy(playbook(Z))
    with pytest.raises(SourceError):
        world.deploy(playbook("  z: {end: z, x: y}"))
    with world.database.reading() as reader:
        assert world.library.current(reader).digest == first.digest


def test_a_playbook_of_ten_thousand_lines_is_refused_quickly() -> None:
    """Bounded by stages, values and characters, whichever comes first."""
    many = playbook("\n".join(f"  s{n}: {{end: z}}" for n in range(10_000)))
    assert "1 to 200 stages" in one_error(many).message
    rules = "\n".join(f"        - {{when: 'n > {n}', add: 1, words: w}}" for n in range(10_000))
    long = playbook(
        "  a:\n    step: score-by-rules@1\n    with:\n      rules:\n" + rules + "\n    next: z\n" + Z,
        head="facts: {n: int}",
    )
    assert "more than 50000 values" in one_error(long).message
    assert one_error("x" * 1_000_001).reason == "too_large"
    assert "Nested deeper" in one_error(playbook("  a: " + "[" * 60 + "]" * 60)).message


def test_read_workspace_is_bounded(tmp_path: Path) -> None:
    """No playbook, a file that is too large, one that is no text: each an error with its place."""
    with pytest.raises(InputError, match="fairlead init"):
        read_workspace(tmp_path)
    (tmp_path / "playbooks").mkdir()
    file = tmp_path / "playbooks" / "p.yaml"
    file.write_bytes(b"playbook: a\n\xff\n")
    with pytest.raises(SourceError) as refused:
        read_workspace(tmp_path)
    assert (refused.value.place.file, refused.value.place.line) == ("playbooks/p.yaml", 2)
    file.write_bytes(b"x" * 1_000_001)
    with pytest.raises(TooLargeError):
        read_workspace(tmp_path)
    file.write_text(playbook(Z))
    for number in range(501):
        (tmp_path / "playbooks" / f"q{number}.yaml").write_text("x")
    with pytest.raises(TooLargeError):
        read_workspace(tmp_path)


def test_an_unknown_playbook_opens_nothing(world: World) -> None:
    """With what was probably meant."""
    world.deploy(playbook(Z))
    with pytest.raises(InputError, match="Did you mean 'test'"):
        world.open(playbook="tset")
