"""What the why-page says, by language; names of languages and days are those of the preference page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WHY_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Why this was decided", "what": "What was decided", "how": "How it was decided",
        "auto": "A computer program decided this on {day}. No person looked at it first.",
        "blocked": "A fixed rule refused this on {day}. No person looked at it first.",
        "expired": "Nobody decided in time, so on {day} it was ended without a decision.",
        "person": "A person decided this on {day}.", "open": "Nothing is decided yet: a person has to look at "
        "it first.",
        "refused": "We could not do what was asked.", "nothing": "Nothing was done.",
        "rules": "The program went by fixed rules that people wrote.",
        "model": "The program used a statistical model: it compares what it knows about you with how earlier requests "
        "went, and decides by itself only where it is sure enough, by a limit that people set.",
        "watched": "People check a part of its decisions, and can stop it at any time.",
        "used": "Information about you that was at hand", "used_none": "None.",
        "used_words": "The values are left out here, because everybody who has this link can open this page.",
        "look": "Have a person look", "look_words": "A person will answer the same question without seeing what the "
        "program decided, and you will find their answer here, under this same link. It costs nothing.",
        "look_button": "Have a person look", "asked": "You asked for a person on {day}.",
        "waiting": "It will be looked at by {due}.",
        "late": "It should have been looked at by {due}. That was not kept; it still waits for a person.",
        "looking": "A person is looking at it now.",
        "agreed": "On {day} a person looked, without seeing what the program had decided, and came to the same answer.",
        "differed": "On {day} a person looked, without seeing what the program had decided, and came to another "
        "answer:",
        "differed_words": "What was already done is not changed by this page. Our staff see the difference; answer "
        "our message if you hear nothing.",
        "repairing": "Since {day} our staff have the task to put right what was done. You will read here when they "
        "have. Answer our message if you want to add something.",
        "repaired": "Our staff put this right on {day}. Answer our message if something is still wrong.",
        "answered": "On {day} a person looked, without seeing what the program had decided. Their answer:",
        "unsure": "On {day} a person looked. What we know was not enough for an answer. Please answer our message and "
        "tell us what we should know.",
        "closed": "This was closed on {day} without an answer. Please answer our message instead.",
        "no_person": "Please answer our message if you want a person to look at this.",
    },
    "de": {
        "title": "Warum so entschieden wurde", "what": "Was entschieden wurde", "how": "Wie entschieden wurde",
        "auto": "Ein Computerprogramm hat das am {day} entschieden. Kein Mensch hat vorher darauf gesehen.",
        "blocked": "Eine feste Regel hat das am {day} abgelehnt. Kein Mensch hat vorher darauf gesehen.",
        "expired": "Niemand hat rechtzeitig entschieden; am {day} wurde es ohne Entscheidung beendet.",
        "person": "Ein Mensch hat das am {day} entschieden.",
        "open": "Noch ist nichts entschieden: Ein Mensch muss erst darauf sehen.",
        "refused": "Wir konnten nicht tun, worum es ging.", "nothing": "Es wurde nichts getan.",
        "rules": "Das Programm ging nach festen Regeln vor, die Menschen geschrieben haben.",
        "model": "Das Programm verwendet ein statistisches Modell: Es vergleicht, was es über Sie weiß, mit dem "
        "Verlauf "
        "früherer Anfragen, und entscheidet nur dort allein, wo es nach einer von Menschen gesetzten Grenze sicher "
        "genug ist.",
        "watched": "Menschen prüfen einen Teil seiner Entscheidungen und können es jederzeit anhalten.",
        "used": "Angaben über Sie, die vorlagen", "used_none": "Keine.",
        "used_words": "Die Werte stehen hier nicht, weil jeder, der diesen Link hat, die Seite öffnen kann.",
        "look": "Einen Menschen ansehen lassen", "look_words": "Ein Mensch beantwortet dieselbe Frage, ohne zu sehen, "
        "was das Programm entschieden hat. Die Antwort finden Sie hier, unter demselben Link. Es kostet nichts.",
        "look_button": "Einen Menschen ansehen lassen", "asked": "Sie haben am {day} um einen Menschen gebeten.",
        "waiting": "Bis {due} sieht sich das jemand an.",
        "late": "Bis {due} hätte sich das jemand ansehen sollen. Das wurde nicht eingehalten; es wartet noch.",
        "looking": "Ein Mensch sieht es sich gerade an.",
        "agreed": "Am {day} hat ein Mensch nachgesehen, ohne zu wissen, was das Programm entschieden hatte, und kam zu "
        "derselben Antwort.",
        "differed": "Am {day} hat ein Mensch nachgesehen, ohne zu wissen, was das Programm entschieden hatte, und kam "
        "zu einer anderen Antwort:",
        "differed_words": "Was schon getan wurde, ändert diese Seite nicht. Unsere Leute sehen den Unterschied; "
        "antworten Sie auf unsere Nachricht, wenn Sie nichts hören.",
        "repairing": "Seit dem {day} haben unsere Leute die Aufgabe, in Ordnung zu bringen, was getan wurde. "
        "Hier lesen Sie, wenn das geschehen ist. Antworten Sie auf unsere Nachricht, wenn Sie etwas dazu sagen wollen.",
        "repaired": "Unsere Leute haben das am {day} in Ordnung gebracht. Antworten Sie auf unsere Nachricht, "
        "wenn noch etwas nicht stimmt.",
        "answered": "Am {day} hat ein Mensch nachgesehen, ohne zu wissen, was das Programm entschieden hatte. Die "
        "Antwort:",
        "unsure": "Am {day} hat ein Mensch nachgesehen. Was wir wissen, reichte für eine Antwort nicht. Bitte "
        "antworten "
        "Sie auf unsere Nachricht und sagen Sie uns, was wir wissen sollten.",
        "closed": "Das wurde am {day} ohne Antwort beendet. Bitte antworten Sie stattdessen auf unsere Nachricht.",
        "no_person": "Bitte antworten Sie auf unsere Nachricht, wenn ein Mensch darauf sehen soll.",
    },
    "fr": {
        "title": "Pourquoi cette décision", "what": "Ce qui a été décidé", "how": "Comment cela a été décidé",
        "auto": "Un programme informatique a décidé cela le {day}. Personne ne l'a examiné auparavant.",
        "blocked": "Une règle fixe a refusé cela le {day}. Personne ne l'a examiné auparavant.",
        "expired": "Personne n'a décidé à temps ; le {day}, cela a été clos sans décision.",
        "person": "Une personne a décidé cela le {day}.",
        "open": "Rien n'est encore décidé : une personne doit d'abord l'examiner.",
        "refused": "Nous n'avons pas pu faire ce qui était demandé.", "nothing": "Rien n'a été fait.",
        "rules": "Le programme a suivi des règles fixes écrites par des personnes.",
        "model": "Le programme utilise un modèle statistique : il compare ce qu'il sait de vous avec l'issue de "
        "demandes "
        "antérieures, et ne décide seul que s'il est assez sûr, selon une limite fixée par des personnes.",
        "watched": "Des personnes vérifient une partie de ses décisions et peuvent l'arrêter à tout moment.",
        "used": "Informations vous concernant qui étaient disponibles", "used_none": "Aucune.",
        "used_words": "Les valeurs ne figurent pas ici, car toute personne ayant ce lien peut ouvrir cette page.",
        "look": "Demander à une personne d'examiner", "look_words": "Une personne répondra à la même question "
        "sans voir "
        "ce que le programme a décidé, et vous trouverez sa réponse ici, sous ce même lien. C'est gratuit.",
        "look_button": "Demander à une personne d'examiner", "asked": "Vous avez demandé une personne le {day}.",
        "waiting": "Ce sera examiné d'ici le {due}.",
        "late": "Cela aurait dû être examiné avant le {due}. Ce délai n'a pas été tenu ; la demande attend toujours.",
        "looking": "Une personne est en train de l'examiner.",
        "agreed": "Le {day}, une personne l'a examiné sans voir ce que le programme avait décidé, et est arrivée à la "
        "même réponse.",
        "differed": "Le {day}, une personne l'a examiné sans voir ce que le programme avait décidé, et est arrivée à "
        "une autre réponse :",
        "differed_words": "Cette page ne change pas ce qui a déjà été fait. Nos équipes voient la différence ; "
        "répondez "
        "à notre message si vous n'avez pas de nouvelles.",
        "repairing": "Depuis le {day}, nos équipes sont chargées de corriger ce qui a été fait. Vous lirez ici "
        "quand ce sera chose faite. Répondez à notre message si vous voulez ajouter quelque chose.",
        "repaired": "Nos équipes ont corrigé cela le {day}. Répondez à notre message si quelque chose "
        "ne va toujours pas.",
        "answered": "Le {day}, une personne l'a examiné sans voir ce que le programme avait décidé. Sa réponse :",
        "unsure": "Le {day}, une personne l'a examiné. Ce que nous savons ne suffisait pas pour répondre. Veuillez "
        "répondre à notre message et nous dire ce que nous devrions savoir.",
        "closed": "Ceci a été clos le {day} sans réponse. Veuillez plutôt répondre à notre message.",
        "no_person": "Veuillez répondre à notre message si vous voulez qu'une personne l'examine.",
    },
    "es": {
        "title": "Por qué se decidió así", "what": "Qué se decidió", "how": "Cómo se decidió",
        "auto": "Un programa informático lo decidió el {day}. Ninguna persona lo miró antes.",
        "blocked": "Una regla fija lo rechazó el {day}. Ninguna persona lo miró antes.",
        "expired": "Nadie decidió a tiempo; el {day} se cerró sin decisión.",
        "person": "Una persona lo decidió el {day}.",
        "open": "Aún no hay nada decidido: primero tiene que mirarlo una persona.",
        "refused": "No pudimos hacer lo que se pedía.", "nothing": "No se hizo nada.",
        "rules": "El programa siguió reglas fijas escritas por personas.",
        "model": "El programa usa un modelo estadístico: compara lo que sabe de usted con el resultado de solicitudes "
        "anteriores, y solo decide por sí mismo cuando está lo bastante seguro, según un límite fijado por personas.",
        "watched": "Hay personas que revisan una parte de sus decisiones y pueden pararlo en cualquier momento.",
        "used": "Información sobre usted que se tenía", "used_none": "Ninguna.",
        "used_words": "Los valores no figuran aquí, porque cualquiera que tenga este enlace puede abrir la página.",
        "look": "Pedir que lo mire una persona", "look_words": "Una persona responderá a la misma pregunta sin ver lo "
        "que decidió el programa, y encontrará su respuesta aquí, en este mismo enlace. No cuesta nada.",
        "look_button": "Pedir que lo mire una persona", "asked": "Usted pidió una persona el {day}.",
        "waiting": "Se mirará a más tardar el {due}.",
        "late": "Debía mirarse a más tardar el {due}. No se cumplió; sigue esperando a una persona.",
        "looking": "Una persona lo está mirando ahora.",
        "agreed": "El {day} lo miró una persona, sin ver lo que había decidido el programa, y llegó a la misma "
        "respuesta.",
        "differed": "El {day} lo miró una persona, sin ver lo que había decidido el programa, y llegó a otra "
        "respuesta:",
        "differed_words": "Esta página no cambia lo que ya se hizo. Nuestro personal ve la diferencia; conteste a "
        "nuestro mensaje si no tiene noticias.",
        "repairing": "Desde el {day} nuestro personal tiene el encargo de corregir lo que se hizo. Aquí leerá "
        "cuándo se haya hecho. Conteste a nuestro mensaje si quiere añadir algo.",
        "repaired": "Nuestro personal lo corrigió el {day}. Conteste a nuestro mensaje si algo sigue mal.",
        "answered": "El {day} lo miró una persona, sin ver lo que había decidido el programa. Su respuesta:",
        "unsure": "El {day} lo miró una persona. Lo que sabemos no bastaba para responder. Conteste a nuestro "
        "mensaje y "
        "díganos qué deberíamos saber.",
        "closed": "Se cerró el {day} sin respuesta. Conteste mejor a nuestro mensaje.",
        "no_person": "Conteste a nuestro mensaje si quiere que lo mire una persona.",
    },
}  # fmt: skip

FACT_WORDS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "name": "Name", "company": "Firma", "country": "Land", "email": "E-Mail-Adresse", "phone": "Telefonnummer",
        "language": "Sprache", "job_title": "Berufsbezeichnung", "employees": "Größe der Firma",
        "value": "Auftragswert",
        "deal": "Auftragswert", "source": "Woher Ihre Anfrage kam", "note": "Ihre Nachricht",
        "postal_code": "Postleitzahl", "region": "Region", "reachable_at": "Wie wir Sie erreichen",
    },
    "fr": {
        "name": "Nom", "company": "Entreprise", "country": "Pays", "email": "Adresse e-mail", "phone": "Téléphone",
        "language": "Langue", "job_title": "Fonction", "employees": "Taille de l'entreprise",
        "value": "Montant de l'affaire", "deal": "Montant de l'affaire", "source": "Origine de votre demande",
        "note": "Votre message", "postal_code": "Code postal", "region": "Région",
        "reachable_at": "Comment vous joindre",
    },
    "es": {
        "name": "Nombre", "company": "Empresa", "country": "País", "email": "Correo electrónico", "phone": "Teléfono",
        "language": "Idioma", "job_title": "Cargo", "employees": "Tamaño de la empresa", "value": "Importe",
        "deal": "Importe", "source": "Origen de su consulta", "note": "Su mensaje", "postal_code": "Código postal",
        "region": "Región", "reachable_at": "Cómo localizarle",
    },
    "en": {
        "deal": "Value of the deal", "value": "Value of the deal", "employees": "Size of the company",
        "source": "Where your request came from", "note": "Your message", "reachable_at": "How to reach you",
    },
}  # fmt: skip
"""What common facts are called; others stand as the policy or the record names them."""
