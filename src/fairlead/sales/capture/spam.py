"""Signs that a form was filled in by a machine that sells something; each sends the lead to a person. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from fairlead.sales.capture.forms import Form
from fairlead.sales.intake.words import fold

MOST_LINKS = 2
SAME_TEXT_FROM = 3
"""Posts with one text, by whomever, from which on they are suspected."""
_LINK = re.compile(r"(?:https?://|www\.)", re.IGNORECASE)
_MARKUP = re.compile(r"<\s*/?\s*(?:a|script|iframe|img|svg|form|style|object)\b|\[/?(?:url|link|img)\b", re.IGNORECASE)
_LEAST_TEXT = 20
_SHORT = frozenset({"text", "tel", "email"})


def spam_signs(form: Form, typed: Mapping[str, str], same_text: int) -> tuple[str, ...]:
    """Sentences for the person who looks, none when nothing is odd; `same_text`: earlier posts with this text."""
    signs = []
    whole = "\n".join(typed.values())
    links = len(_LINK.findall(whole))
    if links > MOST_LINKS:
        signs.append(f"It holds {links} links.")
    if _MARKUP.search(whole):
        signs.append("It holds markup of web pages or forums.")
    for field in form.fields:
        text = typed.get(field.name, "")
        if field.type in _SHORT and _LINK.search(text) and "url" not in field.name and "web" not in field.name:
            signs.append(f"There is a link in the field {field.label!r}.")
    if same_text + 1 >= SAME_TEXT_FROM:
        signs.append(f"The same text came {same_text} times before within a day.")
    return tuple(signs)


def text_digest(form: Form, typed: Mapping[str, str]) -> str:
    """Of the longest answer, however it is spelt; empty when nothing long enough was written to be told apart."""
    texts = [fold(typed.get(field.name, "")) for field in form.fields if field.type in {"textarea", "text"}]
    longest = max(texts, key=len, default="")
    return hashlib.sha256(longest.encode()).hexdigest() if len(longest) >= _LEAST_TEXT else ""
