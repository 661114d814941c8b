"""The lead score: how well it orders leads, how fast it scores them, and which leaks it finds.

Quality is out of fold on two public data sets in `FAIRLEAD_DATA` (default `../shared/data`), beside scikit-learn's
HistGradientBoostingClassifier as it comes, on the same rows, columns and folds. A data set that is not there is said
to be absent and its bar is not judged. Speed is CPU time of one thread. Leaks are those of `fairlead.testing.leaks`,
from seeds that no threshold was chosen on.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from fairlead.kit.intervals import wilson
from fairlead.sales import open_lead_file, read_history
from fairlead.sales.past_leads import IDENTITY
from fairlead.testing.leaks import LEAKS, LeakyHistory, leaky_history
from fairlead.understanding.boosting import Coded, one_thread
from fairlead.understanding.columns import Choice
from fairlead.understanding.history import History
from fairlead.understanding.leakage import examine
from fairlead.understanding.measures import auc, folds_of
from fairlead.understanding.training import FOLDS, Plan, train

if TYPE_CHECKING:
    from fairlead.understanding.predicting import LeadModel

SETS = {
    "bank_marketing": ("bank_first80.csv", "y", {"duration"}),
    "telco_churn": ("Telco-Customer-Churn.csv", "Churn", set()),
}
"""Folder → file, outcome, and the columns that must be refused as leaks; no other may be."""
SEEDS = range(1_000, 1_008)
ROWS_SCORED = 20_000
ROUNDS = 5
SINGLES = 200


def data_folder() -> Path:
    """Where the data sets lie."""
    return Path(os.environ.get("FAIRLEAD_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def _default_auc(coded: Coded) -> float:
    """Scikit-learn's booster as it comes, on the model's columns and folds."""
    folds = folds_of(len(coded.outcome), coded.outcome, FOLDS)
    matrix, margins = coded.matrix(), np.empty(len(coded.outcome))
    for fold in range(FOLDS):
        inside = folds == fold
        booster = HistGradientBoostingClassifier(
            categorical_features=[not one.is_ordered for one in coded.features], random_state=0
        )
        margins[inside] = booster.fit(matrix[~inside], coded.outcome[~inside]).decision_function(matrix[inside])
    return auc(margins, coded.outcome)


def _rows_of(history: History) -> list[dict[str, Any]]:
    names = list(history.columns)
    return [dict(zip(names, cells, strict=True)) for cells in zip(*history.columns.values(), strict=True)]


def _speed(model: LeadModel, rows: list[dict[str, Any]]) -> dict[str, Any]:
    many = (rows * (ROWS_SCORED // len(rows) + 1))[:ROWS_SCORED]
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        model.score(many)
        rates.append(ROWS_SCORED / (time.process_time() - began))
    began = time.process_time()
    for row in many[:SINGLES]:
        model.score([row])
    single = (time.process_time() - began) / SINGLES * 1e3
    return {
        "rows_per_s": round(statistics.median(rates)), "rows_per_s_min": round(min(rates)),
        "single_ms": round(single, 2),
    }  # fmt: skip


def _quality(name: str) -> dict[str, Any] | None:
    file, outcome, leaks = SETS[name]
    path = data_folder() / name / file
    if not path.is_file():
        return None
    leads = open_lead_file(path, [f"outcome={outcome}"], "EUR")
    with leads.reader:
        history, _ = read_history(leads)
    choice = Choice(identity=IDENTITY)
    began = time.perf_counter()
    model = train(history, Plan("bench", choice))
    seconds = time.perf_counter() - began
    used = examine(history, choice).used
    coded = Coded(
        [feature for one in used for feature in one.features], [codes for one in used for codes in one.codes],
        np.array(history.outcome),
    )  # fmt: skip
    with one_thread():
        default = _default_auc(coded)
    refused = {one["column"] for one in model.report["columns_refused"] if one["kind"] == "leak"}
    return {
        "name": name, "rows": history.rows, "auc": model.report["auc"],
        "low": model.report["auc_interval"][0], "high": model.report["auc_interval"][1],
        "default_auc": round(default, 4), "brier": model.report["brier"], "lift_10": model.report["lift_10"],
        "refused": ", ".join(sorted(refused)) or "none", "of": "right" if refused == leaks else "WRONG",
        "train_s": round(seconds, 1), **_speed(model, _rows_of(history)),
    }  # fmt: skip


def _examined(found: LeakyHistory, *, timed: bool) -> tuple[bool, list[str], list[str]]:
    """(the leak was refused, honest columns taken for leaks, honest columns)."""
    names = {name: name for name in found.columns}
    history = History(found.columns, names, found.outcome.tolist(), "won", "yes", len(found.outcome), 0, "")
    examined = examine(history, Choice(time=found.time if timed else None))
    honest = [name for name in found.columns if name not in {found.leak, found.time}]
    wrong = [one.fact for one in examined.refused if one.kind == "leak" and one.fact in honest]
    return found.leak in {one.fact for one in examined.refused}, wrong, honest


def leak_rows(seeds: range = SEEDS, rows: int = 3_000) -> list[dict[str, Any]]:
    """Recall by kind of leak, and false alarms by kind of honest column; with Wilson's 95 % interval."""
    hits: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    honest: Counter[str] = Counter()
    for kind in (None, *LEAKS):
        for seed in seeds:
            timed = kind == "later date" or seed % 2 == 0  # without a time, a date cannot be late
            found = leaky_history(kind, seed, rows)
            hit, wrong, columns = _examined(found, timed=timed)
            if kind is not None:
                tried[kind] += 1
                hits[kind] += hit
            honest.update(found.strong.get(name, "others") for name in columns)
            alarms.update(found.strong.get(name, "others") for name in wrong)
    told = [_share(f"leak: {kind}", hits[kind], n) for kind, n in tried.items()]
    told.append(_share("leaks, all", sum(hits.values()), sum(tried.values())))
    told += [_share(f"honest: {kind}", alarms[kind], n) for kind, n in honest.items()]
    told.append(_share("honest, all", sum(alarms.values()), sum(honest.values())))
    return told


def _share(name: str, hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n)
    return {"name": name, "refused": hits, "of": n, "low": round(low, 3), "high": round(high, 3)}


def _bar(name: str, value: float, op: str, bar: float) -> dict[str, Any]:
    return {"name": name, "value": value, "op": op, "bar": bar, "met": value >= bar if op == ">=" else value <= bar}


def run(seeds: range = SEEDS) -> dict[str, Any]:
    """Rows of quality, speed and leaks, and the bars of part 2; absent data sets are rows that say so."""
    found = {name: _quality(name) for name in SETS}
    rows = [row or {"name": name, "refused": f"absent: not below {data_folder()}"} for name, row in found.items()]
    leaks = leak_rows(seeds)
    bars = []
    if bank := found["bank_marketing"]:
        bars.append(_bar("bank_marketing without duration: AUC", bank["auc"], ">=", 0.79))
        bars.append(_bar("bank_marketing: AUC against the default's", bank["auc"], ">=", bank["default_auc"] - 0.005))
    if telco := found["telco_churn"]:
        bars.append(_bar("telco_churn: AUC against the default's", telco["auc"], ">=", telco["default_auc"] - 0.005))
    for row in filter(None, found.values()):
        bars.append(_bar(f"{row['name']}: leaks as they should be", int(row["of"] == "right"), ">=", 1))
        bars.append(_bar(f"{row['name']}: rows/s with reasons", row["rows_per_s"], ">=", 20_000))
        bars.append(_bar(f"{row['name']}: one lead, ms", row["single_ms"], "<=", 15))
    return {"rows": [*rows, *leaks], "bars": bars}
