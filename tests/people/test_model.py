"""Permissions, roles and principals as pure rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from fairlead.errors import ForbiddenError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.people import (
    KEY_SCOPES,
    ROLE_PERMISSIONS,
    ApiKey,
    Permission,
    Person,
    Principal,
    PrincipalKind,
    Role,
    Session,
    permissions_of,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def person(*roles: str, disabled: bool = False) -> Person:
    """Somebody with these roles."""
    return Person("person_1", "Pia", "pia@example.com", roles, NOON, NOON if disabled else None)


def key(*scopes: str, checkpoints: tuple[str, ...] = ()) -> ApiKey:
    """A key with these scopes."""
    return ApiKey("key_1", "bot", scopes, checkpoints, 500, ("vip",), "person_1", NOON)


@pytest.mark.parametrize("permission", Permission)
def test_permissions_keep_their_grammar(permission: Permission) -> None:
    """Every permission reads `scope:action`, in small letters."""
    assert re.fullmatch(r"[a-z]+:[a-z]+", permission.value)


@pytest.mark.parametrize("role", Role)
def test_each_role_is_written_down(role: Role) -> None:
    """No role is without permissions, and none but admin manages people, keys or bundles."""
    held = ROLE_PERMISSIONS[role]
    assert Permission.REVIEWS_READ in held
    powers = {Permission.PEOPLE_MANAGE, Permission.KEYS_MANAGE, Permission.PLAYBOOKS_DEPLOY}
    assert (powers <= held) if role is Role.ADMIN else not (powers & held)


def test_a_viewer_changes_nothing() -> None:
    """The viewer's permissions all end in `read`."""
    assert {p.value.partition(":")[2] for p in ROLE_PERMISSIONS[Role.VIEWER]} == {"read"}


@given(st.lists(st.sampled_from([role.value for role in Role]) | st.text(max_size=8)))
def test_roles_add_up_and_unknown_ones_give_nothing(names: list[str]) -> None:
    """Permissions of several roles are the union of each; a name that is no role adds nothing."""
    expected = {p for name in names if name in set(Role) for p in ROLE_PERMISSIONS[Role(name)]}
    assert permissions_of(names) == expected


def test_require_names_what_lacks() -> None:
    """A refusal tells which permission, role or checkpoint would have been needed."""
    viewer = person("viewer").principal()
    viewer.require(Permission.REVIEWS_READ)
    with pytest.raises(ForbiddenError) as refused:
        viewer.require(Permission.GRANTS_SIGN)
    assert refused.value.fields == {"permission": "grants:sign"}
    with pytest.raises(ForbiddenError) as refused:
        viewer.require_role("manager")
    assert refused.value.fields == {"role": "manager"}
    with pytest.raises(ForbiddenError) as refused:
        key("decisions:ask", checkpoints=("refund",)).principal().require_checkpoint("discount")
    assert refused.value.fields == {"checkpoint": "discount"}


@pytest.mark.parametrize("wanted", ["manager", "compliance", "a-role-of-the-workspace"])
def test_admin_stands_in_for_every_role(wanted: str) -> None:
    """A review's role is matched against the person's own; the admin may always step in, a key never."""
    assert person("admin").principal().has_role(wanted)
    assert person("viewer", wanted).principal().has_role(wanted)
    assert not person("viewer").principal().has_role(wanted)
    assert not key(*KEY_SCOPES).principal().has_role(wanted)


def test_checkpoints_are_refused_by_default() -> None:
    """An empty list opens no checkpoint, a name opens that one, the star opens all; people may ask all."""
    assert not key("decisions:ask").principal().may_ask("refund")
    named = key("decisions:ask", checkpoints=("refund",)).principal()
    assert named.may_ask("refund")
    assert not named.may_ask("refund2")
    assert key("decisions:ask", checkpoints=("*",)).principal().may_ask("refund")
    assert person("viewer").principal().may_ask("refund")


def test_a_key_never_holds_what_is_not_for_programs() -> None:
    """A scope smuggled into the row (or left from an older build) counts for nothing."""
    smuggled = key("people:manage", "reviews:decide", "no:such", "decisions:ask").principal()
    assert smuggled.permissions == {Permission.DECISIONS_ASK}


def test_principals_name_their_actor() -> None:
    """The audit record tells people from programs."""
    assert person("viewer").principal().actor == Actor(ActorKind.USER, "person_1")
    assert key("decisions:ask").principal().actor == Actor(ActorKind.API_KEY, "key_1")
    assert Principal(PrincipalKind.PERSON, "p", "P").permissions == frozenset()


@pytest.mark.parametrize(
    ("revoked", "disabled", "idle_h", "end_h", "live"),
    [
        (False, False, 11.9, 1, True),
        (False, False, 12.0, 1, False),
        (False, False, 1, 0, False),
        (True, False, 1, 1, False),
        (False, True, 1, 1, False),
        (False, False, -1, 1, True),
    ],
)
def test_when_a_session_is_live(revoked: bool, disabled: bool, idle_h: float, end_h: float, live: bool) -> None:
    """Idle time and end are exclusive bounds; a clock that jumped back does not sign anybody out."""
    session = Session(
        token_hash="x",
        created_at=NOON - timedelta(hours=20),
        seen_at=NOON - timedelta(hours=idle_h),
        expires_at=NOON + timedelta(hours=end_h),
        person=person("viewer", disabled=disabled),
        revoked_at=NOON if revoked else None,
    )
    assert session.is_live(NOON, timedelta(hours=12)) is live
