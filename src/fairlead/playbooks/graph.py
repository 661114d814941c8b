"""A playbook as a graph: its stages, the ways between them, and the road that an undisturbed case takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from fairlead.playbooks.model import (
    ActStage,
    BranchStage,
    CheckpointStage,
    EndStage,
    Playbook,
    SpawnStage,
    Stage,
    StepStage,
    WaitStage,
    main_road,
)

MAX_WHEN = 34
"""How much of a branch's condition stands at its way; the table and the title have all of it."""
_SHAPES = {
    "step": ("[", "]"),
    "checkpoint": ("{{", "}}"),
    "act": ("[/", "/]"),
    "wait": ("([", "])"),
    "branch": ("{", "}"),
    "spawn": ("[[", "]]"),
    "end": ("((", "))"),
    "interrupt": (">", "]"),
}


class GraphNode(NamedTuple):
    """A stage, or an interrupt (its name is then `on EVENT`); `detail` says what it does, in a few words."""

    name: str
    kind: str
    detail: str


class GraphEdge(NamedTuple):
    """All ways from one node to another; `labels` are the outcomes that take it, none for the only way.

    `main`: on the road of an undisturbed case.
    """

    source: str
    target: str
    labels: tuple[str, ...]
    main: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of the file, interrupts behind them; edges in the order of their sources."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    start: str


def graph_of(playbook: Playbook) -> Graph:
    """The graph that the playbook's page, the API and the exports show."""
    standard = {(one, other) for one, other in _pairs(standard_path(playbook))}
    nodes = [GraphNode(stage.name, kind_of(stage), _detail(stage)) for stage in playbook.stages.values()]
    edges = []
    for stage in playbook.stages.values():
        ways: dict[str, list[str]] = {}
        for label, target in ways_out(stage):
            ways.setdefault(target, []).append(label)
        for target, labels in ways.items():
            named = tuple(dict.fromkeys(label for label in labels if label))
            edges.append(GraphEdge(stage.name, target, named, (stage.name, target) in standard))
    for event, target in playbook.interrupts.items():
        name = f"on {event}"
        nodes.append(GraphNode(name, "interrupt", "whatever stage it is at"))
        edges.append(GraphEdge(name, target, ()))
    return Graph(tuple(nodes), tuple(edges), playbook.start)


def standard_path(playbook: Playbook) -> list[str]:
    """The stages of the main road from the start to an end, or to where it begins to go round."""
    path: list[str] = []
    name: str | None = playbook.start
    while name is not None and name not in path:
        path.append(name)
        name = main_road(playbook.stages[name])
    return path


def _pairs(path: list[str]) -> Iterator[tuple[str, str]]:
    return pairwise(path)


def kind_of(stage: Stage) -> str:
    """The word under which the YAML has it: step, checkpoint, act, wait, branch, spawn or end."""
    kinds: dict[type[Stage], str] = {
        StepStage: "step", CheckpointStage: "checkpoint", ActStage: "act", WaitStage: "wait",
        BranchStage: "branch", SpawnStage: "spawn", EndStage: "end",
    }  # fmt: skip
    return kinds[type(stage)]


def _detail(stage: Stage) -> str:
    match stage:
        case StepStage():
            said = stage.step
        case CheckpointStage():
            said = stage.checkpoint
        case ActStage():
            said = f"through {stage.connector}" + (", does not wait" if stage.detach else "")
        case WaitStage():
            said = f"for {stage.event or 'time'}"
        case SpawnStage():
            said = f"{stage.playbook}, {stage.until} of them"
        case EndStage():
            said = stage.end
        case _:
            said = "first condition that holds"
    return said


def ways_out(stage: Stage) -> Iterator[tuple[str, str]]:
    """(label, target) of every way out of a stage; "" where there is only one and it needs no word."""
    if isinstance(stage, BranchStage):
        for condition, target in stage.arms:
            source = " ".join(condition.source.split())
            yield (source if len(source) <= MAX_WHEN else source[: MAX_WHEN - 1] + "…"), target
        yield "otherwise", stage.otherwise
        return
    for outcome, target in stage.next.items():
        yield ("" if outcome in {"next", "done"} else outcome), target


def mermaid(graph: Graph) -> str:
    """The graph as Mermaid text; whatever stands in a name is kept from being read as syntax."""
    ids = {node.name: f"s{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    for node in graph.nodes:
        opening, closing = _SHAPES[node.kind]
        text = node.name if node.kind == "interrupt" else f"{node.name}<br/>{node.kind}: {node.detail}"
        lines.append(f"  {ids[node.name]}{opening}{_quoted(text)}{closing}")
    for edge in graph.edges:
        arrow = "-.->" if edge.source.startswith("on ") else "==>" if edge.main else "-->"
        label = f"|{_quoted(' / '.join(edge.labels))}|" if edge.labels else ""
        lines.append(f"  {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A Mermaid string: entities for what would end it or be taken for markup; the line break stays."""
    parts = []
    for part in " ".join(text.split()).split("<br/>"):
        escaped = "".join(f"#{ord(one)};" if one in _RISKY else one for one in part)
        parts.append("".join(one if one.isprintable() else "\ufffd" for one in escaped))
    return '"' + "<br/>".join(parts) + '"'


_RISKY = frozenset("\"'`#;<>{}[]()|&\\")
