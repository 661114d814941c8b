"""E-mail addresses and phone numbers, checked as text; nothing is looked up on a network."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*\Z")
_MOST_LOCAL = 64
_MOST_EMAIL = 254
_MOST_PHONE = 40
_BARE_INTERNATIONAL = re.compile(r"[1-9][0-9]{10,14}\Z", re.ASCII)
_LENGTHS = {
    phonenumbers.ValidationResult.TOO_SHORT: "It has too few digits for its country.",
    phonenumbers.ValidationResult.TOO_LONG: "It has too many digits for its country.",
    phonenumbers.ValidationResult.INVALID_LENGTH: "No number of its country has so many digits.",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "Its country code is none.",
}
_CACHED_DOMAINS = 16_384
_CACHED_PHONES = 16_384
_MAILTO = re.compile(r"(?:mailto:)?(?:.*<)?(?P<address>[^<>]*)>?\Z", re.IGNORECASE | re.DOTALL)


class Contact(NamedTuple):
    """A checked contact."""

    value: str
    """Normalised; empty when it cannot be used."""
    trouble: str
    """Why not, as a sentence; empty when it can be used."""
    assumed: bool = False
    """A `+` was put before a number that had none."""


@lru_cache(maxsize=_CACHED_DOMAINS)
def _domain(domain: str) -> Contact:
    return _validated(f"a@{domain}", drop_local=True)


def _validated(address: str, *, drop_local: bool = False) -> Contact:
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        return Contact("", str(error))
    return Contact(found.domain if drop_local else found.normalized, "")


def read_email(cell: str) -> Contact:
    """The address with its domain in lower case; takes it out of `mailto:` and `Ann <ann@firm.example>`.

    Addresses whose local part is plain ASCII words are judged by their domain, which is remembered; all
    others go through the full check each time. Both give the same answer.
    """
    text = cell.strip()
    if len(text) > 4 * _MOST_EMAIL:
        return Contact("", f"The address has {len(text):,} characters.")
    if ("<" in text or ":" in text) and (found := _MAILTO.match(text)):
        text = found["address"].strip()
    local, at, domain = text.rpartition("@")
    if at and len(local) <= _MOST_LOCAL and len(text) < _MOST_EMAIL and _PLAIN_LOCAL.match(local):
        known = _domain(domain)
        return Contact(f"{local}@{known.value}", "") if not known.trouble else known
    return _validated(text)


@lru_cache(maxsize=_CACHED_PHONES)
def read_phone(cell: str, region: str) -> Contact:
    """The number as E.164, with `;ext=` for an extension; `region` (alpha-2) for one without country code.

    A number that no operator of its country can have assigned is not usable.
    """
    text = cell.strip()
    if len(text) > _MOST_PHONE:
        return Contact("", f"The number has {len(text):,} characters.")
    if text.startswith("00"):
        text = "+" + text[2:]
    bare = _BARE_INTERNATIONAL.match(text) is not None
    if bare and region and text.startswith(str(phonenumbers.country_code_for_region(region))):
        # More likely the whole number without its + than a national one without its 0.
        found = _number("+" + text, "")
        if found.value:
            return found._replace(assumed=True)
    found = _number(text, region)
    if bare and not found.value:
        guessed = _number("+" + text, "")  # spreadsheets take the + away
        found = guessed._replace(assumed=True) if guessed.value else found
    return found


def _number(text: str, region: str) -> Contact:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        plus = text.startswith("+")
        return Contact("", "It is no phone number." if plus or region else "It has no country code and no country.")
    if not phonenumbers.is_valid_number(number):
        why = phonenumbers.is_possible_number_with_reason(number)
        return Contact("", _LENGTHS.get(why, "No such number can exist in its country."))
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Contact(f"{written};ext={number.extension}" if number.extension else written, "")
