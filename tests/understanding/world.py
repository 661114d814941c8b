"""Made-up past leads, a model learnt from them once, and a model made by hand for what needs no learning."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fairlead.understanding.calibration import Calibration
from fairlead.understanding.columns import Choice
from fairlead.understanding.features import Feature, Kind
from fairlead.understanding.history import History, HistoryBuilder
from fairlead.understanding.predicting import LeadModel
from fairlead.understanding.training import Plan, train

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY = b"k" * 32


def past_leads(rows: int = 1_500, seed: int = 3) -> list[dict[str, Any]]:
    """Size, source and visits tell something, month and owner nothing; a third of the sizes is unknown."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(4, 1, rows))
    source = rng.choice(["Web", "Partner", "Fair"], rows, p=[0.6, 0.3, 0.1])
    visits = rng.poisson(3, rows)
    known = rng.random(rows) < 0.67
    log_odds = 0.9 * (np.log(size) - 4) + 1.2 * (source == "Partner") + 0.3 * visits - 2.6
    log_odds += np.where((source == "Fair") & (visits > 3), 1.5, 0.0)
    won = rng.random(rows) < 1 / (1 + np.exp(-log_odds))
    owners = rng.choice(["Ida Brandt", "Jonas Weber", "Maria Rossi", "Paul Smith"], rows)
    return [
        {
            "size": round(float(size[at]), 1) if known[at] else None, "source": str(source[at]),
            "visits": int(visits[at]), "month": ["may", "june", "july"][at % 3], "handler": str(owners[at]),
            "outcome": "yes" if won[at] else "no",
        }
        for at in range(rows)
    ]  # fmt: skip


def history_of(rows: Iterable[Mapping[str, Any]], *, late: tuple[str, ...] = (), positive: str = "") -> History:
    """These rows, their key `outcome` being what became of them."""
    given = list(rows)
    names = dict.fromkeys(name for row in given for name in row if name != "outcome")
    builder = HistoryBuilder({name: name for name in names}, "outcome", frozenset(late), positive=positive)
    for row in given:
        builder.add({name: row.get(name) for name in names}, row["outcome"], repr(sorted(row.items())))
    return builder.build()


@cache
def learnt() -> LeadModel:
    """Learnt from `past_leads`; made once, since it takes a second or two."""
    return train(history_of(past_leads()), Plan("lead-score", Choice()))


def by_hand(name: str = "lead-score", *, shift: float = 0.0, auc: float = 0.8) -> LeadModel:
    """Two columns that act together, a line for a calibration, and a report as training writes it."""
    features = (
        Feature("visits", "Visits", Kind.NUMBER, cuts=(0.5, 3.5)),
        Feature("source", "Source", Kind.CATEGORY, levels=("web", "fair"), shown=("Web", "Fair")),
    )
    report = {
        "auc": auc, "auc_interval": [auc - 0.02, auc + 0.02], "brier": 0.15, "brier_interval": [0.14, 0.16],
        "brier_of_average": 0.2, "lift_10": 2.5, "lift_10_interval": [2.1, 2.9], "rows": 2_000, "rows_used": 2_000,
        "rows_without_outcome": 0, "conversions": 500, "base_rate": 0.25, "validated_on": 2_000,
        "validation": "5 folds at random, the same share of conversions in each", "useful": True,
        "reliability": [[0.0, 0.3, 0.2, 1_200, 250], [0.3, 0.9, 0.5, 800, 410]], "calibration": "platt",
        "columns_used": ["Visits", "Source"], "outcome": "won", "positive": "yes", "time": None,
        "columns_refused": [{"column": "call <seconds>", "why": "alone it predicts too well", "kind": "leak"}],
        "data_fingerprint": "ab" * 32, "libraries": {"python": "3.11"},
    }  # fmt: skip
    return LeadModel(
        name=name, features=features, mains=(np.array([-1.0, 0.25, 1.5, 0.0]), np.array([-0.5, 1.0, 0.2, -0.1])),
        pairs=((0, 1, np.array([[0.1, -0.3, 0.0, 0.0], [0.0, 0.2, 0.1, 0.0], [-0.2, 0.4, 0.0, 0.0], [0.0] * 4])),),
        intercept=-1.1 + shift, calibration=Calibration("platt", 0.9, 0.1),
        grades=((60.0, "A"), (25.0, "B"), (0.0, "C")), report=report,
    )  # fmt: skip
