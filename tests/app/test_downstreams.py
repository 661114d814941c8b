"""Other systems are told through the same connectors as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.actions import Delivery, Receipt, ReceiptState
from fairlead.audit import Trail
from fairlead.customers import Telling
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.people import create_api_key, revoke_api_key
from fairlead.worker.downstreams import KIND, teller

if TYPE_CHECKING:
    from fairlead.testing.clock import FakeClock


class Keeping:
    """A connector that keeps what it gets and answers as it is told."""

    name = "webhook"

    def __init__(self) -> None:
        """Sends until told otherwise."""
        self.seen: list[Delivery] = []
        self.answer = Receipt(ReceiptState.SENT)

    def deliver(self, delivery: Delivery) -> Receipt:
        """Keep it."""
        self.seen.append(delivery)
        return self.answer


def test_a_webhook_goes_to_the_key_of_that_name(sqlite_url: str, clock: FakeClock) -> None:
    """Signed for it; without such a key, or a connector, it failed for now and says why; refused stays refused."""
    database = Database(sqlite_url, clock=clock, trail=Trail())
    kept, plain = Keeping(), Keeping()
    tell = teller(database, {"webhook": kept, "file": plain})
    one = Telling("cdl_1", "crm", "webhook", "cus_1", {"type": KIND})
    assert not tell(one).sent
    assert "'crm'" in tell(one).detail
    with database.transaction() as uow:
        key = create_api_key(
            uow, SYSTEM, name="crm", scopes=["decisions:ask"], checkpoints=["*"], max_value_minor=None, flags=[]
        ).key
    assert tell(one).sent
    assert kept.seen == [Delivery("cdl_1", KIND, {"key": key.id, "message": {"type": KIND}}, "cus_1")]
    kept.answer = Receipt(ReceiptState.REFUSED, "HTTP 410")
    assert (tell(one).refused, tell(one).detail) == (True, "HTTP 410")
    with database.transaction() as uow:
        revoke_api_key(uow, SYSTEM, key.id)
    assert not tell(one).refused
    assert tell(one._replace(connector="file")).sent
    assert plain.seen[0].body == {"type": KIND}
    assert "no connector" in tell(one._replace(connector="fax")).detail
    database.close()
