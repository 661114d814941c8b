"""What a process is equipped with: connectors to deliver through, and steps, checks and trained scores to run."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.actions import Connector
from fairlead.connectors import SmtpConnector, WebhookConnector, connectors_for
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.people import Webhook, set_webhook_url, webhook_of
from fairlead.playbooks import BundleLibrary, StepRegistry
from fairlead.retention import check_retention
from fairlead.rights import STEPS as RIGHTS_STEPS
from fairlead.sales import FILE_CHECKS, STEPS as SALES_STEPS, with_models
from fairlead.settings import Settings
from fairlead.trials import STEPS as TRIAL_STEPS, check_experiments
from fairlead.understanding import ModelLibrary, models_key
from fairlead.worker.mailing import mailer_of, unsent_mailer_of

STEPS = (*SALES_STEPS, *RIGHTS_STEPS, *TRIAL_STEPS)
"""Every built-in step."""
CHECKS = (*FILE_CHECKS, check_experiments, check_retention)
"""Every check of a workspace's files besides playbooks, policies, steps and contact rules."""


def outlets_of(
    settings: Settings, database: Database, given: dict[str, Connector] | None
) -> tuple[frozenset[str], dict[str, Connector]]:
    """The names that playbooks may use, and every connector by name; `given` None: the connectors of `settings`.

    Webhooks to askers are always among them. Each goes to the address and under the secret of its key at that moment.
    """
    used = given
    if used is None:
        email = mailer_of(settings, database)
        used = connectors_for(settings.data_dir, email=email, unsent=unsent_mailer_of(settings, database))
    webhooks = WebhookConnector(
        lambda key_id: _webhook_of(database, key_id),
        database.clock.now,
        timeout_s=settings.webhook_timeout_s,
        private_hosts=settings.webhook_private_hosts,
        source=settings.public_url,
        gone=lambda key_id, url: _take_back(database, key_id, url),
    )
    return frozenset(used), {WebhookConnector.name: webhooks, **used}


def close_outlets(outlets: Mapping[str, Connector]) -> None:
    """End the connections that connectors keep open."""
    for one in outlets.values():
        if isinstance(one, SmtpConnector):
            one.close()


def _webhook_of(database: Database, key_id: str) -> Webhook | None:
    with database.reading() as reader:
        return webhook_of(reader, key_id)


def _take_back(database: Database, key_id: str, url: str) -> None:
    """The address said 410: nothing goes there any more, unless its owner registered another meanwhile."""
    with database.transaction() as uow:
        found = webhook_of(uow, key_id)
        if found is not None and found.url == url:
            set_webhook_url(uow, SYSTEM, key_id, None)


def library_of(secret: str, database: Database, connectors: frozenset[str]) -> BundleLibrary:
    """Compiles and keeps bundles; `secret` is the installation's, `connectors` are those that playbooks may name."""
    models = ModelLibrary(database, models_key(secret))
    return BundleLibrary(StepRegistry(with_models(STEPS, models), CHECKS), connectors)
