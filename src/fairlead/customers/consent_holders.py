"""Whom the rows of a file of consents are about: people who are known, somebody new, or nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fairlead.customers import consent_store, lineage, store
from fairlead.customers.consent_files import ConsentLine, RefusedLine
from fairlead.customers.model import CustomerDraft, Identity
from fairlead.customers.service import resolve_many
from fairlead.errors import UnavailableError
from fairlead.kit.unit_of_work import Reader, UnitOfWork

_ROUNDS = 5


class Row(NamedTuple):
    """A usable row: whom it is about, a survivor's id or how somebody new is first named, and its notice's id."""

    who: str
    line: ConsentLine
    notice: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """Whose identities these are, who stands for whom, and who was erased."""

    by_identity: Mapping[Identity, str]
    survivors: Mapping[str, str]
    erased: Collection[str]

    def of(self, line: ConsentLine) -> str:
        """The survivor's id, "" for somebody nobody knows."""
        if line.customer_id:
            return self.survivors.get(line.customer_id, "")
        holder = next((self.by_identity[one] for one in line.identities if one in self.by_identity), "")
        return self.survivors.get(holder, "")


def known_of(reader: Reader, lines: Sequence[ConsentLine]) -> Known:
    """Everybody whom these rows name."""
    by_identity = store.holders_of(reader, {one for line in lines for one in line.identities})
    asked = {line.customer_id for line in lines if line.customer_id} | set(by_identity.values())
    survivors = lineage.survivors_of(reader, asked)
    rows = store.customers(reader, sorted(set(survivors.values())))
    return Known(by_identity, survivors, {one for one, row in rows.items() if row.erased_at is not None})


def placed(
    usable: Sequence[tuple[ConsentLine, str | None]], known: Known, new: Mapping[int, str]
) -> tuple[list[Row], list[RefusedLine]]:
    """The rows by whom they are about; `new` says it of those about somebody new, by line."""
    rows, refused = [], []
    for line, notice in usable:
        who = known.of(line) or new.get(line.line, "")
        if not who:
            refused.append(refused_line(line, "unknown_customer", "Nobody is known by that."))
        elif who in known.erased:
            refused.append(_erased(line))
        else:
            rows.append(Row(who, line, notice))
    return rows, refused


def first_names(lines: Sequence[ConsentLine], earlier: Collection[Identity]) -> list[Identity]:
    """The spelling under which whoever each row is about was first named, in rows before or by `earlier` ones."""
    seen, found = set(earlier), []
    for line in lines:
        name = next((one for one in line.identities if one in seen), line.identities[0])
        seen.add(name)
        found.append(name)
    return found


def make_customers(uow: UnitOfWork, lines: Sequence[ConsentLine]) -> tuple[int, dict[int, str]]:
    """Customers for rows about people nobody knows: how many, and who is meant by line."""
    names = first_names(lines, ())
    sources = {name: line.source for name, line in reversed(list(zip(names, lines, strict=True)))}
    resolved = resolve_many(uow, [CustomerDraft(identities=(name,), source=said) for name, said in sources.items()])
    ids = dict(zip(sources, (one.id for one in resolved), strict=True))
    count = sum(one.is_new for one in resolved)
    return count, {line.line: ids[name] for name, line in zip(names, lines, strict=True)}


def locked(uow: UnitOfWork, rows: Sequence[Row]) -> tuple[list[Row], list[RefusedLine]]:
    """The rows with who stands for their customers now that no gate, merge or withdrawal can come in between."""
    wanted = {row.who for row in rows}
    for _ in range(_ROUNDS):
        before = lineage.survivors_of(uow, wanted)
        erased = consent_store.lock_customers(uow, before.values())
        survivors = lineage.survivors_of(uow, wanted)
        if survivors == before:
            now = [row._replace(who=survivors[row.who]) for row in rows]
            return [row for row in now if row.who not in erased], [
                _erased(row.line) for row in now if row.who in erased
            ]
    message = f"customers of this file kept being merged for {_ROUNDS} rounds; try again"
    raise UnavailableError(message)


def _erased(line: ConsentLine) -> RefusedLine:
    return refused_line(line, "customer_erased", "This customer was erased.")


def refused_line(line: ConsentLine, code: str, words: str) -> RefusedLine:
    """A row that could be read and is not taken all the same."""
    return RefusedLine(line.line, code, words, line.cells)
