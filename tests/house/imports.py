"""Who may import whom: the order of the rooms, doors, cycles and the budget of siblings."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.house.tree import Module

# Right may import left, never back.
ORDER = (
    "errors", "settings", "client", "kit", "audit", "jobs",
    "people", "customers", "experiments", "guardrails", "retention", "actions", "identity", "connectors",
    "understanding", "checkpoints", "reviews", "evidence", "playbooks", "trials", "alerts", "sales", "service",
    "rights", "insight", "api", "console", "widget", "migrations", "schema", "testing", "worker", "app",
    "commands", "cli", "__main__",
)  # fmt: skip

FEATURES = ORDER[ORDER.index("people") : ORDER.index("insight") + 1]
ROOTS = {
    "schema",
    "app",
    "worker",
    "commands",
    "cli",
    "__main__",
}  # compose everything, so they may look inside
NO_DOOR = {"kit", "testing"}  # a shelf of parts, taken one by one
FREE_SIBLINGS = {"kit", "audit", "jobs", "customers"}
MAX_SIBLINGS = 6


def imports_of(module: Module, modules: dict[str, Module]) -> Iterator[tuple[ast.AST, str]]:
    """Each module of the package this one imports, anywhere in the file, type-checking blocks included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules:
                    yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in modules:
                    yield node, inner
                elif base in modules:
                    yield node, base


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = module.name.split(".")
    drop = node.level - (1 if module.path.name == "__init__.py" else 0)
    folder = folder[: len(folder) - drop]
    return ".".join([*folder, *([node.module] if node.module else [])])


def unknown_rooms(modules: dict[str, Module]) -> list[str]:
    """Rooms that stand in no order yet; a new one has to be given its place here and in the design."""
    rooms = {module.room for module in modules.values()} - {""}
    return [f"{room}: add it to ORDER in tests/house/imports.py" for room in sorted(rooms - set(ORDER))]


def backward_imports(modules: dict[str, Module]) -> list[str]:
    """Imports that go to the right."""
    found = []
    for module in modules.values():
        for node, target in imports_of(module, modules):
            here, there = module.room, modules[target].room
            if here in ORDER and there in ORDER and ORDER.index(there) > ORDER.index(here):
                found.append(f"{module.at(node)}: {here} may not import {there}")
    return found


def past_the_door(modules: dict[str, Module]) -> list[str]:
    """Imports of another feature's inner module instead of its door."""
    found = []
    for module in modules.values():
        if module.room in ROOTS:
            continue
        for node, target in imports_of(module, modules):
            room = modules[target].room
            if room not in {"", module.room} | NO_DOOR and target.count(".") > 1:
                found.append(f"{module.at(node)}: take it from fairlead.{room}, not from {target}")
    return found


def cycles(modules: dict[str, Module]) -> list[str]:
    """Groups of modules that import each other, by Tarjan's strongly connected components."""
    graph = {name: {target for _, target in imports_of(module, modules)} for name, module in modules.items()}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[str] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1 or name in graph[name]:
                found.append(" ↔ ".join(sorted(group)))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def siblings(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Feature → the other features it imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules.values():
        if module.room in FEATURES:
            rooms = {modules[target].room for _, target in imports_of(module, modules)}
            found[module.room] |= {room for room in rooms if room in FEATURES} - {module.room}
    return dict(found)


def mutual_pairs(modules: dict[str, Module]) -> list[str]:
    """Pairs of features that import each other, even where no single module closes a cycle."""
    known = siblings(modules)
    return sorted(f"{a} ↔ {b}" for a in known for b in known[a] if a < b and a in known.get(b, set()))


def too_many_siblings(modules: dict[str, Module]) -> list[str]:
    """Features that import more siblings than the budget, those free for everybody not counted."""
    counted = {room: sorted(others - FREE_SIBLINGS) for room, others in siblings(modules).items()}
    return [
        f"{room} imports {len(others)}: {', '.join(others)}"
        for room, others in counted.items() if len(others) > MAX_SIBLINGS
    ]  # fmt: skip
