"""Files of consents on their way in: pipes, pieces, bytes that are no text, and rows that go back."""

from __future__ import annotations

import io
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fairlead.commands import consent_sources
from fairlead.commands.consent_sources import ConsentFile, Refusals, readable
from fairlead.customers import RefusedLine
from fairlead.errors import InputError, TooLargeError

HEADER = ["email", "purpose"]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    """What can be read only once is copied for as long as it is needed, up to the same bound."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for limit in (100, 5):
        writer = threading.Thread(target=lambda: pipe.write_bytes("Zoë,news\n".encode()))
        writer.start()
        if limit == 100:
            with readable(pipe, limit) as copy:
                assert copy.read_text(encoding="utf-8") == "Zoë,news\n"
            assert not copy.exists()
        else:
            with pytest.raises(TooLargeError, match="larger than 5 bytes"), readable(pipe, limit):
                pass
        writer.join(10)


def test_standard_input_is_read_like_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is no file of that name, even where there is one beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n")))
    with readable(Path("-"), 100) as copy:
        assert copy.read_bytes() == b"a,b\n"
    (tmp_path / "-").write_bytes(b"the other\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"c,d\n")))
    with readable(Path("-"), 100) as copy:
        assert copy.read_bytes() == b"c,d\n"


@given(
    st.text("aé€😀", max_size=9), st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f"]), st.integers(1, 5)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_wrong_byte_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: str, bad: bytes, piece: int
) -> None:
    """However the file is cut into pieces: its place counts from the beginning of the file."""
    monkeypatch.setattr(consent_sources, "PIECE", piece)
    path = tmp_path / "x.csv"
    path.write_bytes(good.encode())
    with readable(path, 100) as same:
        assert same == path
    path.write_bytes(good.encode() + bad)
    with pytest.raises(InputError, match=f"not UTF-8 at byte {len(good.encode())}\\."), readable(path, 100):
        pass


def test_a_file_that_changes_its_bytes_meanwhile(tmp_path: Path) -> None:
    """What was text when it was looked at and is none any more ends in a sentence."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"email,purpose,channel,state,said_at,mechanism,proof\n\xff\n")
    with pytest.raises(InputError, match="changed while it was read"), ConsentFile(path, "x").rows(NOON) as (rows, _):
        list(rows)


def test_refused_rows_keep_their_shape(tmp_path: Path) -> None:
    """Too few or too many cells, and a reason from before in the middle of the row: the reason has its own column."""
    rows = [
        RefusedLine(2, "cells", "Too few.", ("ann",)), RefusedLine(3, "cells", "Too many.", ("ann", "news", "more")),
    ]  # fmt: skip
    for number, (header, expected) in enumerate((
        (HEADER, ["email,purpose,refused", "ann,,line 2: Too few.", "ann,news,line 3: Too many.,more"]),
        (["email", "refused", "purpose"], ["email,refused,purpose", "ann,line 2: Too few.",
         "ann,line 3: Too many.,more"]),
    )):  # fmt: skip
        path = tmp_path / f"{number}.csv"
        refusals = Refusals(path)
        refusals.begin(["forgotten"])
        refusals.add(rows)
        refusals.begin(header)
        refusals.add(rows)
        refusals.end(keep=True)
        assert path.read_text(encoding="utf-8").splitlines() == expected
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["there.csv", "none/x.csv"])
def test_refused_rows_never_overwrite(tmp_path: Path, where: str) -> None:
    """A file that is there stays as it is; a folder that is not there is not made."""
    (tmp_path / "there.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        Refusals(tmp_path / where)
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "mine"
    Refusals(None).end(keep=False)
