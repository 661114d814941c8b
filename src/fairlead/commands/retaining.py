"""retention: how long what is kept, what is due to go, and letting it go."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, reading, say, says_errors, words
from fairlead.errors import InputError
from fairlead.kit.unit_of_work import Reader
from fairlead.retention import CLASSES, DEFAULT, FILE, RetentionRules, carry_out, preview, rules_among
from fairlead.worker import Runtime

retention = typer.Typer(name="retention", help="How long data is kept.", no_args_is_help=True)


def _rules(runtime: Runtime, reader: Reader) -> RetentionRules:
    try:
        return rules_among(runtime.library.current(reader).files)
    except InputError as error:
        if error.reason != "not_deployed":
            raise
        return DEFAULT


@retention.command("show")
@says_errors
def show(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show every class of data and how long it is kept."""
    with reading(workspace) as (runtime, reader):
        rules = _rules(runtime, reader)
    lines = [
        {
            "class": one.name, "words": one.words,
            "days": rules.keep[one.name].days if one.name in rules.keep else None,
            "least_days": one.least.days, "held_by": list(one.held),
        }
        for one in CLASSES.values()
    ]  # fmt: skip
    if as_json:
        flags, ends = sorted(rules.hold_flags), sorted(rules.qualified)
        answer({"is_default": rules.is_default, "hold_flags": flags, "qualified": ends, "classes": lines})
        return
    if rules.is_default:
        say(f"The workspace deployed no {FILE}: nothing goes by itself but what is named below.")
    for line in lines:
        kept = "until erased" if line["days"] is None else f"{line['days']} days"
        say(f"  {line['class']}: {kept}. {line['words']}")
    say(f"Flags that hold everything of a customer: {', '.join(sorted(rules.hold_flags))}.")


@retention.command("preview")
@says_errors
def preview_command(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Count the rows that would go now, and those that are old enough and stay, by reason; nothing is changed."""
    with reading(workspace) as (runtime, reader):
        found = preview(reader, _rules(runtime, reader), runtime.database.clock.now())
    if as_json:
        answer({"classes": [
            {
                "class": one.name, "going": one.going, "staying": dict(one.staying),
                "days": one.keeping.counted.days, "declared_days": one.keeping.period.days,
            }
            for one in found
        ]})  # fmt: skip
        return
    for one in found:
        longer = f" instead of {one.keeping.period.days}, since {one.keeping.because}"
        kept = f"{one.keeping.counted.days} days{longer if one.keeping.counted > one.keeping.period else ''}"
        say(f"  {one.name} (kept {kept}): {one.going:,} would go{_staying(one.staying)}")
    say("Nothing was changed. Let it go with: fairlead retention run")


def _staying(reasons: Mapping[str, int]) -> str:
    return "".join(f", {count:,} stay ({reason})" for reason, count in sorted(reasons.items()))


@retention.command("run")
@says_errors
def run(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Let everything go that is due, in transactions of 500 rows; the worker does the same by itself every hour."""
    with opened(workspace) as runtime:
        with runtime.database.reading() as reader:
            rules = _rules(runtime, reader)
        gone = carry_out(
            runtime.database, rules, whole=True,
            progress=lambda name, rows: words.print(f"{name}: {rows:,}", markup=False),
        )  # fmt: skip
        runtime.seal()
    if as_json:
        answer({"gone": dict(gone)})
        return
    say(", ".join(f"{name}: {rows:,}" for name, rows in gone.items() if rows) or "Nothing was due.")
