"""The one settings object of a process: read once from `FAIRLEAD_…` variables, then frozen.

`load_settings` reads; `provide_secrets` makes or demands the two keys that a server needs, so commands that
only look at files call the first alone. docs/settings.md lists every field; a test keeps the two in step.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairlead.errors import InputError, UnavailableError

PREFIX = "FAIRLEAD_"
SECRET_MIN_CHARS = 32
LIKELY_TYPO = 0.85  # difflib ratio from which an unknown variable is taken for a misspelt one

FullPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


def _embedded_url(given: dict[str, Any]) -> str:
    return f"sqlite:///{given['data_dir'] / 'fairlead.db'}"


def _own_url(given: dict[str, Any]) -> str:
    host = f"[{given['host']}]" if ":" in given["host"] else given["host"]
    return f"http://{host}:{given['port']}"


class Settings(BaseSettings):
    """Everything that may differ between two installations; units stand in names and descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True
    )

    workspace: FullPath = Field(
        Path(), description="Folder of the company's playbooks and policies; kept in git by its owner."
    )
    data_dir: FullPath = Field(
        default_factory=lambda given: given["workspace"] / ".fairlead",
        description="Folder for what must not go into git: embedded database, generated keys, audit heads.",
    )
    database_url: str = Field(
        default_factory=_embedded_url,
        repr=False,
        description="SQLAlchemy URL, `sqlite:///…` or `postgresql+psycopg://…`; unset: SQLite in `data_dir`.",
    )
    embedded: bool = Field(
        default_factory=lambda given: given["database_url"].startswith("sqlite"),
        description="One process on one machine: missing keys are made. Unset means yes on SQLite only.",
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=SECRET_MIN_CHARS,
        description="Signs sessions, links and approvals; at least 32 characters. Required unless embedded.",
    )
    audit_key_file: FullPath | None = Field(
        None, description="Ed25519 private key (PEM) that signs audit heads. Required unless embedded."
    )
    audit_heads_file: FullPath = Field(
        default_factory=lambda given: given["data_dir"] / "audit-heads.jsonl",
        description="Signed audit heads are appended here; best on another disk, so that a rewrite shows.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="TCP port the server listens on.")
    public_url: str = Field(
        default_factory=_own_url,
        description="Address people reach the desk under, for links; unset means `http://host:port`.",
    )
    trusted_proxies: str = Field(
        "",
        max_length=4_000,
        description="Addresses or networks of proxies, by commas, whose `X-Forwarded-For` is believed; unset: none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line that is written."
    )
    log_json: bool = Field(False, description="One JSON object per log line instead of text for people.")  # noqa: FBT003 - the field's default

    lease_s: int = Field(60, ge=5, le=3600, description="Seconds a worker owns a chunk before a sweep takes it back.")
    sweep_interval_ms: int = Field(
        500, ge=20, le=60_000, description="Milliseconds between two looks for ready work and lost leases."
    )
    chunk_size: int = Field(500, ge=1, le=5000, description="Most cases that advance together in one chunk.")
    bulk_transaction_ms: int = Field(
        20,
        ge=1,
        le=1000,
        description="Milliseconds a bulk write may hold the writer before others get a turn.",
    )
    import_high_water: int = Field(
        5000,
        ge=100,
        le=1_000_000,
        description="Unfinished imported cases from which an import waits for the engine.",
    )
    review_lease_min: int = Field(
        10,
        ge=1,
        le=1440,
        description="Minutes a claimed review stays with its reviewer without a sign of life.",
    )
    undo_s: int = Field(10, ge=0, le=3600, description="Seconds in which a verdict can be taken back; 0 means none.")
    approval_min: int = Field(15, ge=1, le=1440, description="Minutes in which what was approved may be executed.")
    session_hours: int = Field(12, ge=1, le=720, description="Hours until somebody has to sign in again.")

    api_body_limit_bytes: int = Field(
        1_048_576, ge=1024, le=104_857_600, description="Largest request body of the API, in bytes."
    )
    max_import_bytes: int = Field(
        1_073_741_824, ge=1024, le=17_179_869_184, description="Largest file that an import reads, in bytes."
    )

    webhook_timeout_s: int = Field(10, ge=1, le=120, description="Seconds one webhook delivery may take.")
    webhook_private_hosts: bool = Field(
        False,  # noqa: FBT003 - the field's default
        description="Allow webhooks to loopback and private addresses; off, so that nobody probes inside.",
    )

    delivery_rates: str = Field(
        "", max_length=2_000,
        description="How fast the outbox delivers, over all workers, such as `message/email=600/m, webhook=5/s`.",
    )  # fmt: skip
    smtp_host: str = Field("", max_length=253, description="Mail server; unset: mail is kept in the data folder.")
    smtp_port: int = Field(587, ge=1, le=65535, description="TCP port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted; certificates are always verified."
    )
    smtp_user: str = Field("", max_length=320, description="Name to sign in with at the mail server; unset: none.")
    smtp_password: SecretStr | None = Field(None, description="Password for `smtp_user`; never sent in the clear.")
    smtp_ca_file: FullPath | None = Field(
        None, description="Certificate authorities (PEM) of the mail server; unset: the machine's."
    )
    smtp_timeout_s: int = Field(15, ge=1, le=19, description="Seconds one message may take at the mail server.")
    smtp_from: str = Field("", max_length=320, description="Address that messages come from; needed with `smtp_host`.")
    smtp_from_name: str = Field("", max_length=200, description="Name beside that address.")
    smtp_reply_to: str = Field("", max_length=320, description="Address for answers; unset: `smtp_from`.")
    smtp_bounce_to: str = Field(
        "",
        max_length=320,
        description="Address for bounces, which gets a `+` tag for each message; unset: `smtp_from` without one.",
    )
    smtp_dkim_selector: str = Field("", max_length=63, description="DKIM selector; unset: messages are not signed.")
    smtp_dkim_domain: str = Field("", max_length=253, description="DKIM domain; unset: that of `smtp_from`.")
    smtp_dkim_key_file: FullPath | None = Field(
        None, description="DKIM private key (PEM), RSA of 2048 bits or more, or Ed25519."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for part in filter(None, map(str.strip, text.split(","))):
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.0/8, by commas") from None
        return text

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("must be a full http:// or https:// address")
        return url.rstrip("/")


def env_name(field: str) -> str:
    """Environment variable that sets this field of `Settings`."""
    return PREFIX + field.upper()


def load_settings(**given: Any) -> Settings:
    """Settings from the environment; arguments other than None win over it.

    Raises InputError that names every wrong variable, and one that is probably misspelt, but never a value.
    """
    _refuse_typos()
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # A default that depends on a wrong field fails too; naming it would hide the cause.
        causes = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
        wrong = [(env_name(str(one["loc"][0])), one["msg"].removeprefix("Value error, ")) for one in causes]
        message = "; ".join(f"{name}: {why}" for name, why in wrong)
        raise InputError(f"Settings cannot be used. {message}.", variables=[name for name, _ in wrong]) from None


def provide_secrets(settings: Settings) -> Settings:
    """The same settings with `secret_key` and `audit_key_file` filled in.

    Embedded, missing ones are generated below `data_dir` with mode 0600 and found again at the next start.
    Otherwise a missing one raises InputError that says how to make it; so does a key file others may read.
    """
    secret, audit_key = settings.secret_key, settings.audit_key_file
    if secret is None:
        cure = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        path = _generated(settings, "secret_key", cure, secrets.token_urlsafe(48).encode())
        secret = SecretStr(path.read_text(encoding="utf-8").strip())
        if len(secret.get_secret_value()) < SECRET_MIN_CHARS:
            message = f"{path} is shorter than {SECRET_MIN_CHARS} characters. Remove it to have a new one made."
            raise InputError(message, file=str(path))
    if audit_key is None:
        cure = "openssl genpkey -algorithm ed25519 -out audit.pem"
        audit_key = _generated(settings, "audit_key_file", cure, _new_signing_key(), name="audit_key.pem")
    elif audit_key.exists():
        _refuse_shared(audit_key)
    else:
        message = f"{env_name('audit_key_file')}: there is no file {audit_key}."
        raise InputError(message, file=str(audit_key))
    return settings.model_copy(update={"secret_key": secret, "audit_key_file": audit_key})


def _refuse_typos() -> None:
    known = [env_name(field) for field in Settings.model_fields]
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        if near := difflib.get_close_matches(name, known, n=1, cutoff=LIKELY_TYPO):
            raise InputError(f"{name} is not a setting. Did you mean {near[0]}?", variables=[name])


def _generated(settings: Settings, field: str, cure: str, content: bytes, *, name: str | None = None) -> Path:
    if not settings.embedded:
        message = f"{env_name(field)} is not set, and only embedded mode makes one by itself. Make one with: {cure}"
        raise InputError(message, variables=[env_name(field)])
    path = settings.data_dir / (name or field)
    if not path.exists():
        _write_once(path, content)
    _refuse_shared(path)
    return path


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, and the first of two processes wins: written aside, then linked into place."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(path).hardlink_to(aside)
        except FileExistsError:
            return
        finally:
            Path(aside).unlink()
    except OSError as error:
        message = f"A key cannot be written to {path}: {error.strerror}."
        raise UnavailableError(message, file=str(path)) from error


def _refuse_shared(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise InputError(f"Others may read the key {path}. Close it with: chmod 600 {path}", file=str(path))


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
