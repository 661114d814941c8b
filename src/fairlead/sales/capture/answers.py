"""What a visitor typed into a form: kept as it stands, checked field by field. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.sales.capture.form_words import LANGUAGES
from fairlead.sales.capture.forms import Form, FormField, is_lead_field
from fairlead.sales.capture.taking import Plain, lead_of
from fairlead.sales.intake.contacts import read_email, read_phone
from fairlead.sales.intake.numbers import read_number

MAX_LINE, MAX_AREA = 500, 10_000
CONSENT = "consent"
"""The name of the consent box; no field of a form can be called so."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`typed` goes back into the form on an error; `errors` say by field what is wrong and how to mend it."""

    typed: Mapping[str, str]
    errors: Mapping[str, str]
    consented: bool

    def lead(self, form: Form) -> tuple[dict[str, Plain], dict[str, Plain]]:
        """(fields, attributes) of what was filled in."""
        fields: dict[str, Plain] = {}
        attributes: dict[str, Plain] = {}
        for field in form.fields:
            value: Plain = self.typed.get(field.name, "")
            if field.type == "checkbox":
                value = bool(value)
            if value != "":
                (fields if is_lead_field(field.name) else attributes)[field.name] = value
        return fields, attributes


def read_answers(form: Form, posted: Mapping[str, str]) -> Answers:
    """The visitor's answers; values of fields that the form does not have are passed over."""
    words = LANGUAGES[form.language]
    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    country = posted.get("country", "") or form.country
    for field in form.fields:
        text = visible(posted.get(field.name, ""), lines=field.type == "textarea")
        typed[field.name] = text[: MAX_AREA + 1]
        if wrong := _wrong(field, text, words, country if len(country) == 2 else form.country):  # noqa: PLR2004
            errors[field.name] = wrong
    ways = [field.name for field in form.fields if field.name in {"email", "phone"}]
    if not errors and not any(typed[name] for name in ways):
        errors[ways[0]] = words["contact"]
    return Answers(typed, errors, form.consent is not None and bool(posted.get(CONSENT)))


def visible(text: str, *, lines: bool) -> str:
    """The text without control and format characters, on one line unless `lines`; letters stay as they are."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return kept.strip() if lines else " ".join(kept.split())


def _wrong(field: FormField, text: str, words: Mapping[str, str], country: str) -> str:
    """What is wrong with an answer and how to mend it, "" when nothing is."""
    if not text:
        return words["ticked" if field.type == "checkbox" else "required"] if field.required else ""
    most = MAX_AREA if field.type == "textarea" else MAX_LINE
    if len(text) > most:
        return words["long"].format(most=f"{most:,}")
    usable: dict[str, Callable[[], object]] = {
        "email": lambda: read_email(text).value,
        "tel": lambda: read_phone(text, country).value,
        "number": lambda: _is_number(field, text),
        "select": lambda: text in {value for value, _ in field.options},
    }
    if field.type not in usable or usable[field.type]():
        return ""
    return words["option" if field.type == "select" else field.type]


def _is_number(field: FormField, text: str) -> bool:
    """A lead's own number is judged as in a file, where a head count may be `51-200`."""
    if is_lead_field(field.name):
        return not lead_of({field.name: text}, {}, "EUR").needs_information
    return read_number(text) is not None
