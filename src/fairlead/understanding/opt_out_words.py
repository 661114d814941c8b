"""How people ask not to be written to, in English: patterns over folded sentences (see `written.fold`).

`opt_out_germanic` and `opt_out_romance` hold the other languages. Capitals between two `%` stand for the word lists
of a language; all languages are tried on each sentence, since people mix them.
"""

# ruff: noqa: E501 - a pattern in one piece is read more easily than one in four
from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """Patterns of one language."""

    lists: dict[str, str]
    """What stands between `%` in the patterns."""
    wishes: tuple[tuple[str, str], ...]
    """(kind, pattern): said so plainly that nobody needs to look. Kinds: write, remove, unsubscribe, consent, peace."""
    doubtful: tuple[tuple[str, str], ...]
    """The same for what is probably such a wish: a person has a look."""
    decoys: tuple[str, ...]
    """What looks like a wish and is none; taken out of the sentence before the wishes are looked for."""
    limits: str
    """What makes "do not call me" a matter of hours or addresses."""
    for_ever: str
    """What makes it a wish for ever all the same."""
    bare: str
    """Words that are the whole message, polite words left out; separated by `|`."""
    channels: dict[str, str]
    """Channel → words for it."""
    purposes: str
    """Words for kinds of messages that one can do without."""
    filler: str
    """Polite words around a bare word."""


ENGLISH = Language(
    lists={
        "ME": r"(?:me|us|him|her|them|(?:my|our|this) (?:\w+ )?%MINE%)",
        "MINE": r"(?:number|address|phone|mobile|cell|landline|emails?|e ?mail address|inbox|mailbox|name|names|details|data|"
        r"information|info|contact|contacts|house|home|office|work|workplace|company|business|account|wife|husband|"
        r"mother|mom|mum|father|dad|parents|son|daughter|kids|children|family|staff|team|colleagues?|clients?|employees|"
        r"records?|entry|profile)",
        "MSG": r"(?:emails?|mails?|mailings?|messages?|msgs?|texts?|text messages?|sms|calls?|phone calls?|letters?|"
        r"contact|communications?|correspondence|notifications?|follow ?ups?|updates|spam|junk|mailshots?|rubbish|crap)",
        "THING": r"(?:stuff|things|anything|everything|nothing|a word|word|any of this|information)",
        "ING": r"(?:emailing|mailing|contacting|writing|messaging|msging|texting|calling|phoning|ringing|spamming|bugging|"
        r"bothering|pestering|harassing|annoying|disturbing|reaching out|following up|soliciting|hounding|chasing|"
        r"nagging|approaching|getting in touch|pinging)",
        "DO": r"(?:email|e mail|mail|contact|write|message|msg|text|call|phone|ring|spam|bug|bother|pester|harass|annoy|"
        r"disturb|approach|solicit|chase|ping|dm|reach out|follow up|get in touch|get back|come back|writ(?:e|ing) back|reply|replying|respond)",
        "NOT": r"(?:dont|do not|never|not to|not|no longer|can (?:you|u) not)",
        "MORE": r"(?:again|any ?more|any longer|further|in future|in the future|from now on|ever|now or ever)",
        "LIST": r"(?:lists?|mailing list|database|data base|system|systems|records?|mailings?|files?|books|register|"
        r"crm|distribution|directory|contacts|everything)",
    },
    wishes=(
        (
            "write",
            r"(?:stop|quit|cease|desist from|refrain from|no|end) (?:all |any |further |even )*%ING%(?: to)? (?:%ME%|people)",
        ),
        (
            "write",
            r"(?:stop|quit|cease|desist from|refrain from) (?:all |any |further )*%ING%(?: to| on)?(?= ,|\Z| in future| now| please| at once)",
        ),
        (
            "write",
            r"(?:stop|quit|cease|refrain from) (?:sending|mailing|texting|forwarding)(?: out)?(?: (?:%ME%|to %ME%))?(?: (?:any|all|more|these|those|your|ur|this|such|further|so many|out|the|\w+)){0,3} (?:%MSG%|%PURPOSE%|%THING%)",
        ),
        (
            "write",
            r"(?:stop|cease|end|halt|discontinue|no) (?:(?:all|any|every|further|these|those|more|your|ur|the|such|future) )+(?:\w+ )?(?:%MSG%|%PURPOSE%)(?! (?:delivered|with the|to the))",
        ),
        ("write", r"%NOT% (?:(?:ever|please|even|bother|try to|to|you) )*%DO%(?:ing)?(?: to| with| at)? %ME%"),
        ("write", r"%NOT% (?:(?:ever|please|even|bother|try to|to) )*%DO%(?:ing)?(?: \w+){0,3}(?: ,)? %MORE%"),
        (
            "write",
            r"%NOT% (?:(?:ever|please) )*send (?:%ME%|to %ME%) (?:(?:any|more|your|further|special|these|such|\w+) ){0,3}(?:%MSG%|%PURPOSE%|%THING%)",
        ),
        ("write", r"%NOT% (?:(?:ever|please) )*send (?:(?:any|more|further) ){1,3}(?:\w+ ){0,2}(?:%MSG%|%PURPOSE%)"),
        (
            "write",
            r"(?:\A|, |please |pls |and |want |asked for |said |is )(?:absolutely )?no (?:more|further) (?:\w+ ){0,2}(?:%MSG%|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:dont|do not|not|no longer|never|didnt) (?:really |ever |even )*(?:want|wish|care|need|like|expect|desire)(?:ing)? (?:to )?(?:(?:receive|get|have|see|read|hear) )?(?:(?:any|more|further|your|ur|these|those|the|such|all|this) )*(?:\w+ ){0,2}?(?:%MSG%(?! (?:else|to worry|wrong))|%PURPOSE%)(?: (?:from|by|of) (?:you|u|your)| %MORE%| at all| ,|\Z)",
        ),
        (
            "write",
            r"(?:dont|do not|no longer|never) (?:really |ever |even )*(?:want|wish|care|need|like)(?: to)? (?:(?:receive|get|have|see|read|hear) )?(?:any )?(?:more |further )?%THING%(?: \w+)?(?: (?:from|by|of|to do with) (?:you|u|your))",
        ),
        (
            "write",
            r"(?:dont|do not|no longer|never) (?:really |ever |even )*(?:want|wish|care) to (?:receive|get|hear) (?:any ?)?(?:more |further )?%THING%(?: (?:from|by|of) (?:you|u|your)| %MORE%| at all| ,|\Z)",
        ),
        (
            "write",
            r"(?:dont|do not|not|no longer|never) (?:really |ever )*(?:want|wish|care|like) (?:you )?to (?:be (?:contacted|called|emailed|texted|bothered|written to|approached|phoned|messaged|disturbed|on)|hear from|receive (?:it|them|this|anything)|get (?:it|them|this|anything)|(?:receive|get|see) your)",
        ),
        (
            "write",
            r"(?:dont|do not|never|no longer) want (?:to )?(?:get|receive|have|see) (?:it|them|this|these|that) (?:any ?more|any longer|again)",
        ),
        (
            "write",
            r"never (?:want to )?(?:hear|see|receive|read) (?:\w+ ){0,3}(?:from|of|your) (?:\w+ ){0,4}(?:you|again|inbox)",
        ),
        (
            "write",
            r"(?:rather|prefer(?: that)?|want|like|ask|asking|request(?: that)?|insist(?: that)?|would mind) (?:if )?you (?:to )?(?:didnt|not|stop|stopped|cease|wouldnt|never|dont|do not)(?: to)? (?:send\w*|%DO%\w*|%ING%)",
        ),
        ("write", r"(?:not|without) (?:%ING%)(?: to)? %ME%(?: any ?more| again| ever| in future)"),
        (
            "remove",
            r"(?:remove|take|delete|strike|scratch|drop|cross|erase|get|wipe|purge|leave|keep|pull|clear|count|cut|kick|knock|unlist) (?:%ME%|it|this) (?:\w+ ){0,2}?(?:off|from|out of|out|outta)(?: of)?(?: (?:this|your|ur|the|all|any|every|whatever|future|those|these|our))*(?: \w+){0,2}? (?:%LIST%|%PURPOSE%|%MSG%)",
        ),
        (
            "remove",
            r"(?:remove|delete|erase|wipe|purge|strike|drop) (?:me|us|all (?:of )?my (?:\w+ )?data|my (?:personal )?(?:data|details|number|contact details|information|info|contact)|this (?:number|address|email|contact))(?= ,|\Z| from| now| and| immediately| asap| at once| please| pls)",
        ),
        (
            "remove",
            r"(?:take|get|strike|cross|cut) (?:me|us|my (?:name|number|address|email)) off(?= ,|\Z| now| asap| this| your| ur| the| all| any)",
        ),
        (
            "remove",
            r"(?:be|get|been) (?:removed|taken|tak\w{1,3}|deleted|struck|dropped|unsubscribed|opted out|left out|unlisted|crossed)(?: off| out| from| of)* (?:this|your|ur|the|all|any|every|future)",
        ),
        (
            "remove",
            r"(?:off|out of|from) (?:of )?(?:this|your|ur) (?:\w+ )?(?:lists?|mailing list|database|mailings|distribution)(?: \w+){0,3}\Z",
        ),
        (
            "remove",
            r"(?:how|way|want|like|need|can i|let me|get me) (?:\w+ ){0,4}(?:off|out of) (?:of )?(?:this|your|the) (?:\w+ )?list",
        ),
        (
            "remove",
            r"(?:add|put) (?:me|us|my \w+|this \w+) (?:on|to|onto) (?:\w+ )?(?:do not (?:contact|call|mail|email|text|disturb)|no contact|no call|suppression|block|black)",
        ),
        ("unsubscribe", r"unsubscribe (?:me|us|my|this|please|now|from|the \w+|all|immediately|at once)"),
        (
            "unsubscribe",
            r"(?:how|want|wanna|like|wish|need|please|pls|can i|request|where|let me|try|trying|asked|tried|to be|way|hereby) (?:\w+ ){0,4}unsubscribed?",
        ),
        (
            "unsubscribe",
            r"(?:have |ve |already )(?:already )?(?:unsubscribed|opted out) (?:\w+ ){0,6}(?:times|twice|thrice|still|but|again|before)",
        ),
        (
            "unsubscribe",
            r"opt(?:ing)? (?:me |us )?out(?: (?:of|from) (?:(?:all|any|every|your|this|these|the|receiving|future|further|\w+) ){0,3}(?:%LIST%|%MSG%|%PURPOSE%|marketing|communications?)|(?= ,|\Z| please| now| of all| of everything))",
        ),
        (
            "unsubscribe",
            r"(?:unsubscribe|cancel|stop|end|turn off|switch off|disable|drop|skip|quit|discontinue|enough with|halt|kill|deactivate|suspend) (?:\w+ ){0,3}?(?:newsletters?|digests?|marketing|promos?|promotion\w*|ads|advert\w*|mailings?)",
        ),
        (
            "unsubscribe",
            r"(?:unsubscribe from|stop|turn off|switch off|disable|discontinue|enough with|enough of|halt|no more) (?:\w+ ){0,3}?%PURPOSE%",
        ),
        ("unsubscribe", r"(?:unsubscribe|drop|skip|exclude) (?:me|us) (?:from|out of) (?:\w+ ){0,3}%PURPOSE%"),
        (
            "consent",
            r"(?:revoke|withdraw|rescind|retract|cancel|revoking|withdrawing|end) (?:(?:my|all|any|our|the|every|prior|previous|of) )+(?:consents?|permissions?|authori[sz]ations?|opt in)",
        ),
        (
            "consent",
            r"object to (?:(?:any|all|the|your|further) )*(?:processing|use|usage|using|storage) .{0,25}\b(?:my|our)\b",
        ),
        (
            "peace",
            r"(?:leave|let) (?:me|us) (?:alone|be|the hell alone|in peace|the fuck alone|out of it)(?! (?:able|the))",
        ),
        (
            "peace",
            r"(?:lose|forget|delete|erase|burn|bin) (?:my|this) (?:number|phone|email|address|contact)(?! and| ,? ?use)",
        ),
        (
            "peace",
            r"forget (?:me|us|about me|about us|you ever|(?:that )?i (?:ever )?exist\w*|my (?:name|number|email|address))",
        ),
        (
            "peace",
            r"(?:\A|, |please |just )(?:get lost|go away)(?= ,|\Z| now| and)|stay off my|(?:stay|keep) away from (?:me|us|my)|(?:get|stay|keep) out of my (?:inbox|life|phone|mailbox)",
        ),
        (
            "peace",
            r"(?:count me out|i want out|not stay in touch|get off my (?:back|case)|never hear from (?:you|u)|quit (?:bugging|it with))",
        ),
        ("peace", r"(?:stop|quit) (?:bugging|hassling|hounding|stalking) (?:me|us)"),
    ),
    doubtful=(
        (
            "peace",
            r"(?:this is (?:\w+ )?(?:harassment|spam)|(?:harassing|spamming) (?:me|us)|you (?:are|re) (?:\w+ )?spam\w*|report(?:ing)? (?:you|u)|(?:fuck|piss|bugger|sod|buzz|f) off|(?:will|going to|have|am) block(?:ed|ing)? (?:you|u|this number)|\Ablock(?:ing|ed)? (?:you|u)|mark(?:ing|ed)? (?:you|this|it|them) as (?:spam|junk))",
        ),
        (
            "peace",
            r"(?:i (?:expect|want|demand|wish for) (?:\w+ )?silence|not (?:one|a single|another) more (?:word|message|mail|email|text|call)|not another (?:word|message|mail|email|text|call))",
        ),
        (
            "peace",
            r"(?:what|how|any way|anything) .{0,60}(?:never (?:to )?hear|make (?:it|this|these|them|you|u) (?:\w+ )?(?:stop|end|go away)|get rid of (?:you|u|these)|make .{0,25}stop|(?:get|make) (?:you|u) to stop)",
        ),
        (
            "peace",
            r"any (?:further|more|other|additional) (?:message|contact|mail|email|call|text|word)s? (?:\w+ ){0,3}(?:goes|will|is|are|shall|would)",
        ),
        (
            "peace",
            r"(?:nothing (?:more |further |left )?to (?:say|discuss|talk about) (?:to|with) (?:you|u|each)|had it with (?:you|u|these|this|your)|had enough of (?:you|u|your|these|this)|sick (?:and tired )?of (?:you|u|your (?:\w+ )?(?:mails|emails|messages|texts|calls))|fed up with (?:you|your|these))",
        ),
        (
            "peace",
            r"\A(?:(?:please|pls|ok|just|right|and|hey) )?(?:enough(?: already| is enough| now| please)?|knock it off|cut it out|quit it|give it a rest|take a hint .{0,20}|stop (?:it|this|that|doing this)(?: now| please)?|no more(?: please| pls| now| thanks)?|end this|spare (?:me|us)|stopsign(?: \w+){0,6})\Z",
        ),
        ("peace", r"\A(?:stop|stopsign)(?: \w+){0,2} (?:i never|never|i didnt|i did not|who gave)"),
        (
            "peace",
            r"(?:not bothering (?:me|us)|no more stopsign|(?:not|nt) interested (?:, )?(?:and )?(?:please )?(?:dont|do not|stop|never)|wrong (?:person|number) (?:, )?(?:stop|delete|remove|take))",
        ),
        (
            "write",
            r"(?:spare|save) (?:me|us|yourself|yourselves|ur ?self)\b.{0,40}(?:%MSG%|%PURPOSE%|writing|calling|trouble|effort)",
        ),
        (
            "write",
            r"(?:stop|cease|discontinu\w*|exclude\w*|refus\w*|no wish|not interested in|unwanted|without|chill with|against|decline\w*|prefer no|tired of|free of|block\w*|enough|keep|unwelcome|never) (?:\w+ ){0,4}?(?:your|ur|any|further|more|these|all|future|such|this) (?:\w+ ){0,2}(?:%MSG%|%PURPOSE%)",
        ),
        (
            "write",
            r"(?:stop|cease|discontinue|halt|end|avoid|\Ano|please no|pls no|no further|no more) (?:further |all |any |more |the |your |this )?(?:contact|contacts|correspondence|communications?|mailings?|mailing|messaging|texting|calling|emailing|spam\w*)\b",
        ),
        (
            "write",
            r"(?:your|ur|these|those|further|more|such) (?:\w+ )?(?:%MSG%|%PURPOSE%) (?:\w+ ){0,3}(?:has to go|must go|got to go|unwelcome|unwanted|annoy\w*|not wanted|not welcome|undesired|bother\w*|not required|not needed|have to stop|must stop|stop)",
        ),
        (
            "write",
            r"(?:be|was|were|as) (?:your|the) (?:very )?last (?:message|email|mail|text|call|letter)|(?:your|the) (?:very )?last (?:message|email|mail|text|call) (?:to me|to us|ever)",
        ),
        (
            "write",
            r"(?:didnt|dont|not|never) (?:ever )?(?:hear|heard) (?:\w+ ){0,2}from (?:you|u)\b|(?:dont|do not|didnt) (?:wish|want|like) to be (?:pestered|bothered|contacted|called|approached|spammed)\b",
        ),
        (
            "remove",
            r"\b(?:delist|unlist|deregister|blacklist|blocklist|unenroll)\w* (?:me|us|my|this)|(?:block|suppress|discard|purge) (?:my|this|our) (?:%MINE%|details)",
        ),
        (
            "remove",
            r"(?:never|not|didnt|dont) (?:\w+ ){0,3}(?:agree\w*|ask\w*|sign\w*|subscrib\w*|consent\w*|opt|opted) .{0,25}(?:list|mails?|emails?|messages|texts|contact\w*|this)\b",
        ),
        (
            "remove",
            r"(?:address|number|email|mailbox|phone) (?:\w+ ){0,2}(?:no longer|not) (?:to )?be (?:used|contacted|written|called)",
        ),
        ("remove", r"(?:get|take|pull|strike) (?:me|us) off\b|(?:be|me) on (?:your|this) list\b"),
        (
            "write",
            r"(?:so kind as to|please|kindly|ask you) (?:\w+ )?not (?:to )?(?:send|contact|call|write|email|text|message)",
        ),
        (
            "write",
            r"dont (?:phone|call|write|text|email) , dont|(?:chill|stop it|easy) with (?:the|these|your|all the) (?:\w+ )?(?:%MSG%|voicemails?)",
        ),
        (
            "write",
            r"(?:turn|switch|shut) (?:\w+ ){0,2}?(?:%MSG%|notifications?) off\b|(?:turn|switch|shut) off (?:\w+ ){0,2}?(?:%MSG%)",
        ),
        (
            "write",
            r"(?:nobody|no one|none of us|none of you|no point|no use|no need)\b(?: \w+){0,6} (?:wants?|needs?|reads?|contacts?|writes?|calls?|sending|writing|calling|%MSG%|%PURPOSE%)(?: \w+){0,3} (?:your|you|me|us|%MSG%|%PURPOSE%|catalogues?)",
        ),
        (
            "write",
            r"(?:unsolicited|unwanted|unasked) (?:\w+ )?(?:%MSG%|%PURPOSE%|advertising)|(?:does not|doesnt|do not|dont) accept (?:\w+ )?(?:%PURPOSE%|advertising|solicit\w*)|declin\w* (?:\w+ )?(?:future|further|any) (?:\w+ )?(?:%MSG%|outreach|solicit\w*)",
        ),
        (
            "consent",
            r"(?:dont|do not|didnt|never) (?:\w+ ){0,3}(?:permission|consent|authori[sz]\w*|agree\w*) (?:\w+ ){0,4}(?:write|contact|call|email|text|use|send|me|us)",
        ),
        (
            "remove",
            r"(?:who gave (?:you|u)|where did (?:you|u) get|how did (?:you|u) get) (?:\w+ )?(?:my|our|this)|(?:number|address|email) (?:\w+ ){0,2}belongs to",
        ),
        (
            "peace",
            r"(?:(?:many times|often|must i|have to|already|i ve|i) (?:must |do )?(?:i )?(?:have to )?(?:said|say|saying) no(?= ,|\Z| already| more| to you)|the word no)\b|respect my (?:privacy|wish\w*)|\A(?:\w+ )?make it stop\Z|\A(?:\w+ ){0,3}, stop\Z|i m out(?= , bye|\Z)|(?:do|must) i (?:have to )?(?:block|report) (?:you|u)|regulator|ombudsman|\bstay silent",
        ),
        (
            "write",
            r"(?:stop|quit|cease) sending (?:me|us|her|him|them)(?! (?:the|my|our) (?:wrong|broken|old|empty|half))",
        ),
        ("write", r"(?:would|could|can) you (?:\w+ )?(?:not|stop|refrain|cease) (?:\w+ ){0,2}(?:%ING%|%DO%|contact)"),
        (
            "peace",
            r"(?:\A|, )(?:please |pls |so |just |now |ok )?stop(?: please| pls| now| it| this)?\Z|not your billboard|mails?.{0,60}\bno (?:fourth|fifth|sixth|more)",
        ),
        ("unsubscribe", r"\bunsubscribed?\b|\bopt out of (?:everything|all|your|these|this)\b"),
        (
            "consent",
            r"(?:article|art|section) (?:17|21) .{0,30}(?:gdpr|dsgvo|rgpd)|right to be forgotten|gdpr (?:erasure|deletion)",
        ),
    ),
    decoys=(
        r"(?:quit|stop|stopping|quitting) (?:smoking|drinking|vaping|gambling)",
        r"(?:bus|tram|train|next|last|first|emergency|full|pit|whistle) stops?\b|stop (?:by|at|over|in at|off at|sign|button|light|watch)|non stop|door stop",
        r"\b(?:dont|do not|never|please dont|wont|not) (?:want (?:you )?to |ever )*(?:stop|quit|unsubscribe|cancel|remove me|take me off|opt me out|hesitate)(?: (?:sending|texting|emailing|calling|writing|contacting|me|us))*",
        r"unsubscribe (?:link|button|page|option|footer|rate|rates|text|url|header|function|form|feature|flow)|(?:opt out|opt in) (?:rate|rates|link|page|form|forms|option|text|and|or)|double opt (?:in|out)",
        r"(?:accidentally|by mistake|by accident|mistakenly|unintentionally|wrongly) (?:\w+ )?(?:unsubscribed|opted out|removed)|unsubscribed (?:\w+ ){0,3}(?:by mistake|by accident|accidentally)|never unsubscribed",
        r"(?:my|our) (?:own )?(?:customers?|clients?|subscribers?|users?|recipients?|readers?|contacts?|shop) .{0,40}(?:unsubscribe|opt out|stop)\w*",
        r"(?:if|unless|when) you (?:\w+ )?(?:no longer|dont|do not|would rather not|are not|arent|wish to stop) .{0,120}",
        r"(?:to|you can|you may) (?:unsubscribe|opt out|stop receiving|stop these|be removed|manage your preferences)\b.{0,60}(?:click|reply|here|visit|text|send|below|link)?.{0,40}",
        r"(?:reply|text|send|answer|replying|says?) (?:with )?stop (?:to|for|if)\b.{0,60}|reply stop|unsubscribe here",
        r"(?:havent|have not|didnt|did not|hasnt|not|never) (?:been )?(?:received?|receiving|gotten|get|getting|got) .{0,50}",
        r"(?:get|got|getting|receive|received|receiving) no more .{0,30}",
        r"no (?:more|further) (?:questions?|excuses?|comments?|changes?|objections?|stock|room|time)",
        r"(?:dont|do not) (?:contact|inform|notify) the sender|opt out of the (?:meeting|call|warranty|insurance|event|course|trip|dinner|workshop|extended \w+)",
        r"(?:love|like|want|happy|glad|please keep|keep) (?:\w+ )?(?:to )?(?:stay|remain|be kept|me|us) on (?:your|the) list",
        r"leave (?:me|us) (?:a|an|your|the) \w+|take me (?:through|to|with|back|along|there)|get back to you",
        r"(?:customer|client|someone|somebody|colleague|friend|he|she|they) (?:\w+ )?(?:told|said|wrote|answered|replied|asked) (?:us |me |that |to our \w+ )?.{0,80}",
        r"(?:dont|do not) (?:bother|worry) (?:about|with) \w+|nobody (?:has )?(?:contact|call|wr[io]t)\w*|why .{0,80}",
        r"(?:dont|do not) reply to this (?:address|email|message)|(?:dont|do not|never) forget|(?:promo|promotion|discount|coupon|voucher) (?:codes?|price)",
        r"(?:wont|doesnt|not|didnt|never) go away|call(?:ing)? (?:me|us) (?:mr|mrs|ms|miss|sir|madam|dr|\w+ (?:and from now|instead))|call (?:the|them|my) (?:mobile|office|cell)",
    ),
    limits=r"\b(?:before|until|till|today|tonight|tomorrow|this (?:week|morning|afternoon|evening)|right now|at the moment|between|during|at work|at home|while|after \d|after (?:six|seven|eight|nine|ten|five|lunch)|on (?:mon|tues|wednes|thurs|fri|satur|sun)days?|old (?:address|email|number)|instead of|yet|by my|mr|mrs|names)\b",
    for_ever=r"\b(?:again|any ?more|anymore|any longer|ever|never|in future|from now on|further|for good|permanently)\b",
    bare="stop|unsubscribe|optout|opt out|opt me out|stopall|stop all|stop stop stop|stop stop|stpo|sotp|remove|remove me|take me off|leave me alone|delete me|unsub",
    channels={
        "email": r"emails?|emailing|emailed|mails|inbox",
        "sms": r"sms|texts?|texting|texted|text messages?",
        "phone": r"calls?|calling|called|phone|phoning|phoned|ring|ringing|telephone|phone calls?",
        "post": r"letters?|post|postal|catalogues?|catalogs?|by mail",
        "chat": r"chat|whatsapp|dms?",
    },
    purposes=r"(?:newsletters?|digests?|marketing|advertising|advertisements?|adverts?|ads|promos?|promotions?|promotional|offers|deals|coupons?|vouchers?|surveys?|questionnaires?|webinars?|invitations|invites|sales (?:pitch(?:es)?|calls?|mails?|emails?|messages?)|pitch(?:es)?|direct marketing|marketing stuff|solicitations?|product news|campaigns|special offers?|event (?:mails?|invitations?))",
    filler="please pls plz thanks thank you thx now hi hello hey all it this me immediately asap ok kindly so just i say said now reply team dear sir madam regards best yes",
)
