"""Opt-outs in a set that was written without a look at the rules: what is recognised of it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from fairlead.kit.intervals import wilson
from fairlead.understanding import read_opt_out

SET = Path(__file__).parent / "opt_outs_apart.jsonl"
OTHERS = ("opt_outs.jsonl", "opt_outs_later.jsonl")
REPEATED = 37
"""How many of the set stand in one of the others, too: STOP words and other very short messages."""
LANGUAGES = ("en", "de", "fr", "es", "nl", "it")
LABELS = {"stop_all", "stop_channel", "stop_purpose", "none"}


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    """The set, one item a line."""
    return _items(SET)


@pytest.fixture(scope="module")
def counts(items: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Language or "all" → how many items there are of each kind, and what was made of them."""
    return _counts(items)


def _items(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _counts(items: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        read = read_opt_out(item["text"], item["channel"])
        kind = "others" if item["label"] == "none" else "wishes"
        for group in (item["language"], "all"):
            found[group][kind] += 1
            found[group][f"{kind} any"] += read is not None
            found[group][f"{kind} certain"] += read is not None and read.certain
    return found


def _share(count: Counter[str], kind: str, how: str) -> str:
    hits, whole = count[f"{kind} {how}"], count[kind]
    low, high = wilson(hits, whole)
    return f"{how} {hits}/{whole} [{low:.3f}, {high:.3f}]"


def test_the_set_is_well_formed(items: list[dict[str, Any]]) -> None:
    """Every item is whole, none is there twice, and about half of them are look-alikes."""
    assert 420 <= len(items) <= 480
    assert {frozenset(item) for item in items} == {frozenset({"text", "language", "channel", "label", "kind"})}
    assert {item["label"] for item in items} == LABELS
    assert {item["language"] for item in items} == set(LANGUAGES)
    assert {item["channel"] for item in items} == {"sms", "email", "chat"}
    assert len({" ".join(item["text"].casefold().split()) for item in items}) == len(items)
    assert 0.45 <= sum(item["label"] == "none" for item in items) / len(items) <= 0.55


def test_the_share_that_is_recognised_of_it(counts: dict[str, Counter[str]]) -> None:
    """Prints counts with Wilson's intervals by language; the bounds are a little beyond the ends of the first ones."""
    for language in (*LANGUAGES, "all"):
        count = counts[language]
        print(  # noqa: T201  the measurement
            f"{language:4} seen {_share(count, 'wishes', 'any')}, {_share(count, 'wishes', 'certain')},"
            f" missed {count['wishes'] - count['wishes any']};"
            f" false {_share(count, 'others', 'any')}, {_share(count, 'others', 'certain')}"
        )
    whole = counts["all"]
    assert whole["wishes any"] >= 0.70 * whole["wishes"]
    assert whole["wishes certain"] >= 0.54 * whole["wishes"]
    assert whole["others any"] <= 0.17 * whole["others"]
    assert whole["others certain"] <= 0.10 * whole["others"]


def test_the_share_among_texts_that_stand_in_no_other_set(items: list[dict[str, Any]]) -> None:
    """The rules were made with the other sets in view: what stands there too, in any spelling, was seen before.

    The sets stay as they were written. Who adds a text that another set has changes the count of those.
    """
    earlier = {_plain(one["text"]) for name in OTHERS for one in _items(SET.with_name(name))}
    unseen = [item for item in items if _plain(item["text"]) not in earlier]
    assert len(items) - len(unseen) == REPEATED
    whole = _counts(unseen)["all"]
    print(f"unseen: {_share(whole, 'wishes', 'any')}; false {_share(whole, 'others', 'any')}")  # noqa: T201
    assert whole["wishes any"] >= 0.69 * whole["wishes"]
    assert whole["wishes certain"] >= 0.52 * whole["wishes"]
    assert whole["others any"] <= 0.17 * whole["others"]
    assert whole["others certain"] <= 0.10 * whole["others"]


def _plain(text: str) -> str:
    """The words alone; a text without any (a picture) as it stands."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded.strip()
