"""The graph of a playbook: every way is in it, nothing that is drawn lies upon anything else, nothing can break out."""

from __future__ import annotations

import itertools
import random
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from fairlead.playbooks import Mark, describe, graph_of, lay_out, mermaid, standard_path, svg, trend_svg
from fairlead.playbooks.graph import Graph, GraphEdge, GraphNode
from fairlead.playbooks.graph_layout import MAX_BENDS, fit, text_width, wrap
from fairlead.playbooks.graph_svg import Point
from fairlead.playbooks.parsing import parse_playbook
from tests.playbooks.world import OFFER, playbook

if TYPE_CHECKING:
    from fairlead.playbooks import Drawing, Playbook

LOOP = """
  score: {step: score-by-rules@1, next: sort}
  sort:
    branch: [{when: price > 10.0, next: ask}, {when: price > 5.0, next: again}]
    otherwise: ask
  ask: {checkpoint: offer, answer: {price: price}, next: {approved: won, rejected: again, blocked: lost}}
  again: {wait: replied, for: 3d, next: {replied: score, timeout: again}}
  won: {end: won}
  lost: {end: lost}
"""
HEAD = "facts: {price: double}\non: {opted_out: lost}"


def loop() -> Playbook:
    """With a branch, a loop back to the start, a stage that leads to itself, and an interrupt."""
    return parse_playbook(playbook(LOOP, head=HEAD), "p.yaml")


def random_graph(seed: int, stages: int, ways: int) -> Graph:
    """Any graph: circles, several roots, stages that nothing leads to."""
    rng = random.Random(seed)
    names = [f"stage-{number}-{'very-long-name' * rng.choice((0, 0, 3))}"[:64] for number in range(stages)]
    edges = {}
    for _ in range(ways):
        source, target = rng.choice(names), rng.choice(names)
        edges[source, target] = GraphEdge(source, target, tuple(rng.sample(["approved", "rejected", "sent"], 2)))
    interrupts = [GraphNode(f"on event-{number}", "interrupt", "") for number in range(3)]
    loose = [GraphEdge(one.name, rng.choice(names), ()) for one in interrupts]
    nodes = [GraphNode(name, rng.choice(["step", "end", "checkpoint"]), "detail") for name in names]
    return Graph((*nodes, *interrupts), (*edges.values(), *loose), names[0])


def rectangles(drawing: Drawing) -> list[tuple[float, float, float, float]]:
    """Of boxes and labels."""
    boxes = [(one.x, one.y, one.x + one.width, one.y + one.height) for one in drawing.boxes]
    labels = [one.label for one in drawing.lines if one.label]
    return boxes + [(one.x - one.width / 2, one.y, one.x + one.width / 2, one.y + one.height) for one in labels]


def check(drawing: Drawing) -> None:
    """Nothing overlaps, no straight piece of a line runs through a box, everything is on the sheet, texts fit."""
    found = rectangles(drawing)
    for one, other in itertools.combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    for left, top, right, bottom in found:
        assert left >= 0
        assert top >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height
    boxes = found[: len(drawing.boxes)]
    for line in drawing.lines:
        for (x1, y1), (x2, y2) in itertools.pairwise(line.points):
            if x1 == x2:
                low, high = sorted((y1, y2))
                inside = [b for b in boxes if b[0] < x1 < b[2] and low < b[3] - 0.1 and high > b[1] + 0.1]
                assert inside == [], line
    for box in drawing.boxes:
        assert all(text_width(text) <= box.width for text in box.lines)
        assert all(text_width(text, 12) <= box.width for text in box.notes)


def test_every_way_is_in_the_graph() -> None:
    """Outcomes and conditions are its labels; the main road is marked; several ways to one stage are one."""
    graph = graph_of(loop())
    found = {(one.source, one.target): one for one in graph.edges}
    assert found["ask", "again"].labels == ("rejected",)
    assert found["sort", "ask"].labels == ("price > 10.0", "otherwise")
    assert found["score", "sort"].labels == ()
    assert ("on opted_out", "lost") in found
    assert {pair for pair, one in found.items() if one.main} == {("score", "sort"), ("sort", "ask"), ("ask", "won")}
    assert standard_path(loop()) == ["score", "sort", "ask", "won"]
    targets = {(stage.name, target) for stage in loop().stages.values() for target in stage.next.values()}
    assert targets == {pair for pair in found if not pair[0].startswith("on ")}


def test_the_drawing_is_the_same_every_time() -> None:
    """Byte for byte."""
    first, second = (svg(lay_out(graph_of(loop())), title="t", description="d") for _ in range(2))
    assert first == second


def test_loops_lead_back_up_and_a_stage_to_itself_says_so() -> None:
    """A line against the direction of the others is marked as one; nothing is drawn from a box to itself."""
    drawing = lay_out(graph_of(loop()))
    assert [(one.edge.source, one.edge.target) for one in drawing.lines if one.back] == [("again", "score")]
    [again] = [one for one in drawing.boxes if one.node.name == "again"]
    assert "↻ again: timeout" in again.notes
    check(drawing)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_overlaps(seed: int) -> None:
    """Whatever the graph: circles everywhere, forty stages, long names."""
    check(lay_out(random_graph(seed, 5 + 3 * seed, 8 + 7 * seed)))


@pytest.mark.parametrize(
    "graph",
    [
        Graph((GraphNode("only", "end", "done"),), (), "only"),
        Graph((GraphNode("a", "step", ""), GraphNode("on x", "interrupt", "")), (GraphEdge("on x", "a", ()),), "a"),
        Graph(
            tuple(GraphNode(name, "wait", "") for name in "abc"),
            tuple(GraphEdge(a, b, ("x",)) for a, b in ("ab", "bc", "ca")),
            "a",
        ),
    ],
    ids=["one stage", "an interrupt of the only stage", "a circle"],
)
def test_small_and_odd_graphs(graph: Graph) -> None:
    """One stage, a circle without an end, an interrupt of the first stage."""
    check(lay_out(graph))
    ET.fromstring(svg(lay_out(graph), title="t", description="d", standalone=True))


def test_two_hundred_stages_that_all_lead_to_each_other() -> None:
    """The longest lines are named in their box instead of drawn, so size and time stay bounded."""
    names = [f"s{number}" for number in range(200)]
    edges = [GraphEdge(a, b, ("approved",)) for a in names for b in names[::4]]
    drawing = lay_out(Graph(tuple(GraphNode(name, "step", "x") for name in names), tuple(edges), "s0"))
    assert len(drawing.lines) <= MAX_BENDS
    assert len(drawing.boxes) == 200
    assert any("more ways" in note for box in drawing.boxes for note in box.notes)
    check(drawing)


def test_a_chain_of_two_hundred_is_drawn_whole() -> None:
    """A line between neighbours is never left out."""
    stages = "\n".join(f"  s{n}: {{wait: time, for: 1s, next: {{timeout: s{n + 1}}}}}" for n in range(199))
    graph = graph_of(parse_playbook(playbook(f"{stages}\n  s199: {{end: x}}"), "p.yaml"))
    drawing = lay_out(graph)
    assert len(drawing.lines) == 199
    check(drawing)


EVIL = "<script>alert('x')</script>\"&\x00]]>\u202e 東京 \U0001f600"


def test_hostile_names_stay_text() -> None:
    """Markup, quotes, control characters and turned scripts: the SVG parses, and nothing of it is an element."""
    nodes = (GraphNode(EVIL, "step", EVIL), GraphNode("b", "end", "x" * 500), GraphNode(f"on {EVIL}", "interrupt", ""))
    graph = Graph(nodes, (GraphEdge(EVIL, "b", (EVIL, "")), GraphEdge(f"on {EVIL}", "b", ())), EVIL)
    drawing = lay_out(graph)
    check(drawing)
    link = "/x?a=1&b=<>\"'"
    text = svg(drawing, title=EVIL, description=EVIL, link=lambda _: link, marks={EVIL: Mark(EVIL, "bad", EVIL)})
    tree = ET.fromstring(text)
    assert {one.tag for one in tree.iter()} == {
        "svg", "title", "desc", "defs", "marker", "path", "g", "rect", "text", "a",
    }  # fmt: skip
    assert {one.attrib["href"] for one in tree.iter("a")} == {link}
    assert "<script" not in text
    assert not any(name == "style" or name.startswith("on") for one in tree.iter() for name in one.attrib)


def test_boxes_are_links_with_names_and_the_picture_has_a_title() -> None:
    """A screen reader hears stage, kind and count; interrupts lead nowhere; no style is inline."""
    drawing = lay_out(graph_of(loop()))
    marks = {"ask": Mark("7 here", "warn", "7 open cases here")}
    said = describe(drawing)
    tree = ET.fromstring(
        svg(drawing, title="Playbook test", description=said, link=lambda name: f"/s/{name}", marks=marks)
    )
    links = {one.attrib["href"]: one.attrib["aria-label"] for one in tree.iter("a")}
    assert links["/s/ask"] == "ask, checkpoint: offer; 7 open cases here"
    assert len(links) == 6
    ids = {one.attrib.get("id") for one in tree.iter()}
    assert set(tree.attrib["aria-labelledby"].split()) <= ids
    assert "style" not in {one.tag for one in tree.iter()}
    assert "6 stages" in describe(drawing)


def test_a_file_of_its_own_brings_its_colours() -> None:
    """Name space, background and style, light and dark."""
    text = svg(lay_out(graph_of(loop())), title="t", description="d", standalone=True)
    assert text.startswith('<svg class="pb"')
    assert "prefers-color-scheme:dark" in text
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


def test_mermaid_keeps_every_name_from_being_syntax() -> None:
    """One node a stage, one arrow a way; quotes, brackets and markup are entities."""
    lines = mermaid(graph_of(parse_playbook(OFFER, "p.yaml"))).splitlines()
    assert lines[0] == "flowchart TD"
    assert '  s0{{"ask<br/>checkpoint: offer"}}' in lines
    assert '  s0 ==>|"approved"| s1' in lines
    assert any(line.endswith("-.-> s6") for line in lines)
    evil = mermaid(Graph((GraphNode(EVIL, "end", '"]; click s0 call x()'),), (), EVIL))
    assert re.fullmatch(r'  s0\(\("[^"<>\[\](){}|`]*<br/>[^"<>\[\](){}|`]*"\)\)', evil.splitlines()[1])
    assert len(evil.splitlines()) == 2


def test_long_texts_are_cut_and_wrapped_to_their_width() -> None:
    """Behind a hyphen where there is one; wide scripts take more room; nothing is lost but behind an ellipsis."""
    assert wrap("a-stage-with-a-rather-long-name-of-words", 120, 3)[0].endswith("-")
    assert "".join(wrap("x" * 40, 100, 9)) == "x" * 40
    assert fit("short", 100) == "short"
    assert fit("東京" * 40, 100).endswith("…")
    assert text_width("東") > text_width("i")
    assert all(text_width(one) <= 100 for one in wrap("東京" * 40, 100, 3))


def test_a_trend_has_gaps_and_a_target() -> None:
    """Weeks without a case leave a hole; a single week and none at all are drawn, too."""
    points = [Point("1 Nov", 0.5, 4), Point("8 Nov", None, 0), Point("15 Nov", 0.25, 8)]
    tree = ET.fromstring(trend_svg(points, target=0.4, title="<b>", shown=lambda value: f"{value:.0%}"))
    [line] = [one for one in tree.iter("path") if one.attrib["class"] == "pb-trend-line"]
    assert line.attrib["d"].count("M") == 2
    assert sum(one.tag == "circle" for one in tree.iter()) == 2
    for few in ([Point("x", None, 0)], [Point("x", 0.0, 1)]):
        ET.fromstring(trend_svg(few, target=0.0, title="t", shown=str))
