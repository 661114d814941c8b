"""How replies are worded in several languages: answers of machines, refusals, courtesies. Opt-outs: `understanding`."""

from __future__ import annotations

import re


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)


AUTO = _any_of(
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
DECLINED = _any_of(
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
MEANINGFUL = _any_of(
    r"\?",
    r"\b(?:pric(?:e|es|ing)|quote|cost|budget|discount|contract|demo|trial|meeting|appointment|call me|schedule)\b",
    r"\b(?:interested|tell me more|more (?:information|details)|sounds good|let['’]?s talk|next week|available)\b",
    r"\b(?:preis\w*|angebot|kosten|budget|rabatt|vertrag|termin|vorführung|demo|testen|rückruf|rufen sie|treffen)\b",
    r"\b(?:interessiert|interesse|mehr erfahren|klingt gut|nächste woche)\b",
    r"\b(?:prix|tarifs?|devis|coût|contrat|démo\w*|rendez[- ]vous|rappel\w*|intéressée?s?|plus d['’]informations)\b",
    r"\b(?:precios?|presupuesto|cotización|coste|contrato|demostración|reunión|llámeme|interesa\w*|más información)\b",
    r"\b(?:complain\w*|angry|problem|urgent|lawyer|beschwer\w*|ärger\w*|dringend|anwalt|plainte|avocat|queja|abogado)\b",
)
COURTESY = _any_of(
    r"\b(?:thanks|thank you|got it|received|noted|ok(?:ay)?|cheers|great)\b",
    r"\b(?:danke|vielen dank|erhalten|passt|alles klar)\b",
    r"\b(?:merci|bien reçu|d['’]accord|noté)\b",
    r"\b(?:gracias|recibido|de acuerdo|vale)\b",
)
