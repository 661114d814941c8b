"""A template and its fields to the subject, text and HTML of a message; refuses rather than guesses."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Template as Compiled, TemplateError, UndefinedError
from jinja2.exceptions import SecurityError

from fairlead.connectors.message_language import SLOTS, FieldError, template_environment
from fairlead.connectors.message_markup import (
    check_html,
    filled,
    html_of_text,
    skeleton_of,
    text_of_html,
)
from fairlead.connectors.message_templates import Source, Template
from fairlead.errors import InputError, TooLargeError
from fairlead.kit import jsons

MAX_RENDERED_CHARS = 262_144
MAX_FIELDS_CHARS = 32_768
MAX_ITEMS, MAX_DEPTH = 100, 6
RENDER_S = 2.0
_PRIVATE = re.compile("[\ue000-\ue003\0]")
_PAGE = (
    '<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
    "<body>\n{body}\n</body>\n</html>\n"
)


class Rendered(NamedTuple):
    """A message as it will be read; `html` is a whole page."""

    subject: str
    text: str
    html: str
    language: str


def render_message(template: Template, fields: Mapping[str, Any]) -> Rendered:
    """The message of a template.

    InputError: `missing_field` where a field that is read is not there or empty, `template` where a value cannot be
    written or reaches for what is no field; TooLargeError for fields over 32,768 characters of JSON, lists over 100
    items, and messages over 262,144 characters or two seconds.
    """
    _check_fields(fields)
    subject = " ".join(_filled(template.subject, template.subject.subject, fields, html=False).split())
    parts = {one.kind: one for one in template.sources}
    try:
        text, body = _bodies(parts, fields)
    except ValueError as error:
        raise InputError(f"{template.sources[0].path}: {error}.", code="template", template=template.name) from None
    page = _PAGE.format(language=template.language, title=_escaped(subject), body=body) if "<body" not in body else body
    return Rendered(subject, text, page, template.language)


def _bodies(parts: Mapping[str, Source], fields: Mapping[str, Any]) -> tuple[str, str]:
    if "md" in parts:
        slots: list[str] = []
        marked = _filled(parts["md"], parts["md"].body, fields, html=False, slots=slots)
        return filled(skeleton_of(marked), slots)
    html = _filled(parts["html"], parts["html"].body, fields, html=True) if "html" in parts else ""
    check_html(html)
    text = _filled(parts["txt"], parts["txt"].body, fields, html=False) if "txt" in parts else text_of_html(html)
    return text, html or html_of_text(text)


def _filled(source: Source, text: str, fields: Mapping[str, Any], *, html: bool, slots: list[str] | None = None) -> str:
    pieces, size, ends = [], 0, time.monotonic() + RENDER_S
    try:
        for piece in _compiled(text, html=html).generate({**fields, SLOTS: slots}):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_RENDERED_CHARS or time.monotonic() > ends:
                message = f"{source.path} makes more than {MAX_RENDERED_CHARS:,} characters, or takes too long."
                raise TooLargeError(message, limit=MAX_RENDERED_CHARS, unit="characters")
    except SecurityError as error:
        raise InputError(f"{source.path}: {error}", code="template", template=source.name) from None
    except UndefinedError as error:
        missing = f"{source.path} reads a field that the message was not given: {error.message}."
        raise InputError(missing, code="missing_field", template=source.name) from None
    except (FieldError, TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"{source.path} cannot be filled in: {error}.", code="template", template=source.name
        ) from None
    return "".join(pieces)


@lru_cache(maxsize=256)
def _compiled(text: str, *, html: bool) -> Compiled:
    return template_environment(html=html).from_string(text)


def _check_fields(fields: Mapping[str, Any]) -> None:
    try:
        size = len(jsons.dumps(dict(fields)))
    except ValueError:
        raise InputError("The fields of a message are no JSON.", code="template", field="fields") from None
    if size > MAX_FIELDS_CHARS:
        message = f"The fields of a message take {size:,} characters; at most {MAX_FIELDS_CHARS:,}."
        raise TooLargeError(message, limit=MAX_FIELDS_CHARS, unit="characters")
    _check_value(fields, 0)


def _check_value(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TooLargeError("The fields of a message are nested too deeply.", limit=MAX_DEPTH, unit="levels")
    if isinstance(value, str) and _PRIVATE.search(value):
        raise InputError("A field of a message holds a character of private use.", code="template", field="fields")
    if isinstance(value, (list, tuple, Mapping)):
        if not isinstance(value, Mapping) and len(value) > MAX_ITEMS:
            message = f"A list in a message's fields has more than {MAX_ITEMS} items."
            raise TooLargeError(message, limit=MAX_ITEMS, unit="items")
        for one in value.values() if isinstance(value, Mapping) else value:
            _check_value(one, depth + 1)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
