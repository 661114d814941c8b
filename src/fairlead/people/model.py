"""Who may do what: permissions, the roles that hold them, and the principal that a request speaks for.

Everything here is data and pure functions. A new permission is one line in `Permission` and one word in the
roles that get it; nothing is granted that is not written in `ROLE_PERMISSIONS` or in a key's scopes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fairlead.errors import ForbiddenError
from fairlead.kit.actors import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterable

LINK_LIFETIME = timedelta(minutes=15)
SESSION_IDLE = timedelta(hours=12)
SESSION_LIFETIME = timedelta(days=7)
TOUCH_AFTER = timedelta(seconds=60)
ANY_CHECKPOINT = "*"


class Permission(StrEnum):
    """One thing that somebody may do, written `scope:action`."""

    REVIEWS_READ = "reviews:read"
    REVIEWS_DECIDE = "reviews:decide"
    REVIEWS_MANAGE = "reviews:manage"  # other people's claims: release, reassign
    CASES_READ = "cases:read"
    CASES_START = "cases:start"
    CASES_MANAGE = "cases:manage"  # retry, skip, pause, redirect, take over, cancel
    LEADS_TOUCH = "leads:touch"  # log contacts with leads
    EVENTS_SEND = "events:send"
    DECISIONS_ASK = "decisions:ask"
    DECISIONS_READ = "decisions:read"
    DECISIONS_EXECUTE = "decisions:execute"  # consume an approval
    OUTCOMES_REPORT = "outcomes:report"
    PLAYBOOKS_READ = "playbooks:read"
    PLAYBOOKS_DEPLOY = "playbooks:deploy"
    GRANTS_READ = "grants:read"
    GRANTS_SIGN = "grants:sign"
    SWITCHES_SET = "switches:set"  # the stop switches
    OUTBOX_READ = "outbox:read"  # what was, will be or could not be sent, to the letter
    OUTBOX_MANAGE = "outbox:manage"  # try again, give up, say what became of a doubtful message
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_EDIT = "customers:edit"
    RIGHTS_EXPORT = "rights:export"  # take the document of an approved export, delicate flags included
    SENSITIVE_READ = "sensitive:read"  # flags such as vulnerable, and what was decided because of them
    REPORTS_READ = "reports:read"
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    PEOPLE_READ = "people:read"
    PEOPLE_MANAGE = "people:manage"
    TEAMS_MANAGE = "teams:manage"  # members, shares, working hours, absences with their reasons
    KEYS_MANAGE = "keys:manage"
    METRICS_READ = "metrics:read"


class Role(StrEnum):
    """What a person is here; a review asks for one of these by name."""

    ADMIN = "admin"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    COMPLIANCE = "compliance"
    VIEWER = "viewer"


_P = Permission
_VIEWER = frozenset(
    {
        _P.REVIEWS_READ,
        _P.CASES_READ,
        _P.DECISIONS_READ,
        _P.PLAYBOOKS_READ,
        _P.GRANTS_READ,
        _P.CUSTOMERS_READ,
        _P.OUTBOX_READ,
        _P.REPORTS_READ,
    }
)
_MANAGER = frozenset(
    {
        _P.REVIEWS_DECIDE,
        _P.REVIEWS_MANAGE,
        _P.CASES_START,
        _P.CASES_MANAGE,
        _P.LEADS_TOUCH,
        _P.EVENTS_SEND,
        _P.OUTCOMES_REPORT,
        _P.GRANTS_SIGN,
        _P.SWITCHES_SET,
        _P.OUTBOX_MANAGE,
        _P.CUSTOMERS_EDIT,
        _P.SENSITIVE_READ,
        _P.PEOPLE_READ,
        _P.TEAMS_MANAGE,
    }
)
_COMPLIANCE = frozenset(
    {
        _P.REVIEWS_DECIDE,
        _P.SWITCHES_SET,
        _P.RIGHTS_EXPORT,
        _P.SENSITIVE_READ,
        _P.AUDIT_READ,
        _P.AUDIT_EXPORT,
        _P.PEOPLE_READ,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _VIEWER | _MANAGER,
    Role.REVIEWER: _VIEWER | {_P.REVIEWS_DECIDE, _P.LEADS_TOUCH},
    Role.COMPLIANCE: _VIEWER | _COMPLIANCE,
    Role.VIEWER: _VIEWER,
}

KEY_SCOPES = frozenset(Permission) - {
    _P.PEOPLE_MANAGE,
    _P.KEYS_MANAGE,
    _P.REVIEWS_DECIDE,
    _P.REVIEWS_MANAGE,
    _P.GRANTS_SIGN,
    _P.RIGHTS_EXPORT,
}
"""What a key may hold. A program never makes people or keys, and never answers in a person's place."""


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything these roles may do together; a name that is no role gives nothing."""
    known = [Role(name) for name in roles if name in set(Role)]
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in known))


class PrincipalKind(StrEnum):
    """Whether somebody signed in or a program showed its key."""

    PERSON = "person"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a request speaks for, and how far.

    `checkpoints` lists where it may ask for decisions; `*` stands for all, empty for none. `max_value_minor`
    is the largest value it may state itself, in minor units of the workspace currency; None means any.
    `flags` are the customer flags it may assert itself.
    """

    kind: PrincipalKind
    id: str
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    checkpoints: frozenset[str] = frozenset()
    max_value_minor: int | None = None
    flags: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        """How the audit record names this principal."""
        return Actor(ActorKind.USER if self.kind is PrincipalKind.PERSON else ActorKind.API_KEY, self.id)

    def can(self, permission: Permission) -> bool:
        """Whether the permission is held; for showing or hiding, `require` is what protects."""
        return permission in self.permissions

    def has_role(self, role: str) -> bool:
        """Whether a review that asks for `role` may be decided here; an admin stands in for every role."""
        return role in self.roles or Role.ADMIN in self.roles

    def may_ask(self, checkpoint: str) -> bool:
        """Whether decisions of this checkpoint may be asked for."""
        return ANY_CHECKPOINT in self.checkpoints or checkpoint in self.checkpoints

    def require(self, permission: Permission) -> None:
        """ForbiddenError that names the permission, unless it is held."""
        if permission not in self.permissions:
            message = f"This needs the permission {permission.value}."
            raise ForbiddenError(message, permission=permission.value)

    def require_role(self, role: str) -> None:
        """ForbiddenError that names the role, unless `has_role`."""
        if not self.has_role(role):
            raise ForbiddenError(f"This needs the role {role}.", role=role)

    def require_checkpoint(self, checkpoint: str) -> None:
        """ForbiddenError that names the checkpoint, unless `may_ask`."""
        if not self.may_ask(checkpoint):
            message = f"Decisions of the checkpoint {checkpoint} are not open to you."
            raise ForbiddenError(message, checkpoint=checkpoint)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in; `email` is unique in lower case, `disabled_at` set means not any more."""

    id: str
    name: str
    email: str
    roles: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None = None

    def principal(self) -> Principal:
        """The person with all that the roles allow; people may ask any checkpoint."""
        return Principal(
            kind=PrincipalKind.PERSON,
            id=self.id,
            name=self.name,
            roles=frozenset(self.roles),
            permissions=permissions_of(self.roles),
            checkpoints=frozenset({ANY_CHECKPOINT}),
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's key as it may be shown again: everything but its secret. Limits as in `Principal`."""

    id: str
    name: str
    scopes: tuple[str, ...]
    checkpoints: tuple[str, ...]
    max_value_minor: int | None
    flags: tuple[str, ...]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None

    def principal(self) -> Principal:
        """The key's rights; a stored scope that keys may not hold (any more) counts for nothing."""
        return Principal(
            kind=PrincipalKind.API_KEY,
            id=self.id,
            name=self.name,
            permissions=frozenset(Permission(scope) for scope in self.scopes if scope in KEY_SCOPES),
            checkpoints=frozenset(self.checkpoints),
            max_value_minor=self.max_value_minor,
            flags=frozenset(self.flags),
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `token_hash` identifies it without being of use to a thief."""

    token_hash: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    person: Person = field(repr=False)
    revoked_at: datetime | None = None

    def is_live(self, now: datetime, idle: timedelta) -> bool:
        """Whether it still counts: not revoked, person not disabled, used within `idle`, not past its end."""
        if self.revoked_at is not None or self.person.disabled_at is not None:
            return False
        return now < self.expires_at and now - self.seen_at < idle

    def touch_due(self, now: datetime) -> bool:
        """Whether the last sign of life is old enough to be written again."""
        return now - self.seen_at >= TOUCH_AFTER
