"""Forms as files: what is understood, and where and how mistakes are told; tokens, answers and signs of spam."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.errors import SourceError
from fairlead.playbooks import check_files, read_workspace
from fairlead.sales.capture.answers import read_answers
from fairlead.sales.capture.forms import parse_form
from fairlead.sales.capture.spam import spam_signs, text_digest
from fairlead.sales.capture.tokens import TokenState, check_token, issue_token
from fairlead.testing.seed import EXAMPLE, seeded_library

KEY, NOW = b"k" * 32, datetime(2026, 3, 2, 9, tzinfo=UTC)
FORM = """form: ask
playbook: lead-qualification
title: Ask us
fields:
  - {name: name, label: Name, required: true}
  - {name: email, label: E-mail, required: true}
  - {name: phone, label: Phone}
  - {name: size, label: Size, type: number}
  - {name: plan, label: Plan, type: select, options: [small, large]}
  - {name: terms, label: Terms, type: checkbox, required: true}
  - {name: note, label: Words, type: textarea}
consent: {purpose: newsletter, channel: email, notice: Send me news., version: "1"}
"""
GOOD = {"name": "Ann", "email": "ann@firm.example", "terms": "yes"}


def form(**changes: str):  # noqa: ANN201  a Form
    """The form with texts replaced."""
    text = FORM
    for old, new in changes.items():
        text = text.replace(old, new)
    return parse_form(text, "forms/ask.yaml")


def test_a_form_has_what_its_file_says() -> None:
    """Defaults are closed: no frame, no tick, nothing required that is not said to be."""
    one = form()
    assert [field.type for field in one.fields] == ["text", "email", "tel", "number", "select", "checkbox", "textarea"]
    assert one.embed == ()
    assert one.enabled
    assert one.consent is not None
    assert len(one.consent.digest) == 64
    assert form(**{"Send me news": "Send me everything"}).consent != one.consent


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("type: number", "type: numbr", 8, "Did you mean 'number'"),
        ("title: Ask us\n", "titel: Ask us\n", 3, "title"),
        ("form: ask", "form: other", 1, "forms/other.yaml"),
        ("name: size", "name: outcome", 8, "visitor"),
        ("name: size", "name: name", 8, "already"),
        ("type: select, options: [small, large]", "type: select", 9, "options"),
        ("[small, large]", "[small, small]", 9, "twice"),
        ("fields:\n", "embed: ['http://a.example']\nfields:\n", 4, "https://"),
        ("fields:\n", "embed: ['https://a.example/x; script-src *']\nfields:\n", 4, "https://"),
        ("fields:\n", "language: xx\nfields:\n", 4, "not known"),
        ("channel: email", "channel: pigeon", 12, "not known"),
    ],
)
def test_mistakes_are_told_with_their_place_and_a_cure(old: str, new: str, line: int, told: str) -> None:
    """Each names line and column and what was probably meant."""
    with pytest.raises(SourceError, match=told) as caught:
        parse_form(FORM.replace(old, new), "forms/ask.yaml")
    assert caught.value.place.line == line


def test_a_form_nobody_could_be_reached_by_is_refused() -> None:
    """Without e-mail and telephone there would be no answer."""
    text = FORM.replace("name: email", "name: city").replace("name: phone", "name: street")
    with pytest.raises(SourceError, match="reached"):
        parse_form(text, "forms/ask.yaml")


def test_the_workspace_check_finds_what_a_form_refers_to() -> None:
    """A playbook that is not there, or not about leads, is told at the form's line."""
    library, files = seeded_library(), read_workspace(EXAMPLE)
    for wrong, told in (("lead-qualificaton", "Did you mean 'lead-qualification'"), ("record-changes", "about a note")):
        changed = {**files, "forms/ask.yaml": FORM.replace("lead-qualification", wrong)}
        _, errors = check_files(changed, library.registry, library.connectors)
        [error] = [one for one in errors if one.place.file.startswith("forms/")]
        assert told in error.message


def test_answers_are_checked_and_kept() -> None:
    """What was typed comes back as it was, also where it is wrong; the cure stands beside it."""
    given = {**GOOD, "email": "nope", "phone": "12", "size": "many", "plan": "huge", "terms": "", "other": "x"}
    answers = read_answers(form(), given)
    assert set(answers.errors) == {"email", "phone", "size", "plan", "terms"}
    assert answers.typed["email"] == "nope"
    assert "other" not in answers.typed
    assert "name@example.com" in answers.errors["email"]
    assert read_answers(form(), GOOD).errors == {}


def test_consent_is_never_needed_and_never_assumed() -> None:
    """Without the tick there is none; with it the lead is the same."""
    assert not read_answers(form(), GOOD).consented
    assert read_answers(form(), {**GOOD, "consent": "yes"}).consented
    one, other = read_answers(form(), GOOD), read_answers(form(), {**GOOD, "consent": "yes"})
    assert one.lead(form()) == other.lead(form())


def test_fields_and_attributes_part() -> None:
    """Names that leads have are the lead's own; everything else is an attribute."""
    fields, attributes = read_answers(form(), {**GOOD, "plan": "small"}).lead(form())
    assert fields == {"name": "Ann", "email": "ann@firm.example"}
    assert attributes == {"plan": "small", "terms": True}


def test_a_line_break_or_an_unseen_mark_does_not_pass_into_a_line() -> None:
    """Header injection and right-to-left tricks end at the door."""
    answers = read_answers(form(), {**GOOD, "name": "Ann\r\nBcc: x@y.example\u202e", "note": "a\r\nb"})
    assert answers.typed["name"] == "Ann Bcc: x@y.example"
    assert answers.typed["note"] == "a\nb"


def test_a_token_counts_from_two_seconds_to_a_day() -> None:
    """For its own form, under our key, and not a character changed."""
    token = issue_token(KEY, "ask", NOW)
    for after, state in ((1.9, "too_fast"), (2, "good"), (86_400, "good"), (86_401, "expired"), (-5, "too_fast")):
        assert check_token(KEY, "ask", token, NOW + timedelta(seconds=after)) == TokenState(state)
    later = NOW + timedelta(minutes=1)
    assert check_token(KEY, "other", token, later) is TokenState.FORGED
    assert check_token(b"x" * 32, "ask", token, later) is TokenState.FORGED
    for wrong in ("", "x", token[:-1], "B" + token[1:], token + "=", "é" * len(token), "\x00", token.lower()):
        assert check_token(KEY, "ask", wrong, later) is TokenState.FORGED
    assert issue_token(KEY, "ask", NOW) != token


def test_a_token_has_one_spelling() -> None:
    """Else each of the others could be used once more: nothing but the very text counts."""
    token, later = issue_token(KEY, "ask", NOW), NOW + timedelta(minutes=1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/"
    good = [
        spelt for at in range(len(token)) for letter in letters
        if check_token(KEY, "ask", spelt := token[:at] + letter + token[at + 1 :], later) is TokenState.GOOD
    ]  # fmt: skip
    assert set(good) == {token}


def test_signs_of_spam_are_said_in_words() -> None:
    """Links, markup and one text again and again; an ordinary message has none."""
    plain = {"name": "Ann", "note": "Please call me, our page is https://firm.example"}
    assert spam_signs(form(), plain, 0) == ()
    links = {**plain, "note": "http://a.example http://b.example www.c.example"}
    assert any("3 links" in sign for sign in spam_signs(form(), links, 0))
    assert spam_signs(form(), {**plain, "note": "[url=x]y[/url]"}, 0)
    assert spam_signs(form(), {**plain, "name": "www.win.example"}, 0)
    assert spam_signs(form(), plain, 2)
    assert not spam_signs(form(), plain, 1)


def test_one_text_is_one_however_it_is_spelt() -> None:
    """Case, accents and blanks do not make it another; short texts are not told apart at all."""
    first = text_digest(form(), {"note": "Buy our marvellous  SEO service"})
    assert first
    assert first == text_digest(form(), {"note": "buy our Marvellous, seo service!"})
    assert text_digest(form(), {"note": "Call me"}) == ""
