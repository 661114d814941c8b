"""What may stand in a file at all: addresses, machine paths, and calls that belong to one room."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.house.imports import imports_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.house.tree import Module

ADDRESS = re.compile(r"https?://|(index-url|find-links|resolved|registry|trusted-host) *[=:\" ]|--index\b")
DOWNLOAD = re.compile(r"(index-url|find-links|resolved|registry) *[=:\"]|https?://[^ ]+\.(whl|tar\.gz)")
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_./-])/((home|root|Users)/[A-Za-z0-9_]|work/(main|shared|brief)\b)")
LOCK_ENDINGS = {".txt", ".toml", ".lock", ".in"}

MADE_UP = {f"fairlead.testing.{name}" for name in ("company", "company_words", "companies", "leaks", "past", "teams")}
DEMO_MODULES = {"fairlead.commands.demoing", "fairlead.commands.serving"}

TRANSACTION_ROOMS = {"kit", "jobs", "api", "console", "widget", "testing", "app", "worker", "commands", "cli"}
# engine.py and io_steps.py are the inside of the chunk job: each chunk is several transactions on purpose.
# courier.py is that of the outbox: a message is allowed in a transaction of its own, right before it leaves.
TRANSACTION_FILES = {"jobs.py", "api.py", "pages.py", "engine.py", "courier.py", "io_steps.py"}


def addresses(files: Iterable[Path], root: Path) -> list[str]:
    """Lines of requirement and lock files that name an index, and of requirement files that name any URL."""
    found = []
    for path in files:
        if path.suffix not in LOCK_ENDINGS and path.name != "package-lock.json":
            continue
        pattern = ADDRESS if "requirements" in path.relative_to(root).parts else DOWNLOAD
        found += _matches(path, root, pattern)
    return found


def machine_paths(files: Iterable[Path], root: Path) -> list[str]:
    """Lines that name a folder of one person's machine."""
    return [place for path in files for place in _matches(path, root, MACHINE_PATH)]


def _matches(path: Path, root: Path, pattern: re.Pattern[str]) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:  # a picture or a font
        return []
    return [f"{path.relative_to(root)}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]


def stray_commits(modules: dict[str, Module]) -> list[str]:
    """Only the unit of work in `kit` commits."""
    return [place for module in modules.values() if module.room != "kit" for place in _calls(module, "commit")]


def stray_transactions(modules: dict[str, Module]) -> list[str]:
    """Services take a unit of work; only the edges open one."""
    return [
        place
        for module in modules.values()
        if module.room not in TRANSACTION_ROOMS and module.path.name not in TRANSACTION_FILES
        for place in _calls(module, "transaction")
    ]


def stray_engine(modules: dict[str, Module]) -> list[str]:
    """DBOS is imported in `jobs` alone."""
    found = []
    for module in modules.values():
        if module.room == "jobs":
            continue
        for node in ast.walk(module.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found += [module.at(node) for name in names if name.split(".")[0] == "dbos"]
    return found


def known_truth(modules: dict[str, Module]) -> list[str]:
    """What the made-up company knows of its leads is read by tests, benches and the demo, never by the product."""
    return [
        f"{module.at(node)}: only the demo may import {target}"
        for module in modules.values()
        if module.room != "testing" and module.name not in DEMO_MODULES
        for node, target in imports_of(module, modules)
        if target in MADE_UP
    ]


def impure_models(modules: dict[str, Module]) -> list[str]:
    """`model.py` decides on what it is given: no SQL, no store, no reading of the clock."""
    found = []
    for module in modules.values():
        if module.path.name != "model.py":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and "sqlalchemy" in ast.unparse(node):
                found.append(f"{module.at(node)}: SQL in a model")
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "datetime.now",
                "datetime.utcnow",
                "time.time",
            }:
                found.append(f"{module.at(node)}: a model reads the clock")
        found += [
            f"{module.at(node)}: a model imports {target}"
            for node, target in imports_of(module, modules)
            if target.split(".")[-1] in {"store", "tables", "service"}
        ]
    return found


def _calls(module: Module, method: str) -> list[str]:
    return [
        module.at(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]
