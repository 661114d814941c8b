"""What the public pages about a customer's messages say, by language, and how they write a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

PREFERENCE_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Messages from {company}", "intro": "What you change counts as soon as you save.",
        "for": "For {addresses}", "stop_title": "Stop everything",
        "stop_words": "No news, offers, reminders or calls any more, on any channel. Messages about your own "
        "orders and requests still come.", "stop": "Stop all messages",
        "stopped": "Everything is stopped. It counts from now on, and no message will confirm it.",
        "saved": "Saved. It counts from now on.", "same": "Nothing was changed.", "choose": "Choose what you get",
        "email": "By e-mail", "sms": "By text message", "phone": "By phone", "chat": "By chat", "post": "By post",
        "channel": "By {channel}", "on": "On since {day}.", "off": "Off since {day}.",
        "pending": "Waiting for your confirmation since {day}.", "expired": "Off: your consent ended on {day}.",
        "outdated": "What you agreed to has been reworded since.",
        "never_on": "On. You have not told us otherwise.", "never_off": "Off. You have not asked for it.",
        "blocked": "We cannot reach you this way at the moment, whatever stands here.",
        "locked": "Turning it on takes a link that we sent to you this way.",
        "often": "How often", "any": "As it comes", "once": "At most once a week", "times": "At most {n} times a week",
        "pause": "Take a break", "pause_label": "Nothing until",
        "pause_help": "On that day messages may come again. Leave it empty for no break. Messages about your own "
        "orders and requests still come.", "paused": "You have a break until {day}.", "save": "Save",
        "always": "What always comes", "always_words": "These belong to what you ask of us or order.",
        "gpc": "Your browser asks that data about you is neither sold nor shared (Global Privacy Control). "
        "When you save here, we record that.",
        "gpc_kept": "Recorded since {day}: data about you is neither sold nor shared.",
        "problem": "Please check this", "bad_day": "Choose a day from {first} to {last}, or leave it empty.",
        "changed": "Something was turned off elsewhere since you opened this page; it stays off. Everything "
        "else is saved.",
        "gone": "This link does not work",
        "gone_words": "It may be incomplete or too old. Nothing was changed. Open the newest message you have from "
        "us and use the link in it, or answer it with STOP.",
        "busy": "Too many requests",
        "busy_words": "Nothing was changed. Please try again in {minutes} minutes.",
        "erased": "Nothing is kept about you here",
        "erased_words": "Your data was deleted, so there is nothing to choose. You get no messages from us.",
        "leave": "Unsubscribe", "leave_words": "You will get no more of these messages:",
        "leave_all": "all messages that are not about your own orders and requests",
        "leave_button": "Unsubscribe", "left": "You are unsubscribed",
        "left_words": "It counts from now on, and no message will confirm it.", "more": "See everything you can choose",
        "confirm": "Please confirm",
        "confirm_words": "You asked for these messages:",
        "confirm_button": "Yes, send them to me",
        "confirmed": "Confirmed",
        "confirmed_words": "You can change this at any time.",
        "since": "You have unsubscribed since this link was sent, so nothing was turned on. You can turn it on "
        "again on your page.",
        "wrong": "This request was not understood",
        "wrong_words": "Nothing was changed. Open the link in a browser and use the button there.",
        "date": "{day} {month} {year}",
        "months": "January February March April May June July August September October November December",
    },
    "de": {
        "title": "Nachrichten von {company}",
        "intro": "Was Sie ändern, gilt, sobald Sie speichern.",
        "for": "Für {addresses}", "stop_title": "Alles abbestellen",
        "stop_words": "Keine Neuigkeiten, Angebote, Hinweise oder Anrufe mehr, auf keinem Weg. Nachrichten zu Ihren "
        "eigenen Bestellungen und Anfragen kommen weiterhin.", "stop": "Alle Nachrichten abbestellen",
        "stopped": "Alles ist abbestellt. Es gilt ab sofort; eine Bestätigung senden wir nicht.",
        "saved": "Gespeichert. Es gilt ab sofort.", "same": "Es wurde nichts geändert.",
        "choose": "Wählen Sie, was Sie bekommen",
        "email": "Per E-Mail", "sms": "Per SMS", "phone": "Per Telefon", "chat": "Per Chat", "post": "Per Post",
        "channel": "Per {channel}", "on": "An seit {day}.", "off": "Aus seit {day}.",
        "pending": "Wartet seit {day} auf Ihre Bestätigung.",
        "expired": "Aus: Ihre Einwilligung endete am {day}.",
        "outdated": "Der Text, dem Sie zugestimmt haben, wurde seither geändert.",
        "never_on": "An. Sie haben nichts anderes gesagt.", "never_off": "Aus. Sie haben nicht darum gebeten.",
        "blocked": "Auf diesem Weg erreichen wir Sie zurzeit nicht, was immer hier steht.",
        "locked": "Zum Einschalten braucht es einen Link, den wir Ihnen auf diesem Weg geschickt haben.",
        "often": "Wie oft", "any": "Wie es kommt", "once": "Höchstens einmal pro Woche",
        "times": "Höchstens {n}-mal pro Woche",
        "pause": "Pause machen", "pause_label": "Nichts bis",
        "pause_help": "Ab diesem Tag können wieder Nachrichten kommen. Leer lassen für keine Pause. Nachrichten zu "
        "Ihren eigenen Bestellungen und Anfragen kommen weiterhin.", "paused": "Sie haben Pause bis {day}.",
        "save": "Speichern", "always": "Was immer kommt",
        "always_words": "Das gehört zu dem, was Sie bei uns anfragen oder bestellen.",
        "gpc": "Ihr Browser bittet darum, dass Daten über Sie weder verkauft noch geteilt werden (Global Privacy "
        "Control). Wenn Sie hier speichern, halten wir das fest.",
        "gpc_kept": "Festgehalten seit {day}: Daten über Sie werden weder verkauft noch geteilt.",
        "problem": "Bitte prüfen Sie das",
        "bad_day": "Wählen Sie einen Tag vom {first} bis {last} oder lassen Sie das Feld leer.",
        "changed": "Etwas wurde anderswo ausgeschaltet, seit Sie diese Seite geöffnet haben; es bleibt aus. "
        "Alles andere ist "
        "gespeichert.",
        "gone": "Dieser Link funktioniert nicht",
        "gone_words": "Er ist vielleicht unvollständig oder zu alt. Es wurde nichts geändert. Öffnen Sie die neueste "
        "Nachricht von uns und nehmen Sie den Link darin, oder antworten Sie darauf mit STOP.",
        "busy": "Zu viele Anfragen",
        "busy_words": "Es wurde nichts geändert. Bitte versuchen Sie es in {minutes} Minuten noch einmal.",
        "erased": "Hier ist nichts über Sie gespeichert",
        "erased_words": "Ihre Daten wurden gelöscht, daher gibt es nichts zu wählen. Sie bekommen keine Nachrichten "
        "von uns.",
        "leave": "Abbestellen", "leave_words": "Sie bekommen keine dieser Nachrichten mehr:",
        "leave_all": "alle Nachrichten, die nicht Ihre eigenen Bestellungen und Anfragen betreffen",
        "leave_button": "Abbestellen", "left": "Sie sind abgemeldet",
        "left_words": "Es gilt ab sofort; eine Bestätigung senden wir nicht.",
        "more": "Alles ansehen, was Sie wählen können",
        "confirm": "Bitte bestätigen",
        "confirm_words": "Sie haben um diese Nachrichten gebeten:",
        "confirm_button": "Ja, ich möchte sie bekommen",
        "confirmed": "Bestätigt",
        "confirmed_words": "Sie können das jederzeit ändern.",
        "since": "Sie haben sich abgemeldet, seit dieser Link geschickt wurde; es wurde nichts eingeschaltet. "
        "Auf Ihrer Seite können Sie es wieder einschalten.",
        "wrong": "Diese Anfrage wurde nicht verstanden",
        "wrong_words": "Es wurde nichts geändert. Öffnen Sie den Link in einem Browser und nehmen Sie den Knopf dort.",
        "date": "{day}. {month} {year}",
        "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    },
    "fr": {
        "title": "Messages de {company}",
        "intro": "Vos changements comptent dès que vous enregistrez.",
        "for": "Pour {addresses}", "stop_title": "Tout arrêter",
        "stop_words": "Plus de nouvelles, d'offres, d'avis ni d'appels, par aucun moyen. Les messages sur vos propres "
        "commandes et demandes continuent d'arriver.", "stop": "Arrêter tous les messages",
        "stopped": "Tout est arrêté. C'est valable dès maintenant ; aucun message ne le confirmera.",
        "saved": "Enregistré. C'est valable dès maintenant.", "same": "Rien n'a été changé.",
        "choose": "Choisissez ce que vous recevez",
        "email": "Par e-mail", "sms": "Par SMS", "phone": "Par téléphone", "chat": "Par messagerie instantanée",
        "post": "Par courrier", "channel": "Par {channel}", "on": "Activé depuis le {day}.",
        "off": "Désactivé depuis le {day}.", "pending": "En attente de votre confirmation depuis le {day}.",
        "expired": "Désactivé : votre consentement a pris fin le {day}.",
        "outdated": "Le texte que vous avez accepté a été modifié depuis.",
        "never_on": "Activé. Vous ne nous avez rien dit d'autre.",
        "never_off": "Désactivé. Vous ne l'avez pas demandé.",
        "blocked": "Nous ne pouvons pas vous joindre ainsi pour le moment, quel que soit votre choix ici.",
        "locked": "Pour l'activer, il faut un lien que nous vous avons envoyé par ce moyen.",
        "often": "Rythme", "any": "Sans limite", "once": "Au plus une fois par semaine",
        "times": "Au plus {n} fois par semaine",
        "pause": "Faire une pause", "pause_label": "Rien jusqu'au",
        "pause_help": "Ce jour-là, les messages peuvent reprendre. Laissez vide pour ne pas faire de pause. Les "
        "messages sur vos propres commandes et demandes continuent d'arriver.",
        "paused": "Vous êtes en pause jusqu'au {day}.", "save": "Enregistrer", "always": "Ce qui arrive toujours",
        "always_words": "Cela fait partie de ce que vous nous demandez ou commandez.",
        "gpc": "Votre navigateur demande que les données vous concernant ne soient ni vendues ni partagées (Global "
        "Privacy Control). Si vous enregistrez ici, nous le consignons.",
        "gpc_kept": "Consigné depuis le {day} : les données vous concernant ne sont ni vendues ni partagées.",
        "problem": "Veuillez vérifier ceci",
        "bad_day": "Choisissez un jour du {first} au {last}, ou laissez vide.",
        "changed": "Quelque chose a été désactivé ailleurs depuis l'ouverture de cette page ; cela reste "
        "désactivé. Tout le "
        "reste est enregistré.",
        "gone": "Ce lien ne fonctionne pas",
        "gone_words": "Il est peut-être incomplet ou trop ancien. Rien n'a été changé. Ouvrez notre message le plus "
        "récent et utilisez le lien qu'il contient, ou répondez-y par STOP.",
        "busy": "Trop de demandes",
        "busy_words": "Rien n'a été changé. Veuillez réessayer dans {minutes} minutes.",
        "erased": "Rien n'est conservé sur vous ici",
        "erased_words": "Vos données ont été supprimées, il n'y a donc rien à choisir. Vous ne recevez aucun message "
        "de notre part.",
        "leave": "Se désabonner", "leave_words": "Vous ne recevrez plus ces messages :",
        "leave_all": "tous les messages qui ne concernent pas vos propres commandes et demandes",
        "leave_button": "Se désabonner", "left": "Vous êtes désabonné",
        "left_words": "C'est valable dès maintenant ; aucun message ne le confirmera.",
        "more": "Voir tout ce que vous pouvez choisir",
        "confirm": "Veuillez confirmer",
        "confirm_words": "Vous avez demandé ces messages :",
        "confirm_button": "Oui, je veux les recevoir",
        "confirmed": "Confirmé",
        "confirmed_words": "Vous pouvez changer cela à tout moment.",
        "since": "Vous vous êtes désabonné depuis l'envoi de ce lien ; rien n'a été activé. Vous pouvez le "
        "réactiver sur votre page.",
        "wrong": "Cette demande n'a pas été comprise",
        "wrong_words": "Rien n'a été changé. Ouvrez le lien dans un navigateur et utilisez le bouton qui s'y trouve.",
        "date": "{day} {month} {year}",
        "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    },
    "es": {
        "title": "Mensajes de {company}",
        "intro": "Los cambios valen en cuanto guarda.",
        "for": "Para {addresses}", "stop_title": "Parar todo",
        "stop_words": "Ni novedades, ni ofertas, ni avisos, ni llamadas, por ningún medio. Los mensajes sobre sus "
        "propios pedidos y consultas seguirán llegando.", "stop": "Parar todos los mensajes",
        "stopped": "Todo está parado. Vale desde ahora y ningún mensaje lo confirmará.",
        "saved": "Guardado. Vale desde ahora.", "same": "No se ha cambiado nada.", "choose": "Elija qué recibe",
        "email": "Por correo electrónico", "sms": "Por SMS", "phone": "Por teléfono", "chat": "Por chat",
        "post": "Por correo postal", "channel": "Por {channel}", "on": "Activado desde el {day}.",
        "off": "Desactivado desde el {day}.", "pending": "A la espera de su confirmación desde el {day}.",
        "expired": "Desactivado: su consentimiento terminó el {day}.",
        "outdated": "El texto que usted aceptó se ha cambiado desde entonces.",
        "never_on": "Activado. No nos ha dicho otra cosa.", "never_off": "Desactivado. No lo ha pedido.",
        "blocked": "Por ahora no podemos contactarle por este medio, ponga lo que ponga aquí.",
        "locked": "Para activarlo hace falta un enlace que le hayamos enviado por este medio.",
        "often": "Frecuencia", "any": "Sin límite", "once": "Como máximo una vez por semana",
        "times": "Como máximo {n} veces por semana",
        "pause": "Hacer una pausa", "pause_label": "Nada hasta el",
        "pause_help": "Ese día pueden volver los mensajes. Déjelo vacío si no quiere pausa. Los mensajes sobre sus "
        "propios pedidos y consultas seguirán llegando.", "paused": "Está en pausa hasta el {day}.",
        "save": "Guardar", "always": "Lo que siempre llega",
        "always_words": "Esto forma parte de lo que nos consulta o pide.",
        "gpc": "Su navegador pide que los datos sobre usted no se vendan ni se compartan (Global Privacy Control). "
        "Si guarda aquí, lo dejamos registrado.",
        "gpc_kept": "Registrado desde el {day}: los datos sobre usted no se venden ni se comparten.",
        "problem": "Revise esto, por favor",
        "bad_day": "Elija un día del {first} al {last} o déjelo vacío.",
        "changed": "Algo se desactivó en otro sitio desde que abrió esta página; sigue desactivado. Todo lo demás está "
        "guardado.",
        "gone": "Este enlace no funciona",
        "gone_words": "Puede estar incompleto o ser demasiado antiguo. No se ha cambiado nada. Abra el mensaje más "
        "reciente que tenga de nosotros y use su enlace, o contéstelo con STOP.",
        "busy": "Demasiadas solicitudes",
        "busy_words": "No se ha cambiado nada. Inténtelo de nuevo dentro de {minutes} minutos.",
        "erased": "Aquí no se guarda nada sobre usted",
        "erased_words": "Sus datos se han borrado, así que no hay nada que elegir. No recibe mensajes nuestros.",
        "leave": "Darse de baja", "leave_words": "Ya no recibirá estos mensajes:",
        "leave_all": "todos los mensajes que no traten de sus propios pedidos y consultas",
        "leave_button": "Darse de baja", "left": "Se ha dado de baja",
        "left_words": "Vale desde ahora y ningún mensaje lo confirmará.", "more": "Ver todo lo que puede elegir",
        "confirm": "Confirme, por favor",
        "confirm_words": "Ha pedido estos mensajes:",
        "confirm_button": "Sí, quiero recibirlos",
        "confirmed": "Confirmado",
        "confirmed_words": "Puede cambiarlo cuando quiera.",
        "since": "Se ha dado de baja desde que se envió este enlace, así que no se ha activado nada. Puede "
        "activarlo otra vez en su página.",
        "wrong": "No se ha entendido esta solicitud",
        "wrong_words": "No se ha cambiado nada. Abra el enlace en un navegador y use el botón que hay allí.",
        "date": "{day} de {month} de {year}",
        "months": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    },
}  # fmt: skip


def speak(stored: str | None, accepted: str) -> str:
    """The language of a page: the customer's own, else the first of Accept-Language that we have, else English."""
    wished = [stored or "", *(part.partition(";")[0] for part in accepted[:1_000].split(","))]
    return next((one for one in (wish.strip()[:2].lower() for wish in wished) if one in PREFERENCE_WORDS), "en")


def day_words(day: date, language: str) -> str:
    """A day as it is written in that language, such as `3. Mai 2026`."""
    words = PREFERENCE_WORDS[language]
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return words["date"].format(day=number, month=words["months"].split()[day.month - 1], year=day.year)
