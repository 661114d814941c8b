"""experiments: who was drawn into what, and whether that is as the shares say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, reading, say, says_errors
from fairlead.insight import MAX_DAYS, ExperimentReport, report_of, reports
from fairlead.kit.clock import iso

experiments = typer.Typer(name="experiments", help="Experiments and their draws.", no_args_is_help=True)
Days = Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="How far back messages not sent are counted.")]


@experiments.command("list")
@says_errors
def list_experiments(*, days: Days = 90, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show every experiment with its sample-ratio check in a line."""
    with reading(workspace) as (runtime, reader):
        found = reports(reader, runtime.database.clock.now(), days)
    if as_json:
        answer({"items": [_plain(one) for one in found]})
        return
    for one in found:
        say(f"{one.figures.name}: {one.figures.n:,} drawn. {one.figures.check.words}")
    if not found:
        say("no experiment has begun; a holdout in contact.yaml begins one")


@experiments.command("show")
@says_errors
def show(
    name: Annotated[str, typer.Argument(help="The experiment's name, such as contact-holdout.")],
    *,
    days: Days = 90,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show one experiment: arms with intervals, the sample-ratio check, versions, messages not sent."""
    with reading(workspace) as (runtime, reader):
        found = report_of(reader, name, runtime.database.clock.now(), days)
    if as_json:
        answer(_plain(found))
        return
    figures, check = found.figures, found.figures.check
    more = f", {figures.ineligible:,} not eligible" if figures.ineligible else ""
    say(f"{figures.name}: {figures.n:,} drawn{more}, by {figures.unit}")
    for arm in figures.arms:
        share = "nobody yet" if arm.share is None else f"{arm.share:.2%} ({arm.low:.2%} to {arm.high:.2%})"
        say(f"  {arm.name}: n {arm.n:,}, expected {arm.expected:.2%}, found {share}")
    p = "" if check.p_value is None else f" (p {check.p_value:.2g}, {check.method})"
    say(f"sample ratio: {check.words}{p}")
    for one in figures.versions:
        shares = ", ".join(f"{arm} {share:.2%}" for arm, share in one.shares)
        say(f"  since {iso(one.since)}: {shares}; n {one.n:,}. {one.check.words}")
    if found.share_now is not None:
        say("contact.yaml now: " + (f"{found.share_now:.2%} held out" if found.share_now else "nobody is held out"))
    if found.unsent:
        say(f"not sent in {days} days: {found.unsent.messages:,} messages to {found.unsent.customers:,} customers")
        for some in found.unsent.purposes:
            say(f"  {some.purpose}: {some.messages:,} to {some.customers:,}")


def _plain(report: ExperimentReport) -> dict[str, Any]:
    figures, unsent = report.figures, report.unsent
    return {
        **figures._asdict(),
        "arms": [one._asdict() for one in figures.arms],
        "check": figures.check._asdict(),
        "versions": [
            {**one._asdict(), "since": iso(one.since), "shares": dict(one.shares), "check": one.check._asdict()}
            for one in figures.versions
        ],
        "unsent": {
            **unsent._asdict(), "since": iso(unsent.since), "purposes": [one._asdict() for one in unsent.purposes],
        } if unsent else None,
        "share_now": report.share_now,
    }  # fmt: skip
