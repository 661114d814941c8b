"""Files that are sent in, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.sales.intake import (
    ColumnMapping,
    FileShape,
)


@dataclass(frozen=True, slots=True)
class Upload:
    """What is known of an uploaded file before anything of it is stored."""

    name: str
    digest: str
    size: int
    playbook: str
    shape: FileShape
    mapping: ColumnMapping
    country: str
    confirmed: bool
    """Whoever sent it said what its columns mean."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What whoever sends a file in says about it."""

    name: str
    playbook: str
    maps: Sequence[str] = ()
    """`field=column`, as a person writes them."""
    country: str = ""
    forget: bool = False
    """Guess, whatever was said about files with these columns before."""
    start: bool = True
    """False: it waits as a draft until a person has looked at its columns."""
