"""The gate: decisions a second alone and by 16 workers, each a transaction with lock, reads, place, answer and audit.

The limit beside it is the same number of audited transactions that lock one customer and write one row of the log: what
the database and the audit record cost without any judging. Workers are processes, forked and released together.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.audit import Trail
from fairlead.customers import CustomerDraft, lock_contact, resolve_many
from fairlead.errors import UnavailableError
from fairlead.guardrails import Attempt, deploy_rules, judge, parse_rules, pass_gate
from fairlead.guardrails.model import Known
from fairlead.guardrails.tables import contact_log
from fairlead.kit.actors import SYSTEM
from fairlead.kit.clock import SystemClock, to_micros
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.schema import create_schema
from fairlead.testing.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CUSTOMERS = 400
ALONE, TOGETHER, WORKERS = 400, 1_600, 16
PURE = 20_000
RULES = """\
purposes:
  sales: {class: promotional, mechanism: opt_out}
  news: {class: promotional, mechanism: opt_in, double: true, expires: 730d}
quiet_hours:
  - {name: sundays, from: "03:00", to: "03:30", days: [sun]}
  - {name: us, from: "21:00", to: "08:00", countries: [US], always: true}
caps:
  - {name: two-a-week, most: 2, per: 7d}
  - {name: daily, most: 1, per: day}
human_only: {flags: [vulnerable]}
complaint: {off: [promotional]}
holdout: {share: 0.05}
"""


def prepared(url: str) -> list[str]:
    """A database with rules and customers; their ids."""
    create_schema(url)
    database = Database(url, trail=Trail())
    with database.transaction() as uow:
        deploy_rules(uow, SYSTEM, RULES)
        drafts = [
            CustomerDraft(name=f"P{n}", country="DE", identities=(("email", f"p{n}@bench.test"),), source="bench")
            for n in range(CUSTOMERS)
        ]
        found = [one.id for one in resolve_many(uow, drafts)]
        uow.record(AuditEntry("bench.prepared", "bench"))
    database.close()
    return found


def ask(database: Database, customer: str, key: str) -> None:
    """One decision of the gate."""
    with database.transaction() as uow:
        pass_gate(uow, Attempt(key, customer, "email", "", "sales", "campaign"))


def bare(database: Database, customer: str, key: str) -> None:
    """The same lock, one row, one audit entry, and nothing judged."""
    values = (
        new_id("ctc"),
        key,
        customer,
        "email",
        "sales",
        "promotional",
        "campaign",
        "",
        "[]",
        to_micros(database.clock.now()),
        "released",
        "",
    )
    columns = (
        "id",
        "key",
        "customer_id",
        "channel",
        "purpose",
        "class",
        "sender",
        "kind",
        "tags",
        "at",
        "state",
        "address_digest",
    )
    with database.transaction() as uow:
        lock_contact(uow, customer)
        uow.insert_many(contact_log, columns, [values])
        uow.record(AuditEntry("contact.allowed", key, {}, customer_id=customer))


def work(
    url: str, name: str, customers: list[str], count: int, call: Callable[[Database, str, str], None], gate: Any
) -> None:
    """One worker; a database that stays busy for too long is asked again."""
    database = Database(url, clock=SystemClock(), trail=Trail())
    gate.wait()
    for number in range(count):
        while True:
            with contextlib.suppress(UnavailableError):
                call(database, customers[(number * 7 + len(name)) % len(customers)], f"{name}-{number}")
                break
    database.close()


def rate(url: str, customers: list[str], workers: int, total: int, call: Callable[[Database, str, str], None]) -> float:
    """Calls a second of that many workers together."""
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(workers + 1)
    stamp = new_id("bench")
    crew = [
        context.Process(
            target=work, args=(url, f"{stamp}-{n}", customers[n:] + customers[:n], total // workers, call, gate)
        )
        for n in range(workers)
    ]
    for one in crew:
        one.start()
    gate.wait()
    started = time.perf_counter()
    for one in crew:
        one.join()
    seconds = time.perf_counter() - started
    assert all(one.exitcode == 0 for one in crew)
    return total // workers * workers / seconds


def pure() -> float:
    """Judgements a second without any database."""
    rules, known = parse_rules(RULES), Known(zones=("Europe/Berlin",), countries=("DE",))
    attempt, now = Attempt("k", "c", "email", "", "sales", "campaign"), SystemClock().now()
    started = time.perf_counter()
    for _ in range(PURE):
        judge(rules, attempt, known, now)
    return PURE / (time.perf_counter() - started)


@contextlib.contextmanager
def databases() -> Iterator[dict[str, str]]:
    """One of each kind, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "pg")
        try:
            yield {"sqlite": f"sqlite:///{folder}/gate.db", "postgres": server.start().create_database("gate")}
        finally:
            server.destroy()


def run(rounds: int = 3) -> dict[str, Any]:
    """Rows of figures; the gate has no bar of its own yet."""
    rows: list[dict[str, Any]] = [{"name": "judge alone, no database", "per_second": round(pure())}]
    with databases() as urls:
        for kind, url in urls.items():
            customers = prepared(url)
            for words, workers, total in (("alone", 1, ALONE), (f"{WORKERS} workers", WORKERS, TOGETHER)):
                found: dict[str, list[float]] = {"gate": [], "bare": []}
                for _ in range(rounds):
                    found["gate"].append(rate(url, customers, workers, total, ask))
                    found["bare"].append(rate(url, customers, workers, total, bare))
                ratios = [gate / limit for gate, limit in zip(found["gate"], found["bare"], strict=True)]
                rows.append({
                    "name": f"{kind}, {words}",
                    "per_second": round(statistics.median(found["gate"])),
                    "least": round(min(found["gate"])),
                    "most": round(max(found["gate"])),
                    "bare": round(statistics.median(found["bare"])),
                    "ratio": round(statistics.median(ratios), 2),
                })  # fmt: skip
    return {"rows": rows, "bars": []}
