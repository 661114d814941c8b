"""The registry: versions, which one is in use, and what must not be trusted is never used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from fairlead.audit import Trail
from fairlead.audit.tables import entry
from fairlead.errors import InputError, NotFoundError, TooLargeError
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.understanding import (
    ModelLibrary,
    export_model,
    find_model,
    import_model,
    list_models,
    load_model,
    models_key,
    parse_producer,
    register,
    report_of,
    require_name,
    use_model,
)
from fairlead.understanding.sealing import MAX_FILE
from fairlead.understanding.tables import score_model
from tests.understanding.world import KEY, by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.testing.clock import FakeClock

LEAD = {"visits": 9, "source": "Web"}


@pytest.fixture
def database(database_url: str, clock: FakeClock) -> Iterator[Database]:
    """On SQLite and on Postgres."""
    made = Database(database_url, clock=clock, trail=Trail())
    yield made
    made.close()


def store(database: Database, shift: float = 0.0, name: str = "lead-score") -> str:
    """Register a model made by hand."""
    with database.transaction() as uow:
        return register(uow, SYSTEM, KEY, by_hand(name, shift=shift)).producer


def test_versions_count_by_name_and_the_first_is_in_use(database: Database) -> None:
    """The next ones wait until somebody takes them; each is in the audit record."""
    assert [store(database), store(database, 1.0), store(database, name="other")] == [
        "lead-score@1", "lead-score@2", "other@1",
    ]  # fmt: skip
    with database.reading() as reader:
        listed = list_models(reader)
        verbs = list(reader.execute(select(entry.c.verb).order_by(entry.c.id)).scalars())
    assert {one["producer"] for one in listed if one["in_use"]} == {"lead-score@1", "other@1"}
    assert verbs.count("model.registered") == 3
    assert verbs.count("model.used") == 2


def test_a_version_that_tells_nothing_is_not_used_by_itself(database: Database) -> None:
    """It is kept, and rules go on scoring."""
    useless = replace(by_hand(), report={**by_hand().report, "useful": False})
    with database.transaction() as uow:
        assert register(uow, SYSTEM, KEY, useless).in_use is False
    assert ModelLibrary(database, KEY).current("lead-score") is None


def test_the_library_follows_what_is_in_use(database: Database) -> None:
    """At once, back and forth, without loading a document anew that it has."""
    library = ModelLibrary(database, KEY)
    assert library.current("lead-score") is None
    store(database)
    store(database, 2.0)
    first = library.current("lead-score")
    assert first is not None
    assert first.label == "lead-score@1"
    assert library.current("lead-score") is first
    with database.transaction() as uow:
        use_model(uow, SYSTEM, "lead-score@2")
    second = library.current("lead-score")
    assert second is not None
    assert second.label == "lead-score@2"
    assert second.score([LEAD])[0].points > first.score([LEAD])[0].points
    with database.transaction() as uow:
        use_model(uow, SYSTEM, "lead-score@1")
    assert library.current("lead-score") is first


def test_a_document_changed_in_the_database_is_never_used(database: Database) -> None:
    """Nor one stored under another version's name, nor after the key was changed."""
    store(database)
    store(database, 1.0)
    with database.reading() as reader:
        documents = dict(tuple(row) for row in reader.execute(select(score_model.c.version, score_model.c.document)))
    with database.raw() as connection:
        connection.execute(update(score_model).where(score_model.c.version == 1).values(document=documents[2]))
        connection.commit()
    with pytest.raises(InputError) as refused:
        ModelLibrary(database, KEY).current("lead-score")
    assert refused.value.reason == "model_tampered"
    with database.reading() as reader, pytest.raises(InputError) as other:
        load_model(reader, models_key("another secret"), "lead-score@2")
    assert other.value.reason == "model_tampered"


def test_a_model_goes_out_and_comes_back(database: Database) -> None:
    """As the next version, with where it came from; a foreign one only by its digest."""
    store(database)
    with database.reading() as reader:
        text, digest = export_model(reader, KEY, "lead-score@1")
    with database.transaction() as uow:
        back = import_model(uow, SYSTEM, KEY, text.encode(), None)
    with database.reading() as reader:
        told = find_model(reader, back.producer)
    assert (back.producer, back.in_use, back.digest) == ("lead-score@2", False, digest)
    assert (told["origin"], told["note"]) == ("imported", "exported as lead-score@1")
    with database.transaction() as uow:
        with pytest.raises(InputError) as refused:
            import_model(uow, SYSTEM, b"other", text.encode(), None)
        assert refused.value.reason == "model_foreign"
        assert import_model(uow, SYSTEM, b"other", text.encode(), digest).producer == "lead-score@3"
    with database.transaction() as uow, pytest.raises(TooLargeError):
        import_model(uow, SYSTEM, KEY, b"x" * (MAX_FILE + 1), None)


def test_what_is_not_there_is_said_with_what_is(database: Database) -> None:
    """The near version by name; reports of other producers are nobody's."""
    store(database)
    with database.reading() as reader:
        for call in (load_model, export_model):
            with pytest.raises(NotFoundError, match="lead-score@1"):
                call(reader, KEY, "lead-score@11")
        with pytest.raises(NotFoundError):
            find_model(reader, "nothing@1")
        assert report_of(reader, "lead-score@11") is None
        assert report_of(reader, "some bot v2") is None
        assert report_of(reader, "lead-score@1") is not None


@pytest.mark.parametrize("text", ["lead-score", "lead-score@", "@1", "lead-score@0", "Lead@1", "a@1@2", "x" * 90, ""])
def test_producers_are_written_one_way(text: str) -> None:
    """name@version, small letters."""
    with pytest.raises(InputError) as refused:
        parse_producer(text)
    assert refused.value.reason == "model_name"


@pytest.mark.parametrize("name", ["", "Lead", "a@1", "lead score", "x" * 70, "1st"])
def test_names_can_stand_before_a_version(name: str) -> None:
    """Small letters, digits and dashes, beginning with a letter."""
    with pytest.raises(InputError) as refused:
        require_name(name)
    assert refused.value.reason == "model_name"
    require_name("lead-score-2")
