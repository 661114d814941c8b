"""How people ask not to be written to, in French, Spanish and Italian; see `opt_out_words`."""

# ruff: noqa: E501 - see opt_out_words
from __future__ import annotations

from fairlead.understanding.opt_out_words import Language

FRENCH = Language(
    lists={
        "MSG": r"(?:emails?|mails?|courriels?|courriers?|messages?|sms|textos?|appels?|lettres?|relances?|contacts?|sollicitations?|communications?|notifications?|coups de fil)",
        "DO": r"(?:contact\w*|ecri\w*|sollicit\w*|appel\w*|rappel\w*|envo\w*|relanc\w*|derang\w*|adress\w*|importun\w*|telephon\w*|harcel\w*|embet\w*|demarch\w*|spam\w*|joindre|joign\w*|recontact\w*|prospect\w*)",
        "LIST": r"(?:listes?|fichiers?|base|bases|liste de diffusion|diffusion|repertoire|systeme|carnet|envois|mailing)",
    },
    wishes=(
        ("write", r"(?:ne|n) (?:(?:me|m|nous|lui|leur) )?%DO%(?: (?:moi|nous))? (?:plus|jamais)(?: jamais)?\b"),
        ("write", r"(?:ne|n|de) (?:plus|jamais) (?:(?:jamais|me|m|nous|lui|les|la|le|du tout) ){0,3}%DO%"),
        (
            "write",
            r"(?:ne|n)? ?(?:souhait|veu|voul|desir|accept)\w* plus (?:(?:etre|recevoir|rien|entendre|avoir|d|de|du|des|que|vous|me|m|lire|votre|vos|la|le|les|aucun|aucune|jamais|nous|soyez) ){1,6}(?:\w+ ){0,2}?(?:contact\w*|sollicit\w*|appel\w*|derange\w*|demarch\w*|recevoir|rien|parler|%MSG%|%PURPOSE%|vous|part)",
        ),
        (
            "write",
            r"(?:veux|souhaite|voulons|souhaitons|desire) (?:ne )?plus (?:rien )?(?:recevoir|etre (?:contact|sollicit|appel|derang|demarch)\w*|entendre)",
        ),
        (
            "write",
            r"(?:\A|, |et )(?:surtout )?(?:plus (?:de|d|aucun|aucune)|assez de|stop aux?|stop les) (?:%MSG%|%PURPOSE%)(?! (?:de ce|comme|similaires|svp comme))",
        ),
        (
            "write",
            r"(?:cess\w*|arret\w*|evit\w*|stopp\w*) (?:(?:de|d|toute?s?|tous|vos|les|ces|immediatement|maintenant|tout|des) )*(?:(?:me|m|nous|lui) )?(?:%DO%|%MSG%|%PURPOSE%)",
        ),
        ("write", r"plus (?:envie|besoin) d entendre parler|(?:ne )?plus (?:jamais )?entendre parler de vous"),
        (
            "write",
            r"inutile de (?:me|m|nous) (?:relancer|recontacter|rappeler|ecrire|contacter|appeler|solliciter|repondre)",
        ),
        (
            "remove",
            r"(?:retir|supprim|ray|enlev|effac|ote|otez|sort|radi|elimin)\w* (?:(?:moi|nous|me|mon|ma|mes|notre|nos|cette|ce) ).{0,50}\b(?:%LIST%|diffusion)\b",
        ),
        (
            "remove",
            r"(?:me|nous) (?:retirer|supprimer|rayer|enlever|effacer|oter|sortir|radier) de (?:\w+ )?(?:%LIST%|vos|votre|tout)",
        ),
        (
            "remove",
            r"(?:supprim|effac|oubli|retir|enlev|perd)\w* (?:mon|ma|mes|notre|nos|ce|cette|ces) (?:numeros?|donnees|coordonnees|contacts?|noms?|adresses?|mails?|emails?)(?! (?:ancien|et utilisez))",
        ),
        (
            "unsubscribe",
            r"\b(?:me|nous|moi|se|merci|comment|souhaite|veux|voudrais|desire)(?: \w+){0,4} (?:des? ?abon\w*|desinscri\w*|unsubscribe)",
        ),
        (
            "unsubscribe",
            r"(?:desab\w*on\w*|desinscri\w*) (?:moi|nous|de|la|cette)\b|(?:me|nous) desab\w*on\w*|(?:me|m) desinscri\w*",
        ),
        (
            "unsubscribe",
            r"(?:annul|arret|stop|resili|desactiv|supprim|suspend|couper?|cess|fini\w*)\w*(?: \w+){0,4}? %PURPOSE%",
        ),
        (
            "unsubscribe",
            r"%PURPOSE%(?: \w+){0,6} (?:ne (?:me|nous) (?:concern|interess)\w*|merci de ne plus|je n en veux plus)",
        ),
        ("consent", r"(?:retir|revoqu|annul)\w* (?:mon|notre|le|tout) (?:consentement|accord|autorisation)"),
        ("consent", r"(?:m|nous) (?:oppos\w*) .{0,20}(?:utilis|trait|prospect|usage)\w*"),
        (
            "peace",
            r"(?:laiss\w*) (?:moi|nous|les) (?:\w+ )?(?:tranquilles?|en paix)|(?:fich|fout|fou|fous)\w* (?:moi|nous) la paix|(?:fich|fout)\w* (?:moi|nous) le camp",
        ),
        (
            "peace",
            r"oubli\w* (?:moi|nous|mon (?:numero|adresse|nom|mail)|que j existe|jusqu a mon)|comme si je n exist\w*",
        ),
    ),
    doubtful=(
        (
            "peace",
            r"\A(?:\w+ )?(?:ca suffit|arretez|arrete|assez|stop aux? \w+|il faut que ca s arrete|y en a marre|marre)(?: (?:maintenant|svp|merci|tout|ca|enfin))*\Z",
        ),
        (
            "peace",
            r"(?:combien|comment|que|quoi|qu est ce)\b.{0,50}pour (?:ne plus|que (?:ca|cela|vous)(?: \w+)? (?:s )?(?:arret|cess)\w*)",
        ),
        ("peace", r"harcel\w*|porter plainte|signal\w* (?:comme|en) (?:spam|indesirable)"),
        ("unsubscribe", r"\b(?:desabon\w*|desabonn\w*|desinscri\w*)\b"),
        ("write", r"plus (?:de|aucun|aucune) (?:%MSG%|%PURPOSE%) (?:svp|merci|s il)"),
        (
            "write",
            r"epargn\w* (?:moi|nous)|(?:vos|tes|ces) (?:%MSG%|%PURPOSE%)\b.{0,30}(?:saoul\w*|soul\w*|gen\w*|derang\w*|marre|arret\w*|indesirables?)|dernier (?:message|mail|courrier|appel)\Z|(?:refus\w*) (?:d etre|que vous|tout|de recevoir)",
        ),
        (
            "peace",
            r"\b(?:m|nous) oublier|oubliez nous|(?:dire|dit|repeter) non\b|liste rouge|bloctel|(?:fatigu\w*|saoul\w*|marre|assez)\b.{0,25}(?:%MSG%|vous)",
        ),
        (
            "consent",
            r"jamais (?:autoris\w*|consenti\w*|donne (?:mon|notre) accord|accept\w*|demande)|d ou (?:tenez|avez|vient)\b.{0,30}(?:adresse|numero|mail)|pas autoris\w* a",
        ),
        (
            "write",
            r"(?:mett\w*|met\w*) (?:un terme|fin)\b|plus (?:jamais )?(?:de|aucun|aucune) (?:%MSG%)|(?:bien vouloir|prie d|demande d|demande de) (?:arreter|cesser|arrete)",
        ),
        ("remove", r"(?:enlev|retir|supprim|ray|radi|effac|sort)\w* (?:moi|nous)\b"),
    ),
    decoys=(
        r"(?:liens?|bouton|page|formulaire) (?:de |pour (?:se )?)?(?:desinscri\w*|desabon\w*)(?: ne \w+ pas)?",
        r"(?:recois|recoit|recevons|recu) plus .{0,40}|\bpourquoi\b.{0,100}|n hesit\w* (?:pas|plus|surtout)?.{0,25}",
        r"(?:par erreur|par megarde).{0,20}|desab\w+ par erreur|(?:je me suis|ete) (?:desab\w*|desinscri\w*) par (?:erreur|megarde|accident)",
        r"(?:mes|nos) (?:propres )?(?:clients?|abonnes?|lecteurs?|destinataires?|utilisateurs?)\b.{0,50}(?:desinscri\w*|desab\w*)",
        r"(?:si vous ne|si tu ne)\b.{0,120}|pour (?:ne plus recevoir|vous (?:desinscrire|desabonner)|se (?:desinscrire|desabonner))\b.{0,100}|repondez stop.{0,60}",
        r"codes? (?:promo\w*|de reduction)",
        r"(?:arret\w*) de (?:fumer|boire)|(?:n )arret\w* (?:pas|surtout pas)\b.{0,30}|arret (?:de |du )?(?:bus|tram)|non stop|(?:n )(?:annul|interromp|cess)\w* pas",
        r"plus (?:de|d) (?:questions?|excuses?|stock|details?|informations?|temps)|assez d excuses|(?:voudrais|voudrions|aimerais|veux|souhaite) plus de .{0,40}",
        r"n (?:ecri|envo)\w*(?: \w+)? (?:plus|pas) a l ancienne adresse|ne plus livrer|ignorez plus",
        r"laiss\w* (?:moi|nous) (?:un|le|du|y|reflechir)|(?:rest\w*|garder|conserver|gardez) .{0,30}(?:liste|newsletter)",
    ),
    limits=r"\b(?:avant|aujourd|demain|ce (?:matin|soir)|cette semaine|apres \d+|pendant|entre|ancienne?|le (?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche))\b",
    for_ever=r"\b(?:plus|jamais|desormais|definitivement|avenir)\b",
    bare="arretez|arret|arreter|desabonnement|desinscription|me desinscrire|me desabonner|se desabonner|desabonner|desinscrire|desabonnez moi|desinscrivez moi",
    channels={
        "email": r"emails?|mails?|courriels?",
        "sms": r"sms|textos?",
        "phone": r"appels?|appelez|appeler|appele|telephon\w*|coups de fil|rappel\w*",
        "post": r"lettres?|catalogues?|voie postale",
        "chat": r"whatsapp|chat",
    },
    purposes=r"(?:newsletters?|infolettres?|lettres? d information|pub|pubs|publicites?|publicitaires?|offres|promos|promotions?|promotionnel\w*|prospection|sondages?|enquetes?|invitations?|webinaires?|demarchages?|marketing|bons? plans?|coupons?|catalogues?)",
    filler="svp merci s il vous plait bonjour maintenant stop bien a de d avance me tout tous",
)

SPANISH = Language(
    lists={
        "MSG": r"(?:emails?|mails?|correos?|correos electronicos|mensajes?|mensajitos|sms|llamadas?|cartas?|comunicacion\w*|contacto|notificaciones|whatsapps?|nada)",
        "DO": r"(?:escri[bv]\w*|contact\w*|env[ie]\w*|llam\w*|mand\w*|molest\w*|insist\w*|busqu\w*|telefone\w*|acos\w*|remit\w*|comuni\w*|fastidi\w*)",
        "LIST": r"(?:listas?|base|bases|base de datos|sistema|fichero|registros?|directorio|agenda)",
    },
    wishes=(
        ("write", r"no (?:(?:me|nos|le|les) )?%DO%(?: (?:a \w+|por favor))?(?: \w+)? (?:mas|nunca)\b"),
        ("write", r"no (?:me|nos) %DO%"),
        ("write", r"no (?:(?:me|nos|se) )?(?:vuelva|vuelvan|vuelvas|volvais) a (?:%DO%|ponerse)"),
        (
            "write",
            r"(?:ya )?no (?:quiero|deseo|queremos|deseamos|quisiera) (?:(?:que|me|nos|recibir|mas|seguir|recibiendo|saber|tener|ya|volver|a|sus|su|los|las|el|la|de) ){0,6}(?:%DO%|%MSG%|%PURPOSE%|recibir\w*|saber nada)",
        ),
        ("write", r"no (?:quiero|deseo|queremos) (?:recibir|saber) (?:nada )?(?:mas|nada)\b"),
        (
            "write",
            r"(?:\A|, |y |por favor )(?:no mas|basta de|ni un|ningun|ninguna) (?:(?:mas|otro|otra) )?(?:%MSG%|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:deje|dejen|deja|dejad|dejar|dejaran|dejara|dejasen|pare|paren|cese|cesen|eviten|evite) (?:ya )?(?:de )?(?:(?:me|nos) )?%DO%",
        ),
        (
            "write",
            r"(?:cese|cesen|cesar|terminen|detengan|paren) (?:toda|cualquier|todo|todas|con|sus|los|las) (?:las |los |tipo de )?(?:%MSG%|%PURPOSE%)",
        ),
        ("write", r"no (?:me |nos )?(?:insistan?|insista mas|molesten?)\b"),
        ("write", r"no vuelvan? a (?:ponerse en contacto|contactar\w*)|abstengan?se de %DO%"),
        (
            "remove",
            r"(?:elimin|borr|borre|saqu|sac|quit|retir|suprim|tach|dar|remove)\w*(?:me|nos|nme|nnos)\b .{0,30}\b(?:listas?|base|datos|sistema|registros?|todo|todas)\b",
        ),
        (
            "remove",
            r"(?:elimin|borr|saqu|sac|quit|retir|suprim|tach|olvid)\w* (?:mi|mis|nuestr[oa]s?|est[ea]) (?:\w+ )?(?:correo|numero|datos|direccion|nombre|telefono|email|contacto|movil)\w*(?! (?:antigu|viej|anterior))",
        ),
        (
            "remove",
            r"(?:saquenme|saqueme|sacame|borrenme|borrame|borreme|eliminenme|eliminame|elimineme|quitenme|quiteme|quitame|eliminarme|borrarme)\b",
        ),
        ("remove", r"\b(?:me|nos) .{0,15}de (?:su|tu|vuestra|esta|la) (?:\w+ )?lista"),
        (
            "unsubscribe",
            r"(?:darme|darnos|deme|denme|dame|denos|dennos|dadme|me doy|me di|me he dado|nos damos|darse) de [bv]aja",
        ),
        (
            "unsubscribe",
            r"(?:quiero|solicito|pido|deseo|como) (?:\w+ ){0,4}(?:baja de (?:la lista|su|sus|esta)|desuscri\w*|unsubscribe|desapunt\w*)|desuscri\w*",
        ),
        ("unsubscribe", r"(?:cancel|anul|dej|par|suspend|desactiv)\w*(?: \w+){0,4}? %PURPOSE%"),
        ("consent", r"(?:retir|revoc|revoqu)\w* (?:mi|el|nuestro|todo) (?:consentimiento|permiso|autorizacion)"),
        ("consent", r"me opongo .{0,20}(?:uso|tratamiento|datos)"),
        (
            "peace",
            r"(?:dejen|dejad|deje|deja)(?:me|nos|nme|nnos)? (?:ya )?(?:en paz|tranquil\w*)|(?:dejame|dejeme|dejenme|dejadme|dejennos|dejanos|dejenos) (?:ya )?(?:en paz|tranquil\w*)",
        ),
        (
            "peace",
            r"olvid\w*(?:se|te|nse|os)? (?:de )?(?:mi|nosotros|nos)\b|olvid\w* (?:mi|este|mis) (?:numero|correo|datos|telefono)|pierda\w* mi numero|vayanse a",
        ),
    ),
    doubtful=(
        (
            "peace",
            r"\A(?:\w+ )?(?:ya basta|basta ya|basta|ya esta bien|parar|paren|para ya|paren ya)(?: (?:por favor|porfa|ya))*\Z",
        ),
        (
            "peace",
            r"(?:que|como|cuanto)\b.{0,60}para que (?:esto|esta|estos|ustedes|se)(?: \w+){0,2} (?:termin|par|ces|acab|dej)\w*",
        ),
        (
            "peace",
            r"si (?:me |nos )?(?:vuelv\w+ a|sigu\w+) (?:%DO%)|(?:los|les|le) (?:denuncio|denunciare)|acos(?:o|ando)",
        ),
        ("unsubscribe", r"\bde baja\b|(?:la|mi|nuestra|solicit\w*|pid\w*) (?:la |mi )?baja\b"),
        (
            "peace",
            r"(?:decir|dicho|digo) que no\b|lista robinson|(?:tienen|tiene|teneis) (?:\w+ )?(?:hart[oa]|cansad[oa]|frit[oa])",
        ),
        (
            "consent",
            r"no (?:les |le |os |te )?(?:autorizo|autorice|autorizamos|di permiso)|de donde (?:sac|han|ha)\w*\b.{0,30}(?:correo|numero|datos|direccion)|nunca (?:les |le )?(?:di|autorice|pedi)",
        ),
        ("remove", r"(?:borr|elimin|suprim)\w* (?:todos |todas )?(?:mis|nuestros) (?:\w+ )?datos"),
        (
            "write",
            r"ahorr\w*(?:se|nse|me|nos)? (?:los|sus|las|el|tus) (?:%MSG%|%PURPOSE%|\w+)|prefiero no recibir|(?:sus|tus|estos|estas) (?:%MSG%|%PURPOSE%)\b.{0,30}(?:molest\w*|cansa\w*|hart\w*|no deseados)|hart[oa]s? de (?:%MSG%|sus|que)",
        ),
        (
            "remove",
            r"(?:bloque|elimin|borr|suprim|retir)\w* (?:mi|mis|nuestr\w+|este) \w+|(?:elimin|borr|quit|saqu|sac)\w*(?:me|nos)\b|(?:eliminen|borren|quiten|saquen) (?:me|nos|mis)",
        ),
    ),
    decoys=(
        r"(?:estoy|estamos|esta|estuve|estare) de baja|baja (?:por|medica|laboral|maternal|temporada)|mas bajas?\b",
        r"(?:enlace|link|boton|pagina) (?:para|de) (?:darse de baja|baja|cancelar)\w*(?: no \w+)?|por error|dado de baja por|me di de baja por error",
        r"se dan de baja|(?:mis|nuestros) (?:propios )?(?:clientes|suscriptores|usuarios|lectores)\b.{0,40}(?:baja)?",
        r"dar de baja (?:la|el|los|las|un|una|mi|nuestra) (?:linea|telefono|coche|vehiculo|contrato|luz|gas|cuenta|tarjeta|empleado|internet|servicio)\w*",
        r"si (?:ya )?no (?:desea|quiere|deseas|quieres)\b.{0,120}|(?:responda|conteste|envie) (?:baja|stop).{0,60}|dese de baja aqui|haga clic.{0,60}",
        r"(?:codigo|cupon) (?:de descuento|promo\w*)",
        r"no (?:me|nos) (?:env|mand)\w* (?:la|el|las|los|mi|ese|esa) (?:factura|pedido|paquete|contrato|mercancia|presupuesto)\w*.{0,40}",
        r"dejar de (?:fumar|beber)|no (?:deje|dejen|dejes|pare|paren) (?:de )?|no duden? en .{0,20}",
        r"no (?:me|nos) ignor\w* mas|ya no recibo .{0,40}|\bpor que\b.{0,100}|no mas (?:preguntas|excusas)|basta de excusas|tengo mas preguntas",
        r"(?:quiero|deseo) seguir (?:en|recibiendo) .{0,25}|volver a apuntar\w*|no escriban a la direccion antigua.{0,20}",
    ),
    limits=r"\b(?:antes de|hoy|manana|esta (?:tarde|semana|manana)|hasta|despues de|entre|durante|antigu[oa]|los (?:lunes|martes|viernes|domingos))\b",
    for_ever=r"\b(?:mas|nunca|jamas|adelante|definitiva\w*)\b",
    bare="baja|vaja|parar|darme de baja|cancelar suscripcion|de baja|desuscribir|cancelar la suscripcion|borrarme|eliminarme",
    channels={
        "email": r"correos?|emails?|mails?",
        "sms": r"sms|mensajes de texto",
        "phone": r"llam\w*|telefon\w*",
        "post": r"cartas?",
        "chat": r"whatsapps?|chat",
    },
    purposes=r"(?:boletin\w*|newsletters?|publicidad|publicitari\w*|promocion\w*|promos?|ofertas|encuestas?|invitacion\w*|descuentos?|webinars?|marketing|anuncios?|propaganda|cupones?)",
    filler="por favor porfa porfavor gracias ya hola stop quiero ahora mismo muchas",
)

ITALIAN = Language(
    lists={
        "MSG": r"(?:emails?|mail|messaggi|messaggio|sms|chiamate|telefonate|lettere|comunicazioni|posta|contatti|nulla|niente)",
        "DO": r"(?:scriv\w*|chiam\w*|contatt\w*|mand\w*|invi\w*|disturb\w*|telefon\w*|cerc\w*|importun\w*|assill\w*|sped\w*)",
        "LIST": r"(?:lista|liste|indirizzario|database|elenco|elenchi|rubrica|mailing list|sistema|archivi\w*)",
    },
    wishes=(
        ("write", r"(?:non|mai) (?:(?:mi|ci|vi|gli) )?%DO% (?:mai )?(?:piu)\b"),
        (
            "write",
            r"non (?:voglio|desidero|vogliamo|desideriamo|intendo) (?:piu )?(?:\w+ ){0,4}?(?:ricever\w*|ricevo|sentir\w*|saper\w*|essere (?:contatt|disturb|chiam)\w*|avere (?:notizie|contatti))(?: \w+){0,3}",
        ),
        (
            "write",
            r"(?:niente|basta|stop|mai|non piu|nessun\w*)(?: con)?(?: (?:piu|altre|altri|le|i|la|queste|questi|vostre|vostri))* (?:%MSG%|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:smett\w*|finit\w*|cess\w*|evit\w*)(?: \w+)? (?:di|con|ogni|qualsiasi) (?:%DO%|%MSG%|%PURPOSE%|contatto|comunicazione|le|i|la)",
        ),
        (
            "remove",
            r"(?:cancell|rimuov|togl|elimin|depenn|lev)\w*(?:mi|ci|temi|teci|rmi|rci|tevi|te)?\b.{0,25}\b(?:da|dal|dall|dalla|dalle|dai|dagli)\b.{0,15}(?:%LIST%)",
        ),
        (
            "remove",
            r"(?:cancell|cancel|rimuov|rimuovere|togl|elimin|dimentic)\w* (?:il |la |i )?(?:mio|mia|miei|nostro|nostra|questo|questa) (?:\w+ )?(?:indirizzo|numero|nome|dati|email|contatto)",
        ),
        (
            "unsubscribe",
            r"(?:cancel\w*(?:mi|temi|telo|rmi|rci|teci)|disiscriv\w*|disiscri\w*|disdire l iscrizione|annullare l iscrizione)\b",
        ),
        ("unsubscribe", r"(?:cancell|disdi|annull|disattiv|ferm|sospend)\w*(?: \w+){0,4}? %PURPOSE%"),
        (
            "consent",
            r"(?:revoc|ritir)\w* (?:il |ogni )?(?:mio |nostro )?(?:consenso|autorizzazione)|(?:mi|ci) oppon\w* .{0,20}(?:trattamento|uso|utilizzo)",
        ),
        (
            "peace",
            r"lasci\w*(?:mi|temi|teci|ci) (?:stare|in pace|tranquill\w*)|dimenticat\w*(?:vi)? (?:di me|il mio numero|mi|che esisto)|dimenticatemi|dimenticami|toglietevi",
        ),
        ("peace", r"smett\w* di (?:disturb|importun|assill|molest|romp|tormen)\w*"),
    ),
    doubtful=(
        (
            "peace",
            r"\A(?:\w+ )?(?:(?:adesso |ora )?basta(?: cosi| ora| adesso)?|smettetela|smettila)(?: per favore| grazie)?\Z",
        ),
        (
            "peace",
            r"(?:dire|detto) di no\b|(?:avete|hai|mi) (?:\w+ )?(?:stufat\w*|stancat\w*|rotto|stufo)|registro (?:delle )?opposizioni",
        ),
        ("consent", r"(?:mai|non) (?:\w+ )?(?:autorizzat\w*|acconsentit\w*|dato (?:il )?consenso|autorizzo)"),
        ("write", r"(?:i vostri|le vostre) (?:%MSG%|%PURPOSE%)\b.{0,20}(?:non sono|graditi|gradite|benvenut\w*)"),
        (
            "write",
            r"risparmiat\w*(?:mi|ci)|(?:le vostre|i vostri|queste|questi) (?:%MSG%|%PURPOSE%)\b.{0,30}(?:disturb\w*|stuf\w*|indesiderat\w*|stanc\w*)|stuf[oai] (?:di|delle|dei)",
        ),
        (
            "remove",
            r"(?:cancell|rimuov|togl|elimin)\w*(?:mi|ci|temi|teci)\b|(?:cancellazione|rimozione) (?:del mio|dei miei|dal|dalla)",
        ),
        ("unsubscribe", r"\bdisiscrizione\b|\bcancellazione (?:dalla|dal)\b"),
    ),
    decoys=(
        r"(?:link|pulsante|pagina) (?:per|di) (?:disiscri\w*|cancella\w*)(?: non \w+)?|per sbaglio|cancellat\w per (?:sbaglio|errore)",
        r"non ricevo piu .{0,40}|\bperche\b.{0,100}|non (?:esitate|esiti|fermate|smettete).{0,20}|smettere di (?:fumare|bere)",
        r"(?:se|qualora) non (?:desidera|vuole|volete|desiderate)\b.{0,100}|per non ricevere piu\b.{0,100}|clicca qui.{0,40}|rispondi stop.{0,60}",
        r"basta (?:scuse|cosi poco)|non ho piu domande|(?:rimanere|restare|tenere|continuare) .{0,30}(?:lista|newsletter)|(?:i miei|nostri) (?:clienti|iscritti)\b.{0,40}",
    ),
    limits=r"\b(?:prima (?:di|delle|del)|oggi|domani|stasera|questa settimana|fino|durante|vecchi[oa]|dopo le)\b",
    for_ever=r"\b(?:piu|mai)\b",
    bare="cancellami|cancellatemi|disiscrizione|disiscrivimi|disiscrivetemi|cancellazione|disiscrivi|disiscrivermi",
    channels={
        "email": r"emails?|mail|posta elettronica",
        "sms": r"sms",
        "phone": r"chiam\w*|telefon\w*",
        "post": r"lettere",
        "chat": r"whatsapp|chat",
    },
    purposes=r"(?:newsletters?|pubblicita|promozion\w*|offerte|sondaggi\w*|inviti|sconti|marketing|webinar|volantini)",
    filler="per favore grazie prego stop ora ciao buongiorno subito dalla lista",
)
