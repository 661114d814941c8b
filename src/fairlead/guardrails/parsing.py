"""From `contact.yaml` to contact rules; docs/contact.md describes every key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from fairlead.errors import SourceError
from fairlead.guardrails.model import Mechanism, PurposeClass
from fairlead.guardrails.quiet_parsing import quiet_windows, zone_name
from fairlead.guardrails.rules import PROMOTIONAL, Cap, ContactRules, Downstream, Period, Purpose, WhenFull
from fairlead.guardrails.yaml_lists import classes, fresh_name, names
from fairlead.kit import jsons
from fairlead.kit.yamlmarks import did_you_mean, load_yaml

if TYPE_CHECKING:
    from fairlead.kit.yamlmarks import Node

FILE = "contact.yaml"
MAX_PURPOSES, MAX_CAPS, MAX_DOWNSTREAMS = 100, 50, 50
CLOCKS = ("customer", "workspace")
MAX_MOST = 1_000
MAX_ROLLING = timedelta(days=366)
MAX_EXPIRES = timedelta(days=3650)
DEFAULT_EXPIRES = timedelta(days=7)

KEYS = ("purposes", "quiet_hours", "caps", "human_only", "complaint", "holdout", "downstreams", "time_zone")
PURPOSE_KEYS = ("class", "mechanism", "double", "expires", "channels", "words", "priority")
CAP_KEYS = (
    "name", "most", "per", "window", "clock", "channels", "purposes", "tags", "applies_to", "counts", "when_full",
    "expires",
)  # fmt: skip
_MECHANISM = {
    PurposeClass.PROMOTIONAL: Mechanism.OPT_IN,
    PurposeClass.TRANSACTIONAL: Mechanism.NOTICE_ONLY,
    PurposeClass.SERVICE_ALERT: Mechanism.NOTICE_ONLY,
}


@lru_cache(maxsize=32)
def parse_rules(text: str, file: str = FILE) -> ContactRules:
    """Parse the file; SourceError with line, column and a cure for whatever is wrong."""
    root = load_yaml(text, file)
    body = root.mapping(required=("purposes",), allowed=KEYS)
    purposes = _purposes(body["purposes"])
    zone = zone_name(body["time_zone"]) if "time_zone" in body else "UTC"
    quiet = quiet_windows(body["quiet_hours"]) if "quiet_hours" in body else ()
    taken = {window.name for window in quiet}
    caps = tuple(_caps(body["caps"], purposes, taken)) if "caps" in body else ()
    flags, people = _human_only(body.get("human_only"))
    share, held_out = _holdout(body.get("holdout"))
    return ContactRules(
        version=jsons.digest(root.plain()),
        purposes=purposes,
        quiet=quiet,
        caps=caps,
        human_flags=flags,
        human_classes=people,
        complaint_off=_complaint(body.get("complaint")),
        holdout_share=share,
        holdout_classes=held_out,
        time_zone=zone,
        downstreams=tuple(_downstreams(body["downstreams"], purposes)) if "downstreams" in body else (),
        text=text,
    )


def _purposes(node: Node) -> dict[str, Purpose]:
    declared = node.mapping()
    if not 1 <= len(declared) <= MAX_PURPOSES:
        node.fail(f"{len(declared)} purposes are declared; 1 to {MAX_PURPOSES} are allowed.")
    return {str(name): _purpose(str(name), item) for name, item in declared.items()}


def _purpose(name: str, node: Node) -> Purpose:
    if len(name) > 64 or not name.isascii() or not name.replace("-", "_").isidentifier() or not name.islower():  # noqa: PLR2004 - as Node.name
        node.fail(f"{name!r:.80} cannot be the name of a purpose.", suggestion="Use small letters, digits, _ and -.")
    body = node.mapping(required=("class",), allowed=PURPOSE_KEYS)
    cls = PurposeClass(body["class"].one_of(PurposeClass))
    mechanism = Mechanism(body["mechanism"].one_of(Mechanism)) if "mechanism" in body else _MECHANISM[cls]
    if cls is PurposeClass.PROMOTIONAL and mechanism is Mechanism.NOTICE_ONLY:
        body["mechanism"].fail(
            "A promotional purpose needs opt_in or opt_out.", suggestion="Only alerts and transactions go by notice."
        )
    double = "double" in body and body["double"].boolean()
    expires = body["expires"].duration(least=timedelta(days=1), most=MAX_EXPIRES) if "expires" in body else None
    if mechanism is not Mechanism.OPT_IN and (double or expires):
        body["double" if double else "expires"].fail(
            f"Only a yes can be confirmed or run out, and {mechanism.value} asks for none.",
            suggestion="Write mechanism: opt_in, or leave this out.",
        )
    return Purpose(
        name=name,
        cls=cls,
        mechanism=mechanism,
        words=body["words"].text(max_chars=300) if "words" in body else "",
        channels=names(body.get("channels")),
        double=double,
        expires=expires,
        priority=body["priority"].integer(least=-100, most=100) if "priority" in body else 0,
    )


def _caps(node: Node, purposes: Mapping[str, Purpose], taken: set[str]) -> Iterable[Cap]:
    for item in node.items(most=MAX_CAPS):
        body = item.mapping(required=("name", "most", "per"), allowed=CAP_KEYS)
        name = fresh_name(body["name"], taken)
        per = _per(body)
        by_customer = "clock" not in body or body["clock"].one_of(CLOCKS) == "customer"
        if "clock" in body and not isinstance(per, Period):
            body["clock"].fail("A rolling period has no clock.", suggestion="Leave clock out, or write per: day.")
        when_full = WhenFull(body["when_full"].one_of(WhenFull)) if "when_full" in body else WhenFull.DEFER
        if "expires" in body and when_full is WhenFull.DROP:
            body["expires"].fail("What is dropped does not wait.", suggestion="Leave expires out.")
        expires = body["expires"].duration(least=timedelta(minutes=1)) if "expires" in body else DEFAULT_EXPIRES
        applies_to = classes(body.get("applies_to"), PROMOTIONAL)
        yield Cap(
            name=name,
            most=body["most"].integer(least=0, most=MAX_MOST),
            per=per,
            channels=names(body.get("channels")),
            purposes=names(body.get("purposes"), purposes),
            tags=names(body.get("tags")),
            applies_to=applies_to,
            counts=classes(body.get("counts"), applies_to),
            by_customer=by_customer,
            when_full=when_full,
            expires=None if when_full is WhenFull.DROP else expires,
        )


def _per(body: Mapping[str, Node]) -> timedelta | Period:
    node = body["per"]
    calendar = node.value in set(Period)
    window = body["window"].one_of(("rolling", "calendar")) if "window" in body else ""
    if window == "calendar" and not calendar:
        node.fail("A calendar period is a day, a week or a month.", suggestion="Write per: day, week or month.")
    if window == "rolling" and calendar:
        node.fail("A rolling period is a time span.", suggestion="Write for example per: 24h or per: 7d.")
    if calendar:
        return Period(node.value)
    return node.duration(least=timedelta(minutes=1), most=MAX_ROLLING)


def _human_only(node: Node | None) -> tuple[frozenset[str], frozenset[PurposeClass]]:
    if node is None:
        return frozenset(), frozenset(PurposeClass)
    body = node.mapping(required=("flags",), allowed=("applies_to",))
    return names(body["flags"]), classes(body.get("applies_to"), frozenset(PurposeClass))


def _complaint(node: Node | None) -> frozenset[PurposeClass]:
    return frozenset() if node is None else classes(node.mapping(required=("off",))["off"], frozenset())


def _holdout(node: Node | None) -> tuple[float, frozenset[PurposeClass]]:
    if node is None:
        return 0.0, PROMOTIONAL
    body = node.mapping(required=("share",), allowed=("applies_to",))
    held_out = classes(body.get("applies_to"), PROMOTIONAL)
    if PurposeClass.TRANSACTIONAL in held_out:
        body["applies_to"].fail(
            "Nobody is held out of messages about an order or a request.", suggestion="Leave transactional out."
        )
    return body["share"].number(least=0, most=0.5), held_out


def _downstreams(node: Node, purposes: Mapping[str, Purpose]) -> Iterable[Downstream]:
    taken: set[str] = set()
    for item in node.items(most=MAX_DOWNSTREAMS):
        body = item.mapping(required=("name", "connector"), allowed=("purposes",))
        name = fresh_name(body["name"], taken)
        yield Downstream(name, body["connector"].name(), names(body.get("purposes"), purposes))


def check_rules(files: Mapping[str, str], connectors: Collection[str]) -> list[SourceError]:
    """What is wrong with the `contact.yaml` among a workspace's files, against the connectors of this build."""
    text = files.get(FILE)
    if text is None:
        return []
    try:
        parse_rules(text)
    except SourceError as error:
        return [error]
    body = load_yaml(text, FILE).mapping()
    used = [item.mapping()["connector"] for item in body["downstreams"].items()] if "downstreams" in body else []
    return [
        SourceError(
            f"there is no connector {node.value!r}.", node.place, code="dangling",
            suggestion=did_you_mean(str(node.value), connectors),
        )
        for node in used
        if node.value not in connectors
    ]  # fmt: skip
