"""Where each box and line of a playbook's graph goes: a layered drawing, the same for the same playbook.

The way of Sugiyama, Tagawa and Toda (1981): loops are turned round, boxes go into layers by the longest way
from the start, long lines get a bend in every layer, layers are sorted by the mean place of their neighbours,
and places within a layer are a weighted isotonic regression towards the neighbours. Labels are treated as
bends of their own width in layers of their own; so nothing that is drawn can overlap anything else.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from fairlead.playbooks.graph import Graph, GraphEdge, GraphNode

BOX_WIDTH = 216.0
TEXT_WIDTH = 198.0
LABEL_WIDTH = 190.0
LINE, SMALL_LINE = 18.0, 16.0
PAD, GAP, ROW_GAP, MARGIN = 11.0, 26.0, 28.0, 16.0
ARROW = 10.0
"""How much of a line is straight before its head."""
MAX_SPAN, MAX_BENDS = 17, 700
"""Lines over more bends than this, and the longest beyond so many in all, are named in their box, not drawn."""
MAX_NAME_LINES, MAX_STUBS = 3, 3
_SWEEPS, _PASSES = 10, 12
_NARROW, _WIDE = frozenset("iljtfr.,:;'|!()[] -"), frozenset("mwMW@%—…→↷↻")


@dataclass(frozen=True, slots=True)
class Box:
    """A node with its place; `lines` is its name, `notes` small lines below. `x` and `y` are the upper left corner."""

    node: GraphNode
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """The words at a line, centred at `x`; `y` is the upper edge."""

    text: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as drawn: straight between points that stand above each other, bent between the others.

    `back`: it leads up to an earlier layer.
    """

    edge: GraphEdge
    points: tuple[tuple[float, float], ...]
    back: bool
    label: Label | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that is drawn, and how much room it takes."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


class _Spot(NamedTuple):
    """Something in a layer: a box (its name), or a bend of an edge (its number, the layer)."""

    layer: int
    key: tuple[str, int]


@dataclass(slots=True)
class _Sheet:
    """The drawing under way."""

    graph: Graph
    layer_of: dict[str, int]
    back: set[int]
    stubs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    chains: dict[int, list[_Spot]] = field(default_factory=dict)
    layers: list[list[_Spot]] = field(default_factory=list)
    labels: dict[_Spot, str] = field(default_factory=dict)
    x: dict[_Spot, float] = field(default_factory=dict)


def text_width(text: str, size: float = 14.0) -> float:
    """An upper estimate of how wide a text is in pixels, in any sans-serif font that a browser has."""
    units = 0.0
    for one in text:
        if unicodedata.combining(one):
            continue
        if unicodedata.east_asian_width(one) in "WF" or ord(one) > 0x2E80:  # noqa: PLR2004  where wide scripts begin
            units += 1.1
        elif one in _WIDE:
            units += 0.95
        elif one in _NARROW:
            units += 0.4
        else:
            units += 0.72 if one.isupper() else 0.62
    return units * size


def fit(text: str, width: float, size: float = 14.0) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrap(text: str, width: float, most: int, size: float = 14.0) -> tuple[str, ...]:
    """At most `most` lines, broken behind a blank, `-` or `_` where there is one."""
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest and len(lines) < most - 1 and text_width(rest, size) > width:
        end = len(rest)
        while end > 1 and text_width(rest[:end], size) > width:
            end -= 1
        cut = max(rest.rfind(mark, 0, end) for mark in " -_") + 1
        end = cut if cut > end // 3 else end
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*lines, fit(rest, width, size)) if rest or not lines else tuple(lines)


def lay_out(graph: Graph) -> Drawing:
    """The drawing; its size is bounded, whatever the graph: the longest lines are named in their box instead."""
    back = _turned(graph)
    sheet = _Sheet(graph, _layered(graph, back), back)
    _chain(sheet)
    _sort(sheet)
    boxes = _boxes(sheet)
    _place(sheet)
    return _drawn(sheet, boxes)


def _turned(graph: Graph) -> set[int]:
    """Numbers of the edges that close a loop, seen from the start in the order of the file."""
    following: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, edge in enumerate(graph.edges):
        if edge.source != edge.target:
            following[edge.source].append((number, edge.target))
    back: set[int] = set()
    done: set[str] = set()
    for root in [graph.start, *(node.name for node in graph.nodes)]:
        if root in done:
            continue
        trail, on_trail = [(root, iter(following[root]))], {root}
        while trail:
            name, ways = trail[-1]
            step = next(ways, None)
            if step is None:
                trail.pop()
                on_trail.discard(name)
                done.add(name)
            elif step[1] in on_trail:
                back.add(step[0])
            elif step[1] not in done:
                on_trail.add(step[1])
                trail.append((step[1], iter(following[step[1]])))
    return back


def _layered(graph: Graph, back: set[int]) -> dict[str, int]:
    """Each node's layer by the longest way from a node that nothing leads to; interrupts just above their target."""
    forward: dict[str, list[str]] = defaultdict(list)
    missing = {node.name: 0 for node in graph.nodes}
    for number, edge in enumerate(graph.edges):
        if edge.source != edge.target and not _is_interrupt(edge.source):
            one, other = (edge.target, edge.source) if number in back else (edge.source, edge.target)
            forward[one].append(other)
            missing[other] += 1
    layer = {node.name: 0 for node in graph.nodes}
    ready = [node.name for node in graph.nodes if not missing[node.name]]
    for name in ready:
        for target in forward[name]:
            layer[target] = max(layer[target], layer[name] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    interrupts = [edge for edge in graph.edges if _is_interrupt(edge.source)]
    if any(layer[edge.target] == 0 for edge in interrupts):
        layer = {name: number + 1 for name, number in layer.items()}
    for edge in interrupts:
        layer[edge.source] = layer[edge.target] - 1
    least = min(layer.values())
    return {name: 2 * (number - least) for name, number in layer.items()}


def _is_interrupt(name: str) -> bool:
    return name.startswith("on ")  # no stage's name has a blank


def _chain(sheet: _Sheet) -> None:
    """A bend in every layer that an edge passes; the longest edges give way when there are too many."""
    spans = {}
    for number, edge in enumerate(sheet.graph.edges):
        if edge.source == edge.target:
            sheet.stubs[edge.source].append("↻ again: " + (", ".join(edge.labels) or "next"))
        else:
            spans[number] = abs(sheet.layer_of[edge.source] - sheet.layer_of[edge.target]) - 1
    total = sum(spans.values())
    for number in sorted(spans, key=lambda one: (-spans[one], -one)):
        if total <= MAX_BENDS and spans[number] <= MAX_SPAN:
            break
        total -= spans.pop(number)
        edge = sheet.graph.edges[number]
        sheet.stubs[edge.source].append(f"↷ {', '.join(edge.labels)} → {edge.target}".replace("↷  →", "↷"))
    sheet.layers = [[] for _ in range(max(sheet.layer_of.values()) + 1)]
    for node in sheet.graph.nodes:
        sheet.layers[sheet.layer_of[node.name]].append(_box_spot(sheet, node.name))
    for number in sorted(spans):
        edge = sheet.graph.edges[number]
        upper, lower = sorted((edge.source, edge.target), key=sheet.layer_of.__getitem__)
        first, last = sheet.layer_of[upper] + 1, sheet.layer_of[lower]
        bends = [_Spot(layer, (edge.source, number)) for layer in range(first, last)]
        for bend in bends:
            sheet.layers[bend.layer].append(bend)
        if edge.labels:
            sheet.labels[bends[0] if upper == edge.source else bends[-1]] = fit(", ".join(edge.labels), LABEL_WIDTH, 12)
        sheet.chains[number] = [_box_spot(sheet, upper), *bends, _box_spot(sheet, lower)]


def _box_spot(sheet: _Sheet, name: str) -> _Spot:
    return _Spot(sheet.layer_of[name], (name, -1))


def _neighbours(sheet: _Sheet) -> tuple[dict[_Spot, list[_Spot]], dict[_Spot, list[_Spot]]]:
    above: dict[_Spot, list[_Spot]] = defaultdict(list)
    below: dict[_Spot, list[_Spot]] = defaultdict(list)
    for chain in sheet.chains.values():
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _sort(sheet: _Sheet) -> None:
    """Order each layer so that few lines cross; the best of some sweeps up and down."""
    above, below = _neighbours(sheet)
    best, least = [list(layer) for layer in sheet.layers], _crossings(sheet.layers, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        numbers = range(1, len(sheet.layers)) if down else range(len(sheet.layers) - 2, -1, -1)
        for number in numbers:
            side = sheet.layers[number - 1 if down else number + 1]
            place = {spot: position for position, spot in enumerate(side)}
            known = above if down else below
            old = {spot: position for position, spot in enumerate(sheet.layers[number])}
            sheet.layers[number].sort(key=lambda spot: (_mean(spot, known, place, old), old[spot]))
        crossings = _crossings(sheet.layers, below)
        if crossings < least:
            best, least = [list(layer) for layer in sheet.layers], crossings
    sheet.layers = best


def _mean(
    spot: _Spot, known: Mapping[_Spot, Sequence[_Spot]], place: Mapping[_Spot, int], old: Mapping[_Spot, int]
) -> float:
    near = [place[one] for one in known.get(spot, ())]
    return sum(near) / len(near) if near else float(old[spot])


def _crossings(layers: Sequence[Sequence[_Spot]], below: Mapping[_Spot, Sequence[_Spot]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {spot: position for position, spot in enumerate(lower)}
        ends = [end for spot in upper for end in sorted(place[one] for one in below.get(spot, ()))]
        tree = [0] * (len(lower) + 1)
        for seen, end in enumerate(ends):
            before, at = 0, end + 1
            while at:
                before += tree[at]
                at -= at & -at
            count += seen - before
            at = end + 1
            while at <= len(lower):
                tree[at] += 1
                at += at & -at
    return count


def _half(sheet: _Sheet, spot: _Spot) -> float:
    if spot.key[1] < 0:
        return BOX_WIDTH / 2
    text = sheet.labels.get(spot)
    return text_width(text, 12) / 2 + 6 if text else 4.0


def _place(sheet: _Sheet) -> None:
    """Sideways places: towards the neighbours, in order, never closer than the gap."""
    above, below = _neighbours(sheet)
    for layer in sheet.layers:
        at = 0.0
        for spot in layer:
            sheet.x[spot] = at + _half(sheet, spot)
            at = sheet.x[spot] + _half(sheet, spot) + GAP
    for turn in range(_PASSES):
        down = turn % 2 == 0
        numbers = range(len(sheet.layers)) if down else range(len(sheet.layers) - 1, -1, -1)
        for number in numbers:
            _settle(sheet, sheet.layers[number], above if down else below, below if down else above)


def _settle(
    sheet: _Sheet,
    layer: Sequence[_Spot],
    known: Mapping[_Spot, Sequence[_Spot]],
    other: Mapping[_Spot, Sequence[_Spot]],
) -> None:
    """Weighted isotonic regression (pool adjacent violators) of the wished places, with the gaps taken out."""
    blocks: list[tuple[float, float, int]] = []  # sum of weight times wish, weight, members
    offsets, offset = [], 0.0
    for position, spot in enumerate(layer):
        if position:
            offset += _half(sheet, layer[position - 1]) + GAP + _half(sheet, spot)
        offsets.append(offset)
        near = [sheet.x[one] for one in known.get(spot, ()) or other.get(spot, ())]
        wish = sum(near) / len(near) if near else sheet.x[spot]
        weight = 4.0 if spot.key[1] >= 0 else 1.0
        blocks.append((weight * (wish - offset), weight, 1))
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, mass, members = blocks.pop()
            blocks[-1] = (blocks[-1][0] + total, blocks[-1][1] + mass, blocks[-1][2] + members)
    at = 0
    for total, mass, members in blocks:
        for _ in range(members):
            sheet.x[layer[at]] = total / mass + offsets[at]
            at += 1


def _boxes(sheet: _Sheet) -> dict[str, tuple[GraphNode, tuple[str, ...], tuple[str, ...], float]]:
    """What stands in each box, and its height."""
    found = {}
    for node in sheet.graph.nodes:
        lines = wrap(node.name, TEXT_WIDTH, MAX_NAME_LINES)
        notes = [fit(f"{node.kind} · {node.detail}" if node.kind != "interrupt" else node.detail, TEXT_WIDTH, 12)]
        stubs = sheet.stubs.get(node.name, [])
        shown = stubs if len(stubs) <= MAX_STUBS else [*stubs[: MAX_STUBS - 1], f"↷ {len(stubs) - 2} more ways"]
        notes += [fit(stub, TEXT_WIDTH, 12) for stub in shown]
        height = 2 * PAD + LINE * len(lines) + SMALL_LINE * (len(notes) + (node.kind != "interrupt"))
        found[node.name] = (node, lines, tuple(notes), height)
    return found


def _drawn(sheet: _Sheet, contents: Mapping[str, tuple[GraphNode, tuple[str, ...], tuple[str, ...], float]]) -> Drawing:
    left = min(sheet.x[spot] - _half(sheet, spot) for layer in sheet.layers for spot in layer)
    x = {spot: round(place - left + MARGIN, 1) for spot, place in sheet.x.items()}
    tops, heights, at = [], [], MARGIN
    for number, layer in enumerate(sheet.layers):
        own = [contents[spot.key[0]][3] for spot in layer if spot.key[1] < 0]
        words = [20.0 for spot in layer if spot in sheet.labels]
        height = max([*own, *words, 0.0])
        tops.append(at)
        heights.append(height)
        at += height + (ROW_GAP if number < len(sheet.layers) - 1 else 0)
    boxes = {}
    for name, (node, lines, notes, height) in contents.items():
        spot = _box_spot(sheet, name)
        y = tops[spot.layer] + (heights[spot.layer] - height) / 2
        boxes[name] = Box(node, round(x[spot] - BOX_WIDTH / 2, 1), round(y, 1), BOX_WIDTH, height, lines, notes)
    ports = _ports(sheet, x)
    lines_drawn = [_line(sheet, number, boxes, x, (tops, heights), ports) for number in sheet.chains]
    width = max(x[spot] + _half(sheet, spot) for layer in sheet.layers for spot in layer) + MARGIN
    return Drawing(round(width, 1), round(at + MARGIN, 1), tuple(boxes.values()), tuple(lines_drawn))


def _ports(sheet: _Sheet, x: Mapping[_Spot, float]) -> dict[tuple[int, _Spot], float]:
    """Where along a box's edge each of its lines begins or ends, in the order of where they go."""
    ends: dict[tuple[_Spot, bool], list[tuple[float, int]]] = defaultdict(list)
    for number, chain in sheet.chains.items():
        ends[chain[0], True].append((x[chain[1]], number))
        ends[chain[-1], False].append((x[chain[-2]], number))
    found = {}
    for (spot, _), lines in ends.items():
        step = min(28.0, BOX_WIDTH * 0.8 / max(len(lines), 1))
        for position, (_, number) in enumerate(sorted(lines)):
            found[number, spot] = x[spot] + (position - (len(lines) - 1) / 2) * step
    return found


def _line(
    sheet: _Sheet,
    number: int,
    boxes: Mapping[str, Box],
    x: Mapping[_Spot, float],
    rows: tuple[Sequence[float], Sequence[float]],
    ports: Mapping[tuple[int, _Spot], float],
) -> Line:
    edge, chain = sheet.graph.edges[number], sheet.chains[number]
    tops, heights = rows
    upper, lower = boxes[chain[0].key[0]], boxes[chain[-1].key[0]]
    top, bottom = chain[0].layer, chain[-1].layer
    first, last = ports[number, chain[0]], ports[number, chain[-1]]
    down = chain[0].key[0] == edge.source
    points = [(first, upper.y + upper.height), (first, tops[top] + heights[top] + (0 if down else ARROW))]
    label = None
    for spot in chain[1:-1]:
        points += [(x[spot], tops[spot.layer]), (x[spot], tops[spot.layer] + heights[spot.layer])]
        if spot in sheet.labels:
            half = _half(sheet, spot)
            label = Label(sheet.labels[spot], x[spot], tops[spot.layer], 2 * half, heights[spot.layer])
    points += [(last, tops[bottom] - (ARROW if down else 0)), (last, lower.y)]
    rounded = list(dict.fromkeys((round(a, 1), round(b, 1)) for a, b in points))
    return Line(edge, tuple(rounded if down else reversed(rounded)), not down, label)
