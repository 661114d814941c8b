"""Importing leads: each readable row that is new becomes a lead, its customer and a case, all at once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.checkpoints import FirstRuling, first_rulings
from fairlead.customers import resolve_many
from fairlead.errors import InputError, TooLargeError
from fairlead.kit.actors import Actor
from fairlead.kit.clock import to_micros
from fairlead.kit.ids import new_id, new_ids
from fairlead.kit.jsons import dumps
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.playbooks import Bundle, CaseDraft, open_cases, ready_count, states_of
from fairlead.sales import store
from fairlead.sales.facts import all_problems, customer_draft, lead_facts, scoped
from fairlead.sales.importing import store as importing
from fairlead.sales.importing.model import ImportState, Remembered
from fairlead.sales.intake import (
    Checker,
    ColumnMapping,
    FileShape,
    LeadDraft,
    Profile,
    Row,
    RowSource,
    Unreadable,
    as_known,
    columns_key,
    file_digest,
    guess_mapping,
    inspect,
    parse_overrides,
    read_rows,
)
from fairlead.sales.matching import ask_search

PATHS = ("auto", "assist", "human", "blocked", "needs_information")
NOT_LEADS = ("duplicate", "unreadable", "failed")
BY_PEOPLE = {"assist", "human"}
_BY_STATE = {"ended": "auto", "waiting": "auto", "paused": "human", "exception": "failed", "ready": "pending"}
"""What a case without any ruling counts as."""
MAX_ROW_CHARS = 128_000
"""Of a lead's facts as JSON; half of what a case may carry, so that its stages can add theirs."""
ROWS_AT_ONCE = 500
COUNT_FROM, MOST_COUNTED = 1_000, 1_000_000
"""Ready imported cases up to which it is worth looking whose they are, and up to which they are counted."""


@dataclass(frozen=True, slots=True)
class LeadFile:
    """A file of leads, looked at but not imported: its shape, its columns' meaning, its SHA-256."""

    path: Path
    digest: str
    mapping: ColumnMapping
    reader: RowSource
    checker: Checker
    currency: str
    notes: tuple[str, ...]
    name: str
    """As its owner calls it; the path may be that of a copy."""
    shape: FileShape
    country: str = ""
    confirmed: bool = False
    """Somebody said what a column means, so that the mapping is worth remembering."""

    @property
    def key(self) -> str:
        """Under which the mapping is remembered; empty for a file whose columns have no names."""
        return columns_key(self.shape.header) if self.shape.has_header else ""


Recall = Callable[[str], Remembered | None]


def open_lead_file(
    path: Path,
    overrides: Sequence[str] | Mapping[str, str],
    currency: str,
    *,
    max_bytes: int | None = None,
    recall: Recall | None = None,
    name: str = "",
    country: str = "",
) -> LeadFile:
    """Look at a file and find out what its columns mean.

    `overrides` are `field=column` as a person wrote them, or field → column. `recall` gives what was confirmed for
    files with such columns, by their key. `country` (alpha-2) is that of phone numbers without country code.
    InputError for a file that cannot be read as a table, an unknown field, column or country; TooLargeError above
    `max_bytes` (None: any size).
    """
    name = name or path.name
    if max_bytes is not None and path.is_file() and path.stat().st_size > max_bytes:
        message = f"{name} is larger than {max_bytes} bytes, which FAIRLEAD_MAX_IMPORT_BYTES allows; split it"
        raise TooLargeError(message, limit=max_bytes, unit="bytes")
    shape = inspect(path)
    said = dict(overrides) if isinstance(overrides, Mapping) else parse_overrides(overrides)
    mapping = map_columns(shape, said, recall)
    checker = Checker(mapping, currency=currency, default_country=country)
    reader = read_rows(path, shape)
    return LeadFile(
        path, file_digest(path), mapping, reader, checker, currency, shape.notes, name, shape, country, bool(said)
    )


def map_columns(shape: FileShape, said: Mapping[str, str], recall: Recall | None) -> ColumnMapping:
    """By what was said, else by what was confirmed for such columns, else by guessing."""
    known = recall(columns_key(shape.header)) if recall is not None and shape.has_header else None
    if known is None:
        return guess_mapping(shape, said)
    return guess_mapping(shape, said, known=known.mapping, known_from=known.words)


def begin_import(uow: UnitOfWork, actor: Actor, bundle: Bundle, file: LeadFile, playbook: str) -> str:
    """Start an import; InputError when the playbook is not deployed or is not about leads.

    A mapping that somebody had a say in is remembered for the next file with these columns.
    """
    refuse_playbook(bundle, playbook)
    import_id = new_id("imp")
    values = {
        "id": import_id, "name": file.name, "digest": file.digest, "playbook": playbook,
        "mapping": file.mapping.as_dict(), "state": ImportState.READING.value, "rows": 0, "counts": {},
        "started_by": str(actor), "started_at": uow.now, "bytes": file.reader.total_bytes, "country": file.country,
    }  # fmt: skip
    store.insert_import(uow, values)
    payload = {name: values[name] for name in ("name", "digest", "playbook", "mapping")}
    uow.record(AuditEntry("lead_import.started", import_id, payload, actor=actor))
    if file.confirmed and file.key:
        remember(uow, actor, file.key, as_known(file.mapping), import_id)
    return import_id


def refuse_playbook(bundle: Bundle, playbook: str) -> None:
    """InputError for a playbook that is not deployed or is not about leads."""
    compiled = bundle.playbooks.get(playbook)
    if compiled is None:
        message = f"there is no playbook {playbook!r:.80}. {did_you_mean(playbook, bundle.playbooks) or ''}".rstrip()
        raise InputError(message, code="no_playbook")
    if compiled.playbook.subject != "lead":
        message = f"playbook {playbook!r} is about a {compiled.playbook.subject}, not about leads"
        raise InputError(message, code="wrong_subject")


def remember(uow: UnitOfWork, actor: Actor, key: str, mapping: Mapping[str, str], import_id: str) -> None:
    """Use this mapping (field → column) for the next files whose columns have this key."""
    values = {"mapping": dict(mapping), "import_id": import_id, "said_by": str(actor), "said_at": uow.now}
    importing.write_mapping(uow, key, values)
    uow.record(AuditEntry("lead_mapping.remembered", import_id, {"key": key, "mapping": dict(mapping)}, actor=actor))


def remembered(reader: Reader, key: str) -> Remembered | None:
    """What was confirmed for files with these columns, None when nothing was."""
    row = importing.read_mapping(reader, key) if key else None
    return None if row is None else Remembered(row.mapping, row.import_id, row.said_at)


def forget_mapping(uow: UnitOfWork, actor: Actor, key: str) -> bool:
    """Guess again for files with these columns; False when nothing was remembered."""
    row = importing.read_mapping(uow, key) if key else None
    if row is None:
        return False
    importing.drop_mapping(uow, key)
    uow.record(AuditEntry("lead_mapping.forgotten", row.import_id, {"key": key}, actor=actor))
    return True


Checked = LeadDraft | Unreadable
Fresh = tuple[LeadDraft, dict[str, Any]]


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


def import_batch(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    import_id: str,
    playbook: str,
    batch: Sequence[Checked],
    currency: str,
) -> int:
    """Take in one batch, at least one row; returns how many new leads there are.

    Rows that are there already, in this playbook, add nothing and are listed as duplicates.
    """
    store.take_turn(uow, playbook)
    drafts = [item for item in batch if isinstance(item, LeadDraft)]
    seen = store.known_fingerprints(uow, playbook, [draft.fingerprint for draft in drafts])
    fresh: list[Fresh] = []
    rejected: list[tuple[Any, ...]] = [
        (import_id, item.number, "unreadable", item.reason_code, item.words)
        for item in batch
        if isinstance(item, Unreadable)
    ]
    for draft in drafts:
        if draft.fingerprint in seen:
            words = f"the same row as {seen[draft.fingerprint]}"
            rejected.append((import_id, draft.number, "duplicate", "same_row", words))
            continue
        facts = lead_facts(draft, currency)
        if (size := len(dumps(facts))) > MAX_ROW_CHARS:
            words = f"the row takes {size:,} characters; at most {MAX_ROW_CHARS:,} fit into a case"
            rejected.append((import_id, draft.number, "unreadable", "row_too_large", words))
        else:
            seen[draft.fingerprint] = f"row {draft.number}"
            fresh.append((draft, facts))
    if fresh:
        _open_leads(uow, actor, bundle, import_id, playbook, fresh, currency)
    if rejected:
        store.insert_rejects(uow, rejected)
    store.count_rows(uow, import_id, len(batch))
    first, last = batch[0].number, batch[-1].number
    counts = {"first_row": first, "last_row": last, "leads": len(fresh), "rejected": len(rejected)}
    uow.record(AuditEntry("lead_import.rows_taken", import_id, counts, actor=actor))
    return len(fresh)


def _open_leads(
    uow: UnitOfWork,
    actor: Actor,
    bundle: Bundle,
    import_id: str,
    playbook: str,
    fresh: list[Fresh],
    currency: str,
) -> None:
    now = to_micros(uow.now)
    source = f"import {import_id}"
    customers = resolve_many(uow, [customer_draft(draft, source, currency) for draft, _ in fresh])
    lead_ids, case_ids = new_ids("lead", len(fresh)), new_ids("case", len(fresh))
    rows = []
    for (draft, _), customer, lead_id, case_id in zip(fresh, customers, lead_ids, case_ids, strict=True):
        problems = [problem._asdict() for problem in all_problems(draft, currency)]
        rows.append((
            lead_id, import_id, draft.number, playbook, draft.fingerprint, customer.id, case_id,
            dumps(draft.fields), dumps(draft.attributes), dumps(problems), draft.value_minor, draft.currency,
            draft.outcome, now,
        ))  # fmt: skip
    store.insert_leads(uow, rows)
    cases = [
        CaseDraft(playbook, "lead", lead_id, facts, customer.id, "import", None, case_id)
        for (_, facts), customer, lead_id, case_id in zip(fresh, customers, lead_ids, case_ids, strict=True)
    ]
    open_cases(uow, cases, bundle, actor)


def finish_import(
    uow: UnitOfWork, actor: Actor, import_id: str, rows: int, quality: Mapping[str, Any] | None = None
) -> None:
    """Say that every row of the file was taken in; `quality` is the profile's report."""
    values = {"state": ImportState.FINISHED.value, "rows": rows, "finished_at": uow.now, "sketch": None}
    store.update_import(uow, import_id, {**values, "quality": quality})
    importing.drop_chunks(uow, import_id)
    uow.record(AuditEntry("lead_import.finished", import_id, {"rows": rows}, actor=actor))
    ask_search(uow, import_id)


def unsettled(reader: Reader, import_id: str) -> int:
    """How many of an import's cases have not come to a first checkpoint, an exception or an end.

    While very many imported cases are ready, it is their number, whatever import they are of: looking whose
    they are would take longer than moving them.
    """
    ready_now = ready_count(reader, "import", MOST_COUNTED)
    if not ready_now or ready_now > COUNT_FROM:
        return ready_now
    open_ones = 0
    for page in store.lead_cases(reader, import_id):
        states = states_of(reader, [row.case_id for row in page])
        ready = [case_id for case_id, state in states.items() if state == "ready"]
        open_ones += len(ready) - len(first_rulings(reader, ready)) if ready else 0
    return open_ones


def needs_information(first: FirstRuling, problems: Sequence[Mapping[str, Any]]) -> bool:
    """A person looks at the lead while a required fact is missing or a cell that its row gave cannot be used."""
    lacking = first.needs_information or any(one["needs_information"] for one in problems)
    return lacking and first.path in BY_PEOPLE


def count_import(reader: Reader, import_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """(rows by what became of them, reasons by rule id); a lead counts by the path at its first checkpoint.

    `needs_information` are those that a person looks at while a required fact is missing or a cell that the
    row gave cannot be used. A case that waits or has ended without having met a checkpoint is `auto`, since
    nobody looked; one that a person took over or took back before is `human`. `failed` are leads in the
    exceptions queue before any checkpoint. Every row is in exactly one number; `pending`, those on their way
    to their first checkpoint, is there only while there are any.
    """
    counts: Counter[str] = Counter(dict.fromkeys((*PATHS, *NOT_LEADS), 0))
    counts.update(store.reject_counts(reader, import_id))
    reasons: Counter[str] = Counter()
    for page in store.lead_cases(reader, import_id):
        firsts = first_rulings(reader, [row.case_id for row in page])
        unruled = [row.case_id for row in page if row.case_id not in firsts]
        states = states_of(reader, unruled) if unruled else {}
        for row in page:
            first = firsts.get(row.case_id)
            if first is None:
                counts["human" if row.cancelled_at else _BY_STATE[states.get(row.case_id, "exception")]] += 1
                continue
            counts["needs_information" if needs_information(first, row.problems) else first.path] += 1
            reasons.update(first.reasons)
    return dict(counts), dict(reasons.most_common())
