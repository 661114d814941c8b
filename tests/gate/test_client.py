"""The client against a real server process on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from fairlead import reviews
from fairlead.audit import Trail
from fairlead.checkpoints import SETTLEMENT
from fairlead.client import Client, Decision
from fairlead.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    NotSignedInError,
    UnavailableError,
)
from fairlead.kit.database import Database
from fairlead.reviews import Given, Verb
from tests.gate.world import ANN, UNCOMPARED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """The process, a client of it, and Ann, who works on the same database."""

    def __init__(self, url: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        command = [sys.executable, "-m", "tests.gate.serve", url, str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.key = self.process.stdout.readline().strip()
        self.url = f"http://127.0.0.1:{port}"
        self.client = Client(self.url, self.key)
        self.database = Database(url, trail=Trail())
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)

    def decide(self, decision: Decision, verdict: Verb, **given: Any) -> None:
        """Ann's verdict, effective at once."""
        review_id = str(decision.review_url).rpartition("/")[2]
        with self.database.transaction() as uow:
            claim = reviews.claim(uow, review_id, ANN, timedelta(minutes=10))
        with self.database.transaction() as uow:
            reviews.decide(
                uow, review_id, Given(verdict, claim.review.digest, **given), ANN,
                settlement=SETTLEMENT, labels=UNCOMPARED, check_answer=lambda *_: None, effective_after=timedelta(0),
            )  # fmt: skip

    def close(self) -> None:
        """Kill the process and give everything back."""
        self.client.close()
        self.database.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """Killed afterwards."""
    made = Server(database_url)
    yield made
    made.close()


def ask(server: Server, **more: Any) -> Decision:
    """The proposal of docs/client.md."""
    usual = {"producer": "bot@1", "score": 0.97, "value": 40, "idempotency_key": "order-1"}
    return server.client.checkpoint("refunds", {"amount": 40}, **(usual | more))


def test_what_is_approved_runs_once_and_is_reported(server: Server) -> None:
    """`fn` gets exactly the decided answer; a second `execute` raises before it is called."""
    paid: list[Any] = []
    decision = ask(server)
    result = server.client.execute(decision, lambda answer: paid.append(answer["amount"]) or "ref-1")

    assert (decision.allowed, decision.path, decision.answer) == (True, "auto", {"amount": 40})
    assert result == "ref-1"
    with pytest.raises(ConflictError, match="used already"):
        server.client.execute(decision, paid.append)
    assert paid == [40]
    assert not ask(server).allowed


def test_the_programs_own_copy_of_the_answer_is_not_what_runs(server: Server) -> None:
    """An answer changed after the decision has no effect: the server says what was decided."""
    decision = ask(server)
    assert decision.approval is not None
    decision.approval.answer["amount"] = 4_000  # type: ignore[index]
    ran: list[Any] = []
    server.client.execute(decision.approval, lambda answer: ran.append(dict(answer)))

    assert ran == [{"amount": 40}]


def test_what_waits_is_not_executed_and_can_be_waited_for(server: Server) -> None:
    """Not allowed before a person decided; `result` returns with the person's answer."""
    waiting = ask(server, score=0.2)
    with pytest.raises(ForbiddenError, match="not approved"):
        server.client.execute(waiting, lambda _answer: pytest.fail("ran unapproved"))
    assert waiting.result(0.05).waiting
    server.decide(waiting, Verb.EDIT, answer={"amount": 7}, reason="less")
    decided = waiting.result(20)

    assert (decided.allowed, decided.answer, decided.reason) == (True, {"amount": 7}, "less")
    assert server.client.execute(decided, lambda answer: answer["amount"]) == 7


def test_a_failing_action_is_reported_and_passed_on(server: Server) -> None:
    """The exception comes through, the approval is used, the decision shows that it failed."""
    decision = ask(server)
    with pytest.raises(ZeroDivisionError):
        server.client.execute(decision, lambda _answer: 1 / 0)
    seen = httpx2.get(
        f"{server.url}/v1/decisions/{decision.id}", headers={"authorization": f"Bearer {server.key}"}
    ).json()

    assert seen["execution"] == "failed"


def test_refusals_are_typed(server: Server) -> None:
    """Each refusal is the error of that name, with the server's code and fields."""
    with pytest.raises(InputError) as off:
        server.client.checkpoint("refunds", {"amount": -1}, producer="bot@1")
    with pytest.raises(NotFoundError, match="refunds"):
        server.client.checkpoint("refund", {}, producer="bot@1")
    with pytest.raises(ForbiddenError, match="up to"):
        ask(server, value=10_000_000)
    ask(server)
    with pytest.raises(ConflictError) as reused:
        ask(server, score=0.5)
    with pytest.raises(NotSignedInError), Client(server.url, "fl_wrong") as stranger:
        stranger.decision("rul_1")

    assert (off.value.reason, reused.value.reason) == ("off_schema", "key_reused")
    assert off.value.fields["problems"]


def test_outcomes_and_explanations_go_through_the_client(server: Server) -> None:
    """An outcome twice is harmless; the customer's sentence names no rule."""
    decision = ask(server)
    for _ in range(2):
        server.client.outcome(decision, "complained", value=False, key="o-1", happened_at=_moment())

    assert "grant" in server.client.explanation(decision.id)
    assert "grant" not in server.client.explanation(decision.id, audience="customer")


def _moment() -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415  one use

    return datetime(2026, 1, 1, tzinfo=UTC)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nobody listens, or something else answers: repeat it with the same key."""
    with pytest.raises(UnavailableError), Client("http://127.0.0.1:9", "fl_x") as client:
        client.decision("rul_1")
    garbage = httpx2.MockTransport(lambda _request: httpx2.Response(200, text="<html>"))
    with pytest.raises(UnavailableError), Client("http://x", "fl_x", transport=garbage) as client:
        client.decision("rul_1")
    redirect = httpx2.MockTransport(lambda _request: httpx2.Response(302, headers={"location": "http://y"}))
    with pytest.raises(InputError), Client("http://x", "fl_x", transport=redirect) as client:
        client.decision("rul_1")
