"""Settings: read once, bounded, and without a working secret that anybody could know."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from fairlead.errors import InputError, UnavailableError
from fairlead.settings import PREFIX, Settings, env_name, load_settings, provide_secrets

if TYPE_CHECKING:
    from pathlib import Path

POSTGRES = "postgresql+psycopg://fairlead:hunter22@db/fairlead"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_nothing_set_means_one_machine(tmp_path: Path) -> None:
    """Without any variable: a SQLite file below the workspace, embedded, on the loopback address only."""
    settings = load_settings(workspace=tmp_path)

    assert settings.database_url == f"sqlite:///{tmp_path}/.fairlead/fairlead.db"
    assert settings.audit_heads_file.parent == settings.data_dir == tmp_path / ".fairlead"
    assert settings.embedded
    assert settings.public_url == "http://127.0.0.1:8000"
    assert list(tmp_path.iterdir()) == []


def test_a_postgres_url_ends_embedded_mode() -> None:
    """A shared database means several processes, so keys must be shared on purpose, unless told otherwise."""
    assert not load_settings(database_url=POSTGRES).embedded
    assert load_settings(database_url=POSTGRES, embedded=True).embedded


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was typed on the command line beats the variable; None and an empty variable mean not given."""
    monkeypatch.setenv("FAIRLEAD_PORT", "9000")
    monkeypatch.setenv("FAIRLEAD_HOST", "")

    assert load_settings(port=9100).port == 9100
    assert load_settings(port=None).port == 9000
    assert load_settings().host == "127.0.0.1"


def test_an_ipv6_host_makes_a_valid_address() -> None:
    """The default public address puts brackets round a colon-separated host."""
    assert load_settings(host="::1").public_url == "http://[::1]:8000"


def test_settings_do_not_change() -> None:
    """A value that was read stays as it was read."""
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FAIRLEAD_PORT", "0"),
        ("FAIRLEAD_PORT", "eighty"),
        ("FAIRLEAD_LEASE_S", "-1"),
        ("FAIRLEAD_LOG_LEVEL", "loud"),
        ("FAIRLEAD_DATABASE_URL", "mysql://db"),
        ("FAIRLEAD_DATABASE_URL", "sqlite://"),
        ("FAIRLEAD_PUBLIC_URL", "javascript:alert(1)"),
        ("FAIRLEAD_PUBLIC_URL", "desk.example.org"),
        ("FAIRLEAD_SECRET_KEY", "short"),
        ("FAIRLEAD_CHUNK_SIZE", "99999999999999999999"),
    ],
)
def test_a_wrong_value_names_its_variable_only(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The error lists exactly the variable at fault, not the defaults that could not be made from it."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(InputError) as caught:
        load_settings()

    assert caught.value.fields == {"variables": [variable]}
    assert variable in caught.value.message


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to start three times to hear of three mistakes."""
    monkeypatch.setenv("FAIRLEAD_PORT", "x")
    monkeypatch.setenv("FAIRLEAD_UNDO_S", "x")

    with pytest.raises(InputError) as caught:
        load_settings(chunk_size=0)

    assert sorted(caught.value.fields["variables"]) == [
        "FAIRLEAD_CHUNK_SIZE",
        "FAIRLEAD_PORT",
        "FAIRLEAD_UNDO_S",
    ]


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that was set under a wrong name would silently not hold."""
    monkeypatch.setenv("FAIRLEAD_UNDOS", "0")
    with pytest.raises(InputError, match=r"Did you mean FAIRLEAD_UNDO_S\?"):
        load_settings()
    monkeypatch.delenv("FAIRLEAD_UNDOS")
    monkeypatch.setenv("FAIRLEAD_API_KEY", "used by the client")

    load_settings()


@pytest.mark.parametrize("given", [{"database_url": POSTGRES, "port": 0}, {"secret_key": "hunter22"}])
def test_secrets_do_not_leak(given: dict[str, object]) -> None:
    """Neither an error nor the printed settings show a password or key."""
    with pytest.raises(InputError) as caught:
        load_settings(**given)
    settings = load_settings(database_url=POSTGRES, secret_key="hunter22" * 4)

    assert "hunter22" not in str(caught.value) + str(caught.value.fields) + repr(settings)


@pytest.mark.parametrize("missing", ["secret_key", "audit_key_file"])
def test_no_start_without_keys_outside_embedded_mode(tmp_path: Path, missing: str) -> None:
    """The refusal names the variable and the command that makes a key; nothing is generated."""
    key = tmp_path / "audit.pem"
    key.touch(mode=0o600)
    given = {"secret_key": "k" * 32, "audit_key_file": key} | {missing: None}
    settings = load_settings(workspace=tmp_path, database_url=POSTGRES, **given)

    with pytest.raises(InputError) as caught:
        provide_secrets(settings)

    assert caught.value.fields == {"variables": [env_name(missing)]}
    assert "Make one with: " in caught.value.message
    assert not settings.data_dir.exists()


def test_embedded_keys_are_made_once(tmp_path: Path) -> None:
    """Generated keys are strong, closed to others, and the same at the next start."""
    first = provide_secrets(load_settings(workspace=tmp_path))
    second = provide_secrets(load_settings(workspace=tmp_path))

    assert first == second
    assert first.secret_key is not None
    assert len(first.secret_key.get_secret_value()) >= 64
    assert first.audit_key_file is not None
    assert isinstance(load_pem_private_key(first.audit_key_file.read_bytes(), None), Ed25519PrivateKey)
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in first.data_dir.iterdir()}
    assert files == {"secret_key": 0o600, "audit_key.pem": 0o600}
    assert stat.S_IMODE(first.data_dir.stat().st_mode) == 0o700


def test_two_workspaces_have_two_keys(tmp_path: Path) -> None:
    """A generated secret is random, not derived from anything that two installations share."""
    one, other = (provide_secrets(load_settings(workspace=tmp_path / name)).secret_key for name in "ab")

    assert one != other


@pytest.mark.parametrize("name", ["secret_key", "audit_key.pem"])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, name: str) -> None:
    """The error says how to close the file."""
    settings = load_settings(workspace=tmp_path)
    provide_secrets(settings)
    (settings.data_dir / name).chmod(0o644)

    with pytest.raises(InputError, match="chmod 600"):
        provide_secrets(settings)


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    """An emptied secret file does not become an empty secret."""
    settings = load_settings(workspace=tmp_path)
    provide_secrets(settings)
    (settings.data_dir / "secret_key").write_text("", encoding="utf-8")

    with pytest.raises(InputError, match="shorter than 32"):
        provide_secrets(settings)


def test_a_missing_audit_key_file_is_refused(tmp_path: Path) -> None:
    """A path that was given but leads nowhere is not quietly replaced by a new key."""
    with pytest.raises(InputError, match="there is no file"):
        provide_secrets(load_settings(workspace=tmp_path, audit_key_file=tmp_path / "gone.pem"))


def test_a_folder_that_cannot_be_made_is_our_fault_named(tmp_path: Path) -> None:
    """A file where the data folder should be gives one clear error, not a traceback."""
    (tmp_path / ".fairlead").touch()

    with pytest.raises(UnavailableError, match="cannot be written"):
        provide_secrets(load_settings(workspace=tmp_path))


def test_every_number_is_bounded() -> None:
    """A number without bounds is a way to stop the server by configuration."""
    for name, field in Settings.model_fields.items():
        if field.annotation is int:
            bounds = {attribute for rule in field.metadata for attribute in ("ge", "le") if hasattr(rule, attribute)}
            assert bounds == {"ge", "le"}, name
