"""retention: how long what is kept, what is due to go, and letting it go."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from fairlead.commands.common import AsJson, Workspace, answer, opened, reading, say, says_errors, words
from fairlead.commands.duplicates import settle
from fairlead.errors import InputError
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.words import counted
from fairlead.retention import (
    CLASSES,
    DEFAULT,
    FILE,
    RetentionRules,
    carry_out,
    inactive_counts,
    preview,
    rules_among,
)
from fairlead.rights import read_request
from fairlead.worker import Runtime
from fairlead.worker.inactive import propose_inactive

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
    silence = rules.inactive
    if as_json:
        flags, ends = sorted(rules.hold_flags), sorted(rules.qualified)
        asked = silence and {
            "days": silence.after.days, "at_once": silence.at_once, "again_days": silence.again.days,
        }  # fmt: skip
        answer({
            "is_default": rules.is_default, "hold_flags": flags, "qualified": ends, "classes": lines,
            "inactive_customers": asked,
        })  # fmt: skip
        return
    if rules.is_default:
        say(f"The workspace deployed no {FILE}: nothing goes by itself but what is named below.")
    for line in lines:
        kept = "until erased" if line["days"] is None else f"{line['days']} days"
        say(f"  {line['class']}: {kept}. {line['words']}")
    if silence is None:
        say("  inactive_customers: nobody is proposed for erasure.")
    else:
        say(f"  inactive_customers: proposed to a person after {silence.after.days} days, {silence.at_once} at a time.")
    say(f"Flags that hold everything of a customer: {', '.join(sorted(rules.hold_flags))}.")


@retention.command("preview")
@says_errors
def preview_command(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Count the rows that would go now, and those that are old enough and stay, by reason; nothing is changed."""
    with reading(workspace) as (runtime, reader):
        rules, now = _rules(runtime, reader), runtime.database.clock.now()
        found = preview(reader, rules, now)
        silent = inactive_counts(reader, rules.inactive, rules.hold_flags, now) if rules.inactive else None
    if as_json:
        proposed = None if silent is None else {"proposed": silent.pop("", 0), "staying": silent}
        answer({"inactive_customers": proposed, "classes": [
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
    if silent is not None:
        say(f"  inactive_customers: {silent.pop('', 0):,} to be proposed for erasure{_staying(silent)}")
    say("Nothing was changed. Let it go with: fairlead retention run")


def _staying(reasons: Mapping[str, int]) -> str:
    return "".join(f", {count:,} stay ({reason})" for reason, count in sorted(reasons.items()))


@retention.command("run")
@says_errors
def run(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Let everything go that is due, in transactions of 500 rows; the worker does the same by itself every hour.

    Inactive customers are only proposed: their cases wait at the desk.
    """
    with opened(workspace) as runtime:
        with runtime.database.reading() as reader:
            rules = _rules(runtime, reader)
        gone = carry_out(
            runtime.database, rules, whole=True,
            progress=lambda name, rows: words.print(f"{name}: {rows:,}", markup=False),
        )  # fmt: skip
        proposed = _propose(runtime, rules)
        if proposed:
            settle(runtime, proposed)
        runtime.seal()
    if as_json:
        answer({"gone": dict(gone), "proposed": len(proposed)})
        return
    say(", ".join(f"{name}: {rows:,}" for name, rows in gone.items() if rows) or "Nothing was due.")
    if proposed:
        say(f"{counted(len(proposed), 'inactive customer')} proposed for erasure; a person decides at the desk.")


def _propose(runtime: Runtime, rules: RetentionRules) -> list[str]:
    """Look through all customers; the cases of what was proposed."""
    if rules.inactive is None:
        return []
    with runtime.database.reading() as reader:
        bundle = runtime.library.current(reader)
    made, after = propose_inactive(runtime.database, bundle, rules)
    while after is not None:
        more, after = propose_inactive(runtime.database, bundle, rules, after)
        made += more
    with runtime.database.reading() as reader:
        return [str(read_request(reader, one).case_id) for one in made]
