"""The log of the gate: who was or was not written to, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.customers import families_of
from fairlead.errors import InputError
from fairlead.guardrails import store
from fairlead.guardrails.model import Checked, Code, GateAnswer
from fairlead.kit.clock import from_micros, to_micros
from fairlead.kit.unit_of_work import Reader

MAX_ROWS = 500
_CURSOR = re.compile(r"([0-9]{1,17})/([a-z0-9_]{1,64})")
FILTERS = ("channel", "purpose", "class", "sender", "verdict", "code", "key", "case_id")


@dataclass(frozen=True, slots=True)
class Logged:
    """One answer of the gate. `state` is what became of the place since: None where the message had none.

    `allowed_at` is as it was foreseen then. `words`, `facts` and `checks` are empty once the customer was erased.
    """

    id: str
    at: datetime
    key: str
    customer_id: str | None
    channel: str
    purpose: str
    cls: str
    sender: str
    kind: str
    case_id: str | None
    verdict: str
    code: str
    words: str
    facts: dict[str, Any]
    checks: tuple[Checked, ...]
    allowed_at: datetime | None
    state: str | None


def contact_log(
    reader: Reader,
    filters: Mapping[str, str] | None = None,
    *,
    customer_id: str | None = None,
    limit: int = 50,
    before: tuple[datetime, str] | None = None,
) -> list[Logged]:
    """Answers of the gate, newest first, at most 500.

    `filters` take channel, purpose, class, sender, verdict, code, key and case_id, each exactly; InputError for
    others. `customer_id` stands for all records merged into one customer. `before` is (at, id) of the last seen.
    """
    for name in filters or {}:
        if name not in FILTERS:
            message = f"the log cannot be filtered by {name!r:.80}; known are {', '.join(FILTERS)}"
            raise InputError(message, field=name)
    family = families_of(reader, [customer_id])[customer_id] if customer_id else ()
    rows = store.answers(reader, dict(filters or {}), family, before, max(0, min(limit, MAX_ROWS)))
    return [_logged(row) for row in rows]


def _logged(row: Any) -> Logged:
    values = row._mapping  # noqa: SLF001  SQLAlchemy's public name for it
    return Logged(
        row.id, row.at, row.key, row.customer_id, row.channel, row.purpose, values["class"], row.sender, row.kind,
        row.case_id, row.verdict, row.code, row.words, row.facts, tuple(Checked(*one) for one in row.checks),
        row.allowed_at, row.state,
    )  # fmt: skip


def log_cursor(last: Logged) -> str:
    """The end of a page as text, from which `read_log_cursor` makes the `before` of the next."""
    return f"{to_micros(last.at)}/{last.id}"


def read_log_cursor(text: str | None) -> tuple[datetime, str] | None:
    """The line after which a page begins, None for the first page; InputError for what no page gave."""
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InputError("This is no `before` that a page gave.", field="before")
    return from_micros(int(found[1])), found[2]


WITHHELD = "withheld"
_WHY = "Why is shown to those who may read sensitive facts."
_SENSITIVE = frozenset({Code.HUMAN_ONLY.value})


def discreet(logged: Logged, *, sensitive: bool) -> Logged:
    """The line as somebody may see it: what was decided because of a delicate flag says so only to `sensitive`."""
    if sensitive or logged.code not in _SENSITIVE:
        return logged
    return replace(logged, code=WITHHELD, words=_WHY, facts={}, checks=())


def discreet_answer(answer: GateAnswer, *, sensitive: bool) -> tuple[str, str, tuple[Checked, ...]]:
    """(code, words, checks) of an answer as somebody may see them; the same for one just given."""
    if sensitive or answer.code.value not in _SENSITIVE:
        return answer.code.value, answer.words, answer.checks
    return WITHHELD, _WHY, ()
