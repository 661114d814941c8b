"""serve, worker, demo: processes that stay."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.common import Workspace, note_desk_address, operator, say, says_errors, settings_of, words
from fairlead.commands.demoing import Travel, fill_before, fill_while_open
from fairlead.commands.people import sign_in_address
from fairlead.commands.workspaces import deploy_here, make_workspace
from fairlead.errors import InputError, UnavailableError
from fairlead.kit.logs import configure_logs
from fairlead.people import add_first_admin, find_person_by_email, issue_sign_in_link
from fairlead.playbooks import read_workspace
from fairlead.schema import create_schema
from fairlead.settings import Settings, load_settings
from fairlead.testing.clock import TravelClock
from fairlead.testing.postgres import EmbeddedPostgres
from fairlead.worker import Runtime, open_runtime, work

ADMIN = "admin@localhost.example"
DEMO_LEADS = 600
DEMO_WEEKS = 6
DEMO_NAME = "Fairlead demo"
DEMO_FOLDER = Path("demo")
ARRIVAL_S = 8.0
STOP_FILLING_S = 10.0
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
        _serve(runtime, lambda: _greet(runtime))


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
    folder: Annotated[Path, typer.Option(help="Where the demo company is kept.")] = DEMO_FOLDER,
    port: Port = None,
    postgres: Annotated[bool, typer.Option("--postgres", help="Keep it in a Postgres of its own.")] = False,
    leads: Annotated[int, typer.Option(min=1, max=100_000, help="How many leads wait at the start.")] = DEMO_LEADS,
    weeks: Annotated[
        int, typer.Option(min=0, max=104, help="How many weeks it has been at work; 0: none.")
    ] = DEMO_WEEKS,
    arrival_s: Annotated[float, typer.Option(min=0.0, help="Seconds between new leads; 0: none.")] = ARRIVAL_S,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what an earlier demo stored here.")] = False,
) -> None:
    """A made-up company with a few hundred reviews waiting and more leads arriving."""
    if fresh and (folder / ".fairlead").exists():
        _forget_demo(folder)
    if not (folder / "playbooks").is_dir():
        make_workspace(folder, DEMO_NAME)
    with ExitStack() as stack:
        settings = _demo_settings(stack, folder, port, postgres=postgres)
        create_schema(settings.database_url)
        travel = Travel(settings, weeks)
        clock = TravelClock(travel.now_at)
        with open_runtime(settings, durable=False, clock=clock) as runtime:
            fill_before(runtime, clock, travel, leads)
        runtime = stack.enter_context(open_runtime(settings))
        stop = threading.Event()
        filling = threading.Thread(
            target=fill_while_open, args=(runtime, leads, arrival_s, stop), name="demo", daemon=True
        )

        def ready() -> None:
            _greet(runtime)
            elsewhere = "" if folder == DEMO_FOLDER else f"--folder {folder} "
            say(f"This demo is kept in {folder.resolve()}; to begin anew: fairlead demo {elsewhere}--fresh")
            filling.start()

        try:
            _serve(runtime, ready)
        finally:
            stop.set()
            if filling.ident is not None:
                filling.join(STOP_FILLING_S)


def _forget_demo(folder: Path) -> None:
    """Delete the demo's database, keys and record; InputError for a folder that no demo made.

    Playbooks and policies stay as they are, changed or not.
    """
    files = read_workspace(folder) if (folder / "playbooks").is_dir() else {}
    if f'name = "{DEMO_NAME}"' not in files.get("fairlead.toml", ""):
        message = f"{folder} was not made by fairlead demo, so nothing of it is thrown away"
        raise InputError(message, code="not_a_demo")
    data = folder / ".fairlead"
    try:
        shutil.rmtree(data)
    except OSError as error:
        message = f"{data} cannot be thrown away: {error.strerror}"
        raise UnavailableError(message) from None
    words.print(f"threw away {data}", markup=False)


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


def _serve(runtime: Runtime, ready: Callable[[], None]) -> None:
    from fairlead.app import serve  # noqa: PLC0415  the web framework would slow every other command down

    serve(runtime, ready)


def _greet(runtime: Runtime) -> None:
    with runtime.database.transaction() as uow:
        link = add_first_admin(uow, name="Administrator", email=ADMIN)
        if link is None:
            person = find_person_by_email(uow, ADMIN)
            link = issue_sign_in_link(uow, operator(), person.id) if person is not None else None
    base = runtime.settings.public_url
    note_desk_address(runtime.settings)
    say(f"The desk is at {base}")
    if link is not None:
        say(f"Sign in once, within 15 minutes: {sign_in_address(base, link.path)}")
    else:
        say("Sign in with a link from: fairlead sign-in EMAIL")
