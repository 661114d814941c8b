"""Fairlead keeps to its budgets, and the checks that say so notice when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house import budgets
from tests.house.tree import ROOT, read_package, write_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.house.tree import Module

CHECKS = [
    budgets.file_sizes,
    budgets.function_lengths,
    budgets.import_counts,
    budgets.undocumented,
    budgets.restating,
    budgets.broad_excepts,
    budgets.unannotated,
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_house_keeps_its_budget(check: Callable[[dict[str, Module]], list[str]]) -> None:
    """No figure of Fairlead's own source is over its budget."""
    assert check(read_package(ROOT / "src")) == []


def test_there_are_enough_tests() -> None:
    """The bound of tests per line of code holds once there is code enough to tell."""
    assert budgets.too_few_tests(*budgets.tests_to_code(ROOT)) == []


@pytest.mark.parametrize(("code", "tests", "findings"), [(5000, 0, 0), (5001, 3250, 1), (5001, 3251, 0)])
def test_too_few_tests_are_noticed(code: int, tests: int, findings: int) -> None:
    """Small trees are let off, larger ones need thirteen lines of test for twenty of code."""
    assert len(budgets.too_few_tests(code, tests)) == findings


def test_long_files_are_noticed(tmp_path: Path) -> None:
    """The hard stop names the file; median and p90 are judged over all files that hold something."""
    modules = write_package(tmp_path, {"kit/long.py": "x = 1\n" * 601, "kit/short.py": "x = 1\n", "kit/none.py": ""})

    assert budgets.file_sizes(modules) == [
        "fairlead.kit.long has 601 lines, more than 600",
        "the median file has 301.0 lines, more than 120",
        "one file in ten has 601 lines or more, more than 400",
    ]
    del modules["fairlead.kit.long"]
    assert budgets.file_sizes(modules) == []


@pytest.mark.parametrize(("long_ones", "findings"), [(1, 0), (2, 1)])
def test_long_functions_are_noticed(tmp_path: Path, long_ones: int, findings: int) -> None:
    """One long function in ten is let pass, two are not."""
    long = "".join(f"def long{n}() -> None:\n" + "    x = 1\n" * 40 for n in range(long_ones))
    short = "".join(f"def short{n}() -> None:\n    x = 1\n" for n in range(10 - long_ones))

    assert len(budgets.function_lengths(write_package(tmp_path, {"kit/a.py": long + short}))) == findings


def test_many_imports_are_noticed(tmp_path: Path) -> None:
    """Statements at the top count, whatever number of names they bring."""
    enough = write_package(tmp_path / "a", {"kit/a.py": "import os, sys\n" * 15})
    too_many = write_package(tmp_path / "b", {"kit/a.py": "import os, sys\n" * 16})

    assert budgets.import_counts(enough) == []
    assert len(budgets.import_counts(too_many)) == 1


def test_missing_docstrings_are_noticed(tmp_path: Path) -> None:
    """Public functions, classes and methods count; private ones and what is inside functions do not."""
    text = '"""Says something."""\nclass A:\n    def b(self) -> None:\n        def c() -> None: ...\n'
    text += "    def _d(self) -> None: ...\n"
    modules = write_package(tmp_path, {"kit/a.py": text})

    assert budgets.undocumented(modules) == [
        "2 of 3 public things have no docstring: fairlead.kit.a:2, fairlead.kit.a:3"
    ]


@pytest.mark.parametrize(
    ("docstring", "findings"),
    [
        ("Get the open reviews.", 1),
        ("Returns open review for a team.", 1),
        ("Getting OpenReviews.", 1),
        ("Oldest first, at most 50; empty when the team has none.", 0),
    ],
)
def test_restating_docstrings_are_noticed(tmp_path: Path, docstring: str, findings: int) -> None:
    """Plurals, word forms and filler do not hide that only the name's and arguments' words are there."""
    text = f'def get_open_reviews(team: str) -> None:\n    """{docstring}"""\n'

    assert len(budgets.restating(write_package(tmp_path, {"kit/a.py": text}))) == findings


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException as e", " (ValueError, Exception)"])
def test_a_broad_except_without_reason_is_noticed(tmp_path: Path, kind: str) -> None:
    """Every way to write it; a bare noqa is no reason, a sentence is."""
    bare = f"try:\n    x = 1\nexcept{kind}:  # noqa: BLE001\n    x = 2\n"
    reasoned = f"try:\n    x = 1\nexcept{kind}:  # noqa: BLE001 - a plug-in may raise anything\n    x = 2\n"

    assert len(budgets.broad_excepts(write_package(tmp_path / "a", {"kit/a.py": bare}))) == 1
    assert budgets.broad_excepts(write_package(tmp_path / "b", {"kit/a.py": reasoned})) == []


def test_many_broad_excepts_are_noticed(tmp_path: Path) -> None:
    """Even with a reason each: one passes in a small tree, two do not; narrow and re-raising are free."""
    broad = "try:\n    x = 1\nexcept Exception:  # a plug-in may raise anything\n    x = 2\n"
    narrow = "try:\n    x = 1\nexcept ValueError:\n    x = 2\n"
    narrow += "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise\n"

    assert budgets.broad_excepts(write_package(tmp_path / "a", {"kit/a.py": broad + narrow})) == []
    assert budgets.broad_excepts(write_package(tmp_path / "b", {"kit/a.py": broad * 2})) == [
        "2 broad excepts in 8 lines, 1 allowed"
    ]


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("def a(b) -> None: ...\n", 1),
        ("def a(b: int): ...\n", 1),
        ("async def a(*b) -> None: ...\n", 1),
        ("def a(*, b, **c: int) -> None: ...\n", 1),
        ("class A:\n    def a(self, b: int, /) -> None: ...\n", 0),
    ],
)
def test_missing_types_are_noticed(tmp_path: Path, text: str, findings: int) -> None:
    """Every argument and every result has a type, `self` excepted."""
    assert len(budgets.unannotated(write_package(tmp_path, {"kit/a.py": text}))) == findings
