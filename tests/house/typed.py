"""Commands as the docs print them, held against the commands that exist."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4,}(?:\$ )?(?=(?:\w+=\S+ )*fairlead )((?:.*\\\n)*.*)$", re.MULTILINE)
_INLINE = re.compile(r"`((?:fairlead|make) [^`\n|]*)`")
_SHELL = {"sh", "bash", "console", ""}
_HEREDOC = re.compile(r"<<-?'?(\w+)'?.*?\n.*?^\1$", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_0-9-]*$")


class Typed(NamedTuple):
    """One command line; `line` counts from 1."""

    text: str
    line: int


def typed_in(page: str) -> Iterator[Typed]:
    """Every `fairlead …` and `make …` of a page: in shell blocks, indented blocks and inline code."""
    rest = page
    for fence in _FENCE.finditer(page):
        blank = "\n" * fence[0].count("\n")
        rest = rest.replace(fence[0], blank, 1)
        if fence[2] in _SHELL:
            at = page.count("\n", 0, fence.start(3)) + 1
            yield from _commands(fence[3], at)
    for found in _INDENTED.finditer(rest):
        yield from _commands(found[1], rest.count("\n", 0, found.start()) + 1)
    for found in _INLINE.finditer(rest):
        yield Typed(found[1], rest.count("\n", 0, found.start()) + 1)


def _commands(block: str, first: int) -> Iterator[Typed]:
    block = _HEREDOC.sub(lambda found: "\n" * found[0].count("\n"), block)
    joined = re.sub(r"\\\n", lambda _: "\0", block)
    line = first
    for text in joined.split("\n"):
        for inner in re.findall(r"\$\(((?:fairlead|make) [^)]*)\)", text) or [text]:
            cut = re.sub(r"^(?:\$ )?(?:\w+=\S* )*", "", inner.replace("\0", " ").strip())
            if cut.startswith(("fairlead ", "make ")):
                yield Typed(cut, line)
        line += 1 + text.count("\0")


def wrong_command(typed: str, root: Any) -> str | None:
    """What is wrong with a `fairlead …` line, None when each command and option of it exists.

    Arguments are not judged: the page may write FILE. A line that stops at a group, such as `fairlead grant`,
    is fine.
    """
    words = _words(typed)[1:]
    here, name = root, "fairlead"
    while words and hasattr(here, "commands"):
        if words[0].startswith("-") or _PLACEHOLDER.match(words[0]) or "…" in words[0]:
            break
        if words[0] not in here.commands:
            return f"{name} has no command {words[0]!r}"
        name = f"{name} {words[0]}"
        here = here.commands[words.pop(0)]
    options = {option for one in here.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    unknown = [word for word in given if word not in options]
    if unknown:
        return f"{name} has no option {unknown[0]}"
    needed = {one.opts[0] for one in here.params if one.required and one.opts[0].startswith("-")}
    spelt = {option for one in here.params if set(one.opts) & set(given) for option in one.opts}
    if given and (missing := needed - spelt):
        return f"{name} needs {', '.join(sorted(missing))}"
    return None


def wrong_target(typed: str, makefile: str) -> str | None:
    """What is wrong with a `make …` line, None when each target and variable of it exists."""
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) \?=", makefile, re.MULTILINE))
    for word in _words(typed)[1:]:
        name, assigned, _ = word.partition("=")
        if word.startswith("-") or "…" in name:
            continue
        if name not in (variables if assigned else targets):
            return f"make has no {'variable' if assigned else 'target'} {name!r}"
    return None


def _words(typed: str) -> list[str]:
    """The words up to a comment, pipe or redirection."""
    lexer = shlex.shlex(typed, posix=True, punctuation_chars="|>&;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word[0] in "|>&;":
            break
        words.append(word)
    return words
