"""The outbox on the desk: what stands where and why, what went out to the letter, and a word on what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.actions import ActionDraft, OutboxSource, Receipt, ReceiptState, RetryPolicy, action_of, queue_many
from fairlead.customers import CustomerDraft, resolve_many
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.testing.connectors import RecordingConnector

if TYPE_CHECKING:
    from fairlead.connectors import Delivery
    from tests.console.world import Site

LETTER = "Message-ID: <7@a.example>\r\nSubject: <script>hi</script>\r\nTo: x@b.example\r\n\r\nHello & goodbye\r\n"


class Odd(RecordingConnector):
    """Answers as the kind of the action says."""

    def deliver(self, delivery: Delivery) -> Receipt:
        """With a copy of what it got."""
        self.calls.append(delivery)
        return Receipt(ReceiptState(delivery.kind), f"{delivery.kind} <said>", LETTER)


def outbox(site: Site, kinds: list[str]) -> tuple[list[str], Odd]:
    """One action of each kind, delivered."""
    with site.database.transaction() as uow:
        known = (("email", "out@box.example"),)
        [customer] = resolve_many(uow, [CustomerDraft("Ada <b>K", "Box", identities=known, source="t")])
        uow.record(AuditEntry("t.made", customer.id, actor=SYSTEM))
        drafts = [ActionDraft(f"k/{n}", "odd", kind, {"n": n}, customer_id=customer.id) for n, kind in enumerate(kinds)]
        ids = queue_many(uow, drafts)
    out = Odd("odd")
    deliver(site, out)
    return ids, out


def deliver(site: Site, out: Odd) -> None:
    """Whatever is due."""
    source = OutboxSource(site.database, {"odd": out}, now=site.clock.now, retry=RetryPolicy(max_attempts=1))
    for turn in range(20):
        if source.lease(50, 60, f"{len(out.calls)}/{turn}"):
            source.run(f"{len(out.calls)}/{turn}")


def test_each_state_is_shown_and_repaired(sqlite_site: Site) -> None:
    """Sent, failed and doubtful ones on their pages, escaped; a manager's word changes them, a viewer has none."""
    (sent, failed, doubtful), out = outbox(sqlite_site, ["sent", "failed", "ambiguous"])
    manager, viewer = sqlite_site.signed_in("manager"), sqlite_site.colleague("viewer")
    page = manager.get("/outbox").text
    assert failed in page
    assert doubtful in page
    assert sent not in page
    assert "Try all failed ones of odd again" in page
    assert "Ada &lt;b&gt;K" in page
    assert "Try all failed" not in viewer.get("/outbox").text
    letter = viewer.get(f"/outbox/{sent}").text
    assert "&lt;script&gt;hi&lt;/script&gt;" in letter
    assert "Hello &amp; goodbye" in letter
    assert "sent &lt;said&gt;" in letter
    assert "<script>hi" not in letter
    assert "Did it arrive?" in manager.get(f"/outbox/{doubtful}").text
    assert "Did it arrive?" not in viewer.get(f"/outbox/{doubtful}").text
    assert viewer.post(f"/outbox/{failed}/word", data={"said": "retry"}).status_code == 403
    assert manager.post(f"/outbox/{doubtful}/word", data={"said": "send_again", "reason": ""}).status_code == 422
    assert (
        manager.post(f"/outbox/{doubtful}/word", data={"said": "arrived", "reason": "they called"}).status_code == 303
    )
    assert manager.post("/outbox/retries", data={"outlet": "odd"}).status_code == 303
    with sqlite_site.database.reading() as reader:
        assert [action_of(reader, one).state.value for one in (failed, doubtful)] == ["queued", "sent"]
    deliver(sqlite_site, out)
    gone = {"said": "give_up", "reason": "moved"}
    assert manager.post(f"/outbox/{failed}/word", data=gone).status_code == 303
    assert "given up: moved" in manager.get("/outbox?state=withdrawn").text
    assert [one.idempotency_key for one in out.calls] == ["k/0", "k/1", "k/2", "k/1"]


def test_an_empty_outbox_says_what_would_be_there(sqlite_site: Site) -> None:
    """Every tab explains itself, and without a mail server the page says where mail goes."""
    viewer = sqlite_site.colleague("viewer")
    assert "Nothing to repair" in viewer.get("/outbox").text
    assert "FAIRLEAD_SMTP_HOST" in viewer.get("/outbox?state=held").text
    assert viewer.get("/outbox?state=nonsense").status_code == 422
    assert viewer.get("/outbox/act_nothing").status_code == 404
    assert sqlite_site.client().get("/outbox").status_code in {303, 401}
