"""Training from end to end: an honest report, tables that equal the trees, reasons that add up."""

from __future__ import annotations

import numpy as np
import pytest

from fairlead.errors import InputError
from fairlead.understanding.additive import take_apart
from fairlead.understanding.boosting import Coded, fit_pairs
from fairlead.understanding.columns import Choice
from fairlead.understanding.features import Feature, Kind, cuts_for, levels_for
from fairlead.understanding.measures import auc
from fairlead.understanding.training import Plan, train
from tests.understanding.world import history_of, learnt, past_leads


def coded() -> Coded:
    """The made-up leads as codes."""
    rows = past_leads(1_200)
    size, source = [row["size"] for row in rows], [row["source"] for row in rows]
    known = np.array([np.nan if one is None else one for one in size])
    levels, shown = levels_for(source)
    features = [
        Feature("size", "size", Kind.NUMBER, cuts=cuts_for(known)),
        Feature("source", "source", Kind.CATEGORY, levels=levels, shown=shown),
        Feature("visits", "visits", Kind.NUMBER, cuts=cuts_for(np.array([float(row["visits"]) for row in rows]))),
    ]
    codes = [one.encode([row[one.fact] for row in rows]) for one in features]
    return Coded(features, codes, np.array([row["outcome"] == "yes" for row in rows]))


def test_the_tables_equal_the_trees() -> None:
    """Intercept, mains and pairs add up to what scikit-learn says of every lead, known or never seen."""
    data = coded()
    booster = fit_pairs(data, slice(None), [0, 1, 2], 60)
    intercept, mains, pairs = take_apart(booster.decision_function, data.features, data.codes, [0, 1, 2])
    rng = np.random.default_rng(1)
    strange = [rng.integers(0, one.size, 500) for one in data.features]
    for codes in (data.codes, strange):
        ours = intercept + sum(main[one] for main, one in zip(mains, codes, strict=True))
        ours = ours + sum(table[codes[a], codes[b]] for a, b, table in pairs)
        theirs = booster.decision_function(Coded(data.features, codes, data.outcome).matrix())
        assert np.allclose(ours, theirs, atol=1e-9)


def test_the_tables_are_centred() -> None:
    """A column tells nothing on average, and two together nothing beyond either, so half of a pair is each one's."""
    data = coded()
    booster = fit_pairs(data, slice(None), [0, 1, 2], 60)
    _, mains, pairs = take_apart(booster.decision_function, data.features, data.codes, [0, 1, 2])
    weights = [np.bincount(one, minlength=f.size) / len(one) for one, f in zip(data.codes, data.features, strict=True)]
    assert pairs
    assert all(abs(float(w @ main)) < 1e-9 for w, main in zip(weights, mains, strict=True))
    for a, b, table in pairs:
        assert np.abs(table @ weights[b]).max() < 1e-9
        assert np.abs(weights[a] @ table).max() < 1e-9


def test_a_model_tells_what_it_was_learnt_from_and_how_well_it_does() -> None:
    """All that `--json` promises, with intervals around the figures."""
    report = learnt().report
    assert set(report["columns_used"]) == {"size", "source", "visits", "month"}
    assert [one["column"] for one in report["columns_refused"]] == ["handler"]
    assert report["rows"] == report["validated_on"] == 1_500
    for name in ("auc", "brier", "lift_10"):
        low, high = report[f"{name}_interval"]
        assert low <= report[name] <= high
    assert 0.68 < report["auc"] < 0.9
    assert report["brier"] < report["brier_of_average"]
    assert report["useful"]
    assert sum(one[3] for one in report["reliability"]) == 1_500
    assert len(report["data_fingerprint"]) == 64


def test_the_score_works_on_leads_it_has_not_seen() -> None:
    """About as well as the report promised, and the chances come true on average."""
    fresh = past_leads(3_000, seed=99)
    chances = learnt().chances(fresh)
    outcome = np.array([row["outcome"] == "yes" for row in fresh])
    assert abs(auc(chances, outcome) - learnt().report["auc"]) < 0.05
    assert abs(float(chances.mean()) - float(outcome.mean())) < 0.05


def test_training_again_gives_the_same_model() -> None:
    """Figures of a report can be made again from the same file."""
    again = train(history_of(past_leads()), Plan("lead-score", Choice()))
    assert again.report == learnt().report
    assert all((a == b).all() for a, b in zip(again.mains, learnt().mains, strict=True))


def test_the_future_is_judged_by_the_past() -> None:
    """With a time, each block is judged by what came before; a world that turned round shows as worthless."""
    rows = past_leads(1_500)
    turned = [
        {**row, "at": f"2024-{1 + at // 125:02d}-01",
         "outcome": row["outcome"] if at % 2 == 0 or at < 300 else "no" if row["outcome"] == "yes" else "yes"}
        for at, row in enumerate(rows)
    ]  # fmt: skip
    model = train(history_of(turned), Plan("x", Choice(time="at")))
    assert "steps in time" in model.report["validation"]
    assert model.report["validated_on"] < 1_500
    assert model.report["auc"] < 0.6
    assert model.report["useful"] is (model.report["auc_interval"][0] > 0.5)


@pytest.mark.parametrize(
    ("leads", "won", "parts"),
    [(640, 80, ("640", "360 more", "80 conversions", "40 more")), (1_200, 60, ("60 conversions, 60 more",)),
     (1_200, 1_150, ("did not convert",))],
)  # fmt: skip
def test_too_few_leads_are_said_to_be_too_few(leads: int, won: int, parts: tuple[str, ...]) -> None:
    """What is missing, in figures, and that rules score until then."""
    rows = [{"a": at % 7, "outcome": "yes" if at < won else "no"} for at in range(leads)]
    with pytest.raises(InputError) as refused:
        train(history_of(rows), Plan())
    assert refused.value.reason == "too_few_leads"
    assert all(part in refused.value.message for part in (*parts, "by rules"))


def test_nothing_left_to_learn_from_says_why() -> None:
    """Each column with its reason, and the way to force one."""
    rows = [{"copy": row["outcome"], "outcome": row["outcome"]} for row in past_leads(1_200)]
    with pytest.raises(InputError, match="copy: alone it tells") as refused:
        train(history_of(rows), Plan())
    assert refused.value.reason == "no_columns"


@pytest.mark.parametrize("word", ["exclude", "force", "include"])
def test_a_misspelt_column_is_refused_with_the_near_one(word: str) -> None:
    """Before anything is learnt."""
    with pytest.raises(InputError, match="visits"):
        train(history_of(past_leads()), Plan("x", Choice(**{word: frozenset({"visit"})})))


def test_columns_that_tell_nothing_make_no_useful_score() -> None:
    """The report says so, and such a version is never put into use by itself."""
    rng = np.random.default_rng(3)
    rows = [{"a": int(rng.integers(50)), "outcome": "yes" if rng.random() < 0.3 else "no"} for _ in range(1_000)]
    assert train(history_of(rows), Plan()).report["useful"] is False
