"""Files on their way: one folder each below the data folder, gone when they were used."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fairlead.errors import UnavailableError

KEPT_FILES_S = 86_400.0


@contextmanager
def spool_folder(data_dir: Path) -> Iterator[Path]:
    """A folder for one file on its way, readable by this user alone; gone afterwards.

    UnavailableError when the data folder cannot be written.
    """
    above = data_dir / "uploads"
    try:
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
        _drop_old(above)
        scratch = TemporaryDirectory(dir=above, prefix="upload-")
    except OSError as error:
        message = f"{above} cannot be written: {error.strerror}. FAIRLEAD_DATA_DIR names another place"
        raise UnavailableError(message) from error
    with scratch as folder:
        yield Path(folder)


def _drop_old(above: Path) -> None:
    """What processes that were killed left here."""
    before = time.time() - KEPT_FILES_S
    for folder in above.glob("upload-*"):
        try:
            old = folder.stat().st_mtime < before
        except FileNotFoundError:  # its owner is done with it just now
            continue
        if old:
            shutil.rmtree(folder, ignore_errors=True)
