"""What counts as nothing, and yes and no, as people write them into tables."""

from __future__ import annotations

from fairlead.sales.intake.words import fold, word_set

NOTHING = word_set(
    "n/a na n.a. null none nil nan unknown unbekannt inconnu desconocido sconosciuto onbekend - -- — ? ."
)
_LONGEST_NOTHING = 15
_YES = word_set("1 y yes true t on x ja j wahr oui o vrai si s verdadero vero sim verdadeiro waar")
_NO = word_set("0 n no false f off nein falsch non faux falso nao nee onwaar")


def is_empty(cell: str) -> bool:
    """Blank, or one of the words that exports write for nothing (`n/a`, `NULL`, `unknown`, `-`)."""
    return not cell or cell.isspace() or (len(cell) <= _LONGEST_NOTHING and cell.strip().lower() in NOTHING)


def read_yes_no(cell: str) -> bool | None:
    """True or False for the words and digits people use, None for anything else."""
    word = fold(cell)
    if word in _YES or word == "opted in":
        return True
    return False if word in _NO or word == "opted out" else None
