"""Whoever copies a command from the README or the docs finds that it exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import typer.main

from fairlead.cli import app
from tests.house.tree import ROOT
from tests.house.typed import Typed, typed_in, wrong_command, wrong_target

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SAMPLE = """
Run `fairlead check` or `make test`.

    $ fairlead init co --name "Acme"

```sh
cat > f.csv <<'CSV'
fairlead nonsense
CSV
fairlead run P --workspace co \\
  --input f.csv   # why
KEY=$(fairlead key create bot --checkpoint x)
FAIRLEAD_PORT=9 fairlead serve
```

```python
fairlead = "nothing"
```
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_printed_exists(page: Path) -> None:
    """Each `fairlead …` and `make …` line names commands, options, targets and variables that are there."""
    root, makefile = typer.main.get_command(app), (ROOT / "Makefile").read_text(encoding="utf-8")
    wrong = [
        f"{page.name}:{line}: {problem}"
        for text, line in typed_in(page.read_text(encoding="utf-8"))
        if (problem := wrong_command(text, root) if text.startswith("fairlead") else wrong_target(text, makefile))
    ]

    assert wrong == []


def test_the_readme_shows_the_way() -> None:
    """The two commands and the whole example are there to be checked."""
    texts = [text for text, _ in typed_in((ROOT / "README.md").read_text(encoding="utf-8"))]

    for beginning in ("make demo", "make test", "fairlead init", "fairlead run", "fairlead grant set"):
        assert any(text.startswith(beginning) for text in texts), beginning


def test_links_of_the_docs_lead_somewhere() -> None:
    """A relative link of the README and of the index names a file that is there."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_commands_are_found_wherever_they_stand() -> None:
    """Inline, indented, in shell blocks over several lines, in `$(…)`; not in heredocs or Python."""
    found = list(typed_in(SAMPLE))

    assert [text.split("#")[0].split() for text, _ in found] == [
        ["fairlead", "run", "P", "--workspace", "co", "--input", "f.csv"],
        ["fairlead", "key", "create", "bot", "--checkpoint", "x"],
        ["fairlead", "serve"],
        ["fairlead", "init", "co", "--name", '"Acme"'],
        ["fairlead", "check"],
        ["make", "test"],
    ]
    assert found[0].line == 10
    assert isinstance(found[0], Typed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("fairlead grant sett x", "fairlead grant has no command 'sett'"),
        ("fairlead run p --inputs f", "fairlead run has no option --inputs"),
        ("fairlead run p --json", "fairlead run needs --input"),
        ("fairlead run p -i f --json", None),
        ("fairlead run p --input f | head --lines", None),
        ("fairlead run p --input=f # --nonsense", None),
        ("fairlead grant", None),
        ("fairlead …", None),
    ],
)
def test_a_wrong_command_is_noticed(text: str, problem: str | None) -> None:
    """With what is wrong about it; arguments, pipes and comments are not judged."""
    assert wrong_command(text, typer.main.get_command(app)) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("make tset", "make has no target 'tset'"),
        ("make demo DB=postgres", None),
        ("make demo DBX=postgres", "make has no variable 'DBX'"),
        ("make bench ONLY=engine   # one", None),
    ],
)
def test_a_wrong_target_is_noticed(text: str, problem: str | None) -> None:
    """Targets and variables are those of the Makefile."""
    assert wrong_target(text, (ROOT / "Makefile").read_text(encoding="utf-8")) == problem
