"""Header words for the fields of a lead: English, German, French, Spanish, Italian, Portuguese, Dutch."""

from __future__ import annotations

from fairlead.sales.intake.model import LeadField
from fairlead.sales.intake.words import fold, fold_header, word_set

_STRONG: dict[LeadField, str] = {
    LeadField.EXTERNAL_ID: """
        id|external id|customer id|client id|lead id|contact id|record id|account id|crm id|uuid|guid
        |user id|prospect id|kundennummer|kundennr|kunden nr|kunden id|lead nummer|identifiant
        |numero client|id client|id cliente|numero de cliente|numero cliente|codice cliente
        |codigo cliente|codigo de cliente|klantnummer|klant id""",
    LeadField.NAME: """
        name|full name|fullname|contact name|lead name|customer name|client name|person|ansprechpartner
        |vollstandiger name|kontaktname|kundenname|kunde|nom complet|nom et prenom|nom du contact
        |nombre completo|nombre y apellidos|nome completo|nome e cognome|nominativo|volledige naam|naam
        |contactpersoon|klantnaam""",
    LeadField.FIRST_NAME: """
        first name|firstname|given name|forename|vorname|prenom|nombre|nombre de pila|nome|primeiro nome
        |nome proprio|voornaam|first""",
    LeadField.LAST_NAME: """
        last name|lastname|surname|family name|nachname|familienname|zuname|nom|nom de famille|apellido
        |apellidos|cognome|sobrenome|apelido|ultimo nome|achternaam|familienaam|last""",
    LeadField.EMAIL: """
        email|e mail|mail|email address|e mail address|mail address|emailaddress|e mail adresse
        |email adresse|mailadresse|mail adresse|emailadresse|adresse e mail|adresse email|adresse mail
        |courriel|adresse electronique|correo|correo electronico|direccion de correo
        |direccion de correo electronico|indirizzo email|indirizzo e mail|posta elettronica
        |endereco de email|endereco de e mail|correio eletronico|e mailadres|emailadres|mailadres""",
    LeadField.PHONE: """
        phone|phone number|telephone|telephone number|tel|tel no|tel nr|mobile|mobile phone
        |mobile number|cell|cell phone|cellphone|telefon|telefonnummer|telefon nr|handy|handynummer
        |mobil|mobiltelefon|mobilnummer|rufnummer|numero de telephone|tel portable|telephone portable
        |portable|numero de telefono|telefono|movil|celular|telefono movil|cellulare|numero di telefono
        |telefone|telemovel|numero de telefone|telefoon|telefoonnummer|mobiele telefoon|mobiel|gsm""",
    LeadField.COMPANY: """
        company|company name|organisation|organization|organisation name|organization name|account name
        |employer|business name|firma|firmenname|unternehmen|unternehmensname|entreprise|societe
        |nom de l entreprise|nom de la societe|raison sociale|empresa|nombre de la empresa|compania
        |razon social|azienda|societa|nome azienda|ragione sociale|nome da empresa|companhia|bedrijf
        |bedrijfsnaam|organisatie|onderneming""",
    LeadField.JOB_TITLE: """
        job title|jobtitle|position|role|occupation|profession|berufsbezeichnung|stellenbezeichnung
        |beruf|poste|fonction|intitule du poste|cargo|puesto|profesion|ocupacion|qualifica|ruolo
        |professione|posizione|profissao|funcao|functie|functietitel|beroep""",
    LeadField.COUNTRY: """
        country|country code|country name|nation|land|staat|landercode|land code|pays|code pays|pais
        |codigo de pais|codigo pais|paese|nazione|codice paese|landcode|landnaam""",
    LeadField.REGION: """
        region|province|territory|county|bundesland|provinz|departement|provincia|regione|comunidad
        |comunidad autonoma|regiao|estado|distrito|provincie|regio""",
    LeadField.POSTAL_CODE: """
        postal code|postcode|post code|zip|zip code|zipcode|plz|postleitzahl|code postal|codigo postal
        |cp|cap|codice postale|codice di avviamento postale|cep""",
    LeadField.LANGUAGE: """
        language|preferred language|language code|locale|sprache|langue|idioma|lengua|lingua|taal""",
    LeadField.SOURCE: """
        lead source|utm source|source of lead|channel of origin|quelle|herkunft|leadquelle|lead quelle
        |source du lead|origine|origen|fuente|origen del lead|fonte|origem|provenienza|bron|leadbron
        |herkomst""",
    LeadField.VALUE: """
        deal value|deal size|deal amount|opportunity amount|opportunity value|lead value|expected value
        |expected revenue|estimated value|contract value|order value|budget|amount|betrag|auftragswert
        |auftragsvolumen|auftragssumme|dealwert|volumen|montant|valeur du contrat|valeur de l affaire
        |importe|valor del negocio|valor del contrato|presupuesto|importo|valore contratto
        |valore trattativa|valor do negocio|valor do contrato|orcamento|montante|bedrag|dealwaarde
        |contractwaarde|orderwaarde""",
    LeadField.CURRENCY: """
        currency|currency code|wahrung|waehrung|devise|monnaie|moneda|divisa|valuta|moeda|munt""",
    LeadField.EMPLOYEES: """
        employees|number of employees|no of employees|num employees|employee count|headcount
        |company size|staff|mitarbeiter|mitarbeiterzahl|anzahl mitarbeiter|beschaftigte|effectif
        |nombre d employes|nombre de salaries|empleados|numero de empleados|plantilla|dipendenti
        |numero dipendenti|numero di dipendenti|funcionarios|numero de funcionarios|colaboradores
        |medewerkers|aantal medewerkers|werknemers|aantal werknemers""",
    LeadField.INDUSTRY: """
        industry|sector|vertical|branche|industrie|wirtschaftszweig|secteur|secteur d activite|industria
        |settore|settore di attivita|setor|ramo de atividade|bedrijfstak|rubro""",
    LeadField.CREATED_AT: """
        created at|created|created on|created date|creation date|date created|create date|submitted at
        |signup date|enquiry date|inquiry date|date of enquiry|request date|requested at|received at|received on
        |angelegt am|erstellt am|erstellungsdatum|anlagedatum|anfragedatum|anfrage am|datum der anfrage|angefragt am
        |eingangsdatum|eingegangen am|kontaktdatum|date de demande|date de la demande|fecha de solicitud|data richiesta
        |data della richiesta|data do pedido|aanvraagdatum|datum aanvraag|date de creation|cree le
        |fecha de creacion|creado el|data di creazione|creato il|data de criacao|criado em|aangemaakt op
        |aanmaakdatum""",
    LeadField.NOTE: """
        note|notes|comment|comments|remark|remarks|message|description|notiz|notizen|bemerkung
        |bemerkungen|kommentar|anmerkung|anmerkungen|nachricht|remarque|remarques|commentaire
        |commentaires|nota|notas|comentario|comentarios|observaciones|commento|commenti|osservazioni
        |observacoes|opmerking|opmerkingen|notitie|notities|bericht""",
    LeadField.CONSENT: """
        consent|marketing consent|opt in|optin|email consent|gdpr consent|newsletter consent
        |einwilligung|werbeeinwilligung|zustimmung|consentement|consentimiento|consenso|consentimento
        |toestemming""",
    LeadField.AGE: "age|alter|lebensalter|edad|eta|idade|leeftijd",
    LeadField.OUTCOME: """
        outcome|converted|is converted|conversion|won|is won|closed won|deal won|won lost|churn|churned
        |is churn|exited|subscribed|konvertiert|gewonnen|abschluss|converti|gagne|convertido|ganado
        |convertito|vinto|ganho|geconverteerd""",
}
_WEAK: dict[LeadField, str] = {
    LeadField.NAME: "contact person|kontakt|contatto|contacto",
    LeadField.COMPANY: "account|organisme|business",
    LeadField.JOB_TITLE: "job|title|titel|titre|titulo|titolo|function|funktion",
    LeadField.REGION: "state|area|city state",
    LeadField.LANGUAGE: "lang",
    LeadField.SOURCE: "source|channel|kanal|canal|canale|kanaal|origin",
    LeadField.VALUE: "value|wert|valeur|valor|valore|waarde|price|sum|summe|arr|acv|tcv|mrr",
    LeadField.EMPLOYEES: "size|grosse|taille|team size",
    LeadField.CREATED_AT: "date|datum|fecha|data|timestamp|time|zeitstempel",
    LeadField.OUTCOME: "y|target|label|result|ergebnis|resultat|resultado|risultato|esito|response|success",
}
_FILLERS = word_set("""
    lead leads contact customer client prospect primary main work business office private your buyer
    person user kontakt kunde kunden client cliente contacto contatto klant company direct""")
_LATE_NAMES = frozenset(
    term.strip()
    for term in [
        "\n    duration",
        "call duration",
        "last contact duration",
        "talk time",
        "close date",
        "closed at",
        "closed date",
        "date closed",
        "stage\n    ",
        "deal stage",
        "stage name",
        "lead status",
        "sales stage",
        "dauer",
        "gesprachsdauer",
        "duree",
        "duracion",
        "durata",
        "duracao",
        "duur",
    ]
)
_LATE_WORDS = word_set("churn churned converted conversion won lost closed loss")


def _terms(table: dict[LeadField, str]) -> dict[str, LeadField]:
    return {fold(term): field for field, terms in table.items() for term in terms.split("|") if term.strip()}


_STRONG_TERMS = _terms(_STRONG)
_WEAK_TERMS = _terms(_WEAK)
STRONG = 0.98
FILLED = 0.9
WEAK = 0.7


def field_of_header(name: str) -> tuple[LeadField, float] | None:
    """The field that a column name stands for: STRONG, FILLED (beside filler words) or WEAK."""
    folded = fold_header(name)
    if (field := _STRONG_TERMS.get(folded)) is not None:
        return field, STRONG
    if (field := _WEAK_TERMS.get(folded)) is not None:
        return field, WEAK
    words = folded.split()
    core = " ".join(word for word in words if word not in _FILLERS)
    core = core.rstrip("0123456789 ") if len(core) > 1 else core
    if core and core != folded and (field := _STRONG_TERMS.get(core)) is not None:
        return field, FILLED
    return None


def looks_late(name: str) -> bool:
    """Whether a column's name says that it is filled only when the outcome is near or known."""
    folded = fold_header(name)
    return folded in _LATE_NAMES or not _LATE_WORDS.isdisjoint(folded.split())


def canonical_header(name: str) -> str:
    """A name under which the same column of differently written files meets; used for fingerprints."""
    found = field_of_header(name)
    return str(found[0]) if found is not None and found[1] >= FILLED else fold(name) or name
