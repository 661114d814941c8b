"""The words by which the rules find things in notes, in English, German, French and Spanish."""

from __future__ import annotations

import re

from fairlead.sales.intake.words import fold, word_set

UPPER = "A-ZÀ-ÖØ-ÞŁŠŽČĐĞİŚŻ"
LABELS = {
    fold(word): field
    for field, words in {
        "name": "name|contact|contact person|caller|attendee|attendees|ansprechpartner|ansprechpartnerin|kontakt|"
        "kontaktperson|anrufer|anruferin|nom|interlocuteur|interlocutrice|nombre|contacto|persona de contacto",
        "company": "company|customer|client|organisation|organization|account|firma|unternehmen|kunde|société|societe|"
        "entreprise|empresa|cliente|compañía|organización",
        "email": "email|e-mail|mail|e-mail address|courriel|correo|correo electrónico|email address",
        "phone": "phone|telephone|tel|mobile|cell|phone number|telefon|mobil|handy|rufnummer|téléphone|tél|portable|"
        "teléfono|móvil|tfno",
        "country": "country|land|pays|país",
        "job_title": "title|job title|position|role|funktion|rolle|fonction|poste|nouveau poste|mon nouveau poste|"
        "cargo|puesto",
        "employees": "employees|headcount|staff|company size|mitarbeiter|mitarbeiterzahl|beschäftigte|effectif|"
        "effectifs|salariés|empleados|plantilla|número de empleados",
        "value": "budget|deal size|deal value|value|amount|deal|auftragswert|volumen|auftragsvolumen|wert|montant|"
        "valeur|enveloppe|presupuesto|importe|importe estimado|valor|volume",
        "next_step": "next step|next steps|next action|to do|todo|follow up|follow-up|nächster schritt|"
        "nächste schritte|wiedervorlage|prochaine étape|prochaines étapes|à faire|próximo paso|próximos pasos|"
        "siguiente paso",
        "next_date": "date|due|due date|meeting date|termin|datum|fällig|échéance|fecha",
    }.items()
    for word in words.split("|")
}
"""Folded label → field."""

_LABEL_WORDS = {
    "en": "company phone country employees email meeting call next step title",
    "de": "firma telefon land mitarbeiter ansprechpartner ansprechpartnerin unternehmen kunde nächster termin",
    "fr": "société téléphone tél pays fonction effectif interlocuteur interlocutrice portable souhaite client",
    "es": "empresa teléfono móvil país cargo empleados correo próximo cliente contacto",
}
LANGUAGE_WORDS = {
    "en": word_set("the and we you is are for with please our your have would to of at regards this"),
    "de": word_set(
        "der die das und wir sie ist mit bitte unsere ein eine für von bei nicht ich haben den grüße herr frau"
    ),
    "fr": word_set("le la les et nous vous est avec merci notre une des pour dans je bonjour au du chez sur par"),
    "es": word_set("el la los y nos usted es con gracias nuestra una de para en por un hola al del me somos que"),
}
_KNOWN_WORDS = {name: small | word_set(_LABEL_WORDS[name]) for name, small in LANGUAGE_WORDS.items()}
LEAST_WORDS = 2
REGIONS = {"en": ("GB", "US"), "de": ("DE",), "fr": ("FR",), "es": ("ES",)}
"""Where a telephone number without country code is looked for, by the language of the text."""

LEGAL_FORM = (
    r"(?:GmbH(?:[ ]&[ ]Co\.?[ ]KG)?|gGmbH|AG|KGaA|KG|OHG|GbR|UG|e\.[ ]?K\.|e\.[ ]?V\.|mbB|SE|Ltd\.?|Limited|LLC|LLP|"
    r"Inc\.?|Corp\.?|PLC|plc|SASU?|SARL|EURL|S\.A\.R\.L\.|S\.A\.S\.|S\.A\.|SA|S\.L\.U?\.?|SLU?|B\.V\.|BV|"
    r"N\.V\.|NV|AB|Oyj?|"
    r"ApS|A/S|S\.p\.A\.|SpA|S\.r\.l\.|Srl|Pty)"
)
_WORD = rf"(?:[{UPPER}0-9][\w'’&-]*(?:\.[\w'’&-]+)*|&|und|and|et|y|e|de|del|du|des|der|la|le|les|of|the|fils)"
COMPANY = re.compile(rf"(?<![\w.])((?:[{UPPER}][\w'’&-]*)(?:[ ]{_WORD}){{0,6}}?[ ]{LEGAL_FORM})(?![\w])")
"""A name that ends in a legal form."""
COMPANY_NAME = re.compile(rf"(?:[{UPPER}0-9][\w'’&-]*(?:\.[\w'’&-]+)*)(?:[ ]{_WORD}){{0,6}}")
"""Capitalised words with what may stand between them; only trusted behind a word that announces a company."""
FORMER = re.compile(r"(?:früher|ehemals|vormals|formerly|previously|anciennement|antes|ex)[ ]*:?[ ]*\Z", re.IGNORECASE)
ORG_WORDS = word_set(
    "group gruppe grupo groupe holding foundation stiftung fundacion fondation association verein school schule ecole "
    "colegio university universitat universite universidad clinica klinik clinic hospital pharmacie apotheke farmacia "
    "cabinet mairie ayuntamiento rathaus hotel bank immobilien media logistics logistik services software solutions "
    "systems partners consulting team sales support vertrieb info office company firma"
)

_PARTICLE = r"(?:von|van|de|del|della|der|den|la|le|al|el|bin|dos|da|di|zu|y)"
NAME = re.compile(
    rf"(?:[{UPPER}][\w'’-]+|[{UPPER}]\.)(?:[ ]{_PARTICLE}){{0,2}}(?:[ ](?:[{UPPER}][\w'’-]+|[{UPPER}]\.)){{1,3}}"
)
"""Two to four capitalised words, with particles between them."""
TITLES_OF_RESPECT = (
    r"(?:(?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Miss|M\.|Mme|Mlle|Monsieur|Madame|Sr\.?|Sra\.?|Señora?|D\.|Dña\.|Don|Doña|"
    r"Dr\.|Prof\.|Dipl\.-Ing\.|Ing\.|Pr|Lic\.|Mag\.|Hr\.|i\.[ ]?A\.|i\.[ ]?V\.|ppa\.)[ ]+){0,3}"
)

JOB = re.compile(
    r"(?<!\w)(?:CEO|CTO|CFO|COO|CIO|CMO|CRO|VP|SVP|EVP|vice president|president|head of|director|manager|owner|founder|"
    r"co-founder|cofounder|lead|chief|partner|buyer|procurement|engineer|consultant|analyst|assistant|coordinator|"
    r"officer|supervisor|executive|administrator|geschäftsführer(?:in)?|geschäftsleitung|\w*leiter(?:in)?|\w*leitung|"
    r"inhaber(?:in)?|\w*einkäufer(?:in)?|assistent(?:in)?|referent(?:in)?|prokurist(?:in)?|vorstand|berater(?:in)?|"
    r"sachbearbeiter(?:in)?|directeur|directrice|responsable|gérante?|cheffe?|présidente?|acheteu(?:r|se)|"
    r"assistante|chargée?|directora|gerente|jef[ea]|encargad[oa]|propietari[oa]|dueñ[oa]|soci[oa]|administrador[a]?)"
    r"(?!\w)",
    re.IGNORECASE,
)

MET = re.compile(
    r"(?:spoke (?:with|to)|talked (?:with|to)|call (?:with|from)|meeting with|met(?: with)?|conversation with|"
    r"my name is|i am|this is|caller:|contact:|attendees?:|my colleague|"
    r"telefonat mit|gespräch mit|anruf von|rücksprache mit|treffen mit|termin mit|mein name ist|ich bin|ich heiße|"
    r"appel avec|appel de|rencontre avec|échange avec|entretien avec|point téléphonique :|point téléphonique avec|"
    r"je m['’]appelle|je suis|it['’]s me:|lead:|llamada con|llamada de|conversación(?: telefónica)? con|"
    r"reunión con|me llamo|soy)[ ]+",
    re.IGNORECASE,
)
"""Behind these stands who the note is about."""
WORKS_AT = re.compile(
    r"(?:i work (?:at|for)|we at|i(?:['’]m| am) (?:with|from)|ich arbeite (?:bei der|beim|bei|für)|"
    r"ich bin bei(?: der)?|je travaille (?:chez|pour|à)|trabajo (?:en|para)|our legal name is|"
    r"our company is(?: now)? called|"
    r"unsere firma heißt(?: seit \w+)?|wir heißen(?: jetzt| nun)?|notre société s['’]appelle(?: désormais)?|"
    r"nuestra empresa se llama(?: ahora)?|i have left|firma|fa\.|ets)[ ]+(?:the |der |die |la |le )?",
    re.IGNORECASE,
)
"""Behind these stands a company."""
AT_COMPANY = re.compile(
    r"[ ]*,?[ ]*(?:from|at|of|with|bei der|bei dem|beim|bei|von der|vom|von|chez|de la|de|du|en|para)[ ]+",
    re.IGNORECASE,
)
I_AM = re.compile(
    r"(?:i am|i['’]m|ich bin|je suis|soy|es el|es la|he is|she is|ist)[ ]+(?:now |jetzt |nun |désormais |ahora )?"
    r"(?:the |our |der |die |le |la |el )?",
    re.IGNORECASE,
)

PEOPLE_COUNT = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,'’ ]\d{3})+|\d{1,7})[ ]+(?:\w+[ ]+)?"
    r"(employees|staff|people|ftes?|on payroll|leute|mitarbeiter(?:n|innen)?|mitarbeitenden?|beschäftigten?|"
    r"angestellten?|salariés?|"
    r"employés?|collaborateurs|personnes|empleados|trabajadores|personas)(?!\w)",
    re.IGNORECASE,
)
HEADCOUNT = re.compile(
    r"(?:headcount|workforce|effectif|plantilla)[ ]+(?:of |de |is )?(\d[\d.,']{0,9})(?!\w)", re.IGNORECASE
)
SURE_COUNT = frozenset({"people", "personnes", "personas", "leute"})
"""Words for any number of people, not only those employed."""

_CURRENCY = r"(?:€|\$|£|EUR|USD|GBP|CHF|CAD|AUD|SEK|NOK|DKK|PLN|JPY|euros?|dollars?|pounds?)"
_AMOUNT = r"\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?"
_SCALE = r"(?:k|tsd\.?|mio\.?|mil(?![a-z])|million(?:en|s|es)?|millones|m(?![a-z]))"
MONEY = re.compile(
    rf"(?<![\w.,])(?:(?P<before>{_CURRENCY})[ ]?(?P<a>{_AMOUNT})[ ]?(?P<as>{_SCALE})?(?!\w)|"
    rf"(?P<b>{_AMOUNT})[ ]?(?P<bs>{_SCALE})?[ ]?(?P<after>{_CURRENCY})(?![a-z]))",
    re.IGNORECASE,
)
RECURRING = re.compile(
    r"[ ]*(?:/[ ]?(?:user|month|monat|mois|mes|nutzer)|(?:a|per|each|every|pro|im|je|par|al|por|cada)[ ]+"
    r"(?:user|seat|month|nutzer|monat|benutzer|utilisateur|mois|usuario|mes))",
    re.IGNORECASE,
)
VALUE_CUE = re.compile(
    r"(?:budget|deal|worth|order|contract|proposal|auftrag|volumen|wert|projekt|projet|montant|enveloppe|offre|"
    r"presupuesto|importe|valor|oferta|pago|agreed)",
    re.IGNORECASE,
)

ACTION = re.compile(
    r"(?<!\w)(?:please (?!find|note|take me|remove|unsubscribe|stop|see)\w+|(?:could|can|would|will) (?:you|we|"
    r"somebody|"
    r"someone) \w+|do you \w+|is there an?|let['’]s \w+|(?:call|phone|ring|write to|contact) (?:me|back|him|"
    r"her|us|them)|"
    r"follow[ -]up|(?:send|schedule|book|arrange|set up|prepare) (?:a|an|the|him|her|them|us|me|\w+) \w+|send quote|"
    r"try again|(?:demo|meeting|visit|call|pilot) (?:on|next|at)|(?:wants?|would like) (?:to|for) \w+|i promised|"
    r"to (?:send|call|check|prepare)|bitte \w+|bittschön|rufen sie|rückruf|ruft (?:\w+ ){0,4}zurück|"
    r"zurückrufen|nachfassen|"
    r"(?:angebot|unterlagen|vertrag) (?:schicken|senden|geht)|können (?:wir|sie)|"
    r"(?:wünscht|möchte|hätte[n]?) (?:\w+ ){0,3}(?:vorführung|termin|demo|angebot|besuch)|senden sie|schicken sie|"
    r"(?:wieder )?melden(?: sie sich)?|pouvez-vous|pourriez-vous|merci de (?:m['’]|nous |vous |me )?\w+|"
    r"(?:à|me) rappeler|rappeler|appelez|envoyer (?:le|la|une?|les)|souhaite une?|est-il possible|veuillez|reporté|"
    r"me puede|puede (?:llamar|enviar)|por favor|volver a llamar|llamar (?:mañana|el)|"
    r"enviar (?:el|la|contrato|oferta|una?)|(?:pide|quiere|desea) una?|llámeme|envíe(?:me|nos)|sírvanse|"
    r"quedamos en)(?!\w)",
    re.IGNORECASE,
)
"""What somebody is asked to do next."""
FAX = re.compile(r"(?:tele)?fax", re.IGNORECASE)


def language_of(text: str) -> str:
    """Which of the four languages the text is in, by its small words; "" when too few tell."""
    words = re.findall(r"[^\W\d_]+", text[:20_000].casefold())
    counts = {language: sum(word in small for word in words) for language, small in _KNOWN_WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= LEAST_WORDS else ""
