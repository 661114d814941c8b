"""The order of the rooms holds, and the checks that say so notice when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house import imports
from tests.house.tree import ROOT, read_package, write_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.house.tree import Module

CHECKS = [
    imports.unknown_rooms,
    imports.backward_imports,
    imports.past_the_door,
    imports.cycles,
    imports.mutual_pairs,
    imports.too_many_siblings,
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_house_is_in_order(check: Callable[[dict[str, Module]], list[str]]) -> None:
    """No module of Fairlead breaks this rule."""
    assert check(read_package(ROOT / "src")) == []


def test_a_room_without_a_place_is_noticed(tmp_path: Path) -> None:
    """A new room has to be put into the order before anything may live in it."""
    modules = write_package(tmp_path, {"attic/box.py": "x = 1\n"})

    assert len(imports.unknown_rooms(modules)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from fairlead.reviews import open_review\n",
        "import fairlead.reviews\n",
        "from fairlead import reviews\n",
        "from ..reviews import open_review\n",
        "def late() -> None:\n    from fairlead.reviews import open_review\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fairlead.reviews import Review\n",
    ],
)
def test_an_import_to_the_right_is_noticed(tmp_path: Path, text: str) -> None:
    """However it is written: absolute, relative, inside a function or for types only."""
    modules = write_package(tmp_path, {"checkpoints/model.py": text, "reviews/__init__.py": ""})

    line = text[: text.index("reviews")].count("\n") + 1
    assert imports.backward_imports(modules) == [
        f"fairlead.checkpoints.model:{line}: checkpoints may not import reviews"
    ]


def test_an_import_to_the_left_is_fine(tmp_path: Path) -> None:
    """Reviews build on checkpoints, through the door."""
    modules = write_package(
        tmp_path,
        {"reviews/model.py": "from fairlead.checkpoints import Path\n", "checkpoints/__init__.py": ""},
    )

    assert [check(modules) for check in CHECKS] == [[]] * len(CHECKS)


@pytest.mark.parametrize(
    "line", ["from fairlead.checkpoints.store import read", "from fairlead.checkpoints import store"]
)
def test_a_way_past_the_door_is_noticed(tmp_path: Path, line: str) -> None:
    """A sibling's inner module may not be imported, nor handed out by name through its package."""
    modules = write_package(tmp_path, {"reviews/model.py": f"{line}\n", "checkpoints/store.py": ""})

    assert len(imports.past_the_door(modules)) == 1


def test_roots_and_own_rooms_need_no_door(tmp_path: Path) -> None:
    """What composes everything looks inside; so does a feature in itself, and everybody in kit."""
    line = "from fairlead.checkpoints.store import read\nfrom fairlead.kit.clock import Clock\n"
    modules = write_package(
        tmp_path,
        {"app.py": line, "checkpoints/service.py": line, "checkpoints/store.py": "", "kit/clock.py": ""},
    )

    assert imports.past_the_door(modules) == []


def test_a_cycle_is_noticed(tmp_path: Path) -> None:
    """Three modules in a ring are one finding; a module that imports its own door is another."""
    ring = {
        "kit/a.py": "from fairlead.kit import b\n",
        "kit/b.py": "from . import c\n",
        "kit/c.py": "import fairlead.kit.a\n",
    }
    door = {
        "audit/__init__.py": "from fairlead.audit.model import x\n",
        "audit/model.py": "from fairlead.audit import x\n",
    }
    modules = write_package(tmp_path, ring | door)

    assert imports.cycles(modules) == [
        "fairlead.audit ↔ fairlead.audit.model",
        "fairlead.kit.a ↔ fairlead.kit.b ↔ fairlead.kit.c",
    ]


def test_a_pair_without_a_cycle_is_noticed(tmp_path: Path) -> None:
    """Two features import each other through different modules: no ring, but neither can be lifted out."""
    modules = write_package(
        tmp_path,
        {
            "actions/one.py": "from fairlead.reviews.two import x\n",
            "reviews/two.py": "",
            "reviews/three.py": "from fairlead.actions.four import x\n",
            "actions/four.py": "",
        },
    )

    assert imports.cycles(modules) == []
    assert imports.mutual_pairs(modules) == ["actions ↔ reviews"]


def test_a_seventh_sibling_is_noticed(tmp_path: Path) -> None:
    """Six siblings are allowed; customers and what lies below them are free."""
    names = ["people", "experiments", "guardrails", "actions", "connectors", "understanding", "checkpoints"]
    files = {f"{name}/__init__.py": "" for name in [*names, "customers", "jobs"]}
    free = "from fairlead import customers, jobs\n"
    six = write_package(
        tmp_path / "six", files | {"sales/x.py": free + f"from fairlead import {', '.join(names[:6])}\n"}
    )
    seven = write_package(
        tmp_path / "seven", files | {"sales/x.py": free + f"from fairlead import {', '.join(names)}\n"}
    )

    assert imports.too_many_siblings(six) == []
    assert imports.too_many_siblings(seven) == [f"sales imports 7: {', '.join(sorted(names))}"]
