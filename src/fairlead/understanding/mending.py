"""Misspelt words of wishes, put right: a word that is one slip away from a known one becomes that one. Pure."""

from __future__ import annotations

from functools import cache, lru_cache

MAX_WORDS = 60
"""Longer sentences are not mended."""
_SHORT, _LONG, _LONGEST = 6, 11, 20
_KNOWN = (
    "unsubscribe unsubscribed contact contacting anymore remove mailing receive newsletter delete "
    "abmelden abbestellen austragen verteiler nachrichten kontaktieren schreiben anschreiben werbung loschen keine "
    "desabonnez desabonner desinscrire desinscription ecrire contacter arretez recevoir supprimer "
    "contacten escriban eliminarme eliminen mensajes correos publicidad llamen suscripcion "
    "uitschrijven afmelden nieuwsbrief berichten verwijder reclame "
    "cancellatemi cancellami cancellarmi disiscrivermi scrivetemi indirizzo pubblicita messaggi"
)
# One slip away from a word above, and words in their own right.
_THEIR_OWN = (
    "contract contracts contrat contrats contrato contratto contest content context contain contacts contacted delayed "
    "remote removed remover received receiver deleted deleter correo correct corner mensaje messages mailings mainly "
    "melden schreibe schreibt scheiben schrieben verteilen verteilt werbungen nachricht kleine feine eine meine keinen "
    "recevoirs contactes contactez arreter arrete arretes escriben escribir escriban llaman bericht berichte "
    "anmelden ausmelden bestellen vorbestellen abstellen umschreiben beschreiben eintragen antragen vortragen "
    "afmeldlink "
    "eliminate eliminated eliminar inschrijven inscrire inscription scriverti subscribe subscribed "
    "verwijdert reclama"
)


def mend(folded: str) -> str | None:
    """The sentence with its misspelt words put right, None when there is nothing to mend."""
    words = folded.replace("un subscribe", "unsubscribe").split(" ")
    if len(words) > MAX_WORDS:
        return None
    mended = " ".join(_nearest(word) for word in words)
    return mended if mended != folded else None


@cache
def _words() -> tuple[str, ...]:
    return tuple(_KNOWN.split())


@cache
def _own_words() -> frozenset[str]:
    return frozenset(_THEIR_OWN.split())


@lru_cache(maxsize=4_096)
def _nearest(word: str) -> str:
    if len(word) < _SHORT - 1 or len(word) > _LONGEST or word in _own_words() or not word.isalpha():
        return word
    for known in _words():
        allowed = 2 if len(known) >= _LONG else 1
        if known[0] == word[0] and abs(len(known) - len(word)) <= allowed and _slips(word, known) <= allowed:
            return known
    return word


def _slips(word: str, known: str) -> int:
    """Letters left out, put in, changed or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    above = list(range(len(known) + 1))
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, other in enumerate(known, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and word[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]
