"""init, check, deploy: a workspace from nothing to running."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from fairlead.commands.common import (
    AsJson,
    Workspace,
    answer,
    opened,
    operator,
    say,
    says_errors,
    settings_of,
)
from fairlead.connectors import registry
from fairlead.errors import ConflictError
from fairlead.playbooks import StepRegistry, check_files, deploy, read_workspace, rerule_waiting
from fairlead.sales import STEPS
from fairlead.worker import Runtime

_EXAMPLE = (
    "fairlead.toml",
    "playbooks/lead-qualification.yaml",
    "policies/lead-assignment.yaml",
)


def make_workspace(folder: Path, name: str) -> list[str]:
    """Write the example workspace into `folder`; ConflictError when something of it is there already."""
    source = resources.files("fairlead.sales") / "example"
    targets = {path: source / path for path in _EXAMPLE} | {".gitignore": source / "gitignore"}
    taken = [path for path in targets if (folder / path).exists()]
    if taken:
        message = f"{folder} has {taken[0]} already; nothing was written"
        raise ConflictError(message, path=taken[0])
    for path, content in targets.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        text = content.read_text(encoding="utf-8").replace("Example company", re.sub(r'["\\\\]', "", name))
        (folder / path).write_text(text, encoding="utf-8")
    return sorted(targets)


def deploy_here(runtime: Runtime) -> tuple[str, bool]:
    """Deploy the workspace's files as they are now; (digest, whether anything changed)."""
    files = read_workspace(runtime.settings.workspace)
    with runtime.database.transaction() as uow:
        bundle, changed = deploy(uow, runtime.library, operator(), files)
    if changed:
        rerule_waiting(runtime.engine)
    return bundle.digest, changed


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
        digest, _ = deploy_here(runtime)
        runtime.seal()
    say(f"deployed {digest[:12]}; next: fairlead run lead-qualification --workspace {folder} --input FILE")


@says_errors
def check(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Check the workspace's files; says every mistake with its place and a cure."""
    settings = settings_of(workspace)
    files = read_workspace(settings.workspace)
    bundle, errors = check_files(files, StepRegistry(STEPS), frozenset(registry))
    if as_json:
        problems = [error.as_dict() for error in errors]
        answer({"ok": not errors, "files": sorted(files), "errors": problems})
    else:
        for error in errors:
            say(error.message)
        if bundle is not None:
            say(f"{len(files)} files are right: {len(bundle.playbooks)} playbooks, {len(bundle.policies)} policies")
    if errors:
        raise typer.Exit(2)


@says_errors
def deploy_command(*, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Make the workspace's files what new cases use; running cases keep the version that they began with."""
    with opened(workspace) as runtime:
        digest, changed = deploy_here(runtime)
        runtime.seal()
    if as_json:
        answer({"bundle": digest, "changed": changed})
    else:
        say(f"deployed {digest[:12]}" if changed else f"nothing changed; {digest[:12]} is deployed")
