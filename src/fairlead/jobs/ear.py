"""An ear on Postgres: another worker's notice wakes a waiting thread of this process."""

from __future__ import annotations

import threading
import time

import psycopg
from sqlalchemy.engine import make_url

from fairlead.jobs.model import log
from fairlead.jobs.wake import MAX_PAUSE_S, Bell

WAKE_CHANNEL = "fairlead_wake"
"""Postgres channel; `NOTIFY fairlead_wake` inside a transaction wakes every worker when it commits."""

_LISTEN_TURN_S = 0.5


class PostgresEar:
    """Rings a bell for every `NOTIFY fairlead_wake`; connects again by itself after Postgres was away."""

    def __init__(self, database_url: str, bell: Bell) -> None:
        """`database_url` is SQLAlchemy's; the thread starts with `start`."""
        url = make_url(database_url).set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._bell = bell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen_again, name="fairlead-ear", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once, also when Postgres is away."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Hang up; takes up to half a second."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _listen_again(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            heard_at = time.monotonic()
            try:
                self._listen()
            except psycopg.Error as error:
                pause = 0.1 if time.monotonic() - heard_at > MAX_PAUSE_S else min(pause * 2, MAX_PAUSE_S)
                log.warning("not listening for wake-ups (%s); next try in %.1f s", type(error).__name__, pause)
                self._stopping.wait(pause)

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {WAKE_CHANNEL}")
            self._bell.ring()  # what was notified before we listened is found by a look
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=_LISTEN_TURN_S, stop_after=1):
                    self._bell.ring()
