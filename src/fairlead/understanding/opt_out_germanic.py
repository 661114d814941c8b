"""How people ask not to be written to, in German and Dutch; see `opt_out_words`."""

# ruff: noqa: E501 - see opt_out_words
from __future__ import annotations

from fairlead.understanding.opt_out_words import Language

GERMAN = Language(
    lists={
        "MSG": r"(?:emails?|mails?|nachrichten|nachricht|sms|anrufe?|telefonate|briefe?|post|kontakt|kontaktaufnahmen?|kontaktversuche|mitteilungen|schreiben|zusendungen|zuschriften|belastigung|belastigungen|whatsapps?|infos?|sachen|zeug)",
        "DO": r"(?:(?:an)?(?:zu)?schreib(?:en|t)?|kontaktier(?:en|t)?|zu kontaktieren|anruf(?:en|t)?|anzurufen|melden|mailen|zu ?senden|zu ?schicken|schicken|senden|simsen|belastigen|behelligen|storen|nerven|angeschrieben|kontaktiert|angerufen|belastigt|zugeschickt|angesprochen|anzuschreiben|anmailen|texten|hoeren|horen)",
        "MORE": r"(?:mee?h?r|wieder|weiter|weiterhin|langer|laenger|noch einmal|nochmals?|noch mal)",
        "ME": r"(?:mich|uns|mir|meine[nr]?|unsere[nr]?|diese[n]?|ihn|ihm|ihr)",
        "LIST": r"(?:verteil\w*|mailverteiler|liste|listen|datenbank|kartei|adressbuch|bestand|system|datei|kundendatei|emailliste|mailingliste|crm)",
    },
    wishes=(
        ("write", r"(?:nicht|nie|niemals|keinesfalls|nimmer) %MORE% (?:\w+ ){0,4}?%DO%"),
        (
            "write",
            r"(?:schreib\w*|ruf\w*|kontaktier\w*|mail\w*|melde\w*|schick\w*|send\w*|belastig\w*|stor\w*|nerv\w*|sims\w*)(?: \w+){0,4} (?:nicht|nie|niemals|nichts|nix) %MORE%",
        ),
        (
            "write",
            r"(?:keine?n?|keinerlei|null)(?: (?:weitere[nr]?|ihrer|eurer|solche[nr]?))? (?:\w+ )?(?:%MSG%|%PURPOSE%) mee?h?r",
        ),
        ("write", r"(?:keine?n?|keinerlei) (?:weitere[nr]?|einzige[nr]?) (?:%MSG%|%PURPOSE%)"),
        (
            "write",
            r"(?:wunsch\w*|wollen|mocht\w*|moecht\w*|will|verbitte\w*|verbiete\w*|untersage?\w*)(?: \w+){0,3} (?:keine?n?|keinerlei|nichts|jede\w*|weitere\w*)(?: \w+){0,2} (?:%MSG%|%PURPOSE%|mehr (?:von|horen|hoeren|bekommen|erhalten|empfangen|haben)|von (?:ihnen|euch|dir) (?:\w+ )?(?:horen|hoeren|bekommen|erhalten|haben))",
        ),
        (
            "write",
            r"(?:nichts|nix) mee?h?r (?:\w+ ){0,3}?(?:horen|hoeren|bekommen|erhalten|schicken|senden|zuschicken|empfangen|wissen)",
        ),
        ("write", r"von (?:ihnen|euch|dir) .{0,25}(?:nichts|nix|gar nichts) mehr"),
        (
            "write",
            r"(?:sehen?|sieh|seht|absehen|abzusehen|abstand)\b.{0,30}\b(?:davon|von)\b.{0,30}(?:nachricht|kontakt|anruf|schreib|zusend|werb|mail|brief)\w*.{0,30}",
        ),
        ("write", r"verzicht\w*(?: \w+){0,3} auf (?:weitere|jede|jegliche|alle|zukunftige|kunftige)"),
        (
            "write",
            r"(?:unterlass\w*|einstell\w*|einzustellen|stellen sie)(?: \w+){0,4} (?:%MSG%|%DO%|kontakt\w*|anruf\w*|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:hor\w*|hoer\w*)(?: \w+){0,2} auf (?:, )?(?:damit|mich|mir|uns|zu|anzurufen|so)|aufhoren (?:, )?(?:mich|mir|uns)",
        ),
        (
            "remove",
            r"(?:trag\w*|streich\w*|nehm\w*|nimm|nimmt|entfern\w*|losch\w*|loesch\w*|hol\w*|werf\w*|werft|wirf|schmeiss\w*|tu\w*|mach\w*|zu streichen|herausnehmen) .{0,30}\b(?:mich|uns|meine\w*|unsere\w*|diese\w*|adresse|nummer|daten|mailadresse)\b.{0,40}\b(?:%LIST%|raus|heraus|aus|ab)\b",
        ),
        ("remove", r"\b(?:mich|uns|meine \w+|unsere \w+|diese \w+) (?:\w+ ){0,4}?(?:aus|von) (?:\w+ )?%LIST%"),
        (
            "remove",
            r"\b(?:aus|von)m? (?:(?:ihre[mnr]|eure[mnr]|de[mnr]|diese[mnr]|deine[mnr]|allen) )?%LIST% (?:\w+ )?(?:raus|heraus|nehmen|streichen|entfernen|loschen|loeschen|austragen|austragn|abmelden|runter|weg)",
        ),
        (
            "remove",
            r"(?:losch\w*|loesch\w*|entfern\w*|vergess\w*|vergiss)(?: (?:sie|bitte|mal|doch|sofort|endlich|umgehend))* (?:meine|unsere|diese|all meine|alle meine|samtliche) (?:\w+ )?(?:adresse|nummer|handynummer|telefonnummer|daten|mailadresse|emailadresse|kontaktdaten|email)\b(?!.{0,20}(?:neue|stattdessen))",
        ),
        (
            "unsubscribe",
            r"(?:mich|uns|sich|man|bitte|hiermit|mochte|will|wollen)(?: \w+){0,4} (?:abmelden|abzumelden|abbestellen|austragen|auszutragen|abgemeldet werden|ausgetragen werden)",
        ),
        (
            "unsubscribe",
            r"(?:meld\w*|trag\w*|nehm\w*|nimm) (?:sie |ihr )?(?:mich|uns|diese adresse)(?: \w+){0,5} (?:ab|aus|raus|heraus)\b",
        ),
        ("unsubscribe", r"(?:schon|bereits|mehrfach) .{0,25}(?:abgemeldet|ausgetragen|abbestellt)"),
        (
            "unsubscribe",
            r"wie (?:\w+ )?(?:melde|trage|bestelle) (?:ich )?(?:\w+ ){0,4}(?:ab|aus)\b|wie (?:\w+ ){0,5}(?:abmelden|austragen|abbestellen)",
        ),
        (
            "unsubscribe",
            r"%PURPOSE%(?: \w+){0,5} (?:abbestell\w*|abzubestellen|abmeld\w*|kundig\w*|stopp\w*|beend\w*|abschalt\w*|ab|nicht mehr|verzichten|einstell\w*|loswerden|weglassen)\b",
        ),
        (
            "unsubscribe",
            r"(?:bestell\w*|kundig\w*|stopp\w*|beend\w*|melde\w*|auf|spar\w*|abbestell\w*|verschon\w*)(?: \w+){0,4} %PURPOSE%(?: \w+){0,4}? (?:ab|verzichten|abmelden|weg)\b",
        ),
        (
            "consent",
            r"(?:widerruf\w*|widersprech\w*|widerspruch|ziehe|entziehe|zuruckziehen|zuruck)\b.{0,60}(?:einwilligung|zustimmung|erlaubnis|verarbeitung|nutzung|verwendung|werb\w*|kontaktaufnahme|datenschutz)",
        ),
        (
            "consent",
            r"(?:einwilligung|zustimmung|erlaubnis|verarbeitung|nutzung|verwendung)\b.{0,60}(?:widerruf\w*|widersprech\w*|ziehe .{0,20}zuruck)",
        ),
        (
            "peace",
            r"(?:lass\w*|lasst) (?:\w+ ){0,2}(?:mich|uns)(?: \w+){0,3} (?:in (?:ruhe|frieden)|zufrieden)(?! (?:daruber|darueber|nachdenken|uberlegen|prufen|lesen|ansehen|entscheiden))",
        ),
        ("peace", r"(?:verschon\w*|verschont)(?: \w+){0,2} (?:mich|uns)|\bverpiss\w*|zieh\w* leine|hau\w* ab"),
        (
            "peace",
            r"vergess\w*(?: \w+){0,3} (?:dass es mich|mich|uns|meine (?:nummer|adresse|mail\w*))|vergessen sie bitte , dass es (?:mich|uns)|vergiss (?:mich|meine)",
        ),
    ),
    doubtful=(
        (
            "peace",
            r"(?:was|wie|wann|wo)\b.{0,60}(?:damit|dass) (?:das|es|diese\w*|ihr|sie)(?: \w+){0,3} (?:aufhor\w*|aufhoer\w*|endet?|schluss)",
        ),
        (
            "peace",
            r"(?:das|es|damit)(?: \w+){0,2} (?:muss|soll|hat) (?:\w+ ){0,2}(?:ein ende|aufhoren|schluss)|postfach .{0,20}voll",
        ),
        (
            "peace",
            r"\A(?:\w+ )?(?:schluss (?:damit|jetzt|jetzt damit)|(?:jetzt |mir |langsam )*reichts?(?: es)?(?: mir| jetzt| aber| langsam)*|es reicht(?: jetzt| mir)*|aufhoren|hort auf(?: damit)?|genug(?: jetzt| davon)?)\Z",
        ),
        ("peace", r"belastig\w*|anwalt einschalten|verbraucherschutz|anzeige (?:erstatten|wegen)|als spam"),
        ("unsubscribe", r"\b(?:abmelden|abbestellen|austragen|austragung)\b(?: bitte)?\Z|\bopt ?out\b"),
        ("write", r"(?:bitte )?(?:nicht|nie|nimmer) (?:mee?h?r|wieder|weiter) (?:kontakt|an mich|an uns)"),
        ("write", r"(?:erspar\w*|verschon\w*|spar\w*)(?: \w+){0,3} (?:%MSG%|%PURPOSE%|euch|ihnen)"),
        (
            "write",
            r"(?:bitte |und )keine?n? (?:\w+ )?(?:%MSG%|%PURPOSE%)\Z|(?:kein bock|keine lust|keinen bock|genug)\b.{0,25}(?:%MSG%|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:eure|ihre|ihren|euren) (?:%MSG%|%PURPOSE%)\b.{0,40}(?:verzichten|nerv\w*|unerwunscht|stor\w*|nicht mehr|loswerden)",
        ),
        (
            "remove",
            r"(?:streich\w*|losch\w*|loesch\w*|sperr\w*|entfern\w*|austrag\w*|raus)(?: (?:sie|bitte|mal|doch))* (?:mich|uns|meine|unsere|diese)\b(?!.{0,25}(?:bestellung|rechnung|position|auftrag|termin|nachricht))",
        ),
        (
            "remove",
            r"(?:mich|uns|(?:meine|unsere|diese) (?:\w+ )?(?:adresse|nummer|daten|mailadresse|emailadresse))(?: bitte)?(?: aus \w+ \w+)? (?:loschen|loeschen|streichen|entfernen|sperren|nicht mehr (?:\w+ )?(?:verwenden|nutzen|benutzen|anschreiben)|geloscht)",
        ),
        (
            "remove",
            r"\b(?:loschung|austragung|entfernung|streichung|abmeldung)\b.{0,30}(?:%LIST%|newsletter|daten|adresse|\Z)|aus (?:ihrer|eurer|ihrem|eurem|der|dem) %LIST%.{0,20}",
        ),
        (
            "consent",
            r"(?:nie|niemals|nicht|keine)\b.{0,25}(?:erlaubt|erlaubnis|eingewilligt|zugestimmt|angemeldet|bestellt , )\b.{0,30}",
        ),
        (
            "write",
            r"(?:nicht|nie) (?:kontaktiert|angeschrieben|angerufen|belastigt) (?:\w+ )?(?:werden|will|mocht\w*|wollen)|(?:kontakt|werbung|anrufe|mails?|post) (?:\w+ )?(?:unerwunscht|verboten|nicht erwunscht)",
        ),
        (
            "write",
            r"\b(?:euren?|ihren?|eurem|eure) (?:%MSG%)\b.{0,40}(?:mull|papierkorb|spam|sack|nerv\w*)|(?:auf den sack|auf die nerven|auf den geist)|nerv\w* (?:nur|mich|uns|langsam)",
        ),
        (
            "write",
            r"(?:letzte|letztes) (?:%MSG%)\b.{0,10}(?:von|an)|(?:genug|nase voll|schnauze voll|satt)\b.{0,12}(?:von (?:euch|ihnen|dir|diesen))|keinen wert auf (?:weitere|ihre|eure)|(?:kunftig|zukunft|weiter) keine?\b.{0,15}(?:zusendung|post|mail|nachricht|werbung|info)\w*",
        ),
        ("write", r"(?:stellen sie|stellt)\b.{0,25}\b(?:versand|zusendung|zusendungen|anrufe|mails)(?: \w+)? ein"),
        (
            "peace",
            r"(?:noch|wie oft .{0,15}) nein sagen|(?:ich|hab\w*) (?:\w+ )?nein gesagt|auf (?:die|eure|ihre|der|eine) (?:sperrliste|robinsonliste|robinson|blacklist)",
        ),
        ("consent", r"art\w* (?:17|21) (?:dsgvo|ds gvo)"),
    ),
    decoys=(
        r"\b(?:bekomm\w*|erhalt\w*|krieg\w*|kommen) .{0,40}keine? (?:\w+ )?(?:mails?|emails?|nachrichten|sms|post)(?: mehr)?.{0,20}",
        r"\b(?:warum|wieso|weshalb)\b.{0,120}|niemand mehr|haltestelle\w*|nicht (?:ab|aufhoren|stoppen|stornieren|absagen|loschen|abmelden)",
        r"\b(?:wenn|falls|sollten|mochten|moechten|wollen|wunschen) sie (?:\w+ )?(?:keine?|nicht|kunftig)\b.{0,120}",
        r"(?:versehentlich|aus versehen|irrtumlich|faelschlich|falschlich)\b.{0,40}(?:abgemeldet|ausgetragen|abbestellt|geloscht)\w*",
        r"(?:meine|unsere) (?:eigenen )?(?:kunden|empfanger|abonnenten|leser|nutzer)\b.{0,40}(?:abmeld\w*|ab|austrag\w*)\b|melden sich (?:empfanger|kunden|nutzer|leute|abonnenten)\b.{0,20}",
        r"(?:abmelde|abbestell)(?:link|seite|knopf|button|funktion|formular|text)\w*(?: geht nicht| funktioniert nicht)?",
        r"\b(?:kurs|termin|auto|wagen|fahrzeug|seminar|schule|unterricht|training|veranstaltung|zeitung|zeitschrift|zimmer|tisch|essen|hund|gewerbe|strom|gas|internet)\w*\b.{0,50}(?:abmelden|abbestellen|abzumelden|kundigen|austragen)",
        r"(?:im|in den|in die|in ihrem|auf der|auf die) (?:verteiler|liste) (?:bleiben|aufnehmen|auf|lassen)|(?:im verteiler|auf der liste) (?:\w+ )?bleiben",
        r"zoger\w* .{0,30}|nicht zogern|keine (?:weiteren )?(?:fragen?|ausreden|einwande|anderungen)",
        r"(?:position|posten|artikel|zeile) \w+ (?:von|aus) (?:der|dieser) (?:liste|bestellung)|loschen sie (?:bitte )?diese nachricht",
        r"(?:rauchen|trinken) auf\w*|mit dem rauchen .{0,20}",
        r"(?:hier|unten|link|jederzeit) (?:abmelden|abbestellen)|mit stop|antworten sie .{0,30}",
    ),
    limits=r"\b(?:vor (?:\w+ )?(?:uhr|\d+|zehn|neun|acht|mittag)|heute|morgen|tagsuber|diese woche|erst|bis|nach \d+|abends|mittags|wahrend|am (?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|wochenende)|zwischen|alte|alten|im moment|momentan|gerade)\b",
    for_ever=r"\b(?:mehr|mer|nie|niemals|wieder|kunftig|zukunft|weitere\w*|endgultig)\b",
    bare="stopp|abmelden|abmeldung|abbestellen|abbestellung|austragen|bitte nicht mehr|abmeldne|nicht mehr|raus|loschen",
    channels={
        "email": r"emails?|mails?|mailen|anmailen|werbemails?",
        "sms": r"sms|simsen|smsen|texten",
        "phone": r"anrufe?n?|angerufen|anzurufen|telefon\w*|ruf(?:en|t|e)?|rufen sie",
        "post": r"briefe?|briefpost|kataloge?",
        "chat": r"whatsapps?|chat",
    },
    purposes=r"(?:newsletters?|rundbriefe?|werbung|werbe\w*|angebote|angeboten|aktionen|gutscheine|umfragen?|einladungen|webinaren?|webinare|katalog\w*|prospekte?|direktwerbung|marketing|sonderangebote|sonderangeboten)",
    filler="bitte danke jetzt sofort hallo guten tag mal doch endlich vielen dank liebe grusse gruss mfg und",
)

DUTCH = Language(
    lists={
        "MSG": r"(?:emails?|mails?|mailtjes?|berichten|sms|smsjes|sms berichten|telefoontjes|brieven|post|contact|apps?|appjes)",
        "ME": r"(?:mij|me|ons|mijn|dit|deze|onze|hem|haar)",
        "LIST": r"(?:lijst\w*|mailinglijst|bestand\w*|adresboek|adressenbestand|database|systeem|verzendlijst|mailing)",
    },
    wishes=(
        ("write", r"(?:geen|nooit)(?: \w+){0,2}? (?:%MSG%|%PURPOSE%) (?:meer|langer)"),
        (
            "write",
            r"(?:niet|nooit) (?:meer|langer|weer|opnieuw) (?:\w+ ){0,4}?(?:benader\w*|gebeld|bellen|mailen|schrijven|aanschrijven|lastig\w*|contacteren|gecontacteerd|sturen|ontvangen|storen|gemaild|appen|sms\w*|gestoord)",
        ),
        (
            "write",
            r"(?:bel|bellen|mail|schrijf|stuur|benader|app|sms|contacteer|stoor)(?: (?:u|jullie|je))?(?: \w+){0,2} (?:niet|nooit|niets) meer",
        ),
        (
            "write",
            r"(?:wil|willen|wens|wensen|hoef)(?: \w+){0,3} (?:niets|niks|geen)(?: \w+){0,2} meer (?:van|horen|ontvangen|krijgen)|niets meer van (?:u|jullie|je) (?:horen|ontvangen)",
        ),
        ("write", r"neem(?: \w+){0,2} geen contact meer|geen contact meer"),
        (
            "remove",
            r"(?:haal|halen|verwijder\w*|schrap\w*|neem|nemen|gooi|gooien|wis|wissen|streep)(?: \w+){0,4}? %ME%\b.{0,25}(?:%LIST%|eraf|eruit)",
        ),
        (
            "remove",
            r"%ME% (?:\w+ ){0,2}(?:van|uit) (?:\w+ )?%LIST%|(?:verwijder|wis)\w* (?:mijn|deze|onze|dit) (?:\w+ )?(?:nummer|gegevens|adres|mailadres|emailadres)",
        ),
        (
            "unsubscribe",
            r"(?:mij|me|ons|graag|wil|willen|hoe)(?: \w+){0,4} (?:uitschrij\w*|uit te schrijven|afmelden|af te melden)|schrijf (?:mij|me|ons)(?: \w+){0,2} uit|meld (?:mij|me|ons)(?: \w+){0,3} af",
        ),
        (
            "unsubscribe",
            r"%PURPOSE%(?: \w+){0,4} (?:opzeg\w*|afmeld\w*|uitschrij\w*|stop\w*|niet meer|beeindig\w*|af)\b|(?:stop|opzeg|zeg)\w*(?: \w+){0,3} %PURPOSE%",
        ),
        (
            "consent",
            r"(?:trek|herroep)\w*(?: \w+){0,3} (?:toestemming)|toestemming .{0,20}(?:in|intrek\w*)\b|bezwaar (?:\w+ ){0,3}(?:verwerking|gebruik|tegen)",
        ),
        (
            "peace",
            r"(?:laat|laten) (?:\w+ )?(?:mij|me|ons)(?: \w+){0,2} met rust|vergeet (?:mij|me|dat ik besta|mijn nummer)|rot op|val (?:mij|me|ons) niet (?:meer )?lastig",
        ),
        ("peace", r"(?:hou\w*|stop) (?:er)?(?:mee )?(?:op )?met (?:mij|me|ons|bellen|mailen|sturen|lastig)"),
    ),
    doubtful=(
        (
            "peace",
            r"\A(?:\w+ )?(?:hou\w* (?:er)? ?(?:mee )?op|stop (?:hier|er)mee|(?:nu )?is het genoeg|genoeg)(?: \w+)?\Z",
        ),
        ("unsubscribe", r"\b(?:uitschrijven|afmelden)\b\Z"),
        ("remove", r"(?:verwijder\w*|haal|haalt|schrap|wis|wissen) (?:mij|me|ons)\b"),
        (
            "peace",
            r"nog nee (?:te )?(?:zeggen|zeg)|(?:bel me niet|bel mij niet|niet bellen) (?:lijst|register)|schei\w* (?:er )?(?:mee )?uit|genoeg van (?:jullie|u)",
        ),
        ("consent", r"(?:nooit|geen) toestemming"),
        ("write", r"(?:jullie|uw) (?:%MSG%|%PURPOSE%)\b.{0,30}(?:niet welkom|niet gewenst|ongewenst)"),
        (
            "write",
            r"bespaar\w* (?:mij|me|ons)\b|(?:geen|niet) (?:\w+ )?(?:verdere|nog meer) (?:%MSG%|%PURPOSE%)|(?:jullie|uw) (?:%MSG%|%PURPOSE%)\b.{0,30}(?:niet meer|ongewenst|irritant)",
        ),
    ),
    decoys=(
        r"(?:krijg|kreeg|ontvang|ontvangen)\w* .{0,30}geen (?:\w+ )?(?:mails?|emails?|berichten) meer.{0,20}|\bwaarom\b.{0,100}",
        r"(?:afmeld|uitschrijf)(?:link|pagina|knop)\w*(?: werkt niet)?|niet (?:stoppen|opzeggen|afmelden|uitschrijven)|stoppen met roken",
        r"(?:cursus|les|training|bijeenkomst|vergadering)\b.{0,40}(?:afmelden|uitschrijven)|per ongeluk .{0,30}|klik hier.{0,60}|om u af te melden",
        r"\b(?:als|indien) u (?:\w+ )?(?:geen|niet)\b.{0,100}|geen (?:vragen|excuses|smoesjes)(?: meer)?",
    ),
    limits=r"\b(?:voor (?:\w+ )?(?:uur|tien|negen|acht|\d+)|vandaag|morgen|deze week|tijdens|tot|na \d+|overdag|oude)\b",
    for_ever=r"\b(?:meer|nooit|langer|weer)\b",
    bare="afmelden|uitschrijven|uitschijven|afmelding|uitschrijving|stoppen",
    channels={
        "email": r"emails?|mails?|mailen|mailtjes?",
        "sms": r"sms\w*",
        "phone": r"bel|bellen|gebeld|telefoontjes|telefoon",
        "post": r"brieven|post",
        "chat": r"apps?|appen|appjes",
    },
    purposes=r"(?:nieuwsbrie\w*|reclame\w*|aanbieding\w*|advertenties?|acties|kortingen|uitnodiging\w*|enquetes?|marketing|webinars?|folders?)",
    filler="aub alstublieft alsjeblieft graag dank bedankt nu hallo u je",
)
