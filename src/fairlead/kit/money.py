"""Money: how many decimal places a currency's minor unit has (ISO 4217)."""

from __future__ import annotations

_WHOLE_ONLY = frozenset(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    )
)
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def currency_exponent(currency: str) -> int:
    """Decimal places of the minor unit: 0, 2 or 3; 2 for a code that is not known."""
    if currency in _WHOLE_ONLY:
        return 0
    return 3 if currency in _THOUSANDTHS else 2
