"""test, explain, schema, graph: what a playbook would do, what it did, and what it looks like."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, say, says_errors, settings_of, words
from fairlead.connectors import registry
from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.kit.words import counted
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import (
    SCHEMAS,
    StepRegistry,
    check_files,
    describe,
    graph_of,
    lay_out,
    mermaid,
    read_workspace,
    svg,
)
from fairlead.sales import assignment_of
from fairlead.testing.rehearsal import Outcome, rehearser_for
from fairlead.testing.rehearsal_files import parse_tests, read_tests
from fairlead.testing.rehearsal_judging import Coverage, coverage
from fairlead.worker import CHECKS, STEPS

MAX_NEVER_SHOWN = 40
_WORDS = {
    "stage": "stages never reached",
    "way": "branches never taken",
    "interrupt": "interrupts never met",
    "territory": "territories never used",
    "score rule": "score rules never hit",
    "rule": "rules never hit",
    "segment": "segments never used",
}
Only = Annotated[str | None, typer.Option("--only", help="Only test cases whose name contains this.")]


class GraphFormat(StrEnum):
    """How `fairlead graph` writes."""

    MERMAID = "mermaid"
    SVG = "svg"


class SchemaName(StrEnum):
    """The kinds of file that have a schema."""

    PLAYBOOK = "playbook"
    POLICY = "policy"


@says_errors
def rehearse(
    *,
    workspace: Workspace = None,
    only: Only = None,
    min_coverage: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Fail when less than this percentage of the workspace was touched."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the test cases of `tests/*.yaml`; exit status 1 when one fails. Touches no database and sends nothing."""
    folder = settings_of(workspace).workspace
    began = time.perf_counter()
    files = read_workspace(folder)
    with rehearser_for(files, StepRegistry(STEPS, CHECKS), frozenset(registry)) as rehearser:
        rehearsals, errors = parse_tests(read_tests(folder), rehearser.bundle)
        if errors:
            for error in errors[:-1]:
                words.print(error.message, markup=False)
            raise errors[-1]
        wanted = [one for one in rehearsals if only is None or only in one.name]
        if not wanted:
            raise InputError(f"No test case's name contains {only!r}.", code="no_tests")
        outcomes = [rehearser.run(one) for one in wanted]
        covered = coverage(rehearser.bundle, [one.seen for one in outcomes])
    failed = [one for one in outcomes if not one.passed]
    short = min_coverage is not None and covered.share * 100 < min_coverage
    if as_json:
        answer(_report(outcomes, covered, time.perf_counter() - began))
    else:
        _tell(outcomes, covered, time.perf_counter() - began, whole=only is None)
        if short:
            say(f"coverage {covered.share:.0%} is below {min_coverage:g} %")
    if failed or short:
        raise typer.Exit(1)


def _report(outcomes: list[Outcome], covered: Coverage, seconds: float) -> dict[str, Any]:
    cases = [
        {
            "name": one.rehearsal.name,
            "file": one.rehearsal.place.file,
            "line": one.rehearsal.place.line,
            "playbook": one.rehearsal.playbook,
            "passed": one.passed,
            "differences": one.differences,
        }
        for one in outcomes
    ]
    never = [{"kind": kind, "in": place, "name": name} for kind, place, name in covered.never]
    return {
        "passed": sum(one.passed for one in outcomes),
        "failed": sum(not one.passed for one in outcomes),
        "seconds": round(seconds, 3),
        "cases": cases,
        "coverage": {"share": round(covered.share, 4), "hit": covered.hit, "total": covered.total, "never": never},
    }


def _tell(outcomes: list[Outcome], covered: Coverage, seconds: float, *, whole: bool) -> None:
    """Every case on a line, what no case touched, and last what failed: a terminal shows the end of it."""
    for one in outcomes:
        say(f"{'pass' if one.passed else 'FAIL'}  {one.rehearsal.name}")
    _tell_coverage(covered, whole=whole)
    failed = [one for one in outcomes if not one.passed]
    for one in failed:
        say(f"FAIL  {one.rehearsal.name}")
        say(f"      {one.rehearsal.place}")
        for difference in one.differences:
            say(f"      {difference}")
    say(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed in {seconds:.1f} s, coverage {covered.share:.0%}")


def _tell_coverage(covered: Coverage, *, whole: bool) -> None:
    parts = f"{covered.hit} of {covered.total}"
    say(f"coverage {covered.share:.0%} ({parts} stages, branches, territories, rules, segments and interrupts)")
    for kind, label in _WORDS.items() if whole else ():
        names = [f"{place}: {name}" for one, place, name in covered.never if one == kind]
        if names:
            say(f"  {label}")
        for name in names[:MAX_NEVER_SHOWN]:
            say(f"    {name}")
        if len(names) > MAX_NEVER_SHOWN:
            say(f"    and {len(names) - MAX_NEVER_SHOWN} more; --json has all")


@says_errors
def explain(
    case_id: Annotated[str, typer.Argument(help="The case's id.")],
    *,
    customer: Annotated[
        bool, typer.Option("--for-customer", help="Only the sentences that are fit for the customer.")
    ] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """The whole story of a case: stages, rulings with the values read, who decided and why, what it waits for."""
    from fairlead.api.case_story import case_story, for_customer  # noqa: PLC0415  the web framework would slow every other command down
    from fairlead.commands.case_lines import told_in_lines  # noqa: PLC0415

    with opened(workspace) as runtime, runtime.database.reading() as reader:
        now = runtime.database.clock.now()
        if customer:
            told = for_customer(reader, case_id)
            if as_json:
                answer({"case": case_id, "sentences": told})
            else:
                for line in told or ["Nothing has been decided yet."]:
                    say(line)
            return
        story = case_story(reader, runtime.library, case_id, now)
        assigned = None if story.withheld else assignment_of(reader, case_id)
    if as_json:
        answer({**story.model_dump(mode="json"), "assignment": assigned})
        return
    for line in told_in_lines(story, assigned):
        say(line)


@says_errors
def schema(kind: Annotated[SchemaName, typer.Argument(help="Of which kind of file.")]) -> None:
    """Print the JSON Schema of playbook or policy files, for editors."""
    typer.echo(jsons.canonical(SCHEMAS[kind.value]()).decode())


@says_errors
def graph(
    playbook: Annotated[str, typer.Argument(help="The playbook, as it stands in the workspace's files now.")],
    *,
    form: Annotated[GraphFormat, typer.Option("--format", help="What to write.")] = GraphFormat.MERMAID,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")] = None,
    workspace: Workspace = None,
) -> None:
    """Draw a playbook, from the files as they are now."""
    files = read_workspace(settings_of(workspace).workspace)
    bundle, errors = check_files(files, StepRegistry(STEPS, CHECKS), frozenset(registry))
    if bundle is None:
        raise errors[0]
    if playbook not in bundle.playbooks:
        hint = did_you_mean(playbook, bundle.playbooks) or ""
        raise InputError(f"There is no playbook {playbook!r:.80}. {hint}".rstrip(), code="no_playbook")
    book = bundle.playbooks[playbook].playbook
    if form is GraphFormat.MERMAID:
        text = mermaid(graph_of(book))
    else:
        drawing = lay_out(graph_of(book))
        text = svg(drawing, title=f"Playbook {book.name}", description=describe(drawing), standalone=True) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise InputError(message) from None
    say(f"wrote {output}; {counted(len(book.stages), 'stage')}")
