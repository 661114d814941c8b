"""API keys: shown once, limited, revoked at once."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text as sql

from fairlead.audit import history
from fairlead.errors import InputError, NotFoundError
from fairlead.people import (
    KEY_SCOPES,
    Permission,
    PrincipalKind,
    create_api_key,
    list_api_keys,
    resolve_api_key,
    revoke_api_key,
    webhook_secret_of,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.people import NewApiKey, Person, Principal

LIMITS: dict[str, Any] = {
    "name": "crm bot",
    "scopes": ["decisions:ask", "outcomes:report"],
    "checkpoints": ["refund"],
    "max_value_minor": 50_000,
    "flags": ["vip"],
}


def create(database: Database, admin: Person, **other: Any) -> NewApiKey:
    """A key with `LIMITS`, some of them replaced."""
    with database.transaction() as uow:
        return create_api_key(uow, admin.principal().actor, **{**LIMITS, **other})


def resolve(database: Database, text: str) -> Principal | None:
    """Whom `text` speaks for now."""
    with database.reading() as reader:
        return resolve_api_key(reader, text)


def test_a_key_speaks_for_its_program(database: Database, admin: Person) -> None:
    """The text shown resolves to a principal with exactly the scopes and limits it was given."""
    new = create(database, admin)
    assert re.fullmatch(r"fl_[0-9a-f]{24}_[0-9a-f]{64}", new.text)
    principal = resolve(database, new.text)
    assert principal is not None
    assert principal.kind is PrincipalKind.API_KEY
    assert (principal.id, principal.name) == (new.key.id, "crm bot")
    assert principal.permissions == {Permission.DECISIONS_ASK, Permission.OUTCOMES_REPORT}
    assert principal.may_ask("refund")
    assert not principal.may_ask("discount")
    assert principal.max_value_minor == 50_000
    assert principal.flags == {"vip"}


def test_the_secret_is_nowhere(database: Database, admin: Person) -> None:
    """Neither tables, list, audit record nor repr hold the secret."""
    new = create(database, admin)
    secret = new.text.rpartition("_")[2]
    with database.raw() as connection:
        stored = repr(connection.execute(sql("SELECT * FROM api_key")).all())
    with database.reading() as reader:
        assert list_api_keys(reader) == [new.key]
        told = repr(list(history(reader, [new.key.id])))
    assert "crm bot" in told
    assert secret not in stored + told + repr(new)


def test_wrong_keys_resolve_to_nobody(database: Database, admin: Person) -> None:
    """A changed secret, another key's secret, an unknown id and every other form speak for nobody."""
    one, two = create(database, admin), create(database, admin)
    head, _, secret = one.text.rpartition("_")
    flipped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    wrong = [
        f"{head}_{flipped}",
        f"{head}_{two.text.rpartition('_')[2]}",
        f"fl_{'0' * 24}_{secret}",
        f"{head}_{secret}\n",
        f" {one.text}",
        one.text.upper(),
        one.text.replace("fl_", "fl_key_"),
        f"{head}_",
        secret,
        "",
        "fl_\0",
        "fl_" + "é" * 24 + "_" + "0" * 64,
        "x" * 1_000_000,
    ]
    assert [resolve(database, text) for text in wrong] == [None] * len(wrong)
    assert resolve(database, one.text) is not None


def test_secrets_are_compared_in_constant_time(
    database: Database, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right, wrong and unknown keys all pass through one comparison of two full hashes."""
    new = create(database, admin)
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def spy(left: str, right: str) -> bool:
        compared.append((len(left), len(right)))
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    for text in (new.text, new.text[:-4] + "ffff", f"fl_{'0' * 24}_{'0' * 64}"):
        resolve(database, text)
    assert compared == [(64, 64)] * 3


def test_revoking_works_at_once(database: Database, admin: Person) -> None:
    """The next request of a revoked key fails, its webhooks are signed no more; the list still shows it."""
    new = create(database, admin)
    for _ in range(2):
        with database.transaction() as uow:
            revoke_api_key(uow, admin.principal().actor, new.key.id)
    assert resolve(database, new.text) is None
    with database.reading() as reader:
        assert list_api_keys(reader)[0].revoked_at is not None
        assert webhook_secret_of(reader, new.key.id) is None
        assert [entry.verb for entry in history(reader, [new.key.id])] == [
            "api_key.created",
            "api_key.revoked",
        ]
    with pytest.raises(NotFoundError), database.transaction() as uow:
        revoke_api_key(uow, admin.principal().actor, "key_nothing")


def test_webhook_secrets_are_for_who_asks(database: Database, admin: Person) -> None:
    """A key that asks for decisions gets a signing secret, another does not."""
    asking, counting = create(database, admin), create(database, admin, scopes=["metrics:read"])
    assert asking.webhook_secret is not None
    assert counting.webhook_secret is None
    with database.reading() as reader:
        assert webhook_secret_of(reader, asking.key.id) == asking.webhook_secret
        assert webhook_secret_of(reader, counting.key.id) is None
        assert webhook_secret_of(reader, "key_nothing") is None


@pytest.mark.parametrize(
    "other",
    [
        {"scopes": []},
        {"scopes": ["decisions:ask", "people:manage"]},
        {"scopes": ["keys:manage"]},
        {"scopes": ["reviews:decide"]},
        {"scopes": ["grants:sign"]},
        {"scopes": ["everything"]},
        {"checkpoints": ["Refund"]},
        {"checkpoints": ["a\0b"]},
        {"checkpoints": [f"c{n}" for n in range(201)]},
        {"flags": ["*"]},
        {"flags": ["v" * 65]},
        {"max_value_minor": -1},
        {"max_value_minor": 2**63},
        {"name": ""},
        {"name": "a\nb"},
    ],
)
def test_keys_that_cannot_be(database: Database, admin: Person, other: dict[str, Any]) -> None:
    """Scopes that are not for programs, bad names and impossible limits are refused; nothing is stored."""
    with pytest.raises(InputError):
        create(database, admin, **other)
    with database.reading() as reader:
        assert list_api_keys(reader) == []


def test_all_scopes_can_be_given(database: Database, admin: Person) -> None:
    """Every scope that is for programs works, with any value and all checkpoints when that is said aloud."""
    new = create(database, admin, scopes=KEY_SCOPES, checkpoints=["*"], max_value_minor=None, flags=[])
    principal = resolve(database, new.text)
    assert principal is not None
    assert principal.permissions == KEY_SCOPES
    assert principal.max_value_minor is None
    assert principal.may_ask("anything")
