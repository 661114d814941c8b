"""Who may see and do what with reviews; the same at the desk and over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fairlead import reviews
from fairlead.api.story import policy_of
from fairlead.errors import ForbiddenError, InputError, NotFoundError
from fairlead.evidence import Labels
from fairlead.kit.ids import is_id
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import Permission, Principal, Role, get_person, list_people
from fairlead.reviews import Review, Reviewer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle, BundleLibrary
    from fairlead.settings import Settings


def sees_every_role(principal: Principal) -> bool:
    """Who manages, audits or only looks sees all reviews; a reviewer those of their own roles."""
    broad = (Permission.REVIEWS_MANAGE, Permission.AUDIT_READ)
    return any(map(principal.can, broad)) or not principal.can(Permission.REVIEWS_DECIDE)


def reviewer_of(principal: Principal, *more_roles: str) -> Reviewer:
    """The principal as the reviews know people; an admin stands in for every role, `more_roles` included."""
    roles = set(principal.roles)
    if Role.ADMIN in roles:
        roles |= {role.value for role in Role} | set(more_roles)
    return Reviewer(principal.id, frozenset(roles), principal.name)


def nobody_left(reader: Reader, some: Iterable[Review]) -> frozenset[str]:
    """Ids of the open appeals among these that nobody may answer: everybody with the role had the case in hand."""
    waiting = [one for one in some if one.is_appeal and one.is_open]
    staff = [one for one in list_people(reader) if one.disabled_at is None] if waiting else []
    return frozenset(
        one.id for one in waiting
        if not {each.id for each in staff if {one.role, Role.ADMIN.value} & set(each.roles)}
        - reviews.who_know_case(reader, one)
    )  # fmt: skip


def seen_review(reader: Reader, principal: Principal, review_id: str) -> Review:
    """The review; NotFoundError when there is none, ForbiddenError when it is for a role that one lacks."""
    if not is_id(review_id, "rev"):
        raise NotFoundError("There is no such review.")
    one = reviews.get(reader, review_id)
    if not sees_every_role(principal) and one.role not in reviewer_of(principal, one.role).roles:
        raise ForbiddenError(f"This review is for the role {one.role}.", role=one.role)
    return one


def check_target(reader: Reader, bundle: Bundle | None, role: str | None, person: str | None) -> None:
    """InputError when a review would be passed on to a role or person that nobody has or is."""
    known = {one.value for one in Role} - {Role.VIEWER.value}
    for policy in bundle.policies.values() if bundle else ():
        known |= {policy.review.role, *(rule.role for rule in policy.rules if rule.role)}
    if role is not None and role not in known:
        raise InputError(f"There is no role {role!r}. {did_you_mean(role, known) or ''}".rstrip(), field="to_role")
    if person is not None:
        try:
            gone = get_person(reader, person).disabled_at is not None
        except NotFoundError:
            gone = True
        if gone:
            raise InputError("There is no such person.", field="to_person")


def labels_of(library: BundleLibrary) -> Labels:
    """What keeps blind answers, comparing them by the policy of the review's own version."""
    return Labels(lambda reader, review: policy_of(reader, library, review))


def lease_of(settings: Settings) -> timedelta:
    """How long a claim lasts without a sign of life."""
    return timedelta(minutes=settings.review_lease_min)
