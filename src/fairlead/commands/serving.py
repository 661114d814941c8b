"""serve, worker, demo: processes that stay."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from fairlead.checkpoints import Grant, Level, grants_of, set_grant
from fairlead.commands.common import Workspace, operator, say, says_errors, settings_of, words
from fairlead.commands.people import sign_in_address
from fairlead.commands.running import run_import, take_in
from fairlead.commands.workspaces import deploy_here, make_workspace
from fairlead.errors import UnavailableError
from fairlead.kit.logs import configure_logs
from fairlead.people import add_first_admin, find_person_by_email, issue_sign_in_link
from fairlead.sales import finished_import_of, open_lead_file
from fairlead.schema import create_schema
from fairlead.settings import Settings, load_settings
from fairlead.testing.leads import write_leads
from fairlead.testing.postgres import EmbeddedPostgres
from fairlead.worker import Runtime, open_runtime, work

ADMIN = "admin@localhost.example"
PLAYBOOK = "lead-qualification"
DEMO_LEADS = 600
DEMO_GRANT = timedelta(days=30)
ARRIVAL_S = 8.0
Port = Annotated[int | None, typer.Option(help="TCP port; default 8000.", show_default=False)]
Host = Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.", show_default=False)]


@says_errors
def serve_command(*, workspace: Workspace = None, host: Host = None, port: Port = None) -> None:
    """Serve the desk and the API, and run the engine; one process is enough."""
    settings = settings_of(workspace)
    settings = load_settings(workspace=settings.workspace, host=host, port=port)
    create_schema(settings.database_url)
    with open_runtime(settings) as runtime:
        deploy_here(runtime)
        _greet(runtime)
        _serve(runtime)


@says_errors
def worker_command(*, workspace: Workspace = None) -> None:
    """Run the engine only; start any number against one Postgres."""
    settings = settings_of(workspace)
    create_schema(settings.database_url)
    configure_logs(level=settings.log_level, as_json=settings.log_json)
    words.print(f"working on {settings.workspace}; Ctrl-C stops", markup=False)
    work(settings)


@says_errors
def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where the demo company is kept.")] = Path("demo"),
    port: Port = None,
    postgres: Annotated[bool, typer.Option("--postgres", help="Keep it in a Postgres of its own.")] = False,
    leads: Annotated[int, typer.Option(min=1, max=100_000, help="How many leads wait at the start.")] = DEMO_LEADS,
    arrival_s: Annotated[float, typer.Option(min=0.0, help="Seconds between new leads; 0: none.")] = ARRIVAL_S,
) -> None:
    """A made-up company with a few hundred reviews waiting and more leads arriving."""
    if not (folder / "playbooks").is_dir():
        make_workspace(folder, "Fairlead demo")
    with ExitStack() as stack:
        settings = _demo_settings(stack, folder, port, postgres=postgres)
        create_schema(settings.database_url)
        with open_runtime(settings, durable=False) as runtime:
            deploy_here(runtime)
            _demo_grants(runtime)
            _demo_import(runtime, leads)
        runtime = stack.enter_context(open_runtime(settings))
        _greet(runtime)
        if arrival_s:
            arrivals = threading.Thread(target=_keep_arriving, args=(runtime, arrival_s), name="arrivals", daemon=True)
            arrivals.start()
        _serve(runtime)


def _demo_settings(stack: ExitStack, folder: Path, port: int | None, *, postgres: bool) -> Settings:
    url = None
    if postgres:
        server = stack.enter_context(EmbeddedPostgres(folder.resolve() / ".fairlead" / "postgres"))
        try:
            server.create_database("fairlead")
        except UnavailableError:  # it is there from the last time
            words.print("using the Postgres database of the last demo")
        url = server.url("fairlead")
    return load_settings(workspace=folder, port=port, database_url=url, embedded=True)


def _demo_grants(runtime: Runtime) -> None:
    """What a company might have granted after some months: small deals by themselves, medium ones assisted."""
    with runtime.database.transaction() as uow:
        policy = runtime.library.current(uow).policies["lead-assignment"]
        if grants_of(uow, policy.checkpoint):
            return
        for segment, level, threshold in (("small", Level.AUTO, 0.45), ("medium", Level.ASSIST, None)):
            grant = Grant(
                "",
                policy.checkpoint,
                segment,
                "lead-rules@1",
                level,
                policy.version,
                uow.now + DEMO_GRANT,
                threshold,
            )
            set_grant(uow, operator(), "admin", grant, {"note": "set by hand for the demo; not earned"})


def _demo_import(runtime: Runtime, count: int) -> None:
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "trade-fair-leads.csv"
        write_leads(path, count)
        with runtime.database.reading() as reader:
            bundle = runtime.library.current(reader)
            leads = open_lead_file(path, [], bundle.currency)
            known = finished_import_of(reader, leads.digest, PLAYBOOK) is not None
        with leads.reader:
            if known:
                return
            words.print(f"importing {count} made-up leads …")
            run_import(runtime, bundle, leads, PLAYBOOK, show_progress=True)


def _keep_arriving(runtime: Runtime, every_s: float) -> None:
    """A new lead every few seconds for as long as the process lives, taken in like a row of a file."""
    for number in itertools.count(1):
        time.sleep(every_s)
        with TemporaryDirectory() as scratch, suppress(UnavailableError):
            path = Path(scratch) / f"website-{number}.csv"
            write_leads(path, 1, seed=int(time.time()), start=100_000 + number)
            with runtime.database.reading() as reader:
                bundle = runtime.library.current(reader)
            leads = open_lead_file(path, [], bundle.currency)
            with leads.reader:
                take_in(runtime, bundle, leads, PLAYBOOK, lambda _bytes: None)


def _serve(runtime: Runtime) -> None:
    from fairlead.app import serve  # noqa: PLC0415  the web framework would slow every other command down

    serve(runtime)


def _greet(runtime: Runtime) -> None:
    with runtime.database.transaction() as uow:
        link = add_first_admin(uow, name="Administrator", email=ADMIN)
        if link is None:
            person = find_person_by_email(uow, ADMIN)
            link = issue_sign_in_link(uow, operator(), person.id) if person is not None else None
    base = runtime.settings.public_url
    say(f"The desk is at {base}")
    if link is not None:
        say(f"Sign in once, within 15 minutes: {sign_in_address(base, link.path)}")
    else:
        say("Sign in with a link from: fairlead sign-in EMAIL")
