"""Messages a second through the outbox with a connector that only counts: without the gate, and with it.

Queueing is not measured; leasing, the gate, the delivery, its record and the audit trail are. One worker in one
process, each message to a customer of its own, on both databases. Run alone: `python -m bench.sending [MESSAGES]`.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairlead.actions import ActionDraft, OutboxSource, queue_many
from fairlead.audit import Trail
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.guardrails import deploy_rules
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.schema import create_schema
from fairlead.testing.connectors import RecordingConnector
from fairlead.testing.postgres import EmbeddedPostgres

RULES = """\
purposes:
  sales: {class: promotional, mechanism: opt_out}
caps:
  - {name: two-a-week, most: 2, per: 7d}
  - {name: one-a-day, most: 1, per: day, clock: customer}
"""
CHUNK, LEASE_S = 500, 60.0


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Empty ones with the schema, by kind."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "pg").start()
        try:
            urls = {"sqlite": f"sqlite:///{Path(folder) / 'bench.db'}", "postgres": server.create_database("sending")}
            for url in urls.values():
                create_schema(url)
            yield urls
        finally:
            server.destroy()


def queue(database: Database, connector: str, count: int) -> None:
    """So many messages, each to a customer of its own."""
    for start in range(0, count, CHUNK):
        numbers = range(start, min(start + CHUNK, count))
        drafts = [
            CustomerDraft(name=f"P{n}", identities=(("email", f"{connector}{n}@bench.example"),), source="bench")
            for n in numbers
        ]
        with database.transaction() as uow:
            people = [found.id for found in resolve_many(uow, drafts)]
            body = {"channel": "email", "purpose": "sales", "sender": "sales", "template": "x"}
            queue_many(uow, [ActionDraft(f"{connector}/{n}", connector, "note", body, customer_id=one)
                             for n, one in zip(numbers, people, strict=True)])  # fmt: skip
            uow.record(AuditEntry("bench.queued", connector))


def drain(source: OutboxSource) -> float:
    """Seconds until nothing is due."""
    began = time.perf_counter()
    while source.lease(CHUNK, LEASE_S, token := new_id("lease")):
        source.run(token)
    return time.perf_counter() - began


def measure(count: int) -> dict[str, Any]:
    """Messages a second by database and by way."""
    found: dict[str, Any] = {"messages": count}
    with databases() as urls:
        for kind, url in urls.items():
            database = Database(url, trail=Trail())
            with database.transaction() as uow:
                deploy_rules(uow, SYSTEM, RULES)
            plain, gated = RecordingConnector("plain"), RecordingConnector("gated", reaches_customer=True)
            source = OutboxSource(database, {"plain": plain, "gated": gated})
            for out in (plain, gated):
                queue(database, out.name, count)
                seconds = drain(source)
                assert sum(out.effects.values()) == count, "something was not sent, or twice"
                found[f"{kind}_{out.name}_per_s"] = round(count / seconds)
            database.close()
    return found


def main() -> None:
    """Print the figures; with `--profile` where the time of the gated way goes on SQLite."""
    count = next((int(word) for word in sys.argv[1:] if word.isdigit()), 2_000)
    if "--profile" not in sys.argv:
        print(json.dumps(measure(count), indent=2))
        return
    profiler = cProfile.Profile()
    profiler.enable()
    measure(count)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


if __name__ == "__main__":
    main()
