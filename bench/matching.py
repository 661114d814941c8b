"""Duplicates: how many are found, how many of those are right, and how fast, on made-up records with known truth.

The truth is the generator's (`fairlead.testing.companies`): a pair is right when both records stand for one
entity. `sure` is what may be merged without a person under a grant, `asked` everything that a person is shown.
Figures of quality come from a seed that the weights were not chosen on. Time is CPU time of this process, from
bare records to scored pairs, without the database.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from itertools import combinations
from typing import Any

from fairlead.sales.matching.blocking import MAX_BLOCK, pairs_of
from fairlead.sales.matching.model import Pair, Record, Relation, Thresholds
from fairlead.sales.matching.prepared import prepare
from fairlead.sales.matching.scoring import compare_prepared
from fairlead.testing.companies import CompanyMaker, MadeRecord

RECORDS = 50_000
SEED = 2026
BAR_PRECISION, BAR_RECALL, BAR_PAIRS, BAR_SPEED = 0.99, 0.85, 20.0, 1_000
_DUPLICATES = {Relation.SAME_PERSON, Relation.SAME_ACCOUNT}


def records_of(made: list[MadeRecord]) -> list[Record]:
    """The made records as the matcher sees customers."""
    return [
        Record(f"cus_{at:07}", one.name, one.company, one.country, one.city, "", one.emails, one.phones)
        for at, one in enumerate(made)
    ]


def truth_of(made: list[MadeRecord]) -> set[Pair]:
    """Every pair of records of one entity."""
    by_entity: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(made):
        by_entity[one.entity].append(at)
    return {Pair(*pair) for members in by_entity.values() for pair in combinations(members, 2)}


def measure(count: int, seed: int, **maker: float) -> dict[str, Any]:
    """Precision and recall at both thresholds, pairs compared, and speed."""
    made = CompanyMaker(seed, **maker).make(count)
    records, truth = records_of(made), truth_of(made)
    thresholds = Thresholds()
    gc.collect()
    started = time.process_time()
    prepared = [prepare(one) for one in records]
    blocks = pairs_of(prepared)
    scored = [(pair, compare_prepared(prepared[pair.left], prepared[pair.right], thresholds)) for pair in blocks.pairs]
    seconds = time.process_time() - started
    row: dict[str, Any] = {"records": count, "duplicates": len(truth)}
    for name, least in (("sure", thresholds.sure), ("asked", thresholds.unsure)):
        said = {pair for pair, match in scored if match.score >= least and match.relation in _DUPLICATES}
        right = len(said & truth)
        row |= {
            f"{name}_precision": round(right / max(len(said), 1), 4),
            f"{name}_recall": round(right / max(len(truth), 1), 4),
            f"{name}_wrong": len(said) - right,
        }
    return row | {
        "blocked_recall": round(len({pair for pair, _ in scored} & truth) / max(len(truth), 1), 4),
        "pairs_per_record": round(len(blocks.pairs) / count, 2),
        "blocks_over_bound": blocks.passed_over,
        "records_per_s": round(count / seconds),
    }


def run(records: int = RECORDS) -> dict[str, Any]:
    """Rows by how dirty the records are, and the bars."""
    usual = {"name": f"{records:,} records, a quarter entered twice", **measure(records, SEED)}
    rows = [
        usual,
        {"name": "clean: few typing errors, few gaps", **measure(records // 5, SEED, noise=0.1, gaps=0.1)},
        {"name": "dirty: many typing errors, half the fields missing",
         **measure(records // 5, SEED, noise=0.6, gaps=0.5)},
        {"name": "no duplicates at all", **measure(records // 5, SEED, duplicates=0.0)},
    ]  # fmt: skip
    bars = [
        ("precision of sure pairs", usual["sure_precision"], ">=", BAR_PRECISION),
        ("recall of what a person is asked or what is sure", usual["asked_recall"], ">=", BAR_RECALL),
        ("pairs compared a record", usual["pairs_per_record"], "<=", BAR_PAIRS),
        (f"records per second and core (blocks of at most {MAX_BLOCK})", usual["records_per_s"], ">=", BAR_SPEED),
    ]
    return {
        "rows": rows,
        "bars": [
            {"name": name, "value": value, "op": op, "bar": bar, "met": value >= bar if op == ">=" else value <= bar}
            for name, value, op, bar in bars
        ],
    }
