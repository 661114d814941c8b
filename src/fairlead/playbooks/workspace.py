"""The files of a workspace: read from its folder, and the name and currency that they state."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from fairlead.errors import InputError, Place, SourceError, TooLargeError
from fairlead.guardrails import RULES_FILES
from fairlead.kit.yamlmarks import did_you_mean

CONFIG = "fairlead.toml"
RETENTION = "retention.yaml"
MAX_FILES = 500
MAX_FILE_BYTES = 1_000_000
_FOLDERS = (
    ("playbooks", ".yaml"), ("policies", ".yaml"), ("steps", ".py"), ("forms", ".yaml"),
    ("messages", ".md"), ("messages", ".txt"), ("messages", ".html"),
)  # fmt: skip


def read_workspace(folder: Path) -> dict[str, str]:
    """The workspace's files by relative path; InputError when there are none, TooLargeError past the bounds."""
    files: dict[str, str] = {}
    for name in (CONFIG, RETENTION, *RULES_FILES):
        if (folder / name).is_file():
            files[name] = _text_of(folder / name, name)
    for name, suffix in _FOLDERS:
        for path in sorted((folder / name).glob(f"*{suffix}")):
            files[f"{name}/{path.name}"] = _text_of(path, f"{name}/{path.name}")
    if not any(path.startswith("playbooks/") for path in files):
        message = f"no playbooks/*.yaml below {folder}; `fairlead init NAME` makes a workspace with an example"
        raise InputError(message, code="no_workspace")
    if len(files) > MAX_FILES:
        message = f"{len(files)} files are more than the {MAX_FILES} that a workspace may have"
        raise TooLargeError(message, limit=MAX_FILES)
    return files


def _text_of(path: Path, name: str) -> str:
    if path.stat().st_size > MAX_FILE_BYTES:
        message = f"{name} is larger than {MAX_FILE_BYTES} bytes"
        raise TooLargeError(message, limit=MAX_FILE_BYTES)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8 text"
        raise SourceError(message, Place(name, 1 + error.object.count(b"\n", 0, error.start))) from None


def name_and_currency(text: str) -> tuple[str, str]:
    """Name and currency from `fairlead.toml`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(CONFIG, int(found[1]), int(found[2])) if found else Place(CONFIG)
        raise SourceError(f"this is not valid TOML: {error}.", place, code="toml") from None
    for key, table in document.items():
        if key != "workspace" or not isinstance(table, dict):
            hint = "Write the section [workspace]."
            raise SourceError(f"{key!r} is not known here.", _line_of(text, key), suggestion=hint, code="unknown_key")
    known = {"name": "My company", "currency": "EUR"}
    for key, value in document.get("workspace", {}).items():
        place = _line_of(text, key)
        if key not in known:
            raise SourceError(f"unknown key {key!r}.", place, suggestion=did_you_mean(key, known), code="unknown_key")
        if not isinstance(value, str) or not value or (key == "currency" and not re.fullmatch("[A-Z]{3}", value)):
            example = 'Write for example "EUR".' if key == "currency" else "Write a text in quotes."
            raise SourceError(f"{key} cannot be {value!r:.80}.", place, suggestion=example)
        known[key] = value
    return known["name"], known["currency"]


def _line_of(text: str, key: str) -> Place:
    """Where a key or section of the TOML file stands, as far as that can be told."""
    found = re.search(rf"^[ \t\[\"']*({re.escape(key)})\b", text, flags=re.MULTILINE)
    if found is None:
        return Place(CONFIG)
    start = found.start(1)
    return Place(CONFIG, 1 + text.count("\n", 0, start), start - text.rfind("\n", 0, start))
