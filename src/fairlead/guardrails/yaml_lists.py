"""Lists and names of `contact.yaml`, as several of its sections have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from fairlead.guardrails.model import PurposeClass

if TYPE_CHECKING:
    from fairlead.kit.yamlmarks import Node

MAX_LIST = 50
_T = TypeVar("_T")


def names(node: Node | None, known: Iterable[str] | None = None) -> frozenset[str]:
    """The names of a list, each once; `known` None: any name. Nothing written is the empty set."""
    return frozenset() if node is None else frozenset(unique(node, lambda one: _name(one, known)))


def _name(node: Node, known: Iterable[str] | None) -> str:
    return node.name() if known is None else node.one_of(known)


def unique(node: Node, read: Callable[[Node], _T]) -> list[_T]:
    """The items of a list of 1 to 50, each read; a second one that reads the same is refused at its place."""
    found: list[_T] = []
    for item in node.items(least=1, most=MAX_LIST):
        one = read(item)
        if one in found:
            item.fail("This stands here already.", suggestion="Leave it out.", code="twice")
        found.append(one)
    return found


def classes(node: Node | None, default: frozenset[PurposeClass]) -> frozenset[PurposeClass]:
    """The classes of a list; nothing written is the default."""
    return default if node is None else frozenset(PurposeClass(one) for one in names(node, PurposeClass))


def fresh_name(node: Node, taken: set[str]) -> str:
    """A name that no other window or cap has; it is added to those taken."""
    name = node.name()
    if name in taken:
        node.fail(f"There is already a rule {name!r}.", suggestion="Give it another name.", code="twice")
    taken.add(name)
    return name
