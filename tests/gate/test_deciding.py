"""What the gate decides, and what a program learns of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import reviews
from fairlead.checkpoints import SETTLEMENT, switch_stop
from fairlead.checkpoints.tables import decision, request, ruling
from fairlead.customers import CustomerDraft, resolve_many, set_flag
from fairlead.kit.actors import SYSTEM
from fairlead.kit.unit_of_work import AuditEntry
from fairlead.reviews import Verb
from fairlead.reviews.tables import review
from tests.gate.world import ANN

if TYPE_CHECKING:
    from tests.gate.world import World


def make_customer(world: World, email: str, value_minor: int | None = None, *, vip: bool = False) -> str:
    """A customer on record; its id."""
    with world.database.transaction() as uow:
        draft = CustomerDraft(name="Eve", identities=(("email", email),), value_minor=value_minor, source="t")
        customer_id = resolve_many(uow, [draft])[0].id
        uow.record(AuditEntry("customer.made", customer_id))
        if vip:
            set_flag(uow, SYSTEM, customer_id, "vip", True, source="test", owner="ann")
    return customer_id


def test_a_sure_proposal_under_a_grant_is_approved_at_once(world: World) -> None:
    """State, path, answer, sentence, data and an approval come with the first answer, all audited."""
    found = world.asked()

    assert (found["state"], found["path"], found["verdict"]) == ("decided", "auto", "auto")
    assert found["answer"] == {"amount": 40}
    assert "reaches 0.9" in found["explanation"]
    assert found["ruling"]["steps"][3]["name"] == "grant"
    assert found["approval"]["token"].startswith("fla_")
    assert found["review"] is None
    assert found["retry_after"] is None
    assert world.audited(found["id"]) == ["ruling.made", "approval.issued"]


def test_an_unsure_proposal_waits_for_a_person_and_nothing_may_be_executed(world: World) -> None:
    """Below the threshold there is a review with an address, a time to come back, and no approval."""
    answer = world.ask(score=0.4, title="Refund of order 1")
    found = answer.json()

    assert (found["state"], found["path"]) == ("waiting", "assist")
    assert found["answer"] is None
    assert found["approval"] is None
    assert found["review"]["url"].endswith(f"/reviews/{found['review']['id']}")
    assert int(answer.headers["retry-after"]) == found["retry_after"] > 0


def test_a_blocked_proposal_says_so_to_everybody(world: World) -> None:
    """Blocked is a state of its own, explained to staff and to the customer, without an approval."""
    found = world.asked(signals={"country": "kp"})
    staff = world.get(f"/v1/decisions/{found['id']}/explanation").json()
    customer = world.get(f"/v1/decisions/{found['id']}/explanation?audience=customer").json()

    assert (found["state"], found["verdict"], found["approval"]) == ("blocked", "blocked", None)
    assert "embargo" in staff["explanation"]
    assert "We do not serve there." in customer["explanation"]
    assert "embargo" not in customer["explanation"]
    assert world.executed(found).status_code == 403


def test_a_repeated_question_gets_the_stored_answer_whatever_its_state(world: World) -> None:
    """The second call of a key shows the same decision, and later what a person made of it."""
    first = world.asked(score=0.1)
    again = world.asked(score=0.1)
    world.decide(first, Verb.APPROVE, undo_s=0)
    later = world.asked(score=0.1)

    assert first["id"] == again["id"] == later["id"]
    assert (again["state"], later["state"]) == ("waiting", "decided")
    assert later["approval"]
    assert world.count(ruling) == world.count(request) == 1


def test_an_approval_reads_the_same_on_every_poll(world: World) -> None:
    """Nothing secret is stored, and still the asker sees one token, with one end, as often as it asks."""
    found = world.asked()

    assert world.poll(found)["approval"] == found["approval"] == world.asked()["approval"]


def test_the_same_key_with_another_body_is_a_conflict(world: World) -> None:
    """It names the decision that has the key, and nothing is stored."""
    found = world.asked()
    answer = world.ask(proposal={"answer": {"amount": 41}})

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "key_reused"
    assert answer.json()["error"]["fields"]["decision"] == found["id"]
    assert world.count(ruling) == 1


def test_keys_are_apart_by_caller_and_checkpoint(world: World) -> None:
    """Two callers, or one at two checkpoints, may use the same idempotency key."""
    other = world.make_key()
    ids = {
        world.asked()["id"],
        world.ask(other).json()["id"],
        world.asked(checkpoint="returns", proposal={"answer": {"keep": True}})["id"],
    }

    assert len(ids) == 3


def test_a_key_is_free_again_after_thirty_days(world: World) -> None:
    """Until then it gives the old decision, afterwards a new one, with the old one still there."""
    first = world.asked()
    world.clock.advance(timedelta(days=29, hours=23))
    assert world.asked()["id"] == first["id"]
    world.clock.advance(timedelta(hours=2))
    second = world.asked()

    assert second["id"] != first["id"]
    assert world.poll(first)["state"] == "decided"


def test_twenty_callers_at_once_get_one_ruling(world: World) -> None:
    """Under a race for one key all get the same decision."""
    start, found = threading.Barrier(20), []

    def ask() -> None:
        start.wait()
        found.append(world.ask(score=0.2))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {answer.status_code for answer in found} == {200}
    assert len({answer.json()["id"] for answer in found}) == 1
    assert (world.count(ruling), world.count(review), world.count(request)) == (1, 1, 1)


def test_what_the_record_says_of_a_customer_counts(world: World) -> None:
    """Flags and value come from the customer's record, found by e-mail in any spelling."""
    customer_id = make_customer(world, "eve@example.com", vip=True)
    rich = make_customer(world, "rich@example.com", 90_000_00)
    vip = world.asked(customer={"email": " Eve@Example.COM "}, idempotency_key="a")
    big = world.asked(customer={"id": rich}, idempotency_key="b")

    assert (vip["path"], vip["customer"]) == ("human", customer_id)
    assert big["path"] == "assist"
    assert big["ruling"]["values"]["value"] == 90_000.0


def test_a_record_never_makes_a_stated_value_smaller(world: World) -> None:
    """Of record and caller the larger value counts, so that a small record opens no door."""
    poor = make_customer(world, "poor@example.com", 100)

    assert world.asked(customer={"id": poor}, value=700)["path"] == "assist"


def test_a_key_states_values_and_flags_within_its_limits_only(world: World) -> None:
    """Beyond them it is refused with a sentence that says the limit, and nothing is stored."""
    small = world.make_key(max_value_minor=10_000, flags=[])
    high = world.ask(small, value=100.01)
    flag = world.ask(small, flags=["vip"])

    assert (high.status_code, high.json()["error"]["code"]) == (403, "value_limit")
    assert "100" in high.json()["error"]["message"]
    assert (flag.status_code, flag.json()["error"]["code"]) == (403, "flag")
    assert world.ask(small, value=100).status_code == 200
    assert world.asked(flags=["vip"], idempotency_key="v")["path"] == "human"


def test_a_value_in_a_currency_without_a_rate_is_missing_information(world: World) -> None:
    """The rule on value cannot be evaluated, so a person decides; a limited key is refused."""
    free = world.make_key(max_value_minor=None)

    assert world.ask(free, currency="USD", value=1).json()["path"] == "human"
    assert world.ask(currency="USD", value=1).status_code == 422


def test_a_customer_id_that_does_not_exist_is_refused(world: World) -> None:
    """A typing error must not lose a customer's protection; an unknown address is just unknown."""
    assert world.ask(customer={"id": "cus_nobody"}).json()["error"]["code"] == "no_customer"
    assert world.asked(customer={"email": "new@example.com"})["customer"] is None


def test_an_unknown_checkpoint_is_named_with_what_was_meant(world: World) -> None:
    """404 with a suggestion; a key limited to some checkpoints learns only of its own."""
    limited = world.make_key(checkpoints=["returns"])
    wrong = world.ask(checkpoint="refund")
    foreign, missing = world.ask(limited), world.ask(limited, checkpoint="nothing-like-it")

    assert wrong.status_code == 404
    assert "'refunds'" in wrong.json()["error"]["message"]
    assert foreign.status_code == missing.status_code == 403
    assert "returns" in world.ask(limited, checkpoint="return").json()["error"]["message"]


def test_an_answer_off_its_schema_is_refused_and_never_a_decision(world: World) -> None:
    """422 with every problem; the key stays free for the right one."""
    answer = world.ask(proposal={"answer": {"amount": -1, "extra": 1}})

    assert answer.status_code == 422
    assert len(answer.json()["error"]["fields"]["problems"]) == 2
    assert world.count(ruling) == world.count(request) == 0
    assert world.asked()["state"] == "decided"


def test_a_verdict_counts_once_it_cannot_be_taken_back(world: World) -> None:
    """Until its undo window is over the decision waits and nothing is approved; undone, it waits on."""
    found = world.asked(score=0.1)
    review_id = world.decide(found, Verb.APPROVE)
    inside = world.poll(found)
    with world.database.transaction() as uow:
        reviews.undo(uow, review_id, ANN, timedelta(minutes=10), settlement=SETTLEMENT)
    world.clock.advance(timedelta(minutes=1))

    assert (inside["state"], inside["approval"], inside["answer"]) == ("waiting", None, None)
    assert world.poll(found)["state"] == "waiting"


def test_what_a_person_edited_is_what_is_approved(world: World) -> None:
    """The answer, the digest and the verdict are the edited ones; the proposal itself is not approved."""
    found = world.asked(score=0.1)
    world.decide(found, Verb.EDIT, answer={"amount": 10}, reason="half of it")
    world.clock.advance(timedelta(seconds=10))
    decided = world.poll(found)

    assert (decided["verdict"], decided["answer"], decided["reason"]) == (
        "edit",
        {"amount": 10},
        "half of it",
    )
    assert world.executed(decided, digest=None, answer={"amount": 40}).status_code == 403
    assert world.executed(decided, digest=None, answer={"amount": 10}).status_code == 200


def test_a_rejected_proposal_is_decided_and_not_approved(world: World) -> None:
    """Rejected is final, with its reason, and nothing can be executed."""
    found = world.asked(score=0.1)
    world.decide(found, Verb.REJECT, reason="paid twice", undo_s=0)
    decided = world.poll(found)

    assert (decided["state"], decided["verdict"], decided["reason"]) == ("decided", "reject", "paid twice")
    assert (decided["answer"], decided["approval"]) == (None, None)


def test_the_stop_switch_sends_everything_to_people(world: World) -> None:
    """With the switch on a sure proposal waits, and an approval given before cannot be begun any more."""
    before = world.asked()
    with world.database.transaction() as uow:
        switch_stop(uow, SYSTEM, "checkpoint:refunds", "fraud wave")
    after = world.asked(idempotency_key="order-2")

    assert (after["state"], after["path"]) == ("waiting", "human")
    assert world.executed(before, ok=None, result=None).json()["error"]["code"] == "stopped"


def test_a_waiting_request_is_answered_when_the_decision_takes_effect(world: World) -> None:
    """`wait` holds the answer back until a person has decided; many waiters are served by one look."""
    found = world.asked(score=0.1)
    answers: list[Any] = []
    waiting = threading.Event()

    def poll() -> None:
        waiting.set()
        answers.append(world.get(f"/v1/decisions/{found['id']}?wait=20").json())

    threads = [threading.Thread(target=poll) for _ in range(5)]
    for one in threads:
        one.start()
    waiting.wait()
    world.decide(found, Verb.APPROVE, undo_s=0)
    for one in threads:
        one.join()

    assert [answer["state"] for answer in answers] == ["decided"] * 5
    assert len({answer["approval"]["token"] for answer in answers}) == 1


def test_asking_with_wait_gives_up_in_time(world: World) -> None:
    """When nobody decides the answer is that it waits."""
    assert world.asked(score=0.1, wait=0.2)["state"] == "waiting"


def test_a_key_lists_its_own_decisions_page_by_page(world: World) -> None:
    """Newest first, each once, never another key's."""
    mine = [world.asked(idempotency_key=f"k{n}")["id"] for n in range(5)]
    world.ask(world.make_key())
    seen, path = [], "/v1/decisions?limit=2"
    while path:
        page = world.get(path).json()
        seen += [one["id"] for one in page["items"]]
        path = f"/v1/decisions?limit=2&before={page['next']}" if page["next"] else ""

    assert seen == mine[::-1]
    assert world.get("/v1/decisions?checkpoint=returns").json()["items"] == []


@pytest.mark.parametrize("part", ["", "/explanation", "/outcomes"])
def test_another_keys_decision_does_not_exist(world: World, part: str) -> None:
    """404, exactly as for an id that never was."""
    found, other = world.asked(), world.make_key()

    theirs = world.get(f"/v1/decisions/{found['id']}{part}", other)
    nobodys = world.get(f"/v1/decisions/rul_nothing{part}", other)

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["error"]["message"] == nobodys.json()["error"]["message"]
    assert world.executed(found, other).status_code == 404


def test_every_decision_is_stored_with_its_ruling(world: World) -> None:
    """One ruling each; a decision only where none is waited for."""
    world.asked(idempotency_key="a")
    world.asked(idempotency_key="b", signals={"country": "kp"})
    world.asked(idempotency_key="c", score=0.1)

    assert (world.count(ruling), world.count(decision), world.count(review)) == (3, 2, 1)
