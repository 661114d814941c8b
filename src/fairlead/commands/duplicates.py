"""duplicates: look for customers that are there twice, see what was found, take a merge back."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    opened,
    operator,
    reading,
    say,
    says_errors,
    words,
    writing,
)
from fairlead.customers import names_of
from fairlead.kit.clock import iso
from fairlead.kit.words import counted
from fairlead.playbooks import states_of
from fairlead.sales import Search, SearchProgress, find_duplicates, pair_counts, pairs_page, undo_merge
from fairlead.worker import Runtime, search_duplicates

duplicates = typer.Typer(
    name="duplicates", help="Customers that are there twice: found, decided, taken back.", no_args_is_help=True
)
SETTLE_S = 60.0
_SHOWN = 20
_STATES = ("open", "merged", "different", "gone")


@duplicates.command("find")
@says_errors
def find(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be opened; write nothing.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Cases to open at most; the rest waits.")] = 1_000,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Compare new and changed customers with everybody; each likely pair becomes a case at its checkpoint.

    A pair is asked about once; what a person called different stays so until one of the two changes.
    """
    with opened(workspace) as runtime:
        say_progress = _progress(quiet=as_json)
        found = find_duplicates(
            runtime.database, runtime.library, operator(), dry_run=dry_run, limit=limit, progress=say_progress
        )
        if found.opened:
            settle(runtime, found.opened)
        runtime.seal()
    if as_json:
        answer(found.as_dict())
        return
    for line in summary(found):
        say(line)


def _progress(*, quiet: bool) -> Any:
    last = [time.monotonic()]

    def tell(what: str, done: int, total: int) -> None:
        if quiet or time.monotonic() - last[0] < 1.0:
            return
        last[0] = time.monotonic()
        words.print(f"{what} {done:,}" + (f" of {total:,}" if total else ""), markup=False)

    return tell


def settle(runtime: Runtime, case_ids: list[str]) -> None:
    """Move freshly opened cases to where they rest, for at most a minute; a server would go on from there."""
    runtime.start()
    try:
        wait_for(runtime, case_ids)
    finally:
        runtime.dispatcher.stop(10.0)
        runtime.runner.stop(30.0)


def wait_for(runtime: Runtime, case_ids: list[str]) -> None:
    """Wait, for at most a minute, until none of these cases is ready to go on."""
    until = time.monotonic() + SETTLE_S
    left = list(case_ids)
    while left and time.monotonic() < until:
        runtime.dispatcher.wake()
        time.sleep(0.1)
        with runtime.database.reading() as reader:
            states = states_of(reader, left[:500])
        left = [one for one in left if states.get(one, "ready") == "ready"]


def after_import(runtime: Runtime, progress: SearchProgress) -> None:
    """What an import asked for, said in a line; for a runtime that is running and whose search is held."""
    found = search_duplicates(runtime, progress)
    if found is not None and found.opened:
        wait_for(runtime, found.opened)
        pairs = counted(len(found.opened), "pair of customers looks", "pairs of customers look")
        words.print(f"{pairs} like duplicates; see Duplicates on the desk", markup=False)


def summary(found: Search) -> list[str]:
    """What a search did, in lines."""
    colleagues = f", {found.same_company:,} of one company but not one" if found.same_company else ""
    first = (
        f"{found.customers:,} customers, {found.fresh:,} new or changed, {counted(found.compared, 'pair')} compared "
        f"in {found.seconds:.1f} s: {found.sure:,} sure, {found.unsure:,} unsure{colleagues}"
    )
    lines = [first]
    for one in found.pairs[:_SHOWN]:
        told = ", ".join(f"{reason['add']:+.2f} {reason['words']}" for reason in one["reasons"])
        lines.append(f"  {one['score']:.2f}  {one['names'][0]}  =  {one['names'][1]}: {told}")
    if len(found.pairs) > _SHOWN:
        lines.append(f"  … and {len(found.pairs) - _SHOWN:,} more; --json prints up to 200")
    opened_now = f"{counted(len(found.opened), 'case')} opened"
    if found.dry_run:
        opened_now = "a dry run: nothing was written"
    rest = [
        f"{found.known:,} known already" if found.known else "",
        f"{found.implied:,} follow from others" if found.implied else "",
        f"{found.waiting:,} wait for the next search" if found.waiting else "",
        f"{found.left:,} customers are left for the next search" if found.left else "",
    ]
    lines.append("; ".join([opened_now, *filter(None, rest)]))
    if found.blocks_passed_over:
        largest = ", ".join(
            f"{key.partition(':')[2]} ({size:,})" for key, size in list(found.largest_blocks.items())[:3]
        )
        lines.append(f"{counted(found.blocks_passed_over, 'key')} too many records share told nothing: {largest}")
    return lines


@duplicates.command("list")
@says_errors
def list_pairs(
    *,
    state: Annotated[str | None, typer.Option(help="open, merged, different or gone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Pairs that were found, newest first."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(_STATES)}")
    with reading(workspace) as (_, reader):
        rows = pairs_page(reader, state, None, limit)
        names = names_of(reader, sorted({one for row in rows for one in (row.left_id, row.right_id)}))
        counts = pair_counts(reader)
    if as_json:
        keys = ("id", "left_id", "right_id", "relation", "score", "band", "reasons", "flags", "state", "case_id",
                "merge_id")  # fmt: skip
        items = [{key: getattr(row, key) for key in keys} | {"found_at": iso(row.found_at)} for row in rows]
        answer({"items": items, "counts": counts})
        return
    for row in rows:
        left, right = (" · ".join(filter(None, names.get(one, ()))) or one for one in (row.left_id, row.right_id))
        merged = f"  {row.merge_id}" if row.merge_id and row.state == "merged" else ""
        say(f"{row.id}  {row.state:9}  {row.score:.2f} {row.band:6}  {left}  =  {right}{merged}")
    if not rows:
        say("no pair was found yet" if state is None else f"no pair is {state}")


@duplicates.command("undo")
@says_errors
def undo(
    merge_id: Annotated[str, typer.Argument(help="The merge's id, mrg_…")],
    *,
    workspace: Workspace = None,
) -> None:
    """Take a merge back: two customers again, each with what it had."""
    with writing(workspace) as (_, uow):
        done = undo_merge(uow, operator(), merge_id)
    say(f"{done.other_id} stands for itself again; {done.survivor_id} keeps what came since")
    for name, count in done.kept_since.items():
        say(f"  {count} {name}")
    for purpose, channel in done.carried:
        say(f"  {purpose} by {channel} was withdrawn meanwhile and stays withdrawn for both")
