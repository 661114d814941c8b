"""How long which kind of data is kept, what forgets it, and where everything personal is."""

from fairlead.retention.classes import CLASSES, DataClass
from fairlead.retention.inactive import inactive_counts, look_for_inactive, still_inactive
from fairlead.retention.jobs import carry_out
from fairlead.retention.mapping import data_map, unmapped
from fairlead.retention.model import DEFAULT, FILE, Keeping, RetentionRules, Reviewed, Silence
from fairlead.retention.parsing import check_retention, parse_retention, rules_among
from fairlead.retention.service import forget_chunk, preview

__all__ = [
    "CLASSES",
    "DEFAULT",
    "FILE",
    "DataClass",
    "Keeping",
    "RetentionRules",
    "Reviewed",
    "Silence",
    "carry_out",
    "check_retention",
    "data_map",
    "forget_chunk",
    "inactive_counts",
    "look_for_inactive",
    "parse_retention",
    "preview",
    "rules_among",
    "still_inactive",
    "unmapped",
]
