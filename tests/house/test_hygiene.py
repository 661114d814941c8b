"""Nothing stands where it does not belong, and the checks that say so notice when it does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.house import hygiene
from tests.house.tree import ROOT, kept_files, read_package, write_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.house.tree import Module

CHECKS = [hygiene.stray_commits, hygiene.stray_transactions, hygiene.stray_engine, hygiene.impure_models,
          hygiene.known_truth]  # fmt: skip
SCHEME = "https:" + "//"  # in two parts, so that this file passes its own checks


@pytest.mark.parametrize("check", CHECKS)
def test_every_call_is_in_its_room(check: Callable[[dict[str, Module]], list[str]]) -> None:
    """Commits, transactions, the job engine and SQL stay where the design puts them."""
    assert check(read_package(ROOT / "src")) == []


def test_no_file_names_a_package_index() -> None:
    """The locks install through whatever index the machine is configured for."""
    assert hygiene.addresses(kept_files(ROOT), ROOT) == []


def test_no_file_names_a_machine_path() -> None:
    """Nothing in the repository depends on where somebody keeps it."""
    assert hygiene.machine_paths(kept_files(ROOT), ROOT) == []


def test_every_requirement_is_pinned_and_hashed() -> None:
    """Each compiled requirement has one exact version and at least one SHA-256."""
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        entries = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()

        assert [one for one in entries if "==" not in one or "--hash=sha256:" not in one] == [], path.name


def test_the_locks_agree() -> None:
    """What the demo installs is what the tests ran against."""
    pins = {
        name: {
            line.split(" ")[0]
            for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines()
            if "==" in line
        }
        for name in ("core.txt", "postgres.txt", "dev.txt")
    }

    assert pins["core.txt"] - pins["dev.txt"] == set()
    assert pins["postgres.txt"] - pins["dev.txt"] == set()


@pytest.mark.parametrize(
    ("name", "line", "findings"),
    [
        ("requirements/dev.txt", f"a @ {SCHEME}example.org/a.whl", 1),
        ("requirements/dev.txt", "--index-url internal", 1),
        ("requirements/dev.txt", "--find-links=wheels", 1),
        ("requirements/dev.txt", "registry==1.0 --hash=sha256:00", 1),
        ("requirements/dev.txt", "httpx2==2.16.2 --hash=sha256:00", 0),
        ("package-lock.json", f'"resolved": "{SCHEME}example.org/a.tgz"', 1),
        ("uv.lock", f'wheels = ["{SCHEME}example.org/a-1.tar.gz"]', 1),
        ("pyproject.toml", f'documentation = "{SCHEME}example.org/"', 0),
        ("docs/index.md", f"{SCHEME}example.org/a.whl", 0),
    ],
)
def test_an_address_is_noticed(tmp_path: Path, name: str, line: str, findings: int) -> None:
    """Any URL in requirements; index and download addresses in other locks; links in prose are fine."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(line + "\n", encoding="utf-8")

    assert len(hygiene.addresses([path], tmp_path)) == findings


@pytest.mark.parametrize(
    ("line", "findings"),
    [
        ("cd /" + "home/ann/code", 1),
        ("x = '/" + "Users/ann'", 1),
        ("see /" + "work/main", 1),
        ("GET /v1/home/page", 0),
        ("chmod 700 /root", 0),
    ],
)
def test_a_machine_path_is_noticed(tmp_path: Path, line: str, findings: int) -> None:
    """Folders of a person count, parts of a longer address do not; pictures are not read."""
    path, picture = tmp_path / "notes.md", tmp_path / "a.png"
    path.write_text(line + "\n", encoding="utf-8")
    picture.write_bytes(b"\x89PNG\xff/" + b"home/ann")

    assert len(hygiene.machine_paths([path, picture], tmp_path)) == findings


def test_kept_files_leaves_out_what_git_ignores(tmp_path: Path) -> None:
    """New files are checked before they are added; build output never is."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("out\n", encoding="utf-8")
    (tmp_path / "new.md").touch()
    (tmp_path / "out").touch()

    assert sorted(path.name for path in kept_files(tmp_path)) == [".gitignore", "new.md"]


def test_a_stray_commit_is_noticed(tmp_path: Path) -> None:
    """A service that commits breaks the one transaction of its use case."""
    text = "def go(x: object) -> None:\n    x.connection.commit()\n"
    modules = write_package(tmp_path, {"reviews/service.py": text, "kit/unit_of_work.py": text})

    assert hygiene.stray_commits(modules) == ["fairlead.reviews.service:2"]


def test_a_look_at_the_truth_is_noticed(tmp_path: Path) -> None:
    """A score that read the generator's numbers would be right on its data and wrong everywhere else."""
    text = "from fairlead.testing.company_words import TITLE\n"
    files = {"testing/company_words.py": "", "worker.py": text, "commands/demoing.py": text, "testing/past.py": text}
    modules = write_package(tmp_path, files)

    assert hygiene.known_truth(modules) == [
        "fairlead.worker:1: only the demo may import fairlead.testing.company_words"
    ]


def test_a_stray_transaction_is_noticed(tmp_path: Path) -> None:
    """Faces, jobs and composition roots open transactions; services and stores take what they get."""
    text = "def go(db: object) -> None:\n    with db.transaction() as uow: ...\n"
    allowed = [
        "cli.py",
        "app.py",
        "worker.py",
        "api/v1.py",
        "console/x.py",
        "reviews/jobs.py",
        "reviews/api.py",
        "reviews/pages.py",
    ]
    refused = ["reviews/service.py", "reviews/store.py", "playbooks/stages.py"]
    modules = write_package(tmp_path, dict.fromkeys([*allowed, *refused], text))

    assert hygiene.stray_transactions(modules) == [
        "fairlead.playbooks.stages:2", "fairlead.reviews.service:2", "fairlead.reviews.store:2"
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["import dbos", "from dbos import DBOS", "def f() -> None:\n    import dbos._error\n"])
def test_a_stray_engine_is_noticed(tmp_path: Path, line: str) -> None:
    """The job engine can be exchanged only as long as one room knows it."""
    modules = write_package(tmp_path, {"playbooks/engine.py": line, "jobs/durable.py": line})

    assert [place.split(":")[0] for place in hygiene.stray_engine(modules)] == ["fairlead.playbooks.engine"]


@pytest.mark.parametrize(
    "text",
    [
        "from sqlalchemy import select\n",
        "from datetime import datetime\nx = datetime.now()\n",
        "from fairlead.reviews.store import read\n",
    ],
)
def test_an_impure_model_is_noticed(tmp_path: Path, text: str) -> None:
    """A decision that reads a table or the clock cannot be tested by its arguments."""
    modules = write_package(tmp_path, {"reviews/model.py": text, "reviews/store.py": ""})

    assert len(hygiene.impure_models(modules)) == 1
