"""How fast mail goes out: the connector against a bare `smtplib` loop, to one local server, signed by DKIM.

Both sides build the same text and HTML message, sign it with the same 2048-bit RSA key and send it over one kept
connection. The connector besides renders its template, writes each message down before and after it (at most once),
looks up the thread and reads the server's answer; that is what the ratio pays for. The server is aiosmtpd in a process
of its own, which keeps nothing.
"""

from __future__ import annotations

import multiprocessing
import smtplib
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from fairlead.audit import Trail
from fairlead.connectors import (
    Delivery,
    DkimSigner,
    MailSetup,
    ReceiptState,
    SmtpConnector,
    SqlMailJournal,
    Unsubscribe,
    choose,
    render_message,
    templates_of,
)
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_building import Letter, build_mail
from fairlead.connectors.mail_session import MailServer
from fairlead.kit.clock import SystemClock
from fairlead.kit.database import Database
from fairlead.schema import create_schema
from fairlead.testing.postgres import EmbeddedPostgres

BAR = 0.7
SENDER, TO = "sales@example.com", "ada@nordwind.example"
TEMPLATE = {
    "messages/hello.en.md": "---\nsubject: Hello {{ name }}\n---\n# Hello {{ name }}\n\n"
    + "A paragraph with a [link](https://example.com) and some **weight**.\n\n" * 8
    + "- one\n- two\n- three\n"
}
FIELDS = {"name": "Ada Keller"}
LINK = "https://desk.example.com/u/" + "t" * 180


class _Sink:
    """Takes everything and keeps nothing."""

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        return "250 2.0.0 OK"


def _serve(port: int, ready: Any, done: Any) -> None:
    controller = Controller(_Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    ready.set()
    done.wait()
    controller.stop()


@contextmanager
def _server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_serve, args=(port, ready, done), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the mail server did not start")
        yield port
    finally:
        done.set()
        process.join(10)


def _ways(_customer_id: str, _purpose: str) -> Unsubscribe:
    return Unsubscribe(LINK, f"mailto:{SENDER}?subject=unsubscribe%20x")


def _bare(port: int, signer: DkimSigner, count: int, turn: int) -> float:
    """Sends a second by a plain loop: build, sign, `sendmail`."""
    template = choose(templates_of(TEMPLATE), "hello")
    sender, to = mail_address(SENDER), mail_address(TO)
    written = render_message(template, FIELDS)
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as wire:
        for number in range(count):
            now = datetime.now(UTC)
            letter = Letter(
                f"<bare{turn}.{number}@example.com>", sender, to, written.subject, written.text, now, html=written.html,
                automatic="auto-generated", unsubscribe=_ways("", ""),
            )  # fmt: skip
            wire.sendmail(SENDER, TO, signer.sign(build_mail(letter), now))
    return count / (time.perf_counter() - began)


def _connector(port: int, signer: DkimSigner, database: Database, count: int, turn: int) -> float:
    setup = MailSetup(MailServer("127.0.0.1", port, "none"), mail_address(SENDER), signer=signer, secret=b"b" * 32)
    templates = templates_of(TEMPLATE)
    smtp = SmtpConnector(
        setup, SqlMailJournal(database), database.clock.now, templates=lambda: templates, way_out=_ways
    )
    body = {
        "channel": "email", "purpose": "newsletter", "sender": "campaign", "to": TO, "template": "hello",
        "fields": FIELDS,
    }  # fmt: skip
    began = time.perf_counter()
    for number in range(count):
        receipt = smtp.deliver(Delivery(f"{turn}/{number}", "message", body, "cus_1"))
        if receipt.state is not ReceiptState.SENT:
            raise RuntimeError(receipt.detail)
    took = time.perf_counter() - began
    smtp.close()
    return count / took


@contextmanager
def _url(folder: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'mail.db'}"
        return
    server = EmbeddedPostgres(folder / "pg").start()
    try:
        yield server.create_database("mail")
    finally:
        server.destroy()


def run(count: int = 1_000, *, rounds: int = 5, kinds: tuple[str, ...] = ("sqlite", "postgres")) -> dict[str, Any]:
    """Rounds of `count` messages by each side, taking turns; the bar is the median of the rounds' ratios."""
    signer = DkimSigner("example.com", "bench", generate_private_key(65_537, 2_048))
    result: dict[str, Any] = {"rows": [], "bars": []}
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name, _server() as port:
            folder = Path(name)
            folder.chmod(0o755)
            with _url(folder, kind) as url:
                create_schema(url)
                database = Database(url, clock=SystemClock(), trail=Trail())
                sides: dict[str, Callable[[int], float]] = {
                    "smtplib loop": lambda turn, p=port: _bare(p, signer, count, turn),
                    "connector": lambda turn, p=port, d=database: _connector(p, signer, d, count, turn),
                }
                _one(result, kind, sides, rounds)
                database.close()
    return result


def _one(result: dict[str, Any], kind: str, sides: dict[str, Callable[[int], float]], rounds: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):  # the first warms both up
        for name, side in sides.items():
            rate = side(turn)
            if turn:
                rates[name].append(rate)
    ratios = [ours / bare for ours, bare in zip(rates["connector"], rates["smtplib loop"], strict=True)]
    for name, found in rates.items():
        result["rows"].append({
            "name": f"{kind}: {name}", "sends_per_s": round(statistics.median(found)), "from": round(min(found)),
            "to": round(max(found)),
        })  # fmt: skip
    middle = round(statistics.median(ratios), 3)
    result["rows"].append({
        "name": f"{kind}: ratio", "ratio": middle, "from": round(min(ratios), 3), "to": round(max(ratios), 3),
    })  # fmt: skip
    bar = {"name": f"{kind}: connector against a bare loop", "value": middle, "op": ">=", "bar": BAR}
    result["bars"].append({**bar, "met": middle >= BAR})


if __name__ == "__main__":
    for line in run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)["rows"]:
        print(line)
