"""Whether what the rules found in a note may be shown yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead import reviews
from fairlead.api.timeline import withheld_rulings
from fairlead.checkpoints import rulings_of_case
from fairlead.playbooks import CaseState, read_case

if TYPE_CHECKING:
    from fairlead.kit.unit_of_work import Reader

NOT_RULED = (
    "It is not ruled yet whether somebody answers from the text alone, so what was found is kept back. The note shows "
    "it as soon as it may be seen."
)
ANSWERED_ALONE = "Somebody answers from the text alone, so what was found is kept back until then."


def note_withheld(reader: Reader, case_id: str) -> str:
    """Why what was found in the note of this case is kept back, as sentences; "" where it may be shown."""
    if withheld_rulings(reviews.of_case(reader, case_id)):
        return ANSWERED_ALONE
    ended = read_case(reader, case_id).state == CaseState.ENDED.value
    return "" if ended or rulings_of_case(reader, case_id) else NOT_RULED
