"""What all commands share: the workspace, errors as sentences, JSON or words."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from fairlead.checkpoints import CheckpointPolicy, declared
from fairlead.errors import FairleadError, InputError
from fairlead.kit import jsons
from fairlead.kit.actors import Actor, ActorKind
from fairlead.kit.unit_of_work import Reader, UnitOfWork
from fairlead.schema import create_schema
from fairlead.settings import Settings, load_settings
from fairlead.worker import Runtime, open_runtime

P = ParamSpec("P")
T = TypeVar("T")
_ADDRESS = "desk-address"
_DECLARED = {"deterministic": "deterministic", "stop": "stop: never"}

Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="The workspace's folder; default: here.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]

words = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress and remarks go to standard error, so that standard output stays the answer."""


def says_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Errors of ours become one sentence and exit status 1, 2 for what the caller got wrong."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except FairleadError as error:
            words.print("error", style="bold red", end=" ")
            words.print(error.message, markup=False)
            raise typer.Exit(2 if isinstance(error, InputError) else 1) from None

    return guarded


def settings_of(workspace: Path | None) -> Settings:
    """Settings for a workspace; InputError when the folder is none."""
    settings = load_settings(workspace=workspace)
    if not (settings.workspace / "playbooks").is_dir():
        message = (
            f"{settings.workspace} is not a workspace (it has no playbooks folder); make one with: fairlead init NAME"
        )
        raise InputError(message, code="no_workspace")
    return settings


@contextmanager
def opened(workspace: Path | None, *, durable: bool = False) -> Iterator[Runtime]:
    """The workspace's installation with its schema in place, not started."""
    settings = settings_of(workspace)
    create_schema(settings.database_url)
    with open_runtime(settings, durable=durable) as runtime:
        yield runtime


@contextmanager
def writing(workspace: Path | None) -> Iterator[tuple[Runtime, UnitOfWork]]:
    """The workspace's installation within one transaction, whose rows of the record are sealed once it is committed."""
    with opened(workspace) as runtime:
        with runtime.database.transaction() as uow:
            yield runtime, uow
        runtime.seal()


@contextmanager
def reading(workspace: Path | None) -> Iterator[tuple[Runtime, Reader]]:
    """The workspace's installation as it stands at this moment."""
    with opened(workspace) as runtime, runtime.database.reading() as reader:
        yield runtime, reader


def unsigned_lines(policies: Mapping[str, CheckpointPolicy], names: Iterable[str] | None = None) -> list[str]:
    """A sentence for each of these checkpoints: what it declares in vain, and what to do about it.

    `names` None: all that declare anything, without knowing whether they are signed.
    """
    found = sorted(name for name in policies if declared(policies[name])) if names is None else names
    state = (
        "unless this version is signed, it counts for nothing"
        if names is None
        else "unsigned, it counts for nothing until signed"
    )
    return [
        f"checkpoint {name} declares {' and '.join(_DECLARED[one] for one in declared(policies[name]))}: {state} "
        f"(fairlead policy sign {name} --reason …)"
        for name in found
    ]


def note_desk_address(settings: Settings) -> None:
    """Leave the address that is being served in the data folder, so that links made elsewhere lead there."""
    path = settings.data_dir / _ADDRESS
    try:
        path.write_text(settings.public_url + "\n", encoding="utf-8")
    except OSError as error:
        words.print(f"{path} cannot be written ({error.strerror}); set FAIRLEAD_PUBLIC_URL for links", markup=False)


def desk_address(settings: Settings) -> str:
    """Where people reach the desk: as the settings say, else where it was last served from this data folder."""
    if settings.model_fields_set & {"public_url", "host", "port"}:
        return settings.public_url
    try:
        noted = (settings.data_dir / _ADDRESS).read_text(encoding="utf-8").strip()
        return load_settings(workspace=settings.workspace, public_url=noted or None).public_url
    except (OSError, UnicodeDecodeError, InputError):  # never served, or not by us: the default stands
        return settings.public_url


def operator() -> Actor:
    """Who stands at the command line: the account of the operating system."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(ActorKind.SYSTEM, f"cli:{name}")


def answer(value: Any) -> None:
    """Print JSON on standard output."""
    typer.echo(jsons.dumps(value))


def say(line: str) -> None:
    """Print a line on standard output."""
    typer.echo(line)
