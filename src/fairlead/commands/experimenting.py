"""experiments: who was drawn into what, and whether that is as the shares say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fairlead.commands.common import AsJson, Workspace, answer, operator, reading, say, says_errors, writing
from fairlead.experiments import Standing, stop_experiment
from fairlead.insight import MAX_DAYS, Comparison, ExperimentReport, report_of, reports
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
        more = f" {one.comparison.words}" if one.comparison else ""
        say(f"{one.figures.name}: {one.figures.n:,} drawn. {one.figures.check.words}{more}")
    if not found:
        say("no experiment has begun; experiments.yaml declares them, and so does a holdout in contact.yaml")


@experiments.command("show")
@says_errors
def show(
    name: Annotated[str, typer.Argument(help="The experiment's name, such as contact-holdout.")],
    *,
    days: Days = 90,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show one experiment: arms with intervals, the sample-ratio check, versions, what came of the arms."""
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
    if found.standing and found.comparison:
        _tell_plan(found.standing)
        _tell_comparison(found.comparison)
    if found.unsent:
        say(f"not sent in {days} days: {found.unsent.messages:,} messages to {found.unsent.customers:,} customers")
        for some in found.unsent.purposes:
            say(f"  {some.purpose}: {some.messages:,} to {some.customers:,}")


@experiments.command("stop")
@says_errors
def stop(
    name: Annotated[str, typer.Argument(help="The experiment's name.")],
    *,
    arm: Annotated[str, typer.Option("--arm", help="The arm that everybody new gets from now on.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Stop an experiment for an arm: everybody new gets it uncounted; who was drawn keeps theirs."""
    with writing(workspace) as (_, uow):
        changed = stop_experiment(uow, operator(), name, arm, reason)
    if as_json:
        answer({"name": name, "winner": arm, "changed": changed})
        return
    say(
        f"{name} is stopped: everybody new gets {arm} and is not counted"
        if changed
        else f"{name} was stopped so before"
    )


def _tell_plan(standing: Standing) -> None:
    plan = standing.plan
    say(
        f"version {plan.version}, {standing.state}, judged by {plan.goal.words}"
        + (f": {plan.words}" if plan.words else "")
    )
    if plan.condition:
        say(f"eligible: {plan.condition}")
    if standing.winner:
        reason = f" ({standing.reason})" if standing.reason else ""
        say(f"stopped {iso(standing.at)} by {standing.by}{reason}: everybody new gets {standing.winner}")


def _tell_comparison(found: Comparison) -> None:
    say(found.words)
    for arm in found.arms:
        rate = "nobody yet" if arm.rate is None else f"{arm.rate:.1%} ({arm.low:.1%} to {arm.high:.1%})"
        say(f"  {arm.name}: {arm.hits:,} of {arm.n:,}, {rate}")
    for one in found.differences:
        verdict = "" if one.clear else "; no difference is shown"
        points = f"{one.value * 100:+.1f} points ({one.low * 100:+.1f} to {one.high * 100:+.1f})"
        say(f"  {one.arm} against {found.against}: {points} at {found.level:.4g}{verdict}")
    if found.open or found.later:
        say(f"  {found.open:,} still have time for the outcome, {found.later:,} came after the reading")


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
        "plan": _plain_plan(report.standing) if report.standing else None,
        "comparison": {
            **report.comparison._asdict(), "check": report.comparison.check._asdict(),
            "arms": [one._asdict() for one in report.comparison.arms],
            "differences": [{**one._asdict(), "clear": one.clear} for one in report.comparison.differences],
        } if report.comparison else None,
    }  # fmt: skip


def _plain_plan(standing: Standing) -> dict[str, Any]:
    plan = standing.plan
    return {
        "version": plan.version, "state": standing.state, "winner": standing.winner, "reason": standing.reason,
        "by": standing.by, "at": iso(standing.at), "words": plan.words, "arms": dict(plan.arms),
        "otherwise": plan.otherwise, "eligible": plan.condition,
        "begins": iso(plan.begins) if plan.begins else None, "ends": iso(plan.ends) if plan.ends else None,
        "outcome": {
            "kind": plan.goal.kind, "names": list(plan.goal.names), "within_s": plan.goal.within.total_seconds(),
        },
        "per_arm": plan.per_arm,
    }  # fmt: skip
