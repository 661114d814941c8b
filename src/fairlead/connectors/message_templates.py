"""Message templates of a workspace: `messages/NAME.LANGUAGE.md`, `.txt` or `.html`, read and checked with places.

Their language is a small part of Jinja's: values, filters of a list, `if` and `for`. Nothing can be called, stored,
included or reached that was not handed in, so what a template costs is bounded by its own size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from jinja2 import TemplateSyntaxError, nodes

from fairlead.connectors.message_language import FILTERS, TESTS, template_environment
from fairlead.connectors.message_markup import check_html, html_of_markdown
from fairlead.errors import NotFoundError, Place, SourceError
from fairlead.kit.yamlmarks import did_you_mean, load_yaml

FOLDER = "messages/"
SUFFIXES = ("md", "txt", "html")
FALLBACK = "en"
MAX_CHARS, MAX_NODES, MAX_LOOPS, MAX_DEPTH = 65_536, 1_000, 2, 60
_FILE = re.compile(
    r"messages/(?P<name>[a-z][a-z0-9-]{0,63})\.(?P<language>[a-z]{2,3}(?:-[A-Za-z]{2,4})?)\.(?P<kind>md|txt|html)"
)
_KEYS = ("subject", "words")
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a template: what it says after its head, and where that begins."""

    path: str
    name: str
    language: str
    kind: str
    subject: str
    body: str
    line: int
    subject_line: int
    wanted: frozenset[str]
    """Names of the fields that it may read; some perhaps only under a condition."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message in one language: a `md` file, or `txt` and `html` or one of the two."""

    name: str
    language: str
    sources: tuple[Source, ...]

    @property
    def subject(self) -> Source:
        """The file that has the subject."""
        return next(one for one in self.sources if one.subject)

    @property
    def wanted(self) -> frozenset[str]:
        """Names of all fields that it may read."""
        return frozenset().union(*(one.wanted for one in self.sources))


Templates = Mapping[str, Mapping[str, Template]]
"""By name and language."""


def templates_of(files: Mapping[str, str]) -> Templates:
    """The templates among a workspace's files; the first mistake is a SourceError.

    Those that Fairlead ships stand beside them, language by language; a file of the workspace's replaces one.
    """
    found, errors = _read(tuple(sorted((path, text) for path, text in files.items() if path.startswith(FOLDER))))
    if errors:
        raise errors[0]
    ours = shipped_templates()
    return MappingProxyType({name: {**ours.get(name, {}), **found.get(name, {})} for name in {**ours, **found}})


@lru_cache(maxsize=1)
def shipped_templates() -> Templates:
    """The messages that Fairlead itself writes, as files of the same form."""
    folder = resources.files("fairlead.connectors").joinpath("shipped")
    texts = {f"{FOLDER}{one.name}": one.read_text(encoding="utf-8") for one in folder.iterdir()}
    return _read(tuple(sorted(texts.items())))[0]


def check_messages(files: Mapping[str, str], _playbooks: Mapping[str, object] | None = None) -> list[SourceError]:
    """What is wrong with the templates among a workspace's files, at most one mistake a file."""
    return list(_read(tuple(sorted((path, text) for path, text in files.items() if path.startswith(FOLDER))))[1])


def choose(templates: Templates, name: str, language: str = "") -> Template:
    """The template in this language, else in it without its region, else in English, else in its first language.

    NotFoundError (`no_template`) when there is none of that name.
    """
    known = templates.get(name)
    if known is None:
        hint = did_you_mean(name, templates)
        raise NotFoundError(f"There is no message template {name!r:.80}. {hint or ''}".strip(), code="no_template")
    folded = {one.lower(): one for one in known}
    for wanted in (language.lower(), language.lower().partition("-")[0], FALLBACK):
        if wanted in folded:
            return known[folded[wanted]]
    return known[min(known)]


@lru_cache(maxsize=32)
def _read(files: tuple[tuple[str, str], ...]) -> tuple[Templates, tuple[SourceError, ...]]:
    sources: dict[tuple[str, str], list[Source]] = {}
    errors: list[SourceError] = []
    for path, text in files:
        try:
            source = parse_source(text, path)
        except SourceError as error:
            errors.append(error)
            continue
        sources.setdefault((source.name, source.language), []).append(source)
    found: dict[str, dict[str, Template]] = {}
    for (name, language), mine in sources.items():
        errors += _together(mine)
        found.setdefault(name, {})[language] = Template(name, language, tuple(mine))
    return MappingProxyType(found), tuple(errors)


def _together(sources: list[Source]) -> Iterator[SourceError]:
    """Whether the files of one message fit together."""
    first, *others = sorted(sources, key=lambda one: SUFFIXES.index(one.kind))
    if first.kind == "md" and others:
        message = f"{first.path} makes text and HTML already; {others[0].path} would be a second one."
        yield SourceError(message, Place(others[0].path), suggestion="Remove one of the two.", code="twice")
    subjects = {one.subject for one in sources if one.subject}
    if not subjects:
        hint = "Begin the file with the lines `---`, `subject: …` and `---`."
        yield SourceError("the message has no subject.", Place(first.path, 1), suggestion=hint, code="no_subject")
    elif len(subjects) > 1:
        place = Place(others[0].path, others[0].subject_line)
        yield SourceError(f"{first.path} has another subject.", place, suggestion="Write it once.", code="twice")


def parse_source(text: str, path: str) -> Source:
    """One file; SourceError with the place of its first mistake."""
    match = _FILE.fullmatch(path)
    if match is None:
        hint = "Write for example messages/welcome.en.md, .txt or .html."
        raise SourceError("this is no name of a message template.", Place(path), suggestion=hint, code="file_name")
    if len(text) > MAX_CHARS:
        raise SourceError(f"the file has more than {MAX_CHARS:,} characters.", Place(path), code="too_large")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    head, body, line = _cut(text, path)
    subject, at = "", 0
    if head.strip():
        fields = load_yaml("\n" + head, path).mapping(allowed=_KEYS)
        if "words" in fields:
            fields["words"].text(max_chars=500)
        if "subject" in fields:
            subject, at = fields["subject"].text(max_chars=300), fields["subject"].place.line
    if not body.strip():
        raise SourceError("the message is empty.", Place(path, line), code="empty")
    _check_markup(match["kind"], body, Place(path, line))
    wanted = _wanted(body, path, line) | (_wanted(subject, path, at) if subject else frozenset())
    return Source(path, match["name"], match["language"], match["kind"], subject, body, line, at, wanted)


_TAG = re.compile(r"\{\{.*?\}\}|\{[%#].*?[%#]\}", re.DOTALL)


def _check_markup(kind: str, body: str, place: Place) -> None:
    """Whether what the author wrote may stand in a message; what is filled in is looked at when it is there."""
    filled = _TAG.sub(lambda tag: "https://example.com" if tag[0].startswith("{{") else "", body)
    try:
        if kind != "txt":
            check_html(html_of_markdown(filled) if kind == "md" else filled)
    except ValueError as error:
        raise SourceError(f"{error}.", place, code="markup") from None


def _cut(text: str, path: str) -> tuple[str, str, int]:
    """Head, body, and the line on which the body begins."""
    if not text.startswith("---\n"):
        return "", text, 1
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        hint = "Close it with a line `---`."
        raise SourceError("the head of the file does not end.", Place(path, 1), suggestion=hint, code="front_matter")
    head, rest = text[4 : 4 + end.start()], text[4 + end.end() :].removeprefix("\n")
    return head, rest, 3 + head.count("\n")


def _wanted(text: str, path: str, line: int) -> frozenset[str]:
    """The names that a text reads; SourceError for anything outside of the small language."""
    environment = template_environment(html=False)
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        place = Place(path, line + error.lineno - 1)
        raise SourceError(f"this is no template: {error.message}.", place, code="template") from None
    except RecursionError:
        raise SourceError("this is nested too deeply.", Place(path, line), code="too_large") from None
    check = _Tree(path, line)
    check.walk(tree, frozenset(), 0)
    return frozenset(check.wanted)


class _Tree:
    """Goes through a parsed template and refuses what is not on the list."""

    def __init__(self, path: str, line: int) -> None:
        self.wanted: set[str] = set()
        self._path = path
        self._line = line
        self._nodes = 0
        self._at = 1

    def walk(self, node: nodes.Node, bound: frozenset[str], loops: int, depth: int = 0) -> None:
        self._nodes += 1
        self._at = node.lineno or self._at  # a few kinds of nodes have no line of their own
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            self._fail(
                node, f"the template has over {MAX_NODES:,} parts, or is over {MAX_DEPTH} deep.", code="too_large"
            )
        if type(node) not in _ALLOWED:
            what = type(node).__name__.lower()
            self._fail(node, f"`{what}` is not part of the templates' language.", "Only values, if and for are.")
        self._look(node, bound)
        if isinstance(node, nodes.For):
            if loops >= MAX_LOOPS or node.recursive:
                self._fail(node, f"loops are at most {MAX_LOOPS} deep, and none calls itself.")
            self.walk(node.iter, bound, loops, depth + 1)
            names = {one.name for one in node.target.find_all(nodes.Name)} or {getattr(node.target, "name", "")}
            inner = bound | names | {"loop"}
            for child in (*node.body, *node.else_, *([node.test] if node.test else [])):
                self.walk(child, inner, loops + 1, depth + 1)
            return
        for child in node.iter_child_nodes():
            self.walk(child, bound, loops, depth + 1)

    def _look(self, node: nodes.Node, bound: frozenset[str]) -> None:
        if isinstance(node, nodes.Name):
            self._name(node, node.name)
            if node.name == "self":
                self._fail(node, "`self` is not a field.", code="sandbox")
            if node.ctx == "load" and node.name not in bound:
                self.wanted.add(node.name)
        elif isinstance(node, nodes.Getattr):
            self._name(node, node.attr)
        elif isinstance(node, nodes.Getitem):
            if isinstance(node.arg, nodes.Const):
                self._name(node, str(node.arg.value))
            else:
                self._fail(node, "what stands in […] is a number or a text in quotes.")
        elif isinstance(node, nodes.Filter):
            self._filter(node)
        elif isinstance(node, nodes.Test) and node.name not in TESTS:
            self._fail(node, f"there is no test {node.name!r}.", did_you_mean(node.name, TESTS))

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in FILTERS:
            self._fail(node, f"there is no filter {node.name!r}.", did_you_mean(node.name, FILTERS))
        given = [*node.args, *(one.value for one in node.kwargs)]
        if node.name != "default" and not all(isinstance(one, nodes.Const) for one in given):
            self._fail(node, f"what the filter {node.name!r} is given stands there in quotes or as a number.")

    def _name(self, node: nodes.Node, name: str) -> None:
        if name.startswith("_"):
            self._fail(node, f"{name!r:.80} begins with an underscore; templates read fields only.", code="sandbox")

    def _fail(self, node: nodes.Node, message: str, hint: str | None = None, code: str = "template") -> None:
        place = Place(self._path, self._line + (node.lineno or self._at) - 1)
        raise SourceError(message, place, suggestion=hint, code=code)
