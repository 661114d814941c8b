"""Replays the commit log of the gate and says which promise it breaks; shares no code with the gate.

Entries of one customer are written under that customer's lock, so their ids are the order of their commits.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from fairlead.kit.database import Database

_STORED = "SELECT key, customer_id, state FROM contact_log"
_LOG = (
    "SELECT e.id, e.verb, e.subject, e.scope, p.body FROM audit_entry e JOIN audit_payload p ON p.entry_id = e.id "
    "WHERE e.verb LIKE 'contact.%' OR e.verb = 'customer.consent_recorded' ORDER BY e.id"
)


def violations(database: Database, world: Path, most: int) -> list[str]:
    """Sentences; none where nobody got more than `most` messages and nobody who had opted out got a place."""
    with database.raw() as connection:
        log = [tuple(row) for row in connection.execute(text(_LOG))]
        stored = {
            row[0]: (row[1], row[2]) for row in connection.execute(text(_STORED))
        }  # fmt: skip
    found, places = _replayed(log, most)
    for key, (customer, state) in stored.items():
        if places.get(customer, {}).get(key, "released") != state:
            found.append(f"{key} is {state}, the log says {places.get(customer, {}).get(key, 'released')}")
    return found + _outside(world, places, most)


def _replayed(log: list[tuple[Any, ...]], most: int) -> tuple[list[str], dict[str, dict[str, str]]]:
    found: list[str] = []
    places: dict[str, dict[str, str]] = defaultdict(dict)
    gone: set[str] = set()
    for number, verb, subject, scope, body in log:
        told, taken = json.loads(body), places[scope]
        if verb == "customer.consent_recorded":
            gone.add(scope)
        elif verb == "contact.allowed":
            if scope in gone:
                found.append(f"entry {number}: {subject} was allowed after {scope} had opted out")
            taken[subject] = "unknown" if subject in taken else "reserved"
        elif verb in {"contact.refused", "contact.held"} and taken.get(subject) == "reserved":
            taken[subject] = "unknown"
        elif verb == "contact.settled":
            state = {"accepted": "accepted", "unknown": "unknown", "not_sent": "released"}[told["outcome"]]
            taken[subject] = state
            if state == "released":
                del taken[subject]
        if len(taken) > most:
            found.append(f"entry {number}: {scope} has {len(taken)} places of {most}")
    return found, places


def _outside(world: Path, places: dict[str, dict[str, str]], most: int) -> list[str]:
    lines = {tuple(line.split()) for line in world.read_text().splitlines() if line.startswith("sent ")}
    per_customer = Counter(customer for _, _, customer in lines)
    found = [f"{who} was sent {count} messages, at most {most}" for who, count in per_customer.items() if count > most]
    return found + [f"{key} was sent without a place" for _, key, who in sorted(lines) if key not in places[who]]


def begun(world: Path) -> set[str]:
    """Keys whose delivery began."""
    return {line.split()[1] for line in world.read_text().splitlines()} if world.exists() else set()
