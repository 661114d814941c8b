"""Past leads as a score learns from them: each row goes through the same reading and checking as a new lead's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.errors import InputError
from fairlead.sales.facts import lead_facts
from fairlead.sales.file_rows import checked_rows
from fairlead.sales.intake import LeadDraft, LeadField
from fairlead.sales.lead_files import LeadFile
from fairlead.understanding import History, HistoryBuilder

IDENTITY: Mapping[str, str] = {
    "name": "it names the lead; who somebody is says nothing about the next one",
    "first_name": "it names the lead; who somebody is says nothing about the next one",
    "last_name": "it names the lead; who somebody is says nothing about the next one",
    "external_id": "it is the lead's id elsewhere",
}
"""Facts that say who a lead is, and why no score learns from them."""


def labels_of(file: LeadFile) -> dict[str, str]:
    """Fact → the file's name of the column that feeds it, for every column that becomes a fact."""
    mapping = file.mapping
    draft = LeadDraft(0, {}, dict.fromkeys(mapping.unmapped, ""), None, "", None, (), "", ())
    found = dict(zip(lead_facts(draft, ""), mapping.unmapped, strict=False))
    left_out = {LeadField.OUTCOME, LeadField.CURRENCY}
    return {guess.field.value: guess.column for guess in mapping.guesses if guess.field not in left_out} | found


def read_history(
    file: LeadFile, *, positive: str = "", progress: Callable[[int], None] = lambda _: None
) -> tuple[History, int]:
    """Every row with its outcome as columns by fact, and how many rows could not be read.

    `file` was opened with its outcome column mapped. InputError when the outcomes cannot be told apart;
    `positive` says which one counts as converted.
    """
    outcome = file.mapping.outcome
    if outcome is None:
        message = "no column tells what became of the leads; name it with --outcome COL"
        raise InputError(message, code="no_outcome")
    builder = HistoryBuilder(labels_of(file), outcome, frozenset(file.mapping.late), positive=positive)
    unreadable = 0
    for row in checked_rows(file, progress):
        if isinstance(row, LeadDraft):
            builder.add(lead_facts(row, file.currency), row.outcome, row.fingerprint)
        else:
            unreadable += 1
    return builder.build(), unreadable
