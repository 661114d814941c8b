"""Durable engines that give every case a workflow of its own, on the same databases.

Runs in an environment of its own (requirements/bench.txt), so it imports nothing of ours:
`.venv-bench/bin/python bench/engine/peers.py dbos|langgraph sqlite:///FILE|postgresql://… COUNT` prints
one JSON object. A case is scored, routed and decided, three durable steps; LangGraph stops at an
interrupt for a person.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

BASE = {
    "country": "DE",
    "employees": 240,
    "value": 12_000.0,
    "name": "Ada Keller",
    "email": "ada@example.com",
}


def score(lead: dict[str, Any]) -> dict[str, Any]:
    """The first step."""
    return {"points": 20 + 10 * (lead["employees"] >= 50) + 10 * (lead["value"] >= 5_000.0)}


def route(lead: dict[str, Any]) -> dict[str, Any]:
    """The second."""
    return {"team": "dach" if lead["country"] in {"DE", "AT", "CH"} else "inside-sales"}


def rate(count: int, work: Callable[[int], object]) -> dict[str, float]:
    """Cases per second by wall and milliseconds of this process's CPU per case."""
    wall, own = time.perf_counter(), time.process_time()
    for number in range(count):
        work(number)
    wall, own = time.perf_counter() - wall, time.process_time() - own
    return {"per_s": round(count / wall, 1), "own_cpu_ms": round(own / count * 1000, 2)}


def run_dbos(url: str, count: int) -> dict[str, float]:
    """One workflow per case, three steps, each kept by DBOS."""
    from dbos import DBOS  # noqa: PLC0415  only one of the two peers is loaded

    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # stays with the file; several times the default's rate
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})
    step_score, step_route = DBOS.step()(score), DBOS.step()(route)

    @DBOS.step()
    def decide(lead: dict[str, Any]) -> str:
        return "auto" if lead["value"] < 5_000 else "human"

    @DBOS.workflow()
    def qualify(number: int) -> str:
        lead = {**BASE, "id": number, "value": float(number % 10_000)}
        return decide({**lead, **step_score(lead), **step_route(lead)})

    DBOS.launch()
    try:
        for number in range(3):
            qualify(number)
        return rate(count, qualify)
    finally:
        DBOS.destroy()


class LeadState(TypedDict, total=False):
    """What the graph carries."""

    lead: dict[str, Any]
    points: int
    team: str
    verdict: str


@contextmanager
def saver(url: str) -> Iterator[Any]:
    """LangGraph's own checkpointer of the database."""
    if url.startswith("sqlite"):
        from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415  as above

        connection = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        yield SqliteSaver(connection)
        connection.close()
        return
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415  as above

    with PostgresSaver.from_conn_string(url.replace("+psycopg", "")) as found:
        yield found


def run_langgraph(url: str, count: int) -> dict[str, float]:
    """One thread per case, up to its interrupt."""
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415  as above
    from langgraph.types import interrupt  # noqa: PLC0415  as above

    graph: Any = StateGraph(LeadState)
    graph.add_node("score", lambda state: score(state["lead"]))
    graph.add_node("route", lambda state: route(state["lead"]))
    graph.add_node("decide", lambda state: {"verdict": interrupt({"team": state["team"]})})
    for before, after in ((START, "score"), ("score", "route"), ("route", "decide"), ("decide", END)):
        graph.add_edge(before, after)
    with saver(url) as kept:
        kept.setup()
        compiled = graph.compile(checkpointer=kept)

        def start(number: int) -> None:
            compiled.invoke({"lead": {**BASE, "id": number}}, {"configurable": {"thread_id": str(number)}})

        for number in range(-3, 0):
            start(number)
        return rate(count, start)


def main() -> None:
    """See the module."""
    logging.disable(logging.WARNING)
    name, url, count = sys.argv[1:]
    found = {"dbos": run_dbos, "langgraph": run_langgraph}[name](url, int(count))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
