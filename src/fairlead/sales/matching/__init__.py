"""Duplicates among customers: found by rules that explain themselves, merged only by a decision."""

from fairlead.sales.matching.jobs import find_duplicates, search_if_asked
from fairlead.sales.matching.search import Search, SearchProgress
from fairlead.sales.matching.service import ask_search, undo_merge
from fairlead.sales.matching.steps import STEPS
from fairlead.sales.matching.store import pair_counts, pairs_page

__all__ = [
    "STEPS",
    "Search",
    "SearchProgress",
    "ask_search",
    "find_duplicates",
    "pair_counts",
    "pairs_page",
    "search_if_asked",
    "undo_merge",
]
