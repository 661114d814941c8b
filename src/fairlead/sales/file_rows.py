"""Rows of a file of leads, each understood or unreadable."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from fairlead.sales.facts import all_problems, scoped
from fairlead.sales.intake import (
    LeadDraft,
    Profile,
    Row,
    Unreadable,
)
from fairlead.sales.lead_files import LeadFile

ROWS_AT_ONCE = 500


Checked = LeadDraft | Unreadable


def checked_rows(file: LeadFile, progress: Callable[[int], None], profile: Profile | None = None) -> Iterator[Checked]:
    """Every row of the file, understood or unreadable; `progress` gets the bytes read so far.

    `profile` counts along what the file's data are like.
    """
    judge, name = file.checker.judge, file.name
    items = iter(file.reader)
    while some := list(itertools.islice(items, ROWS_AT_ONCE)):
        progress(file.reader.bytes_read)
        judged = [judge(item) if isinstance(item, Row) else item for item in some]
        if profile is not None:
            both = zip(some, judged, strict=True)
            profile.add_rows([row for row, one in both if isinstance(row, Row) and isinstance(one, LeadDraft)])
        for checked in judged:
            if isinstance(checked, LeadDraft) and checked.identities:
                checked = scoped(checked, name)  # noqa: PLW2901
            if profile is not None:
                profile.add(checked, all_problems(checked, file.currency) if isinstance(checked, LeadDraft) else None)
            yield checked


def batches(rows: Iterator[Checked], size: Callable[[], int]) -> Iterator[list[Checked]]:
    """Rows in batches of whatever `size` says at that moment."""
    while batch := list(itertools.islice(rows, size())):
        yield batch
