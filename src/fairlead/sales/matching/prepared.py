"""A record with its names taken apart, done once however often it is compared. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fairlead.sales.matching.lists import FREE_MAILBOXES, words
from fairlead.sales.matching.model import Record
from fairlead.sales.matching.names import CompanyName, company_name
from fairlead.sales.matching.person_names import PersonName, person_name
from fairlead.sales.matching.scripts import plain

_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "gob", "gouv"})
_ROLES = words(
    "info contact kontakt sales vertrieb office mail hello hallo team support service admin post buero anfrage "
    "einkauf purchasing marketing hr jobs billing accounting rechnung noreply no-reply webmaster press presse"
)
_NOT_ALNUM = re.compile(r"[\W_]+")
_LAST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An e-mail address taken apart; `label` is the telling part of a company's own domain, "" for a free one."""

    local: str
    domain: str
    label: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record ready to be compared."""

    record: Record
    company: CompanyName
    person: PersonName
    mailboxes: tuple[Mailbox, ...]
    phones: frozenset[str]
    city: str
    postal_code: str

    @property
    def is_person(self) -> bool:
        """Whether it names a person, as opposed to a company alone."""
        return bool(self.person.words)

    @property
    def domains(self) -> frozenset[str]:
        """Own domains, no free mailboxes."""
        return frozenset(box.domain for box in self.mailboxes if box.label)

    @property
    def labels(self) -> frozenset[str]:
        """The telling parts of own domains: `acme` of `mail.acme.co.uk`."""
        return frozenset(box.label for box in self.mailboxes if box.label)

    @property
    def locals(self) -> frozenset[str]:
        """What stands before the @ of personal addresses."""
        return frozenset(box.local for box in self.mailboxes if box.local)


def prepare(record: Record) -> Prepared:
    """Take the record's names, addresses and numbers apart."""
    company, name = record.company, record.name
    if name and not company and company_name(name).form:
        company, name = name, ""  # a company that was entered as a name
    taken_apart = company_name(company)
    person = person_name(name)
    if person.words and person.key == " ".join(sorted(taken_apart.core)):
        person = person_name("")
    return Prepared(
        record,
        taken_apart,
        person,
        tuple(_mailbox(email) for email in record.emails if "@" in email),
        frozenset(_digits(phone) for phone in record.phones) - {""},
        _NOT_ALNUM.sub("", plain(record.city)),
        _NOT_ALNUM.sub("", plain(record.postal_code)),
    )


def _mailbox(email: str) -> Mailbox:
    local, _, domain = email.rpartition("@")
    domain = domain.casefold()
    parts = domain.split(".")
    cut = 3 if len(parts) > 2 and parts[-2] in _SECOND_LEVEL and len(parts[-1]) == 2 else 2  # noqa: PLR2004
    label = parts[-cut] if len(parts) >= cut else parts[0]
    personal = plain(local.partition("+")[0])
    return Mailbox("" if personal in _ROLES else personal, domain, "" if label in FREE_MAILBOXES else label)


def _digits(phone: str) -> str:
    """The last digits of a number: the same whether it was written with a country code or an extension."""
    digits = "".join(letter for letter in phone.partition(";")[0] if letter.isdecimal())
    return digits[-_LAST_DIGITS:] if len(digits) >= 6 else ""  # noqa: PLR2004  shorter ones are no number
