"""Addresses as suppressions compare them, and as people should see them."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from fairlead.customers.model import IdentityKind, check_text

CHANNELS_OF: dict[str, tuple[str, ...]] = {
    IdentityKind.EMAIL.value: ("email",),
    IdentityKind.PHONE.value: ("phone", "sms"),
}
"""The channels on which an identity of this kind can be reached."""
_NO_DIGIT = re.compile(r"[^0-9]+")
_ABROAD = re.compile(r"[^0-9+]*0[^0-9+]*0")
"""How a number begins that is dialled from abroad, as in (00)49."""
_CACHED = 16_384


@lru_cache(maxsize=_CACHED)
def normalise_address(channel: str, text: str) -> str:
    """The one form in which an address is compared: for `email` lower case with the domain decoded from punycode,
    for `phone` and `sms` E.164, for other channels without blanks around it.

    Domains that only look alike stay different. What is no address at all is still brought into a form, since a
    wish not to be written to is never refused for its spelling; InputError only for blank or overlong text.
    """  # fmt: skip
    check_text("address", text, needed=True)
    stripped = text.strip()
    if channel == "email":
        return _email(stripped)
    if channel in {"phone", "sms"}:
        return _phone(stripped)
    return stripped


_USABLE = {
    "email": re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+"),
    "phone": re.compile(r"\+?[0-9]{3,20}(;ext=[0-9]+)?"),
    "sms": re.compile(r"\+?[0-9]{3,20}"),
}


def usable_address(channel: str, address: str) -> bool:
    """Whether a normalised address has the form of one; True for channels whose addresses have none."""
    form = _USABLE.get(channel)
    return form is None or form.fullmatch(address) is not None


def shown_address(address: str) -> str:
    """The address for people: a mail domain that is not plain ASCII in punycode, so that look-alikes do not."""
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{validate_email(f'a@{domain}', check_deliverability=False).ascii_domain}"
    except EmailNotValidError:
        return f"{local}@{domain.encode('punycode').decode()}"


def _email(text: str) -> str:
    text = text.lower().removeprefix("mailto:")
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return text


def _phone(text: str) -> str:
    written = _ABROAD.sub("+", text, count=1) if _ABROAD.match(text) else text
    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        digits = _NO_DIGIT.sub("", written)
        bare = ("+" if written.startswith("+") else "") + digits if digits else text
        return bare if bare == text else _phone(bare)  # without its punctuation it may be a number after all
    plain: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain
