"""A laid-out graph as SVG: coloured by classes alone, each box a link that the keyboard reaches."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from fairlead.playbooks.graph_layout import LINE, PAD, SMALL_LINE, TEXT_WIDTH, Box, Drawing, Line, fit

_STYLE = """
.pb{font:14px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;--b:#fff;--l:#8a938e;--i:#1c2422;
--d:#57615d;--a:#1a6473;--s:#e2eff2;--w:#7a4b00;--x:#a42a22;--p:#f4f5f3}
@media(prefers-color-scheme:dark){.pb{--b:#1a211f;--l:#77837e;--i:#e7ecea;--d:#a3afaa;--a:#7fcbd9;--s:#17323a;--w:#f0c674;
--x:#ff9d92;--p:#121716}}
.pb-page{fill:var(--p)}.pb-shape{fill:var(--b);stroke:var(--l)}.pb-checkpoint .pb-shape{fill:var(--s);stroke:var(--a)}
.pb-end .pb-shape{stroke-width:2}.pb-interrupt .pb-shape{stroke-dasharray:4 3}.pb-name{fill:var(--i);font-weight:600}
.pb-note{fill:var(--d);font-size:12px}.pb-mark{fill:var(--i);font-size:12px}.pb-mark.warn{fill:var(--w)}
.pb-mark.bad{fill:var(--x)}.pb-line{fill:none;stroke:var(--l);stroke-width:1.4}.pb-main{stroke:var(--a);stroke-width:2.4}
.pb-dash{stroke-dasharray:5 4}.pb-head{fill:var(--l)}.pb-head-main{fill:var(--a)}.pb-label rect{fill:var(--p)}
.pb-label text{fill:var(--d);font-size:12px}
"""
"""For a file of its own; on our pages the style sheet has the same classes, and inline styles are refused."""


class Mark(NamedTuple):
    """What stands in a box about its cases; `level` is "", warn or bad. `spoken` is for the link's name."""

    text: str
    level: str = ""
    spoken: str = ""


def svg(
    drawing: Drawing,
    *,
    title: str,
    description: str,
    link: Callable[[str], str] | None = None,
    marks: Mapping[str, Mark] | None = None,
    standalone: bool = False,
) -> str:
    """The drawing as one `<svg>` element.

    `link` gives the address behind a stage; None: the boxes are no links. `standalone` adds what a file needs
    that is opened by itself: the name space, the background and its own style.
    """
    width, height = drawing.width, drawing.height
    head = (
        f'<svg class="pb" role="group" aria-labelledby="pb-title pb-desc" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}"' + (' xmlns="http://www.w3.org/2000/svg"' if standalone else "") + ">"
    )
    parts = [head, f'<title id="pb-title">{_text(title)}</title>', f'<desc id="pb-desc">{_text(description)}</desc>']
    if standalone:
        parts += [f"<style>{_STYLE}</style>", f'<rect class="pb-page" width="{width:g}" height="{height:g}"/>']
    parts.append(_heads())
    parts += [_path(line) for line in drawing.lines]
    parts += [_label(line) for line in drawing.lines if line.label]
    parts += [_box(box, link, marks or {}) for box in drawing.boxes]
    return "\n".join([*parts, "</svg>"])


def describe(drawing: Drawing) -> str:
    """The graph in a sentence, for who does not see it."""
    stages = [box.node for box in drawing.boxes if box.node.kind != "interrupt"]
    kinds: dict[str, int] = {}
    for node in stages:
        kinds[node.kind] = kinds.get(node.kind, 0) + 1
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{len(stages)} stages ({counted}) and {len(drawing.lines)} ways between them. The table has the same data."


def _heads() -> str:
    shape = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"'
    heads = (("pb-arrow", "pb-head"), ("pb-arrow-main", "pb-head-main"))
    return (
        "<defs>"
        + "".join(
            f'<marker id="{name}" {shape} markerUnits="userSpaceOnUse"><path class="{css}" d="M0 0 8 4 0 8Z"/></marker>'
            for name, css in heads
        )
        + "</defs>"
    )


def _path(line: Line) -> str:
    pieces = [f"M{line.points[0][0]:g} {line.points[0][1]:g}"]
    for (x1, y1), (x2, y2) in pairwise(line.points):
        if x1 == x2:
            pieces.append(f"L{x2:g} {y2:g}")
        else:
            middle = (y1 + y2) / 2
            pieces.append(f"C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}")
    css = "pb-line" + (" pb-main" if line.edge.main else "")
    css += " pb-dash" if line.back or line.edge.source.startswith("on ") else ""
    head = "pb-arrow-main" if line.edge.main else "pb-arrow"
    words = f"{line.edge.source} → {line.edge.target}"
    words += f": {', '.join(line.edge.labels)}" if line.edge.labels else ""
    return f'<path class="{css}" marker-end="url(#{head})" d="{"".join(pieces)}"><title>{_text(words)}</title></path>'


def _label(line: Line) -> str:
    label = line.label
    assert label is not None  # noqa: S101  the caller looked
    return (
        f'<g class="pb-label" aria-hidden="true"><rect x="{label.x - label.width / 2:g}" y="{label.y:g}" '
        f'width="{label.width:g}" height="{label.height:g}" rx="4"/>'
        f'<text x="{label.x:g}" y="{label.y + label.height / 2 + 4:g}" text-anchor="middle">'
        f"{_text(label.text)}</text></g>"
    )


def _box(box: Box, link: Callable[[str], str] | None, marks: Mapping[str, Mark]) -> str:
    node, mark = box.node, marks.get(box.node.name)
    middle, at = box.x + box.width / 2, box.y + PAD + LINE - 5
    rows = [_row("pb-name", middle, at + number * LINE, text) for number, text in enumerate(box.lines)]
    at += len(box.lines) * LINE - 2
    rows += [_row("pb-note", middle, at + number * SMALL_LINE, text) for number, text in enumerate(box.notes)]
    if mark is not None:
        css = f"pb-mark {mark.level}".rstrip()
        rows.append(_row(css, middle, at + len(box.notes) * SMALL_LINE, fit(mark.text, TEXT_WIDTH, 12)))
    spoken = f"{node.name}, {node.kind}: {node.detail}" + (f"; {mark.spoken or mark.text}" if mark else "")
    radius = {"end": box.height / 2, "wait": 18, "branch": 2}.get(node.kind, 8)
    shape = (
        f'<rect class="pb-shape" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
        f'rx="{min(radius, 30):g}"/>'
    )
    group = f'<g class="pb-node pb-{node.kind}"><title>{_text(spoken)}</title>{shape}{"".join(rows)}</g>'
    if link is None or node.kind == "interrupt":
        return group
    return f'<a href="{_text(link(node.name))}" aria-label="{_text(spoken)}">{group}</a>'


def _row(css: str, x: float, y: float, text: str) -> str:
    return f'<text class="{css}" x="{x:g}" y="{y:g}" text-anchor="middle">{_text(text)}</text>'


def _text(text: str) -> str:
    """Escaped, and without characters that no XML may hold."""
    return html.escape("".join(one if one.isprintable() else "\ufffd" for one in text), quote=True)


class Point(NamedTuple):
    """A week of a trend; `value` None: no case."""

    label: str
    value: float | None
    n: int


def trend_svg(points: Sequence[Point], *, target: float, title: str, shown: Callable[[float], str]) -> str:
    """A line over weeks with the target across; gaps where a week has no case. A table with the same data
    belongs below it.
    """
    width, height, left, top, bottom = 640.0, 180.0, 64.0, 14.0, 28.0
    known = [point.value for point in points if point.value is not None]
    most = max([*known, target]) * 1.08 or 1.0
    step = (width - left - 14) / max(len(points) - 1, 1)

    def y(value: float) -> float:
        return round(top + (height - top - bottom) * (1 - value / most), 1)

    parts = [
        f'<svg class="pb-trend" role="img" aria-labelledby="trend-title" viewBox="0 0 {width:g} {height:g}">',
        f'<title id="trend-title">{_text(title)}</title>',
        f'<path class="pb-axis" d="M{left:g} {y(0):g}H{width - 14:g}"/>',
        f'<path class="pb-target" d="M{left:g} {y(target):g}H{width - 14:g}"/>',
        f'<text class="pb-note" x="{left - 8:g}" y="{y(target) + 4:g}" text-anchor="end">{_text(shown(target))}</text>',
    ]
    if y(0) - y(target) > 16:  # noqa: PLR2004  the two words would stand upon each other
        parts.append(f'<text class="pb-note" x="{left - 8:g}" y="{y(0) + 4:g}" text-anchor="end">0</text>')
    d, pen = [], "M"
    for number, point in enumerate(points):
        if point.value is None:
            pen = "M"
            continue
        x = round(left + number * step, 1)
        d.append(f"{pen}{x:g} {y(point.value):g}")
        pen = "L"
        parts.append(f'<circle class="pb-dot" cx="{x:g}" cy="{y(point.value):g}" r="3"/>')
    if d:
        parts.append(f'<path class="pb-trend-line" d="{"".join(d)}"/>')
    for number in {0, len(points) // 2, len(points) - 1}:
        anchor = "start" if number == 0 else "end" if number == len(points) - 1 else "middle"
        place = f'x="{left + number * step:g}" y="{height - 8:g}" text-anchor="{anchor}"'
        parts.append(f'<text class="pb-note" {place}>{_text(points[number].label)}</text>')
    return "\n".join([*parts, "</svg>"])
