"""Worlds on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.playbooks.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.playbooks import Step
    from fairlead.testing.clock import FakeClock


@pytest.fixture
def make_world(database_url: str, clock: FakeClock) -> Iterator[Callable[..., World]]:
    """Makes worlds with steps of the test's own; all are closed afterwards."""
    made: list[World] = []

    def make(*steps: Step, **how: Any) -> World:
        made.append(World.at(database_url, clock, steps, **how))
        return made[-1]

    yield make
    for world in made:
        world.database.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Without steps of its own."""
    return make_world()
