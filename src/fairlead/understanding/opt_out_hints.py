"""Sentences that may be a wish to be left alone although no pattern knows them: for a person. Pure.

A word for ending or refusing near a word for being written to, something personal or a request in the sentence, and
nothing that tells of the customer's own business (an order, an invoice) or of messages that were missed. All three are
lists of all languages together; patterns over folded sentences, see `written.fold`.
"""
# ruff: noqa: E501 - see opt_out_words

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

MAX_WORDS_BETWEEN = 7
_END = (
    r"stop\w*|ceas\w*|end|ended|no|no longer|not|dont|wont|never|without|refrain\w*|halt|drop|remov\w*|delet\w*|eras\w*|"
    r"tak\w+ off|off|out of|leave|nobody|none|finished|over|"
    r"nicht|nie|niemals|keine?n?r?|nichts|abseh\w*|abzusehen|einstell\w*|einzustellen|aufhor\w*|beend\w*|losch\w*|loesch\w*|streich\w*|entfern\w*|spar\w*|verzicht\w*|schluss|genug|raus|"
    r"plus|pas|jamais|aucune?|cess\w*|arret\w*|retir\w*|supprim\w*|effac\w*|clore|ray\w*|enlev\w*|ni|fin|terme|"
    r"nada|nunca|ningun\w*|dejar|dejen|ces\w*|par[ae]n?|quit\w*|borr\w*|elimin\w*|fuera|basta|"
    r"niet|nooit|geen|niets|wis|wissen|verwijder\w*|haal|halen|schrap\w*|uit|"
    r"non|mai|niente|nessun\w*|cancell\w*|togli\w*|tolg\w*|rimuov\w*|smett\w*|finit\w*"
)
_CONTACT = (
    r"mailouts?|mailshots?|mailings?|emails?|mails|messages?|msgs?|msging|texts?|texting|sms|calls|calling|call me|phone calls|rings?|ringing|contact|contacts|contacting|contacted|write (?:to )?(?:me|us|again)|writing|correspondence|outreach|marketing|tips|newsletters?|promo\w*|advert\w*|offers|spam\w*|inbox|your (?:\w+ )?(?:books|lists?|records|files|database|system)|going forward|"
    r"anschreiben|schreiben|kontakt\w*|anrufe?n?|nachrichten|verteiler\w*|zusendung\w*|\w*werbung|tipps|gespamm\w*|\w*mails?|post von|telefonate|newsletter\w*|datenbank|system nehmen|"
    r"envois?|appels?|courriers?|courriels?|relances?|conseils|revenir vers (?:nous|moi)|ecri\w*|votre (?:base|liste)|vos (?:fichiers|listes|bases?)|publicit\w*|"
    r"envios?|llamadas?|llam\w+|mensajes?|correos|consejos|escri[bv]\w*|contact\w*|su (?:base|lista)|publicidad|"
    r"telefoontjes|appen|berichten|bellen|mailen|benader\w*|contacteer\w*|uw (?:systeem|lijst|bestand)|reclame|"
    r"messaggi|telefonate|invii|chiam\w+|scriv\w+|vostr[aio] (?:lista|database|elenco)|pubblicita|contatt\w+"
)
_LATE = (
    r"(?:has|have|got|needs?) to (?:go|stop|end)|not for (?:me|us)|off|stop|unwelcome|no thanks|of no (?:use|interest)|"
    r"nicht langer|nicht mehr|unerwunscht|sparen|beendet|einstellen|nicht fur (?:mich|uns)|"
    r"n? ?(?:m )?interessent? plus|ne m interess\w+|arreter|cesser|ya no (?:me|nos) interesan?|quitar\w*|no me interesan?|non mi interessano|niet voor (?:mij|ons)"
)
_ASKS = (
    r"please|pls|plz|kindly|could you|can (?:you|u)|would you|would it|want|prefer|ask|asking|wish|wont|dont|me|us|my|our|need|thx|thanks|clear|stop|"
    r"bitte|bitten|mochte\w*|moechte|will|wollen|mir|mich|uns|mein\w*|konnten|konnt|sie konnen|fordere|"
    r"merci|svp|s il|veuillez|pouvez|pourriez|voudrais|souhait\w*|gre|je|me|moi|nous|"
    r"por favor|porfa|agradecer\w*|pueden|podrian|pido|ruego|quiero|nos|mi|mis|"
    r"graag|aub|alstublieft|kunt|wil|mij|ons|mijn|"
    r"per favore|potreste|prego|chiedo|vorrei|ci|mio|grazie"
)
_BUSINESS = (
    r"orders?|invoices?|contracts?|parcels?|packages?|deliver\w*|refunds?|appointments?|payments?|paid|cards?|accounts?|transfers?|charges?|charged|passwords?|balance|apps?|reports?|reminders?|code|codes|shipping|ship|product\w*|licen\w+|meeting|fix|error|broken|receiv\w*|arriv\w*|"
    r"bestell\w*|rechnung\w*|vertrag\w*|paket\w*|liefer\w*|termin\w*|zahlung\w*|konto\w*|bericht|mahnung|erinnerung|auftrag\w*|lizenz\w*|fehler|bekomm\w*|erhalten habe|kommt|kommen|angekommen|stornier\w*|"
    r"commande\w*|facture\w*|contrat\w*|colis|livr\w*|rendez|rdv|paiement\w*|compte|rapport|rappel|recu|recois|n arrive|"
    r"pedido\w*|factura\w*|contrato\w*|paquete\w*|entreg\w*|cita|pago\w*|cuenta|informe|recordatorio|recibido|recibo|llega|"
    r"bestelling\w*|factu\w*|contract\w*|pakket\w*|lever\w*|afspraak|betaling|rekening|herinnering|ontvangen|krijg\w*|rapport|"
    r"ordine|ordini|fattura\w*|contratto|pacco|consegn\w*|appuntamento|pagamento|conto|sollecito|ricevut\w*|ricevo|"
    r"why|warum|wieso|pourquoi|por que|waarom|perche|bot|ai|alexa|siri|alarms?|timers?|music|reservations?|flights?|dont (?:know|understand|see|think|remember|have)|no idea|not sure|i dont need help|"
    r"old|alte|alten|ancienne?|antigu\w*|oude|vecchi\w*|forget|forgot|hesit\w*|zoger\w*|dud\w*|esit\w*|worry|only|until|before|vor|avant|antes|prima|tagsuber|abends|mittags|new|neue|neuen|nouvelle|nueva|nieuwe|nuovo|change|andern|today|heute|hoy|oggi|yet|noch"
)


_NEAR = rf"(?:\w+ ){{0,{MAX_WORDS_BETWEEN}}}?"
_NEAR_EACH_OTHER = rf"\b(?:(?:{_END}) {_NEAR}(?:{_CONTACT})|(?:{_CONTACT}) {_NEAR}(?:{_LATE}))\b"
_ASKED = rf"\b(?:{_ASKS})\b"
_OTHER = rf"\b(?:{_BUSINESS})\b"
_WRITTEN_ONLY = (
    r"\b(?:(?:in writing|by (?:e ?mail|post|letter)|schriftlich|per mail|par ecrit|por escrito|schriftelijk|per iscritto)\b.{0,40}\b"
    r"(?:no|not|never|keine|nicht|pas|nada de|sin|geen|niente|non)\b.{0,12}\b(?:phone|telephone|calls?|anrufe?|telefon\w*|appels?|llamadas?|telefoontjes|telefonate))\b"
)
_ADDRESS_OFF = (
    r"\b(?:remove|delete|take|drop|erase|have(?= my \w+ (?:taken|removed|deleted|erased))|quitar|quiten|retirer|togliere|halen|haal|nehmen|loschen)\b.{0,12}\b(?:my|our|mi|mon|ma|mes|mijn|il mio|i miei|meine)\b"
    r" (?:\w+ )?(?:details|nr|no|num|numero|number|address|name|nummer|adresse|adres|direccion|indirizzo|data|datos|dati)\b"
)


_MORE = (
    r"\b(?:"
    # on file, on the books
    r"(?:not|dont|no longer|never) (?:\w+ ){0,2}(?:keep|have|hold|store|list) (?:me|us|my \w+|our \w+)(?: \w+)? on (?:file|record|your \w+)|(?:nicht|keinesfalls) (?:langer|mehr|laenger) .{0,40}(?:gefuhrt|gespeichert|gelistet)|"
    # receive nothing: make sure that nothing comes
    r"(?:expect|want|wish|like|make sure|see that|ensure|see to it)\b.{0,40}\b(?:nothing|no \w+|not reach (?:me|us)|not come|stop coming)(?: \w+){0,3} (?:from you|any longer|any more|again)|"
    r"(?:sorgen sie|sorgt|zorg|zorgt|faites en sorte|asegur\w+se|fate in modo|veillez)\b.{0,40}\b(?:keine?n?|nichts|nicht mehr|niets|geen|ne \w+ plus|plus rien|no me lleg\w+|nada mas|non mi arriv\w+|piu nulla|piu niente)|"
    # put an end to it
    r"(?:put|bring) (?:an end|a stop) to (?:this|it|these|that|your|the)|que (?:cela|ca) cesse|(?:parar|paren|acaben|terminen) con (?:los|las|sus|estos|estas)|lass\w* (?:sie )?das(?: \w+)? mit (?:den|euren|ihren|diesen)|laat dat|"
    # strangers
    r"(?:kenne|kennen) (?:euch|sie|dich) nicht|(?:ken|kennen) (?:jullie|u|je) niet|vous connais pas|no (?:los|les|le|te|os) conozco|non vi conosco|(?:dont|do not) know (?:you|u|who you are)|(?:nummer|number|numero) (?:raus|weg|wissen|out)|vir\w+ mon (?:numero|nom|adresse|mail)|(?:quit|sac|borr|togl|lev|cancell)\w+ (?:mi|il|el|il mio) numero|"
    r"never (?:bought|ordered|signed|subscribed|gave|asked)\b.{0,30}\b(?:stop|end|remove|messages|mails)|"
    # a telephone that is not for this
    r"(?:phone|mobile|cell|number|portable|movil|telefono|telefon|handy|nummer|cellulare) (?:\w+ ){0,2}(?:is|est|es|ist|e) (?:\w+ )?(?:private|prive|privado|privat|privato|for family|for emergencies)|work phone (?:do not|dont|stop)|(?:dont|do not|never) (?:msg|dial|use it|use this|use my)|ne (?:l |le |la )?utilis\w+ plus|no (?:lo|la) usen|"
    # threats
    r"one more (?:mail|email|message|call|text)\b.{0,60}|noch eine? (?:mail|nachricht|anruf|sms|email) und\b.{0,60}|encore un (?:mail|message|appel|sms) et\b.{0,60}|un (?:correo|mensaje) mas y\b.{0,60}|nog een (?:mail|bericht) en\b.{0,60}|un altro messaggio e\b.{0,60}|data protection (?:authority|officer)|datenschutzbehorde|\bcnil\b|\baepd\b|proteccion de datos|garante (?:della )?privacy|autoriteit persoonsgegevens|"
    # kinds of messages that do not interest
    r"(?:your|ihre|eure|vos|sus|i vostri|le vostre|jullie|uw) (?:%PURPOSES%)\b.{0,25}(?:nicht|pas|no|non|niet|not)\b|(?:interessier\w*) .{0,25}(?:%PURPOSES%)\b.{0,10}nicht|(?:leave|count|keep|let) (?:me|us) out (?:when|of|next)|no (?:news|offers|ads|promos|marketing|advertising)(?: or \w+)?\Z|no hace falta que me avisen|"
    # short words for the same
    r"unsub(?:bed|bing|s)?|no more from (?:you|u)|(?:do not|dont) wish to be \w+|whatever it is i am getting|que me avisen mas|rien recevoir|recoive plus rien|nada mas de ustedes|(?:keine|nur) \w*werbung\b|(?:weiteren|weitere) anschreiben"
    r")(?!\w)".replace(
        "%PURPOSES%",
        "newsletters?|offers|deals|tips|promotions?|marketing|news|aktionen|angebote|hinweise|tipps|bons plans|offres|conseils|descuentos|ofertas|consejos|promociones|offerte|promozioni|aanbiedingen",
    )
)


class _Patterns(NamedTuple):
    near: re.Pattern[str]
    asked: re.Pattern[str]
    business: re.Pattern[str]
    sayings: re.Pattern[str]
    address: re.Pattern[str]


def hint(folded: str) -> re.Match[str] | None:
    """Where a sentence may ask for silence; None when it speaks of business, or of nothing of the kind."""
    patterns = _patterns()
    if found := patterns.sayings.search(folded):
        return found
    if patterns.business.search(folded):
        return None
    return patterns.address.search(folded) or (patterns.near.search(folded) if patterns.asked.search(folded) else None)


@cache
def _patterns() -> _Patterns:
    """Compiled when first needed: it takes a tenth of a second, which no start has to spend."""
    near, asked, business = (re.compile(one) for one in (_NEAR_EACH_OTHER, _ASKED, _OTHER))
    return _Patterns(near, asked, business, re.compile(f"{_WRITTEN_ONLY}|{_MORE}"), re.compile(_ADDRESS_OFF))
