"""What a reply is: an answer of a machine, a wish to be left alone, a courtesy, or something for a person. Pure.

Rules in four languages (en, de, fr, es). They err towards a person: only what is plainly an automatic answer or a mere
courtesy goes on without one, and a wish to be left alone counts even where the rest of the message says more.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from fairlead.errors import FairleadError
from fairlead.sales.capture import read_letter

MAX_QUOTE = 160
_SHORT_WORDS = 12
"""A courtesy has no more words than this."""


class ReplyKind(StrEnum):
    """What a reply asks for."""

    OPT_OUT = "opt_out"
    AUTO = "auto_reply"
    DECLINED = "declined"
    COURTESY = "courtesy"
    MEANINGFUL = "meaningful"
    UNCLEAR = "unclear"


class Reading(NamedTuple):
    """The kind, how it was told, in words, and the words of the reply that told it ("" when none did)."""

    kind: ReplyKind
    why: str
    quote: str


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)


_OPT_OUT = _any_of(
    r"\A\W*(?:stop|unsubscribe|abmelden|abbestellen|désabonner|désinscrire|baja)\W*\Z",
    r"\bunsubscribe\b",
    r"\bopt(?:ing)?[ -]?out\b",
    r"\b(?:remove|take|delete) (?:me|us|my (?:e-?mail|address)) (?:from|off)\b",
    r"\b(?:stop|quit|cease) (?:e-?mailing|mailing|writing|contacting|messaging|texting|sending|calling|spamming)\b",
    r"\b(?:do not|don['’]?t|never) (?:ever )?(?:e-?mail|contact|write(?: to)?|message|text|call|mail) (?:me|us)\b",
    r"\bno (?:more|further) (?:e-?mails?|messages?|mails?|contact)\b",
    r"\b(?:take|get) me off (?:your|this|the) list\b",
    r"\b(?:bitte )?(?:nicht|nie) (?:mehr|wieder|weiter) (?:anschreiben|kontaktieren|schreiben|anrufen|mailen|melden)\b",
    r"\bkeine (?:weiteren |weitere )?(?:e-?mails?|mails?|nachrichten|werbung)\b",
    r"\b(?:aus|von) (?:dem|ihrem|eurem|der|ihrer) (?:verteiler|liste|newsletter)"
    r" (?:nehmen|streichen|entfernen|löschen)\b",
    r"\b(?:melden|tragen|nehmen|streichen) sie (?:mich|uns) (?:bitte )?(?:ab|aus|von)\b",
    r"\babbestell(?:e|en)\b",
    r"\bme désabonner\b",
    r"\bme désinscrire\b",
    r"\bdésabonnez[- ]moi\b",
    r"\bne (?:plus )?(?:me|m['’]|nous) (?:plus )?(?:contact|écri|envoy|appel)\w*",
    r"\bplus (?:de|aucun) (?:mails?|messages?|courriels?)\b",
    r"\bdarme de baja\b",
    r"\bd[ée]me de baja\b",
    r"\bno (?:me|nos) (?:escriba|contacte|envíe|llame|mande)\w*\b",
    r"\bno (?:quiero|deseo) (?:recibir )?más (?:correos|mensajes|e-?mails)\b",
)
_AUTO = _any_of(
    r"\bout of (?:the )?office\b",
    r"\bauto(?:matic|mated)?[ -]?(?:reply|response|answer)\b",
    r"\bon (?:annual |parental |maternity |sick )?(?:leave|vacation|holiday) (?:until|till|from|and|with)\b",
    r"\b(?:i am|i'm|i will be) (?:currently )?(?:away|out) (?:from|of|until|on)\b",
    r"\blimited access to (?:my )?e-?mail\b",
    r"\bautomatische (?:antwort|abwesenheit\w*)\b",
    r"\babwesenheits(?:notiz|nachricht|meldung|assistent)\b",
    r"\b(?:bin|befinde mich) (?:ich )?(?:derzeit|zurzeit|aktuell|bis|vom|im)\b[^.\n]{0,40}"
    r"\b(?:urlaub|nicht (?:im büro|erreichbar)|abwesend)\b",
    r"\b(?:nicht im büro|im urlaub|elternzeit)\b[^.\n]{0,60}\b(?:bis|ab|wieder|zurück)\b",
    r"\bbin (?:ich )?(?:bis|vom|ab)\b[^\n]{0,40}\b(?:im urlaub|abwesend|nicht erreichbar|nicht im büro)\b",
    r"\bréponse automatique\b",
    r"\b(?:absent|absente|en congés?) (?:du|jusqu|de mon|et)\b",
    r"\bde retour le\b",
    r"\brespuesta automática\b",
    r"\bfuera de la oficina\b",
    r"\bde vacaciones (?:hasta|desde|y)\b",
    r"\bdelivery (?:has )?failed\b",
    r"\bmail delivery (?:subsystem|failed)\b",
    r"\bundeliverable\b",
)
_DECLINED = _any_of(
    r"\bnot? (?:longer |currently |really )?(?:interested|interest)\b",
    r"\bno,? thank(?:s| you)\b",
    r"\bnot for us\b",
    r"\bwe (?:already )?(?:went|have gone|decided|chose) (?:with|for) (?:another|someone|a different|somebody)\b",
    r"\b(?:kein|keinen|keinerlei) (?:interesse|bedarf)\b",
    r"\bnein,? danke\b",
    r"\bnicht interessiert\b",
    r"\banderweitig entschieden\b",
    r"\bpas (?:du tout )?intéressée?s?\b",
    r"\bnon,? merci\b",
    r"\bno (?:me|nos) interesa\b",
    r"\bno,? gracias\b",
    r"\bsin interés\b",
)
_MEANINGFUL = _any_of(
    r"\?",
    r"\b(?:pric(?:e|es|ing)|quote|cost|budget|discount|contract|demo|trial|meeting|appointment|call me|schedule)\b",
    r"\b(?:interested|tell me more|more (?:information|details)|sounds good|let['’]?s talk|next week|available)\b",
    r"\b(?:preis\w*|angebot|kosten|budget|rabatt|vertrag|termin|vorführung|demo|testen|rückruf|rufen sie|treffen)\b",
    r"\b(?:interessiert|interesse|mehr erfahren|klingt gut|nächste woche)\b",
    r"\b(?:prix|tarifs?|devis|coût|contrat|démo\w*|rendez[- ]vous|rappel\w*|intéressée?s?|plus d['’]informations)\b",
    r"\b(?:precios?|presupuesto|cotización|coste|contrato|demostración|reunión|llámeme|interesa\w*|más información)\b",
    r"\b(?:complain\w*|angry|problem|urgent|lawyer|beschwer\w*|ärger\w*|dringend|anwalt|plainte|avocat|queja|abogado)\b",
)
_COURTESY = _any_of(
    r"\b(?:thanks|thank you|got it|received|noted|ok(?:ay)?|cheers|great)\b",
    r"\b(?:danke|vielen dank|erhalten|passt|alles klar)\b",
    r"\b(?:merci|bien reçu|d['’]accord|noté)\b",
    r"\b(?:gracias|recibido|de acuerdo|vale)\b",
)
_MACHINE_HEADERS = re.compile(
    r"^(?:auto-submitted:\s*auto-(?:replied|generated)|x-auto(?:reply|respond)\w*:|precedence:\s*(?:auto_reply|bulk|junk))",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"\w+")
_ANY_DAY = date(2000, 1, 1)  # no rule reads a date


def read_reply(text: str) -> Reading:
    """What the newest words of a reply ask for; quoted history and signature are left out.

    An empty or unreadable reply is unclear, which is for a person.
    """
    if machine := _MACHINE_HEADERS.search(text[:4_000]):
        return Reading(ReplyKind.AUTO, "its header says that a program wrote it", machine[0][:MAX_QUOTE])
    try:
        letter = read_letter(text, _ANY_DAY)
    except FairleadError as error:
        return Reading(ReplyKind.UNCLEAR, error.message, "")
    body = "\n".join(line.text for line in letter.part("body")).strip()
    short = len(_WORD.findall(body)) <= _SHORT_WORDS
    # The first that is found counts; "no, thanks, but what would …" is for a person.
    for pattern, searched, kind, why in (
        (_OPT_OUT, body, ReplyKind.OPT_OUT, "it asks not to be written to any more"),
        (_AUTO, f"{letter.subject}\n{body}", ReplyKind.AUTO, "it reads as an automatic answer"),
        (_MEANINGFUL, _DECLINED.sub(" ", body), ReplyKind.MEANINGFUL, "it asks or tells something for a person"),
        (_DECLINED, body, ReplyKind.DECLINED, "it says no"),
        (_COURTESY, body if short else "", ReplyKind.COURTESY, "it is a courtesy and asks nothing"),
    ):
        if found := pattern.search(searched):
            return Reading(kind, why, _around(found))
    return Reading(ReplyKind.UNCLEAR, "no rule tells what it asks for", body[:MAX_QUOTE])


def _around(found: re.Match[str]) -> str:
    """The line that told it, cut to size around the words themselves."""
    text = found.string
    start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
    line = text[start : end if end >= 0 else len(text)]
    first = max(0, found.start() - start - MAX_QUOTE // 2) if len(line) > MAX_QUOTE else 0
    return line[first : first + MAX_QUOTE].strip()
