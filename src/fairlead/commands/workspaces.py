"""init, check, deploy: a workspace from nothing to running."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from fairlead.checkpoints import unsigned
from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    opened,
    operator,
    say,
    says_errors,
    settings_of,
    unsigned_lines,
    words,
)
from fairlead.commands.replaying import rules_line, rules_line_unopened
from fairlead.commands.voided import VoidGrant, proposers, proposers_now, voided
from fairlead.connectors import registry
from fairlead.errors import ConflictError
from fairlead.kit.words import counted
from fairlead.playbooks import StepRegistry, check_files, deploy, read_workspace, rerule_waiting
from fairlead.worker import CHECKS, STEPS, Runtime


def _files_below(folder: Traversable, path: str = "") -> dict[str, Traversable]:
    """Every file of the example by its path in a workspace; what it holds is decided there and nowhere else."""
    found: dict[str, Traversable] = {}
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if one.is_dir():
            found |= {} if one.name == "__pycache__" else _files_below(one, f"{path}{one.name}/")
        elif one.name != "gitignore":
            found[path + one.name] = one
    return found


def make_workspace(folder: Path, name: str) -> list[str]:
    """Write the example workspace into `folder`; ConflictError when something of it is there already."""
    source = resources.files("fairlead.sales") / "example"
    targets = _files_below(source) | {".gitignore": source / "gitignore"}
    taken = [path for path in targets if (folder / path).exists()]
    if taken:
        message = f"{folder} has {taken[0]} already; nothing was written"
        raise ConflictError(message, path=taken[0])
    for path, content in targets.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        text = content.read_text(encoding="utf-8").replace("Example company", re.sub(r'["\\\\]', "", name))
        (folder / path).write_text(text, encoding="utf-8")
    return sorted(targets)


class Deployed(NamedTuple):
    """A deploy: the bundle's digest, whether anything changed, and the grants that it left without effect."""

    digest: str
    changed: bool
    void: list[VoidGrant]


def deploy_here(runtime: Runtime) -> Deployed:
    """Deploy the workspace's files as they are now.

    On standard error: what changed contact rules would have done, and a warning for each grant that is void by it.
    """
    files = read_workspace(runtime.settings.workspace)
    with runtime.database.reading() as reader:
        line = rules_line(reader, runtime.database, files)
    with runtime.database.transaction() as uow:
        before = proposers_now(uow, runtime.library)
        bundle, changed = deploy(uow, runtime.library, operator(), files)
        void = voided(uow, before, proposers(uow, bundle)) if changed else []
    if changed:
        rerule_waiting(runtime.engine)
    for told in [*filter(None, [line]), *(one.words() for one in void)]:
        words.print(told, markup=False)
    return Deployed(bundle.digest, changed, void)


def say_unsigned(runtime: Runtime) -> list[str]:
    """A line on standard error for each deployed checkpoint that declares what nobody signed; their names."""
    with runtime.database.reading() as reader:
        policies = runtime.library.current(reader).policies
        left = unsigned(reader, policies)
    for line in unsigned_lines(policies, left):
        words.print(line, markup=False)
    return left


@says_errors
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; it may exist, but hold no workspace.")],
    *,
    name: Annotated[str | None, typer.Option(help="The company's name; default: the folder's.")] = None,
) -> None:
    """Make a workspace with an example playbook and policy, and deploy it."""
    for path in make_workspace(folder, name or folder.resolve().name):
        say(f"wrote {folder / path}")
    with opened(folder) as runtime:
        digest = deploy_here(runtime).digest
        runtime.seal()
    say(f"deployed {digest[:12]}; next: fairlead run lead-qualification --workspace {folder} --input FILE")


_KINDS = {
    "playbooks": ("playbook", "playbooks"),
    "policies": ("policy", "policies"),
    "forms": ("form", "forms"),
    "messages": ("message template", "message templates"),
    "steps": ("file of own steps", "files of own steps"),
}


def _kinds(files: Iterable[str]) -> list[str]:
    """How many files there are of each folder, and the names of those that are in none: together all of them."""
    folders: dict[str, list[str]] = {}
    for path in sorted(files):
        folders.setdefault(path.partition("/")[0] if "/" in path else "", []).append(path)
    alone = folders.pop("", [])
    first = {name: folders.pop(name) for name in _KINDS if name in folders}
    known = [counted(len(some), *_KINDS[name]) for name, some in first.items()]
    return known + [f"{len(some)} in {name}/" for name, some in folders.items()] + alone


@says_errors
def check(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Check the workspace's files; says every mistake with its place and a cure."""
    settings = settings_of(workspace)
    files = read_workspace(settings.workspace)
    bundle, errors = check_files(files, StepRegistry(STEPS, CHECKS), frozenset(registry))
    line = rules_line_unopened(settings, files) if bundle is not None else None
    notes = [*unsigned_lines(bundle.policies), *filter(None, [line])] if bundle is not None else []
    if as_json:
        problems = [error.as_dict() for error in errors]
        answer({"ok": not errors, "files": sorted(files), "errors": problems, "notes": notes})
    else:
        for error in errors:
            say(error.message)
        if bundle is not None:
            say(f"{counted(len(files), 'file is', 'files are')} right: {', '.join(_kinds(files))}")
            for note in notes:
                say(note)
    if errors:
        raise typer.Exit(2)


@says_errors
def deploy_command(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Make the workspace's files what new cases use; running cases keep the version that they began with."""
    with opened(workspace) as runtime:
        digest, changed, void = deploy_here(runtime)
        left = say_unsigned(runtime)
        runtime.seal()
    if as_json:
        answer({"bundle": digest, "changed": changed, "unsigned": left, "void_grants": [asdict(one) for one in void]})
    else:
        say(f"deployed {digest[:12]}" if changed else f"nothing changed; {digest[:12]} is deployed")
