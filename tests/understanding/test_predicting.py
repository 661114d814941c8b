"""Scores with reasons: the numbers add up exactly, and a model is the same after a trip through its document."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fairlead.errors import InputError
from fairlead.understanding.calibration import Calibration
from fairlead.understanding.documents import pack, unpack
from fairlead.understanding.features import Feature, Kind
from fairlead.understanding.predicting import LeadModel
from fairlead.understanding.sealing import FORMAT, digest_of, from_file, require_sealed, seal, to_file
from tests.understanding.world import KEY, by_hand, learnt, past_leads

FACTS = st.fixed_dictionaries({
    "visits": st.one_of(st.none(), st.integers(-5, 50), st.floats(), st.text(max_size=5)),
    "source": st.one_of(st.none(), st.sampled_from(["Web", "fair ", "FAIR", "Mail"]), st.integers(), st.booleans()),
})  # fmt: skip


def sums_up(reasons: list[dict[str, Any]], points: float) -> bool:
    """In tenths, exactly."""
    return sum(round(one["add"] * 10) for one in reasons) == round(points * 10)


@given(st.lists(FACTS, min_size=1, max_size=6), st.integers(0, 2))
@settings(max_examples=80)
def test_reasons_add_up_whatever_a_lead_says(rows: list[dict[str, Any]], shown: int) -> None:
    """However few columns are named; points are between 0 and 100 and have a grade."""
    for one in by_hand().score(rows, shown=shown):
        assert 0 <= one.points <= 100
        assert sums_up(one.reasons, one.points)
        assert one.grade in {"A", "B", "C"}


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.floats(-6, 6))
@settings(max_examples=40)
def test_reasons_add_up_for_any_model(columns: int, seed: int, intercept: float) -> None:
    """Many columns with small, large and cancelling parts, and both kinds of calibration."""
    rng = np.random.default_rng(seed)
    features = tuple(Feature(f"f{at}", f"f{at}", Kind.NUMBER, cuts=(0.0,)) for at in range(columns))
    mains = tuple(rng.normal(0, rng.choice([1e-3, 1.0, 5.0]), 3) for _ in features)
    knots = Calibration("isotonic", xs=(-2.0, 0.0, 3.0), ys=(0.01, 0.2, 0.97))
    for calibration in (Calibration("platt", 0.7, -0.2), knots):
        model = LeadModel("x", features, mains, (), intercept, calibration, ((0.0, "C"),))
        rows = [{f"f{at}": float(v) for at, v in enumerate(rng.normal(size=columns))} for _ in range(8)]
        for one, chance in zip(model.score(rows), model.chances(rows), strict=True):
            assert sums_up(one.reasons, one.points)
            assert one.points == pytest.approx(100 * chance, abs=0.051)


def test_a_reason_points_where_its_column_does() -> None:
    """What raises the log-odds adds points, what lowers them takes points, the strongest first."""
    (high,) = by_hand().score([{"visits": 9, "source": "Web"}])
    adds = {one["words"]: one["add"] for one in high.reasons}
    assert next(iter(adds)) == "a lead like the average"
    assert adds["Visits is 9"] > 0 > adds["Source is Web"]
    assert abs(adds["Visits is 9"]) > abs(adds["Source is Web"])


def test_words_can_be_ones_own() -> None:
    """A template per fact, with the value in it."""
    templates = {"source": "came through {value}", "visits": "visited {value} times"}
    (one,) = by_hand().score([{"visits": 9, "source": "fair"}], templates)
    assert {"visited 9 times", "came through Fair"} <= {reason["words"] for reason in one.reasons}
    (other,) = by_hand().score([{}], {"source": "came through {value}"})
    assert "came through not known" in {reason["words"] for reason in other.reasons}


def test_small_columns_are_summed_up() -> None:
    """With fewer named, one line holds the rest."""
    (one,) = by_hand().score([{"visits": 9, "source": "fair"}], shown=0)
    assert [reason["words"] for reason in one.reasons] == ["a lead like the average", "2 other columns together"]


def test_a_learnt_model_is_the_same_after_its_document() -> None:
    """Every score and reason, bit by bit; packing twice gives the same bytes."""
    model, packed = learnt(), pack(learnt())
    again = unpack(packed)
    rows = past_leads(300, seed=8)
    assert again.score(rows) == model.score(rows)
    assert pack(again) == packed
    assert dict(again.report) == json.loads(json.dumps(dict(model.report)))
    assert len(packed) < 400_000


def test_one_lead_alone_scores_as_among_others() -> None:
    """No score depends on its neighbours."""
    rows = past_leads(50, seed=8)
    assert [learnt().score([row])[0] for row in rows] == learnt().score(rows)
    assert learnt().score([]) == []


def changed(**parts: Any) -> bytes:
    """A packed model with parts of its document exchanged."""
    return zlib.compress(json.dumps({**json.loads(zlib.decompress(pack(by_hand()))), **parts}).encode())


@pytest.mark.parametrize(
    "packed",
    [
        b"", b"no document", pack(by_hand())[:-9], pack(by_hand()) + b"x", zlib.compress(b"[]"), zlib.compress(b"{"),
        changed(mains=[]), changed(intercept="1"), changed(intercept=None), changed(features=[]), changed(grades=[]),
        changed(pairs=[{"a": 0, "b": 7, "table": ""}]), changed(pairs=[{"a": 0, "b": 1, "table": "AAAA"}]),
        changed(calibration={"kind": "isotonic", "slope": 1, "shift": 0, "xs": [1, 0], "ys": [0, 1]}),
        changed(calibration={"kind": "isotonic", "slope": 1, "shift": 0, "xs": [0], "ys": [7]}),
        changed(mains=["////////", "AAAAAAAA"]), zlib.compress(b" " * 70_000_000),
    ],
)  # fmt: skip
def test_a_damaged_document_is_refused(packed: bytes) -> None:
    """Cut short, too large, malformed or impossible: always the same clear refusal."""
    with pytest.raises(InputError) as refused:
        unpack(packed)
    assert refused.value.reason == "model_tampered"


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60)
def test_no_changed_byte_gets_past_the_seal(place: int, flip: int) -> None:
    """Whatever byte is changed, and whatever name it is stored under."""
    packed = pack(by_hand())
    sealed = seal(KEY, "lead-score@1", packed)
    require_sealed(KEY, "lead-score@1", packed, sealed)
    at = place % len(packed)
    other = packed[:at] + bytes([packed[at] ^ flip]) + packed[at + 1 :]
    for key, label, document in (
        (KEY, "lead-score@1", other),
        (KEY, "lead-score@2", packed),
        (b"x", "lead-score@1", packed),
    ):
        with pytest.raises(InputError) as refused:
            require_sealed(key, label, document, sealed)
        assert refused.value.reason == "model_tampered"


def exported() -> dict[str, Any]:
    """The contents of an exported file."""
    packed = pack(by_hand())
    found: dict[str, Any] = json.loads(to_file("lead-score@4", packed, seal(KEY, "lead-score@4", packed)))
    return found


def refusal(body: dict[str, Any], *, key: bytes = KEY, digest: str | None = None) -> str:
    """The code with which a file is refused."""
    with pytest.raises(InputError) as refused:
        from_file(json.dumps(body).encode(), key, digest)
    return refused.value.reason


def test_a_file_comes_back_as_it_went() -> None:
    """In its own installation by its seal, in another by the digest that was printed."""
    text = json.dumps(exported()).encode()
    label, packed = from_file(text, KEY, None)
    assert (label, packed) == ("lead-score@4", pack(by_hand()))
    assert from_file(text, b"another", digest_of(packed))[1] == packed


def test_a_file_that_must_not_be_trusted_is_refused() -> None:
    """Of another form, changed, of another installation, or not the one whose digest was given."""
    good = exported()
    assert refusal({**good, "format": "fairlead-lead-score/2"}) == "model_other_version"
    assert refusal({**good, "document": good["document"][:-8]}) == "model_tampered"
    assert refusal({**good, "producer": "other@1"}) == "model_foreign"
    assert refusal(good, key=b"another") == "model_foreign"
    assert refusal(good, digest="0" * 64) == "model_tampered"
    assert refusal({"format": FORMAT}) == "model_tampered"
    assert refusal({**good, "document": 7}) == "model_tampered"


def test_another_form_of_document_is_told_from_a_damaged_one() -> None:
    """So that somebody with an old file knows to train again."""
    with pytest.raises(InputError) as refused:
        unpack(changed(format="fairlead-lead-score/99"))
    assert refused.value.reason == "model_other_version"


def test_a_model_with_another_name_is_another_document() -> None:
    """The name is part of what is sealed."""
    assert pack(by_hand()) != pack(replace(by_hand(), name="other"))
