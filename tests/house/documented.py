"""What the program has and the docs must name: settings, error codes, commands, routes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fairlead.errors import FairleadError
    from tests.house.tree import Module

HTTP_METHODS = {"get", "post", "put", "patch", "delete"}


def rows_missing(names: Iterable[str], page: str) -> list[str]:
    """Names without a table row of their own on the page: `` | `name` | ``."""
    rows = set(re.findall(r"^\| *`([^`]+)`", page, flags=re.MULTILINE))
    return sorted(set(names) - rows)


def words_missing(names: Iterable[str], page: str) -> list[str]:
    """Names that stand nowhere on the page as code."""
    return [name for name in names if not re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", page)]


def error_classes(root: type[FairleadError]) -> Iterator[type[FairleadError]]:
    """The whole tree of errors, root first."""
    yield root
    for child in root.__subclasses__():
        yield from error_classes(child)


def commands(group: Any, prefix: str) -> Iterator[str]:
    """Every visible command that runs something, as it is typed: `fairlead audit verify`."""
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "hidden", False):
            continue
        typed = f"{prefix} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, typed)
        else:
            yield typed


def routes(modules: dict[str, Module], below: str = "/v1/") -> Iterator[str]:
    """`METHOD /path` of each route below the prefix, read from the decorators and their routers' prefixes."""
    for module in modules.values():
        prefixes = _router_prefixes(module.tree)
        for node in ast.walk(module.tree):
            for decorator in getattr(node, "decorator_list", []):
                if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
                    continue
                path = _text(decorator.args[0]) if decorator.args else None
                if decorator.func.attr in HTTP_METHODS and path is not None:
                    whole = prefixes.get(ast.unparse(decorator.func.value), "") + path
                    if whole.startswith(below):
                        yield f"{decorator.func.attr.upper()} {whole}"


def _router_prefixes(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if ast.unparse(node.value.func).split(".")[-1] != "APIRouter":
                continue
            prefix = next((_text(one.value) for one in node.value.keywords if one.arg == "prefix"), "") or ""
            found |= {ast.unparse(target): prefix for target in node.targets}
    return found


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
