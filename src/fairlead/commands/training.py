"""train, score: learning a lead score from past leads, its versions, and why a lead has the score it has."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    opened,
    operator,
    reading,
    say,
    says_errors,
    settings_of,
    words,
    writing,
)
from fairlead.commands.voided import proposers_now, voided
from fairlead.errors import InputError
from fairlead.kit.clock import iso
from fairlead.sales import open_lead_file, read_history
from fairlead.sales.past_leads import IDENTITY
from fairlead.settings import load_settings
from fairlead.understanding import (
    History,
    export_model,
    import_model,
    list_models,
    load_model,
    models_key,
    register,
    require_name,
    use_model,
)
from fairlead.worker import Runtime

SCORE_NAME = "lead-score"

training = typer.Typer(name="train", help="Learn a score from what became of past leads.", no_args_is_help=True)
score = typer.Typer(name="score", help="Trained scores: versions, and why a lead is scored so.", no_args_is_help=True)

History_ = Annotated[
    Path, typer.Option("--input", "-i", help="Past leads: CSV, Parquet or JSON lines, one lead per row.")
]
Columns = list[str] | None


@training.command("lead-score")
@says_errors
def train_lead_score(  # noqa: PLR0913  one argument per option
    *,
    file: History_,
    outcome: Annotated[str, typer.Option(help="The column that says what became of each lead.")],
    time: Annotated[
        str | None, typer.Option(help="The moment of the decision: then the future is judged by the past.")
    ] = None,
    positive: Annotated[str, typer.Option(help="Which outcome counts as converted; default: guessed.")] = "",
    exclude: Annotated[Columns, typer.Option(help="A column to leave out; repeatable.")] = None,
    include: Annotated[Columns, typer.Option(help="`owner`, or an owner's column, to let in; repeatable.")] = None,
    force_column: Annotated[
        Columns, typer.Option(help="A column to use although it looks like a leak; repeatable.")
    ] = None,
    column_map: Annotated[
        Columns, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column feeds a field; repeatable.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the score; versions count by name.")] = SCORE_NAME,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Learn a score: columns that know the outcome are refused, and every figure is of leads not learnt from.

    The model becomes the next version of its name, and a version is a producer of its own without any grant: people
    decide until it has earned more. Outside of a workspace it is trained and reported, but not kept.
    """
    require_name(name)
    with ExitStack() as stack:
        runtime = _runtime(stack, workspace)
        history = _read(runtime, file, outcome, positive, column_map or [], show=not as_json)
        model = _train(history, name, time, exclude, include, force_column, as_json=as_json)
        stored = None
        if runtime is not None:
            with runtime.database.transaction() as uow:
                stored = register(uow, operator(), _key(runtime), model, note=note)
            runtime.seal()
    result = {
        **model.report, "producer": stored.producer if stored else f"{name}@1", "stored": stored is not None,
        "in_use": stored.in_use if stored else False, "digest": stored.digest if stored else None,
    }  # fmt: skip
    if as_json:
        answer(result)
    else:
        _tell(result)


def _runtime(stack: ExitStack, workspace: Path | None) -> Runtime | None:
    """The workspace's; None where none was named and here is none."""
    if workspace is None and not (load_settings().workspace / "playbooks").is_dir():
        words.print("here is no workspace (see --workspace): the model is trained and reported, but not kept")
        return None
    return stack.enter_context(opened(workspace))


def _key(runtime: Runtime) -> bytes:
    assert runtime.settings.secret_key is not None  # noqa: S101  an open runtime has its secrets
    return models_key(runtime.settings.secret_key.get_secret_value())


def _read(
    runtime: Runtime | None, file: Path, outcome: str, positive: str, column_map: list[str], *, show: bool
) -> History:
    currency = "EUR"
    if runtime is not None:
        with runtime.database.reading() as reader:
            try:
                currency = runtime.library.current(reader).currency
            except InputError as error:
                if error.reason != "not_deployed":
                    raise
    settings = runtime.settings if runtime is not None else load_settings()
    leads = open_lead_file(file, [*column_map, f"outcome={outcome}"], currency, max_bytes=settings.max_import_bytes)
    with leads.reader, _progress(show=show) as bar:
        task = bar.add_task("reading", total=leads.reader.total_bytes)
        history, unreadable = read_history(
            leads, positive=positive, progress=lambda done: bar.update(task, completed=done)
        )
    if unreadable:
        words.print(f"{unreadable:,} rows could not be read and are left out")
    if history.rows < history.rows_given:
        words.print(f"of {history.rows_given:,} rows a random {history.rows:,} are learnt from")
    return history


def _train(
    history: History, name: str, time: str | None, exclude: Columns, include: Columns, force: Columns, *, as_json: bool
) -> Any:
    from fairlead.understanding.columns import Choice  # noqa: PLC0415  needs numpy
    from fairlead.understanding.training import Plan, require_enough, train  # noqa: PLC0415  takes seconds to load

    choice = Choice(
        time=time, exclude=frozenset(exclude or ()), include=frozenset(include or ()),
        force=frozenset(force or ()), identity=IDENTITY,
    )  # fmt: skip
    plan = Plan(name, choice)
    try:
        require_enough(history, plan)
    except InputError as error:
        if as_json:
            answer({"trained": False, "producer": None, **error.as_dict()})
        raise
    words.print(f"learning from {history.rows:,} leads, {sum(history.outcome):,} of them converted …")
    return train(history, plan)


def _progress(*, show: bool) -> Progress:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeRemainingColumn(), console=words, disable=not show)


def _tell(result: dict[str, Any]) -> None:
    def interval(name: str) -> str:
        low, high = result[f"{name}_interval"]
        return f"{result[name]:.3f} ({low:.3f} to {high:.3f})"

    say(
        f"{result['producer']}: AUC {interval('auc')}, Brier {interval('brier')} (the average alone: "
        f"{result['brier_of_average']:.3f}), best tenth converts {interval('lift_10')} times the average"
    )
    say(f"judged on {result['validated_on']:,} leads that were not learnt from ({result['validation']})")
    say(f"used: {', '.join(result['columns_used'])}")
    for one in result["columns_refused"]:
        say(f"{'doubtful' if one.get('forced') else 'refused'}: {one['column']}: {one['why']}")
    if not result["useful"]:
        say("it tells no more than chance does: these columns say nothing about the outcome, rules score better")
    if not result["stored"]:
        say("not kept: name a workspace to keep it")
    elif result["in_use"]:
        say(f"{result['producer']} scores from now on where a playbook names it; without a grant it is in shadow")
    else:
        say(
            f"kept, not in use: `fairlead score use {result['producer']}` takes it. It is a producer of its own: "
            "without a grant it starts in shadow, and people decide"
        )


@score.command("explain")
@says_errors
def score_explain(
    lead: Annotated[str, typer.Argument(help="Id of the lead, or of its case.")],
    *,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Why a lead has the points it has: what its average is, what each column adds, and how such leads ended."""
    from fairlead.api.scores import score_of  # noqa: PLC0415  the web framework would slow every other command down

    with reading(workspace) as (_, reader):
        found = score_of(reader, lead, to_person=False)
    if as_json:
        answer(found.model_dump(mode="json"))
        return
    graded = f", grade {found.grade}" if found.grade else ""
    made = f" at {iso(found.scored_at)}" if found.scored_at else ""
    say(f"{found.points or 0:g} points{graded}, by {found.producer or 'rules'}{made}")
    for reason in found.reasons:
        say(f"{reason.add:+7.1f}  {reason.words}")
    say(f"{found.points or 0:7.1f}  in all")
    for line in (found.like_this.words if found.like_this else None, found.note):
        if line:
            say(line)


@score.command("models")
@says_errors
def score_models(
    *,
    name: Annotated[str | None, typer.Option(help="Only of this name.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Versions with how well they did, newest first; the one in use is marked."""
    with reading(workspace) as (_, reader):
        found = list_models(reader, name)
    if as_json:
        answer({"models": found})
        return
    for one in found:
        report = one["report"]
        mark = f"  in use since {iso(one['used_since'])}" if one["in_use"] else ""
        say(
            f"{one['producer']}  AUC {report['auc']:.3f}  Brier {report['brier']:.3f}  {report['rows']:,} leads  "
            f"{one['origin']} {iso(one['made_at'])} by {one['made_by']}{mark}"
        )
    if not found:
        say("no models: leads are scored by rules; `fairlead train lead-score` makes one")


@score.command("use")
@says_errors
def score_use(
    producer: Annotated[str, typer.Argument(help="name@version, from `fairlead score models`.")],
    *,
    workspace: Workspace = None,
) -> None:
    """Score with this version from now on, a former one included."""
    with writing(workspace) as (runtime, uow):
        load_model(uow, _key(runtime), producer)
        before = proposers_now(uow, runtime.library)
        use_model(uow, operator(), producer)
        void = voided(uow, before, proposers_now(uow, runtime.library))
    for one in void:
        words.print(one.words(), markup=False)
    say(f"{producer} scores from now on; it may decide only what its own grants allow, without one it is in shadow")


@score.command("export")
@says_errors
def score_export(
    producer: Annotated[str, typer.Argument(help="name@version.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that does not exist yet.")],
    workspace: Workspace = None,
) -> None:
    """Write a version to a file of plain data, and print its digest."""
    with reading(workspace) as (runtime, reader):
        text, digest = export_model(reader, _key(runtime), producer)
    try:
        with output.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise InputError(f"{output} exists already; give another name") from None
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}") from None
    say(f"wrote {producer} to {output}; digest {digest}")


@score.command("import")
@says_errors
def score_import(
    file: Annotated[Path, typer.Argument(help="What `fairlead score export` wrote.")],
    *,
    digest: Annotated[
        str | None, typer.Option(help="The digest that the exporter printed; for another installation's file.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Take in an exported version as the next of its name; a changed or foreign file is refused."""
    settings_of(workspace)
    try:
        contents = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", code="not_readable") from None
    with writing(workspace) as (runtime, uow):
        stored = import_model(uow, operator(), _key(runtime), contents, digest)
    say(f"{file} is {stored.producer} here" + (" and in use" if stored.in_use else "; `fairlead score use` takes it"))
