"""What a message with a code says, in the customer's language."""

from __future__ import annotations

from typing import NamedTuple

FIELD = "code"


class Words(NamedTuple):
    """Subject and text; the code stands where `[[code]]` does."""

    subject: str
    text: str


_WORDS = {
    "en": Words(
        "Your code",
        "Your code is [[code]].\n\n"
        "It is good for {minutes} minutes and for one use. Name it only to the person or page that you are in touch "
        "with right now. If you have not asked for anything, do nothing: without the code nobody gets any further.\n",
    ),
    "de": Words(
        "Ihr Code",
        "Ihr Code lautet [[code]].\n\n"
        "Er gilt {minutes} Minuten und ein einziges Mal. Nennen Sie ihn nur der Person oder Seite, mit der Sie gerade "
        "in Kontakt sind. Haben Sie nichts angefragt, müssen Sie nichts tun: Ohne den Code kommt niemand weiter.\n",
    ),
    "fr": Words(
        "Votre code",
        "Votre code est [[code]].\n\n"
        "Il est valable {minutes} minutes et une seule fois. Ne le donnez qu’à la personne ou à la page avec laquelle "
        "vous êtes en contact en ce moment. Si vous n’avez rien demandé, ne faites rien : sans le code, personne ne "
        "peut continuer.\n",
    ),
    "es": Words(
        "Su código",
        "Su código es [[code]].\n\n"
        "Vale {minutes} minutos y para un solo uso. Dígalo solo a la persona o página con la que está en contacto "
        "ahora mismo. Si no ha pedido nada, no haga nada: sin el código nadie puede continuar.\n",
    ),
}


def words_for(language: str | None, minutes: int) -> Words:
    """In this language (BCP 47), English where there are no words in it."""
    found = _WORDS.get((language or "").partition("-")[0].lower(), _WORDS["en"])
    return Words(found.subject, found.text.replace("{minutes}", str(minutes)))
