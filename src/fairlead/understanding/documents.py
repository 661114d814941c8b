"""A model as a document: plain data only, bounded while it is read, sealed with a key of the installation.

Nothing in it is ever run. A file that was changed, cut short, or written by another form of the product can only be
refused, with a code that says which.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairlead.errors import InputError
from fairlead.kit import jsons
from fairlead.understanding.calibration import Calibration
from fairlead.understanding.cells import Order
from fairlead.understanding.features import Feature, Kind
from fairlead.understanding.measures import Floats
from fairlead.understanding.predicting import LeadModel
from fairlead.understanding.sealing import FORMAT, tampered

MAX_DOCUMENT = 64_000_000
"""Bytes of a document when it is unpacked."""
_MAX_FEATURES = 2_000
_MAX_PAIRS = 5_000
_MAX_CODES = 1_000


def pack(model: LeadModel) -> bytes:
    """The document, compressed; the same bytes for the same model."""
    body = {
        "format": FORMAT, "name": model.name, "intercept": model.intercept,
        "features": [_feature(one) for one in model.features],
        "mains": [_floats(one) for one in model.mains],
        "pairs": [{"a": a, "b": b, "table": _floats(table)} for a, b, table in model.pairs],
        "calibration": {
            "kind": model.calibration.kind, "slope": model.calibration.slope, "shift": model.calibration.shift,
            "xs": list(model.calibration.xs), "ys": list(model.calibration.ys),
        },
        "grades": [[least, grade] for least, grade in model.grades], "report": dict(model.report),
    }  # fmt: skip
    return zlib.compress(jsons.canonical(body), 9)


def unpack(packed: bytes) -> LeadModel:
    """The model; InputError `model_other_version` for another form, `model_tampered` for anything malformed."""
    body = _body(packed)
    form = body.get("format")
    if form != FORMAT:
        message = (
            f"the model is of form {str(form)[:60]!r}; this build reads {FORMAT!r}. Train it again with this build."
        )
        raise InputError(message, code="model_other_version", form=str(form)[:60])
    try:
        return _model(body)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise tampered(f"it cannot be read ({type(error).__name__}: {error})"[:300]) from None


def _body(packed: bytes) -> dict[str, Any]:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(packed, MAX_DOCUMENT)
        if reader.unconsumed_tail or not reader.eof or reader.unused_data:
            raise tampered("it is cut short or too large")
        body = jsons.loads(text)
    except (zlib.error, ValueError) as error:
        raise tampered(f"it is no model document ({error})"[:300]) from None
    if not isinstance(body, dict):
        raise tampered("it is no model document")
    return body


def _model(body: Mapping[str, Any]) -> LeadModel:
    features = tuple(_read_feature(one) for one in _listed(body["features"], _MAX_FEATURES))
    mains = tuple(_read_floats(one, (feature.size,)) for one, feature in zip(body["mains"], features, strict=True))
    pairs = []
    for one in _listed(body["pairs"], _MAX_PAIRS):
        a, b = int(one["a"]), int(one["b"])
        if not 0 <= a < b < len(features):
            raise ValueError("a pair names a column that is not there")
        pairs.append((a, b, _read_floats(one["table"], (features[a].size, features[b].size))))
    grades = tuple((_finite(least), str(grade)[:40]) for least, grade in _listed(body["grades"], 50))
    if not features or not grades:
        raise ValueError("no columns or no grades")
    return LeadModel(
        name=str(body["name"])[:64], features=features, mains=mains, pairs=tuple(pairs),
        intercept=_finite(body["intercept"]), calibration=_read_calibration(body["calibration"]),
        grades=grades, report=dict(body["report"]),
    )  # fmt: skip


def _feature(one: Feature) -> dict[str, Any]:
    return {
        "fact": one.fact, "label": one.label, "kind": one.kind.value, "cuts": list(one.cuts),
        "levels": list(one.levels), "shown": list(one.shown), "order": one.order.value, "until": one.until,
    }  # fmt: skip


def _read_feature(one: Mapping[str, Any]) -> Feature:
    cuts = tuple(_finite(cut) for cut in _listed(one["cuts"], _MAX_CODES))
    levels = tuple(str(level) for level in _listed(one["levels"], _MAX_CODES))
    shown = tuple(str(level)[:200] for level in _listed(one["shown"], _MAX_CODES))
    if list(cuts) != sorted(cuts) or len(levels) != len(shown):
        raise ValueError("bins or levels are not in order")
    return Feature(
        str(one["fact"])[:200], str(one["label"])[:200], Kind(one["kind"]), cuts, levels, shown,
        Order(one["order"]), str(one["until"])[:200],
    )  # fmt: skip


def _read_calibration(one: Mapping[str, Any]) -> Calibration:
    xs, ys = ([_finite(v) for v in _listed(one[name], _MAX_CODES)] for name in ("xs", "ys"))
    rising = xs == sorted(xs) and ys == sorted(ys) and len(xs) == len(ys)
    if one["kind"] not in {"platt", "isotonic"} or not rising or (one["kind"] == "isotonic" and not xs):
        raise ValueError("the calibration does not rise")
    if any(not 0.0 <= y <= 1.0 for y in ys):
        raise ValueError("a chance is not between 0 and 1")
    return Calibration(one["kind"], _finite(one["slope"]), _finite(one["shift"]), tuple(xs), tuple(ys))


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _listed(value: Any, most: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("a list is missing or too long")
    return value


def _floats(table: Floats) -> str:
    return base64.b64encode(np.ascontiguousarray(table, dtype="<f8").tobytes()).decode()


def _read_floats(text: Any, shape: tuple[int, ...]) -> Floats:
    raw = base64.b64decode(str(text), validate=True)
    found = np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(shape)
    if not np.isfinite(found).all():
        raise ValueError("a table holds what is no number")
    return found
