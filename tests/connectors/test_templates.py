"""Message templates: what they make, what they refuse, and where a mistake in one is."""

from __future__ import annotations

import html as html_lib
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fairlead.connectors import check_messages, choose, render_message, templates_of
from fairlead.connectors.message_markup import text_of_html
from fairlead.errors import InputError, NotFoundError, SourceError, TooLargeError

HEAD = "---\nsubject: Hello {{ name }}\n---\n"


def _render(text: str, kind: str = "md", language: str = "en", **fields: Any) -> Any:
    templates = templates_of({f"messages/hello.{language}.{kind}": HEAD + text})
    return render_message(choose(templates, "hello", language), {"name": "Ada", **fields})


def _wrong(files: dict[str, str]) -> SourceError:
    errors = check_messages(files)
    assert len(errors) == 1, errors
    return errors[0]


def test_markdown_makes_both_texts() -> None:
    """One file, written as people write mail: plain text to read, HTML to look at."""
    made = _render(
        "# Hello {{ name }}\n\nsee [our offer]({{ url }}),\n**today**:\n\n- one\n- *two*\n\n1. a\n2. b\n",
        url="https://example.com/?a=1&b=2",
    )
    assert made.subject == "Hello Ada"
    assert "see our offer (https://example.com/?a=1&b=2),\ntoday:\n\n- one\n- two" in made.text
    assert "<h1>Hello Ada</h1>" in made.html
    assert '<a href="https://example.com/?a=1&amp;b=2">our offer</a>' in made.html
    assert "<strong>today</strong>" in made.html
    assert "<ul>\n<li>one</li>\n<li><em>two</em></li>\n</ul>" in made.html
    assert "<ol>\n<li>a</li>\n<li>b</li>\n</ol>" in made.html
    assert made.html.startswith('<!doctype html>\n<html lang="en">')


def test_text_makes_html_and_html_makes_text() -> None:
    """Where only one is given the other is made of it."""
    from_text = _render("Hello {{ name }},\nsee https://example.com/x.\n\nBye <3\n", "txt")
    assert '<p>Hello Ada,<br>\nsee <a href="https://example.com/x">https://example.com/x</a>.</p>' in from_text.html
    assert "<p>Bye &lt;3</p>" in from_text.html

    from_html = _render("<p>Hello <b>{{ name }}</b></p><ul><li>one</li></ul><a href='https://x.example'>x</a>", "html")
    assert from_html.text == "Hello Ada\n\n- one\n\nx (https://x.example)\n"


def test_two_files_are_used_as_they_are() -> None:
    """A text and an HTML file of one name and language are one message; the subject stands in one of them."""
    templates = templates_of({"messages/a.en.txt": HEAD + "text {{ name }}\n", "messages/a.en.html": "<p>page</p>\n"})
    made = render_message(choose(templates, "a"), {"name": "Ada"})
    assert made.text == "text Ada\n"
    assert "<p>page</p>" in made.html
    assert made.subject == "Hello Ada"


@pytest.mark.parametrize(
    ("asked", "given_in"),
    [
        ("de-CH", "de"),
        ("de-AT", "de-AT"),
        ("DE-at", "de-AT"),
        ("de", "de"),
        ("fr", "en"),
        ("", "en"),
        ("english", "en"),
    ],
)
def test_languages_fall_back(asked: str, given_in: str) -> None:
    """Region, then language, then English."""
    files = {f"messages/a.{one}.md": HEAD + one for one in ("de", "de-AT", "en", "es")}
    assert choose(templates_of(files), "a", asked).language == given_in


def test_without_english_the_first_language_counts() -> None:
    """By the alphabet, so that it is always the same one."""
    files = {f"messages/a.{one}.md": HEAD + one for one in ("fr", "de")}
    assert choose(templates_of(files), "a", "es").language == "de"


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ue000\ue001"), min_size=1, max_size=80))
def test_what_is_filled_in_is_never_markup(value: str) -> None:
    """Whatever a customer typed into a form stays text: in Markdown and HTML alike, no tag and no link comes of it."""
    made = _render("Dear [friend](https://example.com) {{ v }}, **bye**\n", v=value)
    assert made.html.count("<a ") == 1
    assert made.html.count("<strong>") == 1
    assert html_lib.escape(value).replace("\n", "<br>") in made.html
    assert value in made.text
    page = _render("<p>{{ v }}</p>", "html", v=value)
    assert page.html.count("<p>") == 1
    assert "<script" not in page.html


@pytest.mark.parametrize("kind", ["md", "html", "txt"])
@pytest.mark.parametrize(
    "text",
    ["{{ absent }}", "{{ name.first }}", "{{ deal.value }}", "{% if absent %}x{% endif %}", "{{ empty }}",
     "{{ items }}", "{% for one in absent %}x{% endfor %}", "{{ name | absent_too if absent else name }}"],
)  # fmt: skip
def test_a_missing_field_refuses(kind: str, text: str) -> None:
    """No message goes out with a hole in it; the words name the file."""
    with pytest.raises(InputError) as refused:
        _render(f"Hello\n\n{text}\n", kind, deal={}, empty=None, items=["a"])
    assert refused.value.reason in {"missing_field", "template"}
    assert f"messages/hello.en.{kind}" in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{{ name.__class__ }}", "{{ name['__class__'] }}", "{{ ''.__class__.__mro__ }}",
        "{{ name | attr('__class__') }}",
        "{{ name.upper() }}", "{{ name.format(name) }}", "{{ range(9) }}", "{{ lipsum() }}", "{{ cycler.__init__ }}",
        "{% set x = 1 %}", "{% macro m() %}{% endmacro %}", "{% include 'x' %}", "{% import 'x' as x %}",
        "{% extends 'x' %}", "{% block b %}{% endblock %}", "{{ name * 999999999 }}", "{{ 2 ** 999999 }}",
        "{{ name ~ name }}", "{{ name % name }}", "{{ name[0:9] }}", "{{ name[name] }}",
        "{{ name | center(999999999) }}",
        "{{ name | safe }}", "{{ name | replace('a', 'b') }}", "{{ items | join(name) }}", "{{ _slots }}", "{{ self }}",
        "{% for a in x %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in x recursive %}{{ loop(a) }}{% endfor %}", "{% call m() %}{% endcall %}", "{{ loop._iterator }}",
        "{% filter upper %}x{% endfilter %}", "{% raw %}", "{{ name", "{% if %}", "{{ name | upppper }}",
        "{{ name is callable }}", "{{ " + "name and " * 1_001 + "name }}", "{% autoescape false %}{% endautoescape %}",
    ],
)  # fmt: skip
def test_what_is_outside_of_the_language_is_found_by_check(text: str) -> None:
    """With the file and the line, before anything is deployed."""
    error = _wrong({"messages/hello.en.md": f"{HEAD}Hello\n\n{text}\n"})
    assert error.place.file == "messages/hello.en.md"
    assert error.place.line == 6 or "autoescape" in text  # of which the parser keeps no line


@pytest.mark.parametrize(
    ("path", "text", "code", "line"),
    [
        ("messages/Hello.en.md", HEAD + "x", "file_name", 0),
        ("messages/hello.md", HEAD + "x", "file_name", 0),
        ("messages/hello.english.md", HEAD + "x", "file_name", 0),
        ("messages/hello.en.md", "no head\n", "no_subject", 1),
        ("messages/hello.en.md", "---\nsubject: x\n", "front_matter", 1),
        ("messages/hello.en.md", "---\nsubject: x\nsubjet: y\n---\nx", "unknown_key", 3),
        ("messages/hello.en.md", "---\nsubject: 7\n---\nx", "wrong_type", 2),
        ("messages/hello.en.md", "---\nsubject: '{{ name.__class__ }}'\n---\nx", "sandbox", 2),
        ("messages/hello.en.md", "---\nwords: a\nsubject: '{{ name }'\n---\nx", "template", 3),
        ("messages/hello.en.md", HEAD + "\n \n", "empty", 4),
        ("messages/hello.en.md", HEAD + "x" * 70_000, "too_large", 0),
        ("messages/hello.en.md", HEAD + "[x](javascript:x)", "markup", 4),
        ("messages/hello.en.html", HEAD + "<script>x</script>", "markup", 4),
        ("messages/hello.en.html", HEAD + "<p onclick='x'>x</p>", "markup", 4),
        ("messages/hello.en.html", HEAD + "<a href='data:text/html,x'>x</a>", "markup", 4),
    ],
)
def test_each_mistake_has_its_place(path: str, text: str, code: str, line: int) -> None:
    """File, line and a code; with a cure where there is an obvious one."""
    error = _wrong({path: text})
    assert error.reason == code
    assert (error.place.file, error.place.line) == (path, line)


def test_a_suggestion_names_what_was_meant() -> None:
    """For keys of the head, filters, and templates."""
    assert "subject" in str(_wrong({"messages/a.en.md": "---\nsubjct: x\n---\nx"}).suggestion)
    assert "upper" in str(_wrong({"messages/a.en.md": HEAD + "{{ name | uper }}"}).suggestion)
    with pytest.raises(NotFoundError, match="welcome"):
        choose(templates_of({"messages/welcome.en.md": HEAD + "x"}), "welcom")


def test_files_that_do_not_fit_together_are_found() -> None:
    """A second source of the same text, or two subjects."""
    assert _wrong({"messages/a.en.md": HEAD + "x", "messages/a.en.html": "<p>x</p>"}).reason == "twice"
    other = "---\nsubject: Another\n---\nx"
    assert _wrong({"messages/a.en.txt": HEAD + "x", "messages/a.en.html": other}).reason == "twice"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "java\nscript:x",
        "//evil.example",
        "vbscript:x",
    ],
)
@pytest.mark.parametrize(("kind", "text"), [("md", "[go]({{ url }})"), ("html", '<a href="{{ url }}">go</a>')])
def test_a_link_that_was_filled_in_leads_to_the_web(kind: str, text: str, url: str) -> None:
    """What a form's visitor typed as their page cannot run in anybody's mail program."""
    with pytest.raises(InputError) as refused:
        _render(text, kind, url=url)
    assert refused.value.reason == "template"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"v": "x" * 40_000}, TooLargeError),
        ({"v": list(range(101))}, TooLargeError),
        ({"v": [[[[[[[[1]]]]]]]]}, TooLargeError),
        ({"v": "\ue0001\ue001"}, InputError),
        ({"v": object()}, InputError),
    ],
)
def test_fields_are_bounded(fields: dict[str, Any], error: type[InputError]) -> None:
    """In size, count and depth, before anything is filled in."""
    with pytest.raises(error):
        _render("{{ v }}", **fields)


def test_what_a_template_makes_is_bounded() -> None:
    """Loops over loops end at the bound of what may come out."""
    text = "{% for a in v %}{% for b in v %}" + "x" * 60 + "{% endfor %}{% endfor %}"
    with pytest.raises(TooLargeError):
        _render(text, "txt", v=["y"] * 100)


def test_a_subject_stays_on_one_line() -> None:
    """A line break in a name does not reach the header."""
    assert _render("x", name="Ada\r\nBcc: eve@evil.example").subject == "Hello Ada Bcc: eve@evil.example"


def test_words_of_a_page_leave_out_what_nobody_reads() -> None:
    """Styles and scripts; blank lines are few."""
    assert text_of_html("<style>p{}</style><h1>A</h1><p>b<br>c</p><script>x</script>") == "A\n\nb\nc\n"
