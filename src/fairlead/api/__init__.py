"""The HTTP face: who asks, what every answer has in common, and the routes that belong to no feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.api import auth, errors, status
from fairlead.api.bodies import BodyGuard
from fairlead.api.discretion import discreet_ruling
from fairlead.api.errors import ERROR_RESPONSES, ErrorAnswer
from fairlead.api.http import Services, is_https, principal, require, services
from fairlead.api.identity import secret_of as code_secret
from fairlead.api.limits import FixedWindow, Limits, address_of, limits_of
from fairlead.api.naming import actor_namer
from fairlead.api.note_sight import note_withheld
from fairlead.api.pages import environment, render_error, render_page
from fairlead.api.playbooks import (
    DEVIATION_SOURCES,
    deployed_playbook,
    deviation_span,
    deviations_csv,
    deviations_told,
)
from fairlead.api.repairs import roles_for as repair_roles
from fairlead.api.requestlog import Metrics, RequestLog
from fairlead.api.reviewing import labels_of, nobody_left, reviewer_of, sees_every_role
from fairlead.api.rights import export_response, shown as shown_request
from fairlead.api.scores import score_of, use_version
from fairlead.api.shields import FRAMED_BY, KnownHost, SameSite, SecurityHeaders
from fairlead.api.story import Story, arrived_facts, policy_of, read_story
from fairlead.api.telling import SENTENCES
from fairlead.api.timeline import (
    TIMELINE_KINDS,
    Line,
    answer_words,
    cursor_of,
    customer_timeline,
    mark_of,
    withheld_rulings,
)
from fairlead.api.touches import DEFAULT_SPAN, answered_blind, first_touch_csv, people_seen
from fairlead.api.uploading import Sent, receive_file, take_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fastapi import FastAPI

    from fairlead.api.errors import ErrorPage

__all__ = [
    "DEFAULT_SPAN",
    "DEVIATION_SOURCES",
    "ERROR_RESPONSES",
    "FRAMED_BY",
    "SENTENCES",
    "TIMELINE_KINDS",
    "ErrorAnswer",
    "FixedWindow",
    "Limits",
    "Line",
    "Metrics",
    "Sent",
    "Services",
    "Story",
    "actor_namer",
    "address_of",
    "answer_words",
    "answered_blind",
    "arrived_facts",
    "code_secret",
    "cursor_of",
    "customer_timeline",
    "deployed_playbook",
    "deviation_span",
    "deviations_csv",
    "deviations_told",
    "discreet_ruling",
    "export_response",
    "first_touch_csv",
    "install",
    "labels_of",
    "limits_of",
    "mark_of",
    "nobody_left",
    "note_withheld",
    "people_seen",
    "policy_of",
    "principal",
    "read_story",
    "receive_file",
    "render_error",
    "render_page",
    "repair_roles",
    "require",
    "reviewer_of",
    "score_of",
    "sees_every_role",
    "services",
    "shown_request",
    "take_file",
    "use_version",
    "withheld_rulings",
]


def install(
    app: FastAPI,
    services: Services,
    *,
    templates: Sequence[Path] = (),
    error_page: ErrorPage | None = None,
    limits: Limits | None = None,
) -> None:
    """Make `app` a Fairlead application: state, error answers, layers, sign-in and status routes.

    `templates` are folders that go before our own, for a better `layout.html`; `error_page` replaces the
    plain one. To be called once, before the first request.
    """
    app.state.services = services
    app.state.limits = limits or Limits()
    app.state.metrics = Metrics()
    app.state.templates = environment(templates)
    app.state.render_error = error_page or render_error
    errors.register(app)
    # The last one added is the outermost.
    app.add_middleware(
        BodyGuard, limit=services.settings.api_body_limit_bytes, uploads=services.settings.max_import_bytes
    )
    app.add_middleware(SameSite, settings=services.settings)
    app.add_middleware(KnownHost, settings=services.settings)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders, https=is_https(services.settings))
    app.include_router(auth.router)
    app.include_router(status.router)
