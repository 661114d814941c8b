"""A seeded generator of made-up leads, for the demo, tests and benches; every name in it is invented."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    "Full name", "E-mail", "Phone", "Company", "Job title", "Country", "Employees", "Industry", "Source", "Deal value",
)  # fmt: skip

_FIRST = (
    "Ada", "Bruno", "Carla", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katya", "Liam", "Mira",
    "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Stefan", "Tilda", "Umut", "Vera", "Wanda", "Yara", "Zeno",
)  # fmt: skip
_LAST = (
    "Almgren", "Bertoni", "Castellan", "Dahlke", "Eriksen", "Fontaine", "Grabow", "Hollis", "Iversen", "Jansma",
    "Kestrel", "Lindqvist", "Marchetti", "Norden", "Okafor", "Pellegrin", "Quist", "Reinholt", "Sandoval", "Tamm",
    "Ulvang", "Varela", "Wexford", "Ystad", "Zoller",
)  # fmt: skip
_COMPANY = (
    "Harbour",
    "Beacon",
    "Northwind",
    "Lattice",
    "Quarry",
    "Meridian",
    "Tidewater",
    "Foundry",
    "Orchard",
    "Keel",
)
_KIND = (
    "Logistics",
    "Systems",
    "Foods",
    "Energy",
    "Textiles",
    "Health",
    "Optics",
    "Labs",
    "Freight",
    "Works",
)
_COUNTRY = {
    "Germany": ("+49 30 901820", 22), "Austria": ("+43 1 58858", 6), "Switzerland": ("+41 44 66811", 6),
    "Sweden": ("+46 8 12345", 8), "Denmark": ("+45 32 12 34", 5), "United Kingdom": ("+44 20 7946 0", 16),
    "Ireland": ("+353 1 25345", 4), "France": ("+33 1 70 18 99", 10), "Spain": ("+34 91 123 45", 8),
    "Italy": ("+39 06 69812", 8), "United States": ("+1 202 555 01", 18), "Poland": ("+48 22 123 45", 5),
    "Iran": ("+98 21 1234 56", 1),
}  # fmt: skip
_TITLE = (
    "Head of Operations",
    "Purchasing Manager",
    "CEO",
    "Team lead",
    "Analyst",
    "Director IT",
    "Assistant",
    "CFO",
)
_SOURCE = (
    "Webinar",
    "Referral",
    "Website",
    "Trade fair",
    "Partner",
    "Newsletter",
    "Demo request",
    "Cold list",
)
_INDUSTRY = ("Manufacturing", "Retail", "Software", "Health care", "Transport", "Energy", "Public sector")
_FREE_MAIL, _HAS_PHONE, _HAS_VALUE, _SPOILT = 0.18, 0.7, 0.9, 1 / 12
_FREE = ("gmail.com", "gmx.de", "outlook.com", "yahoo.com")


def lead_rows(count: int, seed: int = 7, *, start: int = 0) -> Iterator[tuple[str, ...]]:
    """`count` rows under HEADER, the same for the same seed; about one in twelve has something wrong with it.

    `start` numbers the first row, so that a second call goes on with other people.
    """
    rng = random.Random(f"{seed}/{start}")
    countries, weights = zip(*((name, weight) for name, (_, weight) in _COUNTRY.items()), strict=True)
    for number in range(start, start + count):
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        company = f"{rng.choice(_COMPANY)} {rng.choice(_KIND)}"
        country = rng.choices(countries, weights)[0]
        host = rng.choice(_FREE) if rng.random() < _FREE_MAIL else f"{company.lower().replace(' ', '-')}.example"
        email = f"{first}.{last}.{number}@{host}".lower()
        phone = f"{_COUNTRY[country][0]}{number % 90 + 10}" if rng.random() < _HAS_PHONE else ""
        value = round(rng.lognormvariate(8.9, 1.25), -2) if rng.random() < _HAS_VALUE else 0.0
        employees = str(int(rng.lognormvariate(4.2, 1.5)) + 1)
        row = [
            f"{first} {last}", email, phone, company, rng.choice(_TITLE), country, employees, rng.choice(_INDUSTRY),
            rng.choice(_SOURCE), f"{value:.2f}" if value else "",
        ]  # fmt: skip
        yield tuple(_spoil(rng, row) if rng.random() < _SPOILT else row)


def _spoil(rng: random.Random, row: list[str]) -> list[str]:
    """One thing wrong: a broken address, no way to reach the lead, no such country, an impossible value."""
    column, text = rng.choice(((1, row[1].replace("@", " at ")), (1, ""), (5, "Nowhereland"), (9, "-500")))
    row[column] = text
    if not row[1]:
        row[2] = ""
    return row


def write_leads(path: Path, count: int, seed: int = 7, *, start: int = 0) -> None:
    """A CSV file of `lead_rows`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(lead_rows(count, seed, start=start))
