"""Opt-outs in any wording: what is recognised, measured on sets that were written before the rules, and what is not."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.kit.intervals import wilson
from fairlead.understanding import Keyword, Scope, read_keyword, read_opt_out

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "fr", "es", "nl", "it")


def _items(name: str) -> list[dict[str, Any]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return list({item["text"]: item for item in map(json.loads, lines)}.values())


def _half(text: str) -> str:
    return "development" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "held out"


class Count:
    """Wishes and other messages of one group, and what was made of them."""

    def __init__(self) -> None:
        self.wishes = self.seen = self.sure = self.scoped = self.others = self.alarms = self.sure_alarms = 0

    def add(self, item: dict[str, Any]) -> None:
        """Reads one item."""
        found = read_opt_out(item["text"], item["channel"])
        if item["label"] == "none":
            self.others += 1
            self.alarms += found is not None
            self.sure_alarms += bool(found and found.certain)
        else:
            self.wishes += 1
            self.seen += found is not None
            self.sure += bool(found and found.certain)
            self.scoped += bool(found and item["label"] == f"stop_{found.scope}")

    def __str__(self) -> str:
        recall, alarms = wilson(self.seen, self.wishes), wilson(self.alarms, self.others)
        return (
            f"seen {self.seen}/{self.wishes} [{recall[0]:.3f}, {recall[1]:.3f}], sure {self.sure}, scope right "
            f"{self.scoped}; false {self.alarms}/{self.others} [{alarms[0]:.3f}, {alarms[1]:.3f}], "
            f"sure {self.sure_alarms}"
        )


@pytest.fixture(scope="module")
def counts() -> dict[tuple[str, str], Count]:
    """(half, language or "all") → what was made of the paraphrase set."""
    found: dict[tuple[str, str], Count] = defaultdict(Count)
    for item in _items("opt_outs.jsonl"):
        for group in (item["language"], "all"):
            found[_half(item["text"]), group].add(item)
    return found


def test_the_set_is_large_and_half_of_it_are_look_alikes() -> None:
    """Enough of each to say something, in four languages at least, and no half without the other's kind."""
    items = _items("opt_outs.jsonl")
    assert len(items) >= 480
    assert 0.4 <= sum(item["label"] == "none" for item in items) / len(items) <= 0.6
    for language in LANGUAGES[:4]:
        for half in ("development", "held out"):
            part = [i for i in items if i["language"] == language and _half(i["text"]) == half]
            assert len(part) >= 40, (language, half)
            assert {"none", "stop_all"} < {i["label"] for i in part}


@pytest.mark.parametrize(("half", "recall", "alarms"), [("development", 0.98, 0.02), ("held out", 0.94, 0.08)])
def test_the_share_that_is_recognised(
    counts: dict[tuple[str, str], Count], half: str, recall: float, alarms: float
) -> None:
    """Prints counts with Wilson's intervals by language; the floors are below what was measured, not at it."""
    for language in (*LANGUAGES, "all"):
        print(f"{half:12} {language:4}", counts[half, language])  # noqa: T201  the measurement
    whole = counts[half, "all"]
    assert whole.seen >= recall * whole.wishes
    assert whole.alarms <= alarms * whole.others
    assert whole.sure_alarms <= 0.03 * whole.others
    assert whole.scoped >= 0.9 * whole.seen
    for language in LANGUAGES[:4]:
        part = counts[half, language]
        assert part.seen >= 0.85 * part.wishes, language


def test_the_later_items_stay_recognised() -> None:
    """Written after the rules and used to mend them since: no measurement, a net under what was learnt."""
    whole = Count()
    for item in _items("opt_outs_later.jsonl"):
        whole.add(item)
    print("later", whole)  # noqa: T201  the measurement
    assert whole.seen >= 0.95 * whole.wishes
    assert whole.alarms <= 0.08 * whole.others


@pytest.mark.parametrize("word", ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"])
def test_the_carriers_stop_words_stop_by_sms(word: str) -> None:
    """Each alone, in any case, with blanks and marks around it, stops all; with other words it is no keyword."""
    for text in (word, word.lower(), f" {word.title()}. \n", f"\u200f{word[:2]}\u200b{word[2:]}"):
        assert read_keyword(text) is Keyword.STOP
        found = read_opt_out(text, "sms")
        assert found is not None
        assert (found.scope, found.certain) == (Scope.ALL, True)
    assert read_keyword(f"{word} of the line") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("START", Keyword.START),
        ("unstop", Keyword.START),
        ("Yes!", Keyword.START),
        ("HELP", Keyword.HELP),
        ("info", Keyword.HELP),
        ("yes please", None),
        ("", None),
        ("STOP" * 400, None),
    ],
)
def test_other_keywords_are_no_opt_outs(text: str, meant: Keyword | None) -> None:
    """They opt in again, or ask for help."""
    assert read_keyword(text) is meant
    assert read_opt_out(text, "sms") is None


@pytest.mark.parametrize("words", ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"])
def test_the_words_that_are_an_opt_out_in_themselves_are_one_by_mail_too(words: str) -> None:
    """As a whole message none of them goes unseen; at least a person looks."""
    assert read_opt_out(words) is not None


@pytest.mark.parametrize(
    ("text", "scope", "about"),
    [
        ("Please unsubscribe me from the newsletter.", Scope.PURPOSE, "newsletter"),
        ("Stop calling me.", Scope.CHANNEL, "phone"),
        ("Keine SMS mehr bitte", Scope.CHANNEL, "sms"),
        ("Stop emailing, texting and calling me.", Scope.ALL, ""),
        ("No newsletter, no calls, no anything: unsubscribe me from everything.", Scope.ALL, ""),
    ],
)
def test_a_wish_goes_as_far_as_its_words(text: str, scope: Scope, about: str) -> None:
    """One kind of message, one channel, or all; several channels are all."""
    found = read_opt_out(text)
    assert found is not None
    assert (found.scope, found.about) == (scope, about)


@pytest.mark.parametrize("text", ["I never agreed to be on this list.", "This is harassment.", "ENOUGH!!!"])
def test_what_is_doubtful_is_for_a_person(text: str) -> None:
    """It is returned, and says that it is not certain."""
    found = read_opt_out(text)
    assert found is not None
    assert not found.certain


def test_the_wish_is_quoted() -> None:
    """Of a long letter the one sentence is shown, as it was written."""
    letter = "Dear Ann,\n\nthe parts came. All is well.\nPlease do not contact me again, thank you.\n\nYours, Bo"
    found = read_opt_out(letter)
    assert found is not None
    assert found.quote == "Please do not contact me again, thank you."
    assert found.why


HOSTILE = {
    "letters": "a" * 1_000_000,
    "markup": "<" * 1_000_000,
    "elements": "<div>" * 200_000,
    "wide letters": "\ufdfa" * 300_000,
    "nothing visible": "\u200b" * 1_000_000,
    "quotes": '"a' * 500_000,
    "spelled": "s " * 500_000,
    "almost": "dont want to " * 80_000,
    "history": "On x wrote:\n" * 80_000,
    "marks": "!" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_anything_is_read_or_handed_to_a_person(name: str) -> None:
    """Nothing is silently dropped: what is longer than what is read is doubtful, never certain."""
    found = read_opt_out(HOSTILE[name])
    assert found is None or not found.certain
    assert found is None or len(found.quote) <= 160


def test_a_wish_behind_a_megabyte_is_not_lost() -> None:
    """It cannot be seen any more, so a person has to look."""
    found = read_opt_out("All is well. " * 90_000 + "Unsubscribe me.")
    assert found is not None
    assert not found.certain
    page = read_opt_out("<p>All is well.</p>" * 40_000 + "<p>Unsubscribe me.</p>")
    assert page is not None


@pytest.mark.parametrize(
    "text",
    [
        "Please un\u200bsub\u00adscribe me",
        "\u202ePlease unsubscribe me\u202c",
        "Please unsubscribe\x00 me",
        "Please uns\u0443bscribe me".replace("\u0443", "\u03c5"),
        "<p>Please <b>un</b>subscribe me</p><style>p{}</style>",
        "&nbsp;<div>Please&#32;unsubscribe me</div>",
        "\uff33\uff34\uff2f\uff30",
        "> Buy now\n> Reply STOP\nUnsubscribe me",
    ],
)
def test_tricks_of_letters_hide_no_wish(text: str) -> None:
    """Zero-width letters, marks of direction, NUL, look-alikes, markup and wide forms are read through."""
    assert read_opt_out(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Fine, see you.\n\nOn Mon, 1 May 2026 Ann wrote:\n> unsubscribe me",
        "Fine, see you.\n\n-----Original Message-----\nFrom: Ann\n\nunsubscribe me",
        "Fine, see you.\n-- \nBo Ltd\nTake me off this list: unsubscribe",
        "<p>Fine, see you.</p><blockquote>Unsubscribe me</blockquote>",
    ],
)
def test_what_others_wrote_is_no_wish(text: str) -> None:
    """History, forwarded mails, signatures and quoted blocks are not the customer's words of now."""
    assert read_opt_out(text) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["email", "sms", "chat"]))
def test_no_message_breaks_the_reading(text: str, channel: str) -> None:
    """Whatever is written there is an answer, and a wish always has its reason."""
    found = read_opt_out(text, channel)
    assert found is None or found.why


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(categories=["Cf", "Zs"]), max_size=20))
def test_what_is_not_seen_changes_nothing(unseen: str) -> None:
    """Format characters and blanks around a wish do not hide it."""
    assert read_opt_out(f"{unseen}Please unsubscribe me{unseen}") is not None
