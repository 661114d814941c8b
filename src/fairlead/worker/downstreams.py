"""How other systems are told of consents: through the same connectors as everything else."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.actions import Connector, Delivery, ReceiptState
from fairlead.connectors import WebhookConnector
from fairlead.customers import Tell, Telling, Told
from fairlead.kit.database import Database
from fairlead.people import list_api_keys

KIND = "consent.changed"


def teller(database: Database, outlets: Mapping[str, Connector]) -> Tell:
    """Tells downstreams through these connectors; a webhook goes to the API key that has the downstream's name."""

    def tell(one: Telling) -> Told:
        connector = outlets.get(one.connector)
        if connector is None:
            return Told(sent=False, detail=f"no connector is called {one.connector!r} here")
        body = one.message
        if one.connector == WebhookConnector.name:
            key = _key_named(database, one.downstream)
            if key is None:
                return Told(sent=False, detail=f"no API key in force is called {one.downstream!r}")
            body = {"key": key, "message": body}
        receipt = connector.deliver(Delivery(one.id, KIND, body, one.customer_id))
        sent, refused = receipt.state is ReceiptState.SENT, receipt.state is ReceiptState.REFUSED
        return Told(sent, refused, receipt.detail)

    return tell


def _key_named(database: Database, name: str) -> str | None:
    with database.reading() as reader:
        return next((key.id for key in list_api_keys(reader) if key.name == name and key.revoked_at is None), None)
