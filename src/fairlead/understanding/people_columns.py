"""Which columns say who works on a lead: left out of a score by default, since they describe us and not the lead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from fairlead.understanding.cells import word_set

_NAMES = word_set(
    """
    owner|lead owner|account owner|deal owner|opportunity owner|record owner|case owner|owner id|owner name|
    sales rep|sales representative|rep|rep name|salesperson|sales person|salesman|seller|sales agent|agent|agent id|
    agent name|account executive|account manager|ae|sdr|bdr|isr|sales owner|assigned to|assignee|assigned user|
    assigned rep|handled by|user|user id|created by|caller|call agent|closer|consultant|advisor|
    besitzer|inhaber|lead inhaber|eigentumer|betreuer|kundenbetreuer|verkaufer|vertriebler|vertriebsmitarbeiter|
    aussendienst|innendienst|sachbearbeiter|bearbeiter|zustandig|zustandiger|ansprechpartner intern|berater|
    proprietaire|commercial|vendeur|vendeuse|charge de clientele|responsable|responsable commercial|conseiller|
    gestionnaire|attribue a|
    propietario|vendedor|vendedora|comercial|ejecutivo|ejecutivo de cuenta|asesor|asignado a|agente|
    proprietario|venditore|commerciale|responsabile|agente di vendita|assegnato a|consulente|
    proprietaria|representante|representante de vendas|responsavel|atribuido a|executivo de contas|
    eigenaar|verkoper|verkoopster|accountmanager|vertegenwoordiger|toegewezen aan|behandelaar|
    agare|saljare|ansvarig|ejer|saelger|myyja|wlasciciel|sprzedawca|handlowiec|opiekun
    """,
    "|",
)
_NOT_PEOPLE = word_set(
    """city town region state country company product campaign industry segment plan source title job department street
    address district county province team category type name brand model language"""
)
_FIRST_NAMES = word_set(
    """ada adam adrian aisha alan albert alessandro alex alexander alice ali amelia amina ana anders andre andrea
    andreas andrew angela anita anja ann anna anne anton antonio arthur astrid barbara beatriz ben benjamin bernd
    bjorn brian bruno carla carlos carmen caroline catherine charles chiara chloe chris christian christina claire
    clara claudia daniel daria david diana diego dirk dmitri dominik elena elif elise elizabeth ella emil emily emma
    eric erik ernesto esther eva fatima felix fernando francesca francesco frank franz frida gabriel george giovanni
    giulia greta hannah hans helen helena henrik hugo ian ida ines ingrid irene isabel ivan jack jacob jakob james
    jan jana jane jean jennifer jens jessica joan joao joe johan johanna john jonas jorge jose joseph josef juan
    julia julian karen karin karl kate katharina katja kevin klaus lars laura lea lena leo leon lily lina linda lisa
    louis lucas lucia luis luisa lukas maja marc marco maria marie marina mark marta martin mary matteo matthew max
    mehmet mia michael miguel mohammed monika nadia natalia nathalie nico nicolas nikolai nils nina nora oliver olga
    oscar otto pablo patricia patrick paul paula pedro peter philipp pierre rafael ralf ramon raul rebecca richard
    robert rosa ruth ryan samuel sandra sara sarah sebastian silvia simon sofia sophie stefan stefanie stephen
    steven susan susanne sven tanja teresa theo thomas tim tina tom tomas ulrich umut uwe valentina vera victor
    vincent walter werner william wolfgang yara yasmin yusuf zoe"""
)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}\Z")
_PERSON = re.compile(r"(?:[^\W\d_][\w'’.-]*,? +){1,3}[^\W\d_][\w'’.-]*\Z")
_FEWEST = 3
_SHARE_NAMED = 0.4
_SHARE_SHAPED = 0.8


def folded(name: str) -> str:
    """A header without accents, case, marks and camel case: `AccountOwner_ID` → `account owner id`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:200])
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def named_as_owner(name: str) -> bool:
    """By its header alone, in ten languages."""
    head = folded(name)
    return head in _NAMES or any(head.endswith(f" {word}") for word in ("owner", "rep", "salesperson", "sdr", "bdr"))


def holds_people(name: str, levels: Collection[str]) -> bool:
    """By its cells: a list of persons' names or of e-mail addresses that come again and again.

    `levels` are the different texts of a column in which each stands for many rows.
    """
    if len(levels) < _FEWEST or any(word in _NOT_PEOPLE for word in folded(name).split()):
        return False
    if all(map(_EMAIL.match, levels)):
        return True
    shaped = [text for text in levels if _PERSON.match(text)]
    first = sum(any(_known(part) for part in text.split()[:2]) for text in shaped)
    return len(shaped) >= _SHARE_SHAPED * len(levels) and first >= _SHARE_NAMED * len(levels)


def _known(word: str) -> bool:
    return folded(word) in _FIRST_NAMES
