"""A seeded generator of a whole company: accounts, people at them, leads with a true quality, reps. All invented.

For the demo, tests and benches. What makes a lead convert here is nobody's truth but this generator's: the product
must find it out from data, so nothing outside of tests, benches and the demo may read a number of this file, which a
test of the house watches over.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from fairlead.testing.company_words import (
    BRANCHES,
    COMPANY,
    COUNTRY,
    DIGITS,
    EMBARGOED,
    EMBARGOED_EVERY,
    FIRST,
    FREE_MAIL,
    INDUSTRY,
    KIND,
    LAST,
    SOURCE,
    TITLE,
)
from fairlead.testing.teams import CAST

HEADER = (
    "Full name", "E-mail", "Phone", "Company", "Job title", "Country", "Employees", "Industry", "Source", "Deal value",
)  # fmt: skip
HISTORY_HEADER = (*HEADER, "Created at", "Outcome")
_SAMPLED = 3_000
_EARLIER = 40
"""A lead that is entered twice comes again within so many."""


@dataclass(frozen=True, slots=True)
class CompanyOptions:
    """What the company is like; every share is from 0 to 1.

    `conversion` is the mean probability to convert; `noise` the spread, in logits, of what no column tells;
    `duplicates` the share of leads that are somebody who came before, written differently; `messy` the share of rows
    with something wrong in them, of which `unreachable` can be reached nowhere; `subsidiaries` the share of accounts
    that belong to another one.
    """

    seed: int = 7
    accounts: int = 150
    subsidiaries: float = 0.2
    reps: int = 15
    conversion: float = 0.15
    noise: float = 0.5
    duplicates: float = 0.0
    messy: float = 1 / 12
    unreachable: float = 0.25
    free_mail: float = 0.18
    has_phone: float = 0.7
    has_value: float = 0.9

    def __post_init__(self) -> None:
        """ValueError for a share that is none, and for a company without accounts."""
        for name in ("subsidiaries", "duplicates", "messy", "unreachable", "free_mail", "has_phone", "has_value"):
            if not 0 <= getattr(self, name) <= 1:
                message = f"{name} is a share from 0 to 1"
                raise ValueError(message)
        if not 0 < self.conversion < 1 or self.noise < 0 or self.accounts < 1 or self.reps < 1:
            message = "conversion lies between 0 and 1, noise is not negative, accounts and reps are at least one"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Account:
    """A company that buys; `parent` is the number of the one it belongs to, `pull` how gladly it buys, in logits."""

    number: int
    name: str
    domain: str
    country: str
    industry: str
    employees: int
    pull: float
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class MadeLead:
    """A lead as it is in truth, and as it was written down; `twin_of` is the number of who came before."""

    number: int
    account: Account
    row: tuple[str, ...]
    chance: float
    converts: bool
    twin_of: int | None = None
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class MadeRep:
    """Somebody who sells: `skill` is what they add to a lead's chance, in logits, `delay_h` their usual first touch."""

    name: str
    team: str
    zone: str
    weight: float
    skills: tuple[str, ...]
    skill: float
    delay_h: float


@dataclass(frozen=True)
class Company:
    """The same options make the same company; lead number n is the same whichever others were asked for."""

    options: CompanyOptions = field(default_factory=CompanyOptions)

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Every account, groups and their subsidiaries."""
        made: list[Account] = []
        for number in range(self.options.accounts):
            rng = self._rng("account", number)
            heads = [one for one in made if one.parent is None]
            parent = rng.choice(heads) if heads and rng.random() < self.options.subsidiaries else None
            made.append(_subsidiary(rng, number, parent) if parent else _account(rng, number))
        return tuple(made)

    @cached_property
    def reps(self) -> tuple[MadeRep, ...]:
        """The people of the demo's teams first, then others."""
        known = [
            (rep.name, team, zone, rep.weight, rep.skills) for team, (_, zone, reps) in CAST.items() for rep in reps
        ]
        made = []
        for number in range(self.options.reps):
            rng = self._rng("rep", number)
            name, team, zone, weight, skills = known[number % len(known)]
            if number >= len(known):
                name = f"{rng.choice(FIRST)} {rng.choice(LAST)} {number}"
            made.append(MadeRep(name, team, zone, weight, skills, rng.gauss(0, 0.3), rng.lognormvariate(0.5, 0.8)))
        return tuple(made)

    def leads(self, count: int, *, start: int = 0) -> Iterator[MadeLead]:
        """`count` leads from number `start` on."""
        return map(self.lead, range(start, start + count))

    def lead(self, number: int) -> MadeLead:
        """One of them."""
        rng = self._rng("lead", number)
        twin = number - rng.randint(1, _EARLIER)
        if rng.random() < self.options.duplicates and twin >= 0 and not self._is_twin(twin):
            return self._again(number, twin, rng)
        return self._first(number, rng)

    def chance(self, logit: float) -> float:
        """The probability to convert that belongs to these traits."""
        return 1 / (1 + math.exp(-(logit + self._base)))

    @cached_property
    def _base(self) -> float:
        """What makes the mean chance that of the options."""
        traits = [self._draft(self._rng("lead", -1 - number))[1] for number in range(_SAMPLED)]
        low, high = -20.0, 20.0
        for _ in range(50):
            middle = (low + high) / 2
            mean = sum(1 / (1 + math.exp(-(one + middle))) for one in traits) / len(traits)
            low, high = (middle, high) if mean < self.options.conversion else (low, middle)
        return (low + high) / 2

    @cached_property
    def _effects(self) -> dict[str, float]:
        rng = self._rng("effects", 0)
        return {name: rng.gauss(0, 0.35) for name in (*INDUSTRY, *COUNTRY)}

    def _rng(self, what: str, number: int) -> random.Random:
        return random.Random(f"{self.options.seed}/{what}/{number}")

    def _is_twin(self, number: int) -> bool:
        """Whether it would itself be somebody who came before; those are not entered a third time."""
        rng = self._rng("lead", number)
        rng.randint(1, _EARLIER)
        return rng.random() < self.options.duplicates

    def _draft(self, rng: random.Random, number: int = 0) -> tuple[list[str], float, Account]:
        """The row as it ought to be, and what its traits say in logits."""
        account, options = rng.choice(self.accounts), self.options
        title, source = rng.choice(tuple(TITLE)), rng.choice(tuple(SOURCE))
        free, phone = rng.random() < options.free_mail, rng.random() < options.has_phone
        first, last = rng.choice(FIRST), rng.choice(LAST)
        host = rng.choice(FREE_MAIL) if free else account.domain
        value = round(rng.lognormvariate(7.6, 1.1) * account.employees**0.25, -2)
        value = value if rng.random() < options.has_value else 0.0
        logit = TITLE[title] + SOURCE[source] + account.pull + self._effects[account.industry]
        logit += self._effects[account.country] + 0.3 * phone - 0.6 * free + rng.gauss(0, options.noise)
        prefix = COUNTRY[account.country][0]
        digits = DIGITS.get(account.country, 4)
        row = [
            f"{first} {last}", f"{first}.{last}.{number}@{host}".lower(),
            f"{prefix}{number % 10**digits:0{digits}d}" if phone else "", account.name, title, account.country,
            str(account.employees), account.industry, source, f"{value:.2f}" if value else "",
        ]  # fmt: skip
        return row, logit, account

    def _first(self, number: int, rng: random.Random) -> MadeLead:
        row, logit, account = self._draft(rng, number)
        chance = self.chance(logit)
        mistake = _spoil(rng, row, self.options.unreachable) if rng.random() < self.options.messy else ""
        return MadeLead(number, account, tuple(row), chance, rng.random() < chance, mistake=mistake)

    def _again(self, number: int, twin: int, rng: random.Random) -> MadeLead:
        """Somebody who came before, through another mailbox and written in another way."""
        before = self._first(twin, self._skipped(twin))
        row = list(before.row)
        first, _, last = row[0].partition(" ")
        row[0] = rng.choice((f"{first[0]}. {last}", f"{last}, {first}", row[0].upper(), row[0]))
        row[1] = f"{first[0]}{last}{twin}@{before.account.domain}".lower()
        row[3] = rng.choice((row[3].upper(), f"{row[3]} GmbH", row[3].replace(" ", "-"), row[3]))
        row[8] = rng.choice(tuple(SOURCE))
        return replace(before, number=number, row=tuple(row), twin_of=twin)

    def _skipped(self, number: int) -> random.Random:
        """The generator of a lead as `lead` leaves it to `_first`."""
        rng = self._rng("lead", number)
        rng.randint(1, _EARLIER)
        rng.random()
        return rng


def _account(rng: random.Random, number: int) -> Account:
    words = [rng.choice(COMPANY), *([rng.choice(COMPANY)] if rng.random() < 0.4 else []), rng.choice(KIND)]  # noqa: PLR2004
    name = " ".join(dict.fromkeys(words))
    domain = f"{name.lower().replace(' ', '-')}.example"
    country = rng.choices(tuple(COUNTRY), [weight for _, weight in COUNTRY.values()])[0]
    if number % EMBARGOED_EVERY == 0:  # so that every demo has somebody whom the policy refuses
        country = EMBARGOED
    employees = int(rng.lognormvariate(4.2, 1.5)) + 1
    pull = rng.gauss(0, 0.3) + 0.25 * math.log10(employees)
    return Account(number, name, domain, country, rng.choice(INDUSTRY), employees, pull)


def _subsidiary(rng: random.Random, number: int, parent: Account) -> Account:
    country = rng.choice([one for one in BRANCHES if one != parent.country])
    name = f"{parent.name} {BRANCHES[country]}"
    employees = max(1, round(parent.employees * rng.uniform(0.05, 0.6)))
    domain = parent.domain if rng.random() < 0.5 else f"{country.lower().replace(' ', '-')}.{parent.domain}"  # noqa: PLR2004
    return Account(number, name, domain, country, parent.industry, employees, parent.pull, parent.number)


def _spoil(rng: random.Random, row: list[str], unreachable: float) -> str:
    """One thing wrong: no way to reach the lead, a broken address, no such country, an impossible value."""
    if rng.random() < unreachable:
        row[1] = row[2] = ""
        return "unreachable"
    mistake, column, text = rng.choice((
        ("broken address", 1, row[1].replace("@", " at ")), ("no such country", 5, "Nowhereland"),
        ("impossible value", 9, "-500"),
    ))  # fmt: skip
    row[column] = text
    return mistake


def lead_rows(count: int, seed: int = 7, *, start: int = 0) -> Iterator[tuple[str, ...]]:
    """`count` rows under HEADER, the same for the same seed; about one in twelve has something wrong with it.

    `start` numbers the first row, so that a second call goes on with other people.
    """
    return (lead.row for lead in Company(CompanyOptions(seed)).leads(count, start=start))


def history_rows(
    company: Company, count: int, until: datetime, span: timedelta = timedelta(days=180)
) -> Iterator[tuple[str, ...]]:
    """`count` past leads under HISTORY_HEADER: when they came, evenly over the span, and what became of them."""
    for lead in company.leads(count):
        at = until - span + span * (lead.number / max(1, count))
        yield (*lead.row, at.isoformat(timespec="seconds"), "won" if lead.converts else "lost")


def write_leads(path: Path, count: int, seed: int = 7, *, start: int = 0) -> None:
    """A CSV file of `lead_rows`."""
    write_rows(path, HEADER, lead_rows(count, seed, start=start))


def write_rows(path: Path, header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    """A CSV file of these rows; OSError where it cannot be written."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
