"""The leads of the engine bench: a seeded CSV file, every row a new person with an e-mail address and a
telephone.
"""

from __future__ import annotations

import csv
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    "name",
    "email",
    "phone",
    "company",
    "job title",
    "country",
    "employees",
    "lead source",
    "deal value",
)
_FIRST = ("Ada", "Bruno", "Chiara", "David", "Elif", "Farid", "Greta", "Hanna", "Ivo", "Jana", "Kofi", "Lena")
_LAST = ("Keller", "Rossi", "Novak", "Lindqvist", "Dubois", "Okafor", "Meyer", "Silva", "Larsen", "Kowalski")
_FIRMS = ("Nordwind Logistik", "Acme Tools", "Baltic Foods", "Helio Energy", "Quarz Optik", "Riva Mobili")
_TITLES = (
    "Head of Operations",
    "Purchasing Manager",
    "CTO",
    "Office Manager",
    "Managing Director",
    "Engineer",
)
_COUNTRIES = ("DE", "AT", "CH", "SE", "NO", "GB", "ES", "IT", "FR", "NL", "US", "CA", "PL", "JP")
_SOURCES = ("webinar", "referral", "fair", "website", "partner demo")


def write_leads(path: Path, count: int, *, seed: int = 7) -> None:
    """A file of `count` leads; about half are deals below 5,000, the others between that and a million."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(count):
            first, last, firm = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_FIRMS)
            value = rng.randrange(500, 5_000, 100) if rng.random() < 0.5 else rng.randrange(5_000, 1_000_000, 500)
            writer.writerow((
                f"{first} {last}", f"{first}.{last}.{number}@{firm.split()[0]}.example".lower(),
                f"+4930{20_000_000 + number}", firm, rng.choice(_TITLES), rng.choice(_COUNTRIES),
                rng.choice((3, 12, 60, 240, 900, 4_000)), rng.choice(_SOURCES), value,
            ))  # fmt: skip
