"""A seeded generator of companies and people, some of them entered twice, with known truth. All invented.

Truth is the entity that a record stands for: two records are duplicates exactly when theirs is the same.
Sister companies, firms with similar names, namesakes, colleagues and look-alikes in other alphabets are
entities of their own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_SYLLABLES = _listed(
    "ba be bo bra da den do dra el en er fal fen gar gen gra hal hel hol in ka kel kor la len lim lor lu ma mel mer mi "
    "mon nar nel no nor o or pa pel qua ra ren ri ros sa sel sol ster sun ta tel ter tor tri u val ven vi vol wes win "
    "xan yor za zen zor"
)
_KINDS = (
    "Logistics", "Systems", "Foods", "Energy", "Software", "Consulting", "Engineering", "Partners", "Medical", "Design",
    "Trading", "Industries", "Technologies", "Services", "Media", "Security", "Maschinenbau", "Transport", "Optics",
    "Robotics", "Textiles", "Instruments",
)  # fmt: skip
_FIRST = _listed(
    "Ada Bruno Carla Dario Elif Farid Greta Hugo Ines Jonas Katya Liam Mira Nils Olga Pavel Quinn Rosa Stefan Tilda "
    "Umut Vera Wanda Yara Zeno Anton Birgit Cosmo Dunja Emil Fiona Gero Hanne Ilias Jana Kofi Lotte Marek Noor Otis"
)
_COUNTRIES = {
    "DE": (("GmbH", "AG", "GmbH & Co. KG", "mbH"), "Deutschland", ("Hamburg", "Berlin", "Ulm", "Kiel", "Jena")),
    "GB": (("Ltd", "Limited", "PLC", "Ltd."), "UK", ("Leeds", "London", "Bath", "York")),
    "US": (("Inc.", "LLC", "Corp.", "Inc"), "USA", ("Austin", "Boston", "Reno", "Tulsa")),
    "FR": (("S.A.", "SARL", "SAS", "SA"), "France", ("Lyon", "Paris", "Nantes")),
    "IT": (("S.r.l.", "S.p.A.", "srl"), "Italia", ("Torino", "Milano", "Bari")),
    "NL": (("B.V.", "BV", "N.V."), "Nederland", ("Utrecht", "Breda", "Delft")),
    "SE": (("AB", "Aktiebolag"), "Sverige", ("Malmö", "Uppsala", "Lund")),
    "FI": (("Oy", "Oyj"), "Suomi", ("Turku", "Oulu", "Espoo")),
    "PL": (("Sp. z o.o.", "S.A."), "Polska", ("Gdańsk", "Łódź", "Kraków")),
}
_SPELLED = {
    "GmbH": ("GmbH", "G.m.b.H.", "gmbh", "Gesellschaft mit beschränkter Haftung", ""),
    "Ltd": ("Ltd", "Limited", "LTD.", "Ltd.", ""),
    "Limited": ("Ltd", "Limited", "LIMITED", ""),
    "Inc.": ("Inc", "Incorporated", "INC.", ""),
    "S.A.": ("SA", "S.A.", "S. A.", ""),
    "S.r.l.": ("SRL", "S.r.l.", "s.r.l", ""),
    "B.V.": ("BV", "B.V.", "b.v.", ""),
    "Sp. z o.o.": ("Sp. z o.o.", "sp z oo", "SP. Z O. O.", ""),
}
_SHORT = {"Technologies": "Tech", "Systems": "Sys", "Services": "Svcs", "Engineering": "Eng", "Industries": "Ind",
          "Logistics": "Log", "Partners": "Partner"}  # fmt: skip
_LOOKALIKE = str.maketrans("aeocpxAEOCPXBHKMT", "аеосрхАЕОСРХВНКМТ")  # noqa: RUF001  that is the point
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"
_PHONE = {"DE": "+4940", "GB": "+4420", "US": "+1202", "FR": "+331", "IT": "+3906", "NL": "+3130", "SE": "+4640",
          "FI": "+3582", "PL": "+4858"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeRecord:
    """One record; records of one `entity` are duplicates. `kind` says how it came to be."""

    entity: int
    kind: str
    name: str = ""
    company: str = ""
    country: str = ""
    city: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


class CompanyMaker:
    """Makes records until asked to stop; the same seed makes the same ones.

    `duplicates` is the share of entities entered more than once, `noise` the chance of each kind of corruption
    in the second entry, `gaps` the chance that a field is not known.
    """

    def __init__(self, seed: int = 7, *, duplicates: float = 0.25, noise: float = 0.35, gaps: float = 0.3) -> None:
        self._rng = random.Random(seed)
        self._duplicates, self._noise, self._gaps = duplicates, noise, gaps
        self._entities = 0

    def make(self, count: int) -> list[MadeRecord]:
        """`count` records in random order."""
        made: list[MadeRecord] = []
        while len(made) < count:
            made += self._accounts() if self._rng.random() < 0.5 else self._people()  # noqa: PLR2004
        self._rng.shuffle(made)
        return made[:count]

    def _entity(self) -> int:
        self._entities += 1
        return self._entities

    def _word(self) -> str:
        return "".join(self._rng.choice(_SYLLABLES) for _ in range(self._rng.choice((2, 3, 3, 4)))).capitalize()

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _company(self, core: str = "") -> tuple[MadeRecord, str]:
        rng = self._rng
        country = rng.choice(list(_COUNTRIES))
        forms, _, cities = _COUNTRIES[country]
        word = core or self._word()
        parts = [word, *([self._word()] if self._chance(0.25) else []), rng.choice(_KINDS)]
        if self._chance(0.2):
            parts.pop()
        if self._chance(0.08):
            parts.insert(1, "&")
            parts.insert(2, self._word())
        name = f"{' '.join(parts)} {rng.choice(forms)}"
        domain = f"{''.join(parts[:2]).lower().replace('&', '')}.{rng.choice(('com', country.lower()))}"
        made = MadeRecord(self._entity(), "company", "", name, country, rng.choice(cities), (f"info@{domain}",),
                          (self._number(country),))  # fmt: skip
        return made, domain

    def _number(self, country: str) -> str:
        return f"{_PHONE[country]}{self._rng.randrange(10**6, 10**7)}"

    def _accounts(self) -> list[MadeRecord]:
        one, domain = self._company()
        found = [one]
        if self._chance(self._duplicates):
            found += [self._again(one) for _ in range(self._rng.choice((1, 1, 2)))]
        roll = self._rng.random()
        if roll < 0.06:  # noqa: PLR2004
            found += self._sisters(one, domain)
        elif roll < 0.12:  # noqa: PLR2004  shares the first word, nothing else
            found.append(self._company(one.company.partition(" ")[0])[0])
        elif roll < 0.14:  # noqa: PLR2004
            found.append(self._impostor(one))
        return [self._with_gaps(each) for each in found]

    def _sisters(self, one: MadeRecord, domain: str) -> list[MadeRecord]:
        core = one.company.partition(" ")[0]
        found = []
        for country in self._rng.sample(list(_COUNTRIES), 2):
            forms, place, cities = _COUNTRIES[country]
            name = f"{core} {place} {self._rng.choice(forms)}"
            found.append(MadeRecord(self._entity(), "sister", "", name, country, self._rng.choice(cities),
                                    (f"info@{domain.partition('.')[0]}.{country.lower()}",),
                                    (self._number(country),)))  # fmt: skip
        return found

    def _impostor(self, one: MadeRecord) -> MadeRecord:
        word, _, rest = one.company.partition(" ")
        domain = f"info@{word.lower()}-{self._word().lower()}.com"
        return replace(one, entity=self._entity(), kind="impostor", company=f"{word.translate(_LOOKALIKE)} {rest}",
                       emails=(domain,), phones=(self._number(one.country),))  # fmt: skip

    def _again(self, one: MadeRecord) -> MadeRecord:
        """The same company, entered by somebody else."""
        name = one.company
        for form, spelled in _SPELLED.items():
            if name.endswith(f" {form}") and self._chance(0.7):
                name = f"{name.removesuffix(form)}{self._rng.choice(spelled)}".strip()
                break
        if self._chance(self._noise):
            name = self._typo(name)
        for long, short in _SHORT.items():
            if long in name and self._chance(self._noise):
                name = name.replace(long, short)
        if " & " in name:
            name = name.replace("&", self._rng.choice(("and", "und", "+", "&")))
        words = name.split()
        if len(words) > 2 and self._chance(self._noise / 4):  # noqa: PLR2004
            words[0], words[1] = words[1], words[0]
        name = " ".join(words)
        name = self._rng.choice((name, name.upper(), name.lower(), name, name))
        emails, phones = one.emails, one.phones
        if self._chance(0.4):
            emails = tuple(email.replace("info@", "sales@") for email in emails)
        if self._chance(0.5):
            phones = (self._number(one.country),)
        return replace(one, kind="again", company=name, emails=emails, phones=phones)

    def _typo(self, text: str) -> str:
        at = self._rng.randrange(1, max(2, min(len(text) - 1, 12)))
        match self._rng.randrange(4):
            case 0:
                return text[:at] + text[at + 1 :]
            case 1:
                return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
            case 2:
                return text[:at] + text[at] + text[at:]
            case _:
                return text[:at] + self._rng.choice(_KEYS.replace(" ", "")) + text[at + 1 :]

    def _people(self) -> list[MadeRecord]:
        firm, domain = self._company()
        found: list[MadeRecord] = []
        last_names = [self._word() for _ in range(3)]
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            first, last = self._rng.choice(_FIRST), self._rng.choice(last_names)
            email = f"{first.lower()}.{last.lower()}@{domain}"
            if any(email in one.emails for one in found):
                continue
            one = replace(firm, entity=self._entity(), kind="person", name=f"{first} {last}", emails=(email,),
                          phones=(self._number(firm.country),))  # fmt: skip
            found.append(one)
            if self._chance(self._duplicates):
                found.append(self._person_again(one, domain))
            if self._chance(0.05):  # a namesake elsewhere
                other, there = self._company()
                mail = f"{first.lower()}.{last.lower()}@{there}"
                found.append(replace(other, kind="namesake", name=one.name, emails=(mail,)))
        return [self._with_gaps(each) for each in found]

    def _person_again(self, one: MadeRecord, domain: str) -> MadeRecord:
        first, _, last = one.name.partition(" ")
        name = self._rng.choice((one.name, one.name, f"{last}, {first}", f"{first[0]}. {last}", one.name.upper()))
        if self._chance(self._noise):
            name = self._typo(name)
        emails = self._rng.choice((
            (f"{first[0].lower()}.{last.lower()}@{domain}",), (f"{first.lower()}.{last.lower()}@gmail.com",),
            (f"{last.lower()}@{domain}",), one.emails, (),
        ))  # fmt: skip
        phones = one.phones if self._chance(0.5) else (self._number(one.country),)
        company = self._again(one).company if self._chance(0.8) else ""
        return replace(one, kind="person_again", name=name, company=company, emails=emails, phones=phones)

    def _with_gaps(self, one: MadeRecord) -> MadeRecord:
        gone = {name: type(getattr(one, name))() for name in ("country", "city", "phones") if self._chance(self._gaps)}
        if self._chance(self._gaps / 2):
            gone["emails"] = ()
        return replace(one, **gone)
