"""Every `/v1` route of an application, mounted in one place."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fairlead.api import (
    actions,
    alerts,
    audit,
    autonomy,
    cases,
    consents,
    contact,
    customers,
    duplicates,
    experiments,
    identity,
    imports,
    labels,
    leads,
    links,
    mail,
    notes,
    playbooks,
    repairs,
    reviews,
    rights,
    scores,
    signing,
    teams,
    touches,
)
from fairlead.api.decisions import deployed_policies, install_gate
from fairlead.errors import FaultError, InputError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from fairlead.api.http import Services
    from fairlead.playbooks import BundleLibrary
    from fairlead.settings import Settings

ROUTERS = (
    actions.router, alerts.router,
    reviews.router, cases.router, autonomy.router, playbooks.router, signing.router, labels.router, customers.router,
    consents.router,
    duplicates.router, imports.router, leads.router, scores.router, notes.router, audit.router, teams.router,
    touches.router, mail.router, contact.router, experiments.router, identity.router, rights.router, repairs.router,
    links.router,
)  # fmt: skip
DEFAULT_CURRENCY = "EUR"


def include_all(app: FastAPI, library: BundleLibrary, *, seed: bytes | None = None) -> None:
    """Add the gate and all other routes to an application that `api.install` has prepared.

    `seed` keys the draws of the gate; None: from the installation's secret key, as the engine's is.
    """
    svc: Services = app.state.services
    app.state.library = library
    seed = seed if seed is not None else lottery_seed(svc.settings)
    install_gate(app, deployed_policies(library), seed, currency=_currency(svc, library))
    for router in ROUTERS:
        app.include_router(router)


def lottery_seed(settings: Settings) -> bytes:
    """The key of the draws; the same as the engine's, so that gate and cases draw alike."""
    if settings.secret_key is None:
        raise FaultError("the routes need the secret key; see settings.provide_secrets")
    return hmac.digest(settings.secret_key.get_secret_value().encode(), b"fairlead lottery", "sha256")


def _currency(svc: Services, library: BundleLibrary) -> str:
    """The workspace's as deployed now; another one, deployed later, counts from the next start on."""
    with svc.database.reading() as reader:
        try:
            return library.current(reader).currency
        except InputError:
            return DEFAULT_CURRENCY
