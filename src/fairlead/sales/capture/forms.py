"""Web forms as the workspace writes them (`forms/NAME.yaml`), read with places and cures."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fairlead.errors import Place, SourceError
from fairlead.kit.yamlmarks import Node, did_you_mean, load_yaml
from fairlead.playbooks import Bundle, Playbook
from fairlead.sales.capture.form_words import LANGUAGES
from fairlead.sales.intake import LeadField
from fairlead.sales.intake.countries import alpha2_codes

FOLDER = "forms/"
MAX_FIELDS, MAX_OPTIONS, MAX_EMBEDS = 40, 250, 20
TYPES = ("text", "email", "tel", "select", "textarea", "checkbox", "number")
CHANNELS = ("email", "phone", "sms", "whatsapp")
TOP_KEYS = (
    "form", "playbook", "title", "intro", "language", "country", "enabled", "embed", "fields", "consent", "submit",
    "thanks",
)  # fmt: skip
FIELD_KEYS = ("name", "label", "type", "required", "options", "help")
CONSENT_KEYS = ("purpose", "channel", "notice", "version")
_ORIGIN = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?\Z")
_FIELD_NAME = r"[a-z][a-z0-9_]{0,63}"
_NEEDED_TYPE = {"email": "email", "phone": "tel"}
_NOT_ASKED = frozenset({"outcome", "consent", "external_id", "created_at", "source"})
"""Lead fields that no visitor fills in: they are ours to know, or the consent box says them."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One question; `options` are (value, label) of a select."""

    name: str
    label: str
    type: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a ticked box allows. The box is never ticked beforehand and never required."""

    purpose: str
    channel: str
    notice: str
    version: str

    @property
    def digest(self) -> str:
        """SHA-256 of exactly what was shown, with its version: kept with each consent."""
        return hashlib.sha256(f"{self.version}\n{self.notice}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Form:
    """A form; `embed` are the origins whose pages may show it in a frame, mostly none."""

    name: str
    playbook: str
    title: str
    intro: str
    language: str
    country: str
    enabled: bool
    embed: tuple[str, ...]
    fields: tuple[FormField, ...]
    consent: Consent | None
    submit: str
    thanks: str


def forms_of(bundle: Bundle) -> Mapping[str, Form]:
    """The forms of a deployed workspace by name."""
    return _parsed(bundle.digest, tuple((path, text) for path, text in bundle.files.items() if path.startswith(FOLDER)))


@lru_cache(maxsize=16)
def _parsed(_digest: str, files: tuple[tuple[str, str], ...]) -> Mapping[str, Form]:
    forms = [parse_form(text, path) for path, text in files]
    return {form.name: form for form in forms}


def check_forms(files: Mapping[str, str], playbooks: Mapping[str, Playbook]) -> list[SourceError]:
    """What is wrong with the forms among a workspace's files: one mistake a file, and references to nothing."""
    errors: list[SourceError] = []
    seen: dict[str, str] = {}
    for path in sorted(path for path in files if path.startswith(FOLDER)):
        try:
            form = parse_form(files[path], path)
            _refer(load_yaml(files[path], path), form, playbooks)
        except SourceError as error:
            errors.append(error)
            continue
        if form.name in seen:
            errors.append(SourceError(f"{seen[form.name]} is named {form.name!r} too.", Place(path), code="twice"))
        seen.setdefault(form.name, path)
    return errors


def _refer(root: Node, form: Form, playbooks: Mapping[str, Playbook]) -> None:
    node = root.mapping()["playbook"]
    ours = {name for name, playbook in playbooks.items() if playbook.subject == "lead"}
    if form.playbook not in playbooks:
        node.fail(
            f"There is no playbook {form.playbook!r}.", suggestion=did_you_mean(form.playbook, ours), code="dangling"
        )
    if form.playbook not in ours:
        subject = playbooks[form.playbook].subject
        node.fail(f"{form.playbook!r} is about a {subject}; a form makes leads.", suggestion=did_you_mean("", ours))


def parse_form(text: str, file: str) -> Form:
    """The form written in `text`; SourceError at the place of the first mistake."""
    root = load_yaml(text, file).mapping(allowed=TOP_KEYS, required=("form", "playbook", "title", "fields"))
    name = root["form"].name()
    if file.startswith(FOLDER) and file != f"{FOLDER}{name}.yaml":
        root["form"].fail(f"The file of form {name!r} must be called {FOLDER}{name}.yaml.")
    language = root["language"].one_of(LANGUAGES) if "language" in root else "en"
    words = LANGUAGES[language]
    fields = _fields(root["fields"])
    return Form(
        name=name,
        playbook=root["playbook"].name(),
        title=root["title"].text(max_chars=200),
        intro=root["intro"].text(max_chars=2_000) if "intro" in root else "",
        language=language,
        country=_country(root["country"]) if "country" in root else "",
        enabled=root["enabled"].boolean() if "enabled" in root else True,
        embed=_embed(root["embed"]) if "embed" in root else (),
        fields=fields,
        consent=_consent(root["consent"]) if "consent" in root else None,
        submit=root["submit"].text(max_chars=60) if "submit" in root else words["send"],
        thanks=root["thanks"].text(max_chars=2_000) if "thanks" in root else words["thanks"],
    )


def _country(node: Node) -> str:
    code = node.text(max_chars=2, pattern="[A-Z]{2}", what="a country code such as DE")
    if code not in alpha2_codes():
        node.fail(f"{code!r} is no country code.", suggestion="Write two letters such as DE.")
    return code


def _embed(node: Node) -> tuple[str, ...]:
    found = []
    for item in node.items(most=MAX_EMBEDS):
        origin = item.text(max_chars=300, what="an origin")
        if not _ORIGIN.match(origin):
            hint = "Write scheme and host only, such as https://www.example.com."
            item.fail(f"{origin!r:.80} is no origin that a page can have.", suggestion=hint)
        found.append(origin)
    return tuple(found)


def _fields(node: Node) -> tuple[FormField, ...]:
    fields: list[FormField] = []
    for item in node.items(least=1, most=MAX_FIELDS):
        field = _field(item)
        if any(field.name == other.name for other in fields):
            item.mapping()["name"].fail(f"There is already a field {field.name!r}.")
        fields.append(field)
    if not any(field.name in _NEEDED_TYPE for field in fields):
        hint = "Add a field named email or phone."
        node.fail("Nobody who fills this in could be reached.", suggestion=hint)
    return tuple(fields)


def _field(node: Node) -> FormField:
    body = node.mapping(allowed=FIELD_KEYS, required=("name", "label"))
    name = body["name"].text(max_chars=64, pattern=_FIELD_NAME, what="a field's name")
    if name in _NOT_ASKED:
        body["name"].fail(f"{name!r} is no visitor's to fill in.", suggestion="Choose another name.")
    default = _NEEDED_TYPE.get(name, "text")
    kind = body["type"].one_of(TYPES) if "type" in body else default
    if name in _NEEDED_TYPE and kind != _NEEDED_TYPE[name]:
        body["type"].fail(f"The field {name!r} has the type {_NEEDED_TYPE[name]}.")
    if ("options" in body) != (kind == "select"):
        node.fail("options and type: select belong together.", code="missing_key")
    return FormField(
        name=name,
        label=body["label"].text(max_chars=300),
        type=kind,
        required="required" in body and body["required"].boolean(),
        options=_options(body["options"]) if "options" in body else (),
        help=body["help"].text(max_chars=500) if "help" in body else "",
    )


def _options(node: Node) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for item in node.items(least=1, most=MAX_OPTIONS):
        if item.is_mapping:
            body = item.mapping(allowed=(), required=("value", "label"))
            found.append((body["value"].text(max_chars=200), body["label"].text(max_chars=200)))
        else:
            text = item.text(max_chars=200, what="an option")
            found.append((text, text))
        if any(found[-1][0] == value for value, _ in found[:-1]):
            item.fail(f"The option {found[-1][0]!r:.80} stands here twice.")
    return tuple(found)


def _consent(node: Node) -> Consent:
    body = node.mapping(allowed=(), required=CONSENT_KEYS)
    return Consent(
        purpose=body["purpose"].name(),
        channel=body["channel"].one_of(CHANNELS),
        notice=body["notice"].text(max_chars=4_000),
        version=body["version"].text(max_chars=40),
    )


def is_lead_field(name: str) -> bool:
    """Whether a field of this name is one of the lead's own; others become attributes."""
    return name in {str(field) for field in LeadField}
