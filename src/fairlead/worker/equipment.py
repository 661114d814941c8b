"""What a process is equipped with: connectors to deliver through, and steps, checks and trained scores to run."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.actions import Connector
from fairlead.connectors import SmtpConnector, connectors_for
from fairlead.connectors.webhook import WebhookConnector
from fairlead.kit.database import Database
from fairlead.people import Webhook, webhook_of
from fairlead.playbooks import BundleLibrary, StepRegistry
from fairlead.sales import FILE_CHECKS, STEPS, with_models
from fairlead.settings import Settings
from fairlead.understanding import ModelLibrary, models_key
from fairlead.worker.mailing import mailer_of, unsent_mailer_of


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


def library_of(secret: str, database: Database, connectors: frozenset[str]) -> BundleLibrary:
    """Compiles and keeps bundles; `secret` is the installation's, `connectors` are those that playbooks may name."""
    models = ModelLibrary(database, models_key(secret))
    return BundleLibrary(StepRegistry(with_models(STEPS, models), FILE_CHECKS), connectors)
