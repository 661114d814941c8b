"""One process of Fairlead: what it is made of, that it begins, stops, and leaves a sealed record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from fairlead import reviews
from fairlead.audit import Signer, StoredRecord, read_heads, verify
from fairlead.errors import FaultError, InputError, UnavailableError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.events import REQUESTED, Event, publish
from fairlead.people import add_person
from fairlead.reviews import QueueFilter, Reviewer
from fairlead.settings import Settings, provide_secrets
from fairlead.testing.seed import add_leads, run_ready
from fairlead.worker import (
    Runtime,
    chores,
    derive,
    executor_id,
    open_runtime,
    opening,
    runtime as runtime_module,
    sweep_reviews,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.testing.clock import FakeClock

ANN = Reviewer("per_ann", frozenset({"reviewer", "manager"}), "Ann")


def unsealed(runtime: Runtime) -> int:
    """Entries that no seal covers; the record is right."""
    settings = runtime.settings
    assert settings.audit_key_file is not None
    key = Signer.load(settings.audit_key_file, create=False).public_key
    with runtime.database.reading() as reader:
        found = verify(StoredRecord(reader), key, read_heads(settings.audit_heads_file))
    assert not found.problems, found.problems
    return found.unsealed


def open_reviews(runtime: Runtime, count: int = 3) -> list[reviews.Review]:
    """Reviews of as many new leads."""
    with runtime.database.reading() as reader:
        bundle = runtime.library.current(reader)
    add_leads(runtime.database, bundle, count)
    run_ready(runtime.engine)
    with runtime.database.reading() as reader:
        return reviews.page(reader, QueueFilter(), limit=200).items


def test_stopping_seals_the_record(runtime: Runtime) -> None:
    """What happened up to the end is sealed and its head published, so that a later change shows."""
    assert unsealed(runtime) > 0
    runtime.start()
    assert runtime.stop(10.0) is True
    assert unsealed(runtime) == 0
    assert read_heads(runtime.settings.audit_heads_file)


def test_a_stop_that_is_cut_short_says_so_and_seals(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that does not end in time makes the answer False; the record is sealed all the same."""
    monkeypatch.setattr(runtime.dispatcher, "stop", lambda _timeout_s: False)
    assert runtime.stop(0.0) is False
    assert unsealed(runtime) == 0


def test_sealing_twice_adds_nothing(runtime: Runtime) -> None:
    """A second look at a sealed record writes no head."""
    runtime.seal()
    heads = runtime.settings.audit_heads_file.read_bytes()
    runtime.seal()
    assert runtime.settings.audit_heads_file.read_bytes() == heads


def test_the_engine_wakes_its_dispatcher(runtime: Runtime) -> None:
    """What a transaction makes ready is looked for at once and not at the next sweep."""
    assert runtime.engine.wake == runtime.dispatcher.wake


def test_a_lapsed_claim_is_given_back(runtime: Runtime, clock: FakeClock) -> None:
    """Nothing before its time; then the sweep frees the review, and a second sweep finds nothing to do."""
    one = open_reviews(runtime)[0]
    with runtime.database.transaction() as uow:
        reviews.claim(uow, one.id, ANN, timedelta(minutes=10))
    sweep_reviews(runtime)
    assert state_of(runtime, one.id) == "claimed"
    clock.advance(timedelta(minutes=10, seconds=1))
    sweep_reviews(runtime)
    assert state_of(runtime, one.id) == "waiting"
    entries = entry_count(runtime)
    sweep_reviews(runtime)
    assert entry_count(runtime) == entries


def test_old_keys_are_forgotten(runtime: Runtime, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Idempotency keys of cases go when their 30 days are over, in several bites; younger ones and events stay."""
    monkeypatch.setattr(chores, "FORGOTTEN_AT_ONCE", 3)

    def remember(beginning: str, count: int) -> None:
        with runtime.database.transaction() as uow:
            for number in range(count):
                publish(uow, Event(REQUESTED, f"{beginning}{number}", {"result": "case_1"}, id=f"{beginning}{number}"))
            publish(uow, Event("replied", "cus_1", id=f"{beginning}-reply"))

    remember("old", 7)
    clock.advance(timedelta(days=29))
    remember("young", 2)
    chores.forget(runtime)
    assert len(event_ids(runtime)) == 11
    clock.advance(timedelta(days=1, seconds=1))
    chores.forget(runtime)
    assert event_ids(runtime) == {"old-reply", "young0", "young1", "young-reply"}


def event_ids(runtime: Runtime) -> set[str]:
    """Events that are stored."""
    with runtime.database.raw() as connection:
        return set(
            connection.execute(text("SELECT id FROM event WHERE type IN ('api.requested', 'replied')")).scalars()
        )


def test_a_sweep_rings_for_the_engine(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired review moves its case: the dispatcher is told."""
    rung: list[None] = []
    monkeypatch.setattr(runtime.dispatcher, "wake", lambda: rung.append(None))
    sweep_reviews(runtime)
    assert rung == [None]


def state_of(runtime: Runtime, review_id: str) -> str:
    """The state of a review as stored."""
    with runtime.database.reading() as reader:
        return reviews.get(reader, review_id).state


def entry_count(runtime: Runtime) -> int:
    """Entries of the audit record."""
    with runtime.database.raw() as connection:
        return int(connection.execute(text("SELECT count(*) FROM audit_entry")).scalar_one())


def test_a_tick_survives_a_database_that_is_away() -> None:
    """A failed connection is passed over, since the next tick makes up for it; a fault of ours is not hidden."""

    def away() -> None:
        raise UnavailableError("gone")

    def broken() -> None:
        raise FaultError("broken")

    chores.quietly(away)()
    with pytest.raises(FaultError):
        chores.quietly(broken)()


def test_keys_for_two_purposes_tell_nothing_of_each_other() -> None:
    """The same secret and purpose give the same key in every process; anything else another one."""
    secret = "s" * 40
    assert derive(secret, "lottery") == derive(secret, "lottery")
    assert len({derive(secret, "lottery"), derive(secret, "sessions"), derive("t" * 40, "lottery")}) == 3
    assert len(derive(secret, "lottery")) == 32


def test_the_lottery_hangs_on_the_secret_key(runtime: Runtime) -> None:
    """Two processes of one installation draw alike, since both derive the seed from its key."""
    key = runtime.settings.secret_key
    assert key is not None
    assert runtime.seed == derive(key.get_secret_value(), "lottery")


def test_an_executor_has_the_name_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes of one machine have two names; one keeps its own."""
    mine = executor_id()
    assert mine == executor_id()
    monkeypatch.setattr(runtime_module.os, "getpid", lambda: 1)
    assert executor_id() != mine


def test_a_server_without_keys_does_not_start(tmp_path: Path, sqlite_url: str) -> None:
    """Outside embedded mode nothing is made up: the missing variable is named."""
    bare = Settings(workspace=tmp_path, database_url=sqlite_url, embedded=False)
    with pytest.raises(InputError, match="FAIRLEAD_SECRET_KEY"), open_runtime(bare, durable=False):
        pass


def test_a_key_that_others_may_read_is_refused(prepared: Settings) -> None:
    """A shared signing key proves nothing; the cure is in the sentence."""
    assert prepared.audit_key_file is not None
    prepared.audit_key_file.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"), open_runtime(prepared, durable=False):
        pass


def test_the_database_is_let_go_of(prepared: Settings) -> None:
    """Whatever happens inside, nothing holds the file afterwards, and the next process opens it."""
    with pytest.raises(RuntimeError, match="inside"), open_runtime(prepared, durable=False):
        raise RuntimeError("inside")
    with open_runtime(provide_secrets(prepared), durable=False) as again, again.database.transaction() as uow:
        add_person(uow, SYSTEM, name="Ada", email="ada@example.com", roles=["viewer"])


def test_work_goes_on_until_it_is_told_to_stop(prepared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker starts, waits for the signal, and stops in order; the record is sealed."""
    done: list[str] = []
    runtimes: list[Runtime] = []
    real = open_runtime

    def local(settings: Settings) -> Any:
        return real(settings, durable=False)

    def start(self: Runtime) -> None:
        done.append("start")
        runtimes.append(self)
        with self.database.transaction() as uow:
            add_person(uow, SYSTEM, name="Ada", email="ada@example.com", roles=["viewer"])

    monkeypatch.setattr(opening, "open_runtime", local)
    monkeypatch.setattr(Runtime, "start", start)
    monkeypatch.setattr(opening.StopSignal, "wait", lambda _self: done.append("signal"))
    opening.work(prepared)

    assert done == ["start", "signal"]
    with real(prepared, durable=False) as after:
        assert unsealed(after) == 0
        assert entry_count(after) == 1
