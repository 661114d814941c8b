"""The docs name everything the program has."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

import pytest
import typer
import typer.main

from fairlead.errors import FairleadError
from fairlead.settings import Settings, env_name
from tests.house import documented
from tests.house.tree import ROOT, read_package, write_package

if TYPE_CHECKING:
    from pathlib import Path


def page(name: str) -> str:
    """Text of a page of the docs; a missing page names nothing."""
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def exists(module: str) -> bool:
    """Whether this part of the program has been written yet."""
    return importlib.util.find_spec(module) is not None


def test_every_setting_has_its_row() -> None:
    """docs/settings.md has one row per field, with the description that the code carries."""
    text = page("settings.md")

    assert documented.rows_missing(map(env_name, Settings.model_fields), text) == []
    assert [name for name, field in Settings.model_fields.items() if str(field.description) not in text] == []


def test_no_setting_is_documented_that_is_gone() -> None:
    """A row of docs/settings.md whose field was removed or renamed fails."""
    rows = documented.rows_missing([], page("settings.md"))
    known = {env_name(field) for field in Settings.model_fields}
    named = {word.strip("`|") for word in page("settings.md").split() if word.startswith("`FAIRLEAD_")}

    assert rows == []
    assert named - known == set()


def test_every_setting_is_described_and_says_its_unit() -> None:
    """A field whose name ends in a unit says that unit in words as well."""
    units = {"_s": "econds", "_ms": "illiseconds", "_min": "inutes", "_hours": "ours", "_bytes": "bytes"}

    for name, field in Settings.model_fields.items():
        assert field.description, name
        for ending, word in units.items():
            assert not name.endswith(ending) or word in field.description, name


def test_every_error_code_is_explained() -> None:
    """docs/errors.md has one row per code of the error tree."""
    codes = [error.code for error in documented.error_classes(FairleadError) if error is not FairleadError]

    assert documented.rows_missing(codes, page("errors.md")) == []


def test_error_codes_are_different() -> None:
    """Programs tell errors apart by code, so no two classes share one."""
    codes = [error.code for error in documented.error_classes(FairleadError)]

    assert sorted(set(codes)) == sorted(codes)


def test_every_command_is_explained() -> None:
    """docs/cli.md names each command as it is typed."""
    if not exists("fairlead.cli"):
        return
    cli = importlib.import_module("fairlead.cli")
    apps = [value for name, value in vars(cli).items() if name == "app" and isinstance(value, typer.Typer)]

    assert apps, "fairlead.cli has no Typer called app"
    names = list(documented.commands(typer.main.get_command(apps[0]), "fairlead"))
    assert documented.words_missing(names, page("cli.md")) == []


def test_every_route_is_explained() -> None:
    """docs/api.md names each route below /v1 with its method."""
    if not exists("fairlead.app"):
        return
    found = list(documented.routes(read_package(ROOT / "src")))

    assert found, "no /v1 route was found; has the way of declaring them changed?"
    assert documented.words_missing(found, page("api.md")) == []


def test_a_missing_row_is_noticed() -> None:
    """A name in running text is no row, and a row of a longer name is not this name's."""
    text = "| `FAIRLEAD_PORT` | 8000 |\n`FAIRLEAD_HOST` in a sentence\n| `FAIRLEAD_LEASE_S_OLD` | 1 |\n"

    assert documented.rows_missing(["FAIRLEAD_PORT"], text) == []
    assert documented.rows_missing(["FAIRLEAD_HOST", "FAIRLEAD_LEASE_S"], text) == [
        "FAIRLEAD_HOST",
        "FAIRLEAD_LEASE_S",
    ]


def test_a_missing_command_is_noticed() -> None:
    """Nested commands count, hidden ones do not, and a prefix of another command is not enough."""
    app, audit = typer.Typer(), typer.Typer()
    for group, name in ((app, "run"), (app, "ghost"), (audit, "verify"), (audit, "export")):
        group.command(name, hidden=name == "ghost")(lambda: None)
    app.add_typer(audit, name="audit")
    names = list(documented.commands(typer.main.get_command(app), "fairlead"))

    assert sorted(names) == ["fairlead audit export", "fairlead audit verify", "fairlead run"]
    text = "`fairlead run-all`, `fairlead audit verify`"
    assert sorted(documented.words_missing(names, text)) == ["fairlead audit export", "fairlead run"]


@pytest.mark.parametrize("declared", ['APIRouter(prefix="/v1/decisions")', 'fastapi.APIRouter(prefix="/v1/decisions")'])
def test_a_missing_route_is_noticed(tmp_path: Path, declared: str) -> None:
    """Routes are found with their router's prefix, whatever the function is called."""
    text = f'router = {declared}\n@router.post("/{{id}}/executed")\nasync def executed() -> None: ...\n'
    found = list(documented.routes(write_package(tmp_path, {"api/decisions.py": text})))

    assert found == ["POST /v1/decisions/{id}/executed"]
    assert documented.words_missing(found, "`GET /v1/decisions/{id}/executed`") == found
    assert documented.words_missing(found, "`POST /v1/decisions/{id}/executed`") == []
