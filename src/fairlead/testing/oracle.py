"""An oracle for durability: reads the tables as they are and says which promise they break.

It shares no code with what it judges but the audit record's verifier: plain SQL, and a replay of every case's
history from its audit entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from fairlead.audit import StoredRecord, verify
from fairlead.kit import jsons
from fairlead.kit.clock import to_micros

if TYPE_CHECKING:
    from fairlead.kit.database import Database

# What must never be found, whatever happened: a sentence, and SQL for the ids it is true of.
NEVER_FOUND: Mapping[str, str] = {
    "case is in no legal state": """
        SELECT id FROM playbook_case
        WHERE state NOT IN ('ready', 'waiting', 'paused', 'exception', 'ended')""",
    "case both ended and did not": """
        SELECT id FROM playbook_case
        WHERE (state = 'ended') <> (ended_at IS NOT NULL) OR (state = 'ended') <> ("end" IS NOT NULL)""",
    "case waits for nothing": """
        SELECT id FROM playbook_case WHERE state = 'waiting' AND (wait_type IS NULL OR wait_key IS NULL)""",
    "case is in the exceptions queue without a reason": """
        SELECT id FROM playbook_case WHERE state = 'exception' AND problem IS NULL""",
    "case is paused and nothing says how to go on": """
        SELECT id FROM playbook_case WHERE state = 'paused' AND resume IS NULL""",
    "case is leased and not ready": """
        SELECT id FROM playbook_case WHERE lease_token IS NOT NULL AND state <> 'ready'""",
    "ruling settles itself and has no decision": """
        SELECT id FROM ruling WHERE path IN ('auto', 'blocked')
        AND NOT EXISTS (SELECT 1 FROM decision WHERE ruling_id = ruling.id)""",
    "ruling asks a person and has neither review nor decision": """
        SELECT id FROM ruling WHERE path IN ('assist', 'human')
        AND NOT EXISTS (SELECT 1 FROM decision WHERE ruling_id = ruling.id) AND NOT EXISTS (
            SELECT 1 FROM review WHERE ruling_id = ruling.id
            AND state IN ('waiting', 'claimed', 'withdrawn'))""",
    "proposal was ruled twice": """
        SELECT decision_key FROM ruling GROUP BY checkpoint, decision_key HAVING count(*) > 1""",
    "ruling is decided and still under review": """
        SELECT d.ruling_id FROM decision d JOIN review r ON r.ruling_id = d.ruling_id
        WHERE r.closed_at IS NULL AND r.kind = 'decision'""",
    "automatic decision was drawn and nobody is asked for its label": """
        SELECT id FROM ruling WHERE path = 'auto' AND lottery
        AND NOT EXISTS (SELECT 1 FROM review r WHERE r.ruling_id = ruling.id AND r.kind = 'label')""",
    "case has several assignments that count": """
        SELECT case_id FROM assignment WHERE superseded_at IS NULL GROUP BY case_id HAVING count(*) > 1""",
    "ruling has several open reviews": """
        SELECT ruling_id FROM review WHERE closed_at IS NULL GROUP BY ruling_id HAVING count(*) > 1""",
    "case has several open reviews": """
        SELECT case_id FROM review WHERE closed_at IS NULL AND case_id IS NOT NULL AND kind = 'decision'
        GROUP BY case_id HAVING count(*) > 1""",
    "case waits for a decision that nobody is asked for": """
        SELECT c.id FROM playbook_case c WHERE c.state = 'waiting' AND c.wait_type = 'decision'
        AND NOT EXISTS (SELECT 1 FROM review r WHERE r.ruling_id = c.wait_key AND r.closed_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.type = 'decision' AND e.key = c.wait_key
                        AND e.handled_at IS NULL)""",
    "review is open and its case does not wait for it": """
        SELECT r.id FROM review r WHERE r.closed_at IS NULL AND r.case_id IS NOT NULL AND r.kind = 'decision'
        AND NOT EXISTS (
            SELECT 1 FROM playbook_case c
            WHERE c.id = r.case_id AND c.wait_key = r.ruling_id AND c.state IN ('waiting', 'paused'))""",
    "idempotency key has several actions": """
        SELECT idempotency_key FROM action GROUP BY idempotency_key HAVING count(*) > 1""",
    "action is queued and nobody will deliver it": """
        SELECT id FROM action WHERE state = 'queued'
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE action_id = action.id)""",
    "action is done and still to be delivered": """
        SELECT action_id FROM outbox JOIN action ON action.id = outbox.action_id
        WHERE action.state <> 'queued'""",
    "case waits for an action whose result it was told already": """
        SELECT c.id FROM playbook_case c WHERE c.state = 'waiting' AND c.wait_type = 'action'
        AND NOT EXISTS (SELECT 1 FROM action a WHERE a.id = c.wait_key AND a.state IN ('queued', 'held'))
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.type = 'action' AND e.key = c.wait_key
                        AND e.handled_at IS NULL)""",
    "lead has no case": """
        SELECT id FROM lead WHERE case_id IS NULL
        OR NOT EXISTS (SELECT 1 FROM playbook_case c WHERE c.id = lead.case_id AND c.subject_id = lead.id)""",
    "lead has several cases": """
        SELECT subject_id FROM playbook_case WHERE subject_kind = 'lead' AND parent_id IS NULL
        GROUP BY playbook, subject_id HAVING count(*) > 1""",
    "row of a file was taken in twice": """
        SELECT l.id FROM lead l JOIN lead_reject r ON r.import_id = l.import_id AND r.row_no = l.row_no""",
    "import is finished and its rows do not add up": """
        SELECT id FROM lead_import i WHERE state = 'finished' AND rows <>
        (SELECT count(*) FROM lead WHERE import_id = i.id)
        + (SELECT count(*) FROM lead_reject WHERE import_id = i.id)""",
}

# What must not be found once everybody had time to do what is due.
NOT_AT_REST: Mapping[str, str] = {
    "case is due and nobody runs it": """
        SELECT id FROM playbook_case WHERE state = 'ready' AND due_at <= :now""",
    "case waits beyond its time": """
        SELECT id FROM playbook_case WHERE state = 'waiting' AND due_at <= :now""",
    "case is leased by nobody who works": """
        SELECT id FROM playbook_case WHERE lease_token IS NOT NULL""",
    "delivery is leased by nobody who works": """
        SELECT action_id FROM outbox WHERE lease_token IS NOT NULL AND lease_until <= :now""",
    "event is due and nobody was told": """
        SELECT id FROM event WHERE handled_at IS NULL AND due_at <= :now""",
}
_SHOWN = 5


def check_world(
    database: Database,
    *,
    public_key: bytes | None = None,
    heads: Mapping[int, bytes] | None = None,
    deliveries: Path | None = None,
    resting: bool = True,
) -> None:
    """AssertionError naming every promise that the database breaks, each with some ids.

    `public_key` None leaves the audit chain out, `deliveries` (the file connector's output) None the effects.
    `resting` says that nobody works any more and everybody had time: no lease and nothing due may be left.
    """
    broken = list(_found_in_tables(database, resting=resting))
    broken += _broken_histories(database)
    if deliveries is not None:
        broken += _broken_effects(database, deliveries, resting=resting)
    if public_key is not None:
        with database.reading() as reader:
            verified = verify(StoredRecord(reader), public_key, heads or {})
        broken += [f"audit: {problem}" for problem in verified.problems]
    if broken:
        raise AssertionError("\n".join(broken))


def _found_in_tables(database: Database, *, resting: bool) -> Iterator[str]:
    now = {"now": to_micros(database.clock.now())}
    with database.raw() as connection:
        for words, sql in NEVER_FOUND.items():
            yield from _sentence(words, _ids(connection, sql, {}))
        for words, sql in NOT_AT_REST.items() if resting else ():
            yield from _sentence(words, _ids(connection, sql, now if ":now" in sql else {}))


def _ids(connection: Connection, sql: str, values: dict[str, int]) -> list[str]:
    return [str(row[0]) for row in connection.execute(text(sql), values)]


def _sentence(words: str, ids: list[str]) -> Iterator[str]:
    if ids:
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        yield f"{words}: {', '.join(ids[:_SHOWN])}{more}"


def _broken_histories(database: Database) -> Iterator[str]:
    """Cases whose audited history does not lead to where they stand, or ends other than once."""
    entries = """
        SELECT e.subject, e.verb, p.body FROM audit_entry e LEFT JOIN audit_payload p ON p.entry_id = e.id
        WHERE e.verb LIKE 'case.%' ORDER BY e.id"""
    told: dict[str, _History] = {}
    with database.raw() as connection:
        rows = connection.execute(text("SELECT id, stage, state FROM playbook_case")).all()
        for subject, verb, body in connection.execute(text(entries)):
            told.setdefault(subject, _History()).take(verb, jsons.loads(body) if body is not None else None)
    for case_id, stage, state in rows:
        history = told.get(case_id, _History())
        if (why := history.wrong_for(stage, state)) is not None:
            yield f"history of {case_id}: {why}"


class _History:
    """One case's audit entries, played again."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.ends = 0
        self.opened = 0
        self.erased = False
        self.problem: str | None = None

    def take(self, verb: str, payload: dict[str, Any] | None) -> None:
        """The next entry; None for a payload that was erased with its customer."""
        if payload is None:
            self.erased = True
        if self.erased or payload is None:
            return
        if self.ends and verb != "case.signalled":
            self.problem = self.problem or f"{verb} after its end"
        if verb == "case.opened":
            self.opened += 1
            self.stage = payload["stage"]
            return
        if verb in {"case.ended", "case.cancelled"}:
            self.ends += 1
        left = payload.get("from", self.stage)
        if left != self.stage:
            self.problem = self.problem or f"{verb} leaves {left!r} while it stood at {self.stage!r}"
        self.stage = payload.get("to") or self.stage

    def wrong_for(self, stage: str, state: str) -> str | None:
        """What does not fit a case that stands there, None when all does."""
        if self.erased or self.problem:
            return self.problem
        if self.opened != 1:
            return f"was opened {self.opened} times"
        if self.stage != stage:
            return f"leads to {self.stage!r}, it stands at {stage!r}"
        if self.ends != (state == "ended"):
            return f"ended {self.ends} times and is {state}"
        return None


def _broken_effects(database: Database, deliveries: Path, *, resting: bool) -> Iterator[str]:
    """Keys with more than one line, sent actions without one, and at rest lines that no action owns."""
    lines = deliveries.read_text(encoding="utf-8").splitlines() if deliveries.exists() else []
    counted = Counter(str(jsons.loads(line)["key"]) for line in lines)
    with database.raw() as connection:
        sql = "SELECT idempotency_key FROM action WHERE connector = 'file' AND state = 'sent'"
        sent = {row[0] for row in connection.execute(text(sql))}
    yield from _sentence("effect happened twice", sorted(key for key, count in counted.items() if count > 1))
    yield from _sentence("action is sent and had no effect", sorted(sent - counted.keys()))
    if resting:
        yield from _sentence("effect of an action that is not sent", sorted(counted.keys() - sent))
