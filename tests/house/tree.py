"""The source tree as the checks of the house see it: parsed files with their dotted names."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "fairlead"
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Parsed once, however many checks read it."""
        return ast.parse(self.text, filename=str(self.path))

    @property
    def room(self) -> str:
        """First part below the package: a feature, `kit`, or a file such as `app`; "" for the package."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @property
    def lines(self) -> int:
        """All lines, comments and blank ones included."""
        return self.text.count("\n")

    def at(self, node: ast.AST) -> str:
        """`module:line`, the place a finding names."""
        return f"{self.name}:{getattr(node, 'lineno', 0)}"


def read_package(source: Path) -> dict[str, Module]:
    """Every module below `source/fairlead` by dotted name; a package goes by its folder's name."""
    modules = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = list(path.relative_to(source).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path, path.read_text(encoding="utf-8"))
    return modules


def write_package(source: Path, files: dict[str, str]) -> dict[str, Module]:
    """A small tree for showing that a check fails: relative path below the package → text."""
    for relative, text in files.items():
        path = source / PACKAGE / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for folder in path.relative_to(source).parents:
            init = source / folder / "__init__.py"
            if folder.parts and not init.exists():
                init.touch()
    return read_package(source)


def kept_files(root: Path) -> list[Path]:
    """Files that are in the repository or would be after `git add`; those ignored are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=root, capture_output=True, check=True
    )
    paths = [root / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
