"""What Fairlead itself says on a form, by language."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "send": "Send", "thanks": "Thank you. We have your message and will come back to you.",
        "optional": "optional", "choose": "Please choose", "problem": "Please check what you entered",
        "required": "Please fill this in.", "ticked": "Please tick this box to go on.",
        "email": "This is no e-mail address. Write it like name@example.com.",
        "tel": "This is no telephone number. Write it with its country code, such as +44 20 7946 0123.",
        "number": "Please write a number, such as 25.", "option": "Please choose one of the options.",
        "long": "This is too long. Please shorten it to {most} characters.",
        "again": "Nothing was sent yet: this page was open too long or was sent before it was ready. "
        "Please check it and send it again.",
        "busy": "Too many messages are coming in. Please try again in {minutes} minutes; what you typed is kept.",
        "trap": "Leave this field empty", "gone": "This form is not here",
        "gone_words": "It may have been closed, or the address has a mistake in it. "
        "Please go back to the page that you came from.", "sent": "Sent", "page": "Form",
        "contact": "Please give an e-mail address or a telephone number, so that we can answer.",
    },
    "de": {
        "send": "Absenden", "thanks": "Vielen Dank. Ihre Nachricht ist angekommen; wir melden uns bei Ihnen.",
        "optional": "freiwillig", "choose": "Bitte wählen", "problem": "Bitte prüfen Sie Ihre Angaben",
        "required": "Bitte füllen Sie dieses Feld aus.", "ticked": "Bitte setzen Sie hier ein Häkchen.",
        "email": "Das ist keine E-Mail-Adresse. Schreiben Sie sie wie name@example.com.",
        "tel": "Das ist keine Telefonnummer. Schreiben Sie sie mit Ländervorwahl, zum Beispiel +49 30 23125 000.",
        "number": "Bitte schreiben Sie eine Zahl, zum Beispiel 25.",
        "option": "Bitte wählen Sie eine der Möglichkeiten.",
        "long": "Das ist zu lang. Bitte kürzen Sie es auf {most} Zeichen.",
        "again": "Es wurde noch nichts gesendet: Die Seite war zu lange offen oder wurde zu schnell abgeschickt. "
        "Bitte prüfen Sie sie und senden Sie sie noch einmal.",
        "busy": "Es kommen gerade zu viele Nachrichten. Bitte versuchen Sie es in {minutes} Minuten noch einmal; "
        "Ihre Angaben bleiben stehen.",
        "trap": "Dieses Feld leer lassen", "gone": "Dieses Formular gibt es hier nicht",
        "gone_words": "Es wurde vielleicht geschlossen, oder die Adresse enthält einen Fehler. "
        "Bitte gehen Sie zurück auf die Seite, von der Sie kommen.", "sent": "Gesendet", "page": "Formular",
        "contact": "Bitte geben Sie eine E-Mail-Adresse oder Telefonnummer an, damit wir antworten können.",
    },
    "fr": {
        "send": "Envoyer", "thanks": "Merci. Votre message nous est parvenu ; nous reviendrons vers vous.",
        "optional": "facultatif", "choose": "Veuillez choisir", "problem": "Veuillez vérifier votre saisie",
        "required": "Veuillez remplir ce champ.", "ticked": "Veuillez cocher cette case.",
        "email": "Ce n'est pas une adresse e-mail. Écrivez-la comme nom@example.com.",
        "tel": "Ce n'est pas un numéro de téléphone. Écrivez-le avec l'indicatif, par exemple +33 1 99 00 12 34.",
        "number": "Veuillez écrire un nombre, par exemple 25.", "option": "Veuillez choisir une des options.",
        "long": "C'est trop long. Veuillez le raccourcir à {most} caractères.",
        "again": "Rien n'a encore été envoyé : la page est restée ouverte trop longtemps ou a été envoyée trop vite. "
        "Veuillez la vérifier et l'envoyer de nouveau.",
        "busy": "Trop de messages arrivent. Veuillez réessayer dans {minutes} minutes ; votre saisie est conservée.",
        "trap": "Laissez ce champ vide", "gone": "Ce formulaire n'est pas ici",
        "gone_words": "Il a peut-être été fermé, ou l'adresse contient une erreur. "
        "Veuillez revenir à la page d'où vous venez.", "sent": "Envoyé", "page": "Formulaire",
        "contact": "Veuillez donner une adresse e-mail ou un numéro de téléphone pour que nous puissions répondre.",
    },
    "es": {
        "send": "Enviar", "thanks": "Gracias. Hemos recibido su mensaje y le responderemos.",
        "optional": "opcional", "choose": "Elija una opción", "problem": "Revise los datos, por favor",
        "required": "Rellene este campo, por favor.", "ticked": "Marque esta casilla, por favor.",
        "email": "Esto no es una dirección de correo. Escríbala como nombre@example.com.",
        "tel": "Esto no es un número de teléfono. Escríbalo con el prefijo del país, por ejemplo +34 912 345 678.",
        "number": "Escriba un número, por ejemplo 25.", "option": "Elija una de las opciones.",
        "long": "Es demasiado largo. Acórtelo a {most} caracteres.",
        "again": "Todavía no se ha enviado nada: la página estuvo abierta demasiado tiempo o se envió demasiado "
        "rápido. Revísela y envíela otra vez.",
        "busy": "Llegan demasiados mensajes. Inténtelo de nuevo dentro de {minutes} minutos; sus datos se conservan.",
        "trap": "Deje este campo vacío", "gone": "Este formulario no está aquí",
        "gone_words": "Puede que se haya cerrado o que la dirección tenga un error. "
        "Vuelva a la página de la que viene.", "sent": "Enviado", "page": "Formulario",
        "contact": "Indique un correo electrónico o un teléfono para que podamos responderle.",
    },
}  # fmt: skip
