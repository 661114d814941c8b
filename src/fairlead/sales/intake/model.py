"""What the lead import passes around: rows of a file, the columns it understood, and drafts of leads.

Nothing here reads a file or a clock. A file becomes `Row | Unreadable` (reading), its header becomes a
`ColumnMapping` (mapping), and a row with a mapping becomes a `LeadDraft` (checking).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from fairlead.sales.intake.dates import DateStyle

SEPARATED, JSON_LINES, JSON_ARRAY, PARQUET = "separated", "json-lines", "json-array", "parquet"
HIGH, MEDIUM = 0.9, 0.65


class LeadField(StrEnum):
    """A fact about a lead that Fairlead knows by name; every other column is kept as an attribute."""

    EXTERNAL_ID = "external_id"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"
    COMPANY = "company"
    JOB_TITLE = "job_title"
    COUNTRY = "country"
    REGION = "region"
    POSTAL_CODE = "postal_code"
    LANGUAGE = "language"
    SOURCE = "source"
    VALUE = "value"
    CURRENCY = "currency"
    EMPLOYEES = "employees"
    INDUSTRY = "industry"
    CREATED_AT = "created_at"
    NOTE = "note"
    CONSENT = "consent"
    AGE = "age"
    OUTCOME = "outcome"
    """What became of the lead. Kept apart from the facts, because a score that sees it learns to cheat."""


class Row(NamedTuple):
    """One record with exactly as many cells as the header has columns."""

    number: int
    """Line of the file, from 1, on which the record starts; the header counts. In a JSON array and in Parquet,
    which have no lines of their own, the number of the record, from 1."""
    cells: tuple[str, ...]
    lines: int = 1
    """Lines of the file that the record covers; more than 1 when a quoted cell holds line breaks."""
    notes: tuple[tuple[int, str, str], ...] = ()
    """(column, code, words) of cells that could only be kept as text, such as nested JSON."""


class Unreadable(NamedTuple):
    """Lines that could not be read as a record; they are reported and the rest of the file goes on."""

    number: int
    """Line of the file, from 1, on which the trouble starts."""
    reason_code: str
    """`too_few_fields`, `too_many_fields`, `field_too_long`, `record_too_long`, `nul_byte`, `bad_bytes`,
    `unclosed_quote`, `bad_quote`, `stray_line_break`, `totals_row`, `repeated_header`, `bad_json`,
    `not_an_object`, `empty_record` or `damaged`."""
    words: str
    """One sentence for a person, with the figures."""
    lines: int = 1
    """Lines of the file that this entry accounts for."""


class DecodedLines(NamedTuple):
    """A run of lines that were not in the file's main encoding."""

    encoding: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FileShape:
    """What a first look at a file says about it; hand it to `read_rows` unchanged or corrected."""

    encoding: str
    """`utf-8`, `utf-8-sig`, `utf-16-le`, `utf-16-be`, `cp1252`. Single lines may differ: see
    `RowReader.other_encodings`."""
    separator: str
    quote: str
    has_header: bool
    header: tuple[str, ...]
    """Column names, made distinct; `column_1` … when the file has no header."""
    sample: tuple[tuple[str, ...], ...]
    """The first readable records below the header, at most 200."""
    bytes: int
    header_line: int
    """Line of the header, 0 without one."""
    first_line: int
    """Line on which the data may start; everything before it is header, blank or a `sep=` hint."""
    line_break: str
    """`\\n` (also for `\\r\\n`) or `\\r`."""
    skip_initial_space: bool
    notes: tuple[str, ...] = ()
    """Sentences for a person: renamed duplicate headers, encodings guessed, and the like."""
    format: str = SEPARATED
    evidence: tuple[tuple[str, ...], ...] = ()
    """Further records from all over the file, at most 1,000: formats of columns are judged on these, too."""
    typed: frozenset[str] = frozenset()
    """Columns whose cells are numbers by type (JSON, Parquet), so that a point in them is the decimal one."""
    head: tuple[Row | Unreadable, ...] = ()
    """The first 20 records, readable or not, for a person to look at."""


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """One column put to one field, and why."""

    field: LeadField
    column: str
    index: int
    confidence: float
    """0 to 1; 1 only when a person said so."""
    reason: str
    """`header`, `header + content`, `header, content differs`, `content`, `given` or `remembered`."""

    @property
    def level(self) -> str:
        """`high`, `medium` or `low`; `sure` when a person said so."""
        if self.reason in ("given", "remembered"):
            return "sure"
        return "high" if self.confidence >= HIGH else "medium" if self.confidence >= MEDIUM else "low"

    @property
    def why(self) -> str:
        """Why the column was taken for this, as a clause."""
        return _WHY[self.reason] if self.level != "medium" else _WHY_MEDIUM.get(self.reason, _WHY[self.reason])


_WHY = {
    "header": "its name says so",
    "header + content": "its name and its cells say so",
    "header, content differs": "its name says so, but its cells do not",
    "content": "its cells look like it",
    "given": "somebody said so",
    "remembered": "somebody said so for an earlier file with these columns",
}
_WHY_MEDIUM = {
    "header": "its name can mean this, but also something else",
    "header + content": "its name can mean this, but also something else; its cells fit",
}


@dataclass(frozen=True, slots=True)
class ColumnFormat:
    """How one column writes what it holds, judged on the sample."""

    mark: str = ""
    """The decimal mark, `?` when its cells contradict each other, empty when none shows it."""
    dates: DateStyle = field(default_factory=DateStyle)
    coded: bool = False
    """Some cells look like codes that a spreadsheet turned into dates."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column feeds which field of a lead; each field and each column at most once."""

    header: tuple[str, ...]
    guesses: tuple[ColumnGuess, ...]
    """In the order of `LeadField`; the outcome column, if any, is among them."""
    unmapped: tuple[str, ...]
    """Columns kept as attributes."""
    late: tuple[str, ...]
    """Unmapped columns whose name suggests they are known only after the fact, such as a call's duration:
    kept as attributes, but a score should not learn from them."""
    missing: tuple[LeadField, ...]
    """Fields a lead usually needs (a way to name, contact, place and value it) that no column feeds."""
    numeric: frozenset[str]
    """Unmapped columns that hold numbers throughout the sample."""
    decimal_mark: str
    """Of the money column, see `ColumnFormat.mark`."""
    header_currency: str
    """ISO code named in the money column's header, as in `Amount (EUR)`, else empty."""
    formats: Mapping[int, ColumnFormat] = field(default_factory=dict)
    """By column; those with nothing to tell are left out."""
    statements: tuple[str, ...] = ()
    """How doubtful numbers and dates of each column are read, and on what evidence, as sentences."""
    remembered: str = ""
    """Where the mapping was taken over from, as words (`import imp_… of 3 Nov 2026`); empty when it was guessed."""

    def index_of(self, field: LeadField) -> int | None:
        """Position of the column that feeds `field`; None when none does."""
        return next((guess.index for guess in self.guesses if guess.field is field), None)

    @property
    def outcome(self) -> str | None:
        """Name of the column that tells what became of the lead."""
        return next((guess.column for guess in self.guesses if guess.field is LeadField.OUTCOME), None)

    def describe(self) -> list[str]:
        """Lines for a person: what feeds what and how sure, what stays an attribute, what is missing."""
        lines = [f"mapped as in {self.remembered}"] if self.remembered else []
        lines += [
            f"{guess.field} ← '{guess.column}' ({guess.level}: {guess.why})"
            for guess in self.guesses
            if not (self.remembered and guess.reason == "remembered")
        ]
        if self.remembered:
            kept = [f"{guess.field} ← '{guess.column}'" for guess in self.guesses if guess.reason == "remembered"]
            lines.append(", ".join(kept))
        if self.outcome is not None:
            lines.append(f"'{self.outcome}' tells the outcome: stored, but never a fact for scoring")
        if self.late:
            lines.append("probably known only afterwards, do not score on: " + _quoted(self.late))
        if self.unmapped:
            lines.append("kept as attributes: " + _quoted(self.unmapped))
        if self.missing:
            lines.append("no column for: " + ", ".join(self.missing))
        return [*lines, *self.statements]

    def as_dict(self) -> dict[str, Any]:
        """The same for programs, JSON-ready."""
        return {
            "mapped": [
                {
                    "field": str(guess.field),
                    "column": guess.column,
                    "confidence": round(guess.confidence, 2),
                    "level": guess.level,
                    "reason": guess.reason,
                    "why": guess.why,
                }
                for guess in self.guesses
            ],
            "outcome": self.outcome,
            "late": list(self.late),
            "attributes": list(self.unmapped),
            "missing": [str(field) for field in self.missing],
            "read_as": list(self.statements),
            "remembered": self.remembered or None,
        }


def _quoted(names: tuple[str, ...], most: int = 40) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


class Problem(NamedTuple):
    """Something about a cell that a person may have to look at."""

    field: str
    """A `LeadField`, or the column's name for an attribute."""
    code: str
    words: str
    """One sentence for a person; quotes at most 60 characters of the cell."""
    needs_information: bool
    """True: the cell was given but could not be used, so the fact is missing. False: it was used, under
    the assumption that `words` names."""
    row: int = 0
    """Line of the file on which the record starts, 0 when the row came from elsewhere."""


FieldValue = str | int | bool
AttributeValue = str | int | float


class LeadDraft(NamedTuple):
    """A row, understood: what may become a lead. A draft without any identity is still one."""

    number: int
    fields: dict[str, FieldValue]
    """By `LeadField` name: normalised values of cells that were given and usable. `created_at` is ISO 8601
    in UTC or a bare date. Value, currency and outcome are not in here."""
    attributes: dict[str, AttributeValue]
    """By column name; empty cells are left out, columns that hold numbers throughout give numbers."""
    value_minor: int | None
    """Deal size in minor units of `currency`; None when unknown or unusable."""
    currency: str
    """ISO 4217 code: of the row, else of the header, else the workspace's."""
    outcome: str | None
    """Text of the outcome column; None without one or when empty."""
    identities: tuple[tuple[str, str], ...]
    """(kind, normalised value) with kinds `email`, `external_id`, `phone`, strongest first."""
    fingerprint: str
    """40 hex digits over the whole row's content. The same row again in any file has the same one,
    whatever the column order, the mapping, letter case or spacing."""
    problems: tuple[Problem, ...]

    @property
    def needs_information(self) -> bool:
        """True when a given fact could not be used."""
        return any(problem.needs_information for problem in self.problems)


def identity_key(draft: LeadDraft, source: str = "") -> str | None:
    """One text that is equal for two drafts of the same person, or None when nothing identifies one.

    The strongest identity alone counts (e-mail, then external id, then phone). An external id is only
    unique within the system it came from, so `source` (or the row's own source) is part of its key.
    """
    if not draft.identities:
        return None
    kind, value = draft.identities[0]
    if kind == "external_id":
        origin = str(draft.fields.get("source", source)).casefold()
        return f"{kind}:{origin}:{value}"
    return f"{kind}:{value}"
