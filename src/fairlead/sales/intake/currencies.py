"""Currencies by code, sign or word."""

from __future__ import annotations

from fairlead.sales.intake.words import word_set

CURRENCIES = word_set("""
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF
    XPF YER ZAR ZMW ZWL""")
"""ISO 4217 codes of money in circulation; funds and metals are left out."""
SHARED_SIGNS = frozenset("$¥")
"""Signs that several currencies use; a currency column beside them is believed."""
KRONA = "KR"
"""What `kr` reads as: the sign of the four currencies of KRONA_CODES."""
KRONA_CODES = frozenset({"SEK", "NOK", "DKK", "ISK"})
_SIGNS = {
    "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "zł": "PLN", "₹": "INR", "₺": "TRY", "₩": "KRW", "₽": "RUB",
    "₪": "ILS", "₫": "VND", "₴": "UAH", "₦": "NGN", "฿": "THB", "₱": "PHP", "円": "JPY", "元": "CNY", "Kč": "CZK",
    "Ft": "HUF", "лв": "BGN",
}  # fmt: skip
_WORDS = {
    "euro": "EUR", "euros": "EUR", "eur.": "EUR", "us$": "USD", "usd$": "USD", "dollar": "USD", "dollars": "USD",
    "pounds": "GBP", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD",
    "mx$": "MXN", "r$": "BRL", "fr": "CHF", "fr.": "CHF", "sfr": "CHF", "sfr.": "CHF", "lei": "RON", "rs": "INR",
    "rs.": "INR", "kr": KRONA, "kr.": KRONA,
}  # fmt: skip


def currency_of(text: str) -> str | None:
    """ISO 4217 code for a code, sign or word, None when it is none of them.

    `$` is USD, `¥` is JPY; `kr` is KRONA, which the reader has to settle.
    """
    word = text.strip()
    upper = word.upper()
    if upper in CURRENCIES:
        return upper
    return _SIGNS.get(word) or _WORDS.get(word.lower())
