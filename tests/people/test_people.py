"""Adding people, their roles, and putting them out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fairlead.audit import history
from fairlead.errors import ConflictError, FairleadError, InputError, NotFoundError
from fairlead.kit.actors import Actor, ActorKind
from fairlead.people import (
    Permission,
    add_first_admin,
    add_person,
    change_roles,
    consume_sign_in_link,
    disable_person,
    enable_person,
    find_person_by_email,
    get_person,
    issue_sign_in_link,
    list_people,
    resolve_session,
)

if TYPE_CHECKING:
    from fairlead.kit.database import Database
    from fairlead.people import Person
    from fairlead.testing.clock import FakeClock

BOSS = Actor(ActorKind.USER, "person_boss")


def add(database: Database, email: str, *roles: str, name: str = "Rita") -> Person:
    """Somebody new, a reviewer unless said otherwise."""
    with database.transaction() as uow:
        return add_person(uow, BOSS, name=name, email=email, roles=roles or ("reviewer",))


def test_added_people_are_found(database: Database, admin: Person) -> None:
    """By id, by address in any case, and in the list by name."""
    rita = add(database, "Rita@Example.COM", "reviewer", "viewer")
    assert rita.email == "rita@example.com"
    with database.reading() as reader:
        assert get_person(reader, rita.id) == rita
        assert find_person_by_email(reader, "RITA@example.com") == rita
        assert list_people(reader) == [admin, rita]
        with pytest.raises(NotFoundError):
            get_person(reader, "person_nobody")


def test_one_address_is_one_person(database: Database) -> None:
    """A second person of the same address, in whatever case, is refused and nothing is stored."""
    add(database, "rita@example.com")
    with pytest.raises(ConflictError) as refused:
        add(database, "RITA@example.com")
    assert refused.value.reason == "email_taken"
    with database.reading() as reader:
        assert len(list_people(reader)) == 1


@pytest.mark.parametrize(
    ("name", "email", "roles"),
    [
        ("", "a@example.com", ["viewer"]),
        (" \t ", "a@example.com", ["viewer"]),
        ("x" * 201, "a@example.com", ["viewer"]),
        ("a\0b", "a@example.com", ["viewer"]),
        ("a\nadmin signed", "a@example.com", ["viewer"]),
        ("a\ud800", "a@example.com", ["viewer"]),
        ("a", "no address", ["viewer"]),
        ("a", "a\0@example.com", ["viewer"]),
        ("a", "a@example.com\r\nBcc: b@example.com", ["viewer"]),
        ("a", "a" * 500 + "@example.com", ["viewer"]),
        ("a", "a@example.com", []),
        ("a", "a@example.com", ["owner"]),
        ("a", "a@example.com", ["admin ", "viewer"]),
    ],
)
def test_people_that_cannot_be(database: Database, name: str, email: str, roles: list[str]) -> None:
    """Bad names, addresses and roles are refused on both databases alike, and leave nothing behind."""
    with pytest.raises(InputError), database.transaction() as uow:
        add_person(uow, BOSS, name=name, email=email, roles=roles)
    with database.reading() as reader:
        assert list_people(reader) == []


def test_roles_take_effect_in_open_sessions(database: Database, admin: Person, clock: FakeClock) -> None:
    """Who loses a role loses its permissions with the next request, without signing in again."""
    rita = add(database, "rita@example.com", "manager")
    with database.transaction() as uow:
        token = consume_sign_in_link(uow, issue_sign_in_link(uow, BOSS, rita.id).token).token
    with database.transaction() as uow:
        assert change_roles(uow, admin.principal().actor, rita.id, ["viewer"]).roles == ("viewer",)
    with database.reading() as reader:
        session = resolve_session(reader, token, clock.now())
    assert session is not None
    assert not session.person.principal().can(Permission.GRANTS_SIGN)


def test_the_last_admin_stays(database: Database, admin: Person) -> None:
    """Neither disabling nor a change of roles may leave nobody who manages the rest."""
    for attempt in (
        lambda uow: disable_person(uow, BOSS, admin.id),
        lambda uow: change_roles(uow, BOSS, admin.id, ["viewer"]),
    ):
        with pytest.raises(ConflictError) as refused, database.transaction() as uow:
            attempt(uow)
        assert refused.value.reason == "last_admin"
    second = add(database, "bea@example.com", "admin")
    with database.transaction() as uow:
        disable_person(uow, BOSS, admin.id)
    with pytest.raises(ConflictError), database.transaction() as uow:
        disable_person(uow, BOSS, second.id)


def test_two_admins_cannot_put_each_other_out(database: Database, admin: Person) -> None:
    """Of two admins disabled at the same moment by two servers, one stays."""
    second = add(database, "bea@example.com", "admin")
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def disable(person: Person) -> None:
        barrier.wait()
        try:
            with database.transaction() as uow:
                disable_person(uow, BOSS, person.id)
        except ConflictError as error:
            outcomes.append(error.reason)
        else:
            outcomes.append("disabled")

    threads = [threading.Thread(target=disable, args=[person]) for person in (admin, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["disabled", "last_admin"]


def test_disabling_puts_out_at_once(database: Database, admin: Person, clock: FakeClock) -> None:
    """Open sessions end, issued links are void, new ones are refused; enabling brings no old session back."""
    del admin
    rita = add(database, "rita@example.com")
    with database.transaction() as uow:
        token = consume_sign_in_link(uow, issue_sign_in_link(uow, BOSS, rita.id).token).token
        link = issue_sign_in_link(uow, BOSS, rita.id)
    with database.transaction() as uow:
        disable_person(uow, BOSS, rita.id)
        disable_person(uow, BOSS, rita.id)
    with database.reading() as reader:
        assert resolve_session(reader, token, clock.now()) is None
    for refused in (
        lambda uow: issue_sign_in_link(uow, BOSS, rita.id),
        lambda uow: consume_sign_in_link(uow, link.token),
    ):
        with pytest.raises(FairleadError), database.transaction() as uow:
            refused(uow)
    with database.transaction() as uow:
        enable_person(uow, BOSS, rita.id)
    with database.reading() as reader:
        assert get_person(reader, rita.id).disabled_at is None
        assert resolve_session(reader, token, clock.now()) is None


def test_the_first_admin_is_made_once(database: Database) -> None:
    """The first start prints a link that works; with an active admin there the call does nothing."""
    with database.transaction() as uow:
        link = add_first_admin(uow, name="Ada", email="ada@example.com")
    assert link is not None
    with database.transaction() as uow:
        assert add_first_admin(uow, name="Eve", email="eve@example.com") is None
        assert consume_sign_in_link(uow, link.token).person.roles == ("admin",)


def test_everything_is_audited_without_personal_data(database: Database, admin: Person) -> None:
    """Each change leaves who did it and what changed; name and address stay in the person's row alone."""
    rita = add(database, "rita@example.com", "viewer")
    with database.transaction() as uow:
        change_roles(uow, admin.principal().actor, rita.id, ["manager"])
        consume_sign_in_link(uow, issue_sign_in_link(uow, BOSS, rita.id).token)
        disable_person(uow, BOSS, rita.id)
        enable_person(uow, BOSS, rita.id)
    with database.reading() as reader:
        entries = list(history(reader, [rita.id]))
    assert [entry.verb for entry in entries] == [
        "person.added",
        "person.roles_changed",
        "sign_in_link.issued",
        "session.opened",
        "person.disabled",
        "person.enabled",
    ]
    assert entries[1].actor == f"user:{admin.id}"
    assert entries[3].actor == f"user:{rita.id}"
    text = repr(entries)
    assert "Rita" not in text
    assert "rita@example.com" not in text
