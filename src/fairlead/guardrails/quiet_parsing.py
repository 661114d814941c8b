"""Quiet hours of `contact.yaml`: windows, and whether they leave any hour open at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fairlead.guardrails.hours import zone_named
from fairlead.guardrails.model import PurposeClass
from fairlead.guardrails.rules import ALL_DAYS, DAY_MINUTES, PROMOTIONAL, Lift, QuietWindow
from fairlead.guardrails.yaml_lists import classes, fresh_name, names, unique

if TYPE_CHECKING:
    from fairlead.kit.yamlmarks import Node

MAX_WINDOWS = 50
KEYS = (
    "name", "from", "to", "days", "channels", "applies_to", "countries", "zones", "flags", "always", "lifted_by",
)  # fmt: skip
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_WEEK = 7 * DAY_MINUTES


def quiet_windows(node: Node) -> tuple[QuietWindow, ...]:
    """The windows; SourceError for a name twice, impossible hours, or hours that together never end."""
    taken: set[str] = set()
    found: list[QuietWindow] = []
    for item in node.items(most=MAX_WINDOWS):
        body = item.mapping(required=("name", "from", "to"), allowed=KEYS)
        found.append(_window(body, fresh_name(body["name"], taken)))
        _leaves_open(found, item)
    return tuple(found)


def _window(body: Mapping[str, Node], name: str) -> QuietWindow:
    start, end = _minute(body["from"], last=False), _minute(body["to"], last=True)
    if start == end:
        hint = 'Write from: "00:00" and to: "24:00" for a whole day.'
        body["to"].fail("The window ends when it begins.", suggestion=hint)
    always = "always" in body and body["always"].boolean()
    if always and "lifted_by" in body:
        body["lifted_by"].fail("Nothing lifts a window that always holds.", suggestion="Leave out one of the two.")
    lifts = {Lift(one) for one in names(body["lifted_by"], Lift)} if "lifted_by" in body else {Lift.REPLY}
    return QuietWindow(
        name=name,
        start=start,
        end=end,
        days=frozenset(map(DAYS.index, names(body["days"], DAYS))) if "days" in body else ALL_DAYS,
        channels=names(body.get("channels")),
        applies_to=classes(body.get("applies_to"), PROMOTIONAL),
        countries=frozenset(unique(body["countries"], _country)) if "countries" in body else frozenset(),
        zones=frozenset(unique(body["zones"], zone_name)) if "zones" in body else frozenset(),
        flags=names(body.get("flags")),
        lifted_by=frozenset() if always else frozenset(lifts),
    )


def _minute(node: Node, *, last: bool) -> int:
    text = node.text(max_chars=20, what="a time of day")
    if not _TIME.fullmatch(text) or (text == "24:00" and not last):
        node.fail(f"{text!r} is not a time of day.", suggestion='Write for example "21:00" or "08:30".')
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _country(node: Node) -> str:
    return node.text(max_chars=2, pattern=r"[A-Z]{2}", what="a country (ISO 3166, two capitals)")


def zone_name(node: Node) -> str:
    """The name of a time zone that exists."""
    name = node.text(max_chars=64, what="a time zone")
    if zone_named(name) is None:
        node.fail(f"There is no time zone {name!r:.80}.", suggestion="Write for example Europe/Berlin.")
    return name


def _leaves_open(windows: Iterable[QuietWindow], node: Node) -> None:
    """Refuse the window by which nothing of a class could ever go out on a channel, wherever the customer is."""
    everywhere = [one for one in windows if one.everywhere]
    channels = {channel for one in everywhere for channel in one.channels} | {""}
    for cls in PurposeClass:
        for channel in channels:
            shut = 0
            for one in everywhere:
                if cls in one.applies_to and (not one.channels or channel in one.channels):
                    shut |= _minutes(one)
            if shut == (1 << _WEEK) - 1:
                where = f" by {channel}" if channel else ""
                node.fail(
                    f"Together with the windows above, nothing {cls.value} could ever go out{where}.",
                    suggestion="Leave some hours open.",
                    code="never_open",
                )


def _minutes(window: QuietWindow) -> int:
    """The minutes of a week in the window, as bits."""
    length = (window.end - window.start) % DAY_MINUTES or DAY_MINUTES
    found = 0
    for day in window.days:
        bits = ((1 << length) - 1) << (day * DAY_MINUTES + window.start)
        found |= (bits & ((1 << _WEEK) - 1)) | (bits >> _WEEK)
    return found
