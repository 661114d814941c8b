"""The console: server-rendered pages on which people decide, follow cases and hold the switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import ChoiceLoader, FileSystemLoader

from fairlead.console import (
    assets,
    audit_pages,
    autonomy_pages,
    case_pages,
    comparing,
    consent_pages,
    contact_pages,
    customer_pages,
    duplicate_pages,
    experiment_pages,
    form_pages,
    identity_pages,
    import_pages,
    leaving_pages,
    live,
    note_pages,
    outbox_pages,
    playbook_pages,
    preference_pages,
    queue_pages,
    repair_pages,
    replay_pages,
    review_pages,
    rights_pages,
    routing_pages,
    score_pages,
    team_pages,
    touch_pages,
    why_pages,
    words,
)
from fairlead.console.feed import Feed
from fairlead.console.shell import TEMPLATES, Console, render_error

if TYPE_CHECKING:
    from fastapi import FastAPI

    from fairlead.api import Services
    from fairlead.playbooks import BundleLibrary

__all__ = ["TEMPLATES", "Console", "Feed", "install", "render_error"]


def install(app: FastAPI, services: Services, library: BundleLibrary) -> Console:
    """Put every page of the desk into an application that `api.install` made; before the first request."""
    console = Console(library, Feed(services.database), assets.load())
    app.state.console = console
    app.state.render_error = render_error
    templates = app.state.templates
    templates.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), templates.loader])
    templates.filters.update(words.FILTERS)
    templates.filters.update(comparing.FILTERS)
    templates.globals["asset"] = console.assets.url
    templates.trim_blocks = templates.lstrip_blocks = True
    for pages in (
        assets, queue_pages, review_pages, case_pages, playbook_pages, score_pages, import_pages, autonomy_pages,
        customer_pages, consent_pages, contact_pages, duplicate_pages, team_pages, routing_pages, touch_pages,
        audit_pages, form_pages, note_pages, live, preference_pages, leaving_pages, outbox_pages, why_pages,
        experiment_pages, identity_pages, rights_pages, replay_pages, repair_pages,
    ):  # fmt: skip
        app.include_router(pages.router, include_in_schema=False)
    return console
