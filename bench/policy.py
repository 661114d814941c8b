"""A policy of 20 rules, all evaluated and explained, against the same 20 conditions compiled as one list.

Both sides start from the same checked facts. The limit is the CEL library alone: one stock environment, one
list expression, results as Python booleans. Ours judges segments and rules, walks all steps and keeps the
record;
`+ stored record` also writes the explanation as JSON, which is what a checkpoint stores. CPU time of this
process, rounds of the sides interleaved so that a busy machine slows all alike; ratios are taken within a
round.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cel_expr_python import cel

from fairlead.checkpoints.draws import draws_for
from fairlead.checkpoints.model import Grant, Level, Proposal
from fairlead.checkpoints.parsing import parse_policy
from fairlead.checkpoints.ruling import Question, rule_many
from fairlead.checkpoints.sentences import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.checkpoints.policy import CheckpointPolicy

RULES = 20
CHUNK = 500  # as many as the engine hands over at once
CHUNKS = 16
CASES = CHUNK * CHUNKS
ROUNDS = 15
BAR = 0.5
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_FACTS = {
    "score": "double", "value": "double", "producer": "string", "employees": "double", "discount": "double",
    "days_open": "int", "visits": "int", "country": "string", "industry": "string", "plan": "string",
    "slot": "int",
}  # fmt: skip


def conditions(count: int) -> list[str]:
    """`count` conditions of mixed kinds; each is true for about one case in `count`, never two for one
    case.
    """
    shapes = (
        "slot == {k} && value >= 0",
        "slot == {k} && country != 'zz'",
        "slot in [{k}] && discount < 2.0",
        "employees >= 1 && slot == {k}",
        "slot == {k} && industry.size() > 2 && visits >= 0",
    )
    return [shapes[k % len(shapes)].format(k=k) for k in range(count)]


def policy_text(count: int) -> str:
    """The policy with these rules, paths alternating between assist, human and blocked."""
    paths = ("assist", "human", "blocked")
    rules = "".join(
        f'  - {{id: rule-{k}, when: "{text}", path: {paths[k % 3]}, words: "Rule {k} holds."}}\n'
        for k, text in enumerate(conditions(count))
    )
    built_in = {"score", "value", "producer"}
    facts = "".join(f"  {name}: {kind}\n" for name, kind in _FACTS.items() if name not in built_in)
    return (
        "checkpoint: bench\nanswer: {type: object, properties: {team: {type: string}}}\n"
        f"review: {{role: rep, due: 4h}}\nfacts:\n{facts}rules:\n{rules}"
    )


def questions(policy: CheckpointPolicy, count: int) -> list[Question]:
    """Seeded cases whose hits spread evenly over the rules, one in `count + 1` hitting none."""
    rng = random.Random(7)
    found = []
    for number in range(CASES):
        signals = {
            "employees": 1 + rng.random() * 5_000,
            "discount": rng.random(),
            "days_open": rng.randrange(90),
            "visits": rng.randrange(40),
            "country": rng.choice(("de", "fr", "us", "in")),
            "industry": rng.choice(("retail", "banking", "health")),
            "plan": rng.choice(("free", "team", "enterprise")),
            "slot": rng.randrange(count + 1),
        }
        proposal = Proposal("bench", {"team": "west"}, "model@1", rng.random(), rng.randrange(9_000_000), signals)
        _ = proposal.digest  # made when the proposal arrives, not when it is ruled on
        found.append(Question(proposal, policy.collect(proposal), draws_for(b"bench", "bench", str(number))))
    return found


def _cpu_us(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return (time.process_time() - start) / CASES * 1e6


def _limit(count: int) -> Any:
    types = {"double": cel.Type.DOUBLE, "int": cel.Type.INT, "string": cel.Type.STRING}
    env = cel.NewEnv(variables={name: types[kind] for name, kind in _FACTS.items()})
    # Stock CEL does not compare whole numbers with doubles.
    plain = [text.replace(">= 0", ">= 0.0").replace("visits >= 0.0", "visits >= 0") for text in conditions(count)]
    plain = [text.replace("employees >= 1 ", "employees >= 1.0 ") for text in plain]
    return env.compile("[" + ", ".join(plain) + "]")


def _measure(count: int) -> dict[str, list[float]]:
    policy = parse_policy(policy_text(count), "bench.yaml")
    cases = questions(policy, count)
    grant = Grant(
        "grant_bench",
        "bench",
        "other",
        "model@1",
        Level.AUTO,
        policy.version,
        NOW + timedelta(days=30),
        0.5,
        0.02,
    )
    grants = {grant.key: grant}
    program = _limit(count)
    chunks = [cases[start : start + CHUNK] for start in range(0, CASES, CHUNK)]
    facts = [[case.facts.values for case in chunk] for chunk in chunks]
    ruled = [rule_many(policy, chunk, grants, now=NOW) for chunk in chunks]

    def limit() -> None:
        for chunk in facts:
            _ = [program.eval(data=values).plain_value() for values in chunk]

    def stored() -> None:
        for chunk in chunks:
            _ = [ruling.as_json() for ruling in rule_many(policy, chunk, grants, now=NOW)]

    sides: dict[str, Callable[[], object]] = {
        "limit": limit,
        "ruled": lambda: [len(rule_many(policy, chunk, grants, now=NOW)) for chunk in chunks],
        "stored": stored,
        "sentence": lambda: [len(explain(ruling)) for chunk in ruled for ruling in chunk],
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, work in sides.items():
            times[name].append(_cpu_us(work))
    return times


def _row(name: str, times: list[float], limit: list[float]) -> dict[str, Any]:
    ratios = sorted(base / own for base, own in zip(limit, times, strict=True))
    return {
        "name": name,
        "cpu_us": round(statistics.median(times), 2),
        "cpu_us_min": round(min(times), 2),
        "cpu_us_max": round(max(times), 2),
        "per_s": round(1e6 / statistics.median(times)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_min": round(ratios[0], 3),
        "ratio_max": round(ratios[-1], 3),
    }


def run() -> dict[str, Any]:
    """Rows of both sizes with median and spread over the rounds, and the bar of DESIGN §8."""
    rows: list[dict[str, Any]] = []
    for count in (RULES, 5):
        times = _measure(count)
        rows += [
            _row(f"{count} conditions as one list, CEL alone", times["limit"], times["limit"]),
            _row(f"{count} rules ruled", times["ruled"], times["limit"]),
            _row(f"{count} rules ruled + stored record", times["stored"], times["limit"]),
            _row(f"{count} rules, staff sentence of a ruling", times["sentence"], times["limit"]),
        ]
    by_name = {row["name"]: row for row in rows}
    explained = by_name[f"{RULES} rules ruled + stored record"]["ratio"]
    small = by_name["5 rules ruled"]["per_s"]
    return {
        "rows": rows,
        "bars": [
            {
                "name": "20 rules evaluated and explained / 20 conditions as one list",
                "value": explained, "op": ">=", "bar": BAR, "met": explained >= BAR,
            },
            {
                "name": "rulings per second and core, policy of 5 rules",
                "value": small, "op": ">=", "bar": 20_000, "met": small >= 20_000,
            },
        ],
    }  # fmt: skip
