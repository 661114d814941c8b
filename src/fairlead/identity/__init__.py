"""Identity checks: a one-time code to an address that a customer has, before account facts are spoken of."""

from fairlead.identity.model import (
    CHANNELS,
    CHECK_FOR,
    CODE_FOR,
    DIGITS,
    Asked,
    Checked,
    Level,
    Outcome,
    Tried,
)
from fairlead.identity.reading import checked, checks_of, open_code
from fairlead.identity.service import PURPOSE, ask_code, confirm_code

__all__ = [
    "CHANNELS",
    "CHECK_FOR",
    "CODE_FOR",
    "DIGITS",
    "PURPOSE",
    "Asked",
    "Checked",
    "Level",
    "Outcome",
    "Tried",
    "ask_code",
    "checked",
    "checks_of",
    "confirm_code",
    "open_code",
]
