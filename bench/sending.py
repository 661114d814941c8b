"""Sends a second with everything on, against bare `smtplib` loops: one worker, one local server, one kept connection.

The product leases messages from the outbox, each to a customer of its own, asks the gate, takes a place, renders the
template, signs (RSA, 2,048 bits), writes the mail journal, delivers, keeps the exact copy, settles the place, and
audits. What it claims to have done is counted afterwards, and against what the server got. Queueing is not measured.

Beside it, in turns: a loop that hands over the very bytes that the product had just sent (`bytes`), and one that has
the rendered text and builds and signs each message itself (`signing`). The server is aiosmtpd in a process of its own.
It keeps nothing but the count. `--profile` shows where the product's time goes on SQLite.
"""

from __future__ import annotations

import cProfile
import multiprocessing
import pstats
import shutil
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
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fairlead.actions import ActionDraft, OutboxSource, queue_many
from fairlead.commands.workspaces import deploy_here
from fairlead.connectors import DkimSigner, choose, render_message, templates_of
from fairlead.connectors.mail_addresses import mail_address
from fairlead.connectors.mail_building import Letter, build_mail
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.schema import create_schema
from fairlead.settings import Settings, provide_secrets
from fairlead.testing.postgres import EmbeddedPostgres
from fairlead.testing.seed import EXAMPLE
from fairlead.worker import Runtime, open_runtime
from fairlead.worker.equipment import close_outlets, outlets_of

BAR = 0.7
CHUNK, LEASE_S = 200, 60.0
SENDER, TO = "sales@example.com", "p0@bench.example"
RULES = """\
purposes:
  sales: {class: promotional, mechanism: opt_out, words: Following up on your interest}
caps:
  - {name: two-a-week, most: 2, per: 7d}
  - {name: one-a-day, most: 1, per: day, clock: customer}
"""
TEMPLATE = (
    "---\nsubject: Hello {{ name }}\nwords: A bench's letter.\n---\n# Hello {{ name }}\n\n"
    + "A paragraph with a [link](https://example.com) and some **weight**.\n\n" * 8
    + "- one\n- two\n- three\n"
)
PROVEN = {
    "actions sent": "SELECT count(*) FROM action WHERE state = 'sent' AND idempotency_key LIKE ?",
    "places accepted": "SELECT count(*) FROM contact_log WHERE state = 'accepted' AND key LIKE ?",
    "answers kept": "SELECT count(*) FROM contact_answer WHERE verdict = 'allowed' AND key LIKE ?",
    "journal accepted": "SELECT count(*) FROM mail_sent WHERE state = 'accepted' AND key LIKE ?",
    "signed copies": "SELECT count(*) FROM delivery_copy JOIN action ON action.id = action_id "
    "WHERE substr(content, 1, 15) = 'DKIM-Signature:' AND idempotency_key LIKE ?",
    "audited questions": "SELECT count(*) FROM audit_entry WHERE verb = 'contact.allowed' AND subject LIKE ?",
    "audited settlements": "SELECT count(*) FROM audit_entry WHERE verb = 'contact.settled' AND subject LIKE ?",
    "audited actions": "SELECT count(*) FROM audit_entry JOIN action ON action.id = subject "
    "WHERE verb = 'action.sent' AND idempotency_key LIKE ?",
}
"""What there must be one of for each message."""


class _Sink:
    """Takes everything and counts."""

    def __init__(self, count: Any) -> None:
        self.count = count

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.count.value += 1
        return "250 2.0.0 OK"


def _serve(port: int, count: Any, ready: Any, done: Any) -> None:
    controller = Controller(_Sink(count), hostname="127.0.0.1", port=port)
    controller.start()
    ready.set()
    done.wait()
    controller.stop()


@contextmanager
def _server() -> Iterator[tuple[int, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    ready, done, count = context.Event(), context.Event(), context.Value("i", 0)
    process = context.Process(target=_serve, args=(port, count, ready, done), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the mail server did not start")
        yield port, count
    finally:
        done.set()
        process.join(10)


@contextmanager
def _runtime(folder: Path, url: str, port: int) -> Iterator[Runtime]:
    """An installation with rules, a template and a DKIM key of its own."""
    key = generate_private_key(65_537, 2_048)
    pem = folder / "dkim.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    workspace = folder / "workspace"
    shutil.copytree(EXAMPLE, workspace)
    (workspace / "contact.yaml").write_text(RULES, encoding="utf-8")
    (workspace / "messages").mkdir(exist_ok=True)
    (workspace / "messages" / "hello.en.md").write_text(TEMPLATE, encoding="utf-8")
    settings = provide_secrets(Settings(
        data_dir=folder / "data", workspace=workspace, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none",
        smtp_from=SENDER, smtp_dkim_selector="bench", smtp_dkim_key_file=pem,
    )).model_copy(update={"database_url": url})  # fmt: skip
    create_schema(url)
    with open_runtime(settings, durable=False) as runtime:
        deploy_here(runtime)
        yield runtime


def queue(database: Database, stamp: str, count: int) -> None:
    """So many messages, each to a customer of its own."""
    for start in range(0, count, CHUNK):
        numbers = range(start, min(start + CHUNK, count))
        drafts = [
            CustomerDraft(
                name=f"Ada {n}", country="DE", identities=(("email", f"{stamp}{n}@bench.example"),), source="bench"
            )
            for n in numbers
        ]
        body = {
            "channel": "email", "purpose": "sales", "sender": "campaign", "template": "hello",
            "fields": {"name": "Ada Keller"}, "thread": "hello",
        }  # fmt: skip
        with database.transaction() as uow:
            people = [found.id for found in resolve_many(uow, drafts)]
            queue_many(uow, [ActionDraft(f"{stamp}/{n}", "message", "note", body, customer_id=one)
                             for n, one in zip(numbers, people, strict=True)])  # fmt: skip
            uow.record(AuditEntry("bench.queued", stamp))


class Spent(NamedTuple):
    """Seconds by the clock, and of this process's CPU."""

    clock: float
    cpu: float


def timed(call: Callable[..., Any], *given: Any) -> Spent:
    """What a call takes."""
    cpu, clock = time.process_time(), time.perf_counter()
    call(*given)
    return Spent(time.perf_counter() - clock, time.process_time() - cpu)


def product(runtime: Runtime, stamp: str) -> None:
    """Until nothing is due and everything is written down."""
    _, outlets = outlets_of(runtime.settings, runtime.database, None)
    source = OutboxSource(runtime.database, outlets)
    while source.lease(CHUNK, LEASE_S, token := new_id(f"lease{stamp}")):
        source.run(token)
    close_outlets(outlets)


def proven(database: Database, stamp: str, count: int) -> list[bytes]:
    """What was sent, to the letter; RuntimeError where anything is missing that the product claims to do."""
    mine = f"{stamp}/%"
    with database.reading() as reader:
        for what, sql in PROVEN.items():
            [(found,)] = reader.fetch(sql, mine)
            if found != count:
                message = f"{what}: {found} of {count}"
                raise RuntimeError(message)
        sql = "SELECT content FROM delivery_copy JOIN action ON action.id = action_id WHERE idempotency_key LIKE ?"
        return [content.encode() for (content,) in reader.fetch(sql, mine)]


def bytes_loop(port: int, mails: list[bytes]) -> None:
    """Hand over bytes that were prepared before."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as wire:
        for mail in mails:
            wire.sendmail(SENDER, TO, mail)


def signing_loop(port: int, signer: DkimSigner, count: int) -> None:
    """Build, sign and hand over messages whose text was rendered before."""
    template = choose(templates_of({"messages/hello.en.md": TEMPLATE}), "hello")
    sender, to = mail_address(SENDER), mail_address(TO)
    written = render_message(template, {"name": "Ada Keller"})
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as wire:
        for number in range(count):
            now = datetime.now(UTC)
            letter = Letter(
                f"<bare.{number}@example.com>", sender, to, written.subject, written.text, now, html=written.html,
                automatic="auto-generated",
            )  # fmt: skip
            wire.sendmail(SENDER, TO, signer.sign(build_mail(letter), now))


@contextmanager
def _url(folder: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    server = EmbeddedPostgres(folder / "pg").start()
    try:
        yield server.create_database("sending")
    finally:
        server.destroy()


@contextmanager
def _stage(kind: str) -> Iterator[tuple[Runtime, int, Any]]:
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name, _server() as (port, got):
        folder = Path(name)
        folder.chmod(0o755)
        with _url(folder, kind) as url, _runtime(folder, url, port) as runtime:
            yield runtime, port, got


def _rounds(kind: str, count: int, rounds: int) -> dict[str, list[Spent]]:
    """What each round took, by side; the first warms up and is not among them."""
    found: dict[str, list[Spent]] = {"bytes": [], "signing": [], "product": []}
    with _stage(kind) as (runtime, port, got):
        file = runtime.settings.smtp_dkim_key_file
        assert file is not None
        signer = DkimSigner.load(file, "example.com", "bench")
        for turn in range(rounds + 1):
            stamp = f"r{turn}"
            queue(runtime.database, stamp, count)
            before = got.value
            took = {"product": timed(product, runtime, stamp)}
            if got.value - before != count:
                message = f"the server got {got.value - before} of {count}"
                raise RuntimeError(message)
            took["bytes"] = timed(bytes_loop, port, proven(runtime.database, stamp, count))
            took["signing"] = timed(signing_loop, port, signer, count)
            if turn:
                for name, spent in took.items():
                    found[name].append(spent)
    return found


def run(count: int = 400, *, rounds: int = 5, kinds: tuple[str, ...] = ("sqlite", "postgres")) -> dict[str, Any]:
    """Rounds of `count` messages by each side, taking turns; the bar is the median of the rounds' ratios."""
    rows: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    for kind in kinds:
        found = _rounds(kind, count, rounds)
        for name, spent in found.items():
            row = {"name": f"{kind}: {name}", **_spread("sends_per_s", [count / one.clock for one in spent], 0)}
            row["cpu_ms"] = round(1_000 / count * statistics.median(one.cpu for one in spent), 2)
            rows.append(row)
        for name in ("bytes", "signing"):
            ratios = [bare.clock / ours.clock for ours, bare in zip(found["product"], found[name], strict=True)]
            rows.append({"name": f"{kind}: product / {name}", **_spread("ratio", ratios, 2)})
            middle = round(statistics.median(ratios), 2)
            bar = {"name": f"{kind}: product / {name} loop", "value": middle, "op": ">=", "bar": BAR}
            bars.append({**bar, "met": middle >= BAR})
    return {"rows": rows, "bars": bars}


def _spread(name: str, found: list[float], digits: int) -> dict[str, Any]:
    values = {name: statistics.median(found), "from": min(found), "to": max(found)}
    return {one: round(value, digits) for one, value in values.items()}


def main() -> None:
    """Print the figures; `[MESSAGES] [--profile] [sqlite|postgres]`."""
    count = next((int(word) for word in sys.argv[1:] if word.isdigit()), 400)
    kinds = tuple(kind for kind in ("sqlite", "postgres") if kind in sys.argv) or ("sqlite", "postgres")
    if "--profile" not in sys.argv:
        for row in run(count, kinds=kinds)["rows"]:
            print(row)
        return
    with _stage(kinds[0]) as (runtime, _, _):
        for stamp in ("warm", "measured"):
            queue(runtime.database, stamp, count)
            profiler = cProfile.Profile()
            profiler.enable()
            product(runtime, stamp)
            profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(90)


if __name__ == "__main__":
    main()
