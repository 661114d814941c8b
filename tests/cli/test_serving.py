"""serve, worker and demo: what they make, deploy, grant and say before they stay."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from fairlead import app as app_module, reviews
from fairlead.checkpoints import grants_of
from fairlead.cli import app
from fairlead.commands import serving
from fairlead.people import list_people
from fairlead.reviews import QueueFilter
from fairlead.worker import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fairlead.worker import Runtime
    from tests.cli.conftest import Terminal

LINK = re.compile(r"Sign in once, within 15 minutes: (\S+)")


class Served:
    """What would have been served: facts read while the runtime was open."""

    def __init__(self) -> None:
        self.times = 0
        self.port = 0
        self.host = ""
        self.grants: list[Any] = []
        self.people: list[str] = []
        self.imports = 0
        self.digest = ""
        self.modes: list[str] = []

    def __call__(self, runtime: Runtime, ready: Callable[[], None]) -> None:
        """Stands for `fairlead.app.serve`."""
        self.times += 1
        ready()
        self.port, self.host = runtime.settings.port, runtime.settings.host
        with runtime.database.reading() as reader:
            self.grants = [(row.segment, row.level) for row in grants_of(reader)]
            self.people = [one.email for one in list_people(reader)]
            self.digest = runtime.library.current(reader).digest
            self.modes = [one.mode.value for one in reviews.page(reader, QueueFilter(), limit=200).items]
        with runtime.database.raw() as connection:
            self.imports = int(connection.execute(text("SELECT count(*) FROM lead_import")).scalar_one())


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Nothing listens, and chunks run without a journal."""
    seen = Served()
    monkeypatch.setattr(app_module, "serve", seen)
    monkeypatch.setattr(
        serving,
        "open_runtime",
        lambda settings, durable=True, clock=None: open_runtime(settings, durable=False, clock=clock),
    )
    return seen


def test_serve_greets_the_first_administrator(fairlead: Terminal, served: Served) -> None:
    """The first start makes one and prints a link for them; the next prints another link and makes nobody."""
    first = fairlead("serve", "--port", "8123", "--host", "127.0.0.2")
    assert first.code == 0, first.err
    assert "http://127.0.0.2:8123" in first.out
    assert (served.port, served.host) == (8123, "127.0.0.2")
    assert served.people == [serving.ADMIN]
    again = fairlead("serve")
    links = [LINK.search(line.out) for line in (first, again)]
    assert all(links)
    assert links[0] != links[1]
    assert served.people == [serving.ADMIN]
    assert served.times == 2


def test_serve_deploys_what_the_files_say(fairlead: Terminal, served: Served) -> None:
    """A start takes the files as they are now; a wrong file keeps it from starting and names the place."""
    fairlead("serve")
    before = served.digest
    policy = fairlead.folder / "policies" / "lead-assignment.yaml"
    right = policy.read_text(encoding="utf-8")
    policy.write_text(right.replace("50000.0", "40000.0"), encoding="utf-8")
    fairlead("serve")
    assert served.digest != before
    policy.write_text(right.replace("rules:\n", "rules: [\n"), encoding="utf-8")
    fairlead("serve").refused(2, "lead-assignment.yaml:")
    assert served.times == 2


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_cannot_be(fairlead: Terminal, served: Served, port: str) -> None:
    """Refused with the setting's name before anything is opened."""
    fairlead("serve", "--port", port).refused(2, "FAIRLEAD_PORT")
    assert served.times == 0


def test_a_port_that_somebody_has(fairlead: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence of ours with the address and what changes it; exit status 1 as for all that cannot be done."""
    monkeypatch.setattr(serving, "open_runtime", lambda settings: open_runtime(settings, durable=False))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = fairlead("serve", "--port", str(port))
    said.refused(1, f"127.0.0.1:{port} cannot be listened on: another program listens there", "--port", "FAIRLEAD_PORT")
    nowhere = fairlead("serve", "--port", str(port), "--host", "192.0.2.1")
    nowhere.refused(1, f"192.0.2.1:{port} cannot be listened on: Cannot assign", "--host", "FAIRLEAD_HOST")


def test_links_lead_to_where_the_desk_is_served(
    fairlead: Terminal, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it was served, to the default; then to its address, unless a setting says otherwise."""

    def link(email: str) -> str:
        said = fairlead("person", "add", email, "--role", "reviewer")
        assert (
            fairlead("sign-in", email).out.partition("/sign-in/")[0] == said.out.splitlines()[-1].partition("/sign-")[0]
        )
        return said.out.splitlines()[-1].partition("/sign-in/")[0]

    assert link("a@x.example") == "http://127.0.0.1:8000"
    assert fairlead("serve", "--port", "8123").code == 0
    assert served.port == 8123
    assert link("b@x.example") == "http://127.0.0.1:8123"
    monkeypatch.setenv("FAIRLEAD_PUBLIC_URL", "https://desk.example/")
    assert link("c@x.example") == "https://desk.example"
    monkeypatch.delenv("FAIRLEAD_PUBLIC_URL")
    monkeypatch.setenv("FAIRLEAD_PORT", "8200")
    assert link("d@x.example") == "http://127.0.0.1:8200"
    monkeypatch.delenv("FAIRLEAD_PORT")
    (fairlead.folder / ".fairlead" / "desk-address").write_bytes(b"javascript:alert(1)\xff")
    assert link("e@x.example") == "http://127.0.0.1:8000"


def test_without_an_administrator_to_greet(fairlead: Terminal, served: Served) -> None:
    """Where somebody else administers, no account is made behind their back; the way in is named."""
    assert fairlead("person", "add", "ida@acme.example", "--role", "admin").code == 0
    said = fairlead("serve")
    assert said.code == 0, said.err
    assert served.people == ["ida@acme.example"]
    assert "fairlead sign-in" in said.out
    assert LINK.search(said.out) is None


def test_a_worker_works_on_this_workspace(fairlead: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where it works, on standard error, and how to end it."""
    worked: list[Any] = []
    monkeypatch.setattr(serving, "work", worked.append)
    monkeypatch.setattr(serving, "configure_logs", lambda **_how: None)
    said = fairlead("worker")
    assert said.code == 0
    assert said.out == ""
    assert str(fairlead.folder) in said.err
    assert "Ctrl-C" in said.err
    assert [settings.workspace for settings in worked] == [fairlead.folder]


def test_a_demo_is_made_once(fairlead: Terminal, served: Served) -> None:
    """Leads and grants are there at the first start; the second finds them and adds none."""
    args = ("demo", "--folder", str(fairlead.folder), "--leads", "3", "--arrival-s", "0")
    first = fairlead(*args, bare=True)
    assert first.code == 0, first.err
    assert "3 made-up leads" in first.err
    assert served.imports == 1
    assert sorted(served.grants) == [("large", "assist"), ("medium", "assist"), ("small", "auto")]
    grants = [one["id"] for one in fairlead("grant", "list", "--json").json["grants"]]

    again = fairlead(*args, bare=True)
    assert again.code == 0, again.err
    assert "made-up leads" not in again.err
    assert [one["id"] for one in fairlead("grant", "list", "--json").json["grants"]] == grants


def test_a_demo_begins_anew(fairlead: Terminal, served: Served, tmp_path: Path) -> None:
    """It says where it is kept and how to begin anew; that throws its data away and keeps its files."""
    folder = tmp_path / "shop"
    args = ("demo", "--folder", str(folder), "--leads", "3", "--weeks", "0", "--arrival-s", "0")
    said = fairlead(*args, bare=True)
    assert f"kept in {folder}" in said.out
    assert f"fairlead demo --folder {folder} --fresh" in said.out
    policy = folder / "policies" / "lead-assignment.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("50000.0", "40000.0"), encoding="utf-8")
    key = (folder / ".fairlead" / "secret.key").read_bytes() if (folder / ".fairlead" / "secret.key").exists() else b""

    again = fairlead(*args, "--fresh", bare=True)
    assert again.code == 0, again.err
    assert "3 made-up leads" in again.err
    assert "40000.0" in policy.read_text(encoding="utf-8")
    assert served.imports == 1
    assert not key or (folder / ".fairlead" / "secret.key").read_bytes() != key


def test_only_a_demo_is_thrown_away(fairlead: Terminal, served: Served) -> None:
    """A company's own workspace is refused, and everything of it stays."""
    before = fairlead.counts()
    result = fairlead("demo", "--folder", str(fairlead.folder), "--fresh", bare=True)
    result.refused(2, "was not made by fairlead demo")
    assert fairlead.counts() == before
    assert served.times == 0


def test_a_demo_shows_proposals_and_questions(fairlead: Terminal, served: Served, tmp_path: Path) -> None:
    """The top of the queue has proposals to approve, change or reject, not only questions. Which cases are asked
    blind is drawn by lot (about one in five of the first), so the bound leaves room for any draw.
    """  # fmt: skip
    args = ("demo", "--folder", str(tmp_path / "shop"), "--leads", "250", "--weeks", "0", "--arrival-s", "0")
    assert fairlead(*args, bare=True).code == 0
    assert served.modes[:20].count("assist") >= 3
    assert {"assist", "human"} <= set(served.modes)


@pytest.mark.parametrize("args", [("--leads", "0"), ("--leads", "100001"), ("--arrival-s", "-1"), ("--port", "70000")])
def test_a_demo_out_of_bounds(fairlead: Terminal, served: Served, args: tuple[str, str]) -> None:
    """Refused before a lead is made up."""
    result = CliRunner().invoke(app, ["demo", "--folder", str(fairlead.folder), *args])
    assert result.exit_code == 2
    assert served.times == 0
    assert fairlead.counts()["lead"] == 0
