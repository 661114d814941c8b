"""Identity checks: a one-time code to an address that a customer has, before account facts are spoken of."""

from fairlead.identity.model import (
    CHANNELS,
    CHECK_FOR,
    CODE_FOR,
    DIGITS,
    Asked,
    Outcome,
    Tried,
)
from fairlead.identity.reading import open_code
from fairlead.identity.service import PURPOSE, ask_code, confirm_code

__all__ = [
    "CHANNELS",
    "CHECK_FOR",
    "CODE_FOR",
    "DIGITS",
    "PURPOSE",
    "Asked",
    "Outcome",
    "Tried",
    "ask_code",
    "confirm_code",
    "open_code",
]
