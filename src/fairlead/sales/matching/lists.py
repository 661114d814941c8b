# ruff: noqa: RUF001  letters of other alphabets are what this is about
"""Word lists for names: legal forms, countries in names, words that many names share, free mailboxes."""

from __future__ import annotations

# Canonical form: how it is written once case, accents and dots are gone; several words for one form.
_FORMS = {
    "gmbh": "gmbh|mbh|gesmbh|ges mbh|gesellschaft mbh|gesellschaft mit beschrankter haftung|ggmbh|gmbh and co kg"
            "|gmbh co kg|gmbh and co kgaa|gmbh and co ohg|gmbhcokg|gmbh co|gmbh and co",
    "ag": "ag|aktiengesellschaft|se and co kgaa|kgaa|ag and co kg|ag and co kgaa",
    "ug": "ug|ug haftungsbeschrankt|ug and co kg",
    "kg": "kg|kommanditgesellschaft|ohg|gbr|ek|e k|e kfr|eg|ev|e v|ekfm",
    "ltd": "ltd|limited|ltd co|co ltd|company limited|co limited|pty ltd|pty limited|pte ltd|pte limited|pvt ltd"
           "|private limited|pvt limited|proprietary limited|unlimited|dac|sdn bhd|bhd|berhad|proprietary",
    "plc": "plc|public limited company",
    "llc": "llc|l l c|limited liability company|pllc|ooo|ооо|тов|too",
    "llp": "llp|lp|limited partnership|limited liability partnership|pllp",
    "inc": "inc|incorporated|corp|corporation|co|company|cos|pc|pbc|companies|ltee|enr",
    "sa": "sa|s a|societe anonyme|sociedad anonima|sociedade anonima|soc an|sas|s a s|sasu|sab|sa de cv|sab de cv"
          "|s a de c v|sapi de cv|saic|sae|saa|scs|sca|snc|s en c|eurl|sci|scop",
    "sarl": "sarl|s a r l|a r l|societe a responsabilite limitee|sarlu",
    "srl": "srl|s r l|srls|s r l s|societa a responsabilita limitata|sociedad de responsabilidad limitada|unipersonale",
    "spa": "spa|s p a|societa per azioni|sas di|sapa",
    "sl": "sl|s l|slu|s l u|sociedad limitada|sll|s de rl|s de rl de cv|s de r l de c v",
    "lda": "lda|limitada|ltda|eireli|epp",
    "bv": "bv|b v|besloten vennootschap|bvba|b v b a|vof|cv|nv|n v|naamloze vennootschap|comm v|cvba|srl bv",
    "ab": "ab|aktiebolag|publ|ab publ|hb|handelsbolag|kb",
    "oy": "oy|oyj|osakeyhtio|oy ab|oyj abp|abp|ky|tmi",
    "as": "as|a s|aps|aktieselskab|anpartsselskab|asa|aksjeselskap|i s|p s|k s|ivs|enk|ans|da",
    "ehf": "ehf|hf|ohf",
    "sp": "sp z oo|sp z o o|spolka z oo|spolka z ograniczona odpowiedzialnoscia|sp j|sp k|sp zoo|spzoo|psa"
          "|spolka akcyjna|sp z oo sp k|sp z o o sp k",
    "sro": "sro|s r o|spol s r o|spol sro|as cz|vos|v o s",
    "kft": "kft|korlatolt felelossegu tarsasag|zrt|nyrt|bt|rt",
    "doo": "doo|d o o|dooel|dd|d d|jdoo|j d o o|ad|eood|ood|ead|еоод|оод|ад|sh p k|shpk",
    "uab": "uab|ou|osauhing|sia|as ee|mb",
    "ike": "ike|epe|ae|a e|ι κ ε|α ε|ε π ε",
    "as tr": "anonim sirketi|limited sirketi|a s tr|ltd sti|san ve tic|san ve tic as|san ve tic ltd sti|tic ltd sti",
    "kk": "kk|k k|kabushiki kaisha|kabushiki gaisha|株式会社|(株)|㈱|godo kaisha|gk|合同会社|有限会社",
    "cn": "有限公司|股份有限公司|有限责任公司|co ltd cn",
    "kr": "주식회사|(주)|㈜",
    "oao": "oao|pao|zao|ao|оао|пао|зао|ао|ип|ip",
    "pt": "pt|pt tbk|tbk|cv id|jsc|ojsc|pjsc|cjsc|fze|fz llc|fzco|wll|saoc|saog|ksc|kscp|llc fz",
    "se": "se|societas europaea|sce|eeig|ewiv",
    "cc": "cc|npc|soc ltd",
    "il": "בעמ",
}  # fmt: skip


def words(listed: str) -> frozenset[str]:
    """The words of a list that is written with blanks between them."""
    return frozenset(listed.split())


LEGAL_FORMS: dict[tuple[str, ...], str] = {
    tuple(written.split()): form for form, spelled in _FORMS.items() for written in spelled.split("|")
}
"""The words of a legal form → its canonical name."""

LEADING_FORMS = frozenset({"ooo", "ооо", "oao", "оао", "pao", "пао", "zao", "зао", "ип", "pt", "株式会社", "有限会社"})
"""Forms that also stand before the name."""

GLUED_FORMS = (
    "株式会社", "有限会社", "合同会社", "股份有限公司", "有限责任公司", "有限公司", "주식회사",
    "㈱", "(株)", "㈜", "(주)",
)  # fmt: skip
"""Forms that are written without a blank between them and the name."""

JOINERS = frozenset({"and", "und", "et", "och", "og", "ja", "y", "e", "en", "the", "der", "die", "das", "la", "le",
                     "les", "los", "el", "of", "de", "di", "do", "da", "del", "fur", "for"})  # fmt: skip
"""Words that names have or lack without becoming others."""

_GEO = {
    "de": "deutschland germany german deutsche", "at": "osterreich austria",
    "ch": "schweiz suisse svizzera switzerland",
    "uk": "uk britain british england", "us": "usa us america american", "fr": "france french francaise",
    "it": "italia italy italiana", "es": "espana spain iberia iberica", "pt": "portugal",
    "nl": "nederland netherlands holland", "be": "belgium belgie belgique benelux",
    "se": "sverige sweden", "no": "norge norway",
    "dk": "danmark denmark", "fi": "suomi finland", "nordic": "nordic nordics scandinavia", "pl": "polska poland",
    "cz": "cesko czech", "hu": "magyarorszag hungary", "ro": "romania", "gr": "hellas greece", "tr": "turkiye turkey",
    "ru": "russia rossiya", "ca": "canada", "mx": "mexico", "br": "brasil brazil", "ar": "argentina", "cn": "china",
    "jp": "japan nippon", "kr": "korea", "in": "india", "au": "australia", "nz": "zealand", "sg": "singapore",
    "ie": "ireland", "ae": "emirates dubai", "za": "africa", "eu": "europe europa emea", "asia": "asia apac",
}  # fmt: skip
GEO: dict[str, str] = {word: place for place, spelled in _GEO.items() for word in spelled.split()}
"""Words in names that say where → one code for each place."""

GENERIC = words(
    "group gruppe groupe holding holdings international global worldwide solution services service systems system "
    "technology technologies technologie technologien tech consulting consultants beratung partner partners trading "
    "handel handels industries industrie industrial management capital invest investment investments finance financial "
    "bank versicherung insurance logistics logistik transport transporte energy energie media digital software data "
    "labs studio studios design marketing agency agentur construction bau immobilien estate properties medical health "
    "healthcare pharma foods food hotel restaurant shop store stores retail automotive auto electric electronics "
    "elektronik engineering maschinenbau tools werkzeuge products produkte enterprises enterprise ventures associates "
    "brothers bros sons sohne company corporation network networks security mobility design print druck"
)
"""Words that so many names share that they say little."""

SHORT_FOR = {
    "intl": "international", "int": "international", "tech": "technologies", "technology": "technologies",
    "technologie": "technologies", "technologien": "technologies", "mfg": "manufacturing", "svcs": "services",
    "svc": "services", "service": "services", "mgmt": "management", "grp": "group", "gruppe": "group",
    "groupe": "group", "hldg": "holding", "hldgs": "holding", "holdings": "holding", "assoc": "associates",
    "bros": "brothers", "gebr": "brothers", "gebruder": "brothers", "sys": "systems", "system": "systems",
    "eng": "engineering", "ind": "industries", "inds": "industries", "industrie": "industries", "log": "logistics",
    "logistik": "logistics", "dist": "distribution", "pharm": "pharma", "soln": "solutions", "solns": "solutions",
    "solution": "solutions", "partner": "partners", "maschb": "maschinenbau", "elektr": "electric", "st": "saint",
    "sankt": "saint", "univ": "university",
}  # fmt: skip
"""Abbreviations and variants in names → one spelling."""

FREE_MAILBOXES = words(
    "gmail googlemail hotmail outlook live msn yahoo ymail rocketmail aol icloud me mac gmx web freenet arcor mail "
    "email t-online 1und1 posteo mailbox proton protonmail pm tutanota fastmail zoho yandex ya rambler bk inbox list "
    "qq 163 126 sina foxmail naver daum hanmail orange wanadoo free laposte sfr libero virgilio tiscali alice "
    "bluewin hispeed telia comcast verizon att sbcglobal btinternet sky talktalk xs4all ziggo kpnmail seznam wp o2 "
    "onet interia uol bol terra rediffmail"
)
"""First labels of domains at which anybody gets a mailbox."""
