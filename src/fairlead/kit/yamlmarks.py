"""YAML with the line and column of every node, and a small reader that turns mistakes into errors with a
place.

Only plain data is accepted: no anchors, aliases, tags or second documents, so a file can neither loop nor
grow when read. Scalars follow YAML 1.2: only `true` and `false` are booleans, so `on:` and `no` stay text.
"""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from fairlead.errors import Place, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_CHARS = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_DURATION = timedelta(days=3650)

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,3})?\Z")
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h|d|w))+\Z")
_DURATION_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

_KINDS: dict[type, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false",
    dict: "a mapping", list: "a list", type(None): "nothing",
}  # fmt: skip


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A sentence naming the closest known word, or all of them when few and none is close; None if there
    are none.
    """
    words = sorted({str(name) for name in known})
    close = difflib.get_close_matches(word[:100], words, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    if not words:
        return None
    shown = ", ".join(words[:12]) + (", …" if len(words) > 12 else "")  # noqa: PLR2004 - as many as fit a line
    return f"Known here: {shown}."


class Node:
    """A value of a YAML file and where it stands.

    Mappings keep the order of the file. The reading methods raise SourceError at this node's place when the
    value is of another kind, so callers never check types themselves.
    """

    __slots__ = ("_source", "_style", "place", "value")

    def __init__(self, value: Any, place: Place, *, style: str = "", source: str = "") -> None:
        """`value` is a scalar, a list of nodes, or a dict from key to node; made by `load_yaml`, or by hand
        from a text.
        """
        self.value = value
        self.place = place
        self._style = style
        self._source = source or (value if isinstance(value, str) else "")

    def __repr__(self) -> str:
        """Place and plain value, shortened."""
        return f"<Node {self.place} {self.plain()!r:.60}>"

    def fail(self, message: str, *, suggestion: str | None = None, code: str | None = None) -> NoReturn:
        """Raise SourceError at this place."""
        raise SourceError(message, self.place, suggestion=suggestion, code=code)

    @property
    def is_null(self) -> bool:
        """Whether nothing (or `null`) is written here."""
        return self.value is None

    @property
    def is_text(self) -> bool:
        """Whether this is text; numbers and booleans are not."""
        return isinstance(self.value, str)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.value, list)

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.value, dict)

    def plain(self) -> Any:
        """The same as dicts, lists and scalars, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def text(self, *, max_chars: int = 10_000, pattern: str | None = None, what: str = "text") -> str:
        """Non-blank text of at most `max_chars`; `pattern` must match all of it, `what` names it in the
        error.
        """
        if not isinstance(self.value, str):
            self._expected(what, "Put it in quotes." if self.value is not None and not self._compound else None)
        if not self.value.strip():
            self.fail(f"{what} must not be empty.")
        if len(self.value) > max_chars:
            self.fail(f"{what} is {len(self.value)} characters long; at most {max_chars} are allowed.")
        if pattern is not None and not re.fullmatch(pattern, self.value):
            self.fail(f"{self.value!r:.80} is not {what}.", suggestion=f"It must match {pattern}.")
        return self.value

    def name(self, *, max_chars: int = 64) -> str:
        """A name: a small letter, then small letters, digits, `_` or `-`."""
        return self.text(max_chars=max_chars, pattern=r"[a-z][a-z0-9_-]*", what="a name")

    def number(self, *, least: float | None = None, most: float | None = None) -> float:
        """A finite number within the bounds, both included."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self._expected("a number")
        self._within(self.value, least, most)
        return float(self.value)

    def integer(self, *, least: int | None = None, most: int | None = None) -> int:
        """A whole number within the bounds, both included."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._expected("a whole number")
        self._within(self.value, least, most)
        return self.value

    def boolean(self) -> bool:
        """True or false, written so."""
        if not isinstance(self.value, bool):
            self._expected("true or false")
        return self.value

    def duration(self, *, least: timedelta = timedelta(0), most: timedelta = MAX_DURATION) -> timedelta:
        """A time span such as `10s`, `4h`, `2d` or `1h30m`; units ms, s, m, h, d, w."""
        if not isinstance(self.value, str) or not _DURATION.match(self.value):
            self._expected("a duration", "Write for example 10s, 15m, 4h, 2d or 1h30m.")
        parts = _DURATION_PART.findall(self.value)
        try:
            total = sum((int(count) * _UNITS[unit] for count, unit in parts), timedelta(0))
        except OverflowError:
            total = MAX_DURATION + timedelta(days=1)
        if not least <= total <= most:
            self.fail(f"{self.value} is outside {least} to {most}.")
        return total

    def one_of(self, allowed: Iterable[str]) -> str:
        """One of the given words."""
        words = list(allowed)
        if not isinstance(self.value, str):
            self._expected("one of " + ", ".join(words))
        if self.value not in words:
            self.fail(f"{self.value!r:.80} is not known here.", suggestion=did_you_mean(self.value, words))
        return self.value

    def items(self, *, least: int = 0, most: int = 1_000) -> list[Node]:
        """The nodes of a list of `least` to `most` items."""
        if not isinstance(self.value, list):
            self._expected("a list")
        if not least <= len(self.value) <= most:
            self.fail(f"This list has {len(self.value)} items; {least} to {most} are allowed.")
        return self.value

    def mapping(self, *, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> Mapping[str, Node]:
        """The fields of a mapping; keys outside `allowed` (None = any) and `required` ones that lack are
        refused.

        Required keys count as allowed. A key that is there with nothing behind it is kept, as a null node.
        """
        if not isinstance(self.value, dict):
            self._expected("a mapping")
        needed = list(required)
        if allowed is not None:
            known = {*allowed, *needed}
            for key in self.value:
                if key not in known:
                    hint = did_you_mean(key, known)
                    raise SourceError(f"Unknown key {str(key)!r:.80}.", key.place, suggestion=hint, code="unknown_key")
        for key in needed:
            if key not in self.value:
                self.fail(f"{key!r} is missing here.", code="missing_key")
        return self.value

    def place_of(self, offset: int) -> Place:
        """Where character `offset` of this text stands in the file; the node's own place if that cannot be
        told.
        """
        if not isinstance(self.value, str) or not self._source or not 0 <= offset <= len(self.value):
            return self.place
        index = _align(self.value, self._source, offset, skip_header=self._style in {"|", ">"}, quoted=self._style)
        if index is None:
            return self.place
        before = self._source[:index]
        line_start = max(before.rfind("\n"), before.rfind("\r")) + 1
        lines = before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        column = index - line_start + (self.place.column if lines == 0 else 1)
        return Place(self.place.file, self.place.line + lines, column)

    @property
    def _compound(self) -> bool:
        return isinstance(self.value, (dict, list))

    def _expected(self, what: str, suggestion: str | None = None) -> NoReturn:
        found = _KINDS.get(type(self.value), "something else")
        shown = "" if self._compound or self.value is None else f" ({self.value!r:.60})"
        self.fail(f"Expected {what}, found {found}{shown}.", suggestion=suggestion, code="wrong_type")

    def _within(self, value: float, least: float | None, most: float | None) -> None:
        if least is not None and value < least:
            self.fail(f"{value} is less than {least}.")
        if most is not None and value > most:
            self.fail(f"{value} is more than {most}.")


class Key(str):
    """A mapping's key, which knows where it stands."""

    __slots__ = ("place",)

    place: Place


def load_yaml(text: str, file: str) -> Node:
    """The one document in `text`; SourceError with line and column for anything malformed, too big or not
    plain.
    """
    if len(text) > MAX_CHARS:
        message = f"The file has {len(text)} characters; at most {MAX_CHARS} are allowed."
        raise SourceError(message, Place(file), code="too_large")
    text = text.removeprefix("\ufeff")
    try:
        return _Builder(text, file).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        message = f"This is not valid YAML: {error.problem or error.context}."
        raise SourceError(message, place, code="yaml") from error
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        message = f"A character that no YAML file may hold: {error.reason}."
        raise SourceError(message, Place(file, line, column), code="yaml") from error
    except UnicodeEncodeError as error:
        raise SourceError("This is not valid Unicode text.", Place(file), code="yaml") from error


class _Builder:
    """Builds nodes from the parser's events with its own stack, so depth is bounded before any recursion."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._stack: list[Node] = []
        self._keys: list[Key | None] = []
        self._root: Node | None = None
        self._count = 0

    def build(self) -> Node:
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(event, "Only one document per file is allowed.")
            elif isinstance(event, yaml.AliasEvent):
                self._fail(event, "Aliases (*name) are not allowed.", "Write the value out.")
            elif isinstance(event, yaml.NodeEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._stack.pop()
                self._keys.pop()
        return self._root if self._root is not None else Node(None, Place(self._file, 1, 1))

    def _events(self) -> Iterator[yaml.Event]:
        loader = yaml.CSafeLoader(self._text)
        try:
            while loader.check_event():
                event = loader.get_event()
                if event is None:
                    return
                yield event
        finally:
            loader.dispose()

    def _start(self, event: yaml.NodeEvent) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            self._fail(event, f"The file has more than {MAX_NODES} values.")
        if event.anchor is not None:
            self._fail(event, "Anchors (&name) are not allowed.", "Write the value out where it is used.")
        if getattr(event, "tag", None) is not None:
            self._fail(event, "Tags (!name) are not allowed.")
        if self._wants_key():
            self._take_key(event)
            return
        if isinstance(event, yaml.ScalarEvent):
            self._attach(self._scalar(event))
            return
        if len(self._stack) >= MAX_DEPTH:
            self._fail(event, f"Nested deeper than {MAX_DEPTH} levels.")
        node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], self._place(event))
        self._attach(node)
        self._stack.append(node)
        self._keys.append(None)

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._keys[-1] is None

    def _take_key(self, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self._fail(event, "A key must be plain text.")
        if event.value == "<<" and event.implicit[0]:
            self._fail(event, "Merge keys (<<) are not allowed.")
        key = Key(event.value)
        key.place = self._place(event)
        if key in self._stack[-1].value:
            self._fail(event, f"The key {str(key)!r:.80} stands here twice.")
        self._keys[-1] = key

    def _attach(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1].value
        if isinstance(parent, dict):
            parent[self._keys[-1]] = node
            self._keys[-1] = None
        else:
            parent.append(node)

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        value = _resolve(event.value) if event.implicit[0] else event.value
        place = self._place(event)
        style = event.style or ""
        if not isinstance(value, str):
            return Node(value, place)
        start, end = event.start_mark, event.end_mark
        source = self._text[start.index : end.index] if start and end else ""
        return Node(value, place, style=style, source=source)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file)

    def _fail(self, event: yaml.Event, message: str, suggestion: str | None = None) -> NoReturn:
        raise SourceError(message, self._place(event), suggestion=suggestion, code="yaml")


def _resolve(text: str) -> str | int | float | bool | None:
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text[0] in "tT"
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text


def _align(value: str, source: str, offset: int, *, skip_header: bool, quoted: str) -> int | None:
    """The index in `source` of character `offset` of `value`, walking both and letting only white space
    differ.
    """
    index = 0
    if skip_header:
        index = source.find("\n") + 1
    elif quoted in {"'", '"'}:
        index = 1
    for position in range(min(offset, len(value) - 1) + 1):
        wanted = value[position]
        if wanted.isspace():
            continue
        while index < len(source) and source[index].isspace():
            index += 1
        if index >= len(source) or source[index] != wanted:
            return None
        index += 1
    if offset < len(value) and not value[offset].isspace():
        return index - 1
    return index
