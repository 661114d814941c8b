"""Ids are unique across threads and forks, sort by age, and are told from anything else."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given, strategies as st

from fairlead.kit.ids import is_id, new_id, new_ids


def test_ids_ascend_and_never_repeat() -> None:
    """More ids than a microsecond has room for still ascend, and all are ids of their kind."""
    ids = new_ids("case", 5_000) + [new_id("case") for _ in range(500)]
    assert ids == sorted(set(ids))
    assert all(is_id(one, "case") for one in ids)


def test_threads_do_not_share_ids() -> None:
    """Threads that ask at once get ids of their own."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(new_ids("case", 2_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 16_000


def test_a_forked_child_draws_its_own_random_part() -> None:
    """A child process does not go on with the random bytes that its parent has in store."""
    new_id("case")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id("case").encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        theirs = pipe.read()
    assert is_id(theirs, "case")
    assert theirs[-10:] != new_id("case")[-10:]


NO_IDS = ["", "case", "case_", "case_06445f3a1b2c3d012345678", "lead_06445f3a1b2c3d0123456789"]
NO_IDS += ["case_06445F3A1B2C3D0123456789", "case_06445f3a1b2c3d0123456789\n"]


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_no_id(text: str) -> None:
    """Wrong prefix, length, case or a newline at the end: no id."""
    assert not is_id(text, "case")
    assert is_id("case_06445f3a1b2c3d0123456789", "case")


@given(text=st.text(), prefix=st.text(max_size=5))
def test_any_text_can_be_asked_about(text: str, prefix: str) -> None:
    """Hostile text is no id, never an exception."""
    assert is_id(text, prefix) in {True, False}
