"""The words of a page or an HTML mail: what a reader sees, and nothing that only a machine does."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given, strategies as st

from fairlead.kit.markup import MAX_HTML_CHARS, laid_out, without_markup

WORDS = st.text("abc <>&\"'=/!-;#ÄÖ漢", max_size=30)


@given(st.lists(WORDS, max_size=6))
def test_escaped_text_comes_back(lines: list[str]) -> None:
    """Whatever was escaped into paragraphs is read from them, with its blanks folded and empty lines left out."""
    page = "".join(f"<p>{escape(line)}</p>" for line in lines)
    expected = [folded for line in lines if (folded := " ".join(line.split()))]
    assert [line for line in without_markup(page).split("\n") if line] == expected


@given(st.text("<>/!-?abps=\"' &;#x", max_size=80))
def test_any_markup_is_read(markup: str) -> None:
    """Broken tags, comments and references end in words, and reading those words again is no longer work."""
    found = without_markup(markup)
    assert "\n\n\n" not in found
    assert found == found.strip()


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>one<p>two", "one\ntwo"), ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<script>alert(1)</script>seen", "seen"), ("<style>p{}</style><p>seen</p>", "seen"),
        ("<head><title>t</title></head>seen", "seen"), ("<template><p>not</p></template>seen", "seen"),
        ("<head><title>t</title><style>b{}</style><body>seen", "seen"), ("<html><head/><body>seen", "seen"),
        ("<head><title>t</title></head><body><head>not</head>seen", "seen"), ("<img/>seen<hr/>", "seen"),
        ("<SCRIPT>if (a < b) { document.write('<p>no</p>') }</SCRIPT>seen", "seen"),
        ("<!-- hidden --><![CDATA[x]]>seen", "seen"), ("a&nbsp;b &amp; c &lt;p&gt;", "a b & c <p>"),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"), ("<b>bo</b>ld", "bold"),
        ("", ""), ("<div><div><div></div></div></div>", ""), ("</script></p></nothing>seen", "seen"),
    ],
)  # fmt: skip
def test_what_a_reader_sees(markup: str, words: str) -> None:
    """Lines where blocks begin and end, one blank line at most, no code, no comment."""
    assert without_markup(markup) == words


def test_what_is_quoted_can_be_left_out() -> None:
    """Also where quotes are nested; what stands behind them is read."""
    mail = "yes<blockquote>they wrote<blockquote>I wrote</blockquote></blockquote>thanks"
    assert without_markup(mail, frozenset({"blockquote"})) == "yes\n\nthanks"
    assert "I wrote" in without_markup(mail)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<h1>A</h1><p>b<br>c</p><hr>d", "A\n\nb\nc\n\nd"), ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ('<a href="https://x.example">Look</a> up', "Look (https://x.example) up"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="javascript:x()">Look</a>', "Look"), ("<a>Look</a>", "Look"), ("a<br/>b", "a\nb"),
        ("<style>p{}</style><script>x</script>seen", "seen"), ("<head><title>t</title><body>seen", "seen"),
    ],
)  # fmt: skip
def test_a_page_laid_out_as_plain_text(markup: str, words: str) -> None:
    """Paragraphs are apart, items have a dash, a link that may be followed stands behind its words."""
    assert laid_out(markup, ("https:",)) == words


def test_an_endless_page_is_bounded() -> None:
    """Read to its bound and no further, however deep it is nested."""
    assert len(without_markup("x" * (MAX_HTML_CHARS + 50))) == MAX_HTML_CHARS
    assert without_markup("<div>" * 80_000 + "in the depth") == ""
    assert without_markup("<div>" * 50_000 + "in the depth") == "in the depth"
    assert without_markup("&" * 100_000) == "&" * 100_000
