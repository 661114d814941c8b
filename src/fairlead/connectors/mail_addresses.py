"""Mail addresses on the wire: one form that every server takes, and no domain that pretends to be another."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from fairlead.errors import InputError

_PUNYCODE = "xn--"
_CACHED = 8_192
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that one word may mix: Unicode Technical Standard 39, "highly restrictive"."""
_COMMON = frozenset({"DIGIT", "HYPHEN-MINUS", "MIDDLE", "COMBINING", "IDEOGRAPHIC", "KATAKANA-HIRAGANA"})


class MailAddress(NamedTuple):
    """An address in ASCII, its domain in punycode; this is also how it is shown."""

    local: str
    domain: str

    def __str__(self) -> str:
        """`local@domain`."""
        return f"{self.local}@{self.domain}"

    def tagged(self, tag: str) -> str:
        """The same mailbox with `+tag`, by which what comes back is recognised."""
        return f"{self.local}+{tag}@{self.domain}"


@lru_cache(maxsize=_CACHED)
def mail_address(text: str) -> MailAddress:
    """The address to hand to a server.

    InputError: `mail_address` for what is none or has a local part outside of ASCII, `mixed_script` for a domain
    of which one label mixes scripts that no language mixes, such as Cyrillic among Latin letters.
    """
    if any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in text[:1_000]):
        raise InputError("This mail address has characters that nobody sees.", code="mail_address")
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise InputError(f"This is no mail address: {error}", code="mail_address") from None
    if found.ascii_email is None:
        message = "The part before the @ has letters outside of ASCII, which few servers take."
        raise InputError(message, code="mail_address")
    for label in found.domain.split("."):
        if scripts := _mixed(label):
            message = f"The domain {found.ascii_domain} mixes {' and '.join(sorted(scripts))} letters in one word."
            raise InputError(message, code="mixed_script", domain=found.ascii_domain)
    local, _, domain = found.ascii_email.rpartition("@")
    return MailAddress(local, domain.lower())


def same_mailbox_domain(domain: str, parent: str) -> bool:
    """Whether `domain` is `parent` or lies below it, as DMARC's relaxed alignment wants."""
    return domain == parent or domain.endswith("." + parent)


def _mixed(label: str) -> frozenset[str]:
    """The scripts of a label that may not stand together; empty where they may."""
    if label.startswith(_PUNYCODE):
        try:
            label = label[len(_PUNYCODE) :].encode("ascii").decode("punycode")
        except UnicodeError:
            return frozenset({"UNREADABLE"})
    if label.isascii():
        return frozenset()
    scripts = frozenset(_script(one) for one in label) - _COMMON
    if len(scripts) < 2 or any(scripts <= allowed for allowed in _TOGETHER):  # noqa: PLR2004  two are a mixture
        return frozenset()
    return scripts


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").split()[0].replace("ARABIC-INDIC", "ARABIC")
