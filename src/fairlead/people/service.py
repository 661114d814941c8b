"""What can be done with people: adding, roles, sign-in by one-time link, sessions.

Permissions are checked at the edge, where the principal is known; the rules here hold for everybody: there is
always somebody left who can manage the rest, a link works once, a disabled person is out at once.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from fairlead.errors import ConflictError, InputError, NotFoundError, NotSignedInError
from fairlead.kit.actors import SYSTEM, Actor, ActorKind
from fairlead.kit.ids import new_id
from fairlead.kit.unit_of_work import AuditEntry, Reader, UnitOfWork
from fairlead.people import secrets, session_store, store
from fairlead.people.model import LINK_LIFETIME, SESSION_IDLE, SESSION_LIFETIME, Person, Role, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A link just made; `token` exists nowhere else and opens the person's desk once until `expires_at`."""

    person: Person
    expires_at: datetime
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """To be put behind the public address."""
        return f"/sign-in/{self.token}"


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session just opened; `token` belongs into the cookie and is stored nowhere."""

    person: Person
    expires_at: datetime
    token: str = field(repr=False)


def add_person(uow: UnitOfWork, actor: Actor, *, name: str, email: str, roles: Iterable[str]) -> Person:
    """Somebody new, who cannot sign in before a link is issued.

    InputError for a name, address or role that cannot be; ConflictError when the address is taken.
    """
    person = Person(
        id=new_id("person"),
        name=clean_name(name),
        email=_clean_email(email),
        roles=_clean_roles(roles),
        created_at=uow.now,
    )
    if not store.insert_person(uow, person):
        message = "Somebody with this e-mail address is here already."
        raise ConflictError(message, code="email_taken", email=person.email)
    _record(uow, actor, "person.added", person.id, roles=list(person.roles))
    return person


def add_first_admin(uow: UnitOfWork, *, name: str, email: str) -> SignInLink | None:
    """An admin and a link for the very first start; None, and nothing done, where an active admin is."""
    if store.has_active_admin(uow):
        return None
    person = add_person(uow, SYSTEM, name=name, email=email, roles=[Role.ADMIN])
    return issue_sign_in_link(uow, SYSTEM, person.id)


def change_roles(uow: UnitOfWork, actor: Actor, person_id: str, roles: Iterable[str]) -> Person:
    """Replace all roles; open sessions follow with their next request.

    ConflictError when nobody would be left as admin.
    """
    person = get_person(uow, person_id)
    wanted = _clean_roles(roles)
    if wanted == person.roles:
        return person
    if Role.ADMIN not in wanted:
        _keep_an_admin(uow, person)
    store.set_roles(uow, person.id, wanted)
    _record(uow, actor, "person.roles_changed", person.id, before=list(person.roles), after=list(wanted))
    return get_person(uow, person_id)


def disable_person(uow: UnitOfWork, actor: Actor, person_id: str) -> None:
    """Out at once: every session is revoked, every link void. Doing it twice is harmless.

    ConflictError when nobody would be left as admin.
    """
    person = get_person(uow, person_id)
    if person.disabled_at is not None:
        return
    _keep_an_admin(uow, person)
    store.set_disabled(uow, person.id, uow.now)
    session_store.delete_links(uow, person.id)
    sessions = session_store.revoke_sessions(uow, person.id)
    _record(uow, actor, "person.disabled", person.id, sessions=sessions)


def enable_person(uow: UnitOfWork, actor: Actor, person_id: str) -> None:
    """The person may be sent a link again; old sessions stay revoked. Doing it twice is harmless."""
    person = get_person(uow, person_id)
    if person.disabled_at is None:
        return
    store.set_disabled(uow, person.id, None)
    _record(uow, actor, "person.enabled", person.id)


def get_person(reader: Reader, person_id: str) -> Person:
    """Disabled ones too; NotFoundError when there is none."""
    person = store.find_person(reader, person_id)
    if person is None:
        raise NotFoundError("There is no such person.", person=person_id[:64])
    return person


def find_person_by_email(reader: Reader, email: str) -> Person | None:
    """By address in any case, disabled ones too; InputError when it cannot be an address."""
    return store.find_person_by_email(reader, _clean_email(email))


def list_people(reader: Reader) -> Sequence[Person]:
    """By name, disabled ones too, at most 1,000."""
    return store.all_people(reader)


def issue_sign_in_link(uow: UnitOfWork, actor: Actor, person_id: str) -> SignInLink:
    """A link that works once within 15 minutes; every earlier one of this person is void.

    ConflictError for a disabled person.
    """
    person = get_person(uow, person_id)
    if person.disabled_at is not None:
        raise ConflictError("This person is disabled.", code="person_disabled", person=person.id)
    token = secrets.new_token()
    link = SignInLink(person, uow.now + LINK_LIFETIME, token)
    session_store.delete_links(uow, person.id)
    session_store.insert_link(uow, secrets.hash_of(token), person.id, link.expires_at)
    _record(uow, actor, "sign_in_link.issued", person.id)
    return link


def consume_sign_in_link(uow: UnitOfWork, token: str, *, lifetime: timedelta = SESSION_LIFETIME) -> OpenedSession:
    """Turn a link into a session that ends after `lifetime` at the latest.

    NotSignedInError, always with the same words, for a token that is unknown, used, expired or of a disabled
    person.
    """
    person_id = session_store.use_link(uow, secrets.hash_of(token)) if secrets.is_token(token) else None
    person = store.find_person(uow, person_id) if person_id else None
    if person is None or person.disabled_at is not None:
        raise NotSignedInError("This sign-in link was used before or has expired.", code="link_not_valid")
    session = OpenedSession(person, uow.now + lifetime, secrets.new_token())
    session_store.delete_ended_sessions(uow, person.id)
    session_store.insert_session(uow, secrets.hash_of(session.token), person.id, session.expires_at)
    _record(uow, Actor(ActorKind.USER, person.id), "session.opened", person.id)
    return session


def resolve_session(reader: Reader, token: str, now: datetime, *, idle: timedelta = SESSION_IDLE) -> Session | None:
    """The live session of this token, None when there is none; `idle` is how long it may go unused."""
    if not secrets.is_token(token):
        return None
    session = session_store.find_session(reader, secrets.hash_of(token))
    return session if session is not None and session.is_live(now, idle) else None


def touch_session(uow: UnitOfWork, session: Session) -> None:
    """Write a sign of life, when `touch_due`; between two there is at least a minute."""
    if session.touch_due(uow.now):
        session_store.touch_session(uow, session.token_hash)


def sign_out(uow: UnitOfWork, session: Session) -> None:
    """End this one session; a second time is harmless."""
    if session_store.revoke_session(uow, session.token_hash):
        actor = Actor(ActorKind.USER, session.person.id)
        _record(uow, actor, "session.closed", session.person.id)


def revoke_sessions(uow: UnitOfWork, actor: Actor, person_id: str) -> int:
    """Sign somebody out everywhere and void open links; returns how many sessions were open."""
    person = get_person(uow, person_id)
    session_store.delete_links(uow, person.id)
    count = session_store.revoke_sessions(uow, person.id)
    _record(uow, actor, "session.revoked", person.id, sessions=count)
    return count


def clean_name(name: str) -> str:
    """Trimmed, in one normal form; InputError when empty, over 200 characters or with control characters."""
    text = unicodedata.normalize("NFC", name).strip()
    if not text or len(text) > MAX_NAME_CHARS:
        raise InputError(f"A name has 1 to {MAX_NAME_CHARS} characters.", name=text[:50])
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise InputError("A name must not hold control characters.", code="control_character")
    return text


def _clean_email(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InputError(f"This is no e-mail address that can be used: {error}", email=email[:100]) from None


def _clean_roles(roles: Iterable[str]) -> tuple[str, ...]:
    wanted = set(roles)
    if unknown := sorted(wanted - set(Role)):
        known = ", ".join(Role)
        raise InputError(f"There is no role {unknown[0][:50]!r}. There are: {known}.", code="unknown_role")
    if not wanted:
        raise InputError("A person needs at least one role.", code="no_role")
    return tuple(role.value for role in Role if role in wanted)


def _keep_an_admin(uow: UnitOfWork, leaving: Person) -> None:
    admins = {person.id for person in store.lock_active_people(uow) if Role.ADMIN in person.roles}
    if leaving.id in admins and len(admins) == 1:
        message = "Nobody else is an admin. Make somebody one first."
        raise ConflictError(message, code="last_admin", person=leaving.id)


def _record(uow: UnitOfWork, actor: Actor, verb: str, subject: str, **payload: object) -> None:
    # Names and addresses stay out: the payload is kept for as long as the record, the person's row is not.
    uow.record(AuditEntry(verb, subject, dict(payload), actor=actor))
